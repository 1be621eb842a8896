/* archive */
#ifndef COMPTOP_ARCHIVE_H
#define COMPTOP_ARCHIVE_H

#include <comptop/core.h>

#endif
