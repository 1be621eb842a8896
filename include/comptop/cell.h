/* cell */
#ifndef COMPTOP_CELL_H
#define COMPTOP_CELL_H

#include <comptop/core.h>

#endif
