#include "angles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/frame.h>
#include <comptop/ring.h>

/* At 100 projections a second: what is told 40 s ahead, and waits 10 s, 0.3 s of it with its image. */
enum { TOLD = 4096, KNOWN = 4096, HELD = 1024, IMAGES = 32 };

struct ct_angles {
  struct ct_ring *ring;               /* of struct ct_told, from the other thread */
  struct { struct ct_told told; bool valid; } known[KNOWN];   /* a trigger's place is trigger % KNOWN */
  struct ct_told current;             /* of the latest frame that found what was told of it */
  bool has_current, keys;             /* some were told */
  bool news;                          /* told since those that wait were looked at */
  uint32_t cols;
  struct { struct ct_waiting projection; bool waits; } held[HELD];   /* first in, first out, with holes */
  uint64_t head, tail;                /* held[head % HELD] .. held[(tail - 1) % HELD] */
  uint64_t look;                      /* where ct_angles_next goes on */
  float *rows;                        /* HELD x cols */
  float *images;                      /* n_images x pixels, that of held i at i % n_images */
  size_t pixels, n_images;
};

int ct_angles_open(struct ct_angles **out, struct ct_err *err)
{
  struct ct_angles *a = ct_xcalloc(1, sizeof *a);
  const struct ct_ring_config config = { .slots = TOLD, .slot_bytes = sizeof(struct ct_told), .consumers = 1 };
  int code = ct_ring_new(&a->ring, &config, err);
  if (code != 0) {
    ct_angles_close(a);
    return code;
  }
  *out = a;
  return 0;
}

void ct_angles_close(struct ct_angles *a)
{
  if (a == NULL)
    return;
  ct_ring_free(a->ring);
  free(a->rows);
  free(a->images);
  free(a);
}

void ct_angles_tell(struct ct_angles *a, double trigger, double angle_deg, double key)
{
  static const double exact = 9007199254740992;   /* 2^53: larger ones are not what was sent */
  void *slot;
  bool is_key = key >= CT_KEY_PROJECTION && key <= CT_KEY_INVALID;
  if (!(trigger >= 0 && trigger < exact) || !(isfinite(angle_deg) || is_key) || ct_ring_reserve(a->ring, 1, &slot) == 0)
    return;
  *(struct ct_told *)slot = (struct ct_told){ (uint64_t)trigger, angle_deg, is_key ? (int)key : -1 };
  ct_ring_commit(a->ring, 1, NULL);
}

void ct_angles_take(struct ct_angles *a)
{
  struct ct_ring_batch batch;
  while (ct_ring_peek(a->ring, 0, TOLD, &batch) > 0) {
    const struct ct_told *told = batch.slots;
    for (size_t i = 0; i < batch.n; i++) {
      a->known[told[i].trigger % KNOWN].told = told[i];
      a->known[told[i].trigger % KNOWN].valid = true;
      a->keys |= told[i].key >= 0;
    }
    a->news = true;
    a->look = a->head;
    ct_ring_release(a->ring, 0, batch.n);
  }
}

bool ct_angles_find(struct ct_angles *a, uint64_t trigger, struct ct_told *told)
{
  if (a->known[trigger % KNOWN].valid && a->known[trigger % KNOWN].told.trigger == trigger) {
    a->current = a->known[trigger % KNOWN].told;
    a->known[trigger % KNOWN].valid = false;
    a->has_current = true;
  }
  if (!a->has_current || a->current.trigger != trigger)
    return false;
  *told = a->current;
  return true;
}

bool ct_angles_tell_keys(const struct ct_angles *a) { return a->keys; }

/* Head goes on to the oldest that waits. */
static void close_up(struct ct_angles *a)
{
  while (a->head != a->tail && !a->held[a->head % HELD].waits)
    a->head++;
  if (a->look < a->head)
    a->look = a->head;
}

uint64_t ct_angles_expire(struct ct_angles *a, int64_t until_ns)
{
  uint64_t n = 0;
  for (close_up(a); a->head != a->tail && a->held[a->head % HELD].projection.arrival_ns < until_ns; close_up(a)) {
    a->held[a->head % HELD].waits = false;
    n++;
  }
  return n;
}

uint64_t ct_angles_reshape(struct ct_angles *a, uint32_t cols, size_t pixels, uint64_t bytes)
{
  uint64_t n = ct_angles_expire(a, INT64_MAX), room = pixels > 0 ? bytes / (pixels * sizeof *a->images) : 0;
  free(a->rows);
  free(a->images);
  a->cols = cols;
  a->rows = ct_xcalloc((size_t)HELD * cols, sizeof *a->rows);
  a->pixels = pixels;
  a->n_images = room < IMAGES ? (size_t)room : IMAGES;
  a->images = a->n_images > 0 ? ct_xcalloc(a->n_images * pixels, sizeof *a->images) : NULL;
  return n;
}

bool ct_angles_hold(struct ct_angles *a, const struct ct_waiting *waiting)
{
  close_up(a);
  bool full = a->tail - a->head == HELD;
  if (full) {
    a->held[a->head % HELD].waits = false;
    close_up(a);
  }
  size_t place = a->tail++ % HELD;
  a->held[place].projection = *waiting;
  a->held[place].projection.row = a->rows + place * a->cols;
  a->held[place].projection.image = NULL;
  a->held[place].waits = true;
  memcpy(a->held[place].projection.row, waiting->row, a->cols * sizeof *waiting->row);
  return full;
}

void ct_angles_hold_image(struct ct_angles *a, const float *image)
{
  uint64_t latest = a->tail - 1;
  if (a->n_images == 0)
    return;
  float *place = a->images + latest % a->n_images * a->pixels;
  if (latest >= a->n_images)
    a->held[(latest - a->n_images) % HELD].projection.image = NULL;   /* which was there */
  memcpy(place, image, a->pixels * sizeof *place);
  a->held[latest % HELD].projection.image = place;
}

void ct_angles_forget_images(struct ct_angles *a)
{
  for (uint64_t i = a->head; i != a->tail; i++)
    a->held[i % HELD].projection.image = NULL;
}

uint32_t ct_angles_waiting(const struct ct_angles *a)
{
  uint32_t n = 0;
  for (uint64_t i = a->head; i != a->tail; i++)
    n += a->held[i % HELD].waits;
  return n;
}

bool ct_angles_next(struct ct_angles *a, struct ct_waiting *waiting, struct ct_told *told)
{
  if (!a->news)
    return false;
  for (; a->look != a->tail; a->look++) {
    size_t place = a->look % HELD;
    if (!a->held[place].waits || !ct_angles_find(a, a->held[place].projection.trigger, told))
      continue;
    a->held[place].waits = false;
    *waiting = a->held[place].projection;
    return true;
  }
  a->news = false;
  return false;
}
