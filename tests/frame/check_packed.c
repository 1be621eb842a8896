/* The packed forms against their definitions (bit by bit), against themselves, and against garbage. */
#include <comptop/frame.h>

#include <lz4.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint32_t random_state = 7;
static uint32_t next_random(void)
{
  random_state = random_state * 1664525u + 1013904223u;
  return random_state >> 8;
}

static uint64_t be(const unsigned char *in, int bytes)
{
  uint64_t value = 0;
  while (bytes-- > 0)
    value = value << 8 | *in++;
  return value;
}

/* Unpacks by the definition: row 8*b+i of a block has bit i of byte b of every element, eight elements a byte. */
static void unpack_slowly(const unsigned char *in, size_t e, unsigned char *out)
{
  size_t left = (size_t)be(in, 8), block = (size_t)be(in + 8, 4);
  static unsigned char rows[8192];
  assert_true(block <= sizeof rows);
  in += 12;
  while (left >= 8 * e) {
    size_t size = left < block ? left - left % (8 * e) : block, n = size / e;
    int length = (int)be(in, 4);
    assert_int_equal(LZ4_decompress_safe((const char *)in + 4, (char *)rows, length, (int)size), size);
    memset(out, 0, size);
    for (size_t k = 0; k < n; k++)
      for (size_t bit = 0; bit < 8 * e; bit++)
        if (rows[bit * (n / 8) + k / 8] >> k % 8 & 1)
          out[k * e + bit / 8] |= (unsigned char)(1u << bit % 8);
    in += 4 + length;
    out += size;
    left -= size;
  }
  memcpy(out, in, left);
}

static void test_every_size(void **state)
{
  (void)state;
  static unsigned char plain[40000], packed[60000], back[40000];
  static const size_t elements[] = { 1, 2, 4, 8 };
  for (size_t trial = 0; trial < 400; trial++) {
    size_t e = elements[trial % 4], n = trial < 200 ? trial : next_random() % (sizeof plain / e), bytes = n * e;
    for (size_t i = 0; i < bytes; i++)
      plain[i] = trial % 3 ? (unsigned char)(next_random() & (i % e ? 1 : 255)) : 0;
    size_t length = ct_bslz4_pack(plain, bytes, e, packed);
    assert_true(length >= 12 && length <= ct_bslz4_bound(bytes));
    assert_int_equal(ct_bslz4_plain_bytes(packed, length), bytes);
    memset(back, 0xa5, sizeof back);
    unpack_slowly(packed, e, back);
    assert_memory_equal(back, plain, bytes);
    memset(back, 0xa5, sizeof back);
    assert_int_equal(ct_bslz4_unpack(packed, length, e, back), 0);
    assert_memory_equal(back, plain, bytes);
    assert_true(bytes == sizeof back || back[bytes] == 0xa5);
  }
}

/* LZ4 in blocks, by its definition: sizes in front, a block as long as its plain data stands as it is. */
static void test_lz4_blocks(void **state)
{
  (void)state;
  enum { MOST = 3 * CT_LZ4_BLOCK_BYTES + 5 };
  unsigned char *plain = malloc(MOST), *packed = malloc(ct_lz4_bound(MOST)), *back = malloc(MOST);
  static const size_t sizes[] = { 1, 7, 12800, CT_LZ4_BLOCK_BYTES - 1, CT_LZ4_BLOCK_BYTES, CT_LZ4_BLOCK_BYTES + 1, MOST };
  for (size_t trial = 0; trial < 2 * sizeof sizes / sizeof *sizes; trial++) {
    const size_t bytes = sizes[trial / 2];
    for (size_t i = 0; i < bytes; i++)
      plain[i] = trial % 2 ? (unsigned char)next_random() : (unsigned char)(i % 100 == 0);
    const size_t length = ct_lz4_pack(plain, bytes, packed);
    assert_true(length > 12 && length <= ct_lz4_bound(bytes));
    assert_int_equal(ct_lz4_plain_bytes(packed, length), bytes);
    assert_int_equal(be(packed, 8), bytes);
    const size_t block = (size_t)be(packed + 8, 4);
    const unsigned char *in = packed + 12;
    for (size_t at = 0; at < bytes; at += block) {
      const size_t n = bytes - at < block ? bytes - at : block, stored = (size_t)be(in, 4);
      if (stored == n)
        memcpy(back + at, in + 4, n);
      else
        assert_int_equal(LZ4_decompress_safe((const char *)in + 4, (char *)back + at, (int)stored, (int)n), n);
      in += 4 + stored;
    }
    assert_ptr_equal(in, packed + length);
    assert_memory_equal(back, plain, bytes);
    memset(back, 0xa5, bytes);
    assert_int_equal(ct_lz4_unpack(packed, length, back), 0);
    assert_memory_equal(back, plain, bytes);
  }
  free(plain);
  free(packed);
  free(back);
}

/* Cut off or altered: an error or wrong numbers of the right size, never a step outside. */
static void test_garbage(void **state)
{
  const bool lz4 = *state != NULL;
  unsigned char plain[4000], packed[8000];
  size_t refused = 0;
  for (size_t i = 0; i < sizeof plain; i++)
    plain[i] = (unsigned char)(i % 7);
  size_t whole = lz4 ? ct_lz4_pack(plain, sizeof plain, packed) : ct_bslz4_pack(plain, sizeof plain, 2, packed);
  for (size_t trial = 0; trial < 5000; trial++) {
    size_t length = trial % 2 ? whole : next_random() % whole;
    unsigned char *exact = malloc(length);
    memcpy(exact, packed, length);
    if (trial % 2)
      exact[next_random() % (trial % 4 == 1 ? 20 : length)] = (unsigned char)next_random();
    size_t bytes = lz4 ? ct_lz4_plain_bytes(exact, length) : ct_bslz4_plain_bytes(exact, length);
    unsigned char *out = malloc(bytes);
    refused += bytes == 0 || (lz4 ? ct_lz4_unpack(exact, length, out) : ct_bslz4_unpack(exact, length, 2, out)) != 0;
    free(out);
    free(exact);
  }
  assert_true(refused > 1500);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_every_size),
    cmocka_unit_test(test_lz4_blocks),
    cmocka_unit_test(test_garbage),
    { .name = "test_garbage of lz4 blocks", .test_func = test_garbage, .initial_state = (char[]){ "lz4" } },
  };
  return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
