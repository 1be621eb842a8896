#include <comptop/sim.h>

int ct_sim_placeholder_;
