#include <comptop/hexitec.h>

int ct_hexitec_placeholder_;
