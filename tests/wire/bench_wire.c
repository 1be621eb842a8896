/* How long one array-1.0 header takes, beside jansson reading the same text in the same run. */
#include <comptop/wire.h>

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "samples.h"

enum { ROUNDS = 7, MESSAGES = 50000 };
static unsigned char pixels[12800];

static double best_ns(int64_t (*round)(void))
{
  int64_t best = round();
  for (int i = 1; i < ROUNDS; i++) {
    int64_t now = round();
    best = now < best ? now : best;
  }
  return (double)best / MESSAGES;
}

static void must(int good)
{
  if (good)
    return;
  fputs("bench_wire: the sample message was refused\n", stderr);
  exit(1);
}

static struct ct_wire *wire;
static int64_t ours(void)
{
  static struct ct_wire_message message;
  struct ct_wire_part parts[2] = { { sample_array, sizeof sample_array - 1 }, { pixels, sizeof pixels } };
  int64_t begin = ct_time_cpu_ns();
  for (int i = 0; i < MESSAGES; i++) {
    ct_wire_decode(wire, parts, 2, &message);
    must(message.verdict == CT_WIRE_TAKE);
  }
  return ct_time_cpu_ns() - begin;
}

static int64_t theirs(void)
{
  int64_t begin = ct_time_cpu_ns();
  for (int i = 0; i < MESSAGES; i++) {
    json_t *json = json_loadb(sample_array, sizeof sample_array - 1, 0, NULL);
    must(json_integer_value(json_object_get(json, "frame")) == 7);
    json_decref(json);
  }
  return ct_time_cpu_ns() - begin;
}

int main(void)
{
  must(ct_wire_new(&wire, &(struct ct_wire_setup){ .role = CT_ROLE_HEXITEC, .rows = 80, .cols = 80 }, NULL) == 0);
  double our_ns = best_ns(ours), their_ns = best_ns(theirs);
  printf("wire: array-1.0 message checked\t%.0f\tns\tjansson parse alone\t%.0f\t%.2f\n", our_ns, their_ns,
         our_ns / their_ns);
  ct_wire_free(wire);
  return 0;
}
