/* monitor */
#ifndef COMPTOP_MONITOR_H
#define COMPTOP_MONITOR_H

#include <comptop/core.h>

#endif
