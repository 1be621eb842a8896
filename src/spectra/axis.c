/* The energy axis. */
#include <comptop/spectra.h>

#include <math.h>

int ct_axis_init(struct ct_axis *out, double start_keV, double end_keV, double width_keV, struct ct_err *err)
{
  if (!isfinite(start_keV) || !isfinite(end_keV) || !isfinite(width_keV) || width_keV <= 0 || end_keV <= start_keV)
    return ct_err_set(err, CT_ERANGE, "hexitec.bins = %g:%g:%g: needs start < end and a width above 0, in keV",
                      start_keV, end_keV, width_keV);
  double bins = (end_keV - start_keV) / width_keV, whole = round(bins);
  if (whole < 1 || whole > INT32_MAX || fabs(bins - whole) > 1e-6)
    return ct_err_set(err, CT_ERANGE, "hexitec.bins = %g:%g:%g: end - start is %g widths, needs a whole number of them",
                      start_keV, end_keV, width_keV, bins);
  *out = (struct ct_axis){ start_keV, width_keV, (uint32_t)whole };
  return 0;
}
