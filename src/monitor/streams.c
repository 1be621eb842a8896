/* How each stream is, and how fast it comes. */
#include "collector.h"

#include <math.h>

static const double rate_over_s = 3, late_frames = 3;

double meter_rate(struct meter *m, int64_t mono_ns, uint64_t count)
{
  unsigned newest = (m->n + METER_SAMPLES - 1) % METER_SAMPLES;
  if (m->n == 0 || mono_ns - m->samples[newest].mono_ns >= CT_NS_PER_S / 12) {
    newest = m->n++ % METER_SAMPLES;
    m->samples[newest].mono_ns = mono_ns;
    m->samples[newest].count = count;
  }
  for (unsigned back = m->n < METER_SAMPLES ? m->n : METER_SAMPLES; back > 1; back--) {
    unsigned then = (m->n - back) % METER_SAMPLES;
    double span_s = (double)(mono_ns - m->samples[then].mono_ns) / 1e9;
    /* The time before the first one is no part of the rate. */
    if (span_s <= rate_over_s && span_s > 0 && m->samples[then].count > 0)
      return (double)(count - m->samples[then].count) / span_s;
  }
  return 0;
}

/* How long between two frames: what is configured for a detector that sends them all, else what was seen. */
static double frame_time_s(const struct stream *s, int64_t mono_ns)
{
  const struct ct_snapshot_stream *now = &s->now;
  if (now->role == CT_ROLE_HEXITEC && !now->sampled)
    return 1 / s->setup->receiver.frame_hz;
  return now->frames > 1 ? (double)(mono_ns - s->opened_ns) / 1e9 / (double)now->frames : 0;
}

static enum ct_stream_state judge(const struct stream *s, int64_t mono_ns, bool connected)
{
  if (!connected)
    return CT_STREAM_DOWN;
  double silent_s = isnan(s->now.silent_s) ? (double)(mono_ns - s->opened_ns) / 1e9 : s->now.silent_s;
  double frames_s = late_frames * frame_time_s(s, mono_ns);
  if (silent_s > fmax(STALE_AFTER_S, frames_s))
    return s->now.role == CT_ROLE_CAMERA ? CT_STREAM_IDLE : CT_STREAM_STALE;
  return silent_s > fmax(LATE_AFTER_S, frames_s) ? CT_STREAM_LATE : CT_STREAM_LIVE;
}

static void tick_stream(struct stream *s, int64_t mono_ns)
{
  if (s->reader) {
    ct_reader_stats(s->reader, &s->now);
    return;
  }
  if (s->receiver)
    ct_receiver_stats(s->receiver, &s->now);
  else
    ct_scalars_stats(s->scalars, &s->now);
  s->now.rate_hz = meter_rate(&s->meter, mono_ns, s->now.frames);
  s->now.state = judge(s, mono_ns, s->receiver ? ct_receiver_connected(s->receiver) : ct_scalars_connected(s->scalars));
}

void collector_tick(struct collector *c)
{
  int64_t mono_ns = ct_time_mono_ns();
  for (uint32_t i = 0; i < c->n_streams; i++)
    tick_stream(&c->streams[i], mono_ns);
}
