#include <comptop/report.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/formats.h"

enum { SCREEN_ROWS = 24, SCREEN_COLS = 80 };

struct ct_report {
  struct ct_report_setup setup;     /* its names are our copies */
  char (*names)[CT_NAME];
  const char **pointers;
  struct ct_buffer buffer;
  bool started;                     /* text, ansi: a sample is out */
  char *head;                       /* tsv: the last one in the file; NULL: none */
  struct ct_view *view;             /* text, ansi */
  struct ct_glyph screen[SCREEN_ROWS * SCREEN_COLS];
};

static const char *const format_words[] = {
#define X(name, word) word,
  CT_REPORT_FORMATS(X)
#undef X
};

static const struct {
  unsigned bit;
  const char *word;
} field_words[] = {
#define X(name, bit, word) { bit, word },
  CT_REPORT_FIELDS(X)
#undef X
};

int ct_report_format_parse(const char *word, enum ct_report_format *format, struct ct_err *err)
{
  for (size_t i = 0; i < CT_REPORT_FORMAT_COUNT; i++)
    if (strcmp(word, format_words[i]) == 0) {
      *format = (enum ct_report_format)i;
      return 0;
    }
  return ct_err_set(err, CT_EUSAGE, "-o %s: the formats are text, tsv, json and ansi", word);
}

int ct_report_fields_parse(const char *list, unsigned *fields, struct ct_err *err)
{
  unsigned found = 0;
  for (const char *word = list;; word++) {
    size_t length = strcspn(word, ","), i = 0, n = sizeof field_words / sizeof *field_words;
    while (i < n && (strlen(field_words[i].word) != length || memcmp(field_words[i].word, word, length) != 0))
      i++;
    if (i == n)
      return ct_err_set(err, CT_EUSAGE, "-f %s: \"%.*s\" is none of map, spectrum, profile, slice, adaptive", list, (int)length, word);
    found |= field_words[i].bit;
    word += length;
    if (*word == '\0')
      break;
  }
  *fields |= found;
  return 0;
}

static int check_setup(const struct ct_report_setup *setup, struct ct_err *err)
{
  if (setup->n_streams > CT_SNAPSHOT_STREAMS || setup->n_rois > CT_SNAPSHOT_ROIS)
    return ct_err_set(err, CT_ERANGE, "%zu streams and %zu ROIs: a run has at most %d and %d", setup->n_streams,
                      setup->n_rois, CT_SNAPSHOT_STREAMS, CT_SNAPSHOT_ROIS);
  if (setup->fields != 0 && setup->format != CT_REPORT_JSON)
    return ct_err_set(err, CT_EUSAGE, "-f needs -o json: maps and curves do not fit into -o %s", format_words[setup->format]);
  return 0;
}

static bool has_screen(const struct ct_report_setup *setup)
{
  return setup->format == CT_REPORT_TEXT || setup->format == CT_REPORT_ANSI;
}

static struct ct_view *new_view(const struct ct_report_setup *setup)
{
  struct ct_view *view = ct_xcalloc(1, sizeof *view);
  ct_view_init(view, setup->utf8, setup->format == CT_REPORT_ANSI, setup->target_sigma);
  view->smooth = false;
  view->bin = setup->bin;
  return view;
}

int ct_report_new(struct ct_report **out, const struct ct_report_setup *setup, struct ct_err *err)
{
  *out = NULL;
  int rc = check_setup(setup, err);
  if (rc < 0)
    return rc;
  struct ct_report *report = ct_xcalloc(1, sizeof *report);
  size_t n = setup->n_streams + setup->n_rois;
  report->names = ct_xcalloc(n, sizeof *report->names);
  report->pointers = ct_xcalloc(n, sizeof *report->pointers);
  report->setup = *setup;
  for (size_t i = 0; i < n; i++) {
    const char *name = i < setup->n_streams ? setup->streams[i] : setup->rois[i - setup->n_streams];
    memcpy(report->names[i], name, strnlen(name, CT_NAME - 1));
    report->pointers[i] = report->names[i];
  }
  report->setup.streams = report->pointers;
  report->setup.rois = report->pointers + setup->n_streams;
  if (has_screen(setup))
    report->view = new_view(setup);
  *out = report;
  return 0;
}

void ct_report_free(struct ct_report *report)
{
  if (report == NULL)
    return;
  ct_buffer_free(&report->buffer);
  free(report->head);
  free(report->view);
  free(report->names);
  free(report->pointers);
  free(report);
}

size_t ct_report_requests(const struct ct_report_setup *setup, struct ct_request *out, size_t max)
{
  unsigned fields = setup->fields;
  size_t n = 0;
  if (has_screen(setup)) {
    struct ct_view *view = new_view(setup);
    n = ct_view_requests(view, SCREEN_ROWS, SCREEN_COLS, out, max);
    free(view);
    return n;
  }
  if (fields & CT_REPORT_MAP && n++ < max)
    out[n - 1] = (struct ct_request){ .kind = CT_SECTION_MAP, .bin = 1, .min_counts = (double)NAN };
  if (fields & CT_REPORT_ADAPTIVE && n++ < max)
    out[n - 1] = (struct ct_request){ .kind = CT_SECTION_MAP, .of = CT_MAP_ADAPTIVE, .target_sigma = setup->target_sigma,
                                      .min_counts = (double)NAN };
  if (fields & CT_REPORT_SPECTRUM && n++ < max)
    out[n - 1] = (struct ct_request){ .kind = CT_SECTION_SPECTRUM, .scope = CT_SCOPE_ALL };
  if (fields & CT_REPORT_PROFILE && n++ < max)
    out[n - 1] = (struct ct_request){ .kind = CT_SECTION_PROFILE, .scope = CT_SCOPE_ALL };
  if (fields & CT_REPORT_SLICE && n++ < max)
    out[n - 1] = (struct ct_request){ .kind = CT_SECTION_SLICE };
  for (int32_t image = CT_IMAGE_XY; fields & CT_REPORT_SLICES && image <= CT_IMAGE_OBLIQUE; image++)
    if (n++ < max)
      out[n - 1] = (struct ct_request){ .kind = CT_SECTION_IMAGE, .x = image, .at = setup->point };
  if (fields & CT_REPORT_VOLUME && n++ < max)
    out[n - 1] = (struct ct_request){ .kind = CT_SECTION_IMAGE, .x = CT_IMAGE_VOLUME };
  return n;
}

static void write_screen(struct ct_report *report, const struct ct_snapshot *snapshot)
{
  struct ct_grid grid = { .rows = SCREEN_ROWS, .cols = SCREEN_COLS, .glyphs = report->screen };
  ct_view_render(report->view, snapshot, &grid);
  if (report->started)
    ct_buffer_text(&report->buffer, "\f");
  ct_screen_write(&report->buffer, &grid, report->setup.format == CT_REPORT_ANSI);
}

/* The head that stands last in <old>, whole; NULL where there is none. */
static char *last_head(FILE *old)
{
  char *line = NULL, *head = NULL;
  size_t size = 0;
  int left = 0;                     /* lines of the head that are still to come */
  struct ct_buffer found = { 0 };
  for (ssize_t length; (length = getline(&line, &size, old)) > 0;) {
    if (strcmp(line, CT_TSV_MARK "\n") == 0) {
      found.length = 0;
      left = 3;
    }
    if (left == 0)
      continue;
    ct_buffer_add(&found, line, (size_t)length);
    if (--left > 0)
      continue;
    free(head);
    ct_buffer_add(&found, "", 1);
    head = found.failed ? NULL : strdup(found.bytes);
  }
  free(line);
  ct_buffer_free(&found);
  return head;
}

void ct_report_behind(struct ct_report *report, FILE *old)
{
  report->started = old != NULL && fgetc(old) != EOF;
  free(report->head);
  report->head = NULL;
  if (!report->started)
    return;
  rewind(old);
  report->head = last_head(old);
}

/* A row, and above it a head where the columns are not those of the rows before: its length, else 0. */
static size_t write_tsv(struct ct_report *report, const struct ct_snapshot *snapshot)
{
  struct ct_buffer *buffer = &report->buffer;
  ct_tsv_head(buffer, &report->setup, &snapshot->core);
  if (!buffer->failed && report->head != NULL && strlen(report->head) == buffer->length &&
      memcmp(buffer->bytes, report->head, buffer->length) == 0)
    buffer->length = 0;
  size_t head_bytes = buffer->length;
  ct_tsv_row(buffer, &report->setup, &snapshot->core);
  return head_bytes;
}

int ct_report_write(struct ct_report *report, const struct ct_snapshot *snapshot, FILE *out)
{
  struct ct_buffer *buffer = &report->buffer;
  buffer->length = 0;
  buffer->failed = false;
  size_t head_bytes = 0;
  if (report->view != NULL)
    write_screen(report, snapshot);
  else if (report->setup.format == CT_REPORT_JSON)
    ct_json_write(buffer, snapshot, &report->setup);
  else
    head_bytes = write_tsv(report, snapshot);
  if (buffer->failed)
    return CT_ENOMEM;
  if (fwrite(buffer->bytes, 1, buffer->length, out) != buffer->length || fflush(out) != 0)
    return CT_EIO;
  report->started = true;
  if (head_bytes > 0) {
    free(report->head);
    report->head = strndup(buffer->bytes, head_bytes);
  }
  return 0;
}
