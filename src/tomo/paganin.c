/* Phase retrieval of a single-material sample from one distance (Paganin et al., J. Microsc. 206 (2002) 33, eq. 12). */
#include <comptop/tomo.h>

#include <fftw3.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tomo/filter.h"
#include "tomo/internal.h"

struct ct_paganin {
  uint32_t rows, cols;
  uint32_t padded_rows, padded_cols, spectrum_cols;
  float *padded;
  fftwf_complex *spectrum;
  float *response;             /* [padded_rows][spectrum_cols] */
  float *line;                 /* [padded_cols] */
  fftwf_plan forward, backward;
};

double ct_paganin_alpha(double e_keV, double distance_mm, double delta_over_beta, double pixel_um)
{
  double wavelength_um = 12.39841984e-4 / e_keV;   /* h c = 12.398 keV Angstrom */
  return wavelength_um * distance_mm * 1e3 * delta_over_beta / (4 * CT_PI) / (pixel_um * pixel_um);
}

int ct_paganin_open(struct ct_paganin **out, uint32_t rows, uint32_t cols, double alpha_px2, struct ct_err *err)
{
  *out = NULL;
  if (rows < 1 || rows > 16384 || cols < 8 || cols > 16384 || !(alpha_px2 >= 0 && alpha_px2 < 1e8))
    return ct_err_set(err, CT_ERANGE, "no phase in images of %u x %u pixels with %g square pixels: 1 to 16384 rows, 8 to "
                      "16384 columns, 0 to 10^8", rows, cols, alpha_px2);
  struct ct_paganin *p = calloc(1, sizeof *p);
  if (!p) return ct_err_set(err, CT_ENOMEM, "no memory for the phase");
  /* The response falls as exp(-r / sqrt(alpha)): edges are carried on for a few times that, at most for the image's size. */
  uint32_t reach = (uint32_t)ceil(4 * sqrt(alpha_px2)) + 4;
  p->rows = rows;
  p->cols = cols;
  p->padded_rows = rows > 1 ? ct_smooth_length(rows + 2 * (reach < rows ? reach : rows)) : 1;
  p->padded_cols = ct_smooth_length(cols + 2 * (reach < cols ? reach : cols));
  p->spectrum_cols = p->padded_cols / 2 + 1;
  size_t n = (size_t)p->padded_rows * p->spectrum_cols;
  p->padded = fftwf_alloc_real((size_t)p->padded_rows * p->padded_cols);
  p->spectrum = fftwf_alloc_complex(n);
  p->response = malloc(n * sizeof *p->response);
  p->line = malloc(p->padded_cols * sizeof *p->line);
  if (p->padded && p->spectrum && p->response && p->line) {
    int height = (int)p->padded_rows, width = (int)p->padded_cols;
    p->forward = fftwf_plan_dft_r2c_2d(height, width, p->padded, p->spectrum, FFTW_ESTIMATE);
    p->backward = fftwf_plan_dft_c2r_2d(height, width, p->spectrum, p->padded, FFTW_ESTIMATE);
  }
  if (!p->forward || !p->backward) {
    ct_paganin_close(p);
    return ct_err_set(err, CT_ENOMEM, "no memory for the phase of images of %u x %u pixels", rows, cols);
  }
  for (uint32_t r = 0; r < p->padded_rows; r++) {
    double kr = 2 * CT_PI * fmin(r, p->padded_rows - r) / p->padded_rows;
    for (uint32_t c = 0; c < p->spectrum_cols; c++) {
      double kc = 2 * CT_PI * c / p->padded_cols;
      p->response[(size_t)r * p->spectrum_cols + c] =
        (float)(1 / (1 + alpha_px2 * (kr * kr + kc * kc)) / ((double)p->padded_rows * p->padded_cols));
    }
  }
  *out = p;
  return 0;
}

void ct_paganin_close(struct ct_paganin *p)
{
  if (!p) return;
  if (p->forward) fftwf_destroy_plan(p->forward);
  if (p->backward) fftwf_destroy_plan(p->backward);
  fftwf_free(p->padded);
  fftwf_free(p->spectrum);
  free(p->response);
  free(p->line);
  free(p);
}

/* A transform is a ring: its second half carries the edges on, the last one forwards and the first one backwards. */
static uint32_t carried(uint32_t at, uint32_t n, uint32_t padded)
{
  return at < n ? at : at < n + (padded - n) / 2 ? n - 1 : 0;
}

void ct_paganin_run(struct ct_paganin *p, float *image)
{
  for (uint32_t r = 0; r < p->rows; r++) {
    float *to = p->padded + (size_t)r * p->padded_cols;
    for (uint32_t c = 0; c < p->cols; c++) to[c] = expf(-image[(size_t)r * p->cols + c]);
    for (uint32_t c = p->cols; c < p->padded_cols; c++) to[c] = to[carried(c, p->cols, p->padded_cols)];
  }
  for (uint32_t r = p->rows; r < p->padded_rows; r++)
    memcpy(p->padded + (size_t)r * p->padded_cols, p->padded + (size_t)carried(r, p->rows, p->padded_rows) * p->padded_cols,
           p->padded_cols * sizeof *p->padded);
  fftwf_execute(p->forward);
  for (size_t i = 0; i < (size_t)p->padded_rows * p->spectrum_cols; i++) {
    p->spectrum[i][0] *= p->response[i];
    p->spectrum[i][1] *= p->response[i];
  }
  fftwf_execute(p->backward);
  const struct ct_tomo_ops *ops = ct_tomo_ops_get(0);
  for (uint32_t r = 0; r < p->rows; r++) {
    const float *from = p->padded + (size_t)r * p->padded_cols;
    for (uint32_t c = 0; c < p->cols; c++) p->line[c] = from[c] > 1e-6f ? from[c] : 1e-6f;
    ops->log(image + (size_t)r * p->cols, p->line, p->cols);
  }
}
