/* hexitec */
#ifndef COMPTOP_HEXITEC_H
#define COMPTOP_HEXITEC_H

#include <comptop/core.h>

#endif
