/* What a plain libzmq receiver gets of files that this test makes: bytes, numbers, attributes, loops. */
#include <comptop/pipeline.h>

#include "tests/archive/run_writer.h"

#include <hdf5.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <zmq.h>

enum { N = 37, ROWS = 8, COLS = 6, PIXELS = ROWS * COLS, MESSAGES_MAX = 4096 };

static char folder[64], spec[128];
static uint32_t rows = ROWS, cols = COLS;          /* that messages must have */

static uint16_t value(uint64_t k, size_t i) { return (uint16_t)(313 * k + i); }

static void put(hid_t file, const char *name, int rank, const hsize_t *dims, hid_t type, const void *data)
{
  hid_t space = H5Screate_simple(rank, dims, NULL);
  hid_t set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
  H5Dclose(set);
  H5Sclose(space);
}

static int make_files(void **state)
{
  (void)state;
  snprintf(folder, sizeof folder, "/tmp/check_replay.XXXXXX");
  if (mkdtemp(folder) == NULL)
    return -1;
  snprintf(spec, sizeof spec, "%s/scan.h5:/scan/data", folder);
  char path[128];
  snprintf(path, sizeof path, "%s/scan.h5", folder);
  uint16_t frames[N * PIXELS];
  float flats[2 * PIXELS];
  double angles[N];
  int32_t keys[N];
  for (size_t k = 0; k < N; k++) {
    angles[k] = 0.5 * (double)(k / 4);
    keys[k] = k < 5 ? 2 : k < 9 ? 1 : 0;
    for (size_t i = 0; i < PIXELS; i++)
      frames[k * PIXELS + i] = value(k, i);
  }
  for (size_t i = 0; i < 2 * PIXELS; i++)
    flats[i] = 0.25f * (float)i;
  const hsize_t stack[] = { N, ROWS, COLS }, pair[] = { 2, ROWS, COLS };
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(H5Gcreate2(file, "scan", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  put(file, "scan/data", 3, stack, H5T_NATIVE_UINT16, frames);
  put(file, "scan/flats", 3, pair, H5T_NATIVE_FLOAT, flats);
  put(file, "scan/theta", 1, stack, H5T_NATIVE_DOUBLE, angles);
  put(file, "scan/key", 1, stack, H5T_NATIVE_INT32, keys);
  H5Fclose(file);
  return 0;
}

static int remove_files(void **state)
{
  (void)state;
  char command[128];
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  return system(command);
}

/* ---- a receiver that keeps everything ------------------------------------------------------------------ */

struct message {
  uint64_t number;
  uint32_t count;
  int key;                 /* -1: none */
  double angle;            /* NaN: none */
  char type[16];
  size_t bytes;
  unsigned char pixels[64 * PIXELS];
};

struct run {
  struct ct_replay replay;
  struct ct_replay_result result;
  struct ct_err err;
  int rc;
  atomic_bool stop, done;    /* done: release by the replay, acquire by the receiver */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
static char told_endpoint[128];
static double told_rate;

static void tell(const char *endpoint, double rate_hz)
{
  pthread_mutex_lock(&lock);
  snprintf(told_endpoint, sizeof told_endpoint, "%s", endpoint);
  told_rate = rate_hz;
  pthread_cond_signal(&told);
  pthread_mutex_unlock(&lock);
}

static void *run_replay(void *context)
{
  struct run *run = context;
  run->rc = ct_replay_run(&run->replay, &run->stop, tell, &run->result, &run->err);
  atomic_store_explicit(&run->done, true, memory_order_release);
  return NULL;
}

static struct ct_replay plain(const char *const *specs)
{
  return (struct ct_replay){ .endpoint = "tcp://127.0.0.1:*", .kind = CT_PUBLISH_PUSH, .specs = specs, .n_specs = 1,
    .image_key = "", .angles = "", .darks = "", .flats = "", .stream = "", .start_number = UINT64_MAX, .loops = 1, .batch = 1, .last = UINT64_MAX,
    .speed = 1, .end_s = (double)INFINITY, .scalars = "", .mpt = "", .wait = true };
}

static void read_header(const char *text, size_t length, struct message *message)
{
  json_error_t error;
  json_t *head = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
  assert_non_null(head);
  assert_string_equal(json_string_value(json_object_get(head, "htype")), "array-1.0");
  json_t *shape = json_object_get(head, "shape"), *attributes = json_object_get(head, "ndattr");
  size_t rank = json_array_size(shape);
  assert_true(rank == 2 || rank == 3);
  assert_int_equal(json_integer_value(json_array_get(shape, rank - 2)), rows);
  assert_int_equal(json_integer_value(json_array_get(shape, rank - 1)), cols);
  message->count = rank == 3 ? (uint32_t)json_integer_value(json_array_get(shape, 0)) : 1;
  message->number = (uint64_t)json_integer_value(json_object_get(head, "frame"));
  snprintf(message->type, sizeof message->type, "%s", json_string_value(json_object_get(head, "type")));
  json_t *key = json_object_get(attributes, "ImageKey"), *angle = json_object_get(attributes, "RotationAngle");
  message->key = key ? (int)json_integer_value(key) : -1;
  message->angle = angle ? json_number_value(angle) : (double)NAN;
  assert_true(json_number_value(json_object_get(head, "timeStamp")) > 1e9);
  json_decref(head);
}

/* Plays and receives until the replay has ended and nothing more is on the way, or until <enough> messages. */
static size_t receive(struct run *run, int socket_type, struct message *messages, size_t enough)
{
  const int wait_ms = 300;
  pthread_t thread;
  size_t n = 0;
  told_endpoint[0] = '\0';
  assert_int_equal(pthread_create(&thread, NULL, run_replay, run), 0);
  pthread_mutex_lock(&lock);
  while (told_endpoint[0] == '\0')
    pthread_cond_wait(&told, &lock);
  pthread_mutex_unlock(&lock);
  void *context = zmq_ctx_new(), *socket = zmq_socket(context, socket_type);
  assert_int_equal(zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms), 0);
  if (socket_type == ZMQ_SUB)
    assert_int_equal(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0), 0);
  assert_int_equal(zmq_connect(socket, told_endpoint), 0);
  while (n < enough) {
    char header[1024];
    bool done = atomic_load_explicit(&run->done, memory_order_acquire);
    int length = zmq_recv(socket, header, sizeof header, 0);
    if (length < 0 && done)
      break;
    if (length < 0)
      continue;
    assert_true(length < 1000);
    struct message *message = &messages[n++];
    read_header(header, (size_t)length, message);
    int bytes = zmq_recv(socket, message->pixels, sizeof message->pixels, 0);
    assert_true(bytes > 0 && (size_t)bytes <= sizeof message->pixels);
    message->bytes = (size_t)bytes;
  }
  atomic_store_explicit(&run->stop, n == enough, memory_order_relaxed);
  pthread_join(thread, NULL);
  zmq_close(socket);
  zmq_ctx_term(context);
  return n;
}

static struct message messages[MESSAGES_MAX];

static void expect_frames(const struct message *message, uint64_t first)
{
  assert_string_equal(message->type, "uint16");
  assert_int_equal(message->bytes, message->count * PIXELS * 2);
  for (size_t i = 0; i < (size_t)message->count * PIXELS; i++) {
    uint16_t pixel;
    memcpy(&pixel, message->pixels + 2 * i, sizeof pixel);
    assert_int_equal(pixel, value(first + i / PIXELS, i % PIXELS));
  }
}

static void test_every_frame_once(void **state)
{
  (void)state;
  const char *const specs[] = { spec };
  struct run run = { .replay = plain(specs) };
  assert_int_equal(receive(&run, ZMQ_PULL, messages, MESSAGES_MAX), N);
  assert_int_equal(run.rc, 0);
  assert_int_equal(run.result.frames, N);
  for (size_t k = 0; k < N; k++) {
    assert_int_equal(messages[k].number, k);
    assert_int_equal(messages[k].key, -1);
    assert_true(isnan(messages[k].angle));
    expect_frames(&messages[k], k);
  }
}

/* Loops, a range, a start number, two files and batches: the numbers go on without a gap, the bytes repeat. */
static void test_loops_and_batches(void **state)
{
  (void)state;
  const char *const specs[] = { spec, spec };
  struct run run = { .replay = plain(specs) };
  run.replay.n_specs = 2;
  run.replay.loops = 3;
  run.replay.batch = 4;
  run.replay.first = 10;
  run.replay.last = 19;
  run.replay.start_number = 1000;
  size_t n = receive(&run, ZMQ_PULL, messages, MESSAGES_MAX);
  assert_int_equal(run.rc, 0);
  assert_int_equal(n, 2 * 3 * 3);               /* 4 + 4 + 2 frames a file */
  uint64_t number = 1000, frame = 10;
  for (size_t m = 0; m < n; m++) {
    assert_int_equal(messages[m].number, number);
    expect_frames(&messages[m], frame);
    number += messages[m].count;
    frame += messages[m].count;
    frame = frame == 20 ? 10 : frame;
  }
  assert_int_equal(number, 1000 + 2 * 3 * 10);
}

/* Batches end where angle or key change; flats come first, in their own type. */
static void test_tomography_attributes(void **state)
{
  (void)state;
  const char *const specs[] = { spec };
  struct run run = { .replay = plain(specs) };
  run.replay.batch = 16;
  run.replay.angles = "/scan/theta";
  run.replay.image_key = "/scan/key";
  run.replay.flats = "/scan/flats";
  size_t n = receive(&run, ZMQ_PULL, messages, MESSAGES_MAX), frame = 0;
  assert_int_equal(run.rc, 0);
  assert_string_equal(messages[0].type, "float32");
  assert_int_equal(messages[0].key, 1);
  assert_int_equal(messages[0].count, 2);
  float flat;
  memcpy(&flat, messages[0].pixels + 4 * (PIXELS + 3), sizeof flat);
  assert_true(flat == 0.25f * (float)(PIXELS + 3));
  for (size_t m = 1; m < n; m++) {
    assert_int_equal(messages[m].number, frame + 2);
    assert_true(messages[m].count <= 4);
    for (size_t k = frame; k < frame + messages[m].count; k++) {
      assert_int_equal(messages[m].key, k < 5 ? 2 : k < 9 ? 1 : 0);
      assert_true(messages[m].angle == 0.5 * (double)(k / 4));
    }
    expect_frames(&messages[m], frame);
    frame += messages[m].count;
  }
  assert_int_equal(frame, N);
}

static void test_endless_loop_stops(void **state)
{
  (void)state;
  const char *const specs[] = { spec };
  struct run run = { .replay = plain(specs) };
  run.replay.kind = CT_PUBLISH_PUB;
  run.replay.loops = 0;
  run.replay.rate_hz = 5000;
  assert_int_equal(receive(&run, ZMQ_SUB, messages, 200), 200);
  assert_int_equal(run.rc, 0);
  for (size_t k = 0; k < 200; k++) {
    assert_int_equal(messages[k].number, messages[0].number + k);
    expect_frames(&messages[k], messages[k].number % N);
  }
}

static void test_default_rates(void **state)
{
  (void)state;
  const char *const specs[] = { spec };
  struct run run = { .replay = plain(specs) };
  run.replay.rate_hz = (double)NAN;
  assert_int_equal(receive(&run, ZMQ_PULL, messages, 2), 2);
  assert_true(told_rate == 10);
}

/* An archived run in two sessions with frames missing between them: the same numbers, attributes and pixels again. */
static void test_archived_run(void **state)
{
  (void)state;
  char run_path[128];
  snprintf(run_path, sizeof run_path, "%s/charge", folder);
  const char *const specs[] = { run_path };
  for (int session = 0; session < 2; session++) {
    struct ct_run_setup setup = run_setup(folder, "charge", CT_CODEC_BSLZ4);
    int64_t now_ns = ct_time_wall_ns();
    struct ct_run *run_;
    setup.resume = session == 1;
    assert_int_equal(ct_run_open(&run_, &setup, now_ns, NULL), 0);
    assert_int_equal(run_frames(run_, 1, session == 0 ? 4 : 500, 70, 1, CT_CODEC_BSLZ4, &now_ns), 0);
    assert_int_equal(ct_run_close(run_, now_ns, NULL), 0);
  }
  struct run run = { .replay = plain(specs) };
  run.replay.stream = "camera";
  rows = CAM_ROWS;
  cols = CAM_COLS;
  assert_int_equal(receive(&run, ZMQ_PULL, messages, MESSAGES_MAX), 140);
  rows = ROWS;
  cols = COLS;
  assert_int_equal(run.rc, 0);
  for (uint64_t m = 0; m < 140; m++) {
    const uint64_t k = m < 70 ? 4 + m : 500 + m - 70;
    assert_int_equal(messages[m].number, k);
    assert_int_equal(messages[m].key, k < 6 ? 1 : 0);
    assert_true(messages[m].angle == 0.5 * (double)k);
    for (size_t i = 0; i < CAM_ROWS * CAM_COLS; i++) {
      uint16_t pixel;
      memcpy(&pixel, messages[m].pixels + 2 * i, sizeof pixel);
      assert_int_equal(pixel, run_pixel(k, i));
    }
  }
}

static void test_refusals(void **state)
{
  (void)state;
  char other[160];
  snprintf(other, sizeof other, "%s/scan.h5:/scan/none", folder);
  const char *const specs[] = { spec, other };
  const atomic_bool stop = false;
  struct ct_replay_result result;
  struct ct_err err = { "" };
  struct ct_replay replay = plain(specs);
  replay.n_specs = 2;
  assert_int_equal(ct_replay_run(&replay, &stop, NULL, &result, &err), CT_ENOTFOUND);
  assert_non_null(strstr(err.text, "/scan/none"));
  replay.n_specs = 1;
  replay.first = N;
  assert_int_equal(ct_replay_run(&replay, &stop, NULL, &result, &err), CT_ERANGE);
  replay.first = 0;
  replay.angles = "/scan/flats";
  assert_int_equal(ct_replay_run(&replay, &stop, NULL, &result, &err), CT_ESHAPE);
  assert_non_null(strstr(err.text, "/scan/flats"));
  replay.angles = "";
  replay.endpoint = "pigeon://roof";
  assert_int_equal(ct_replay_run(&replay, &stop, NULL, &result, &err), CT_EIO);
  assert_int_equal(result.frames, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_frame_once),
    cmocka_unit_test(test_loops_and_batches),
    cmocka_unit_test(test_tomography_attributes),
    cmocka_unit_test(test_endless_loop_stops),
    cmocka_unit_test(test_default_rates),
    cmocka_unit_test(test_archived_run),
    cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests_name("replay", tests, make_files, remove_files);
}
