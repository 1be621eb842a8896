#include <comptop/snapshot.h>

int ct_snapshot_placeholder_;
