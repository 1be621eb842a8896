/* [camera] -> how slices are made. */
#include "setup.h"

#include <math.h>
#include <string.h>

/* Outputs are for this machine. */
static bool is_local(const char *endpoint)
{
  static const char *const begins[] = { "ipc://", "tcp://127.", "tcp://localhost:", "tcp://[::1]:" };
  for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
    if (strncmp(endpoint, begins[i], strlen(begins[i])) == 0)
      return true;
  return *endpoint == '\0';
}

static int set_phase(struct ct_reconstruction_setup *r, const struct ct_settings *s, struct ct_err *err)
{
  double ratio = ct_settings_real(s, "camera.paganin"), distance_mm = ct_settings_real(s, "camera.distance_mm");
  double energy_keV = ct_settings_real(s, "camera.energy_keV");
  if (!isfinite(ratio))
    return 0;
  if (!isfinite(distance_mm) || !isfinite(r->pixel_um))
    return ct_settings_refuse(s, "camera.paganin", err, "needs camera.distance_mm and camera.pixel_um, too");
  r->phase_px2 = ct_paganin_alpha(isfinite(energy_keV) ? energy_keV : ct_settings_real(s, "beam.e1_keV"), distance_mm, ratio,
                                  r->pixel_um);
  if (!(r->phase_px2 < 1e8))
    return ct_settings_refuse(s, "camera.paganin", err, "would blur over %.3g pixels: check distance, energy and pixel size", sqrt(r->phase_px2));
  return 0;
}

/* Planes beyond this lie outside of any detector. */
static int32_t whole(double at)
{
  return (int32_t)fmin(fmax(round(at), -1e6), 1e6);
}

struct ct_point ct_setup_point(const struct ct_settings *s)
{
  double at[2] = { 0, 0 }, angles[2] = { 45, 45 };
  if (ct_parse_numbers(ct_settings_text(s, "camera.point_px"), ',', at, 2) != 0 ||
      ct_parse_numbers(ct_settings_text(s, "camera.oblique_deg"), ',', angles, 2) != 0)
    return (struct ct_point){ .row = CT_ROW_OF_SLICE };   /* never: the settings were checked */
  return (struct ct_point){ .x = whole(at[0]), .y = whole(at[1]), .row = CT_ROW_OF_SLICE, .turn_deg = whole(angles[0]),
                            .tilt_deg = whole(angles[1]) };
}

int ct_setup_camera(struct run_setup *setup, const struct ct_settings *s, struct ct_err *err)
{
  static const uint32_t rotations[] = { 180, 360 };
  struct ct_reconstruction_setup *r = &setup->reconstruction;
  bool row_auto = ct_settings_word(s, "camera.slice_row") >= 0;
  double pixel_um = ct_settings_real(s, "camera.pixel_um");
  r->slice = (struct ct_tomo_setup){ .size = (uint32_t)ct_settings_int(s, "camera.size"),
    .projections = (uint32_t)ct_settings_int(s, "camera.projections"),
    .rotation_deg = rotations[ct_settings_word(s, "camera.rotation")],
    .window = (enum ct_window)ct_settings_word(s, "camera.filter"), .pixel_cm = isfinite(pixel_um) ? pixel_um * 1e-4 : 0,
    .smear_px = 0.25 };
  r->axis_px = ct_settings_real(s, "camera.axis_px");
  r->slice_row = row_auto ? -1 : ct_settings_int(s, "camera.slice_row");
  r->pixel_um = pixel_um;
  int code = set_phase(r, s, err);
  if (code != 0)
    return code;
  r->angle_start_deg = ct_settings_real(s, "camera.angle_start_deg");
  r->angle_step_deg = ct_settings_real(s, "camera.angle_step_deg");
  if (isfinite(r->angle_step_deg) && !(fabs(r->angle_step_deg) > 0))
    return ct_err_set(err, CT_ECONFIG, "camera.angle_step_deg is 0: every projection would be at the same angle; leave it out "
                      "where frames say their angle");
  r->planes_bytes = (uint64_t)ct_settings_int(s, "camera.memory_MB") << 20;
  r->publish = ct_settings_text(s, "camera.publish");
  if (!is_local(r->publish))
    return ct_settings_refuse(s, "camera.publish", err, "is not of this machine: use ipc:// or tcp://127.0.0.1:PORT");
  r->rings = (enum ct_rings)ct_settings_word(s, "camera.rings");
  /* Who says how angles are counted has none to wait for. */
  r->join_angles = setup->scalars && !isfinite(r->angle_step_deg);
  setup->angle_name = ct_settings_text(s, ct_settings_is_set(s, "camera.angle") ? "camera.angle" : "attributes.angle");
  setup->trigger_name = ct_settings_text(s, "attributes.trigger");
  setup->key_name = ct_settings_text(s, "attributes.image_key");
  return 0;
}
