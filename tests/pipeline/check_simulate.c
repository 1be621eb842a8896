/* What a plain libzmq receiver gets of the simulated beamline, beside the frames made directly. */
#include <comptop/pipeline.h>

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

#include <comptop/wire.h>

enum { FRAMES = 200, BATCH = 7, PIXELS = 80 * 80 };

struct job {
  struct ct_simulate setup;
  atomic_bool stop;
  struct ct_simulate_result result;
  struct ct_err err;
  int rc;
};

static void quiet(const char *line) { (void)line; }

static void *work(void *arg)
{
  struct job *job = arg;
  job->rc = ct_simulate_run(&job->setup, &job->stop, quiet, &job->result, &job->err);
  return NULL;
}

static struct job *make_job(const char *hexitec, const char *scalars)
{
  struct job *job = ct_xcalloc(1, sizeof *job);
  ct_sim_defaults(&job->setup.cell);
  ct_sim_camera_defaults(&job->setup.projections);
  job->setup.cell.speedup = 3600;
  job->setup.hexitec = hexitec;
  job->setup.scalars = scalars;
  job->setup.kind = CT_PUBLISH_PUSH;
  job->setup.batch = BATCH;
  job->setup.frames = FRAMES;
  job->setup.wait = true;
  return job;
}

static void *receiver(void *context, int type, const char *endpoint)
{
  void *socket = zmq_socket(context, type);
  int timeout_ms = 20000;
  zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof timeout_ms);
  if (type == ZMQ_SUB)
    zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "", 0);
  assert_int_equal(zmq_connect(socket, endpoint), 0);
  return socket;
}

/* Parts of one message into messages[8], to be closed; how many. */
static size_t receive(void *socket, zmq_msg_t *messages, struct ct_wire_part *parts)
{
  size_t n = 0;
  do {
    assert_true(n < 8);
    zmq_msg_init(&messages[n]);
    assert_true(zmq_msg_recv(&messages[n], socket, 0) >= 0);
    parts[n] = (struct ct_wire_part){ zmq_msg_data(&messages[n]), zmq_msg_size(&messages[n]) };
    n++;
  } while (zmq_msg_more(&messages[n - 1]));
  return n;
}

static void close_all(zmq_msg_t *messages, size_t n)
{
  for (size_t i = 0; i < n; i++) zmq_msg_close(&messages[i]);
}

static void frames_arrive_as_made(void **state)
{
  (void)state;
  char endpoint[64];
  snprintf(endpoint, sizeof endpoint, "ipc://@check_simulate-%ld", (long)getpid());
  struct job *job = make_job(endpoint, NULL);
  struct ct_sim *sim;
  assert_int_equal(ct_sim_new(&sim, &job->setup.cell, NULL), 0);
  void *context = zmq_ctx_new(), *socket = receiver(context, ZMQ_PULL, endpoint);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, work, job), 0);
  struct ct_wire *wire;
  const struct ct_wire_setup setup = { .role = CT_ROLE_HEXITEC, .rows = 80, .cols = 80 };
  assert_int_equal(ct_wire_new(&wire, &setup, NULL), 0);
  double first_s = 0;
  uint64_t next = 0;
  while (next < FRAMES) {
    zmq_msg_t messages[8];
    struct ct_wire_part parts[8];
    static uint16_t expected[PIXELS];
    struct ct_wire_message message;
    size_t n = receive(socket, messages, parts);
    ct_wire_decode(wire, parts, n, &message);
    assert_int_equal(message.verdict, CT_WIRE_TAKE);
    assert_false(message.tolerated);
    assert_int_equal(message.frame.number, next);
    assert_int_equal(message.frame.type, CT_U16);
    assert_int_equal(message.frame.count, FRAMES - next < BATCH ? FRAMES - next : BATCH);
    const struct ct_attributes *a = &message.frame.attributes;
    assert_int_equal(a->present, CT_HAS_Z | CT_HAS_MODE | CT_HAS_TIME);
    assert_int_equal(a->mode, CT_MODE_XCS);
    assert_true(a->z_mm == 0.75);
    if (next == 0)
      first_s = a->time_s;
    assert_true(fabs(a->time_s - first_s - (double)next / 9118.87) < 1e-5);
    for (uint32_t i = 0; i < message.frame.count; i++) {
      ct_sim_frame(sim, next + i, expected);
      assert_memory_equal(message.frame.pixels + i * sizeof expected, expected, sizeof expected);
    }
    next += message.frame.count;
    close_all(messages, n);
  }
  pthread_join(thread, NULL);
  assert_int_equal(job->rc, 0);
  assert_int_equal(job->result.frames, FRAMES);
  assert_true(job->result.photons > 1500 && job->result.photons < 3000);
  ct_wire_free(wire);
  ct_sim_free(sim);
  free(job);
  zmq_close(socket);
  zmq_ctx_term(context);
}

static void scalars_tell_the_cell(void **state)
{
  (void)state;
  char endpoint[64], scalars[64];
  snprintf(endpoint, sizeof endpoint, "ipc://@check_simulate-frames-%ld", (long)getpid());
  snprintf(scalars, sizeof scalars, "ipc://@check_simulate-scalars-%ld", (long)getpid());
  struct job *job = make_job(endpoint, scalars);
  job->setup.kind = CT_PUBLISH_PUB;
  job->setup.wait = false;
  job->setup.frames = 0;
  void *context = zmq_ctx_new(), *socket = receiver(context, ZMQ_SUB, scalars);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, work, job), 0);
  struct ct_wire_bsread *bsread;
  assert_int_equal(ct_wire_bsread_new(&bsread, NULL), 0);
  static struct ct_wire_scalars values;
  uint64_t pulse = 0;
  double charge_Ah = -1;
  for (int i = 0; i < 3; i++) {
    zmq_msg_t messages[8];
    struct ct_wire_part parts[8];
    size_t n = receive(socket, messages, parts);
    ct_wire_bsread_decode(bsread, parts, n, &values);
    assert_int_equal(values.verdict, CT_WIRE_TAKE);
    assert_int_equal(values.n, 3);
    assert_string_equal(values.values[0].name, "Ewe_V");
    assert_string_equal(values.values[1].name, "I_A");
    assert_string_equal(values.values[2].name, "Q_Ah");
    assert_true(values.values[0].value > 3.4 && values.values[0].value < 4.5);
    assert_true(fabs(values.values[1].value - 0.0088) < 1e-4);
    assert_true(values.values[2].value > charge_Ah);
    charge_Ah = values.values[2].value;
    if (i > 0)
      assert_int_equal(values.pulse_id, pulse + 1);
    pulse = values.pulse_id;
    close_all(messages, n);
  }
  atomic_store_explicit(&job->stop, true, memory_order_relaxed);
  pthread_join(thread, NULL);
  assert_int_equal(job->rc, 0);
  ct_wire_bsread_free(bsread);
  free(job);
  zmq_close(socket);
  zmq_ctx_term(context);
}

/* The first subscriber comes late: what it gets is compared by number. */
static void projections_arrive_as_made(void **state)
{
  (void)state;
  char endpoint[64], camera[64];
  snprintf(endpoint, sizeof endpoint, "ipc://@check_simulate-beside-%ld", (long)getpid());
  snprintf(camera, sizeof camera, "ipc://@check_simulate-camera-%ld", (long)getpid());
  struct job *job = make_job(endpoint, NULL);
  job->setup.kind = CT_PUBLISH_PUB;
  job->setup.wait = false;
  job->setup.frames = 0;
  job->setup.camera = camera;
  job->setup.camera_hz = 100;
  struct ct_sim_camera_config config;
  ct_sim_camera_defaults(&config);
  struct ct_sim_camera *twin;
  assert_int_equal(ct_sim_camera_new(&twin, &config, NULL), 0);
  void *context = zmq_ctx_new(), *socket = receiver(context, ZMQ_SUB, camera);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, work, job), 0);
  struct ct_wire *wire;
  const struct ct_wire_setup setup = { .role = CT_ROLE_CAMERA };
  assert_int_equal(ct_wire_new(&wire, &setup, NULL), 0);
  static uint16_t expected[64 * 256];
  for (int i = 0; i < 20; i++) {
    zmq_msg_t messages[8];
    struct ct_wire_part parts[8];
    struct ct_wire_message message;
    size_t n = receive(socket, messages, parts);
    ct_wire_decode(wire, parts, n, &message);
    assert_int_equal(message.verdict, CT_WIRE_TAKE);
    assert_int_equal(message.frame.rows, 64);
    assert_int_equal(message.frame.cols, 256);
    const struct ct_attributes *a = &message.frame.attributes;
    assert_int_equal(a->present, CT_HAS_ANGLE | CT_HAS_Z | CT_HAS_MODE | CT_HAS_KEY | CT_HAS_TIME);
    assert_int_equal(a->mode, CT_MODE_XCT);
    double angle_deg;
    assert_int_equal(a->image_key, ct_sim_camera_frame(twin, message.frame.number, 0, expected, &angle_deg));
    assert_true(fabs(a->angle_deg - angle_deg) < 1e-9);
    assert_memory_equal(message.frame.pixels, expected, sizeof expected);
    close_all(messages, n);
  }
  atomic_store_explicit(&job->stop, true, memory_order_relaxed);
  pthread_join(thread, NULL);
  assert_int_equal(job->rc, 0);
  assert_true(job->result.projections >= 20);
  ct_wire_free(wire);
  ct_sim_camera_free(twin);
  free(job);
  zmq_close(socket);
  zmq_ctx_term(context);
}

static void modes_alternate(void **state)
{
  (void)state;
  char endpoint[64];
  snprintf(endpoint, sizeof endpoint, "ipc://@check_simulate-modes-%ld", (long)getpid());
  struct job *job = make_job(endpoint, NULL);
  job->setup.cell.rate_hz = 1000;
  job->setup.alternate_s = 0.05;
  void *context = zmq_ctx_new(), *socket = receiver(context, ZMQ_PULL, endpoint);
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, work, job), 0);
  struct ct_wire *wire;
  const struct ct_wire_setup setup = { .role = CT_ROLE_HEXITEC, .rows = 80, .cols = 80 };
  assert_int_equal(ct_wire_new(&wire, &setup, NULL), 0);
  for (uint64_t next = 0; next < FRAMES;) {
    zmq_msg_t messages[8];
    struct ct_wire_part parts[8];
    struct ct_wire_message message;
    size_t n = receive(socket, messages, parts);
    ct_wire_decode(wire, parts, n, &message);
    assert_int_equal(message.frame.number, next);
    /* 50 frames a phase: 7 messages of 7 and one of 1. */
    assert_int_equal(message.frame.count, next % 50 == 49 ? 1 : BATCH);
    assert_int_equal(message.frame.attributes.trigger, next / 50);
    assert_int_equal(message.frame.attributes.mode, next / 50 % 2 ? CT_MODE_XCT : CT_MODE_XCS);
    next += message.frame.count;
    close_all(messages, n);
  }
  pthread_join(thread, NULL);
  ct_wire_free(wire);
  free(job);
  zmq_close(socket);
  zmq_ctx_term(context);
}

/* Nobody listens, and yet it ends: when told to, and when its parent is another. */
static void ends_when_it_should(void **state)
{
  (void)state;
  struct job *job = make_job("ipc://@check_simulate-end", NULL);
  job->setup.parent = getpid();   /* nobody is its own parent */
  work(job);
  assert_int_equal(job->rc, 0);
  assert_int_equal(job->result.frames, 0);
  job->setup.parent = 0;
  atomic_store_explicit(&job->stop, true, memory_order_relaxed);
  work(job);
  assert_int_equal(job->rc, 0);
  assert_int_equal(job->result.frames, 0);
  free(job);
}

static void calibration_files_can_be_read(void **state)
{
  (void)state;
  char folder[] = "/tmp/check_simulate.XXXXXX", path[64];
  assert_non_null(mkdtemp(folder));
  struct job *job = make_job("ipc://@check_simulate-calibration", "");
  job->setup.cell.pedestal = true;
  job->setup.calibration = folder;
  atomic_store_explicit(&job->stop, true, memory_order_relaxed);
  work(job);
  assert_int_equal(job->rc, 0);
  static double maps[3][PIXELS], expected[3][PIXELS];
  struct ct_sim *sim;
  assert_int_equal(ct_sim_new(&sim, &job->setup.cell, NULL), 0);
  ct_sim_calibration(sim, expected[0], expected[1], expected[2]);
  static const char *const names[] = { "gradients.txt", "intercepts.txt", "dark.txt" };
  for (int i = 0; i < 3; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    assert_int_equal(ct_core_map_read(path, PIXELS, maps[i], NULL), 0);
    for (int p = 0; p < PIXELS; p++) assert_true(fabs(maps[i][p] - expected[i][p]) <= 1e-8 * fabs(expected[i][p]));
    unlink(path);
  }
  rmdir(folder);
  job->setup.calibration = "/dev/null/folder";
  work(job);
  assert_int_equal(job->rc, CT_EIO);
  assert_non_null(strstr(job->err.text, "/dev/null/folder"));
  ct_sim_free(sim);
  free(job);
}

static void refusals_are_said(void **state)
{
  (void)state;
  struct job *job = make_job("ipc:///no/such/folder/at/all", NULL);
  work(job);
  assert_true(job->rc < 0);
  assert_non_null(strstr(job->err.text, "/no/such/folder"));
  job->setup.cell.z_mm = -1;
  work(job);
  assert_int_equal(job->rc, CT_ERANGE);
  free(job);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(frames_arrive_as_made),
    cmocka_unit_test(scalars_tell_the_cell),
    cmocka_unit_test(projections_arrive_as_made),
    cmocka_unit_test(modes_alternate),
    cmocka_unit_test(ends_when_it_should),
    cmocka_unit_test(calibration_files_can_be_read),
    cmocka_unit_test(refusals_are_said),
  };
  return cmocka_run_group_tests_name("simulate", tests, NULL, NULL);
}
