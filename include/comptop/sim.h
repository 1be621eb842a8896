/* sim */
#ifndef COMPTOP_SIM_H
#define COMPTOP_SIM_H

#include <comptop/core.h>

#endif
