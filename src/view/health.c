/* health: streams, buffers, archive and alarms, in one line of words and as a table; what the camera sent. */
#include "view/panels.h"

#include <math.h>

#include "view/words.h"

static uint32_t at_most(uint32_t n, uint32_t limit) { return n < limit ? n : limit; }

static const struct ct_snapshot_alarm *worst_alarm(const struct ct_snapshot_core *core)
{
  const struct ct_snapshot_alarm *worst = NULL;
  for (uint32_t i = 0; i < at_most(core->n_alarms, CT_SNAPSHOT_ALARMS); i++)
    if (worst == NULL || core->alarms[i].severity > worst->severity)
      worst = &core->alarms[i];
  return worst;
}

static bool stream_well(const struct ct_snapshot_stream *stream)
{
  return stream->state == CT_STREAM_LIVE || stream->state == CT_STREAM_IDLE;
}

static int stream_words(const struct ct_snapshot_stream *stream, struct ct_canvas canvas, int col)
{
  char rate[CT_WORD], lost[CT_WORD], silent[CT_WORD];
  col = ct_canvas_text(canvas, 0, col, stream_well(stream) ? 0 : CT_ATTR_REVERSE, "%.*s %s", CT_NAME - 1, stream->name,
                       ct_stream_state_word(stream->state));
  if (!stream_well(stream))
    return isfinite(stream->silent_s) ? ct_canvas_text(canvas, 0, col, CT_ATTR_REVERSE, " %s",
                                                       ct_word_time(silent, stream->silent_s)) : col;
  if (stream->state == CT_STREAM_LIVE)
    col = ct_canvas_text(canvas, 0, col, 0, " %s/s", ct_word_short(rate, stream->rate_hz));
  if (stream->lost > 0)
    col = ct_canvas_text(canvas, 0, col, CT_ATTR_BOLD, " lost %s", ct_word_short(lost, (double)stream->lost));
  return col;
}

static int archive_words(const struct ct_snapshot_archive *archive, struct ct_canvas canvas, int col)
{
  char rate[CT_WORD], left[CT_WORD];
  bool well = archive->state == CT_ARCHIVE_OK || archive->state == CT_ARCHIVE_OFF;
  col = ct_canvas_text(canvas, 0, col, well ? 0 : CT_ATTR_REVERSE, "archive %s", ct_archive_state_word(archive->state));
  if (archive->state == CT_ARCHIVE_OFF)
    return col;
  if (archive->missed_frames > 0)
    col = ct_canvas_text(canvas, 0, col, CT_ATTR_BOLD, " missed %s", ct_word_short(rate, (double)archive->missed_frames));
  if (archive->state == CT_ARCHIVE_FAILED)
    return col;                    /* no rate and no time left of something that has stopped */
  col = ct_canvas_text(canvas, 0, col, 0, " %s", ct_word_unit(rate, archive->rate_Bps, 3, false, "B/s"));
  if (isfinite(archive->left_s))
    col = ct_canvas_text(canvas, 0, col, 0, ", %s left", ct_word_time(left, archive->left_s));
  return col;
}

void ct_panel_verdict(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  static const char *const words[] = { "NOTICE", "WARNING", "CRITICAL" };
  static const int colours[] = { CT_QUIET, CT_ACCENT, CT_BAD };
  const struct ct_snapshot_core *core = &snapshot->core;
  const struct ct_snapshot_alarm *alarm = worst_alarm(core);
  if (view->frozen) {
    char age[CT_WORD];
    int col = ct_canvas_text(canvas, 0, 0, CT_ATTR_REVERSE | CT_ATTR_BOLD, " FROZEN, %s old", ct_word_time(age, view->behind_s));
    if (view->back > 0)
      col = ct_canvas_text(canvas, 0, col, CT_ATTR_REVERSE | CT_ATTR_BOLD, ", %u of %u back", (unsigned)view->back,
                           (unsigned)view->kept);
    ct_canvas_text(canvas, 0, col, CT_ATTR_REVERSE | CT_ATTR_BOLD, "%*s", canvas.cols - col,
                   canvas.cols - col >= 48 ? "the run goes on   [ ] step   Space lets it move " : "the run goes on ");
    return;
  }
  if (alarm != NULL) {
    int col = ct_canvas_coloured(canvas, 0, 0, colours[alarm->severity <= CT_CRITICAL ? alarm->severity : CT_CRITICAL],
                                 CT_ATTR_REVERSE | CT_ATTR_BOLD, " %s ",
                                 words[alarm->severity <= CT_CRITICAL ? alarm->severity : CT_CRITICAL]);
    if (core->n_alarms > 1)
      col = ct_canvas_text(canvas, 0, col + 1, 0, "(%u)", (unsigned)at_most(core->n_alarms, CT_SNAPSHOT_ALARMS));
    ct_canvas_text(canvas, 0, col + 1, 0, "%.*s", (int)sizeof alarm->text, alarm->text);
    return;
  }
  bool well = core->archive.state != CT_ARCHIVE_FAILED && core->archive.state != CT_ARCHIVE_DEGRADED;
  uint32_t n = at_most(core->n_streams, CT_SNAPSHOT_STREAMS);
  for (uint32_t i = 0; i < n; i++)
    well = well && stream_well(&core->streams[i]);
  int col = well && n > 0 ? ct_canvas_coloured(canvas, 0, 0, CT_GOOD, CT_ATTR_BOLD, "OK  ") : 0;
  if (n == 0)
    col = ct_canvas_text(canvas, 0, 0, 0, "no streams") + 2;
  /* What is wrong comes first, so that a narrow screen shows it. */
  for (int pass = 0; pass < 2; pass++) {
    for (uint32_t i = 0; i < n; i++)
      if (stream_well(&core->streams[i]) == (pass == 1))
        col = stream_words(&core->streams[i], canvas, col) + 2;
    if ((core->archive.state >= CT_ARCHIVE_DEGRADED) == (pass == 0))
      col = archive_words(&core->archive, canvas, col) + 2;
  }
}

static void stream_table(const struct ct_snapshot_core *core, struct ct_canvas canvas, int *row)
{
  char frames[CT_WORD], rate[CT_WORD], lag[CT_WORD], lost[CT_WORD], late[CT_WORD], rejected[CT_WORD];
  ct_canvas_coloured(canvas, (*row)++, 0, CT_GREY, 0, "%-14s %-6s %7s %7s %6s %6s %8s  %s", "stream", "state", "frames", "rate",
                     "lost", "late", "rejected", "lag");
  for (uint32_t i = 0; i < at_most(core->n_streams, CT_SNAPSHOT_STREAMS); i++) {
    const struct ct_snapshot_stream *stream = &core->streams[i];
    ct_canvas_text(canvas, (*row)++, 0, stream_well(stream) ? 0 : CT_ATTR_REVERSE, "%-14.14s %-6s %7s %5s/s %6s %6s %8s  %s",
                   stream->name, ct_stream_state_word(stream->state), ct_word_short(frames, (double)stream->frames),
                   ct_word_short(rate, stream->rate_hz), stream->sampled ? "-" : ct_word_short(lost, (double)stream->lost),
                   ct_word_short(late, (double)stream->late), ct_word_short(rejected, (double)stream->rejected),
                   ct_word_time(lag, stream->lag_s));
  }
}

static void rejected_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int *row)
{
  for (uint32_t i = 0; i < at_most(core->n_streams, CT_SNAPSHOT_STREAMS); i++) {
    const struct ct_snapshot_stream *stream = &core->streams[i];
    if (stream->first_rejected[0] != '\0')
      ct_canvas_text(canvas, (*row)++, 0, 0, "%.*s rejected first: %.*s", CT_NAME - 1, stream->name,
                     (int)sizeof stream->first_rejected, stream->first_rejected);
  }
}

static void archive_lines(const struct ct_snapshot_archive *archive, struct ct_canvas canvas, int *row)
{
  char a[CT_WORD], b[CT_WORD], c[CT_WORD], d[CT_WORD];
  if (archive->state == CT_ARCHIVE_OFF) {
    ct_canvas_text(canvas, (*row)++, 0, 0, "archive off");
    return;
  }
  archive_words(archive, ct_canvas_part(canvas, *row, 0, 1, canvas.cols), 0);
  ++*row;
  ct_canvas_text(canvas, (*row)++, 0, 0, "  %s frames, %s written, %s free, commit lag %s",
                 ct_word_short(a, (double)archive->committed_frames), ct_word_unit(b, (double)archive->bytes, 3, false, "B"),
                 ct_word_unit(c, (double)archive->free_bytes, 3, false, "B"), ct_word_time(d, archive->lag_s));
  if (archive->codec[0] != '\0' && isfinite(archive->ratio) && isfinite(archive->cores))
    ct_canvas_text(canvas, (*row)++, 0, 0, "  packed %.*s, %.2f times smaller, with %.2f cores", (int)sizeof archive->codec - 1,
                   archive->codec, archive->ratio, archive->cores);
  if (archive->folder[0] != '\0')
    ct_canvas_text(canvas, (*row)++, 0, 0, "  %.*s", (int)sizeof archive->folder, archive->folder);
}

void ct_panel_health(const struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  (void)view;
  static const char *const words[] = { "notice", "warning", "CRITICAL" };
  const struct ct_snapshot_core *core = &snapshot->core;
  char word[CT_WORD], uptime[CT_WORD];
  int row = 0;
  canvas = ct_canvas_caption(canvas, "Health  up %s", ct_word_time(uptime, core->uptime_s));
  stream_table(core, canvas, &row);
  for (uint32_t i = 0; i < at_most(core->n_rings, CT_SNAPSHOT_STREAMS); i++)
    ct_canvas_text(canvas, row++, 0, 0, "buffer %-7.*s %.0f %% full, at most %.0f %%, %s frames skipped", CT_NAME - 1,
                   core->rings[i].name, 100 * core->rings[i].fill, 100 * core->rings[i].high,
                   ct_word_short(word, (double)core->rings[i].skipped));
  archive_lines(&core->archive, canvas, &row);
  for (uint32_t i = 0; i < at_most(core->n_alarms, CT_SNAPSHOT_ALARMS); i++) {
    const struct ct_snapshot_alarm *alarm = &core->alarms[i];
    int severity = alarm->severity <= CT_CRITICAL ? (int)alarm->severity : CT_CRITICAL;
    int col = ct_canvas_text(canvas, row, 0, severity > CT_NOTICE ? CT_ATTR_REVERSE : 0, "%s %s",
                             ct_word_clock(word, alarm->since_ns), words[severity]);
    ct_canvas_text(canvas, row++, col + 1, 0, "%.*s", (int)sizeof alarm->text, alarm->text);
  }
  ct_panel_detector(&core->health, canvas, &row);
  rejected_lines(core, canvas, &row);
}

