/* Runs a fuzz target on its seeds, on mutations of them and on random bytes: the same ones each time. */
#include <stdlib.h>
#include <string.h>

#include "cmocka_all.h"
#include "fuzz.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t random_bits(void)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state;
}

/* A block of exactly <len> bytes, so that a sanitizer sees every step beyond it. */
static void feed(const char *data, size_t len)
{
  uint8_t *exact = malloc(len ? len : 1);
  assert_non_null(exact);
  memcpy(exact, data, len);
  assert_int_equal(LLVMFuzzerTestOneInput(exact, len), 0);
  free(exact);
}

static void seeds_and_their_beginnings(void **state)
{
  (void)state;
  for (size_t i = 0; i < fuzz_seed_count; i++)
    for (size_t len = 0; len <= strlen(fuzz_seeds[i]); len++)
      feed(fuzz_seeds[i], len);
}

static void mutations(void **state)
{
  (void)state;
  static const char marks[] = "[]=;#:,.|\n\r\t 0-+e%\0\xff\xef";
  char data[600];
  for (int round = 0; round < 4000; round++) {
    const char *seed = fuzz_seeds[random_bits() % fuzz_seed_count], *other = fuzz_seeds[random_bits() % fuzz_seed_count];
    size_t len = strlen(seed), more = strlen(other);
    assert_true(len + more <= sizeof data);
    memcpy(data, seed, len);
    memcpy(data + len, other, more);
    len += random_bits() % 2 ? more : 0;
    for (uint64_t n = random_bits() % 4; n > 0; n--)
      data[random_bits() % len] = random_bits() % 3 ? marks[random_bits() % (sizeof marks - 1)] : (char)random_bits();
    feed(data, random_bits() % 4 ? len : random_bits() % len);
  }
}

static void random_bytes(void **state)
{
  (void)state;
  char data[300];
  for (int round = 0; round < 2000; round++) {
    size_t len = random_bits() % sizeof data;
    for (size_t i = 0; i < len; i++)
      data[i] = (char)random_bits();
    feed(data, len);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(seeds_and_their_beginnings),
    cmocka_unit_test(mutations),
    cmocka_unit_test(random_bytes),
  };
  return cmocka_run_group_tests_name("fuzz", tests, NULL, NULL);
}
