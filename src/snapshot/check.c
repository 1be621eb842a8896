/* A snapshot that came from elsewhere: every length, word and flag in it is looked at before anybody believes it. */
#include <comptop/snapshot.h>

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define IS_TEXT(array) (memchr(array, 0, sizeof(array)) != NULL)

/* A bool is only a bool if its byte is 0 or 1; it must not be read as one before that is known. */
static bool is_bool(const bool *flag)
{
  unsigned char byte;
  memcpy(&byte, flag, 1);
  return byte <= 1;
}

static const char *wrong_in_stream(const struct ct_snapshot_stream *stream)
{
  if (!IS_TEXT(stream->name) || !IS_TEXT(stream->endpoint) || !IS_TEXT(stream->format) ||
      !IS_TEXT(stream->first_rejected) || !IS_TEXT(stream->codec))
    return "a text of a stream has no end";
  if ((unsigned)stream->role > CT_ROLE_SCALARS || (unsigned)stream->state > CT_STREAM_IDLE || !is_bool(&stream->sampled))
    return "role, state or sampled of a stream is none of the known ones";
  return NULL;
}

static const char *wrong_in_flags(const struct ct_snapshot_core *core)
{
  if (!is_bool(&core->demo) || !is_bool(&core->headless) || !is_bool(&core->xcs.present) || !is_bool(&core->xcs.geometry.in_use) ||
      !is_bool(&core->ct.present) || !is_bool(&core->cell.present) || !is_bool(&core->drift.alarm) ||
      !is_bool(&core->xcs.change.alarm))
    return "a flag is neither set nor clear";
  if ((unsigned)core->archive.state > CT_ARCHIVE_FAILED)
    return "the archive's state is none of the known ones";
  return NULL;
}

static const char *wrong_in_health(const struct ct_snapshot_health *health)
{
  if (!is_bool(&health->present) || !is_bool(&health->automatic) || health->n_pixels > COUNT(health->pixels))
    return "the health has a flag that is neither set nor clear, or more pixels than fit";
  for (size_t i = 0; i < COUNT(health->pixels); i++)
    if ((unsigned)health->pixels[i].fault > CT_FAULT_PAST || !is_bool(&health->pixels[i].masked))
      return "a pixel's fault or mask is none of the known ones";
  return NULL;
}

static const char *wrong_in_monitors(const struct ct_snapshot_monitors *monitors)
{
  for (size_t i = 0; i < COUNT(monitors->list); i++)
    if ((unsigned)monitors->list[i].state > CT_MONITOR_ALARM)
      return "a monitor's state is none of the known ones";
  return NULL;
}

static const char *wrong_in_core(const struct ct_snapshot_core *core)
{
  if (core->n_streams > COUNT(core->streams) || core->n_rings > COUNT(core->rings) ||
      core->n_rois > COUNT(core->rois) || core->n_alarms > COUNT(core->alarms))
    return "more streams, rings, ROIs or alarms than fit";
  if (!IS_TEXT(core->run) || !IS_TEXT(core->mode) || !IS_TEXT(core->archive.folder) || !IS_TEXT(core->archive.codec) ||
      !IS_TEXT(core->ct.axis_method) || !IS_TEXT(core->ct.ring_method) || !IS_TEXT(core->xcs.geometry.beam) || !IS_TEXT(core->xcs.reference) || !IS_TEXT(core->xcs.window))
    return "run, mode, folder, codec, axis_method, beam, reference or window has no end";
  const char *wrong = wrong_in_flags(core);
  if (!wrong)
    wrong = wrong_in_health(&core->health);
  if (!wrong)
    wrong = wrong_in_monitors(&core->monitors);
  for (size_t i = 0; !wrong && i < COUNT(core->streams); i++)
    wrong = wrong_in_stream(&core->streams[i]);
  for (size_t i = 0; !wrong && i < COUNT(core->rings); i++)
    wrong = IS_TEXT(core->rings[i].name) ? NULL : "a ring's name has no end";
  for (size_t i = 0; !wrong && i < COUNT(core->rois); i++)
    wrong = IS_TEXT(core->rois[i].name) && is_bool(&core->rois[i].change.alarm) ? NULL :
            "an ROI's name has no end, or its alarm is neither set nor clear";
  for (size_t i = 0; !wrong && i < COUNT(core->alarms); i++) {
    const struct ct_snapshot_alarm *alarm = &core->alarms[i];
    if (!IS_TEXT(alarm->id) || !IS_TEXT(alarm->text) || (unsigned)alarm->severity > CT_CRITICAL)
      wrong = "an alarm has a text without end or an unknown severity";
  }
  return wrong;
}

static bool map_is_sound(const void *payload, size_t size_bytes)
{
  struct ct_map_view map;
  if (!ct_section_map(payload, size_bytes, &map))
    return false;
  size_t n = (size_t)map.head->rows * map.head->cols;
  for (size_t i = 0; i < n; i++)
    if (map.cell[i] > CT_CELL_MASKED)
      return false;
  return true;
}

static bool profile_is_sound(const void *payload, size_t size_bytes)
{
  struct ct_profile_view profile;
  return ct_section_profile(payload, size_bytes, &profile) && IS_TEXT(profile.head->reference) &&
         profile.head->normalisation <= CT_NORMALISE_NONE;
}

static bool marks_are_sound(const void *payload, size_t size_bytes)
{
  struct ct_marks_view marks;
  if (!ct_section_marks(payload, size_bytes, &marks))
    return false;
  for (uint32_t i = 0; i < marks.head->n; i++)
    if (marks.marks[i].kind > CT_MARK_TEXT || !IS_TEXT(marks.marks[i].text))
      return false;
  return true;
}

static bool payload_is_sound(uint32_t kind, const void *payload, size_t size_bytes)
{
  switch (kind) {
  case CT_SECTION_MAP:
    return map_is_sound(payload, size_bytes);
  case CT_SECTION_SPECTRUM:
    return ct_section_spectrum(payload, size_bytes, &(struct ct_spectrum_view){NULL, NULL});
  case CT_SECTION_PROFILE:
    return profile_is_sound(payload, size_bytes);
  case CT_SECTION_SLICE:
    return ct_section_slice(payload, size_bytes, &(struct ct_slice_view){NULL, NULL});
  case CT_SECTION_TREND:
    return ct_section_trend(payload, size_bytes, &(struct ct_trend_view){.head = NULL});
  case CT_SECTION_IMAGE:
    return ct_section_image(payload, size_bytes, &(struct ct_image_view){NULL, NULL});
  case CT_SECTION_ROIS:
    return ct_section_rois(payload, size_bytes, &(struct ct_rois_view){NULL, NULL});
  case CT_SECTION_MARKS:
    return marks_are_sound(payload, size_bytes);
  case CT_SECTION_SETTINGS:
    return ct_section_settings(payload, size_bytes, &(struct ct_settings_view){NULL, NULL});
  default:
    return false;
  }
}

/* Sections follow the core and each other, without overlap. */
static const char *wrong_in_sections(const struct ct_snapshot *snapshot)
{
  if (snapshot->n_sections > CT_SNAPSHOT_SECTIONS)
    return "more sections than fit";
  uint64_t end = sizeof *snapshot;
  for (uint32_t i = 0; i < snapshot->n_sections; i++) {
    const struct ct_section_entry *entry = &snapshot->sections[i];
    uint64_t offset = entry->offset_bytes, size = entry->size_bytes;
    if (offset % 8 || size % 8 || offset < end || offset > snapshot->size_bytes ||
        size > snapshot->size_bytes - offset)
      return "a section lies outside the block or across another one";
    if (entry->request.scope > CT_SCOPE_ROI ||
        !payload_is_sound(entry->request.kind, (const unsigned char *)snapshot + offset, (size_t)size))
      return "a section is of no known kind, or its arrays are not inside it";
    end = offset + size;
  }
  return NULL;
}

int ct_snapshot_check(const void *bytes, size_t n, struct ct_err *err)
{
  const struct ct_snapshot *snapshot = bytes;
  if ((uintptr_t)bytes % 8)
    return ct_err_set(err, CT_ERANGE, "snapshot: the block is not aligned to 8 bytes");
  if (n < sizeof *snapshot)
    return ct_err_set(err, CT_EFORMAT, "snapshot: %zu bytes are too few, a snapshot has at least %zu", n,
                      sizeof *snapshot);
  if (snapshot->magic != CT_SNAPSHOT_MAGIC)
    return ct_err_set(err, CT_EFORMAT, "snapshot: not a snapshot (it begins with 0x%08x)", (unsigned)snapshot->magic);
  if (snapshot->version != CT_SNAPSHOT_VERSION)
    return ct_err_set(err, CT_EFORMAT, "snapshot: version %u, this program knows version %d; use the same release",
                      (unsigned)snapshot->version, CT_SNAPSHOT_VERSION);
  if (snapshot->size_bytes != n)
    return ct_err_set(err, CT_EFORMAT, "snapshot: says it has %llu bytes, has %zu",
                      (unsigned long long)snapshot->size_bytes, n);
  const char *wrong = wrong_in_core(&snapshot->core);
  if (!wrong)
    wrong = wrong_in_sections(snapshot);
  return wrong ? ct_err_set(err, CT_EFORMAT, "snapshot: %s", wrong) : 0;
}
