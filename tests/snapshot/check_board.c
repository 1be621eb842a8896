/* The board and the table of wants: who gets which block, and no torn pictures between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <comptop/snapshot.h>

static struct ct_board *board_of(unsigned readers, size_t bytes)
{
  struct ct_board *board = NULL;
  assert_int_equal(ct_board_new(&board, readers, bytes, NULL), 0);
  assert_int_equal(ct_board_capacity_bytes(board), bytes);
  return board;
}

static void post(struct ct_board *board, uint64_t value)
{
  uint64_t *block = ct_board_begin(board);
  assert_non_null(block);
  *block = value;
  ct_board_publish(board);
}

static void refuses_wrong_figures(void **state)
{
  (void)state;
  struct ct_board *board;
  struct ct_err err;
  assert_int_equal(ct_board_new(&board, 0, 8, &err), CT_ERANGE);
  assert_int_equal(ct_board_new(&board, 65, 8, &err), CT_ERANGE);
  assert_int_equal(ct_board_new(&board, 1, 0, &err), CT_ERANGE);
  assert_int_equal(ct_board_new(&board, 1, SIZE_MAX - 3, &err), CT_ERANGE);
  assert_null(board);
  ct_board_free(NULL);
}

static void readers_keep_what_they_hold(void **state)
{
  (void)state;
  struct ct_board *board = board_of(2, sizeof(uint64_t));
  assert_null(ct_board_acquire(board));
  ct_board_release(board, NULL);
  post(board, 1);
  const uint64_t *first = ct_board_acquire(board);
  assert_int_equal((uintptr_t)first % 64, 0);
  post(board, 2);
  const uint64_t *second = ct_board_acquire(board);
  for (uint64_t i = 3; i < 100; i++)
    post(board, i);
  assert_int_equal(*first, 1);
  assert_int_equal(*second, 2);
  ct_board_release(board, first);
  first = ct_board_acquire(board);
  assert_int_equal(*first, 99);
  assert_ptr_equal(ct_board_begin(board), ct_board_begin(board));
  ct_board_release(board, first);
  ct_board_release(board, second);
  ct_board_free(board);
}

static void more_readers_than_promised_get_no_more_blocks(void **state)
{
  (void)state;
  struct ct_board *board = board_of(1, sizeof(uint64_t));
  post(board, 1);
  const uint64_t *first = ct_board_acquire(board);
  post(board, 2);
  const uint64_t *second = ct_board_acquire(board);
  post(board, 3);
  assert_null(ct_board_begin(board));
  ct_board_release(board, second);
  assert_non_null(ct_board_begin(board));
  ct_board_publish(board);
  ct_board_release(board, first);
  ct_board_free(board);
}

static void a_block_read_twice_comes_back_once_both_are_done(void **state)
{
  (void)state;
  struct ct_board *board = board_of(2, sizeof(uint64_t));
  post(board, 7);
  const uint64_t *one = ct_board_acquire(board), *two = ct_board_acquire(board);
  assert_ptr_equal(one, two);
  ct_board_release(board, one);
  for (uint64_t i = 0; i < 10; i++)
    post(board, i);
  assert_int_equal(*two, 7);
  ct_board_release(board, two);
  bool reused = false;
  for (uint64_t i = 0; i < 10; i++) {
    reused = reused || ct_board_begin(board) == (const void *)two;
    post(board, i);
  }
  assert_true(reused);
  ct_board_free(board);
}

/* ---- threads ------------------------------------------------------------------------------------------ */
enum { READERS = 3, WORDS = 64, POSTS = 50000 };

struct stress {
  struct ct_board *board;
  atomic_bool done;
};

struct watcher {
  struct stress *stress;
  unsigned yields;
  uint64_t seen, errors;
};

static void *watch(void *arg)
{
  struct watcher *watcher = arg;
  uint64_t last = 0;
  for (bool done = false; !done;) {
    done = atomic_load_explicit(&watcher->stress->done, memory_order_acquire); /* partner: the test's end of posting */
    const uint64_t *block = ct_board_acquire(watcher->stress->board);
    if (!block)
      continue;
    uint64_t value = block[0];
    for (unsigned i = 0; i < watcher->yields; i++)
      sched_yield();
    for (size_t i = 1; i < WORDS; i++)
      watcher->errors += block[i] != value;
    watcher->errors += value < last;
    watcher->seen += value != last;
    last = value;
    ct_board_release(watcher->stress->board, block);
  }
  watcher->errors += last != POSTS;
  return NULL;
}

static void no_torn_pictures_and_nobody_waits(void **state)
{
  (void)state;
  struct stress stress = {.board = board_of(READERS, WORDS * sizeof(uint64_t))};
  atomic_init(&stress.done, false);
  struct watcher watchers[READERS] = {{.yields = 0}, {.yields = 1}, {.yields = 30}};
  pthread_t threads[READERS];
  for (int i = 0; i < READERS; i++) {
    watchers[i].stress = &stress;
    assert_int_equal(pthread_create(&threads[i], NULL, watch, &watchers[i]), 0);
  }
  for (uint64_t value = 1; value <= POSTS; value++) {
    uint64_t *block = ct_board_begin(stress.board);
    assert_non_null(block);
    for (size_t i = 0; i < WORDS; i++)
      block[i] = value;
    ct_board_publish(stress.board);
  }
  atomic_store_explicit(&stress.done, true, memory_order_release); /* partner: watch */
  for (int i = 0; i < READERS; i++) {
    assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(watchers[i].errors, 0);
    assert_true(watchers[i].seen >= 1);
  }
  ct_board_free(stress.board);
}

/* ---- wants -------------------------------------------------------------------------------------------- */
static void equal_wants_share_an_entry(void **state)
{
  (void)state;
  struct ct_wants *wants;
  assert_int_equal(ct_wants_new(&wants, 1, NULL), 0);
  const struct ct_request a = {.kind = CT_SECTION_SPECTRUM, .scope = CT_SCOPE_PIXEL, .x = 1};
  const struct ct_request b = {.kind = CT_SECTION_MAP, .bin = 2};
  const struct ct_wants_table *table = ct_wants_acquire(wants);
  assert_int_equal(table->n, 0);
  assert_int_equal(ct_wants_generation(wants), 0);
  ct_wants_release(wants, table);
  assert_int_equal(ct_wants_drop(wants, &a), CT_ENOTFOUND);
  assert_int_equal(ct_wants_add(wants, &a), 0);
  assert_int_equal(ct_wants_add(wants, &b), 0);
  assert_int_equal(ct_wants_generation(wants), 2);
  assert_int_equal(ct_wants_add(wants, &a), 0);
  assert_int_equal(ct_wants_drop(wants, &a), 0);
  assert_int_equal(ct_wants_generation(wants), 2);
  assert_int_equal(ct_wants_drop(wants, &a), 0);
  table = ct_wants_acquire(wants);
  assert_int_equal(table->n, 1);
  assert_int_equal(table->generation, 3);
  assert_true(ct_request_equal(&table->requests[0], &b));
  ct_wants_release(wants, table);
  assert_int_equal(ct_wants_drop(wants, &b), 0);
  assert_int_equal(ct_wants_drop(wants, &b), CT_ENOTFOUND);
  ct_wants_free(wants);
  ct_wants_free(NULL);
}

static void a_full_table_says_so(void **state)
{
  (void)state;
  struct ct_wants *wants;
  assert_int_equal(ct_wants_new(&wants, 1, NULL), 0);
  struct ct_request request = {.kind = CT_SECTION_PROFILE, .scope = CT_SCOPE_PIXEL};
  for (request.x = 0; request.x < CT_WANTS; request.x++)
    assert_int_equal(ct_wants_add(wants, &request), 0);
  assert_int_equal(ct_wants_add(wants, &request), CT_ERANGE);
  request.x = 0;
  assert_int_equal(ct_wants_add(wants, &request), 0);
  ct_wants_free(wants);
}

static void a_busy_board_changes_nothing(void **state)
{
  (void)state;
  struct ct_wants *wants;
  assert_int_equal(ct_wants_new(&wants, 1, NULL), 0);
  struct ct_request request = {.kind = CT_SECTION_MAP};
  const struct ct_wants_table *held[2];
  held[0] = ct_wants_acquire(wants);
  assert_int_equal(ct_wants_add(wants, &request), 0);
  held[1] = ct_wants_acquire(wants);
  request.bin = 2;
  assert_int_equal(ct_wants_add(wants, &request), 0);
  assert_int_equal(ct_wants_drop(wants, &request), CT_EBUSY);
  request.bin = 4;
  assert_int_equal(ct_wants_add(wants, &request), CT_EBUSY);
  assert_int_equal(ct_wants_generation(wants), 2);
  ct_wants_release(wants, held[0]);
  request.bin = 2;
  assert_int_equal(ct_wants_drop(wants, &request), 0);
  ct_wants_release(wants, held[1]);
  ct_wants_free(wants);
}

/* ---- two viewers, one worker ---------------------------------------------------------------------------- */
enum { ROUNDS = 300 };

struct office {
  struct ct_board *board;
  struct ct_wants *wants;
  atomic_bool done;
  uint64_t errors;          /* worker's */
};

/* What the worker shows is a function of the request and of the picture's number. */
static double shown(const struct ct_request *request, uint64_t seq, size_t i)
{
  return (double)request->x * 1000 + (double)request->y * 100 + (double)seq + (double)i / 1024;
}

static void fill(struct ct_snapshot_builder *builder, const struct ct_request *request, uint64_t seq)
{
  struct ct_spectrum_parts spectrum;
  struct ct_slice_parts slice;
  if (request->kind == CT_SECTION_SPECTRUM && ct_snapshot_add_spectrum(builder, request, 200, &spectrum))
    for (size_t i = 0; i < 200; i++)
      spectrum.counts[i] = shown(request, seq, i);
  if (request->kind == CT_SECTION_SLICE && ct_snapshot_add_slice(builder, request, request->size, &slice))
    for (size_t i = 0; i < (size_t)request->size * request->size; i++)
      slice.values[i] = (float)shown(request, seq, i);
}

static void *work(void *arg)
{
  struct office *office = arg;
  uint64_t seq = 0;
  while (!atomic_load_explicit(&office->done, memory_order_acquire)) { /* partner: the test's end */
    struct ct_snapshot_builder builder;
    void *block = ct_board_begin(office->board);
    if (!block || ct_snapshot_begin(&builder, block, ct_board_capacity_bytes(office->board))) {
      office->errors++;
      continue;
    }
    builder.snapshot->core.seq = ++seq;
    const struct ct_wants_table *table = ct_wants_acquire(office->wants);
    for (uint32_t i = 0; i < table->n; i++)
      fill(&builder, &table->requests[i], seq);
    ct_wants_release(office->wants, table);
    ct_snapshot_finish(&builder);
    office->errors += builder.refused;
    ct_board_publish(office->board);
    sched_yield();
  }
  return NULL;
}

/* Whether the latest picture serves <spectrum> and <slice>; then it must hold just what belongs to them. */
static bool served(struct office *office, const struct ct_request *spectrum, const struct ct_request *slice)
{
  const struct ct_snapshot *snapshot = ct_board_acquire(office->board);
  struct ct_spectrum_view counts;
  struct ct_slice_view values;
  bool both = snapshot && ct_snapshot_spectrum(snapshot, spectrum, &counts) &&
              ct_snapshot_slice(snapshot, slice, &values);
  if (both) {
    uint64_t seq = snapshot->core.seq;
    assert_int_equal(ct_snapshot_check(snapshot, (size_t)snapshot->size_bytes, NULL), 0);
    for (size_t i = 0; i < counts.head->n; i++)
      assert_true(counts.counts[i] == shown(spectrum, seq, i));
    for (size_t i = 0; i < (size_t)slice->size * slice->size; i++)
      assert_true(values.values[i] == (float)shown(slice, seq, i));
  }
  ct_board_release(office->board, snapshot);
  return both;
}

/* The viewers wander over pixels and slices, sometimes meeting; both are served from one picture, always. */
static void two_viewers_are_served_at_once(void **state)
{
  (void)state;
  struct office office = {.board = board_of(2, sizeof(struct ct_snapshot) + 65536)};
  assert_int_equal(ct_wants_new(&office.wants, 1, NULL), 0);
  atomic_init(&office.done, false);
  pthread_t worker;
  assert_int_equal(pthread_create(&worker, NULL, work, &office), 0);
  for (int32_t round = 0; round < ROUNDS; round++) {
    struct ct_request pixels[2], slices[2];
    for (int32_t v = 0; v < 2; v++) {
      pixels[v] = (struct ct_request){.kind = CT_SECTION_SPECTRUM, .scope = CT_SCOPE_PIXEL, .x = round % (3 + v), .y = 2};
      slices[v] = (struct ct_request){.kind = CT_SECTION_SLICE, .x = 10 * v + round % 5, .size = 16};
      assert_int_equal(ct_wants_add(office.wants, &pixels[v]), 0);
      assert_int_equal(ct_wants_add(office.wants, &slices[v]), 0);
    }
    while (!served(&office, &pixels[0], &slices[0]) || !served(&office, &pixels[1], &slices[1]))
      sched_yield();
    for (int v = 0; v < 2; v++) {
      assert_int_equal(ct_wants_drop(office.wants, &pixels[v]), 0);
      assert_int_equal(ct_wants_drop(office.wants, &slices[v]), 0);
    }
  }
  atomic_store_explicit(&office.done, true, memory_order_release); /* partner: work */
  assert_int_equal(pthread_join(worker, NULL), 0);
  assert_int_equal(office.errors, 0);
  ct_wants_free(office.wants);
  ct_board_free(office.board);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(refuses_wrong_figures),
    cmocka_unit_test(readers_keep_what_they_hold),
    cmocka_unit_test(more_readers_than_promised_get_no_more_blocks),
    cmocka_unit_test(a_block_read_twice_comes_back_once_both_are_done),
    cmocka_unit_test(no_torn_pictures_and_nobody_waits),
    cmocka_unit_test(equal_wants_share_an_entry),
    cmocka_unit_test(a_full_table_says_so),
    cmocka_unit_test(a_busy_board_changes_nothing),
    cmocka_unit_test(two_viewers_are_served_at_once),
  };
  return cmocka_run_group_tests_name("board", tests, NULL, NULL);
}
