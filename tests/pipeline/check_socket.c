/* The receiving socket where its peer goes away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include <zmq.h>

#include "pipeline/socket.h"

static void pause_ms(long ms) { nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL); }

static void *bind_push(void *context, const char *endpoint)
{
  void *socket = zmq_socket(context, ZMQ_PUSH);
  const int linger_ms = 3000;
  zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
  for (int tries = 0; tries < 200 && zmq_bind(socket, endpoint) != 0; tries++)
    pause_ms(20);
  return socket;
}

/* At least <wanted>, if they come within <tries_max> looks. */
static unsigned receive_all(struct ct_socket *s, unsigned wanted, int tries_max)
{
  zmq_msg_t parts[1];
  struct ct_message message = { .parts = parts, .capacity = 1 };
  unsigned n = 0;
  for (int tries = 0; tries < tries_max && n < wanted; tries++) {
    ct_socket_watch(s, ct_time_mono_ns());
    for (; ct_socket_receive(s, &message); n++)
      ct_message_close(&message);
    pause_ms(10);
  }
  return n;
}

/* libzmq 4.3 aborts the process where a heartbeat is due on a connection whose peer has gone while nothing is read from it,
 * as the queue is full. */
static void test_a_peer_goes_while_the_queue_is_full(void **state)
{
  (void)state;
  enum { SENT = 400, QUEUE = 16 };
  char endpoint[64], bytes[4096] = { 0 };
  struct ct_socket s;
  struct ct_err err;
  snprintf(endpoint, sizeof endpoint, "ipc://@comptop-check-socket-%ld", (long)getpid());
  void *context = zmq_ctx_new(), *push = bind_push(context, endpoint);
  const struct ct_socket_setup setup = { .endpoint = endpoint, .pull = true, .queue_bytes = 1, .typical_bytes = 1 };
  assert_int_equal(ct_socket_open(&s, &setup, &err), 0);
  for (int i = 0; i < SENT; i++)
    if (zmq_send(push, bytes, sizeof bytes, i == 0 ? 0 : ZMQ_DONTWAIT) < 0)
      break;
  pause_ms(200);
  zmq_close(push);
  pause_ms(2500);
  assert_true(receive_all(&s, QUEUE, 1000) >= QUEUE);
  push = bind_push(context, endpoint);
  unsigned again = 0;
  for (int tries = 0; tries < 500 && again == 0; tries++) {
    zmq_send(push, bytes, sizeof bytes, ZMQ_DONTWAIT);
    again = receive_all(&s, 1, 2);
  }
  assert_true(again > 0);
  zmq_close(push);
  ct_socket_close(&s);
  zmq_ctx_term(context);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_peer_goes_while_the_queue_is_full) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
