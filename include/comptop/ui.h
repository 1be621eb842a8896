/* ui */
#ifndef COMPTOP_UI_H
#define COMPTOP_UI_H

#include <comptop/core.h>

#endif
