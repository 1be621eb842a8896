#include "pipeline/truth.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 640, SCALARS = 9, MAPS = 4, MASKS = 2 };

struct ct_truth {
  FILE *file;
  const struct ct_sim *sim;
  const struct ct_sim_config *config;
  double step_s;
  uint64_t records;
  bool failed;
  size_t pixels;
  double *values;            /* [MAPS][pixels], then mix[pixels][CT_SIM_SOURCES] */
  float *maps;               /* [MAPS][pixels] */
  uint8_t *masks;            /* [MASKS][pixels] */
};

static char byte_order(void)
{
  const uint16_t one = 1;
  return *(const char *)&one ? '<' : '>';
}

/* NumPy's format 1.0: magic, version, length of the rest, a Python dictionary padded with blanks. */
static void put_dictionary(FILE *file, const char *dictionary)
{
  char text[HEADER_BYTES];
  memset(text, ' ', sizeof text);
  memcpy(text, "\x93NUMPY\x01\x00", 8);
  text[8] = (char)((HEADER_BYTES - 10) & 0xff);
  text[9] = (char)((HEADER_BYTES - 10) >> 8);
  memcpy(text + 10, dictionary, strnlen(dictionary, HEADER_BYTES - 11));
  text[HEADER_BYTES - 1] = '\n';
  fwrite(text, 1, sizeof text, file);
}

static void put_header(const struct ct_truth *truth)
{
  static const char *const scalars[SCALARS] = { "t_s", "z_mm", "lithium", "voltage_V", "current_A", "charge_Ah",
                                                "beam", "gain", "fwhm_keV" };
  static const char *const maps[MAPS + MASKS] = { "rate", "x", "emf", "emf_seen", "material", "mask" };
  char text[HEADER_BYTES], order = byte_order();
  uint32_t rows = truth->config->rows, cols = truth->config->cols;
  int at = 0;
#define PUT(...) at += snprintf(text + at, (size_t)(HEADER_BYTES - at), __VA_ARGS__)
  PUT("{'descr': [");
  for (int i = 0; i < SCALARS; i++) PUT("('%s','%cf8'),", scalars[i], order);
  for (int i = 0; i < MAPS + MASKS; i++)
    if (i < MAPS) PUT("('%s','%cf4',(%u,%u)),", maps[i], order, rows, cols);
    else PUT("('%s','|u1',(%u,%u)),", maps[i], rows, cols);
  PUT("], 'fortran_order': False, 'shape': (%llu,), }", (unsigned long long)truth->records);
#undef PUT
  put_dictionary(truth->file, text);
}

int ct_truth_open(struct ct_truth **out, const char *path, const struct ct_sim *sim, const struct ct_sim_config *config,
                  double step_s, struct ct_err *err)
{
  *out = NULL;
  FILE *file = fopen(path, "wb");
  if (!file) return ct_err_set(err, CT_EIO, "%s cannot be written: %s", path, strerror(errno));
  struct ct_truth *truth = ct_xcalloc(1, sizeof *truth);
  *truth = (struct ct_truth){ .file = file, .sim = sim, .config = config, .step_s = step_s,
                              .pixels = (size_t)config->rows * config->cols };
  truth->values = ct_xcalloc((MAPS + CT_SIM_SOURCES) * truth->pixels, sizeof *truth->values);
  truth->maps = ct_xcalloc(MAPS * truth->pixels, sizeof *truth->maps);
  truth->masks = ct_xcalloc(MASKS * truth->pixels, sizeof *truth->masks);
  *out = truth;
  return 0;
}

/* The source that most photons come from; 255 where none come. */
static uint8_t brightest(const double mix[CT_SIM_SOURCES])
{
  uint8_t most = 0;
  for (uint8_t s = 1; s < CT_SIM_SOURCES; s++)
    if (mix[s] > mix[most]) most = s;
  return mix[most] > 0 ? most : 255;
}

static void put_record(struct ct_truth *truth, double t_s)
{
  size_t n = truth->pixels;
  double *mix = truth->values + MAPS * n;
  struct ct_sim_state state;
  struct ct_sim_cell cell;
  ct_sim_state(truth->config, t_s, &state);
  ct_sim_cell(truth->config, t_s, &cell);
  ct_sim_truth(truth->sim, t_s, truth->values, truth->values + n, mix);
  ct_sim_truth_emf(truth->sim, t_s, truth->values + 2 * n, truth->values + 3 * n);
  ct_sim_truth_mask(truth->sim, t_s, truth->masks + n);
  for (size_t i = 0; i < MAPS * n; i++) truth->maps[i] = (float)truth->values[i];
  for (size_t p = 0; p < n; p++) truth->masks[p] = brightest(mix + p * CT_SIM_SOURCES);
  const double scalars[SCALARS] = { t_s, state.z_mm, cell.lithium, cell.voltage_V, cell.current_A, cell.charge_Ah,
                                    state.beam, state.gain, state.fwhm_keV };
  fseek(truth->file, 0, SEEK_END);
  fwrite(scalars, sizeof *scalars, SCALARS, truth->file);
  fwrite(truth->maps, sizeof *truth->maps, MAPS * n, truth->file);
  fwrite(truth->masks, 1, MASKS * n, truth->file);
}

int ct_truth_until(struct ct_truth *truth, double t_s)
{
  if (!truth || t_s < (double)truth->records * truth->step_s) return 0;
  if (truth->records == 0) put_header(truth);
  for (; (double)truth->records * truth->step_s <= t_s; truth->records++)
    put_record(truth, (double)truth->records * truth->step_s);
  /* The header counts records that are there already. */
  truth->failed = fflush(truth->file) != 0 || fseek(truth->file, 0, SEEK_SET) != 0;
  put_header(truth);
  truth->failed |= fflush(truth->file) != 0 || ferror(truth->file);
  return truth->failed ? CT_EIO : 0;
}

bool ct_truth_failed(const struct ct_truth *truth) { return truth && truth->failed; }

void ct_truth_close(struct ct_truth *truth)
{
  if (!truth) return;
  fclose(truth->file);
  free(truth->values);
  free(truth->maps);
  free(truth->masks);
  free(truth);
}

int ct_truth_slice(const char *path, const struct ct_sim_camera *camera, const struct ct_sim_camera_config *config,
                   double z_mm, struct ct_err *err)
{
  FILE *file = fopen(path, "wb");
  if (!file) return ct_err_set(err, CT_EIO, "%s cannot be written: %s", path, strerror(errno));
  uint32_t size = ct_sim_camera_slice_size(config);
  size_t pixels = (size_t)size * size;
  float *values = ct_xcalloc(pixels, sizeof *values);
  ct_sim_camera_slice(camera, 0, z_mm, size, values);
  char text[HEADER_BYTES];
  snprintf(text, sizeof text, "{'descr': '%cf4', 'fortran_order': False, 'shape': (%u, %u), }", byte_order(), size, size);
  put_dictionary(file, text);
  fwrite(values, sizeof *values, pixels, file);
  free(values);
  bool good = !ferror(file);
  if (fclose(file) || !good) return ct_err_set(err, CT_EIO, "%s cannot be written: %s", path, strerror(errno));
  return 0;
}
