/* See tape.h. Scalars leave with the time of now, as a live source's would. */
#include "pipeline/tape.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/cell.h>

enum { MESSAGE_BYTES = 16 << 10, PARTS = 2 + 2 * CT_WIRE_CHANNELS, LINGER_MS = 1000 };

struct ct_tape {
  struct ct_publisher *publisher;
  char run[1200];
  struct ct_run_scalars *scalars;      /* of the run, or... */
  struct ct_mpt_row *rows;             /* ...of a file */
  size_t n_rows, rows_room, at;
  double begin_s;
  uint64_t pulse;
  /* One that was fetched and not yet sent. */
  bool held;
  struct ct_run_scalar scalar;
  unsigned char buffer[MESSAGE_BYTES];
};

static int publish(struct ct_tape *t, const struct ct_wire_scalar *channels, size_t n)
{
  struct ct_wire_part parts[PARTS];
  struct ct_publisher_part out[PARTS];
  int n_parts = ct_wire_bsread_encode(t->buffer, sizeof t->buffer, parts, PARTS, t->pulse++, ct_time_wall_ns(), channels, n);
  if (n_parts < 0)
    return CT_EIO;
  for (int i = 0; i < n_parts; i++)
    out[i] = (struct ct_publisher_part){ parts[i].data, parts[i].bytes };
  return ct_publisher_send(t->publisher, out, (size_t)n_parts);
}

/* ---- out of a run --------------------------------------------------------------------------------------------------- */
static bool fetch(struct ct_tape *t, int64_t until_ns)
{
  if (!t->held)
    t->held = ct_run_scalars_next(t->scalars, until_ns, &t->scalar);
  return t->held && t->scalar.arrival_ns < until_ns;
}

/* Scalars that came at one moment make one message, as they did. */
static int play_run(struct ct_tape *t, int64_t first_ns, double elapsed_s)
{
  enum { TOGETHER = 16 };
  const int64_t until_ns = first_ns + (int64_t)(elapsed_s * 1e9), begin_ns = first_ns + (int64_t)(t->begin_s * 1e9);
  int rc = 0;
  while (rc == 0 && fetch(t, until_ns)) {
    char names[TOGETHER][64];
    struct ct_wire_scalar channels[TOGETHER];
    size_t n = 0;
    const int64_t arrival_ns = t->scalar.arrival_ns;
    for (; n < TOGETHER && fetch(t, until_ns) && t->scalar.arrival_ns == arrival_ns; n++, t->held = false) {
      snprintf(names[n], sizeof names[n], "%s", t->scalar.name);
      channels[n] = (struct ct_wire_scalar){ names[n], t->scalar.value, ct_time_wall_ns() };
    }
    if (t->begin_s <= 0 || arrival_ns >= begin_ns)
      rc = publish(t, channels, n);
  }
  return rc;
}

/* ---- out of a file -------------------------------------------------------------------------------------------------- */
static void keep_row(void *arg, const struct ct_mpt_row *row)
{
  struct ct_tape *t = arg;
  if (t->n_rows == t->rows_room)
    t->rows = ct_xgrow(t->rows, &t->rows_room, sizeof *t->rows);
  t->rows[t->n_rows++] = *row;
}

static int read_mpt(struct ct_tape *t, const char *path, struct ct_err *err)
{
  struct ct_mpt *mpt = ct_xcalloc(1, sizeof *mpt);
  struct ct_err why = { "" };
  char bytes[1 << 14];
  size_t n;
  int rc = 0;
  FILE *file = fopen(path, "rb");
  ct_mpt_init(mpt);
  if (file == NULL)
    rc = ct_err_set(err, CT_EIO, "%s: %s", path, strerror(errno));
  while (rc == 0 && (n = fread(bytes, 1, sizeof bytes, file)) > 0)
    if ((rc = ct_mpt_feed(mpt, bytes, n, keep_row, t, &why)) != 0)
      ct_err_set(err, rc, "%s: %s", path, why.text);
  if (rc == 0 && t->n_rows == 0)
    rc = ct_err_set(err, CT_ENOTFOUND, "%s: has no rows", path);
  if (file != NULL)
    fclose(file);
  free(mpt);
  return rc;
}

/* Its first row goes with the first frame. */
static double row_s(const struct ct_tape *t, size_t i)
{
  const struct ct_mpt_row *row = &t->rows[i], *first = &t->rows[0];
  const double by_wall = row->wall_s - first->wall_s, by_time = row->value[CT_MPT_TIME] - first->value[CT_MPT_TIME];
  return isnan(by_wall) ? isnan(by_time) ? 0 : by_time : by_wall;
}

static int play_rows(struct ct_tape *t, double elapsed_s)
{
  int rc = 0;
  for (; rc == 0 && t->at < t->n_rows && row_s(t, t->at) <= elapsed_s; t->at++) {
    const struct ct_mpt_row *row = &t->rows[t->at];
    const int64_t now_ns = ct_time_wall_ns();
    const struct ct_wire_scalar channels[] = { { "Ewe_V", row->value[CT_MPT_VOLTAGE], now_ns },
                                               { "I_A", row->value[CT_MPT_CURRENT], now_ns },
                                               { "Q_Ah", row->value[CT_MPT_CHARGE], now_ns } };
    if (row_s(t, t->at) >= t->begin_s)
      rc = publish(t, channels, 3);
  }
  return rc;
}

/* ---- both ------------------------------------------------------------------------------------------------------------ */
int ct_tape_play(struct ct_tape *t, int64_t first_ns, double elapsed_s)
{
  return t->rows != NULL ? play_rows(t, elapsed_s) : play_run(t, first_ns, elapsed_s);
}

int ct_tape_rewind(struct ct_tape *t, double begin_s, struct ct_err *err)
{
  t->at = 0;
  t->held = false;
  t->begin_s = begin_s;
  if (t->rows != NULL)
    return 0;
  ct_run_scalars_close(t->scalars);
  t->scalars = NULL;
  return ct_run_scalars_open(&t->scalars, t->run, err);
}

int ct_tape_open(struct ct_tape **out, const char *endpoint, const char *run, const char *mpt, struct ct_err *err)
{
  struct ct_tape *t = ct_xcalloc(1, sizeof *t);
  *out = NULL;
  snprintf(t->run, sizeof t->run, "%s", run);
  int rc = mpt[0] != '\0' ? read_mpt(t, mpt, err) : ct_tape_rewind(t, 0, err);
  if (rc != 0 && mpt[0] == '\0')
    ct_err_set(err, CT_ENOTFOUND, "%s: is no archived run, so it has no scalars; give --mpt FILE", run);
  if (rc == 0)
    rc = ct_publisher_open(&t->publisher, endpoint, CT_PUBLISH_PUB, 1 << 20, 1024, err);
  if (rc != 0) {
    ct_tape_close(t);
    return rc;
  }
  *out = t;
  return 0;
}

void ct_tape_close(struct ct_tape *t)
{
  if (t == NULL)
    return;
  ct_publisher_close(t->publisher, LINGER_MS);
  ct_run_scalars_close(t->scalars);
  free(t->rows);
  free(t);
}
