/* view */
#ifndef COMPTOP_VIEW_H
#define COMPTOP_VIEW_H

#include <comptop/core.h>

#endif
