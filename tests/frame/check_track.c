/* The tracker against told stories, and against a slow model that keeps a state for every single number. */
#include <comptop/frame.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000000)

static struct ct_track track;
static struct ct_track_result result;

/* One frame of a message of one; its verdict. */
static enum ct_verdict one(uint64_t number, int64_t now_ns)
{
  assert_int_equal(ct_track_add(&track, number, 1, now_ns, &result), 0);
  assert_int_equal(result.n_spans, 1);
  assert_int_equal(result.spans[0].count, 1);
  return result.spans[0].verdict;
}

static void one_span(uint64_t first, uint32_t count, int64_t now_ns, enum ct_verdict verdict)
{
  assert_int_equal(ct_track_add(&track, first, count, now_ns, &result), 0);
  assert_int_equal(result.n_spans, 1);
  assert_int_equal(result.spans[0].offset, 0);
  assert_int_equal(result.spans[0].count, count);
  assert_int_equal(result.spans[0].verdict, verdict);
}

static void lost_is(uint64_t first, uint64_t last)
{
  uint64_t got_first, got_last;
  assert_true(ct_track_lost_next(&track, &got_first, &got_last));
  assert_int_equal(got_first, first);
  assert_int_equal(got_last, last);
}

static void nothing_lost(void)
{
  uint64_t first, last;
  assert_false(ct_track_lost_next(&track, &first, &last));
}

static void types_as_array_1_0_spells_them(void **state)
{
  (void)state;
  static const struct { enum ct_type type; size_t bytes; const char *text; float most; } table[] = {
    { CT_U8, 1, "uint8", 255 }, { CT_U16, 2, "uint16", 65535 }, { CT_I16, 2, "int16", 32767 }, { CT_U32, 4, "uint32", 0x1p32f },
    { CT_I64, 8, "int64", 0x1p63f }, { CT_F32, 4, "float32", INFINITY }, { CT_F64, 8, "float64", INFINITY } };
  assert_int_equal(ct_type_bytes(CT_TYPE_COUNT), 0);
  assert_string_equal(ct_type_text(CT_TYPE_COUNT), "?");
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    assert_int_equal(ct_type_bytes(table[i].type), table[i].bytes);
    assert_string_equal(ct_type_text(table[i].type), table[i].text);
    assert_true(ct_type_most(table[i].type) == table[i].most);
  }
}

static void pixels_without_a_value_are_no_numbers(void **state)
{
  (void)state;
  static const unsigned char pixels[] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 2, 0xff, 0xff, 0xff, 0xff };
  float row[3];
  struct ct_frame frame = { .pixels = pixels, .bytes = sizeof pixels, .type = CT_U32, .big_endian = true, .count = 1, .rows = 1,
                            .cols = 3 };
  ct_frame_row(&frame, 0, 0, row);
  assert_true(isnan(row[0]) && row[1] == 258 && isnan(row[2]));
  frame.type = CT_I32;
  ct_frame_row(&frame, 0, 0, row);
  assert_true(row[0] == -1 && row[1] == 258 && row[2] == -1);
}

/* ---- stories --------------------------------------------------------------------------------- */
/* What odin-data released when UDP packets were lost: frames 1-2 s late, out of order. */
static void late_frames_are_no_loss(void **state)
{
  (void)state;
  static const uint64_t numbers[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 26, 27,
                                      9, 10, 11, 24, 25, 29 };
  ct_track_init(&track, CT_SAMPLED_AUTO);
  int64_t now_ns = 5 * CT_NS_PER_S;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++, now_ns += 50 * MS) {
    bool late = i >= 22 && i < 27;
    assert_int_equal(one(numbers[i], now_ns), late ? CT_TAKE_LATE : CT_TAKE);
  }
  assert_int_equal(track.counts.lost, 0);
  assert_int_equal(ct_track_tick(&track, 8800 * MS), CT_HELD_KEEP);
  assert_int_equal(track.counts.lost, 1);
  lost_is(13, 13);
  assert_int_equal(one(13, 8801 * MS), CT_DROP_TOO_LATE);
  assert_int_equal(one(26, 8801 * MS), CT_DROP_DUPLICATE);
  assert_int_equal(ct_track_end(&track), CT_HELD_KEEP);
  lost_is(28, 28);
  nothing_lost();
  assert_int_equal(track.counts.frames, 28);
  assert_int_equal(track.counts.late, 5);
  assert_int_equal(track.counts.lost, 2);
  assert_int_equal(track.counts.too_late, 1);
  assert_int_equal(track.counts.duplicate, 1);
  assert_int_equal(track.counts.highest, 29);
  assert_int_equal(track.counts.restarts, 0);
}

static void a_gap_is_lost_at_two_and_a_half_seconds(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one(1, 0);
  one(5, 100 * MS);
  assert_int_equal(ct_track_tick(&track, 2600 * MS - 1), CT_HELD_KEEP);
  assert_int_equal(track.counts.lost, 0);
  assert_int_equal(one(3, 2600 * MS - 1), CT_TAKE_LATE);
  assert_int_equal(ct_track_tick(&track, 2600 * MS), CT_HELD_KEEP);
  assert_int_equal(track.counts.lost, 2);
  lost_is(2, 2);
  lost_is(4, 4);
  nothing_lost();
}

static void a_large_jump_is_a_restart(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one(10, 0);
  one(12, 0);
  assert_int_equal(one(12 + CT_TRACK_JUMP, 0), CT_TAKE);
  assert_int_equal(track.counts.restarts, 0);
  assert_int_equal(one(13 + 2 * CT_TRACK_JUMP, 0), CT_TAKE);
  assert_int_equal(track.counts.restarts, 1);
  assert_int_equal(track.counts.first, 13 + 2 * CT_TRACK_JUMP);
  lost_is(11, 11);
  lost_is(13, 11 + CT_TRACK_JUMP);
  nothing_lost();
  assert_int_equal(track.counts.lost, CT_TRACK_JUMP);
}

/* The source says so: whatever the number, seen before or not. */
static void an_announced_beginning(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  ct_track_anew(&track);
  assert_int_equal(one(0, 0), CT_TAKE);
  assert_int_equal(track.counts.restarts, 0);
  assert_int_equal(one(1, 0), CT_TAKE);
  assert_int_equal(one(4, 0), CT_TAKE);
  ct_track_anew(&track);
  assert_int_equal(one(1, 0), CT_TAKE);
  assert_int_equal(track.counts.restarts, 1);
  assert_int_equal(track.counts.frames, 4);
  assert_int_equal(track.counts.highest, 1);
  lost_is(2, 3);
  nothing_lost();
  assert_int_equal(one(2, 0), CT_TAKE);
}

/* A source that sent <old> frames and, joined again after its first ones, begins at <number>. */
static void restart_near(uint64_t old, uint64_t number, uint32_t batch)
{
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(0, (uint32_t)old, 0, CT_TAKE);
  int64_t now_ns = 5 * CT_NS_PER_S;
  ct_track_rejoin(&track);
  for (uint64_t n = number; n < number + 3 * CT_TRACK_RUN; n += batch) {
    assert_int_equal(ct_track_add(&track, n, batch, now_ns += MS, &result), 0);
    assert_int_equal(result.spans[0].verdict, n + batch - number >= CT_TRACK_RUN ? CT_TAKE : CT_HOLD);
  }
  assert_int_equal(track.counts.restarts, 1);
  assert_int_equal(track.counts.duplicate + track.counts.too_late + track.counts.late + track.counts.lost, 0);
  assert_int_equal(track.counts.frames, old + 3 * CT_TRACK_RUN);
  nothing_lost();
}

static void a_new_connection_may_restart_near(void **state)
{
  (void)state;
  uint64_t random = 1;
  for (int k = 0; k < 2000; k++) {
    random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    const uint64_t old = 30 + (random >> 33) % 950, number = (random >> 45) % (old - 24);
    restart_near(old, number, k % 3 == 0 ? 1 : k % 3 == 1 ? 4 : 8);
  }
  /* Where the numbers go on it was a cut of the line, and old numbers are what they were. */
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(0, 500, 0, CT_TAKE);
  ct_track_rejoin(&track);
  assert_int_equal(one(510, 0), CT_TAKE);
  for (uint64_t n = 100; n < 150; n++)
    assert_int_equal(one(n, 0), CT_DROP_DUPLICATE);
  assert_int_equal(track.counts.restarts, 0);
  assert_int_equal(one(505, 0), CT_TAKE_LATE);
  ct_track_init(&track, CT_SAMPLED_OFF);
  ct_track_rejoin(&track);                                       /* nothing has come yet */
  one_span(0, 500, 0, CT_TAKE);
  assert_int_equal(one(100, 0), CT_DROP_DUPLICATE);
}

static void eight_far_below_are_a_restart(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(0, 5000, 0, CT_TAKE);
  one_span(5001, 1, 0, CT_TAKE);
  for (uint64_t n = 0; n < 7; n++) {
    assert_int_equal(one(n, 10 * MS), CT_HOLD);
    assert_int_equal(result.held, CT_HELD_KEEP);
  }
  assert_int_equal(track.counts.frames, 5001);
  assert_int_equal(one(8, 20 * MS), CT_TAKE);
  assert_int_equal(result.held, CT_HELD_TAKE);
  assert_int_equal(track.counts.frames, 5009);
  assert_int_equal(track.counts.restarts, 1);
  assert_int_equal(track.counts.first, 0);
  assert_int_equal(track.counts.highest, 8);
  assert_int_equal(track.counts.duplicate, 0);
  lost_is(5000, 5000);
  nothing_lost();
  assert_int_equal(one(7, 30 * MS), CT_TAKE_LATE);
}

static void a_slow_stream_restarts_too(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(0, 5000, 0, CT_TAKE);
  for (uint64_t n = 0; n < 7; n++)
    assert_int_equal(one(n, (int64_t)n * 2000 * MS), CT_HOLD);
  assert_int_equal(one(7, 14000 * MS), CT_TAKE);
  assert_int_equal(track.counts.restarts, 1);
  assert_int_equal(track.counts.frames, 5008);
  assert_int_equal(track.counts.duplicate, 0);
}

static void seven_far_below_are_not(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(0, 5000, 0, CT_TAKE);
  for (uint64_t n = 100; n < 107; n++)
    assert_int_equal(one(n, 0), CT_HOLD);
  assert_int_equal(one(5000, 0), CT_TAKE);
  assert_int_equal(result.held, CT_HELD_DROP);
  assert_int_equal(track.counts.duplicate, 7);
  assert_int_equal(one(100, 0), CT_HOLD);
  assert_int_equal(one(100, 0), CT_HOLD);          /* does not ascend: the first goes, this one begins anew */
  assert_int_equal(result.held, CT_HELD_DROP);
  assert_int_equal(ct_track_tick(&track, 2500 * MS - 1), CT_HELD_KEEP);
  assert_int_equal(ct_track_tick(&track, 2500 * MS), CT_HELD_DROP);
  assert_int_equal(track.counts.duplicate, 9);
  assert_int_equal(one(3000, 3000 * MS), CT_HOLD);
  assert_int_equal(ct_track_end(&track), CT_HELD_DROP);
  assert_int_equal(track.counts.duplicate, 10);
  assert_int_equal(track.counts.restarts, 0);
}

static void near_restarts_begin_at_the_start(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(20, 64, 0, CT_TAKE);
  one_span(20, 64, 0, CT_HOLD);                    /* a batch sent twice is a duplicate */
  one_span(84, 64, 0, CT_TAKE);
  assert_int_equal(result.held, CT_HELD_DROP);
  assert_int_equal(track.counts.duplicate, 64);
  one_span(30, 10, 0, CT_DROP_DUPLICATE);          /* near, and not from the start */
  one_span(20, 4, 0, CT_HOLD);
  one_span(24, 4, 0, CT_TAKE);
  assert_int_equal(result.held, CT_HELD_TAKE);
  assert_int_equal(track.counts.restarts, 1);
  assert_int_equal(track.counts.highest, 27);
}

static void a_far_batch_is_a_restart_by_itself(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(0, 5064, 0, CT_TAKE);
  one_span(4057, 8, 0, CT_DROP_DUPLICATE);
  assert_int_equal(track.counts.restarts, 0);
  one_span(4056, 8, 0, CT_TAKE);
  assert_int_equal(result.held, CT_HELD_KEEP);
  assert_int_equal(track.counts.restarts, 1);
  assert_int_equal(track.counts.first, 4056);
  assert_int_equal(track.counts.duplicate, 8);
}

static void joining_a_stream_whose_late_frames_still_come(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  one(100, 0);
  assert_int_equal(one(97, 100 * MS), CT_TAKE_LATE);
  assert_int_equal(one(98, 200 * MS), CT_TAKE_LATE);
  assert_int_equal(track.counts.first, 97);
  one(101, 2600 * MS);
  assert_int_equal(one(99, 2601 * MS), CT_DROP_TOO_LATE);
  assert_int_equal(ct_track_end(&track), CT_HELD_KEEP);
  assert_int_equal(track.counts.lost, 0);          /* 99 may have left before we listened */
  assert_int_equal(track.counts.late, 2);
  nothing_lost();
}

static void a_batch_in_pieces(void **state)
{
  (void)state;
  static const struct ct_span expected[] = { { 0, 2, CT_DROP_DUPLICATE }, { 2, 2, CT_DROP_TOO_LATE },
                                             { 4, 1, CT_DROP_DUPLICATE }, { 5, 2, CT_TAKE_LATE },
                                             { 7, 1, CT_DROP_DUPLICATE }, { 8, 2, CT_TAKE } };
  ct_track_init(&track, CT_SAMPLED_OFF);
  one_span(0, 2, 0, CT_TAKE);
  one(4, 0);
  one(7, 2600 * MS);
  assert_int_equal(ct_track_add(&track, 0, 10, 2700 * MS, &result), 0);
  assert_int_equal(result.n_spans, sizeof expected / sizeof *expected);
  for (unsigned i = 0; i < result.n_spans; i++) {
    assert_int_equal(result.spans[i].offset, expected[i].offset);
    assert_int_equal(result.spans[i].count, expected[i].count);
    assert_int_equal(result.spans[i].verdict, expected[i].verdict);
  }
  assert_int_equal(track.counts.duplicate, 4);
  assert_int_equal(track.counts.too_late, 2);
  assert_int_equal(track.counts.late, 2);
  assert_int_equal(track.counts.frames, 8);
}

static void more_pieces_than_spans(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  for (uint64_t n = 0; n <= 40; n += 2)
    one(n, 0);
  assert_int_equal(ct_track_add(&track, 0, 50, 0, &result), 0);
  assert_int_equal(result.n_spans, CT_TRACK_SPANS);
  assert_int_equal(result.spans[15].offset, 15);
  assert_int_equal(result.spans[15].count, 35);
  assert_int_equal(result.spans[15].verdict, CT_DROP_TOO_LATE);
  assert_int_equal(track.counts.frames, 21 + 7);
  assert_int_equal(track.counts.duplicate + track.counts.too_late, 8 + 35);
  assert_int_equal(track.counts.highest, 40);
}

static void a_decimated_stream_has_no_losses(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_AUTO);
  for (uint64_t n = 0; n < 20; n++)
    one(n * 500, (int64_t)n * 500 * MS);
  assert_true(track.counts.sampled);
  assert_int_equal(track.counts.lost, 0);
  nothing_lost();
  int64_t now_ns = 10 * CT_NS_PER_S;
  for (uint64_t n = 9501; n < 9510; n++)           /* every frame again: 9 of the last 16 steps */
    one(n, now_ns);
  assert_false(track.counts.sampled);
  one(9511, now_ns);
  assert_int_equal(ct_track_end(&track), CT_HELD_KEEP);
  lost_is(9510, 9510);
  nothing_lost();

  ct_track_init(&track, CT_SAMPLED_ON);
  one(0, 0);
  one(7, 0);
  assert_int_equal(one(3, 0), CT_TAKE_LATE);
  assert_int_equal(ct_track_end(&track), CT_HELD_KEEP);
  assert_int_equal(track.counts.lost, 0);

  ct_track_init(&track, CT_SAMPLED_OFF);
  for (uint64_t n = 0; n < 20; n++)
    one(n * 500, (int64_t)n * 500 * MS);
  assert_int_equal(ct_track_end(&track), CT_HELD_KEEP);
  assert_int_equal(track.counts.lost, 19 * 499);
}

static void limits_of_the_numbers(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  assert_int_equal(ct_track_add(&track, 0, 0, 0, &result), CT_ERANGE);
  assert_int_equal(ct_track_add(&track, UINT64_MAX, 2, 0, &result), CT_ERANGE);
  assert_int_equal(result.n_spans, 0);
  one_span(UINT64_MAX - 9, 4, 0, CT_TAKE);
  one_span(UINT64_MAX - 2, 3, 0, CT_TAKE);
  assert_int_equal(one(UINT64_MAX - 5, 0), CT_TAKE_LATE);
  assert_int_equal(one(UINT64_MAX, 0), CT_DROP_DUPLICATE);
  one_span(0, 8, 0, CT_TAKE);
  assert_int_equal(track.counts.restarts, 1);
  lost_is(UINT64_MAX - 4, UINT64_MAX - 3);
  assert_int_equal(track.counts.lost, 2);
  one_span(8, UINT32_MAX, 0, CT_TAKE);
  assert_int_equal(track.counts.highest, 7 + (uint64_t)UINT32_MAX);
}

static uint64_t fetch_lost(void)
{
  uint64_t first, last, frames = 0;
  while (ct_track_lost_next(&track, &first, &last))
    frames += last - first + 1;
  return frames;
}

/* Ten thousand gaps at once: the oldest are given up early, and every number is still accounted for once. */
static void more_gaps_than_are_remembered(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  uint64_t listed = 0;
  for (uint64_t n = 0; n <= 40000; n += 4) {
    one(n, 0);
    listed += fetch_lost();
  }
  assert_int_equal(track.counts.lost, (10000 - CT_TRACK_RANGES) * 3);
  for (uint64_t n = 40000 - 4 * CT_TRACK_RANGES + 2; n < 40000; n += 4) {   /* splits every range there is */
    assert_int_equal(one(n, 0), CT_TAKE_LATE);
    listed += fetch_lost();
  }
  assert_int_equal(one(5001, 0), CT_HOLD);
  assert_int_equal(ct_track_end(&track), CT_HELD_DROP);
  listed += fetch_lost();
  assert_int_equal(track.counts.too_late, 1);
  assert_int_equal(track.counts.frames + track.counts.lost, 40001);
  assert_int_equal(listed, track.counts.lost);
  assert_int_equal(track.counts.unlisted, 0);
}

static void lost_ranges_nobody_fetches(void **state)
{
  (void)state;
  ct_track_init(&track, CT_SAMPLED_OFF);
  for (uint64_t n = 0; n <= 40000; n += 4)
    one(n, 0);
  assert_int_equal(ct_track_end(&track), CT_HELD_KEEP);
  assert_true(track.counts.unlisted > 0);
  assert_int_equal(fetch_lost() + track.counts.unlisted, track.counts.lost);
  assert_int_equal(track.counts.lost, 30000);
}

/* ---- the model ------------------------------------------------------------------------------- */
/* The rules of DESIGN 1.4 with one state for each number, no lists, no searches. Not modelled: recognising a sampled
 * stream, the limits of memory. */
enum { NUMBERS = 6000, MODEL_BATCH = 14 };
enum number_state { NEVER, SEEN, OPEN, LOST, BEFORE };
static struct {
  enum number_state state[NUMBERS];
  int64_t opened_ns[NUMBERS], started_ns, held_since_ns;
  bool started, rejoined;
  uint64_t first, highest, frames, lost, late, duplicate, too_late, restarts;
  unsigned n_held;
  struct { uint64_t first, last; } held[8];
} model;

static void model_lose(int64_t now_ns, int64_t age_ns)
{
  for (int n = 0; n < NUMBERS; n++)
    if (model.state[n] == OPEN && now_ns - model.opened_ns[n] >= age_ns) {
      model.state[n] = LOST;
      model.lost++;
    }
}

static bool model_joining(int64_t now_ns)
{
  for (int n = 0; n < NUMBERS; n++)
    if (model.state[n] == LOST)
      return false;
  return now_ns - model.started_ns < CT_TRACK_PATIENCE_NS;
}

static enum ct_verdict model_judge(uint64_t n, int64_t now_ns)
{
  if (!model.started || n > model.highest)
    return CT_TAKE;
  if (n < model.first)
    return model_joining(now_ns) && model.highest - n < CT_TRACK_FAR ? CT_TAKE_LATE : CT_DROP_TOO_LATE;
  switch (model.state[n]) {
  case OPEN: return CT_TAKE_LATE;
  case BEFORE: return now_ns - model.started_ns < CT_TRACK_PATIENCE_NS ? CT_TAKE_LATE : CT_DROP_TOO_LATE;
  case LOST: return CT_DROP_TOO_LATE;
  default: return CT_DROP_DUPLICATE;
  }
}

static void model_begin(uint64_t n, int64_t now_ns)
{
  model_lose(now_ns, 0);
  memset(model.state, 0, sizeof model.state);
  model.restarts += model.started ? 1 : 0;
  model.started = true;
  model.started_ns = now_ns;
  model.first = model.highest = n;
  model.rejoined = false;
}

static void model_take(uint64_t n, int64_t now_ns)
{
  if (!model.started)
    model_begin(n, now_ns);
  if (n < model.first) {
    for (uint64_t k = n + 1; k < model.first; k++)
      model.state[k] = BEFORE;
    model.first = n;
  }
  for (uint64_t k = model.highest + 1; k < n; k++) {
    model.state[k] = OPEN;
    model.opened_ns[k] = now_ns;
  }
  model.state[n] = SEEN;
  model.rejoined = model.rejoined && n <= model.highest;
  model.highest = n > model.highest ? n : model.highest;
  model.frames++;
}

static enum ct_held model_drop_held(int64_t now_ns)
{
  if (model.n_held == 0)
    return CT_HELD_KEEP;
  /* What a held number is was settled when it came; it cannot change, as nothing in the list reopens or fills
   * numbers that were seen or given up. */
  for (unsigned i = 0; i < model.n_held; i++)
    for (uint64_t n = model.held[i].first; n <= model.held[i].last; n++)
      *(model_judge(n, now_ns) == CT_DROP_DUPLICATE ? &model.duplicate : &model.too_late) += 1;
  model.n_held = 0;
  return CT_HELD_DROP;
}

static enum ct_held model_tick(int64_t now_ns)
{
  enum ct_held fate = CT_HELD_KEEP;
  if (model.n_held > 0 && now_ns - model.held_since_ns >= CT_TRACK_PATIENCE_NS)
    fate = model_drop_held(now_ns);
  model_lose(now_ns, CT_TRACK_PATIENCE_NS);
  return fate;
}

/* The verdict on each frame; the fate of the held messages. */
static enum ct_held model_add(uint64_t first, uint32_t count, int64_t now_ns, enum ct_verdict verdicts[])
{
  enum ct_held fate = model_tick(now_ns);
  const uint64_t last = first + count - 1;
  unsigned fresh = 0, late = 0;
  for (uint32_t i = 0; i < count; i++) {
    verdicts[i] = model_judge(first + i, now_ns);
    fresh += verdicts[i] == CT_TAKE;
    late += verdicts[i] == CT_TAKE_LATE;
  }
  if (fresh == 0 && late == 0) {
    bool far = model.rejoined || model.highest >= last + CT_TRACK_FAR;
    bool run = model.n_held > 0 && first > model.held[model.n_held - 1].last;
    uint64_t begin = run ? model.held[0].first : first;
    bool low = begin <= 1 || begin <= model.first;
    if (run && !far && !low) {
      run = false;
      begin = first;
      low = begin <= 1 || begin <= model.first;
    }
    if (!run && model.n_held > 0)
      fate = model_drop_held(now_ns);
    if (far || low) {
      uint64_t numbers = count;
      for (unsigned i = 0; i < model.n_held; i++)
        numbers += model.held[i].last - model.held[i].first + 1;
      bool whole = numbers >= CT_TRACK_RUN && (run || far);
      model.held_since_ns = now_ns;
      model.held[model.n_held].first = first;
      model.held[model.n_held++].last = last;
      for (uint32_t i = 0; i < count; i++)
        verdicts[i] = whole ? CT_TAKE : CT_HOLD;
      if (!whole)
        return fate;
      fate = run ? CT_HELD_TAKE : fate;
      model_begin(begin, now_ns);
      for (unsigned i = 0; i < model.n_held; i++)
        for (uint64_t n = model.held[i].first; n <= model.held[i].last; n++)
          model_take(n, now_ns);
      model.n_held = 0;
      return fate;
    }
  }
  if (fresh > 0 && model.n_held > 0)
    fate = model_drop_held(now_ns);
  for (uint32_t i = 0; i < count; i++) {
    if (verdicts[i] == CT_TAKE || verdicts[i] == CT_TAKE_LATE)
      model_take(first + i, now_ns);
    model.late += verdicts[i] == CT_TAKE_LATE;
    model.duplicate += verdicts[i] == CT_DROP_DUPLICATE;
    model.too_late += verdicts[i] == CT_DROP_TOO_LATE;
  }
  return fate;
}

static uint64_t seed;
static uint64_t pick(uint64_t below)
{
  seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (seed >> 33) % below;
}

static uint64_t next_number(uint64_t cursor)
{
  uint64_t back = 1 + pick(40);
  switch (pick(24)) {
  case 0: return cursor + pick(30);                            /* a gap */
  case 1: case 2: return cursor > back ? cursor - back : 0;    /* late or again */
  case 3: return pick(cursor + 1);                             /* anything that was */
  case 4: return pick(3);
  default: return cursor;
  }
}

static void counts_agree(void)
{
  assert_int_equal(track.counts.frames, model.frames);
  assert_int_equal(track.counts.lost, model.lost);
  assert_int_equal(track.counts.late, model.late);
  assert_int_equal(track.counts.duplicate, model.duplicate);
  assert_int_equal(track.counts.too_late, model.too_late);
  assert_int_equal(track.counts.restarts, model.restarts);
  assert_int_equal(track.counts.first, model.first);
  assert_int_equal(track.counts.highest, model.highest);
}

static void one_random_run(uint64_t run)
{
  seed = run * 7919 + 1;
  memset(&model, 0, sizeof model);
  ct_track_init(&track, CT_SAMPLED_OFF);
  int64_t now_ns = (int64_t)pick(1000);
  uint64_t cursor = run % 3 == 0 ? 0 : pick(3000), listed = 0;
  const uint64_t largest_batch = 1 + pick(MODEL_BATCH), pace_ms = 1 + pick(300);
  for (int step = 0; step < 300; step++) {
    now_ns += (int64_t)pick(pace_ms) * MS;
    if (pick(60) == 0)
      cursor = pick(2) ? pick(4) : pick(cursor + 1);           /* the source starts again */
    if (pick(40) == 0) {
      ct_track_rejoin(&track);
      model.rejoined = model.started;
    }
    uint64_t first = next_number(cursor);
    uint32_t count = (uint32_t)(1 + pick(largest_batch));
    if (first + count >= NUMBERS)
      break;
    enum ct_verdict verdicts[MODEL_BATCH];
    enum ct_held fate = model_add(first, count, now_ns, verdicts);
    assert_int_equal(ct_track_add(&track, first, count, now_ns, &result), 0);
    assert_int_equal(result.held, fate);
    uint32_t at = 0;
    for (unsigned i = 0; i < result.n_spans; i++) {
      assert_int_equal(result.spans[i].offset, at);
      for (uint32_t k = 0; k < result.spans[i].count; k++, at++)
        assert_int_equal(result.spans[i].verdict, verdicts[at]);
    }
    assert_int_equal(at, count);
    counts_agree();
    listed += fetch_lost();
    cursor = first + count > cursor ? first + count : cursor + (pick(2) ? count : 0);
  }
  enum ct_held fate = model_drop_held(now_ns);
  model_lose(now_ns, 0);
  assert_int_equal(ct_track_end(&track), fate);
  counts_agree();
  assert_int_equal(listed + fetch_lost(), model.lost);
}

static void agrees_with_the_model(void **state)
{
  (void)state;
  uint64_t restarts = 0, late = 0, too_late = 0;
  for (uint64_t run = 0; run < 300; run++) {
    one_random_run(run);
    restarts += model.restarts;
    late += model.late;
    too_late += model.too_late;
  }
  /* The runs are worth something only if they get everywhere. */
  assert_true(restarts > 50 && late > 1000 && too_late > 500);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(types_as_array_1_0_spells_them),
    cmocka_unit_test(pixels_without_a_value_are_no_numbers),
    cmocka_unit_test(late_frames_are_no_loss),
    cmocka_unit_test(a_gap_is_lost_at_two_and_a_half_seconds),
    cmocka_unit_test(a_large_jump_is_a_restart),
    cmocka_unit_test(an_announced_beginning),
    cmocka_unit_test(a_new_connection_may_restart_near), cmocka_unit_test(eight_far_below_are_a_restart),
    cmocka_unit_test(a_slow_stream_restarts_too),
    cmocka_unit_test(seven_far_below_are_not),
    cmocka_unit_test(near_restarts_begin_at_the_start),
    cmocka_unit_test(a_far_batch_is_a_restart_by_itself),
    cmocka_unit_test(joining_a_stream_whose_late_frames_still_come),
    cmocka_unit_test(a_batch_in_pieces),
    cmocka_unit_test(more_pieces_than_spans),
    cmocka_unit_test(a_decimated_stream_has_no_losses),
    cmocka_unit_test(limits_of_the_numbers),
    cmocka_unit_test(more_gaps_than_are_remembered),
    cmocka_unit_test(lost_ranges_nobody_fetches),
    cmocka_unit_test(agrees_with_the_model),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
