/* An absolute time table: frame k is due at start + k / rate, whatever happened to the frames before. */
#include <comptop/pipeline.h>

#include <assert.h>
#include <time.h>

/* Waking up for every frame at 9 kHz costs more than sending it. */
static const int64_t burst_ns = 3 * 1000 * 1000;
/* No sleep is longer, so that a caller sees its stop flag soon. */
static const int64_t nap_ns = 200 * 1000 * 1000;
/* So much of what is late goes at once. */
static const int64_t slack_ns = 10 * 1000 * 1000;

void ct_pace_start(struct ct_pace *pace, double rate_hz)
{
  assert(rate_hz >= 0);
  *pace = (struct ct_pace){ .rate_hz = rate_hz, .start_ns = ct_time_mono_ns() };
}

static int sleep_until(const struct ct_pace *pace, int64_t wake_ns, int64_t now_ns)
{
  if (wake_ns > now_ns + nap_ns)
    wake_ns = now_ns + nap_ns;
  if (pace->wake_ns != 0 && wake_ns > pace->wake_ns)
    wake_ns = pace->wake_ns;
  struct timespec wake = { .tv_sec = (time_t)(wake_ns / CT_NS_PER_S), .tv_nsec = (long)(wake_ns % CT_NS_PER_S) };
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &wake, NULL);
  return CT_EBUSY;
}

int ct_pace_wait_for(struct ct_pace *pace, double elapsed_s)
{
  const double period_ns = pace->rate_hz > 0 ? 1e9 / pace->rate_hz : 0;
  const int64_t due_ns = pace->start_ns + (int64_t)(elapsed_s * 1e9);
  const int64_t now_ns = ct_time_mono_ns();
  pace->late_ns = now_ns - due_ns;
  if (pace->late_ns < 0)
    return sleep_until(pace, due_ns + (period_ns < (double)burst_ns ? burst_ns : 0), now_ns);
  if (pace->late_ns > pace->worst_late_ns)
    pace->worst_late_ns = pace->late_ns;
  return 0;
}

/* Frames up to <k> leave now. */
static void leave(struct ct_pace *pace, uint64_t k, int64_t now_ns)
{
  const int64_t least_ns = now_ns - slack_ns;
  const uint64_t frames = k > pace->last ? k - pace->last : 1;
  pace->earliest_ns = (pace->earliest_ns > least_ns ? pace->earliest_ns : least_ns) + (int64_t)((double)frames * 0.5e9 / pace->rate_hz);
  pace->last = k;
}

int ct_pace_wait(struct ct_pace *pace, uint64_t k)
{
  if (!(pace->rate_hz > 0))
    return 0;
  if (ct_pace_wait_for(pace, (double)k / pace->rate_hz) != 0)
    return CT_EBUSY;
  const int64_t now_ns = ct_time_mono_ns();
  if (pace->earliest_ns > now_ns)
    return sleep_until(pace, pace->earliest_ns + burst_ns, now_ns);
  leave(pace, k, now_ns);
  return 0;
}
