#include "tests/archive/run_writer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint16_t run_pixel(uint64_t k, size_t i)
{
  uint64_t x = (k * 6400 + i + 1) * UINT64_C(0x9E3779B97F4A7C15);
  x ^= x >> 29;
  x *= UINT64_C(0xBF58476D1CE4E5B9);
  return (uint16_t)(400 + (x >> 40 & 63) + (i % 97 == k % 97 ? 3000 : 0));
}

static const struct ct_run_stream streams[] = {
  { .name = "hexitec", .endpoint = "tcp://127.0.0.1:5555", .role = CT_ROLE_HEXITEC, .frame_hz = 9118.87 },
  { .name = "camera", .endpoint = "tcp://127.0.0.1:5556", .role = CT_ROLE_CAMERA, .frame_hz = 10 },
  { .name = "cell", .endpoint = "tcp://127.0.0.1:5557", .role = CT_ROLE_SCALARS, .frame_hz = 0 },
};

static const char *const rois[] = { "cathode", "anode" };

static const struct ct_run_about about = { .e1_keV = 114.64, .theta_deg = 90, .object_mm = 160, .detector_mm = 160,
  .pitch_mm = 0.25, .camera_um = 3.24, .voltage = "Ewe_V", .current = "I_A", .charge = "Q_Ah" };

struct ct_run_setup run_setup(const char *folder, const char *name, enum ct_codec codec)
{
  return (struct ct_run_setup){ .folder = folder, .name = name, .codec = codec, .streams = streams, .n_streams = 3,
    .rois = rois, .n_rois = 2,
    .program = "comptop 0.1.0", .configuration = "[run]\nname = test\n", .about = &about, .rows = RUN_ROWS, .cols = RUN_COLS, .bins = 50,
    .start_keV = 0, .width_keV = 4 };
}

static void write_chunk(struct ct_run *run, struct ct_chunk *chunk, enum ct_codec codec, int64_t *now_ns,
                        unsigned *failures)
{
  ct_chunk_pack(chunk, codec);
  *failures += ct_run_write(run, chunk, *now_ns) != 0;
  *now_ns += 7000000;
  ct_run_tick(run, *now_ns);
}

static uint32_t add(struct ct_chunk *chunk, const struct ct_frame *frame, uint32_t done, enum ct_codec codec)
{
  static uint16_t least_ADU[RUN_ROWS * RUN_COLS];
  const uint32_t took = ct_chunk_add(chunk, frame, done);
  for (size_t i = 0; i < RUN_ROWS * RUN_COLS; i++)
    least_ADU[i] = RUN_LIMIT;
  if (codec == CT_CODEC_EVENTS)
    ct_chunk_suppress(chunk, took, &(struct ct_chunk_limits){ .least_ADU = least_ADU });
  return took;
}

unsigned run_frames(struct ct_run *run, size_t stream, uint64_t first, uint64_t n, uint32_t batch, enum ct_codec codec,
                    int64_t *now_ns)
{
  const size_t pixels = stream == 0 ? RUN_ROWS * RUN_COLS : CAM_ROWS * CAM_COLS;
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  uint16_t *data = ct_xcalloc(batch, pixels * sizeof *data);
  unsigned failures = 0;
  ct_chunk_begin(chunk, stream, streams[stream].frame_hz, NULL);
  for (uint64_t k = first; k < first + n; k += batch) {
    struct ct_frame frame = { .pixels = (unsigned char *)data, .type = CT_U16, .rows = stream == 0 ? RUN_ROWS : CAM_ROWS,
      .cols = stream == 0 ? RUN_COLS : CAM_COLS, .number = k, .arrival_ns = *now_ns };
    frame.count = first + n - k < batch ? (uint32_t)(first + n - k) : batch;
    frame.bytes = frame.count * pixels * sizeof *data;
    if (stream == 1)
      frame.attributes = (struct ct_attributes){ .present = CT_HAS_ANGLE | CT_HAS_KEY, .angle_deg = 0.5 * (double)k,
        .image_key = k < 3 ? CT_KEY_DARK : k < 6 ? CT_KEY_FLAT : CT_KEY_PROJECTION };
    else
      frame.attributes = (struct ct_attributes){ .present = CT_HAS_MODE | CT_HAS_TRIGGER, .mode = CT_MODE_XCS, .trigger = k };
    for (size_t i = 0; i < frame.count * pixels; i++)
      data[i] = run_pixel(k + i / pixels, i % pixels);
    for (uint32_t done = 0; done < frame.count;) {
      uint32_t took = add(chunk, &frame, done, codec);
      done += took;
      if (took == 0 || ct_chunk_full(chunk)) {
        write_chunk(run, chunk, codec, now_ns, &failures);
        ct_chunk_begin(chunk, stream, streams[stream].frame_hz, chunk);
      }
    }
  }
  if (ct_chunk_count(chunk) > 0)
    write_chunk(run, chunk, codec, now_ns, &failures);
  free(data);
  ct_chunk_free(chunk);
  return failures;
}

void run_extras(struct ct_run *run, int64_t now_ns)
{
  const size_t pixels = RUN_ROWS * RUN_COLS;
  static struct ct_snapshot_core core;
  float *map = ct_xcalloc(pixels, sizeof *map);
  uint32_t *spectra = ct_xcalloc(pixels * 50, sizeof *spectra);
  const struct ct_snapshot_alarm alarm = { .id = "stream-stale", .severity = CT_WARNING, .text = "no data for 10 s" };
  const struct ct_snapshot_alarm marker = { .id = CT_MARKER_ID, .severity = CT_NOTICE, .text = "new electrolyte" };
  core.xcs.present = true;
  core.n_streams = 2;
  snprintf(core.streams[1].name, sizeof core.streams[1].name, "hexitec");
  snprintf(core.streams[0].name, sizeof core.streams[0].name, "camera");
  core.n_rois = 1;
  snprintf(core.rois[0].name, sizeof core.rois[0].name, "cathode");
  core.xcs.emf.emf = 0.8;
  core.xcs.window_s = 60;
  core.xcs.frames = 1234;
  for (size_t i = 0; i < pixels; i++) {
    map[i] = (float)i / (float)pixels;
    spectra[i * 50 + i % 50] = (uint32_t)i;
  }
  for (int i = 0; i < 5; i++) {
    const int64_t time_ns = now_ns + i * CT_NS_PER_S;
    ct_run_scalar(run, &(struct ct_run_scalar){ "Ewe_V", time_ns, time_ns, 3.5 + 0.1 * i });
    ct_run_scalar(run, &(struct ct_run_scalar){ "I_A", time_ns, time_ns, 0.002 });
  }
  ct_run_alarm(run, &alarm, true, now_ns);
  ct_run_alarm(run, &marker, true, now_ns + CT_NS_PER_S);
  for (int i = 0; i < 7; i++) {
    core.wall_ns = now_ns + i * CT_NS_PER_S;
    core.xcs.counts = (uint64_t)(100 * i);
    core.streams[1].lost = (uint64_t)i;
    core.rois[0].emf.emf = 0.01 * i;
    ct_run_sample(run, &core);
  }
  ct_run_gap(run, 0, 1000000, 1000009, CT_GAP_LOST, now_ns);
  for (int i = 0; i < 3; i++) {
    const struct ct_run_results results = { .time_ns = now_ns + i * CT_NS_PER_S, .core = &core, .emf = map, .sigma = map,
                                            .counts = map, .spectra = spectra };
    ct_run_results(run, &results);
  }
  free(spectra);
  free(map);
}
