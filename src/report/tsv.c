/* tsv: the scalars of the schema as columns, fixed at the start. */
#include "report/formats.h"

#include <string.h>

#include "report/schema.h"

/* Where columns read their value. Streams, rings and ROIs are found by name, so that columns stay where they are
 * whatever order a snapshot has them in. */
static const struct ct_snapshot_stream *find_stream(const struct ct_snapshot_core *core, const char *name)
{
  for (uint32_t i = 0; i < core->n_streams && i < CT_SNAPSHOT_STREAMS; i++)
    if (strncmp(core->streams[i].name, name, CT_NAME) == 0)
      return &core->streams[i];
  return NULL;
}

static const struct ct_snapshot_ring *find_ring(const struct ct_snapshot_core *core, const char *name)
{
  for (uint32_t i = 0; i < core->n_rings && i < CT_SNAPSHOT_STREAMS; i++)
    if (strncmp(core->rings[i].name, name, CT_NAME) == 0)
      return &core->rings[i];
  return NULL;
}

static const struct ct_snapshot_roi *find_roi(const struct ct_snapshot_core *core, const char *name)
{
  for (uint32_t i = 0; i < core->n_rois && i < CT_SNAPSHOT_ROIS; i++)
    if (strncmp(core->rois[i].name, name, CT_NAME) == 0)
      return &core->rois[i];
  return NULL;
}

/* A tab or a line end in a name would move the columns. */
static void add_cell(struct ct_buffer *out, const char *text, size_t length)
{
  for (size_t i = 0; i < length; i++) {
    bool control = (unsigned char)text[i] < 0x20 || text[i] == 0x7f;
    ct_buffer_add(out, control ? "_" : text + i, 1);
  }
}

static void add_value(struct ct_buffer *out, const struct ct_value *value)
{
  switch (value->kind) {
  case CT_VALUE_ABSENT: ct_buffer_text(out, "nan"); return;
  case CT_VALUE_BOOL:
  case CT_VALUE_INTEGER: ct_buffer_printf(out, "%llu", (unsigned long long)value->integer); return;
  case CT_VALUE_REAL: ct_buffer_printf(out, "%.9g", value->real); return;
  case CT_VALUE_TEXT: add_cell(out, value->text, value->length); return;
  }
}

enum line { LINE_UNITS, LINE_HEADER, LINE_ROW };

/* One cell for every column of <table>: its unit, its name PREFIX.NAME.KEY, or its value in the struct at <base>. */
static void add_table(struct ct_buffer *out, enum line line, const struct ct_field *table, const char *prefix,
                      const char *name, const void *base)
{
  for (const struct ct_field *field = table; field->key != NULL; field++) {
    if (field->unit == NULL)
      continue;
    if (out->length > 0 && out->bytes[out->length - 1] != '\n')
      ct_buffer_text(out, "\t");
    if (line == LINE_UNITS) {
      ct_buffer_text(out, field->unit);
    } else if (line == LINE_HEADER) {
      ct_buffer_text(out, prefix);
      if (name != NULL) {
        ct_buffer_text(out, ".");
        add_cell(out, name, strlen(name));
      }
      ct_buffer_text(out, prefix[0] != '\0' ? "." : "");
      ct_buffer_text(out, field->key);
    } else {
      char scratch[CT_TIME_TEXT];
      struct ct_value value = ct_schema_value(field, base, scratch);
      add_value(out, &value);
    }
  }
}

static void add_line(struct ct_buffer *out, enum line line, const struct ct_report_setup *setup,
                     const struct ct_snapshot_core *core)
{
  add_table(out, line, ct_schema_head, "", NULL, core);
  for (size_t i = 0; i < setup->n_streams; i++)
    add_table(out, line, ct_schema_stream, "streams", setup->streams[i], find_stream(core, setup->streams[i]));
  for (size_t i = 0; i < setup->n_streams; i++)
    add_table(out, line, ct_schema_ring, "rings", setup->streams[i], find_ring(core, setup->streams[i]));
  add_table(out, line, ct_schema_archive, "archive", NULL, &core->archive);
  add_table(out, line, ct_schema_xcs, "xcs", NULL, core->xcs.present ? &core->xcs : NULL);
  add_table(out, line, ct_schema_health, "health", NULL, core->health.present ? &core->health : NULL);
  add_table(out, line, ct_schema_lithium, "lithium", NULL, core->xcs.present ? &core->lithium : NULL);
  add_table(out, line, ct_schema_drift, "drift", NULL, core->xcs.present ? &core->drift : NULL);
  add_table(out, line, ct_schema_monitors, "monitors", NULL, core->xcs.present ? &core->monitors : NULL);
  for (int i = 0; i < CT_MONITORS; i++)
    add_table(out, line, ct_schema_monitor, "monitors", ct_monitor_word((enum ct_monitor)i),
              core->xcs.present ? &core->monitors.list[i] : NULL);
  for (size_t i = 0; i < setup->n_rois; i++)
    add_table(out, line, ct_schema_roi, "roi", setup->rois[i], find_roi(core, setup->rois[i]));
  add_table(out, line, ct_schema_ct, "ct", NULL, core->ct.present ? &core->ct : NULL);
  add_table(out, line, ct_schema_cell, "cell", NULL, core->cell.present ? &core->cell : NULL);
  ct_buffer_text(out, "\n");
}

void ct_tsv_head(struct ct_buffer *out, const struct ct_report_setup *setup, const struct ct_snapshot_core *core)
{
  ct_buffer_text(out, CT_TSV_MARK "\n");
  add_line(out, LINE_UNITS, setup, core);
  add_line(out, LINE_HEADER, setup, core);
}

void ct_tsv_row(struct ct_buffer *out, const struct ct_report_setup *setup, const struct ct_snapshot_core *core)
{
  add_line(out, LINE_ROW, setup, core);
}
