/* One look at the streams, for a monitoring system. */
#include "check.h"

#include <math.h>
#include <unistd.h>

static const double look_s = 1;

static bool all_have_data(const struct collector *c)
{
  for (uint32_t i = 0; i < c->n_streams; i++)
    if (c->streams[i].now.frames == 0)
      return false;
  return true;
}

static void tick(struct collector *c)
{
  for (uint32_t i = 0; i < c->n_streams; i++)
    while (c->streams[i].scalars && ct_scalars_drain(c->streams[i].scalars, collector_take_scalars, c))
      ;
  collector_tick(c);
}

static int judge(const struct collector *c)
{
  if (!all_have_data(c))
    return CT_ENODATA;
  for (uint32_t i = 0; i < c->n_streams; i++) {
    const struct ct_snapshot_stream *now = &c->streams[i].now;
    if (now->state == CT_STREAM_STALE || now->state == CT_STREAM_DOWN || now->state == CT_STREAM_LATE || now->lost > 0)
      return CT_ESTALE;
  }
  return 0;
}

static void print_line(const struct collector *c, int code, FILE *out)
{
  fprintf(out, "comptop %s", code == 0 ? "OK" : code == CT_ENODATA ? "NO DATA" : "STALE OR LOST");
  for (uint32_t i = 0; i < c->n_streams; i++) {
    const struct ct_snapshot_stream *now = &c->streams[i].now;
    fprintf(out, "%s %s %s %.6g/s frames %llu lost %llu", i ? "," : ":", now->name, ct_stream_state_word(now->state),
            now->rate_hz, (unsigned long long)now->frames, (unsigned long long)now->lost);
  }
  fputc('\n', out);
  fflush(out);
}

int check_run(struct collector *c, double timeout_s, FILE *out)
{
  int64_t start_ns = ct_time_mono_ns(), complete_ns = 0;
  for (;;) {
    usleep(50000);
    tick(c);
    int64_t now_ns = ct_time_mono_ns();
    if (complete_ns == 0 && all_have_data(c))
      complete_ns = now_ns;
    if (complete_ns != 0 && (double)(now_ns - complete_ns) / 1e9 >= look_s)
      break;
    if (complete_ns == 0 && (double)(now_ns - start_ns) / 1e9 >= timeout_s)
      break;
  }
  /* Judged while still connected; then the gaps that are open count as lost. */
  int code = judge(c);
  collector_stop(c);
  if (code == 0)
    for (uint32_t i = 0; i < c->n_streams; i++)
      if (c->streams[i].now.lost > 0)
        code = CT_ESTALE;
  print_line(c, code, out);
  return code;
}
