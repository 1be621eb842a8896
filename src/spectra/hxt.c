/* Histogram cubes of the GigE software (.hxt, version 3; and version 1, whose head is shorter). */
#include <comptop/spectra.h>

#include <math.h>
#include <string.h>

enum { HEAD_V1 = 28, HEAD_V3 = 184, SHAPE_V1 = 16, SHAPE_V3 = 172, EDGE_MAX = 4096, BINS_MAX = 1 << 20 };

static uint32_t u32_at(const unsigned char *bytes)
{
  return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static double f64_at(const unsigned char *bytes)
{
  const uint64_t bits = u32_at(bytes) | (uint64_t)u32_at(bytes + 4) << 32;
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* Starts of bins that are all as wide, to a part in 10^6 of a bin; the last bin is taken to be so, too. */
static int read_axis(struct ct_hxt *out, const unsigned char *starts, struct ct_err *err)
{
  const uint32_t n = out->axis.n;
  const double first = f64_at(starts), width = n > 1 ? (f64_at(starts + 8 * (n - 1)) - first) / (n - 1) : 0;
  if (!isfinite(first) || !(width > 0) || !isfinite(first + n * width))
    return ct_err_set(err, CT_EFORMAT, "its bins do not ascend");
  for (uint32_t i = 0; i < n; i++)
    if (!(fabs(f64_at(starts + 8 * (size_t)i) - first - i * width) < 1e-6 * width))
      return ct_err_set(err, CT_EUNSUPPORTED, "its bins are not all of one width: see bin %u", i);
  out->axis.start_keV = first;
  out->axis.width_keV = width;
  return 0;
}

int ct_hxt_parse(struct ct_hxt *out, const void *file, size_t n, struct ct_err *err)
{
  const unsigned char *bytes = file;
  memset(out, 0, sizeof *out);
  if (n < HEAD_V1 || memcmp(bytes, "HEXITECH", 8) != 0)
    return ct_err_set(err, CT_EFORMAT, "no .hxt file: it does not begin with HEXITECH");
  const uint64_t version = u32_at(bytes + 8) | (uint64_t)u32_at(bytes + 12) << 32;
  if (version != 1 && version != 3)
    return ct_err_set(err, CT_EUNSUPPORTED, "version %llu of .hxt; 1 and 3 are known", (unsigned long long)version);
  const size_t head = version == 1 ? HEAD_V1 : HEAD_V3, shape = version == 1 ? SHAPE_V1 : SHAPE_V3;
  if (n < head)
    return ct_err_set(err, CT_EFORMAT, "ends within its head");
  out->rows = u32_at(bytes + shape);
  out->cols = u32_at(bytes + shape + 4);
  out->axis.n = u32_at(bytes + shape + 8);
  if (out->rows - 1 >= EDGE_MAX || out->cols - 1 >= EDGE_MAX || out->axis.n - 2 >= BINS_MAX)
    return ct_err_set(err, CT_ESHAPE, "%u rows, %u columns, %u bins", out->rows, out->cols, out->axis.n);
  const uint64_t values = (uint64_t)out->axis.n * (1 + (uint64_t)out->rows * out->cols);
  if (n != head + 8 * values)
    return ct_err_set(err, CT_EFORMAT, "%u rows, %u columns and %u bins make %llu bytes; it has %zu", out->rows, out->cols,
                      out->axis.n, (unsigned long long)(head + 8 * values), n);
  out->counts = bytes + head + 8 * (size_t)out->axis.n;
  return read_axis(out, bytes + head, err);
}

uint32_t ct_hxt_count(const struct ct_hxt *hxt, size_t pixel, uint32_t bin)
{
  const double counts = f64_at(hxt->counts + 8 * (pixel * hxt->axis.n + bin));
  if (!(counts > 0))
    return 0;
  return counts < UINT32_MAX ? (uint32_t)(counts + 0.5) : UINT32_MAX;
}
