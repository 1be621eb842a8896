/* A camera of 2560 x 2160 pixels at 100 projections a second: processors that the slice alone takes, and the slice with three
 * planes of 512 pixels, drawn twice a second. Half a turn comes in its own time, since planes are painted in what is left of
 * it; frames are made meanwhile and not counted. How far behind the frames it has fallen is beside it: at 1 s a receiver with
 * room for fewer frames would have lost some. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pipeline/camera.h"
#include "tests/tomo/phantom.h"

enum { ROWS = 2160, COLS = 2560, PROJECTIONS = 1000, HZ = 100, FLATS = 20 };
static const double axis_px = 1282.8;
static const int64_t draw_every_ns = CT_NS_PER_S / 2, nap_ns = 5000000;

struct source {
  uint16_t *beam, *frame;   /* [ROWS * COLS] */
  double spent_s, behind_s;
};

static double thread_s(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_beam(struct source *s)
{
  uint64_t seed = 3;
  s->beam = ct_xcalloc((size_t)ROWS * COLS, sizeof *s->beam);
  s->frame = ct_xcalloc((size_t)ROWS * COLS, sizeof *s->frame);
  for (size_t i = 0; i < (size_t)ROWS * COLS; i++)
    s->beam[i] = (uint16_t)(20000 + 490 * (phantom_uniform(&seed) - 0.5));   /* the scatter of 20000 photons */
}

/* The same in every row but for its scatter, which is that of another row each time. */
static void expose(struct source *s, int k, const float *line)
{
  static uint32_t through[COLS];
  for (int c = 0; c < COLS; c++)
    through[c] = (uint32_t)(65536 * exp(-0.001 * (double)line[c]));
  for (uint32_t row = 0; row < ROWS; row++) {
    const uint16_t *beam = s->beam + (row + 17 * (uint32_t)(k + FLATS)) % ROWS * COLS;
    for (uint32_t c = 0; c < COLS; c++)
      s->frame[(size_t)row * COLS + c] = (uint16_t)(beam[c] * through[c] >> 16);
  }
}

static void take(struct source *s, struct ct_camera *camera, uint64_t number, int key, double angle_deg)
{
  const struct ct_attributes attributes = { .present = CT_HAS_KEY | CT_HAS_ANGLE, .image_key = key, .angle_deg = angle_deg };
  struct ct_lot lot = { .kind = CT_LOT_FRAMES, .frame = { .pixels = (const unsigned char *)s->frame, .bytes = (size_t)ROWS * COLS * 2,
    .type = CT_U16, .count = 1, .rows = ROWS, .cols = COLS, .number = number, .arrival_ns = ct_time_wall_ns(), .attributes = attributes } };
  double from_s = thread_s();
  ct_camera_take(camera, &lot);
  s->spent_s += thread_s() - from_s;
}

static void draw(struct source *s, struct ct_camera *camera, void *buffer, size_t bytes, const struct ct_wants_table *wants)
{
  struct ct_snapshot_builder builder;
  double from_s = thread_s();
  ct_camera_follow(camera, ct_time_wall_ns());
  if (ct_snapshot_begin(&builder, buffer, bytes) != 0)
    exit(1);
  ct_camera_draw(camera, &builder, wants);
  ct_snapshot_finish(&builder);
  s->spent_s += thread_s() - from_s;
}

/* Planes, until the next frame is due. */
static void paint_until(struct source *s, struct ct_camera *camera, int64_t due_ns)
{
  int64_t left_ns;
  while ((left_ns = due_ns - ct_time_mono_ns()) > 0) {
    double from_s = thread_s();
    ct_camera_paint(camera, false);
    s->spent_s += thread_s() - from_s;
    nanosleep(&(struct timespec){ .tv_nsec = left_ns < nap_ns ? left_ns : nap_ns }, NULL);
  }
}

static void scan(struct source *s, struct ct_camera *camera, const struct ct_wants_table *wants)
{
  size_t bytes = ct_camera_bytes(&camera->setup);
  void *buffer = ct_xcalloc(1, bytes);
  s->spent_s = s->behind_s = 0;
  for (int i = 0; i < FLATS; i++) {
    static const float none[COLS];
    expose(s, -1 - i, none);
    take(s, camera, (uint64_t)i, CT_KEY_FLAT, 0);
  }
  int64_t begin_ns = ct_time_mono_ns(), drawn_ns = begin_ns;
  for (int k = 0; k < PROJECTIONS; k++) {
    static float line[COLS];
    phantom_row(&phantom_head, 180.0 * k / PROJECTIONS, COLS, axis_px, 1200, line);
    expose(s, k, line);
    int64_t due_ns = begin_ns + (k + 1) * (CT_NS_PER_S / HZ);
    paint_until(s, camera, due_ns);
    int64_t now_ns = ct_time_mono_ns();
    s->behind_s = fmax(s->behind_s, (double)(now_ns - due_ns) / CT_NS_PER_S);
    take(s, camera, FLATS + (uint64_t)k, CT_KEY_PROJECTION, 180.0 * k / PROJECTIONS);
    if (now_ns - drawn_ns < draw_every_ns)
      continue;
    drawn_ns = now_ns;
    draw(s, camera, buffer, bytes, wants);
  }
  free(buffer);
}

static void bench(struct source *s, const char *what, uint32_t pictures)
{
  static const enum ct_image planes[] = { CT_IMAGE_XY, CT_IMAGE_XZ, CT_IMAGE_YZ };
  const struct ct_reconstruction_setup setup = { .slice = { .size = 512, .projections = PROJECTIONS, .rotation_deg = 180, .smear_px = 0.25 },
    .axis_px = (double)NAN, .slice_row = -1, .pixel_um = (double)NAN, .angle_start_deg = (double)NAN, .angle_step_deg = (double)NAN,
    .rings = CT_RINGS_ON, .planes_bytes = UINT64_C(256) << 20, .publish = "" };
  struct ct_wants_table wants = { .n = 1 + pictures, .requests = { { .kind = CT_SECTION_SLICE } } };
  struct ct_camera camera = { 0 };
  for (uint32_t i = 0; i < pictures; i++)
    wants.requests[1 + i] = (struct ct_request){ .kind = CT_SECTION_IMAGE, .x = (int32_t)planes[i], .at = { .row = CT_ROW_OF_SLICE } };
  if (ct_camera_init(&camera, &setup, NULL) != 0)
    exit(1);
  scan(s, &camera, &wants);
  if (ct_scan_state(camera.scan).projections != PROJECTIONS || !(fabs(camera.axis.axis_px - axis_px) < 4 * camera.axis.sigma_px))
    exit(1);
  double cores = s->spent_s * HZ / PROJECTIONS;
  printf("%s of 2560x2160 at 100/s\t%.3f\tcores\taim\t0.3\t%.3f\n", what, cores, cores / 0.3);
  printf("%s of 2560x2160 at 100/s, behind at most\t%.3f\ts\tlost\t1\t%.3f\n", what, s->behind_s, s->behind_s);
  ct_camera_fini(&camera);
}

int main(void)
{
  struct source source = { 0 };
  make_beam(&source);
  bench(&source, "a slice", 0);
  bench(&source, "a slice and three planes", 3);
  free(source.beam);
  free(source.frame);
  return 0;
}
