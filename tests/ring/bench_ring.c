/* What one item costs through the ring, beside ck_ring (Debian's libck) in the same run: pointer-sized items, one
 * consumer, the same number of slots. Repetitions of ours and of theirs take turns; the figure is the median. */
#include <config.h>

#include <ck_ring.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <comptop/core.h>
#include <comptop/ring.h>

enum { SLOTS = 16384, ITEMS = 1 << 20, REPEATS = 21, ENOUGH = 11, BATCH = 64 };

struct run {
  struct ct_ring *ring;
  ck_ring_t ck;
  ck_ring_buffer_t *buffer;
  size_t batch;
  atomic_bool go;
  uint64_t sum;
};

static void out_of_order(void)
{
  fputs("bench_ring: items lost or out of order\n", stderr);
  exit(1);
}

static size_t our_send(struct run *run, uint64_t first, size_t n)
{
  void *slots = NULL;
  n = ct_ring_reserve(run->ring, n, &slots);
  uint64_t *items = slots;
  for (size_t i = 0; i < n; i++)
    items[i] = first + i;
  if (n)
    ct_ring_commit(run->ring, n, NULL);
  return n;
}

static size_t our_receive(struct run *run, size_t n)
{
  struct ct_ring_batch batch;
  n = ct_ring_peek(run->ring, 0, n, &batch);
  const uint64_t *items = batch.slots;
  for (size_t i = 0; i < n; i++)
    run->sum += items[i];
  if (n)
    ct_ring_release(run->ring, 0, n);
  return n;
}

static size_t ck_send(struct run *run, uint64_t first, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (!ck_ring_enqueue_spsc(&run->ck, run->buffer, (void *)(uintptr_t)(first + i + 1)))
      return i;
  return n;
}

static size_t ck_receive(struct run *run, size_t n)
{
  void *item;
  for (size_t i = 0; i < n; i++) {
    if (!ck_ring_dequeue_spsc(&run->ck, run->buffer, &item))
      return i;
    run->sum += (uint64_t)(uintptr_t)item - 1;
  }
  return n;
}

struct side {
  size_t (*send)(struct run *run, uint64_t first, size_t n);
  size_t (*receive)(struct run *run, size_t n);
};
static const struct side ours = {our_send, our_receive};
static const struct side theirs = {ck_send, ck_receive};

static cpu_set_t allowed;   /* written before there are threads */

static void pin(unsigned nth)
{
  cpu_set_t one;
  CPU_ZERO(&one);
  for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
    if (CPU_ISSET(cpu, &allowed) && nth-- == 0)
      CPU_SET(cpu, &one);
  pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static long switches(void)
{
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

struct job {
  struct run *run;
  const struct side *side;
};

static void *producer(void *arg)
{
  struct job *job = arg;
  pin(1);
  while (!atomic_load_explicit(&job->run->go, memory_order_acquire)) /* partner: measure_across */
    ck_pr_stall();
  for (uint64_t sent = 0; sent < ITEMS;) {
    uint64_t left = ITEMS - sent;
    size_t n = job->side->send(job->run, sent, left < job->run->batch ? (size_t)left : job->run->batch);
    sent += n;
    if (n == 0)
      ck_pr_stall();
  }
  return NULL;
}

static double measure_across(struct run *run, const struct side *side)
{
  struct job job = {run, side};
  pthread_t thread;
  run->sum = 0;
  atomic_init(&run->go, false);
  if (pthread_create(&thread, NULL, producer, &job))
    exit(1);
  int64_t start_ns = ct_time_mono_ns();
  atomic_store_explicit(&run->go, true, memory_order_release); /* partner: producer */
  for (size_t got = 0; got < ITEMS;) {
    size_t n = side->receive(run, run->batch);
    got += n;
    if (n == 0)
      ck_pr_stall();
  }
  int64_t took_ns = ct_time_mono_ns() - start_ns;
  pthread_join(thread, NULL);
  return (double)took_ns / ITEMS;
}

static double measure_same(struct run *run, const struct side *side)
{
  run->sum = 0;
  int64_t start_ns = ct_time_mono_ns();
  for (uint64_t sent = 0; sent < ITEMS; sent += run->batch)
    if (side->send(run, sent, run->batch) != run->batch || side->receive(run, run->batch) != run->batch)
      out_of_order();
  return (double)(ct_time_mono_ns() - start_ns) / ITEMS;
}

static double median(double *values, size_t n)
{
  qsort(values, n, sizeof *values, ct_by_double);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Undisturbed repetitions only, if there are enough of them. */
struct series {
  double all[REPEATS], calm[REPEATS];
  size_t n, n_calm;
};

static void repeat(struct series *series, struct run *run, const struct side *side,
                   double (*measure)(struct run *run, const struct side *side))
{
  long switched = switches();
  double ns = measure(run, side);
  if (run->sum != (uint64_t)ITEMS * (ITEMS - 1) / 2)
    out_of_order();
  series->all[series->n++] = ns;
  if (switches() == switched)
    series->calm[series->n_calm++] = ns;
}

static double figure(struct series *series)
{
  return series->n_calm >= ENOUGH ? median(series->calm, series->n_calm) : median(series->all, series->n);
}

static void compare(const char *name, struct run *run, size_t batch,
                    double (*measure)(struct run *run, const struct side *side))
{
  struct series our = {.n = 0}, their = {.n = 0};
  run->batch = batch;
  for (int i = 0; i < REPEATS; i++) {
    repeat(&their, run, &theirs, measure);
    repeat(&our, run, &ours, measure);
  }
  double us = figure(&our), them = figure(&their);
  printf("%s\t%.2f\tns/item\tck_ring spsc\t%.2f\t%.2f\n", name, us, them, us / them);
}

int main(void)
{
  struct ct_ring_config config = {.slots = SLOTS, .slot_bytes = sizeof(uint64_t), .consumers = 1, .lossless = {true}};
  struct run run = {.batch = 1};
  struct ct_err err;
  if (ct_ring_new(&run.ring, &config, &err)) {
    fprintf(stderr, "bench_ring: %s\n", err.text);
    return 1;
  }
  run.buffer = calloc(SLOTS, sizeof *run.buffer);
  if (!run.buffer)
    return 1;
  ck_ring_init(&run.ck, SLOTS);
  if (sched_getaffinity(0, sizeof allowed, &allowed) || CPU_COUNT(&allowed) < 2) {
    fputs("bench_ring: needs two cores\n", stderr);
    return 1;
  }
  pin(0);
  compare("ring cross-core single", &run, 1, measure_across);
  compare("ring cross-core batches of 64", &run, BATCH, measure_across);
  compare("ring same thread single", &run, 1, measure_same);
  compare("ring same thread batches of 64", &run, BATCH, measure_same);
  free(run.buffer);
  ct_ring_free(run.ring);
  return 0;
}
