/* A stream of scalars, read by the monitor's loop: low rates, no thread. */
#include <comptop/pipeline.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "receive.h"
#include "socket.h"

enum { BURST_MESSAGES = 64, MESSAGE_PARTS = 2 + 2 * CT_WIRE_CHANNELS };

struct ct_scalars {
  char name[CT_NAME];
  struct ct_socket socket;
  struct ct_wire_bsread *wire;
  uint64_t messages, bytes, last_pulse;
  uint64_t rejected[CT_REJECT_COUNT];
  int64_t last_mono_ns, message_mono_ns;   /* of the last good message, of the last one */
  char first_rejected[256];
  struct ct_first_header first_header;
  struct ct_wire_scalars decoded;
  zmq_msg_t parts[MESSAGE_PARTS];
};

int ct_scalars_open(struct ct_scalars **out, const char *name, const char *endpoint, bool pull, struct ct_err *err)
{
  struct ct_scalars *s = ct_xcalloc(1, sizeof *s);
  snprintf(s->name, sizeof s->name, "%s", name);
  int code = ct_wire_bsread_new(&s->wire, err);
  if (code == 0)
    code = ct_socket_open(&s->socket, &(struct ct_socket_setup){ .endpoint = endpoint, .pull = pull,
                          .queue_bytes = 16 << 20, .typical_bytes = 1024 }, err);
  if (code != 0) {
    ct_scalars_close(s);
    return code;
  }
  *out = s;
  return 0;
}

void ct_scalars_close(struct ct_scalars *s)
{
  if (s == NULL)
    return;
  ct_socket_close(&s->socket);
  ct_wire_bsread_free(s->wire);
  free(s);
}

int ct_scalars_fd(struct ct_scalars *s) { return ct_socket_fd(&s->socket); }

static void take_message(struct ct_scalars *s, const struct ct_message *message,
                         void (*take)(void *arg, const struct ct_wire_scalars *scalars), void *arg)
{
  struct ct_wire_part parts[MESSAGE_PARTS];
  size_t n = 0;
  for (; n < (size_t)message->n && n < MESSAGE_PARTS; n++)
    parts[n] = (struct ct_wire_part){ zmq_msg_data(&s->parts[n]), zmq_msg_size(&s->parts[n]) };
  s->bytes += message->bytes;
  s->message_mono_ns = ct_time_mono_ns();
  ct_wire_bsread_decode(s->wire, parts, n, &s->decoded);
  if (message->n > MESSAGE_PARTS) {
    s->decoded.verdict = CT_WIRE_REJECT;
    s->decoded.reject = CT_REJECT_PARTS;
    snprintf(s->decoded.reason, sizeof s->decoded.reason, "%d parts, more than %d channels have", message->n,
             CT_WIRE_CHANNELS);
  }
  if (s->decoded.verdict == CT_WIRE_TAKE) {
    s->messages++;
    ct_first_header_keep(&s->first_header, parts, n);
    s->last_pulse = s->decoded.pulse_id;
    s->last_mono_ns = ct_time_mono_ns();
    take(arg, &s->decoded);
    return;
  }
  s->rejected[s->decoded.reject]++;
  if (s->first_rejected[0] == '\0')
    snprintf(s->first_rejected, sizeof s->first_rejected, "%.255s", s->decoded.reason);
}

bool ct_scalars_drain(struct ct_scalars *s, void (*take)(void *arg, const struct ct_wire_scalars *scalars), void *arg)
{
  struct ct_message message = { .parts = s->parts, .capacity = MESSAGE_PARTS };
  ct_socket_watch(&s->socket, ct_time_mono_ns());
  for (int i = 0; i < BURST_MESSAGES; i++) {
    if (!ct_socket_receive(&s->socket, &message))
      return false;
    take_message(s, &message, take, arg);
    ct_message_close(&message);
  }
  return true;
}

const char *ct_scalars_first_header(const struct ct_scalars *s) { return ct_first_header_text(&s->first_header); }

void ct_scalars_stats(const struct ct_scalars *s, struct ct_snapshot_stream *out)
{
  memset(out, 0, sizeof *out);
  snprintf(out->name, sizeof out->name, "%s", s->name);
  snprintf(out->endpoint, sizeof out->endpoint, "%s", s->socket.endpoint);
  if (s->messages)
    snprintf(out->format, sizeof out->format, "%s", ct_wire_format_word(CT_WIRE_BSREAD));
  out->role = CT_ROLE_SCALARS;
  out->frames = s->messages;
  out->bytes = s->bytes;
  out->last_number = s->last_pulse;
  for (int i = 0; i < CT_REJECT_COUNT; i++)
    out->rejected += out->rejected_kind[i] = s->rejected[i];
  memcpy(out->first_rejected, s->first_rejected, sizeof out->first_rejected);
  out->angle_deg = out->rate_hz = out->lag_s = NAN;
  out->silent_s = s->last_mono_ns ? (double)(ct_time_mono_ns() - s->last_mono_ns) / 1e9 : (double)NAN;
}

double ct_scalars_quiet_s(const struct ct_scalars *s)
{
  return s->message_mono_ns ? (double)(ct_time_mono_ns() - s->message_mono_ns) / 1e9 : (double)NAN;
}

bool ct_scalars_connected(const struct ct_scalars *s)
{
  return atomic_load_explicit(&s->socket.connected, memory_order_relaxed);
}
