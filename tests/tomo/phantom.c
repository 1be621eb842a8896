#include "phantom.h"

#include <math.h>
#include <string.h>

#define PI 3.14159265358979323846

static const struct phantom_ellipse head[] = {
  { 1, .69, .92, 0, 0, 0 }, { -.8, .6624, .874, 0, -.0184, 0 }, { -.2, .11, .31, .22, 0, -18 },
  { -.2, .16, .41, -.22, 0, 18 }, { .1, .21, .25, 0, .35, 0 }, { .1, .046, .046, 0, .1, 0 },
  { .1, .046, .046, 0, -.1, 0 }, { .1, .046, .023, -.08, -.605, 0 }, { .1, .023, .023, 0, -.606, 0 },
  { .1, .023, .046, .06, -.605, 0 } };
static const struct phantom_ellipse off_centre[] = { { 1, .2, .2, .5, .25, 0 } };
static const struct phantom_ellipse central[] = { { 1, .8, .8, 0, 0, 0 } };
const struct phantom phantom_head = { head, 10 }, phantom_disc = { off_centre, 1 }, phantom_middle = { central, 1 };

/* Integral of sqrt(s^2 - t^2) from 0 to t. */
static double segment(double s, double t)
{
  t = fmin(fmax(t, -s), s);
  return 0.5 * (t * sqrt(s * s - t * t) + s * s * asin(t / s));
}

void phantom_row(const struct phantom *phantom, double angle_deg, uint32_t cols, double axis_px, double radius_cols,
                 float *row)
{
  double angle = angle_deg * PI / 180;

  memset(row, 0, cols * sizeof *row);
  for (int e = 0; e < phantom->n; e++) {
    const struct phantom_ellipse *p = &phantom->ellipse[e];
    /* The ellipse turns with the sample; its chord lies across the angle it has then. */
    double own = p->turned_deg * PI / 180 + angle, middle = p->x * cos(angle) - p->y * sin(angle);
    double s = hypot(p->a * cos(own), p->b * sin(own)) * radius_cols;
    double area = p->value * 2 * p->a * p->b * radius_cols * radius_cols / (s * s);
    for (uint32_t i = 0; i < cols; i++) {
      double t = i - axis_px - middle * radius_cols;
      row[i] += (float)(area * (segment(s, t + 0.5) - segment(s, t - 0.5)));
    }
  }
}

static double inside(const struct phantom *phantom, double x, double y)
{
  double sum = 0;
  for (int e = 0; e < phantom->n; e++) {
    const struct phantom_ellipse *p = &phantom->ellipse[e];
    double turned = p->turned_deg * PI / 180, dx = x - p->x, dy = y - p->y, r2 = dx * dx + dy * dy;
    if (r2 > fmax(p->a * p->a, p->b * p->b)) continue;
    double along = (dx * cos(turned) + dy * sin(turned)) / p->a, across = (dy * cos(turned) - dx * sin(turned)) / p->b;
    if (along * along + across * across <= 1) sum += p->value;
  }
  return sum;
}

void phantom_picture(const struct phantom *phantom, uint32_t size, int sub, float *picture)
{
  for (uint32_t row = 0; row < size; row++) {
    for (uint32_t col = 0; col < size; col++) {
      double sum = 0;
      for (int i = 0; i < sub * sub; i++)
        sum += inside(phantom, 2 * (col + (i % sub + 0.5) / sub) / size - 1, 1 - 2 * (row + (i / sub + 0.5) / sub) / size);
      picture[(size_t)row * size + col] = (float)(sum / (sub * sub));
    }
  }
}

struct phantom_fit phantom_compare(const float *picture, const float *truth, uint32_t size, double within)
{
  double n = 0, f = 0, g = 0, ff = 0, fg = 0, gg = 0;

  for (size_t i = 0; i < (size_t)size * size; i++) {
    double x = 2 * ((double)(i % size) + 0.5) / size - 1, y = 2 * ((double)(i / size) + 0.5) / size - 1;
    if (x * x + y * y > within * within) continue;
    double u = (double)picture[i], v = (double)truth[i];
    n++, f += u, g += v, ff += u * u, fg += u * v, gg += v * v;
  }
  double scale = (n * fg - f * g) / (n * ff - f * f), offset = (g - scale * f) / n;
  double rest = gg + scale * scale * ff + n * offset * offset - 2 * scale * fg - 2 * offset * g + 2 * scale * offset * f;
  return (struct phantom_fit){ sqrt(fmax(rest, 0) / n) + 0 * rest, scale, offset };
}

double phantom_mean(const float *picture, uint32_t size, double x, double y, double r)
{
  double sum = 0, n = 0;
  for (size_t i = 0; i < (size_t)size * size; i++) {
    double px = 2 * ((double)(i % size) + 0.5) / size - 1, py = 1 - 2 * ((double)(i / size) + 0.5) / size;
    if (hypot(px - x, py - y) <= r) sum += (double)picture[i], n++;
  }
  return sum / n;
}

double phantom_uniform(uint64_t *seed)
{
  *seed ^= *seed << 13;
  *seed ^= *seed >> 7;
  *seed ^= *seed << 17;
  return (double)(*seed >> 11) * 0x1p-53;
}

double phantom_normal(uint64_t *seed)
{
  return sqrt(-2 * log(1 - phantom_uniform(seed))) * cos(2 * PI * phantom_uniform(seed));
}
