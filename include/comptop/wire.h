/* wire */
#ifndef COMPTOP_WIRE_H
#define COMPTOP_WIRE_H

#include <comptop/core.h>

#endif
