/* Publishers against plain libzmq sockets; the time table against its own arithmetic. */
#include <comptop/pipeline.h>

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <zmq.h>

struct peer {
  void *context, *socket;
};

static struct peer peer_connect(int type, const char *endpoint)
{
  const int wait_ms = 10000, no_limit = 0;
  struct peer peer = { .context = zmq_ctx_new() };
  peer.socket = zmq_socket(peer.context, type);
  assert_int_equal(zmq_setsockopt(peer.socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms), 0);
  assert_int_equal(zmq_setsockopt(peer.socket, ZMQ_RCVHWM, &no_limit, sizeof no_limit), 0);
  if (type == ZMQ_SUB)
    assert_int_equal(zmq_setsockopt(peer.socket, ZMQ_SUBSCRIBE, "", 0), 0);
  assert_int_equal(zmq_connect(peer.socket, endpoint), 0);
  return peer;
}

static void peer_close(struct peer *peer)
{
  zmq_close(peer->socket);
  zmq_ctx_term(peer->context);
}

static int send_two(struct ct_publisher *publisher, uint32_t number)
{
  char head[32];
  int length = snprintf(head, sizeof head, "number %u", number);
  const struct ct_publisher_part parts[] = { { head, (size_t)length }, { &number, sizeof number } };
  return ct_publisher_send(publisher, parts, 2);
}

static void expect_two(struct peer *peer, uint32_t number)
{
  char head[32] = "", wanted[32];
  uint32_t got = 0;
  int more = 0;
  size_t size = sizeof more;
  snprintf(wanted, sizeof wanted, "number %u", number);
  assert_int_equal(zmq_recv(peer->socket, head, sizeof head - 1, 0), strlen(wanted));
  assert_string_equal(head, wanted);
  assert_int_equal(zmq_recv(peer->socket, &got, sizeof got, 0), sizeof got);
  assert_int_equal(got, number);
  assert_int_equal(zmq_getsockopt(peer->socket, ZMQ_RCVMORE, &more, &size), 0);
  assert_false(more);
}

static void deliver(enum ct_publisher_kind kind, int peer_type, const char *endpoint)
{
  struct ct_publisher *publisher;
  struct ct_err err = { "" };
  assert_int_equal(ct_publisher_open(&publisher, endpoint, kind, 1 << 20, 64, &err), 0);
  assert_int_equal(ct_publisher_wait(publisher, 0), CT_ENODATA);
  struct peer peer = peer_connect(peer_type, ct_publisher_endpoint(publisher));
  assert_int_equal(ct_publisher_wait(publisher, 10000), 0);
  for (uint32_t i = 0; i < 500; i++)
    assert_int_equal(send_two(publisher, i), 0);
  for (uint32_t i = 0; i < 500; i++)
    expect_two(&peer, i);
  peer_close(&peer);
  ct_publisher_close(publisher, 1000);
}

static void test_pub_delivers(void **state) { (void)state; deliver(CT_PUBLISH_PUB, ZMQ_SUB, "tcp://127.0.0.1:*"); }
static void test_push_delivers(void **state) { (void)state; deliver(CT_PUBLISH_PUSH, ZMQ_PULL, "tcp://127.0.0.1:*"); }

/* Many subscribers come and go and nothing is read on the application's side but what send itself drains. */
static void test_subscribers_come_and_go(void **state)
{
  (void)state;
  struct ct_publisher *publisher;
  assert_int_equal(ct_publisher_open(&publisher, "tcp://127.0.0.1:*", CT_PUBLISH_PUB, 1 << 20, 64, NULL), 0);
  for (uint32_t i = 0; i < 30; i++) {
    struct peer peer = peer_connect(ZMQ_SUB, ct_publisher_endpoint(publisher));
    assert_int_equal(ct_publisher_wait(publisher, 10000), 0);
    assert_int_equal(send_two(publisher, i), 0);
    expect_two(&peer, i);
    peer_close(&peer);
    while (ct_publisher_wait(publisher, 0) == 0)     /* until the unsubscription has come */
      continue;
  }
  ct_publisher_close(publisher, 0);
}

/* PUSH without a peer keeps the message; with one, everything arrives once the peer reads. */
static void test_push_waits_and_loses_nothing(void **state)
{
  (void)state;
  struct ct_publisher *publisher;
  assert_int_equal(ct_publisher_open(&publisher, "tcp://127.0.0.1:*", CT_PUBLISH_PUSH, 4 * 64, 64, NULL), 0);
  assert_int_equal(send_two(publisher, 0), CT_EBUSY);
  struct peer peer = peer_connect(ZMQ_PULL, ct_publisher_endpoint(publisher));
  assert_int_equal(ct_publisher_wait(publisher, 10000), 0);
  for (uint32_t i = 0; i < 2000; i++) {
    while (send_two(publisher, i) == CT_EBUSY)
      continue;
    expect_two(&peer, i);
  }
  peer_close(&peer);
  ct_publisher_close(publisher, 0);
}

/* What is queued when the publisher closes still leaves. */
static void test_close_lets_messages_leave(void **state)
{
  (void)state;
  struct ct_publisher *publisher;
  assert_int_equal(ct_publisher_open(&publisher, "tcp://127.0.0.1:*", CT_PUBLISH_PUB, 64 << 20, 64, NULL), 0);
  struct peer peer = peer_connect(ZMQ_SUB, ct_publisher_endpoint(publisher));
  assert_int_equal(ct_publisher_wait(publisher, 10000), 0);
  for (uint32_t i = 0; i < 20000; i++)
    assert_int_equal(send_two(publisher, i), 0);
  ct_publisher_close(publisher, 10000);
  for (uint32_t i = 0; i < 20000; i++)
    expect_two(&peer, i);
  peer_close(&peer);
}

static void *close_publisher(void *publisher)
{
  ct_publisher_close(publisher, 30000);
  return NULL;
}

/* Over ipc, libzmq gives up what a full receiver has not read when its sender goes. */
static void test_a_slow_receiver_gets_the_last(void **state)
{
  enum { MOST = 23, BYTES = 25600 };
  static const char *const endpoints[] = { "ipc:///tmp/comptop-publish", "ipc://@comptop-publish" };
  static char payload[BYTES];
  const struct timespec slowly = { .tv_nsec = 10000000 };
  (void)state;
  for (int n = 10; n <= MOST; n++) {
    char endpoint[64];
    struct ct_publisher *publisher;
    struct ct_err err = { "" };
    const struct ct_publisher_part part = { payload, sizeof payload };
    const int few = 10;
    pthread_t closer;
    snprintf(endpoint, sizeof endpoint, "%s-%ld", endpoints[n & 1], (long)getpid());
    assert_int_equal(ct_publisher_open(&publisher, endpoint, CT_PUBLISH_PUSH, 1 << 30, sizeof payload, &err), 0);
    struct peer peer = { .context = zmq_ctx_new() };
    peer.socket = zmq_socket(peer.context, ZMQ_PULL);
    assert_int_equal(zmq_setsockopt(peer.socket, ZMQ_RCVHWM, &few, sizeof few), 0);
    assert_int_equal(zmq_connect(peer.socket, endpoint), 0);
    assert_int_equal(ct_publisher_wait(publisher, 10000), 0);
    for (int i = 0; i < n; i++)
      assert_int_equal(ct_publisher_send(publisher, &part, 1), 0);
    assert_int_equal(pthread_create(&closer, NULL, close_publisher, publisher), 0);
    const int wait_ms = 3000;
    assert_int_equal(zmq_setsockopt(peer.socket, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms), 0);
    for (int i = 0; i < n; i++) {
      nanosleep(&slowly, NULL);
      assert_int_equal(zmq_recv(peer.socket, payload, sizeof payload, 0), BYTES);
    }
    assert_int_equal(pthread_join(closer, NULL), 0);
    peer_close(&peer);
  }
}

static void test_wrong_endpoints_are_named(void **state)
{
  (void)state;
  static const char *const wrong[][2] = {
    { "127.0.0.1:5555", "tcp://127.0.0.1:5555" },
    { "carrier-pigeon://roof", "use tcp:// or ipc://" },
    { "tcp://192.0.2.1:5555", "no such address" },
    { "tcp://127.0.0.1:99999", "65535" },
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct ct_publisher *publisher;
    struct ct_err err = { "" };
    assert_true(ct_publisher_open(&publisher, wrong[i][0], CT_PUBLISH_PUB, 1 << 20, 64, &err) < 0);
    assert_null(publisher);
    assert_non_null(strstr(err.text, wrong[i][0]));
    assert_non_null(strstr(err.text, wrong[i][1]));
  }
  struct ct_publisher *first, *second;
  struct ct_err err = { "" };
  assert_int_equal(ct_publisher_open(&first, "tcp://127.0.0.1:*", CT_PUBLISH_PUB, 1 << 20, 64, &err), 0);
  assert_int_equal(ct_publisher_open(&second, ct_publisher_endpoint(first), CT_PUBLISH_PUB, 1 << 20, 64, &err), CT_EBUSY);
  assert_non_null(strstr(err.text, "another program"));
  ct_publisher_close(first, 0);
}

/* No frame leaves before it is due, and the table does not drift: the last frame's date is exact. */
static void test_pace_is_absolute(void **state)
{
  (void)state;
  struct ct_pace pace;
  ct_pace_start(&pace, 9118.87);
  for (uint64_t k = 0; k < 900; k++) {
    while (ct_pace_wait(&pace, k) == CT_EBUSY)
      continue;
    int64_t elapsed_ns = ct_time_mono_ns() - pace.start_ns;
    assert_true((double)elapsed_ns >= (double)k * 1e9 / 9118.87 - 1);
    assert_true(pace.late_ns >= 0 && pace.late_ns <= pace.worst_late_ns);
  }
  /* Late by a second, frames follow each other no faster than twice their rate, but for a little. */
  ct_pace_start(&pace, 20000);
  pace.start_ns -= CT_NS_PER_S;
  const int64_t begin_ns = ct_time_mono_ns();
  for (uint64_t k = 0; k < 4000; k++)
    while (ct_pace_wait(&pace, k) == CT_EBUSY)
      continue;
  assert_true(ct_time_mono_ns() - begin_ns >= (int64_t)((4000 - 1) / 40000.0 * 1e9) - 11000000);
  ct_pace_start(&pace, 0);
  assert_int_equal(ct_pace_wait(&pace, UINT64_MAX), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_pub_delivers),
    cmocka_unit_test(test_push_delivers),
    cmocka_unit_test(test_subscribers_come_and_go),
    cmocka_unit_test(test_push_waits_and_loses_nothing),
    cmocka_unit_test(test_close_lets_messages_leave),
    cmocka_unit_test(test_a_slow_receiver_gets_the_last),
    cmocka_unit_test(test_wrong_endpoints_are_named),
    cmocka_unit_test(test_pace_is_absolute),
  };
  return cmocka_run_group_tests_name("publish", tests, NULL, NULL);
}
