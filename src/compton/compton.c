#include <comptop/compton.h>

int ct_compton_placeholder_;
