/* Random numbers and sampling in constant time. */
#ifndef CT_SIM_RANDOM_H
#define CT_SIM_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include <comptop/core.h>

/* xoshiro256++ of Blackman and Vigna (ACM TOMS 47, 2021), seeded with their splitmix64. */
struct ct_random {
  uint64_t s[4];
};

static inline uint64_t ct_splitmix(uint64_t *state)
{
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* Stream <stream> of <seed>: streams are independent of each other. */
static inline void ct_random_seed(struct ct_random *r, uint64_t seed, uint64_t stream)
{
  uint64_t state = seed;
  state = ct_splitmix(&state) ^ stream;
  for (int i = 0; i < 4; i++) r->s[i] = ct_splitmix(&state);
}

static inline uint64_t ct_random_next(struct ct_random *r)
{
  uint64_t *s = r->s, sum = s[0] + s[3], t = s[1] << 17, result = (sum << 23 | sum >> 41) + s[0];
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = s[3] << 45 | s[3] >> 19;
  return result;
}

/* [0, 1) */
static inline double ct_random_unit(struct ct_random *r) { return (double)(ct_random_next(r) >> 11) * 0x1p-53; }
/* 0..n-1, n > 0; off by less than n / 2^32 of uniform. */
static inline uint32_t ct_random_below(struct ct_random *r, uint32_t n)
{
  return (uint32_t)(((ct_random_next(r) >> 32) * n) >> 32);
}
double ct_random_normal(struct ct_random *r);

/* Walker's alias method in Vose's form (IEEE Trans. Softw. Eng. 17, 1991): one of n outcomes by two look-ups. */
struct ct_alias_cell {
  uint32_t threshold, other;   /* outcome i if a 32-bit random number is below threshold, else other */
};
struct ct_alias {
  struct ct_alias_cell *cells;
  uint32_t n;
};
/* From weights >= 0 with a positive sum. 0 or CT_ENOMEM. */
int ct_alias_new(struct ct_alias *alias, const double *weights, uint32_t n) CT_MUST_CHECK;
/* The same into n cells of the caller's, with n of scratch. */
struct ct_alias_scratch {
  double p;
  uint32_t stack;
};
void ct_alias_fill(struct ct_alias_cell *cells, const double *weights, uint32_t n, struct ct_alias_scratch *scratch);
void ct_alias_free(struct ct_alias *alias);

static inline uint32_t ct_alias_pick(const struct ct_alias_cell *cells, uint32_t n, uint64_t random)
{
  uint32_t i = (uint32_t)(((random >> 32) * n) >> 32);
  return (uint32_t)random < cells[i].threshold ? i : cells[i].other;
}

#endif
