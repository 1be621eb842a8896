/* ring */
#ifndef COMPTOP_RING_H
#define COMPTOP_RING_H

#include <comptop/core.h>

#endif
