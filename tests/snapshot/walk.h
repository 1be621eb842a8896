/* Reads all that a checked snapshot shows, as a viewer may: any length, text or flag the check let through wrongly shows
 * under the sanitizers. */
#ifndef CT_TESTS_SNAPSHOT_WALK_H
#define CT_TESTS_SNAPSHOT_WALK_H

#include <string.h>

#include <comptop/snapshot.h>

static double walk_floats(const float *values, size_t n)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += (double)values[i];
  return sum;
}

static double walk_doubles(const double *values, size_t n)
{
  double sum = 0;
  for (size_t i = 0; i < n; i++)
    sum += values[i];
  return sum;
}

static size_t walk_core(const struct ct_snapshot_core *core)
{
  size_t sum = strlen(core->run) + strlen(core->mode) + strlen(core->archive.folder) + strlen(core->archive.codec);
  sum += strlen(ct_archive_state_word(core->archive.state));
  sum += (size_t)core->demo + core->headless + core->xcs.present + core->ct.present + core->cell.present;
  for (size_t i = 0; i < core->n_streams; i++) {
    const struct ct_snapshot_stream *stream = &core->streams[i];
    sum += strlen(stream->name) + strlen(stream->endpoint) + strlen(stream->format) + strlen(stream->first_rejected) + strlen(stream->codec);
    sum += strlen(ct_role_word(stream->role)) + strlen(ct_stream_state_word(stream->state)) + stream->sampled;
  }
  for (size_t i = 0; i < core->n_rings; i++)
    sum += strlen(core->rings[i].name);
  for (size_t i = 0; i < core->n_rois; i++)
    sum += strlen(core->rois[i].name);
  for (size_t i = 0; i < core->n_alarms; i++)
    sum += strlen(core->alarms[i].id) + strlen(core->alarms[i].text) + strlen(ct_severity_word(core->alarms[i].severity));
  return sum;
}

static double walk_section(const struct ct_snapshot *snapshot, const struct ct_request *request)
{
  struct ct_map_view map;
  struct ct_spectrum_view spectrum;
  struct ct_profile_view profile;
  struct ct_slice_view slice;
  struct ct_trend_view trend;
  struct ct_rois_view rois;
  struct ct_marks_view marks;
  double sum = 0;
  if (ct_snapshot_map(snapshot, request, &map)) {
    size_t n = (size_t)map.head->rows * map.head->cols;
    sum += walk_floats(map.emf, n) + walk_floats(map.sigma, n) + walk_floats(map.counts, n) + walk_floats(map.photons, n) +
           walk_floats(map.intensity, n) + walk_floats(map.intensity_sigma, n);
    for (size_t i = 0; i < n; i++)
      sum += map.cell[i];
  }
  if (ct_snapshot_spectrum(snapshot, request, &spectrum))
    sum += walk_doubles(spectrum.counts, spectrum.head->n);
  if (ct_snapshot_profile(snapshot, request, &profile))
    sum += walk_doubles(profile.pz, profile.head->n) + walk_doubles(profile.J, profile.head->n) +
           walk_doubles(profile.sigma, profile.head->n) + walk_doubles(profile.reference, profile.head->n) +
           walk_doubles(profile.reference_sigma, profile.head->n) + (double)strlen(profile.head->reference);
  if (ct_snapshot_slice(snapshot, request, &slice))
    sum += walk_floats(slice.values, (size_t)slice.head->size * slice.head->size);
  if (ct_snapshot_trend(snapshot, request, &trend))
    sum += walk_doubles(trend.t_s, trend.head->n) + walk_doubles(trend.emf, trend.head->n) +
           walk_doubles(trend.sigma, trend.head->n) + walk_doubles(trend.v_V, trend.head->n) +
           walk_doubles(trend.i_A, trend.head->n) + walk_doubles(trend.q_Ah, trend.head->n);
  if (ct_snapshot_rois(snapshot, request, &rois))
    for (size_t i = 0; i < (size_t)rois.head->rows * rois.head->cols; i++)
      sum += rois.rois[i];
  if (ct_snapshot_marks(snapshot, request, &marks))
    for (size_t i = 0; i < marks.head->n; i++)
      sum += marks.marks[i].t_s + (double)strlen(marks.marks[i].text) + marks.marks[i].kind;
  return sum;
}

static double walk_snapshot(const struct ct_snapshot *snapshot)
{
  double sum = (double)walk_core(&snapshot->core);
  for (uint32_t i = 0; i < snapshot->n_sections; i++)
    sum += walk_section(snapshot, &snapshot->sections[i].request);
  return sum;
}

#endif
