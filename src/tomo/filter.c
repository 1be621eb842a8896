#include "tomo/filter.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/kernel.h"

#define PI 3.14159265358979323846

uint32_t ct_smooth_length(uint32_t least)
{
  for (uint32_t n = least + (least & 1);; n += 2) {
    uint32_t rest = n;
    for (uint32_t p = 2; p <= 5; p += p == 2 ? 1 : 2)
      while (rest % p == 0) rest /= p;
    if (rest == 1) return n;
  }
}

static double sinc(double x)
{
  return x > 0 ? sin(PI * x) / (PI * x) : 1;
}

static double window_at(enum ct_window window, double x)
{
  switch (window) {
  case CT_WINDOW_SHEPP_LOGAN: return sinc(x / 2);
  case CT_WINDOW_HANN: return 0.5 + 0.5 * cos(PI * x);
  case CT_WINDOW_HAMMING: return 0.54 + 0.46 * cos(PI * x);
  case CT_WINDOW_COSINE: return cos(PI * x / 2);
  case CT_WINDOW_PARZEN: return x <= 0.5 ? 1 - 6 * x * x * (1 - x) : 2 * (1 - x) * (1 - x) * (1 - x);
  case CT_WINDOW_BUTTERWORTH: return 1 / sqrt(1 + pow(2 * x, 8));
  case CT_WINDOW_RAMP: case CT_WINDOWS: break;
  }
  return 1;
}

/* The ramp has to be made in space, where it is 1/4, then -1/(pi n)^2 at odd n: sampled in frequency it loses the mean.
 * Merging interpolates linearly between half samples, which loses, on average, sinc^2 of half the frequency; lines that
 * are not merged lose as much here, which also keeps what is beyond a detector's columns from ringing. */
static void make_response(struct ct_filter *f, const struct ct_filter_setup *setup)
{
  uint32_t last = f->short_len / 2;

  memset(f->padded, 0, f->len * sizeof *f->padded);
  f->padded[0][0] = 0.25f;
  for (uint32_t n = 1; n < f->len / 2; n += 2)
    f->padded[n][0] = f->padded[f->len - n][0] = (float)(-1 / (PI * PI * n * n));
  fftwf_execute(f->forward);
  for (uint32_t j = 0; j <= last; j++) {
    double at = (double)j / f->short_len, share = setup->scale / f->len * (double)f->spectrum[j][0];
    share *= window_at(setup->window, 2 * at) * (setup->shifted ? 1 : pow(sinc(at / 2), 2));
    /* Both kernels are real: share + i share exp(i pi at) for j, and with -at for -j. The last has no sine. */
    double re = share * cos(PI * at), im = j < last ? share * sin(PI * at) : 0;
    f->response[j ? f->short_len - j : 0][0] = (float)(share + im);
    f->response[j ? f->short_len - j : 0][1] = (float)re;
    f->response[j][0] = (float)(share - im);
    f->response[j][1] = (float)re;
  }
}

int ct_filter_init(struct ct_filter *f, const struct ct_filter_setup *setup)
{
  double reach = fmax(setup->to_col, setup->cols - 1.0 - fmin(setup->from_col, 0));

  *f = (struct ct_filter){ .cols = setup->cols, .len = ct_smooth_length(2 * (uint32_t)ceil(fmax(reach, setup->cols))) };
  f->short_len = f->len;
  /* Pixels of more than sqrt(2) columns need fewer samples than columns, but one a pixel. */
  if (setup->pixel_cols > 1.41) f->short_len = ct_smooth_length((uint32_t)ceil(f->len / setup->pixel_cols));
  if (f->short_len > f->len) f->short_len = f->len;
  f->pitch = (double)f->len / f->short_len;
  f->wrap = (int64_t)floor(setup->from_col / f->pitch);
  f->first_col = (double)f->wrap * f->pitch;
  f->samples = (uint32_t)ceil((setup->to_col - f->first_col) / f->pitch) + 1;
  f->stride = (f->samples + 2 * CT_MARGIN + CT_LANES - 1) / CT_LANES * CT_LANES;
  f->padded = fftwf_alloc_complex(f->len);
  f->spectrum = fftwf_alloc_complex(f->len);
  f->product = fftwf_alloc_complex(f->short_len);
  f->wide = fftwf_alloc_complex(f->short_len);
  f->response = fftwf_alloc_complex(f->short_len);
  if (!f->padded || !f->wide || !f->spectrum || !f->product || !f->response) goto no_memory;
  /* Not FFTW_MEASURE: what it picks, and so the last bit of a slice, changes from run to run. */
  f->forward = fftwf_plan_dft_1d((int)f->len, f->padded, f->spectrum, FFTW_FORWARD, FFTW_ESTIMATE);
  f->backward = fftwf_plan_dft_1d((int)f->short_len, f->product, f->wide, FFTW_BACKWARD, FFTW_ESTIMATE);
  if (!f->forward || !f->backward) goto no_memory;
  make_response(f, setup);
  return 0;
no_memory:
  ct_filter_free(f);
  return CT_ENOMEM;
}

void ct_filter_free(struct ct_filter *f)
{
  if (f->forward) fftwf_destroy_plan(f->forward);
  if (f->backward) fftwf_destroy_plan(f->backward);
  fftwf_free(f->padded);
  fftwf_free(f->wide);
  fftwf_free(f->spectrum);
  fftwf_free(f->product);
  fftwf_free(f->response);
  *f = (struct ct_filter){ 0 };
}

static void load(struct ct_filter *f, const float *row, const float *ring, const float *weight)
{
  memset(f->padded, 0, f->len * sizeof *f->padded);
  for (uint32_t i = 0; i < f->cols; i++) {
    float value = ring ? row[i] - ring[i] : row[i];
    f->padded[i][0] = weight ? value * weight[i] : value;
  }
}

/* to[i] = from[i] * by[i], complex. */
static void multiply(fftwf_complex *to, const fftwf_complex *from, const fftwf_complex *by, uint32_t n)
{
  for (uint32_t i = 0; i < n; i++) {
    float re = from[i][0], im = from[i][1];
    to[i][0] = re * by[i][0] - im * by[i][1];
    to[i][1] = re * by[i][1] + im * by[i][0];
  }
}

/* Samples before column 0 lie at the end of a transform, which is a ring. */
static void unroll(const struct ct_filter *f, float *line)
{
  int64_t len = f->short_len, at = (f->wrap - CT_MARGIN) % len;
  size_t from = (size_t)(at < 0 ? at + len : at);
  for (size_t i = 0; i < f->stride; i++) {
    line[i] = f->wide[from][0];
    line[f->stride + i] = f->wide[from][1];
    from = from + 1 < f->short_len ? from + 1 : 0;
  }
}

void ct_filter_run(struct ct_filter *f, float *line, const float *row, const float *ring, const float *weight)
{
  uint32_t half = f->short_len / 2, rest = f->short_len - half;

  load(f, row, ring, weight);
  fftwf_execute(f->forward);
  /* Frequencies 0 .. half - 1 and -half .. -1; those of a real row say the same of +half and -half. */
  multiply(f->product, f->spectrum, f->response, half);
  multiply(f->product + half, f->spectrum + f->len - rest, f->response + half, rest);
  f->product[half][0] = f->spectrum[half][0] * f->response[half][0];
  f->product[half][1] = f->spectrum[half][0] * f->response[half][1];
  fftwf_execute(f->backward);
  unroll(f, line);
}
