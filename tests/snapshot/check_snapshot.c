/* Building, finding and checking snapshots. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "walk.h"

static void words(void **state)
{
  (void)state;
  assert_string_equal(ct_reject_word(CT_REJECT_PARTS), "parts");
  assert_string_equal(ct_reject_word(CT_REJECT_TOO_LATE), "too-late");
  assert_string_equal(ct_reject_word(CT_REJECT_COUNT), "?");
  assert_string_equal(ct_stream_state_word(CT_STREAM_DOWN), "down");
  assert_string_equal(ct_stream_state_word(CT_STREAM_IDLE), "idle");
  assert_string_equal(ct_role_word(CT_ROLE_CAMERA), "camera");
  assert_string_equal(ct_archive_state_word(CT_ARCHIVE_DEGRADED), "degraded");
  assert_string_equal(ct_severity_word(CT_CRITICAL), "critical");
  assert_string_equal(ct_severity_word((enum ct_severity)99), "?");
}

static const struct ct_request map_request = {.kind = CT_SECTION_MAP, .bin = 1, .min_counts = 50};
static const struct ct_request spectrum_request = {.kind = CT_SECTION_SPECTRUM, .scope = CT_SCOPE_PIXEL, .x = 4, .y = 7};
static const struct ct_request profile_request = {.kind = CT_SECTION_PROFILE, .scope = CT_SCOPE_ROI, .x = 1};
static const struct ct_request slice_request = {.kind = CT_SECTION_SLICE, .x = 1080, .size = 5};
static const struct ct_request trend_request = {.kind = CT_SECTION_TREND, .size = 9};
static const struct ct_request rois_request = {.kind = CT_SECTION_ROIS};
static const struct ct_request marks_request = {.kind = CT_SECTION_MARKS};

static void requests_are_equal_when_all_is(void **state)
{
  (void)state;
  struct ct_request a = map_request, b = map_request;
  assert_true(ct_request_equal(&a, &b));
  a.min_counts = b.min_counts = (double)NAN;
  assert_true(ct_request_equal(&a, &b));
  b.y = 1;
  assert_false(ct_request_equal(&a, &b));
}

static void sizes(void **state)
{
  (void)state;
  assert_int_equal(ct_section_map_bytes(80, 80), sizeof(struct ct_section_map) + 6400 * 26);
  assert_int_equal(ct_section_spectrum_bytes(1000), sizeof(struct ct_section_spectrum) + 8000);
  assert_int_equal(ct_section_profile_bytes(3), sizeof(struct ct_section_profile) + 120);
  assert_int_equal(ct_section_slice_bytes(512), sizeof(struct ct_section_slice) + 1048576);
  assert_int_equal(ct_section_trend_bytes(2), sizeof(struct ct_section_trend) + 96);
  assert_int_equal(ct_section_rois_bytes(3, 5), sizeof(struct ct_section_rois) + 30);
  assert_int_equal(ct_section_marks_bytes(2), sizeof(struct ct_section_marks) + 2 * sizeof(struct ct_snapshot_mark));
  assert_int_equal(ct_section_map_bytes(UINT32_MAX, UINT32_MAX), SIZE_MAX);
  assert_int_equal(ct_section_rois_bytes(UINT32_MAX, UINT32_MAX), SIZE_MAX);
  assert_int_equal(ct_section_slice_bytes(UINT32_MAX), SIZE_MAX);
}

/* A snapshot with one section of each kind, in a block of exactly its size. */
static struct ct_snapshot *build(void)
{
  size_t capacity = sizeof(struct ct_snapshot) + 65536;
  void *buffer = malloc(capacity);
  assert_non_null(buffer);
  memset(buffer, 0xa5, capacity);
  struct ct_snapshot_builder builder;
  struct ct_map_parts map;
  struct ct_spectrum_parts spectrum;
  struct ct_profile_parts profile;
  struct ct_slice_parts slice;
  struct ct_trend_parts trend;
  struct ct_rois_parts rois;
  struct ct_marks_parts marks;
  assert_int_equal(ct_snapshot_begin(&builder, buffer, capacity), 0);
  struct ct_snapshot_core *core = &builder.snapshot->core;
  strcpy(core->run, "charge-02");
  core->n_streams = 1;
  strcpy(core->streams[0].name, "hexitec");
  core->streams[0].state = CT_STREAM_LIVE;
  core->n_alarms = 1;
  strcpy(core->alarms[0].text, "stale");
  assert_true(ct_snapshot_add_map(&builder, &map_request, 3, 7, &map));
  assert_true(ct_snapshot_add_spectrum(&builder, &spectrum_request, 11, &spectrum));
  assert_true(ct_snapshot_add_profile(&builder, &profile_request, 5, &profile));
  assert_true(ct_snapshot_add_slice(&builder, &slice_request, 5, &slice));
  assert_true(ct_snapshot_add_trend(&builder, &trend_request, 9, &trend));
  assert_true(ct_snapshot_add_rois(&builder, &rois_request, 3, 5, &rois));
  assert_true(ct_snapshot_add_marks(&builder, &marks_request, 2, &marks));
  rois.rois[14] = 0x8001;
  marks.marks[1] = (struct ct_snapshot_mark){.t_s = 7, .kind = CT_MARK_TEXT, .text = "heater on"};
  for (size_t i = 0; i < 21; i++) {
    map.emf[i] = (float)i;
    map.sigma[i] = (float)i + 100;
    map.counts[i] = (float)i + 200;
    map.photons[i] = (float)i + 300;
    map.intensity[i] = (float)i + 400;
    map.intensity_sigma[i] = (float)i + 500;
    map.cell[i] = (uint8_t)(i % 3);
  }
  for (size_t i = 0; i < 11; i++)
    spectrum.counts[i] = (double)i;
  for (size_t i = 0; i < 5; i++)
    profile.sigma[i] = (double)i * 3, profile.reference_sigma[i] = (double)i * 5;
  for (size_t i = 0; i < 25; i++)
    slice.values[i] = (float)i / 2;
  for (size_t i = 0; i < 9; i++) {
    trend.t_s[i] = (double)i;
    trend.q_Ah[i] = (double)i / 8;
  }
  struct ct_snapshot *built = ct_snapshot_finish(&builder);
  assert_ptr_equal(built, buffer);
  assert_int_equal(builder.refused, 0);
  struct ct_snapshot *exact = malloc((size_t)built->size_bytes);
  assert_non_null(exact);
  memcpy(exact, built, (size_t)built->size_bytes);
  free(buffer);
  return exact;
}

static void what_was_built_is_found(void **state)
{
  (void)state;
  struct ct_snapshot *snapshot = build();
  struct ct_map_view map;
  struct ct_spectrum_view spectrum;
  struct ct_profile_view profile;
  struct ct_slice_view slice;
  struct ct_trend_view trend;
  assert_true(ct_snapshot_map(snapshot, &map_request, &map));
  assert_int_equal(map.head->rows, 3);
  assert_int_equal(map.head->cols, 7);
  assert_true(map.emf[20] == 20 && map.sigma[0] == 100 && map.counts[20] == 220 && map.photons[20] == 320);
  assert_int_equal(map.cell[20], 20 % 3);
  assert_true(ct_snapshot_spectrum(snapshot, &spectrum_request, &spectrum));
  assert_true(spectrum.counts[10] == 10);
  assert_true(ct_snapshot_profile(snapshot, &profile_request, &profile));
  assert_true(map.intensity[20] == 420 && map.intensity_sigma[20] == 520);
  assert_true(profile.sigma[4] == 12 && profile.reference[4] == 0 && profile.reference_sigma[4] == 20 && profile.pz[4] == 0);
  assert_true(ct_snapshot_slice(snapshot, &slice_request, &slice));
  assert_true(slice.values[24] == 12);
  assert_true(ct_snapshot_trend(snapshot, &trend_request, &trend));
  assert_true(trend.t_s[8] == 8 && trend.q_Ah[8] == 1 && trend.i_A[8] == 0);
  struct ct_rois_view rois;
  struct ct_marks_view marks;
  assert_true(ct_snapshot_rois(snapshot, &rois_request, &rois));
  assert_true(rois.head->cols == 5 && rois.rois[14] == 0x8001 && rois.rois[13] == 0);
  assert_true(ct_snapshot_marks(snapshot, &marks_request, &marks));
  assert_true(marks.head->n == 2 && marks.marks[1].t_s == 7);
  assert_string_equal(marks.marks[1].text, "heater on");
  struct ct_request other = spectrum_request;
  other.x++;
  assert_false(ct_snapshot_spectrum(snapshot, &other, &spectrum));
  assert_false(ct_snapshot_map(snapshot, &spectrum_request, &map));
  assert_null(ct_snapshot_find(snapshot, &map_request, 1 << 20, NULL));
  free(snapshot);
}

static void what_finds_no_room_is_counted(void **state)
{
  (void)state;
  struct ct_snapshot_builder builder;
  size_t capacity = sizeof(struct ct_snapshot) + ct_section_spectrum_bytes(10);
  void *buffer = malloc(capacity);
  assert_non_null(buffer);
  assert_int_equal(ct_snapshot_begin(&builder, buffer, sizeof(struct ct_snapshot) - 1), CT_ERANGE);
  assert_int_equal(ct_snapshot_begin(&builder, buffer, capacity), 0);
  struct ct_spectrum_parts spectrum;
  struct ct_slice_parts slice;
  assert_false(ct_snapshot_add_slice(&builder, &slice_request, UINT32_MAX, &slice));
  assert_false(ct_snapshot_add_spectrum(&builder, &spectrum_request, 11, &spectrum));
  assert_true(ct_snapshot_add_spectrum(&builder, &spectrum_request, 10, &spectrum));
  assert_null(ct_snapshot_add(&builder, &map_request, 1));
  assert_int_equal(builder.refused, 3);
  assert_int_equal(ct_snapshot_finish(&builder)->size_bytes, capacity);
  assert_int_equal(ct_snapshot_begin(&builder, buffer, capacity), 0);
  for (int i = 0; i < CT_SNAPSHOT_SECTIONS; i++)
    assert_non_null(ct_snapshot_add(&builder, &map_request, 0));
  assert_null(ct_snapshot_add(&builder, &map_request, 0));
  free(buffer);
}

/* One thing wrong at a time, by where it lies. */
#define AT(member) offsetof(struct ct_snapshot, member)
static const struct {
  const char *what;
  size_t offset, bytes;
  uint64_t value;
} wrongs[] = {
  {"magic", AT(magic), 4, 0x12345678},
  {"version", AT(version), 4, CT_SNAPSHOT_VERSION + 1},
  {"size", AT(size_bytes), 8, UINT64_MAX},
  {"sections", AT(n_sections), 4, CT_SNAPSHOT_SECTIONS + 1},
  {"streams", AT(core.n_streams), 4, CT_SNAPSHOT_STREAMS + 1},
  {"rings", AT(core.n_rings), 4, UINT32_MAX},
  {"rois", AT(core.n_rois), 4, CT_SNAPSHOT_ROIS + 1},
  {"alarms", AT(core.n_alarms), 4, CT_SNAPSHOT_ALARMS + 1},
  {"bool", AT(core.demo), 1, 2},
  {"bool of a stream", AT(core.streams[3].sampled), 1, 0xff},
  {"role", AT(core.streams[0].role), 4, 3},
  {"state", AT(core.streams[0].state), 4, UINT32_MAX},
  {"archive state", AT(core.archive.state), 4, 4},
  {"severity", AT(core.alarms[0].severity), 4, 3},
  {"pixels", AT(core.health.n_pixels), 4, CT_SNAPSHOT_PIXELS + 1},
  {"bool of the health", AT(core.health.automatic), 1, 2},
  {"fault", AT(core.health.pixels[63].fault), 4, 3},
  {"bool of a pixel", AT(core.health.pixels[0].masked), 1, 0x80},
  {"kind", AT(sections[0].request.kind), 4, CT_SECTION_SETTINGS + 1},
  {"no kind", AT(sections[0].request.kind), 4, CT_SECTION_NONE},
  {"scope", AT(sections[1].request.scope), 4, CT_SCOPE_ROI + 1},
  {"offset before the sections", AT(sections[0].offset_bytes), 8, 0},
  {"offset not aligned", AT(sections[4].offset_bytes), 8, sizeof(struct ct_snapshot) + 4},
  {"offset beyond the end", AT(sections[0].offset_bytes), 8, UINT64_MAX - 7},
  {"sections that overlap", AT(sections[1].offset_bytes), 8, sizeof(struct ct_snapshot)},
  {"size beyond the end", AT(sections[4].size_bytes), 8, UINT64_MAX - 7},
  {"size too small for the arrays", AT(sections[4].size_bytes), 8, 16},
  {"rows that the section does not have", sizeof(struct ct_snapshot) + offsetof(struct ct_section_map, rows), 4, 4},
  {"no rows", sizeof(struct ct_snapshot) + offsetof(struct ct_section_map, rows), 4, 0},
  {"rows that overflow", sizeof(struct ct_snapshot) + offsetof(struct ct_section_map, rows), 4, UINT32_MAX},
  {"cell", sizeof(struct ct_snapshot) + sizeof(struct ct_section_map) + 6 * 21 * sizeof(float) + 20, 1, 3},
};
static const struct {
  const char *what;
  size_t offset, bytes;
} endless[] = {
  {"run", AT(core.run), 64},
  {"mode", AT(core.mode), 8},
  {"stream", AT(core.streams[7].name), CT_NAME},
  {"endpoint", AT(core.streams[0].endpoint), 128},
  {"format", AT(core.streams[0].format), 16},
  {"first rejected", AT(core.streams[0].first_rejected), 256},
  {"codec of a stream", AT(core.streams[1].codec), 8},
  {"ring", AT(core.rings[0].name), CT_NAME},
  {"folder", AT(core.archive.folder), 256},
  {"codec", AT(core.archive.codec), 16},
  {"beam", AT(core.xcs.geometry.beam), 4},
  {"reference", AT(core.xcs.reference), 64},
  {"roi", AT(core.rois[15].name), CT_NAME},
  {"alarm", AT(core.alarms[0].id), CT_NAME},
  {"alarm text", AT(core.alarms[15].text), 256},
};

static void a_stranger_is_checked(void **state)
{
  (void)state;
  struct ct_snapshot *snapshot = build();
  size_t n = (size_t)snapshot->size_bytes;
  struct ct_err err = {""};
  assert_int_equal(ct_snapshot_check(snapshot, n, &err), 0);
  assert_string_equal(err.text, "");
  assert_int_equal(ct_snapshot_check(snapshot, n - 1, NULL), CT_EFORMAT);
  assert_int_equal(ct_snapshot_check(snapshot, 0, NULL), CT_EFORMAT);
  assert_int_equal(ct_snapshot_check((unsigned char *)snapshot + 4, n - 4, NULL), CT_ERANGE);
  for (size_t i = 0; i < sizeof wrongs / sizeof *wrongs; i++) {
    unsigned char *at = (unsigned char *)snapshot + wrongs[i].offset, was[8];
    memcpy(was, at, wrongs[i].bytes);
    memcpy(at, &wrongs[i].value, wrongs[i].bytes);
    err.text[0] = 0;
    if (ct_snapshot_check(snapshot, n, &err) != CT_EFORMAT)
      fail_msg("wrong %s was taken", wrongs[i].what);
    assert_memory_equal(err.text, "snapshot: ", 10);
    memcpy(at, was, wrongs[i].bytes);
  }
  for (size_t i = 0; i < sizeof endless / sizeof *endless; i++) {
    unsigned char *at = (unsigned char *)snapshot + endless[i].offset, was[256];
    memcpy(was, at, endless[i].bytes);
    memset(at, 'x', endless[i].bytes);
    if (ct_snapshot_check(snapshot, n, NULL) != CT_EFORMAT)
      fail_msg("%s without an end was taken", endless[i].what);
    memcpy(at, was, endless[i].bytes);
  }
  struct ct_marks_view marks;
  assert_true(ct_snapshot_marks(snapshot, &marks_request, &marks));
  struct ct_snapshot_mark *mark = (struct ct_snapshot_mark *)(uintptr_t)&marks.marks[1], was = *mark;
  mark->kind = CT_MARK_TEXT + 1;
  assert_int_equal(ct_snapshot_check(snapshot, n, NULL), CT_EFORMAT);
  *mark = was;
  memset(mark->text, 'x', sizeof mark->text);
  assert_int_equal(ct_snapshot_check(snapshot, n, NULL), CT_EFORMAT);
  *mark = was;
  assert_int_equal(ct_snapshot_check(snapshot, n, NULL), 0);
  free(snapshot);
}

/* Some mutations pass the check (numbers are not judged); those are read to the end, here under the sanitizers. */
static void mutated_snapshots_are_refused_or_readable(void **state)
{
  (void)state;
  struct ct_snapshot *good = build();
  size_t n = (size_t)good->size_bytes, table = offsetof(struct ct_snapshot, core);
  struct ct_snapshot *bad = malloc(n);
  assert_non_null(bad);
  uint64_t random = 88172645463325252u;
  int refused = 0, readable = 0;
  volatile double sink = 0;
  for (int round = 0; round < 3000; round++) {
    memcpy(bad, good, n);
    for (int change = 0; change <= round % 4; change++) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      size_t where = random % 3 == 0 ? (random >> 8) % 200 : random % 3 == 1 ? (random >> 8) % table : (random >> 8) % n;
      ((unsigned char *)bad)[where] = (unsigned char)(random >> 40);
    }
    if (ct_snapshot_check(bad, n, NULL)) {
      refused++;
      continue;
    }
    readable++;
    sink = walk_snapshot(bad);
  }
  (void)sink;
  assert_true(refused > 300);
  assert_true(readable > 300);
  free(bad);
  free(good);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(words),
    cmocka_unit_test(requests_are_equal_when_all_is),
    cmocka_unit_test(sizes),
    cmocka_unit_test(what_was_built_is_found),
    cmocka_unit_test(what_finds_no_room_is_counted),
    cmocka_unit_test(a_stranger_is_checked),
    cmocka_unit_test(mutated_snapshots_are_refused_or_readable),
  };
  return cmocka_run_group_tests_name("snapshot", tests, NULL, NULL);
}
