#include "detector.h"

#include <math.h>

enum { LIST = 120 };                                  /* bytes of pixels in a text */
static const int64_t shown_ns = 10 * CT_NS_PER_S;
/* 0.1 keV at the usual gain: half a bin; and where it is over. */
static const double drift_ADU = 3, drift_over_ADU = 2;

/* ---- pixels --------------------------------------------------------------------------------------------------- */
/* Writes "12,40 13,40" of the pixels from *at on that are (not) masked, as many as fit, and moves *at behind them. */
static const char *list_pixels(const struct ct_snapshot_health *health, bool masked, bool hot_only, uint32_t *at,
                               char out[LIST])
{
  const size_t one_bytes = 24;
  size_t length = 0;
  for (out[0] = '\0'; *at < health->n_pixels && length + one_bytes < LIST; ++*at) {
    const struct ct_snapshot_pixel *pixel = &health->pixels[*at];
    if (pixel->masked == masked && (!hot_only || pixel->fault == CT_FAULT_HOT))
      length += (size_t)snprintf(out + length, LIST - length, "%s%u,%u", length > 0 ? " " : "", (unsigned)pixel->x,
                                 (unsigned)pixel->y);
  }
  return out;
}

static void raise_hot_pixels(struct alarms *a, const char *name, const struct ct_snapshot_health *health, int64_t now_ns)
{
  char list[LIST];
  uint32_t at = 0;
  if (health->hot_unmasked == 0)
    return;
  list_pixels(health, false, true, &at, list);
  alarms_raise(a, now_ns, "pixels-hot", name, CT_WARNING,
               "%s: far more hits than in the pixels around in %u of them (column,row %s%s); leave them out: key x, or "
               "hexitec.mask = auto", name, (unsigned)health->hot_unmasked, list, at < health->n_pixels ? " ..." : "");
}

/* Every change of the mask, with every pixel that is listed. */
static void note_mask(struct alarms *a, struct detector_memory *m, const char *name,
                      const struct ct_snapshot_health *health, int64_t now_ns)
{
  char text[256], list[LIST];
  uint32_t at = 0;
  if (health->mask_generation == m->mask_generation)
    return;
  m->mask_generation = health->mask_generation;
  if (health->masked == 0) {
    snprintf(text, sizeof text, "%s: the pixels that were left out are let in again", name);
    alarms_note(a, now_ns, "pixels-masked", text);
    return;
  }
  while (at < health->n_pixels && *list_pixels(health, true, false, &at, list) != '\0') {
    snprintf(text, sizeof text, "%s: found hot or dead and left out from now on (%u in all): column,row %s", name,
             (unsigned)health->masked, list);
    alarms_note(a, now_ns, "pixels-masked", text);
  }
}

/* ---- events --------------------------------------------------------------------------------------------------- */
/* Whether <count> has grown, now or not long ago. */
static bool is_news(uint64_t count, uint64_t *before, int64_t *grown_ns, int64_t now_ns)
{
  if (count > *before)
    *grown_ns = now_ns;
  *before = count;
  return *grown_ns != 0 && now_ns - *grown_ns < shown_ns;
}

static void raise_events(struct alarms *a, struct detector_memory *m, const char *name,
                         const struct ct_snapshot_health *health, int64_t now_ns)
{
  if (is_news(health->row_floods, &m->row_floods, &m->flooded_ns, now_ns) && health->flooded_row != CT_ABSENT)
    alarms_raise(a, now_ns, "row-flood", name, CT_WARNING,
                 "%s: half or more of row %llu was hit in frame %llu (%llu such rows so far); look at bias, cooling and "
                 "grounding of the detector", name, (unsigned long long)health->flooded_row,
                 (unsigned long long)health->flooded_frame, (unsigned long long)health->row_floods);
  if (is_news(health->jumps, &m->jumps, &m->jumped_ns, now_ns) && health->jump_frame != CT_ABSENT)
    alarms_raise(a, now_ns, "level-jump", name, CT_WARNING,
                 "%s: the level of the whole sensor jumped by %+.1f ADU in frame %llu (%llu so far); look at bias and "
                 "supplies, and take dark frames if it stays", name, health->jump_ADU, (unsigned long long)health->jump_frame,
                 (unsigned long long)health->jumps);
}

static void raise_drift(struct alarms *a, struct detector_memory *m, const char *name,
                        const struct ct_snapshot_health *health, int64_t now_ns)
{
  /* NaN compares as no drift */
  m->drifted = fabs(health->drift_median_ADU) > (m->drifted ? drift_over_ADU : drift_ADU);
  if (m->drifted)
    alarms_raise(a, now_ns, "dark-drift", name, CT_WARNING,
                 "%s: pixels without a hit have drifted by %+.1f ADU (median) since the darks, and all energies with them; look "
                 "at the temperature, and take dark frames (image key 2)", name, health->drift_median_ADU);
}

void detector_raise(struct alarms *alarms, struct detector_memory *memory, const char *name,
                    const struct ct_snapshot_health *health, int64_t now_ns)
{
  if (!health->present)
    return;
  note_mask(alarms, memory, name, health, now_ns);
  raise_hot_pixels(alarms, name, health, now_ns);
  raise_events(alarms, memory, name, health, now_ns);
  raise_drift(alarms, memory, name, health, now_ns);
}
