#include <comptop/wire.h>

int ct_wire_placeholder_;
