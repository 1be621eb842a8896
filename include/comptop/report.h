/* report */
#ifndef COMPTOP_REPORT_H
#define COMPTOP_REPORT_H

#include <comptop/core.h>

#endif
