#include <comptop/ring.h>

int ct_ring_placeholder_;
