/* Any bytes as a cell log, in one piece and in two: the same rows, numbers or nothing in them. */
#include <comptop/cell.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/fuzz.h"

#define HEAD "EC-Lab ASCII FILE\nNb header lines : 4\nAcquisition started on : 11/23/2026 02:03:04\n"
const char *const fuzz_seeds[] = { HEAD "time/s\tEwe/V\tI/mA\t(Q-Qo)/mA.h\n1\t3.7\t2\t0.1\n2,5\t3,7\t-2E-3\t0\n",
                                   "BT-Lab ASCII FILE\r\nNb header lines : 3\r\ntime/s\t<I>/uA\r\n11/23/2026 02:03:04.5\t7\r\n" };
const size_t fuzz_seed_count = sizeof fuzz_seeds / sizeof *fuzz_seeds;

struct sums {
  uint64_t rows;
  double total;
};

static void take(void *arg, const struct ct_mpt_row *row)
{
  struct sums *sums = arg;
  bool any = false;
  for (int i = 0; i < CT_MPT_QUANTITIES; i++) {
    if (isinf(row->value[i]))
      abort();
    any = any || (i != CT_MPT_TIME && !isnan(row->value[i]));
    sums->total += isnan(row->value[i]) ? 1 : row->value[i];
  }
  if (!any || isinf(row->wall_s))
    abort();
  sums->rows++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct ct_mpt mpt;
  struct sums whole = { 0 }, parts = { 0 };
  struct ct_err err = { "" };
  ct_mpt_init(&mpt);
  int code = ct_mpt_feed(&mpt, (const char *)data, size, take, &whole, &err);
  if ((code != 0 && code != CT_EFORMAT) || (code != 0 && err.text[0] == '\0') || mpt.rows != whole.rows)
    abort();
  ct_mpt_init(&mpt);
  int again = ct_mpt_feed(&mpt, (const char *)data, size / 2, take, &parts, NULL);
  again = ct_mpt_feed(&mpt, (const char *)data + size / 2, size - size / 2, take, &parts, NULL);
  if (again != code || parts.rows != whole.rows || memcmp(&parts.total, &whole.total, sizeof whole.total) != 0)
    abort();
  return 0;
}
