#include "sim/internal.h"

#include <math.h>

/* 0.400 g of LiNi0.8Mn0.1Co0.1O2 (97.28 g/mol) in the cathode hold this much per unit of x. */
#define AH_PER_X 0.1103
#define X_PER_HOUR 0.08
#define X_CHARGED 0.2
#define RESISTANCE_OHM 4.0

/* Open-circuit voltage against lithium, in steps of 0.1 of x, after published curves of NMC811 half cells. */
static double open_circuit_V(double x)
{
  static const double volts[] = { 4.42, 4.33, 4.19, 4.10, 4.00, 3.90, 3.81, 3.74, 3.68, 3.61, 3.50 };
  double at = fmin(fmax(x, 0), 1) * 10;
  int i = at < 9 ? (int)at : 9;
  return volts[i] + (at - i) * (volts[i + 1] - volts[i]);
}

void ct_sim_cell(const struct ct_sim_config *config, double t_s, struct ct_sim_cell *cell)
{
  double span = 1 - X_CHARGED, moved = fmod(X_PER_HOUR * config->speedup * t_s / 3600, 2 * span);
  bool charging = moved < span;
  double taken = charging ? moved : 2 * span - moved;
  cell->lithium = 1 - taken;
  cell->charge_Ah = taken * AH_PER_X;
  cell->current_A = (charging ? 1 : -1) * X_PER_HOUR * AH_PER_X;
  cell->voltage_V = open_circuit_V(cell->lithium) + cell->current_A * RESISTANCE_OHM;
}
