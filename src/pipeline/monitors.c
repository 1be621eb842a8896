/* Each monitor is measured on a sample, that is on the difference of two moments, and compared with its reference: a
 * constant of nature, the theta map, or what it was in the first samples of the run. */
#include "monitors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The elastic line is looked for within this of the beam's energy. */
static const double elastic_keV = 2;
/* Errors beyond which a difference counts; with two samples running beyond it a false alarm takes decades. */
static const double sigmas = 4, clear = 0.7;
/* With the shutter closed nothing is learnt. */
static const double reference_counts = 1000;
enum { STRIKES = 2, PEAKS_LEAST = 5 };

#define NO ((double)NAN)

/* ---- moments -------------------------------------------------------------------------------------------------- */
static void moment_init(struct ct_moment *m, uint32_t bins, uint32_t pixels)
{
  m->spectrum = ct_xcalloc(bins, sizeof *m->spectrum);
  m->elastic = ct_xcalloc(pixels, sizeof *m->elastic);
  m->compton = ct_xcalloc(pixels, sizeof *m->compton);
}

static void moment_fini(struct ct_moment *m)
{
  free(m->spectrum);
  free(m->elastic);
  free(m->compton);
}

static void moment_copy(const struct ct_monitors *m, struct ct_moment *to, const struct ct_moment *from)
{
  memcpy(to->spectrum, from->spectrum, m->bins * sizeof *to->spectrum);
  memcpy(to->elastic, from->elastic, m->pixels * sizeof *to->elastic);
  memcpy(to->compton, from->compton, m->pixels * sizeof *to->compton);
  to->sum = from->sum;
  to->tally = from->tally;
}

/* Brings <now> up to date. */
static void look(struct ct_monitors *m, const struct ct_sums *pixels)
{
  const uint32_t *cube = ct_spectra_total(m->spectra);
  struct ct_moment *now = &m->now;
  memset(now->spectrum, 0, m->bins * sizeof *now->spectrum);
  now->sum = (struct ct_sums){ 0 };
  now->tally = ct_spectra_total_tally(m->spectra)->hexitec;
  for (uint32_t i = 0; i < m->pixels; i++, cube += m->bins) {
    now->elastic[i] = 0;
    now->compton[i] = pixels[i].counts;
    if (!m->live[i])
      continue;
    for (uint32_t bin = 0; bin < m->bins; bin++)
      now->spectrum[bin] += cube[bin];
    for (uint32_t bin = m->elastic_from; bin < m->elastic_to; bin++)
      now->elastic[i] += cube[bin];
    ct_sums_add(&now->sum, &pixels[i]);
  }
}

static void difference(double *out, const double *later, const double *earlier, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++)
    out[i] = later[i] - earlier[i];
}

/* ---- set-up ---------------------------------------------------------------------------------------------------- */
void ct_monitors_change(struct ct_monitors *m, const struct ct_monitor_setup *setup, double e1_keV)
{
  const struct ct_axis *axis = ct_spectra_axis(m->spectra);
  int32_t from = ct_axis_bin(axis, e1_keV - elastic_keV), to = ct_axis_bin(axis, e1_keV + elastic_keV);
  bool inside = from >= 0 && to > from;
  m->setup = *setup;
  m->e1_keV = e1_keV;
  m->elastic_from = inside ? (uint32_t)from : 0;
  m->elastic_to = inside ? (uint32_t)to + 1 : 0;
}

void ct_monitors_init(struct ct_monitors *m, const struct ct_analysis_setup *setup, struct ct_spectra *spectra,
                      struct ct_compton *const *compton, const uint8_t *live)
{
  const struct ct_axis *axis = ct_spectra_axis(spectra);
  memset(m, 0, sizeof *m);
  m->spectra = spectra;
  m->compton = compton;
  m->live = live;
  m->pixels = ct_spectra_pixels(spectra);
  m->bins = axis->n;
  m->frame_hz = setup->frame_hz;
  ct_monitors_change(m, &setup->watch.monitors, setup->compton.e1_keV);
  moment_init(&m->now, m->bins, m->pixels);
  moment_init(&m->base, m->bins, m->pixels);
  moment_init(&m->step, m->bins, m->pixels);
  moment_init(&m->origin, m->bins, m->pixels);
  m->scratch = ct_xcalloc(m->bins, sizeof *m->scratch);
  m->map = ct_xcalloc(m->pixels, sizeof *m->map);
  m->reference_map = ct_xcalloc(m->pixels, sizeof *m->reference_map);
  m->flashed = ct_xcalloc(m->pixels, 1);
  m->places = (struct ct_places){ setup->hexitec.rows, setup->hexitec.cols, live,
                                  ct_xcalloc(m->pixels, sizeof *m->places.mark),
                                  ct_xcalloc(m->pixels, sizeof *m->places.stack) };
}

void ct_monitors_fini(struct ct_monitors *m)
{
  moment_fini(&m->now);
  moment_fini(&m->base);
  moment_fini(&m->step);
  moment_fini(&m->origin);
  free(m->scratch);
  free(m->map);
  free(m->reference_map);
  free(m->flashed);
  free(m->places.mark);
  free(m->places.stack);
}

/* ---- measuring --------------------------------------------------------------------------------------------------- */
static void set(struct ct_snapshot_monitor *out, double value, double sigma)
{
  out->x = out->y = -1;
  out->value = isfinite(value) && isfinite(sigma) ? value : NO;
  out->sigma = isfinite(value) && isfinite(sigma) ? sigma : NO;
}

/* The straight line through the columns' distances from where their angles put them: its middle, its rise from end to end. */
static void measure_peaks(const struct ct_monitors *m, struct ct_snapshot_monitors *out)
{
  double w = 0, wx = 0, wxx = 0, wy = 0, wxy = 0;
  uint32_t n = 0, columns = m->columns ? *m->columns : 0;
  for (uint32_t g = 0; g < columns; g++) {
    double expected = ct_compton_e2_keV(m->e1_keV, ct_compton_group_theta_rad(*m->compton, g), 0);
    double y = m->e2_keV[g] - expected, weight = 1 / (m->sigma_keV[g] * m->sigma_keV[g]);
    double x = columns > 1 ? (double)g / (columns - 1) - 0.5 : 0;
    if (!isfinite(y) || !isfinite(weight))
      continue;
    w += weight;
    wx += weight * x;
    wxx += weight * x * x;
    wy += weight * y;
    wxy += weight * x * y;
    n++;
  }
  double spread = wxx - wx * wx / w;
  set(&out->list[CT_MONITOR_PEAK], wy / w, 1 / sqrt(w));
  if (n >= PEAKS_LEAST)
    set(&out->list[CT_MONITOR_TILT], (wxy - wx * wy / w) / spread, 1 / sqrt(spread));
}

static void measure_line(const struct ct_monitors *m, const struct ct_line_setup *line, struct ct_snapshot_monitor *place,
                         struct ct_snapshot_monitor *width)
{
  struct ct_peak peak;
  if (ct_multiplet_fit(ct_spectra_axis(m->spectra), m->scratch, &line->lines, line->main_keV, line->half_width_keV,
                       &peak) != 0)
    return;
  set(place, peak.position_keV, peak.position_sigma_keV);
  set(width, peak.fwhm_keV, peak.fwhm_sigma_keV);
}

/* a/b of counts. */
static void measure_ratio(struct ct_snapshot_monitor *out, double a, double b)
{
  set(out, a / b, a / b * sqrt(1 / a + 1 / b));
}

static void measure_totals(const struct ct_monitors *m, const struct ct_moment *since, struct ct_snapshot_monitors *out)
{
  double elastic = 0, compton = 0, photons = 0;
  struct ct_sums sum;
  struct ct_emf emf;
  for (uint32_t i = 0; i < m->pixels; i++) {
    elastic += m->now.elastic[i] - since->elastic[i];
    compton += m->live[i] ? m->now.compton[i] - since->compton[i] : 0;
  }
  for (uint32_t bin = 0; bin < m->bins; bin++)
    photons += m->scratch[bin];
  ct_sums_since(&sum, &m->now.sum, &since->sum);
  ct_compton_emf(*m->compton, &sum, &emf);
  out->live_s = (double)(m->now.tally.frames - since->tally.frames) / m->frame_hz;
  set(&out->list[CT_MONITOR_ASYMMETRY], emf.asymmetry, emf.asymmetry_sigma);
  measure_ratio(&out->list[CT_MONITOR_ELASTIC], elastic, compton);
  measure_ratio(&out->list[CT_MONITOR_MULTIPLICITY], (double)(m->now.tally.dbl - since->tally.dbl),
                (double)(m->now.tally.single - since->tally.single));
  set(&out->list[CT_MONITOR_RATE], photons / out->live_s, sqrt(photons) / out->live_s);
}

static void set_place(struct ct_snapshot_monitor *out, const struct ct_place *place)
{
  set(out, place->pixels, 0);
  out->x = place->x;
  out->y = place->y;
}

static void measure_places(struct ct_monitors *m, const struct ct_moment *since, struct ct_snapshot_monitors *out)
{
  struct ct_place place;
  double *elastic = m->now.elastic, *compton = m->map;
  difference(compton, m->now.compton, since->compton, m->pixels);
  for (uint32_t i = 0; i < m->pixels; i++)      /* in place and back: exact, they are whole numbers */
    elastic[i] -= since->elastic[i];
  ct_places_bragg(&m->places, elastic, compton, m->setup.bragg, &place);
  for (uint32_t i = 0; i < m->pixels; i++)
    elastic[i] += since->elastic[i];
  if (isfinite(place.strength))
    set_place(&out->list[CT_MONITOR_BRAGG], &place);
  if (!m->learned) {
    for (uint32_t i = 0; i < m->pixels; i++)
      m->flashed[i] |= m->places.mark[i];
    return;
  }
  ct_places_bubble(&m->places, compton, m->reference_map, m->setup.bubble, &place);
  set_place(&out->list[CT_MONITOR_BUBBLE], &place);
  out->bubble_loss = place.strength;
}

/* What came since <since>. */
static void measure(struct ct_monitors *m, const struct ct_moment *since, struct ct_snapshot_monitors *out)
{
  for (int i = 0; i < CT_MONITORS; i++)
    set(&out->list[i], NO, NO);
  out->bubble_loss = NO;
  difference(m->scratch, m->now.spectrum, since->spectrum, m->bins);
  measure_totals(m, since, out);
  measure_peaks(m, out);
  measure_line(m, &m->setup.w, &out->list[CT_MONITOR_W_LINE], &out->list[CT_MONITOR_W_FWHM]);
  measure_line(m, &m->setup.pb, &out->list[CT_MONITOR_PB_LINE], &out->list[CT_MONITOR_PB_FWHM]);
  measure_places(m, since, out);
}

/* ---- references ------------------------------------------------------------------------------------------------------ */
static void set_limits(struct ct_monitors *m)
{
  const struct ct_monitor_setup *s = &m->setup;
  const double limits[CT_MONITORS] = { s->peak_keV, s->tilt_keV, NO, s->line_keV, s->fwhm_keV, s->line_keV, s->fwhm_keV,
                                       NO, NO, NO, 0, 0 };
  const double references[CT_MONITORS] = { 0, 0, NO, s->w.main_keV, NO, s->pb.main_keV, NO, NO, NO, NO, 0, 0 };
  for (int i = 0; i < CT_MONITORS; i++) {
    m->last.list[i] = (struct ct_snapshot_monitor){ NO, NO, NO, NO, NO, NO, -1, -1, CT_MONITOR_UNKNOWN, 0 };
    m->last.list[i].limit = limits[i];
    m->last.list[i].reference = references[i];
  }
}

static bool is_learnt(int monitor)
{
  return monitor == CT_MONITOR_ASYMMETRY || monitor == CT_MONITOR_W_FWHM || monitor == CT_MONITOR_PB_FWHM ||
         monitor == CT_MONITOR_ELASTIC || monitor == CT_MONITOR_MULTIPLICITY || monitor == CT_MONITOR_RATE;
}

static bool near_flash(const struct ct_monitors *m, uint32_t pixel)
{
  uint32_t rows = m->places.rows, cols = m->places.cols, x = pixel % cols, y = pixel / cols;
  for (uint32_t j = y > 0 ? y - 1 : 0; j <= y + 1 && j < rows; j++)
    for (uint32_t i = x > 0 ? x - 1 : 0; i <= x + 1 && i < cols; i++)
      if (m->flashed[j * cols + i])
        return true;
  return false;
}

/* The first samples together are what the later ones are compared with. */
static void learn(struct ct_monitors *m)
{
  struct ct_snapshot_monitors all = m->last;
  const struct ct_monitor_setup *s = &m->setup;
  measure(m, &m->origin, &all);
  for (int i = 0; i < CT_MONITORS; i++) {
    m->first[i] = all.list[i].value;
    m->first_sigma[i] = all.list[i].sigma;
    if (is_learnt(i))
      m->last.list[i].reference = all.list[i].value;
  }
  m->last.list[CT_MONITOR_ASYMMETRY].limit = s->asymmetry_sigmas * all.list[CT_MONITOR_ASYMMETRY].sigma;
  m->last.list[CT_MONITOR_ELASTIC].limit = (s->elastic - 1) * all.list[CT_MONITOR_ELASTIC].value;
  m->last.list[CT_MONITOR_MULTIPLICITY].limit = s->multiplicity * all.list[CT_MONITOR_MULTIPLICITY].value;
  m->last.list[CT_MONITOR_RATE].limit = s->rate * all.list[CT_MONITOR_RATE].value;
  difference(m->reference_map, m->now.compton, m->origin.compton, m->pixels);
  /* Where there was a flash in the beginning its end is no bubble. */
  for (uint32_t i = 0; i < m->pixels; i++)
    m->reference_map[i] *= !near_flash(m, i);
  m->learned = true;
}

void ct_monitors_restart(struct ct_monitors *m, const struct ct_sums *pixels)
{
  look(m, pixels);
  moment_copy(m, &m->base, &m->now);
  moment_copy(m, &m->step, &m->now);
  moment_copy(m, &m->origin, &m->now);
  memset(&m->last, 0, sizeof m->last);
  memset(m->flashed, 0, m->pixels);
  memset(m->strikes, 0, sizeof m->strikes);
  m->samples = 0;
  m->learned = false;
  set_limits(m);
}

/* What has changed from the beginning to the step that ends. */
static void compare_step(struct ct_monitors *m)
{
  struct ct_snapshot_monitors step = m->last;
  measure(m, &m->step, &step);
  for (int i = 0; i < CT_MONITORS; i++) {
    m->last.list[i].moved = m->learned ? step.list[i].value - m->first[i] : NO;
    m->last.list[i].moved_sigma = m->learned ? hypot(step.list[i].sigma, m->first_sigma[i]) : NO;
  }
  moment_copy(m, &m->step, &m->now);
}

/* ---- judging --------------------------------------------------------------------------------------------------------- */
static void judge(struct ct_monitors *m, int i)
{
  struct ct_snapshot_monitor *monitor = &m->last.list[i];
  double off = fabs(monitor->value - monitor->reference), noise = sigmas * monitor->sigma;
  unsigned enough = STRIKES;
  if (i == CT_MONITOR_ASYMMETRY)
    noise = m->setup.asymmetry_sigmas * monitor->sigma;
  if (i == CT_MONITOR_BRAGG || i == CT_MONITOR_RATE)
    enough = 1;                    /* gone before a second sample, or too important to wait */
  if (!isfinite(monitor->value)) {
    monitor->state = CT_MONITOR_UNKNOWN;
    return;
  }
  if (!isfinite(monitor->reference) || (i == CT_MONITOR_BUBBLE && !m->learned)) {
    monitor->state = CT_MONITOR_LEARNING;
    return;
  }
  m->strikes[i] = off > monitor->limit && off > noise ? m->strikes[i] + 1 : 0;
  if (m->strikes[i] >= enough)
    monitor->state = CT_MONITOR_ALARM;
  else if (monitor->state != CT_MONITOR_ALARM || off <= clear * fmax(monitor->limit, noise))
    monitor->state = CT_MONITOR_FINE;
}

void ct_monitors_end_sample(struct ct_monitors *m, const struct ct_sums *pixels, bool ends_step)
{
  look(m, pixels);
  measure(m, &m->base, &m->last);
  if (++m->samples >= m->setup.reference_samples && !m->learned &&
      m->now.sum.counts - m->origin.sum.counts >= reference_counts)
    learn(m);
  for (int i = 0; i < CT_MONITORS; i++)
    judge(m, i);
  if (ends_step)
    compare_step(m);
  moment_copy(m, &m->base, &m->now);
}

void ct_monitors_draw(struct ct_monitors *m, const struct ct_sums *pixels, struct ct_snapshot_monitors *out)
{
  *out = m->last;
  if (m->samples > 0)
    return;
  look(m, pixels);
  measure(m, &m->base, out);
  for (int i = 0; i < CT_MONITORS; i++)
    out->list[i].state = isfinite(out->list[i].value) ? CT_MONITOR_LEARNING : CT_MONITOR_UNKNOWN;
}
