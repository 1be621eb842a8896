#include <comptop/spectra.h>

int ct_spectra_placeholder_;
