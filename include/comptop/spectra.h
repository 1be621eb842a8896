/* spectra */
#ifndef COMPTOP_SPECTRA_H
#define COMPTOP_SPECTRA_H

#include <comptop/core.h>

#endif
