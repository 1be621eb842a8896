/* compton */
#ifndef COMPTOP_COMPTON_H
#define COMPTOP_COMPTON_H

#include <comptop/core.h>

#endif
