#include "compton/internal.h"

#include <math.h>

/* Below this the scattering vector is so short that momentum cannot be told from energy. */
#define THETA_MIN_DEG 1.0

static int check_geometry(const struct ct_geometry *g, struct ct_err *err)
{
  if (!(g->theta_deg >= THETA_MIN_DEG && g->theta_deg <= 180))
    return ct_err_set(err, CT_ERANGE, "geometry theta_deg = %g: not within %g..180", g->theta_deg, THETA_MIN_DEG);
  if (!(g->object_mm > 0 && isfinite(g->object_mm)))
    return ct_err_set(err, CT_ERANGE, "geometry object_mm = %g: must be above 0", g->object_mm);
  if (!(g->detector_mm > 0 && isfinite(g->detector_mm)))
    return ct_err_set(err, CT_ERANGE, "geometry detector_mm = %g: must be above 0", g->detector_mm);
  if (!(g->pitch_mm > 0 && isfinite(g->pitch_mm)))
    return ct_err_set(err, CT_ERANGE, "geometry pitch_mm = %g: must be above 0", g->pitch_mm);
  if (!isfinite(g->centre_x_px) || !isfinite(g->centre_y_px))
    return ct_err_set(err, CT_ERANGE, "geometry centre_px = %g,%g: not a number", g->centre_x_px, g->centre_y_px);
  if ((unsigned)g->beam > CT_BEAM_MINUS_Y)
    return ct_err_set(err, CT_ERANGE, "geometry beam: none of +x, -x, +y, -y");
  return 0;
}

bool ct_compton_along_x_(enum ct_beam beam)
{
  return beam == CT_BEAM_PLUS_X || beam == CT_BEAM_MINUS_X;
}

double ct_pixel_theta_rad_(const struct ct_geometry *g, double col, double row)
{
  double theta0 = g->theta_deg * M_PI / 180;
  if (!g->theta_map)
    return theta0;
  double x_mm = (col - g->centre_x_px) * g->pitch_mm, y_mm = (row - g->centre_y_px) * g->pitch_mm;
  double u = ct_compton_along_x_(g->beam) ? x_mm : y_mm;
  double v = ct_compton_along_x_(g->beam) ? y_mm : x_mm;
  if (g->beam == CT_BEAM_MINUS_X || g->beam == CT_BEAM_MINUS_Y)
    u = -u;
  double d = g->detector_mm;
  /* atan2 of the parts across and along the beam: exact at every angle, where acos loses digits near 0 and pi. */
  return atan2(hypot(d * sin(theta0) - u * cos(theta0), v), d * cos(theta0) + u * sin(theta0));
}

int ct_compton_theta_map(const struct ct_geometry *geometry, uint32_t rows, uint32_t cols, double *theta_rad,
                         struct ct_err *err)
{
  int rc = check_geometry(geometry, err);
  if (rc != 0)
    return rc;
  for (uint32_t row = 0; row < rows; row++) {
    for (uint32_t col = 0; col < cols; col++) {
      double theta = ct_pixel_theta_rad_(geometry, col, row);
      if (!(theta >= THETA_MIN_DEG * M_PI / 180))
        return ct_err_set(err, CT_ERANGE, "geometry: pixel column %u, row %u sees a scattering angle of %.3f deg, "
                          "below %g deg; check theta_deg, detector_mm and centre_px",
                          col, row, theta * 180 / M_PI, THETA_MIN_DEG);
      theta_rad[(size_t)row * cols + col] = theta;
    }
  }
  return 0;
}
