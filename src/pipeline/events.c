#include "events.h"

#include <stdlib.h>

struct ct_event_filter {
  struct ct_hexitec *hexitec;   /* as the analysis has one, with the same darks */
  bool wait_for_dark, have_dark;
  uint32_t rows, cols;
  uint16_t *least_ADU;
  struct ct_chunk_limits limits;
};

static void read_limits(struct ct_event_filter *filter)
{
  ct_hexitec_limits(filter->hexitec, filter->least_ADU, &filter->limits.above_keV);
}

int ct_event_filter_new(struct ct_event_filter **out, const struct ct_analysis_setup *analysis, struct ct_err *err)
{
  struct ct_event_filter *filter = ct_xcalloc(1, sizeof *filter);
  int code = ct_hexitec_new(&filter->hexitec, &analysis->hexitec, err);
  if (code != 0) {
    free(filter);
    return code;
  }
  filter->wait_for_dark = analysis->wait_for_dark;
  filter->rows = analysis->hexitec.rows;
  filter->cols = analysis->hexitec.cols;
  filter->least_ADU = ct_xcalloc((size_t)filter->rows * filter->cols, sizeof *filter->least_ADU);
  filter->limits.least_ADU = filter->least_ADU;
  read_limits(filter);
  *out = filter;
  return 0;
}

void ct_event_filter_free(struct ct_event_filter *filter)
{
  if (filter == NULL)
    return;
  ct_hexitec_free(filter->hexitec);
  free(filter->least_ADU);
  free(filter);
}

const struct ct_chunk_limits *ct_event_filter_of(struct ct_event_filter *filter, const struct ct_lot *lot)
{
  const struct ct_frame *frame = &lot->frame;
  if (frame->rows != filter->rows || frame->cols != filter->cols)
    return NULL;
  if (ct_lot_is_dark(lot)) {
    for (uint32_t i = 0; i < frame->count; i++)
      ct_hexitec_dark_add(filter->hexitec, frame, i);
    return NULL;
  }
  if (!ct_frame_is_dark(frame) && ct_hexitec_dark_apply(filter->hexitec) > 0) {
    filter->have_dark = true;
    read_limits(filter);
  }
  const bool dark_wanted = filter->wait_for_dark && !filter->have_dark && frame->type == CT_U16;
  return ct_lot_is_for_analysis(lot) && !dark_wanted ? &filter->limits : NULL;
}
