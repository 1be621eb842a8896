/* Inside tomo: rows of projections -> filtered lines that can be back-projected. */
#ifndef CT_TOMO_FILTER_H
#define CT_TOMO_FILTER_H

#include <comptop/tomo.h>

#include <fftw3.h>

/* A row of <cols> columns becomes a line of <samples> samples, <pitch> columns apart; the first one lies at column
 * <first_col>, and CT_MARGIN more can be read on either side. */
struct ct_filter {
  uint32_t cols, samples;
  size_t stride;                /* floats from a line's samples to those half-way behind them */
  double pitch, first_col;
  uint32_t len, short_len;      /* of the transforms, of columns and of samples */
  int64_t wrap;                 /* where sample 0 lies in the second one, modulo short_len */
  fftwf_complex *response;      /* [short_len]: of the samples, and i times that of those half-way behind them */
  fftwf_complex *padded, *spectrum, *product;
  fftwf_complex *wide;          /* the samples, and i times those half-way behind them */
  fftwf_plan forward, backward;
};

struct ct_filter_setup {
  uint32_t cols;
  double from_col, to_col;      /* what lines have to cover */
  double pixel_cols;            /* size of a pixel of the picture */
  enum ct_window window;
  double scale;                 /* of the result */
  bool shifted;                 /* lines will be merged: that blurs, which is made up for here */
};
/* 0, CT_ENOMEM. FFTW's planner: not while another thread uses it. */
int ct_filter_init(struct ct_filter *filter, const struct ct_filter_setup *setup);
void ct_filter_free(struct ct_filter *filter);
/* line[2 * stride]: the samples, sample 0 behind CT_MARGIN others, then those half-way behind them, from row[cols] less
 * ring[cols] (NULL: none), times weight[cols] (NULL: 1). */
void ct_filter_run(struct ct_filter *filter, float *line, const float *row, const float *ring, const float *weight);

/* The next even length from <least> on that has no prime factor beyond 5: transforms of those are fast. */
uint32_t ct_smooth_length(uint32_t least);

#endif
