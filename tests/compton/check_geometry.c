/* The theta map against spot values and against rays drawn through the pinhole. */
#include "common.h"

enum { N = 80 };

static void map_of(const struct ct_geometry *g, double *theta_deg)
{
  struct ct_err err;
  if (ct_compton_theta_map(g, N, N, theta_deg, &err) != 0)
    fail_msg("%s", err.text);
  for (size_t i = 0; i < (size_t)N * N; i++)
    theta_deg[i] /= DEG;
}

static void default_geometry_has_the_known_angles(void **state)
{
  (void)state;
  static double theta[N * N];
  struct ct_geometry g = default_setup().geometry;
  map_of(&g, theta);
  assert_near(theta[0], 93.52505, 6e-6);
  assert_near(theta[40 * N], 93.53174, 6e-6);
  assert_near(theta[40 * N + 40], 89.95524, 6e-6);
  assert_near(theta[40 * N + 79], 86.46826, 6e-6);
  assert_near(theta[79 * N + 79], 86.47495, 6e-6);
}

/* Turning the beam turns the map. */
static void beam_directions_are_turns_of_each_other(void **state)
{
  (void)state;
  static double plus_x[N * N], other[N * N];
  struct ct_geometry g = default_setup().geometry;
  map_of(&g, plus_x);
  g.beam = CT_BEAM_MINUS_X;
  map_of(&g, other);
  for (int row = 0; row < N; row++)
    for (int col = 0; col < N; col++)
      assert_near(other[row * N + col], plus_x[row * N + N - 1 - col], 1e-11);
  g.beam = CT_BEAM_PLUS_Y;
  map_of(&g, other);
  for (int row = 0; row < N; row++)
    for (int col = 0; col < N; col++)
      assert_near(other[row * N + col], plus_x[col * N + row], 1e-11);
  g.beam = CT_BEAM_MINUS_Y;
  map_of(&g, other);
  for (int row = 0; row < N; row++)
    for (int col = 0; col < N; col++)
      assert_near(other[row * N + col], plus_x[col * N + N - 1 - row], 1e-11);
}

static void map_off_is_theta_everywhere(void **state)
{
  (void)state;
  static double theta[N * N];
  struct ct_geometry g = default_setup().geometry;
  g.theta_deg = 75;
  g.theta_map = false;
  map_of(&g, theta);
  for (int i = 0; i < N * N; i++)
    assert_near(theta[i], 75, 1e-12);
}

/* From a point of the sheet through the pinhole onto the tilted detector: where the ray lands, the map must have the
 * ray's own angle to the beam. The beam runs along +X, the sheet's normal is Z; both are three-dimensional vectors here. */
static void tilted_camera_sees_rays_through_the_pinhole(void **state)
{
  (void)state;
  uint64_t seed = 3;
  for (int i = 0; i < 1000; i++) {
    struct ct_geometry g = default_setup().geometry;
    g.theta_deg = 30 + 120 * uniform(&seed);
    g.object_mm = 80 + 200 * uniform(&seed);
    g.detector_mm = 80 + 200 * uniform(&seed);
    double t0 = g.theta_deg * DEG;
    double axis[3] = { cos(t0), 0, sin(t0) }, along[3] = { sin(t0), 0, -cos(t0) };
    double object[3] = { -12 + 24 * uniform(&seed), -12 + 24 * uniform(&seed), 0 }, ray[3], forward = 0, length2 = 0;
    for (int k = 0; k < 3; k++) {
      ray[k] = g.object_mm * axis[k] - object[k];
      forward += ray[k] * axis[k];
      length2 += ray[k] * ray[k];
    }
    double scale = g.detector_mm / forward;      /* past the pinhole, until the detector's plane */
    double u = scale * (ray[0] * along[0] + ray[2] * along[2]), v = scale * ray[1];
    g.centre_x_px = -u / g.pitch_mm;             /* the ray lands on pixel 0, 0 */
    g.centre_y_px = -v / g.pitch_mm;
    double theta;
    assert_int_equal(ct_compton_theta_map(&g, 1, 1, &theta, NULL), 0);
    assert_near(theta, acos(ray[0] / sqrt(length2)), 1e-9);
  }
}

static void broken_geometry_is_refused(void **state)
{
  (void)state;
  double theta[4];
  struct ct_err err;
  struct ct_geometry good = default_setup().geometry, g;
#define REFUSED(change)                                                       \
  do {                                                                        \
    g = good;                                                                 \
    change;                                                                   \
    err.text[0] = 0;                                                          \
    assert_int_equal(ct_compton_theta_map(&g, 2, 2, theta, &err), CT_ERANGE); \
    assert_true(err.text[0] != 0);                                            \
  } while (0)
  REFUSED(g.theta_deg = 0);
  REFUSED(g.theta_deg = 181);
  REFUSED(g.theta_deg = (double)NAN);
  REFUSED(g.object_mm = 0);
  REFUSED(g.detector_mm = -1);
  REFUSED(g.pitch_mm = (double)INFINITY);
  REFUSED(g.centre_y_px = (double)NAN);
  REFUSED(g.beam = (enum ct_beam)4);
  /* one pixel looks straight into the beam */
  REFUSED((g.theta_deg = 10, g.centre_y_px = 0, g.centre_x_px = -tan(10 * DEG) * 160 / 0.25));
#undef REFUSED
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(default_geometry_has_the_known_angles),
    cmocka_unit_test(beam_directions_are_turns_of_each_other),
    cmocka_unit_test(map_off_is_theta_everywhere),
    cmocka_unit_test(tilted_camera_sees_rays_through_the_pinhole),
    cmocka_unit_test(broken_geometry_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
