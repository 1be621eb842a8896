/* What the tests of sim share. */
#ifndef TESTS_SIM_COMMON_H
#define TESTS_SIM_COMMON_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <comptop/sim.h>

/* |value - expected| <= tolerance, and no NaN. */
#define assert_near(value, expected, tolerance)                                                             \
  do {                                                                                                      \
    double near_value_ = (value), near_expected_ = (expected);                                              \
    if (!(fabs(near_value_ - near_expected_) <= (tolerance)))                                               \
      fail_msg("%s = %.9g, expected %.9g within %.3g", #value, near_value_, near_expected_, (double)(tolerance)); \
  } while (0)

#endif
