/* ramp: levels -> colours of the xterm palette 16..255 (0..15 belong to the user's theme), of strictly rising lightness
 * L*, found by dynamic programming against the maps they are named after. Nearest-neighbour mapping would make lightness
 * fall back several times on the way up and so draw contours that are not in the data. */
#include "view/heatmap.h"

static const uint8_t ramps[CT_RAMP_COUNT + 1][CT_LEVELS] = {
  [CT_RAMP_INFERNO] = { 16, 233, 18, 53, 54, 89, 125, 161, 131, 166, 202, 208, 214, 220, 191, 229 },
  [CT_RAMP_GREY] = { 16, 233, 235, 236, 238, 240, 241, 243, 102, 247, 248, 250, 252, 253, 255, 231 },
  [CT_RAMP_VIRIDIS] = { 17, 53, 54, 25, 61, 31, 67, 245, 37, 108, 42, 114, 84, 155, 191, 226 },
  /* twelve steps only: more are not distinct in this palette */
  [CT_RAMP_CIVIDIS] = { 235, 235, 236, 24, 60, 60, 242, 243, 244, 244, 137, 143, 179, 179, 185, 227 },
  /* blue, white, orange: lightness rises to the middle and falls from there */
  [CT_RAMP_DIVERGING] = { 24, 26, 32, 69, 75, 117, 189, 255, 255, 223, 216, 208, 202, 166, 130, 94 },
};

int ct_ramp_colour(enum ct_ramp ramp, int level)
{
  return ramps[ramp][level < 0 ? 0 : level >= CT_LEVELS ? CT_LEVELS - 1 : level];
}

uint32_t ct_ramp_shade(int level)
{
  static const char shades[] = ",:-=+*o#%@";
  return (uint32_t)(unsigned char)shades[level * 10 / CT_LEVELS];
}
