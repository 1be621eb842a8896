/* What is wrong with streams, analysis and archive -> alarms. */
#include "collector.h"

#include <math.h>
#include <string.h>

/* A connection may take this long before it is worth an alarm. */
static const int64_t connect_ns = CT_NS_PER_S / 2;
static const double behind_s = 3;
/* So many projections that turn by less from one to the next are all at one angle. */
enum { LEAST_PROJECTIONS = 16 };
#define LEAST_STEP_DEG 1e-4

static void raise_stream_alarms(struct collector *c, const struct stream *s, int64_t now_ns)
{
  const struct ct_snapshot_stream *now = &s->now;
  struct alarms *a = &c->alarms;
  if (now->state == CT_STREAM_DOWN && ct_time_mono_ns() - s->opened_ns > connect_ns)
    alarms_raise(a, now_ns, "stream-down", now->name, CT_CRITICAL,
                 "%s: not connected to %s, still trying; is the publisher running, are host and port right?", now->name,
                 now->endpoint);
  if (now->state == CT_STREAM_LATE)
    alarms_raise(a, now_ns, "stream-late", now->name, CT_WARNING, "%s: connected, but no data for more than %d s", now->name,
                 LATE_AFTER_S);
  if (now->state == CT_STREAM_STALE)
    alarms_raise(a, now_ns, "stream-stale", now->name, CT_CRITICAL,
                 "%s: connected, but no data for more than %d s; is the source running, is the shutter open?", now->name,
                 STALE_AFTER_S);
  if (now->lost > 0)
    alarms_raise(a, now_ns, "frames-lost", now->name, CT_WARNING, "%s: %llu frames never came; see the source and the network",
                 now->name, (unsigned long long)now->lost);
  if (now->rejected > 0)
    alarms_raise(a, now_ns, "messages-rejected", now->name, CT_WARNING, "%s: %llu rejected; the first: %.180s", now->name,
                 (unsigned long long)now->rejected, now->first_rejected[0] ? now->first_rejected : "a frame number seen before");
}

static void raise_geometry_alarm(struct collector *c, int64_t now_ns)
{
  const struct ct_compton_setup *compton = &c->setup.analysis.compton;
  if (c->setup.centre_by_default && (compton->rows != 80 || compton->cols != 80))
    alarms_raise(&c->alarms, now_ns, "centre-default", "", CT_WARNING,
                 "geometry.centre_px is %g,%g by default; the middle of this sensor of %u columns, %u rows is %g,%g: set it",
                 compton->geometry.centre_x_px, compton->geometry.centre_y_px, compton->cols, compton->rows,
                 (compton->cols - 1) / 2.0, (compton->rows - 1) / 2.0);
}

/* The columns' peaks against geometry.beam, .centre_px and .detector_mm. */
static void raise_fit_alarm(struct collector *c, const struct ct_snapshot_geometry *found, int64_t now_ns)
{
  const struct ct_geometry *g = &c->setup.analysis.compton.geometry;
  if (found->contradicts == 0)
    return;
  alarms_raise(&c->alarms, now_ns, "geometry", "", CT_WARNING,
               "the peaks of %u columns say beam %s, centre %.2f +- %.2f px, detector_mm %.1f +- %.1f; configured are centre_px "
               "%g,%g and detector_mm %g; check the%s%s%s, or the energy scale",
               found->peaks, found->beam, found->centre_px, found->centre_sigma_px, found->detector_mm,
               found->detector_sigma_mm, g->centre_x_px, g->centre_y_px, g->detector_mm, found->contradicts & CT_WRONG_SIGN ?
               " direction of the beam" : "", found->contradicts & CT_WRONG_CENTRE ? " centre" : "",
               found->contradicts & CT_WRONG_DISTANCE ? " distance" : "");
}

static void raise_analysis_alarms(struct collector *c, const struct ct_snapshot_core *core,
                                  const struct ct_analysis_note *note, int64_t now_ns)
{
  struct alarms *a = &c->alarms;
  const char *stream = c->setup.streams[c->setup.hexitec].name;
  if (note->uncalibrated > 0)
    alarms_raise(a, now_ns, "no-calibration", stream, CT_CRITICAL,
                 "%s: frames are ADU and there is no calibration, so no energies; set hexitec.gradients and .intercepts", stream);
  if (note->waiting_for_dark && note->seen > 0)
    alarms_raise(a, now_ns, "no-dark", stream, CT_CRITICAL,
                 "%s: hexitec.dark = measure, and no frame with image key 2 has come yet; nothing is analysed", stream);
  if (core->rings[0].skipped > 0)
    alarms_raise(a, now_ns, "analysis-skipped", stream, CT_WARNING,
                 "%s: the analysis missed %llu frames; it cannot keep up with this machine and rate", stream,
                 (unsigned long long)core->rings[0].skipped);
  if (note->shortened)
    alarms_raise(a, now_ns, "window-short", stream, CT_WARNING,
                 "the window covers %.1f s only; give run.memory_MB more, or ask for a shorter run.window", core->xcs.covered_s);
  if (note->saturated > 0)
    alarms_raise(a, now_ns, "counter-full", stream, CT_WARNING, "%llu photons did not fit the counters of the run; start a new run",
                 (unsigned long long)note->saturated);
}

/* A whole turn in which no method found the axis shows a slice about the middle: that must not pass for a picture. */
static void raise_camera_alarms(struct collector *c, const struct ct_snapshot_core *core, int64_t now_ns)
{
  const struct ct_snapshot_ct *ct = &core->ct;
  const char *stream = c->setup.streams[c->setup.camera].name;
  const double axis_px = c->setup.reconstruction.axis_px;
  const enum ct_stream_state state = c->streams[c->setup.camera].now.state;
  struct alarms *a = &c->alarms;
  if (c->setup.from == NULL && core->rings[core->n_rings - 1].skipped > 0)
    alarms_raise(a, now_ns, "projections-skipped", stream, CT_WARNING,
                 "%s: the slice lacks %llu frames; reconstruction cannot keep up with this machine and rate", stream,
                 (unsigned long long)core->rings[core->n_rings - 1].skipped);
  if (ct->unplaced > 0)
    alarms_raise(a, now_ns, "no-angle", stream, CT_WARNING,
                 "%s: %llu projections came without an angle and are in no slice; see camera.angle and the attribute it names",
                 stream, (unsigned long long)ct->unplaced);
  if (ct->unusable > 0)
    alarms_raise(a, now_ns, "projections-unusable", stream, CT_WARNING,
                 "%s: %llu frames have a type, size or values that cannot be reconstructed", stream, (unsigned long long)ct->unusable);
  if (ct->saturated > 0)
    alarms_raise(a, now_ns, "frames-saturated", stream, CT_WARNING,
                 "%s: %llu frames are as bright as pixels can be in a twentieth of row %u or more, saturated or scaled to it: the sample "
                 "seems too thin there; expose for less", stream, (unsigned long long)ct->saturated, (unsigned)ct->slice_row);
  if (ct->in_slice >= LEAST_PROJECTIONS && ct->covered_deg < LEAST_STEP_DEG * ct->in_slice)
    alarms_raise(a, now_ns, "angle-constant", stream, CT_WARNING,
                 "%s: %u projections are all at the same angle, %.4f degrees, which makes no slice; see the stage, and camera.angle",
                 stream, (unsigned)ct->in_slice, ct->angle_deg);
  else if (state != CT_STREAM_LIVE && state != CT_STREAM_LATE && ct->in_slice > 0 && ct->covered_deg < 0.98 * ct->rotation_deg)
    alarms_raise(a, now_ns, "scan-stopped", stream, CT_WARNING,
                 "%s: no more projections come, and %u cover %.1f of %g degrees: the scan has stopped, or many are lost; see the stage, or "
                 "camera.rotation", stream, (unsigned)ct->in_slice, ct->covered_deg, ct->rotation_deg);
  if (ct->cols > 0 && isfinite(axis_px) && !(axis_px >= 0 && axis_px <= ct->cols - 1.0))
    alarms_raise(a, now_ns, "axis-outside", stream, CT_WARNING,
                 "%s: camera.axis_px %g lies outside the detector's %u columns; the slice is about column %g", stream, axis_px,
                 ct->cols, ct->axis_px);
  if (strcmp(ct->axis_method, "middle") == 0 && ct->covered_deg > 0.98 * ct->rotation_deg)
    alarms_raise(a, now_ns, "no-axis", stream, CT_WARNING,
                 "%s: the rotation axis cannot be found in this scan; the slice is about the middle: set camera.axis_px", stream);
  if (fabs(ct->lean_px) > 1)
    alarms_raise(a, now_ns, "axis-tilt", stream, CT_WARNING,
                 "%s: the rotation axis leans by %.3f +- %.3f degrees, %.1f columns from top to bottom: turn the camera by that; "
                 "planes here follow it, what others make of these frames is blurred", stream, ct->tilt_deg, ct->tilt_sigma_deg,
                 fabs(ct->lean_px));
}

static void raise_archive_alarms(struct collector *c, const struct ct_snapshot_archive *archive, const char *reason,
                                 int64_t now_ns)
{
  if (archive->state == CT_ARCHIVE_FAILED)
    alarms_raise(&c->alarms, now_ns, "archive-failed", "", CT_CRITICAL, "nothing is being archived in %.120s: %s", archive->folder,
                 reason);
  if (archive->state == CT_ARCHIVE_DEGRADED)
    alarms_raise(&c->alarms, now_ns, "archive-degraded", "", CT_CRITICAL, "the archive in %.120s: %s", archive->folder, reason);
  /* Where nothing is archived at all, that is the news, and the disk is not to blame for being slow. */
  bool failed = archive->state == CT_ARCHIVE_FAILED;
  if (archive->missed_frames > 0)
    alarms_raise(&c->alarms, now_ns, "archive-missed", "", failed ? CT_WARNING : CT_CRITICAL,
                 "%llu received frames are not in the archive%s", (unsigned long long)archive->missed_frames,
                 failed ? "" : "; the disk is too slow or too full, see run.buffer_MB");
  if (archive->lag_s > behind_s)
    alarms_raise(&c->alarms, now_ns, "archive-behind", "", CT_WARNING,
                 "the disk is %.0f s behind; frames wait in memory (run.buffer_MB), and none is lost as long as they fit",
                 archive->lag_s);
  if (archive->left_s < 3600)
    alarms_raise(&c->alarms, now_ns, "archive-space", "", CT_WARNING, "the disk is full in %.0f minutes at this rate",
                 archive->left_s / 60);
}

void collector_raise_alarms(struct collector *c, struct ct_snapshot_core *core, const struct ct_analysis_note *note,
                            const char *reason)
{
  alarms_begin(&c->alarms);
  for (uint32_t i = 0; i < c->n_streams; i++)
    raise_stream_alarms(c, &c->streams[i], core->wall_ns);
  if (c->analysis) {
    raise_analysis_alarms(c, core, note, core->wall_ns);
    raise_geometry_alarm(c, core->wall_ns);
    raise_fit_alarm(c, &core->xcs.geometry, core->wall_ns);
    alarms_change(&c->alarms, core);
    detector_raise(&c->alarms, &c->detector, c->setup.streams[c->setup.hexitec].name, &core->health, core->wall_ns);
  }
  if (c->reconstruction)
    raise_camera_alarms(c, core, core->wall_ns);
  if (c->cell_log[0] != '\0')
    alarms_raise(&c->alarms, core->wall_ns, "cell-log", "", CT_WARNING, "%s", c->cell_log);
  if (c->archiver)
    raise_archive_alarms(c, &core->archive, reason, core->wall_ns);
  alarms_end(&c->alarms, core->wall_ns, core);
}
