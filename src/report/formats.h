/* formats: one writer a format; each adds one sample to a buffer. Ownership: all arguments are borrowed for the call. */
#ifndef REPORT_FORMATS_H
#define REPORT_FORMATS_H

#include <comptop/report.h>

#include "report/buffer.h"

/* The three lines before the first row, of which the first is the mark; and a row. */
#define CT_TSV_MARK "#comptop-tsv 1"
void ct_tsv_head(struct ct_buffer *out, const struct ct_report_setup *setup, const struct ct_snapshot_core *core);
void ct_tsv_row(struct ct_buffer *out, const struct ct_report_setup *setup, const struct ct_snapshot_core *core);
void ct_json_write(struct ct_buffer *out, const struct ct_snapshot *snapshot, const struct ct_report_setup *setup);
void ct_json_keep(struct ct_buffer *out, const struct ct_kept *kept);
/* The grid, a line a row; with <styles> as coloured text for a terminal with 256 colours. */
void ct_screen_write(struct ct_buffer *out, const struct ct_grid *grid, bool styles);

#endif
