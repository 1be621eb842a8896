/* words: figures as people write them. Ownership: words are written into the caller's <out> and returned. */
#ifndef VIEW_WORDS_H
#define VIEW_WORDS_H

#include <comptop/view.h>

#define CT_WORD 48
/* "0.8021 ± 0.0012": as many decimals as give the error two digits, at most 6; "no data" where the value is absent. */
const char *ct_word_measured(char out[CT_WORD], double value, double sigma);
/* "118", "12.3k", "3.31M": three digits and an SI prefix; "-" where absent. */
const char *ct_word_short(char out[CT_WORD], double value);
/* "100", "10k", "1.5M": the same without zeros at the end, for axes. */
const char *ct_word_brief(char out[CT_WORD], double value);
/* "0.4 s", "14 s", "24 min", "6.2 h", "3.1 d". */
const char *ct_word_time(char out[CT_WORD], double seconds);
/* "14 s old" */
const char *ct_word_age(char out[CT_WORD], double seconds);
/* "3.912 V", "+2.1 mA": a value in <unit> with a prefix between n and G that leaves 1 to 999 before the point. */
const char *ct_word_unit(char out[CT_WORD], double value, int digits, bool sign, const char *unit);
/* "03:14:07Z" */
const char *ct_word_clock(char out[CT_WORD], int64_t wall_ns);
/* 1, 2 or 5 times a power of ten: the smallest not below <least>, which is positive. */
double ct_round_step(double least);
/* A tick label with <decimals>, without the sign of -0. */
const char *ct_word_tick(char out[CT_WORD], double value, int decimals);

#endif
