/* A slow twin of the detector, written from the rules alone: whole images, rows and columns, flood fill. */
#ifndef CT_TESTS_HEXITEC_TWIN_H
#define CT_TESTS_HEXITEC_TWIN_H

#include <comptop/hexitec.h>

/* Splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t twin_random(uint64_t *state)
{
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}
static inline double twin_uniform(uint64_t *state)
{
  return (double)(twin_random(state) >> 11) * 0x1p-53;
}

struct twin {
  struct ct_hexitec_setup setup;   /* borrowed maps */
  bool *last;
  bool has_last;
  uint64_t last_number;
};
struct twin *twin_new(const struct ct_hexitec_setup *setup);
void twin_free(struct twin *twin);
uint32_t twin_frame(struct twin *twin, const struct ct_frame *frame, uint32_t index, struct ct_event *events,
                    struct ct_hexitec_tally *tally);

#endif
