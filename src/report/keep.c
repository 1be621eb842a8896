/* keep: what a viewer sees, as data: tab-separated tables, JSON, coloured text. */
#include <comptop/report.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/formats.h"
#include "report/tables.h"

/* ---- TSV --------------------------------------------------------------------------------------------------------- */
static void add_line(struct ct_buffer *out, const char *key, double value, const char *unit)
{
  if (isfinite(value))
    ct_buffer_printf(out, "# %s: %.9g%s%s\n", key, value, *unit ? " " : "", unit);
}

/* A line end in a name would end the comment. */
static void add_text(struct ct_buffer *out, const char *key, const char *text)
{
  ct_buffer_printf(out, "# %s: ", key);
  for (; *text != '\0'; text++)
    ct_buffer_add(out, (unsigned char)*text < 0x20 ? "_" : text, 1);
  ct_buffer_text(out, "\n");
}

static void add_head(struct ct_buffer *out, const struct ct_kept *kept)
{
  const struct ct_snapshot_core *core = &kept->snapshot->core;
  const struct ct_snapshot_xcs *xcs = &core->xcs;
  char scratch[CT_TIME_TEXT];
  ct_buffer_text(out, "#comptop-view 1\n");
  add_text(out, "view", ct_panel_word(kept->view->panel));
  add_text(out, "run", core->run);
  add_text(out, "t", ct_time_text(core->wall_ns, scratch));
  if (!xcs->present)
    return;
  if (xcs->window[0] != '\0')
    add_text(out, "window", xcs->window);
  add_line(out, "window", xcs->window_s, "s");
  add_line(out, "live", xcs->live_s, "s");
  add_line(out, "beam", xcs->e1_keV, "keV");
  add_line(out, "angle", xcs->theta_deg, "deg");
  add_line(out, "L within", xcs->p_low, "a.u.");
  add_line(out, "H up to", xcs->p_high, "a.u.");
}

static void add_cell(struct ct_buffer *out, const struct ct_section_table *table, const struct ct_column *column, size_t row)
{
  char scratch[CT_TIME_TEXT];
  double value = ct_column_value(table, column, row);
  if (column->kind == CT_COLUMN_CELL)
    ct_buffer_text(out, ct_column_word(column, row));
  else if (!isfinite(value))
    ct_buffer_text(out, "nan");
  else if (column->kind == CT_COLUMN_TIME)
    ct_buffer_text(out, ct_time_text((int64_t)(value * 1e9), scratch));
  else
    ct_buffer_printf(out, column->kind == CT_COLUMN_FLOAT ? "%.9g" : "%.15g", value);
}

static void add_table(struct ct_buffer *out, const struct ct_section_table *table)
{
  add_text(out, "table", table->name);
  if (table->of[0] != '\0')
    add_text(out, "of", table->of);
  if (table->note[0] != '\0')
    add_text(out, "reference", table->note);
  for (size_t i = 0; i < table->n_facts; i++)
    add_line(out, table->facts[i].key, table->facts[i].value, "");
  for (size_t i = 0; i < table->n_columns; i++)
    ct_buffer_printf(out, "%s%s", i ? "\t" : "#", table->columns[i].unit);
  ct_buffer_text(out, "\n");
  for (size_t i = 0; i < table->n_columns; i++)
    ct_buffer_printf(out, "%s%s", i ? "\t" : "", table->columns[i].key);
  ct_buffer_text(out, "\n");
  for (size_t row = 0; row < table->rows; row++) {
    for (size_t i = 0; i < table->n_columns; i++) {
      ct_buffer_text(out, i ? "\t" : "");
      add_cell(out, table, &table->columns[i], row);
    }
    ct_buffer_text(out, "\n");
  }
}

/* One row of all scalars, for a view that is made of them. */
static void add_scalars(struct ct_buffer *out, const struct ct_snapshot_core *core)
{
  const char *streams[CT_SNAPSHOT_STREAMS], *rois[CT_SNAPSHOT_ROIS];
  struct ct_report_setup setup = { .streams = streams, .rois = rois };
  for (; setup.n_streams < core->n_streams && setup.n_streams < CT_SNAPSHOT_STREAMS; setup.n_streams++)
    streams[setup.n_streams] = core->streams[setup.n_streams].name;
  for (; setup.n_rois < core->n_rois && setup.n_rois < CT_SNAPSHOT_ROIS; setup.n_rois++)
    rois[setup.n_rois] = core->rois[setup.n_rois].name;
  ct_tsv_head(out, &setup, core);
  ct_tsv_row(out, &setup, core);
}

static int finish(struct ct_buffer *buffer, FILE *out)
{
  int code = buffer->failed ? CT_ENOMEM : 0;
  if (code == 0 && (fwrite(buffer->bytes, 1, buffer->length, out) != buffer->length || fflush(out) != 0))
    code = CT_EIO;
  ct_buffer_free(buffer);
  return code;
}

int ct_keep_tsv(const struct ct_kept *kept, FILE *out)
{
  struct ct_buffer buffer = { 0 };
  struct ct_section_table table;
  size_t found = 0;
  for (size_t i = 0; i < kept->n_requests; i++) {
    if (!ct_section_tabulate(kept->snapshot, &kept->requests[i], &kept->view->reference, &table))
      continue;
    if (found++ == 0)
      add_head(&buffer, kept);
    else
      ct_buffer_text(&buffer, "\n\n");
    add_table(&buffer, &table);
  }
  if (found == 0)
    add_scalars(&buffer, &kept->snapshot->core);
  return finish(&buffer, out);
}

/* ---- the others ----------------------------------------------------------------------------------------------------- */
int ct_keep_json(const struct ct_kept *kept, FILE *out)
{
  struct ct_buffer buffer = { 0 };
  ct_json_keep(&buffer, kept);
  return finish(&buffer, out);
}

int ct_keep_ansi(const struct ct_grid *grid, FILE *out)
{
  struct ct_buffer buffer = { 0 };
  ct_screen_write(&buffer, grid, true);
  return finish(&buffer, out);
}
