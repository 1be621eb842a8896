/* Photon energies of slabs of one material, against numerical integration of xraylib's profiles broadened by 0.93 keV. */
#include "common.h"

#include <xraylib.h>

enum { N = 80, FINE = 7600 };
#define FINE_START_KEV 40.0
#define FINE_KEV 0.01
#define SIGMA_KEV (0.93 / 2.354820045)

static double free_atom(int z, double n, double pz) { return n * ComptonProfile(z, fabs(pz), NULL); }

static double profile_ptfe(double pz) { return free_atom(6, 2, pz) + free_atom(9, 4, pz); }
static double profile_lithium(double pz) { return free_atom(3, 1, pz); }
static double profile_steel(double pz)
{
  return free_atom(26, 0.733, pz) + free_atom(24, 0.191, pz) + free_atom(28, 0.076, pz);
}
/* The lithium's outer electron is counted with oxygen's 2p. */
static double nmc(double x, double pz)
{
  return free_atom(28, 0.8, pz) + free_atom(25, 0.1, pz) + free_atom(27, 0.1, pz) + free_atom(8, 2, pz) +
         x * (2 * ComptonProfile_Partial(3, K_SHELL, fabs(pz), NULL) + ComptonProfile_Partial(8, L3_SHELL, fabs(pz), NULL));
}
static double profile_nmc_full(double pz) { return nmc(1, pz); }
static double profile_nmc_empty(double pz) { return nmc(0.2, pz); }

/* Equation 2 of Leung et al. 2024, its slope by difference. */
static double pz_of(double e2, double theta)
{
  double e1 = 114.64, c = cos(theta);
  return 137.036 * (e2 - e1 + e1 * e2 * (1 - c) / 510.999) / sqrt(e1 * e1 + e2 * e2 - 2 * e1 * e2 * c);
}

static double e2_of(double pz, double theta)
{
  double low = 60, high = 114.64;
  for (int i = 0; i < 60; i++) {
    double middle = (low + high) / 2;
    if (pz_of(middle, theta) < pz) low = middle;
    else high = middle;
  }
  return low;
}

static double below(double e, double edge) { return 0.5 * erfc((e - edge) / SIGMA_KEV / sqrt(2)); }

/* Shares of photons of energy e that the detector's resolution puts into L and H. */
static void shares(double e, const double edges[4], double *l, double *h)
{
  double at[4];
  for (int i = 0; i < 4; i++) at[i] = below(e, edges[i]);
  *l = at[2] - at[1];
  *h = at[3] - at[2] + at[1] - at[0];
}

static void edges_of(double theta, double edges[4])
{
  static const double pz[] = { -5, -1, 1, 5 };
  for (int i = 0; i < 4; i++) edges[i] = e2_of(pz[i], theta);
}

/* Expected L and H per photon between 40 and 114.6 keV. */
static void expect(double (*profile)(double), double theta, double *l, double *h)
{
  double edges[4], all = 0;
  edges_of(theta, edges);
  *l = *h = 0;
  for (int i = 0; i < 7460; i++) {
    double e = FINE_START_KEV + (i + 0.5) * FINE_KEV, l1, h1;
    double density = profile(pz_of(e, theta)) * (pz_of(e + 0.005, theta) - pz_of(e - 0.005, theta));
    shares(e, edges, &l1, &h1);
    *l += density * l1;
    *h += density * h1;
    all += density;
  }
  *l /= all;
  *h /= all;
}

static double theta_of(int col)
{
  double x = (39.5 - col) * 0.25;
  return acos(-x / sqrt(x * x + 160 * 160.0));
}

struct sample {
  enum ct_sim_sample slab;
  double (*profile)(double);
  double emf90;              /* known for free atoms (ionic for NMC) at 90 degrees and 0.93 keV; */
  double within;             /* steel: for another rounding of its composition */
  uint64_t first;            /* frame */
};

/* 1.6 million photons a slab: EMF is then known to 0.2 % (one sigma). */
static void emf_of_slab(const struct sample *sample)
{
  struct ct_sim_config config;
  ct_sim_defaults(&config);
  config.sample = sample->slab;
  config.rate_hz = 1e6;
  config.photons_per_s = 1e10;
  config.speedup = 45000;    /* x falls by 1 a second */
  struct ct_sim *sim;
  struct ct_err err;
  assert_int_equal(ct_sim_new(&sim, &config, &err), 0);
  static uint32_t counts[N][FINE];
  static struct ct_sim_photon photons[12000];
  for (int c = 0; c < N; c++)
    for (int i = 0; i < FINE; i++) counts[c][i] = 0;
  for (uint64_t k = 0; k < 400; k++) {
    uint32_t n = ct_sim_photons(sim, sample->first + k, photons, 12000);
    for (uint32_t i = 0; i < n; i++) {
      int bin = (int)((photons[i].e_keV - FINE_START_KEV) / FINE_KEV);
      if (photons[i].source != CT_SIM_LINES && photons[i].e_keV != 114.64 && bin >= 0 && bin < FINE)
        counts[photons[i].pixel % N][bin]++;
    }
  }
  ct_sim_free(sim);
  double L = 0, H = 0, L_expected = 0, H_expected = 0;
  for (int c = 0; c < N; c++) {
    double edges[4], l, h, total = 0;
    edges_of(theta_of(c), edges);
    for (int i = 0; i < FINE; i++) {
      if (!counts[c][i]) continue;
      shares(FINE_START_KEV + (i + 0.5) * FINE_KEV, edges, &l, &h);
      L += l * counts[c][i];
      H += h * counts[c][i];
      total += counts[c][i];
    }
    expect(sample->profile, theta_of(c), &l, &h);
    L_expected += l * total;
    H_expected += h * total;
  }
  assert_true(L + H > 1e6);
  double emf = L / H, expected = L_expected / H_expected, l, h;
  print_message("# slab %d: EMF %.4f, integrated %.4f (%+.2f %%)\n", sample->slab, emf, expected,
                100 * (emf / expected - 1));
  assert_near(emf / expected, 1, 0.005);
  assert_near(L / L_expected, 1, 0.006);
  expect(sample->profile, 1.5707963267948966, &l, &h);
  assert_near(l / h / sample->emf90, 1, sample->within);
}

static void emf_ptfe(void **state)
{
  (void)state;
  emf_of_slab(&(struct sample){ CT_SIM_SLAB_PTFE, profile_ptfe, 1.2633, 0.001, 0 });
}
static void emf_lithium(void **state)
{
  (void)state;
  emf_of_slab(&(struct sample){ CT_SIM_SLAB_LITHIUM, profile_lithium, 2.0892, 0.001, 0 });
}
static void emf_steel(void **state)
{
  (void)state;
  emf_of_slab(&(struct sample){ CT_SIM_SLAB_STEEL, profile_steel, 0.7595, 0.003, 0 });
}
static void emf_cathode_full(void **state)
{
  (void)state;
  emf_of_slab(&(struct sample){ CT_SIM_SLAB_CATHODE, profile_nmc_full, 0.9272, 0.001, 0 });
}
static void emf_cathode_charged(void **state)
{
  (void)state;
  emf_of_slab(&(struct sample){ CT_SIM_SLAB_CATHODE, profile_nmc_empty, 0.9090, 0.001, 799800 });
}

/* K lines of W and Pb in keV (Bearden, Rev. Mod. Phys. 39 (1967) 78) and the elastic line; nothing else is sharp. */
static void lines_are_where_tables_have_them(void **state)
{
  (void)state;
  static const double known[] = { 59.318, 57.982, 67.244, 66.951, 69.07, 74.969, 72.804, 84.936, 84.450, 87.32 };
  struct ct_sim_config config;
  ct_sim_defaults(&config);
  config.photons_per_s = 1e4 * config.rate_hz;
  struct ct_sim *sim;
  struct ct_err err;
  assert_int_equal(ct_sim_new(&sim, &config, &err), 0);
  static struct ct_sim_photon photons[12000];
  uint32_t lines = 0, elastic = 0, all = 0, alpha1 = 0, alpha2 = 0;
  for (uint64_t k = 0; k < 20; k++) {
    uint32_t n = ct_sim_photons(sim, k, photons, 12000);
    for (uint32_t i = 0; i < n; i++) {
      elastic += photons[i].e_keV == 114.64;
      if (photons[i].source != CT_SIM_LINES) continue;
      double nearest = 1e9;
      for (size_t j = 0; j < sizeof known / sizeof *known; j++) nearest = fmin(nearest, fabs(photons[i].e_keV - known[j]));
      assert_true(nearest < 0.1);
      lines++;
      alpha1 += fabs(photons[i].e_keV - 59.318) < 0.1;
      alpha2 += fabs(photons[i].e_keV - 57.982) < 0.1;
    }
    all += n;
  }
  ct_sim_free(sim);
  assert_true(lines > all / 50 && lines < all / 20);
  assert_true(elastic > all / 200 && elastic < all / 40);
  assert_near((double)alpha1 / alpha2, 1.74, 0.2);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(emf_ptfe),
    cmocka_unit_test(emf_lithium),
    cmocka_unit_test(emf_steel),
    cmocka_unit_test(emf_cathode_full),
    cmocka_unit_test(emf_cathode_charged),
    cmocka_unit_test(lines_are_where_tables_have_them),
  };
  return cmocka_run_group_tests_name("sim energies", tests, NULL, NULL);
}
