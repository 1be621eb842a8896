/* theme: the colours of everything but maps, and the ramp a map begins with. All are of the palette's 16..255: what is below
 * belongs to the user's terminal. In "safe" what is well, what warns and what is wrong differ for every kind of colour
 * blindness (after Okabe and Ito): cyan, yellow, vermilion. Each goes with a word anyway. */
#include "view/canvas.h"

struct theme {
  enum ct_ramp ramp;
  int16_t colours[CT_ROLES];     /* in the order of the roles */
};

enum { NONE = CT_COLOUR_DEFAULT };

static const struct theme themes[CT_THEMES] = {
  [CT_THEME_DARK] = { CT_RAMP_INFERNO, { 245, 208, 109, 71, 196, 75, 114, 179, 176, 252, 133 } },
  [CT_THEME_LIGHT] = { CT_RAMP_VIRIDIS, { 242, 166, 26, 28, 160, 25, 64, 94, 90, 237, 125 } },
  [CT_THEME_MONO] = { CT_RAMP_GREY, { NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE } },
  [CT_THEME_SAFE] = { CT_RAMP_CIVIDIS, { 245, 220, 117, 45, 202, 39, 36, 180, 175, 252, 103 } },
};

enum ct_ramp ct_view_theme_ramp(enum ct_theme theme) { return themes[theme].ramp; }

int ct_theme_colour(enum ct_theme theme, int colour)
{
  return colour >= CT_GREY && colour < CT_GREY + CT_ROLES ? themes[theme].colours[colour - CT_GREY] : colour;
}
