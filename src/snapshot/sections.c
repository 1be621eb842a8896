/* The arrays behind the head of each kind of section: how many bytes, where. Every array of a kind but a map's cells
 * has elements of one size, so that array k begins at head + k * n * element. */
#include <comptop/snapshot.h>

#include <math.h>

/* head + n cells of <each> bytes; SIZE_MAX where that overflows. */
static size_t with_arrays(size_t head, uint64_t n, size_t each)
{
  return n > (SIZE_MAX - head) / each ? SIZE_MAX : head + (size_t)n * each;
}

enum { MAP_CELL = 6 * sizeof(float) + 2 * sizeof(uint8_t) };

size_t ct_section_map_bytes(uint32_t rows, uint32_t cols)
{
  return with_arrays(sizeof(struct ct_section_map), (uint64_t)rows * cols, MAP_CELL);
}

size_t ct_section_spectrum_bytes(uint32_t n)
{
  return with_arrays(sizeof(struct ct_section_spectrum), n, sizeof(double));
}

size_t ct_section_profile_bytes(uint32_t n)
{
  return with_arrays(sizeof(struct ct_section_profile), n, 5 * sizeof(double));
}

size_t ct_section_slice_bytes(uint32_t size)
{
  return with_arrays(sizeof(struct ct_section_slice), (uint64_t)size * size, sizeof(float));
}

size_t ct_section_trend_bytes(uint32_t n)
{
  return with_arrays(sizeof(struct ct_section_trend), n, 6 * sizeof(double));
}

size_t ct_section_image_bytes(uint32_t rows, uint32_t cols)
{
  return with_arrays(sizeof(struct ct_section_image), (uint64_t)rows * cols, sizeof(float));
}

size_t ct_section_rois_bytes(uint32_t rows, uint32_t cols)
{
  return with_arrays(sizeof(struct ct_section_rois), (uint64_t)rows * cols, sizeof(uint16_t));
}

size_t ct_section_marks_bytes(uint32_t n)
{
  return with_arrays(sizeof(struct ct_section_marks), n, sizeof(struct ct_snapshot_mark));
}

size_t ct_section_settings_bytes(uint32_t bytes)
{
  return with_arrays(sizeof(struct ct_section_settings), bytes, 1);
}

/* ---- writing ---------------------------------------------------------------------------------------- */
bool ct_snapshot_add_map(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t rows,
                         uint32_t cols, struct ct_map_parts *out)
{
  struct ct_section_map *head = ct_snapshot_add(builder, request, ct_section_map_bytes(rows, cols));
  if (!head)
    return false;
  head->rows = rows;
  head->cols = cols;
  size_t n = (size_t)rows * cols;
  float *values = (float *)(head + 1);
  *out = (struct ct_map_parts){head,           values,         values + n,    values + 2 * n, values + 3 * n,
                               values + 4 * n, values + 5 * n, (uint8_t *)(values + 6 * n), (uint8_t *)(values + 6 * n) + n};
  return true;
}

bool ct_snapshot_add_spectrum(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t n,
                              struct ct_spectrum_parts *out)
{
  struct ct_section_spectrum *head = ct_snapshot_add(builder, request, ct_section_spectrum_bytes(n));
  if (!head)
    return false;
  head->n = n;
  *out = (struct ct_spectrum_parts){head, (double *)(head + 1)};
  return true;
}

bool ct_snapshot_add_profile(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t n,
                             struct ct_profile_parts *out)
{
  struct ct_section_profile *head = ct_snapshot_add(builder, request, ct_section_profile_bytes(n));
  if (!head)
    return false;
  head->n = n;
  double *values = (double *)(head + 1);
  *out = (struct ct_profile_parts){head, values, values + n, values + 2 * (size_t)n, values + 3 * (size_t)n,
                                   values + 4 * (size_t)n};
  return true;
}

bool ct_snapshot_add_slice(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t size,
                           struct ct_slice_parts *out)
{
  struct ct_section_slice *head = ct_snapshot_add(builder, request, ct_section_slice_bytes(size));
  if (!head)
    return false;
  head->size = size;
  *out = (struct ct_slice_parts){head, (float *)(head + 1)};
  return true;
}

bool ct_snapshot_add_trend(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t points,
                           struct ct_trend_parts *out)
{
  struct ct_section_trend *head = ct_snapshot_add(builder, request, ct_section_trend_bytes(points));
  if (!head)
    return false;
  head->n = points;
  size_t n = points;
  double *values = (double *)(head + 1);
  *out = (struct ct_trend_parts){head,           values,         values + n,    values + 2 * n,
                                 values + 3 * n, values + 4 * n, values + 5 * n};
  return true;
}

bool ct_snapshot_add_image(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t rows,
                           uint32_t cols, struct ct_image_parts *out)
{
  struct ct_section_image *head = ct_snapshot_add(builder, request, ct_section_image_bytes(rows, cols));
  if (!head)
    return false;
  head->rows = rows;
  head->cols = cols;
  *out = (struct ct_image_parts){head, (float *)(head + 1)};
  return true;
}

bool ct_snapshot_add_rois(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t rows,
                          uint32_t cols, struct ct_rois_parts *out)
{
  struct ct_section_rois *head = ct_snapshot_add(builder, request, ct_section_rois_bytes(rows, cols));
  if (!head)
    return false;
  head->rows = rows;
  head->cols = cols;
  *out = (struct ct_rois_parts){head, (uint16_t *)(head + 1)};
  return true;
}

bool ct_snapshot_add_marks(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t n,
                           struct ct_marks_parts *out)
{
  struct ct_section_marks *head = ct_snapshot_add(builder, request, ct_section_marks_bytes(n));
  if (!head)
    return false;
  head->n = n;
  *out = (struct ct_marks_parts){head, (struct ct_snapshot_mark *)(head + 1)};
  return true;
}

bool ct_snapshot_add_settings(struct ct_snapshot_builder *builder, const struct ct_request *request, uint32_t bytes,
                              struct ct_settings_parts *out)
{
  struct ct_section_settings *head = ct_snapshot_add(builder, request, ct_section_settings_bytes(bytes));
  if (!head)
    return false;
  head->bytes = bytes;
  *out = (struct ct_settings_parts){head, (char *)(head + 1)};
  return true;
}

/* ---- reading ---------------------------------------------------------------------------------------- */
void ct_map_photons(const struct ct_map_view *map, float *out)
{
  for (size_t i = 0; i < (size_t)map->head->rows * map->head->cols; i++)
    out[i] = map->cell[i] == CT_CELL_MASKED ? (float)NAN : map->photons[i];
}

bool ct_section_map(const void *payload, size_t size_bytes, struct ct_map_view *out)
{
  const struct ct_section_map *head = payload;
  if (!head || size_bytes < sizeof *head || head->rows == 0 || head->cols == 0 ||
      size_bytes < ct_section_map_bytes(head->rows, head->cols))
    return false;
  size_t n = (size_t)head->rows * head->cols;
  const float *values = (const float *)(head + 1);
  *out = (struct ct_map_view){head,           values,         values + n,    values + 2 * n, values + 3 * n,
                              values + 4 * n, values + 5 * n, (const uint8_t *)(values + 6 * n), (const uint8_t *)(values + 6 * n) + n};
  return true;
}

bool ct_section_spectrum(const void *payload, size_t size_bytes, struct ct_spectrum_view *out)
{
  const struct ct_section_spectrum *head = payload;
  if (!head || size_bytes < sizeof *head || size_bytes < ct_section_spectrum_bytes(head->n))
    return false;
  *out = (struct ct_spectrum_view){head, (const double *)(head + 1)};
  return true;
}

bool ct_section_profile(const void *payload, size_t size_bytes, struct ct_profile_view *out)
{
  const struct ct_section_profile *head = payload;
  if (!head || size_bytes < sizeof *head || size_bytes < ct_section_profile_bytes(head->n))
    return false;
  size_t n = head->n;
  const double *values = (const double *)(head + 1);
  *out = (struct ct_profile_view){head, values, values + n, values + 2 * n, values + 3 * n, values + 4 * n};
  return true;
}

bool ct_section_slice(const void *payload, size_t size_bytes, struct ct_slice_view *out)
{
  const struct ct_section_slice *head = payload;
  if (!head || size_bytes < sizeof *head || head->size == 0 || size_bytes < ct_section_slice_bytes(head->size))
    return false;
  *out = (struct ct_slice_view){head, (const float *)(head + 1)};
  return true;
}

bool ct_section_trend(const void *payload, size_t size_bytes, struct ct_trend_view *out)
{
  const struct ct_section_trend *head = payload;
  if (!head || size_bytes < sizeof *head || size_bytes < ct_section_trend_bytes(head->n))
    return false;
  size_t n = head->n;
  const double *values = (const double *)(head + 1);
  *out = (struct ct_trend_view){head,           values,         values + n,    values + 2 * n,
                                values + 3 * n, values + 4 * n, values + 5 * n};
  return true;
}

bool ct_section_image(const void *payload, size_t size_bytes, struct ct_image_view *out)
{
  const struct ct_section_image *head = payload;
  if (!head || size_bytes < sizeof *head || head->rows == 0 || head->cols == 0 ||
      size_bytes < ct_section_image_bytes(head->rows, head->cols))
    return false;
  *out = (struct ct_image_view){head, (const float *)(head + 1)};
  return true;
}

bool ct_section_rois(const void *payload, size_t size_bytes, struct ct_rois_view *out)
{
  const struct ct_section_rois *head = payload;
  if (!head || size_bytes < sizeof *head || head->rows == 0 || head->cols == 0 ||
      size_bytes < ct_section_rois_bytes(head->rows, head->cols))
    return false;
  *out = (struct ct_rois_view){head, (const uint16_t *)(head + 1)};
  return true;
}

bool ct_section_marks(const void *payload, size_t size_bytes, struct ct_marks_view *out)
{
  const struct ct_section_marks *head = payload;
  if (!head || size_bytes < sizeof *head || size_bytes < ct_section_marks_bytes(head->n))
    return false;
  *out = (struct ct_marks_view){head, (const struct ct_snapshot_mark *)(head + 1)};
  return true;
}

bool ct_section_settings(const void *payload, size_t size_bytes, struct ct_settings_view *out)
{
  const struct ct_section_settings *head = payload;
  if (!head || size_bytes < sizeof *head || size_bytes < ct_section_settings_bytes(head->bytes))
    return false;
  *out = (struct ct_settings_view){head, (const char *)(head + 1)};
  return true;
}

/* ct_snapshot_NAME: the section of kind <kind> for <request>. */
#define FIND_AND_VIEW(name, kind_wanted)                                                                      \
  bool ct_snapshot_##name(const struct ct_snapshot *snapshot, const struct ct_request *request,               \
                          struct ct_##name##_view *out)                                                       \
  {                                                                                                           \
    size_t size_bytes = 0;                                                                                    \
    if (request->kind != (kind_wanted))                                                                       \
      return false;                                                                                           \
    const void *payload = ct_snapshot_find(snapshot, request, sizeof(struct ct_section_##name), &size_bytes); \
    return ct_section_##name(payload, size_bytes, out);                                                       \
  }
FIND_AND_VIEW(map, CT_SECTION_MAP)
FIND_AND_VIEW(spectrum, CT_SECTION_SPECTRUM)
FIND_AND_VIEW(profile, CT_SECTION_PROFILE)
FIND_AND_VIEW(slice, CT_SECTION_SLICE)
FIND_AND_VIEW(trend, CT_SECTION_TREND)
FIND_AND_VIEW(image, CT_SECTION_IMAGE)
FIND_AND_VIEW(rois, CT_SECTION_ROIS)
FIND_AND_VIEW(marks, CT_SECTION_MARKS)
FIND_AND_VIEW(settings, CT_SECTION_SETTINGS)
