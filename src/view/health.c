/* health: streams, buffers, archive and alarms, in one line of words and as a table; what the camera sent. */
#include "view/panels.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

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

/* What a line has room for: everything; what differs; only sums. What is wrong is always said. */
enum detail { DETAIL_ALL, DETAIL_BRIEF, DETAIL_SUM };

static int stream_words(const struct ct_snapshot_stream *stream, struct ct_canvas canvas, int col, enum detail detail)
{
  char rate[CT_WORD], lost[CT_WORD], silent[CT_WORD];
  if (!stream_well(stream)) {
    col = ct_canvas_text(canvas, 0, col, CT_ATTR_REVERSE, "%.*s %s", CT_NAME - 1, stream->name,
                         ct_stream_state_word(stream->state));
    if (isfinite(stream->silent_s))
      col = ct_canvas_text(canvas, 0, col, CT_ATTR_REVERSE, " %s", ct_word_time(silent, stream->silent_s));
    return col + 2;
  }
  if (detail == DETAIL_SUM && stream->lost == 0)
    return col;
  col = ct_canvas_text(canvas, 0, col, 0, "%.*s", CT_NAME - 1, stream->name);
  if (detail == DETAIL_ALL)
    col = ct_canvas_text(canvas, 0, col, 0, " %s", ct_stream_state_word(stream->state));
  if (detail != DETAIL_SUM && stream->state == CT_STREAM_LIVE && isfinite(stream->rate_hz))
    col = ct_canvas_text(canvas, 0, col, 0, " %s/s", ct_word_short(rate, stream->rate_hz));
  if (stream->lost > 0)
    col = ct_canvas_text(canvas, 0, col, CT_ATTR_BOLD, " lost %s", ct_word_short(lost, (double)stream->lost));
  return col + 2;
}

static int archive_words(const struct ct_snapshot_archive *archive, struct ct_canvas canvas, int col, enum detail detail)
{
  char rate[CT_WORD], left[CT_WORD];
  bool well = archive->state == CT_ARCHIVE_OK || archive->state == CT_ARCHIVE_OFF;
  col = ct_canvas_text(canvas, 0, col, well ? 0 : CT_ATTR_REVERSE, "archive %s", ct_archive_state_word(archive->state));
  if (archive->state == CT_ARCHIVE_OFF)
    return col + 2;
  if (archive->missed_frames > 0)
    col = ct_canvas_text(canvas, 0, col, CT_ATTR_BOLD, " missed %s", ct_word_short(rate, (double)archive->missed_frames));
  if (archive->state == CT_ARCHIVE_FAILED)
    return col + 2;                /* no rate and no time left of something that has stopped */
  if (isfinite(archive->rate_Bps) && detail == DETAIL_ALL)
    col = ct_canvas_text(canvas, 0, col, 0, " %s", ct_word_unit(rate, archive->rate_Bps, 3, false, "B/s"));
  if (isfinite(archive->left_s))
    col = ct_canvas_text(canvas, 0, col, 0, ", %s left", ct_word_time(left, archive->left_s));
  return col + 2;
}

/* What is wrong comes first, so that a narrow screen shows it. Returns the columns it takes. */
static int state_words(const struct ct_snapshot_core *core, struct ct_canvas canvas, enum detail detail)
{
  uint32_t n = at_most(core->n_streams, CT_SNAPSHOT_STREAMS), n_well = 0;
  for (uint32_t i = 0; i < n; i++)
    n_well += stream_well(&core->streams[i]);
  bool archive_well = core->archive.state != CT_ARCHIVE_FAILED && core->archive.state != CT_ARCHIVE_DEGRADED;
  int col = archive_well && n_well == n && n > 0 ? ct_canvas_coloured(canvas, 0, 0, CT_GOOD, CT_ATTR_BOLD, "OK  ") : 0;
  if (n == 0)
    col = ct_canvas_text(canvas, 0, 0, 0, "no streams") + 2;
  for (int pass = 0; pass < 2; pass++) {
    for (uint32_t i = 0; i < n; i++)
      if (stream_well(&core->streams[i]) == (pass == 1))
        col = stream_words(&core->streams[i], canvas, col, detail);
    if (pass == 1 && detail == DETAIL_SUM && n_well > 0)
      col = ct_canvas_text(canvas, 0, col, 0, "%u stream%s", (unsigned)n_well, n_well == 1 ? "" : "s") + 2;
    if (archive_well == (pass == 1))
      col = archive_words(&core->archive, canvas, col, detail);
  }
  return col - 2;
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
    int room = canvas.cols - col;
    ct_canvas_text(canvas, 0, col, CT_ATTR_REVERSE | CT_ATTR_BOLD, "%*s", room,
                   room >= 50 ? "the run goes on   [ ] step   Space lets it move " : room >= 18 ? "the run goes on " : "");
    return;
  }
  if (view->silent) {
    char age[CT_WORD];
    ct_canvas_coloured(canvas, 0, 0, CT_BAD, CT_ATTR_REVERSE | CT_ATTR_BOLD, " NO ANSWER from the collector, picture %s ",
                       ct_word_age(age, view->behind_s));
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
  struct ct_canvas blind = canvas;
  blind.rows = 0;
  blind.cols = INT_MAX;            /* how wide it would be */
  enum detail detail = DETAIL_ALL;
  while (detail < DETAIL_SUM && state_words(core, blind, detail) > canvas.cols)
    detail++;
  state_words(core, canvas, detail);
}

/* On a narrow screen what says whether a stream is well, else all of it. */
static void stream_table(const struct ct_snapshot_core *core, struct ct_canvas canvas, int *row)
{
  enum { NARROW_COLS = 72 };
  char frames[CT_WORD], rate[CT_WORD], lag[CT_WORD], lost[CT_WORD], late[CT_WORD], rejected[CT_WORD], last[CT_WORD];
  bool narrow = canvas.cols < NARROW_COLS;
  if (narrow)
    ct_canvas_coloured(canvas, (*row)++, 0, CT_GREY, 0, "%-11s %-5s %7s %6s %s", "stream", "state", "rate", "lost", "last");
  else
    ct_canvas_coloured(canvas, (*row)++, 0, CT_GREY, 0, "%-14s %-6s %7s %7s %6s %6s %8s  %-6s  %s", "stream", "state", "frames", "rate",
                       "lost", "late", "rejected", "lag", "last");
  for (uint32_t i = 0; i < at_most(core->n_streams, CT_SNAPSHOT_STREAMS); i++) {
    const struct ct_snapshot_stream *stream = &core->streams[i];
    unsigned attributes = stream_well(stream) ? 0 : CT_ATTR_REVERSE;
    ct_word_short(rate, stream->rate_hz);
    snprintf(lost, sizeof lost, "-");
    if (!stream->sampled)
      ct_word_short(lost, (double)stream->lost);
    ct_word_time(last, stream->silent_s);
    if (narrow)
      ct_canvas_text(canvas, (*row)++, 0, attributes, "%-11.11s %-5s %5s/s %6s %s", stream->name, ct_stream_state_word(stream->state),
                     rate, lost, last);
    else
      ct_canvas_text(canvas, (*row)++, 0, attributes, "%-14.14s %-6s %7s %5s/s %6s %6s %8s  %-6s  %s", stream->name,
                     ct_stream_state_word(stream->state), ct_word_short(frames, (double)stream->frames), rate, lost,
                     ct_word_short(late, (double)stream->late), ct_word_short(rejected, (double)stream->rejected),
                     ct_word_time(lag, stream->lag_s), last);
  }
}

static void rejected_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int *row)
{
  for (uint32_t i = 0; i < at_most(core->n_streams, CT_SNAPSHOT_STREAMS); i++) {
    const struct ct_snapshot_stream *stream = &core->streams[i];
    char text[CT_NAME + sizeof stream->first_rejected + 32];
    if (stream->first_rejected[0] == '\0')
      continue;
    snprintf(text, sizeof text, "%.*s rejected first: %.*s", CT_NAME - 1, stream->name, (int)sizeof stream->first_rejected,
             stream->first_rejected);
    *row = ct_canvas_paragraph(canvas, *row, 0, 2, 0, text);
  }
}

/* Of several streams each is packed in its own way. */
static void packing_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int *row)
{
  const uint32_t n = at_most(core->n_streams, CT_SNAPSHOT_STREAMS);
  uint32_t packed = 0;
  for (uint32_t i = 0; i < n; i++)
    packed += core->streams[i].codec[0] != '\0';
  for (uint32_t i = 0; i < n && packed > 1; i++) {
    const struct ct_snapshot_stream *stream = &core->streams[i];
    if (stream->codec[0] != '\0' && isfinite(stream->ratio) && isfinite(stream->packing_cores))
      ct_canvas_text(canvas, (*row)++, 4, 0, "%.*s: %.*s, %.2f times smaller, %.2f cores", CT_NAME - 1, stream->name,
                     (int)sizeof stream->codec - 1, stream->codec, stream->ratio, stream->packing_cores);
  }
}

static void archive_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int *row)
{
  const struct ct_snapshot_archive *archive = &core->archive;
  char a[CT_WORD], b[CT_WORD], c[CT_WORD], d[CT_WORD];
  if (archive->state == CT_ARCHIVE_OFF) {
    ct_canvas_text(canvas, (*row)++, 0, 0, "archive off");
    return;
  }
  archive_words(archive, ct_canvas_part(canvas, *row, 0, 1, canvas.cols), 0, DETAIL_ALL);
  ++*row;
  ct_canvas_text(canvas, (*row)++, 0, 0, "  %s frames, %s written, %s free, commit lag %s",
                 ct_word_short(a, (double)archive->committed_frames), ct_word_unit(b, (double)archive->bytes, 3, false, "B"),
                 ct_word_unit(c, (double)archive->free_bytes, 3, false, "B"), ct_word_time(d, archive->lag_s));
  if (archive->codec[0] != '\0' && isfinite(archive->ratio) && isfinite(archive->cores))
    ct_canvas_text(canvas, (*row)++, 0, 0, "  packed %.*s, %.2f times smaller, with %.2f cores", (int)sizeof archive->codec - 1,
                   archive->codec, archive->ratio, archive->cores);
  packing_lines(core, canvas, row);
  if (archive->folder[0] != '\0')
    ct_canvas_text(canvas, (*row)++, 0, 0, "  %.*s", (int)sizeof archive->folder, archive->folder);
}

/* Gravest first, of the same severity the newest. */
static bool comes_before(const struct ct_snapshot_alarm *a, const struct ct_snapshot_alarm *b)
{
  return a->severity != b->severity ? a->severity > b->severity : a->since_ns > b->since_ns;
}

static uint32_t sort_alarms(const struct ct_snapshot_core *core, const struct ct_snapshot_alarm *out[CT_SNAPSHOT_ALARMS])
{
  uint32_t n = at_most(core->n_alarms, CT_SNAPSHOT_ALARMS);
  for (uint32_t i = 0; i < n; i++) {
    uint32_t k = i;
    for (; k > 0 && comes_before(&core->alarms[i], out[k - 1]); k--)
      out[k] = out[k - 1];
    out[k] = &core->alarms[i];
  }
  return n;
}

/* "WARNING 03:14:07Z, for 14 s: stream hexitec: ...", the text whole, however many rows it takes. */
static void alarm_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int *row)
{
  static const char *const words[] = { "notice", "WARNING", "CRITICAL" };
  const struct ct_snapshot_alarm *alarms[CT_SNAPSHOT_ALARMS];
  uint32_t n = sort_alarms(core, alarms);
  for (uint32_t i = 0; i < n; i++) {
    int severity = alarms[i]->severity <= CT_CRITICAL ? (int)alarms[i]->severity : CT_CRITICAL;
    char text[sizeof alarms[i]->text + 1], clock[CT_WORD], age[CT_WORD];
    double age_s = (double)(core->wall_ns / CT_NS_PER_S - alarms[i]->since_ns / CT_NS_PER_S);
    snprintf(text, sizeof text, "%.*s", (int)sizeof alarms[i]->text, alarms[i]->text);
    int col = ct_canvas_text(canvas, *row, 0, severity > CT_NOTICE ? CT_ATTR_REVERSE : CT_ATTR_BOLD, "%s", words[severity]);
    col = ct_canvas_text(canvas, *row, col + 1, 0, "%s, for %s:", ct_word_clock(clock, alarms[i]->since_ns),
                         ct_word_time(age, fmax(age_s, 0)));
    *row = ct_canvas_paragraph(canvas, *row, col + 1, 2, severity > CT_NOTICE ? CT_ATTR_BOLD : 0, text);
  }
}

static int draw_lines(const struct ct_snapshot_core *core, struct ct_canvas canvas, int row)
{
  char word[CT_WORD];
  alarm_lines(core, canvas, &row);
  row += core->n_alarms > 0;
  stream_table(core, canvas, &row);
  for (uint32_t i = 0; i < at_most(core->n_rings, CT_SNAPSHOT_STREAMS); i++)
    ct_canvas_text(canvas, row++, 0, 0, "buffer %-7.*s %.0f %% full, at most %.0f %%, %s frames skipped", CT_NAME - 1,
                   core->rings[i].name, 100 * core->rings[i].fill, 100 * core->rings[i].high,
                   ct_word_short(word, (double)core->rings[i].skipped));
  archive_lines(core, canvas, &row);
  ct_panel_detector(&core->health, canvas, &row);
  rejected_lines(core, canvas, &row);
  return row;
}

void ct_panel_health(struct ct_view *view, const struct ct_snapshot *snapshot, struct ct_canvas canvas)
{
  char uptime[CT_WORD];
  bool whole = view->panel == CT_PANEL_HEALTH;      /* else a part of the overview, which does not scroll */
  canvas = ct_canvas_caption(canvas, "Health  up %s", ct_word_time(uptime, snapshot->core.uptime_s));
  struct ct_canvas blind = canvas;
  blind.rows = 0;
  int lines = draw_lines(&snapshot->core, blind, 0);
  if (whole)
    canvas = ct_view_scroll(view, canvas, lines);
  draw_lines(&snapshot->core, canvas, whole ? -view->scroll : 0);
}
