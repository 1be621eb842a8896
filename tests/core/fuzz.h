/* A fuzz target: what libFuzzer calls, and well-formed inputs to start from. A failure aborts. */
#ifndef TESTS_CORE_FUZZ_H
#define TESTS_CORE_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
extern const char *const fuzz_seeds[];
extern const size_t fuzz_seed_count;

#endif
