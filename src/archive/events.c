#include "archive/events.h"

#include "archive/h5.h"
#include "archive/nexus.h"

#include <stdlib.h>
#include <string.h>

/* A chunk of events is larger than what the journal keeps of a file: it is written once for every flush. */
enum { EVENT_CHUNK = 1 << 16, FRAME_CHUNK = 1024, EDGE_MAX = 16384 };

/* ---- writing ------------------------------------------------------------------------------------------------- */

void ct_events_clear(struct ct_events *events)
{
  memset(events, 0, sizeof *events);
  events->id.set = events->value.set = events->index.set = events->count.set = H5I_INVALID_HID;
}

static int create_set(struct ct_grow *grow, hid_t group, const char *name, hid_t type, hsize_t chunk, const char *units,
                      const char *text)
{
  int rc = ct_grow_create(grow, group, name, type, 1, NULL, &chunk, CT_CODEC_NONE);
  if (rc == 0) {
    ct_h5_text(grow->set, "units", units);
    ct_h5_text(grow->set, "long_name", text);
  }
  return rc;
}

int ct_events_create(struct ct_events *events, hid_t entry, uint32_t rows, uint32_t cols, enum ct_type type,
                     const char *units)
{
  ct_nx_count(entry, "rows", rows);
  ct_nx_count(entry, "columns", cols);
  hid_t group = ct_nx_group(entry, "events", "NXevent_data");
  int rc = create_set(&events->id, group, "event_id", H5T_NATIVE_UINT32, EVENT_CHUNK, "1", "row * columns + column");
  if (rc == 0)
    rc = create_set(&events->value, group, "event_value", ct_h5_native(type), EVENT_CHUNK, units, "value of the pixel");
  if (rc == 0)
    rc = create_set(&events->index, group, "event_index", H5T_NATIVE_UINT64, FRAME_CHUNK, "1", "first event of each frame");
  if (rc == 0)
    rc = create_set(&events->count, group, "event_count", H5T_NATIVE_UINT32, FRAME_CHUNK, "1", "events of each frame");
  H5Gclose(group);
  return rc;
}

void ct_events_link(hid_t entry)
{
  static const char *const axes[] = { "frame_number" };
  hid_t group = H5Gopen2(entry, "events", H5P_DEFAULT);
  H5Lcreate_hard(entry, "arrival", group, "event_time_zero", H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_hard(entry, "frame_number", group, "frame_number", H5P_DEFAULT, H5P_DEFAULT);
  H5Gclose(group);
  group = ct_nx_group(entry, "frames", "NXdata");
  ct_h5_text(group, "signal", "event_count");
  ct_h5_texts(group, "axes", axes, 1);
  ct_nx_soft(group, "event_count", "/entry/events/event_count");
  ct_nx_soft(group, "frame_number", "/entry/frame_number");
  H5Gclose(group);
}

int ct_events_append(struct ct_events *events, const struct ct_chunk *chunk)
{
  uint64_t first[CT_CHUNK_FRAMES_MAX], next = events->id.dims[0];
  uint32_t count[CT_CHUNK_FRAMES_MAX];
  for (uint32_t i = 0; i < chunk->count; i++) {
    first[i] = next;
    count[i] = chunk->frames[i].n_events;
    next += count[i];
  }
  int rc = chunk->n_events > 0 ? ct_grow_append(&events->id, chunk->n_events, chunk->packed) : 0;
  if (rc == 0 && chunk->n_events > 0)
    rc = ct_grow_append(&events->value, chunk->n_events, chunk->pixels);
  if (rc == 0)
    rc = ct_grow_append(&events->index, chunk->count, first);
  return rc == 0 ? ct_grow_append(&events->count, chunk->count, count) : rc;
}

int ct_events_flush(const struct ct_events *events)
{
  const struct ct_grow *const sets[] = { &events->id, &events->value, &events->index, &events->count };
  int rc = 0;
  for (size_t i = 0; i < sizeof sets / sizeof *sets && rc == 0; i++)
    rc = ct_grow_flush(sets[i]);
  return rc;
}

void ct_events_close(struct ct_events *events)
{
  struct ct_grow *const sets[] = { &events->id, &events->value, &events->index, &events->count };
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
    ct_grow_close(sets[i]);
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

enum { ID, VALUE, INDEX, COUNT, SETS };
static const char *const set_paths[SETS] = { "/entry/events/event_id", "/entry/events/event_value",
                                             "/entry/events/event_index", "/entry/events/event_count" };

struct ct_event_reader {
  hid_t sets[SETS];
  uint64_t n_events;
  size_t n_pixels;
  enum ct_type type;
  uint64_t *index;                 /* of the frames being read */
  uint32_t *count, *ids;
  unsigned char *values;
  size_t frames_room, events_room;
};

static uint64_t read_number(hid_t file, const char *path)
{
  uint64_t value = 0;
  hid_t set = H5Dopen2(file, path, H5P_DEFAULT);
  if (set >= 0 && H5Dread(set, H5T_NATIVE_UINT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) < 0)
    value = 0;
  H5Dclose(set);
  return value;
}

static bool read_part(hid_t set, hid_t type, uint64_t first, uint64_t n, void *out)
{
  const hsize_t start = first, count = n;
  if (n == 0)
    return true;
  hid_t space = H5Dget_space(set), memory = H5Screate_simple(1, &count, NULL);
  bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, NULL, &count, NULL) >= 0 &&
              H5Dread(set, type, memory, space, H5P_DEFAULT, out) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  return good;
}

struct ct_event_reader *ct_events_open(hid_t file, struct ct_h5_info *info)
{
  if (H5Lexists(file, "entry", H5P_DEFAULT) <= 0 || H5Lexists(file, "entry/events", H5P_DEFAULT) <= 0)
    return NULL;
  struct ct_event_reader *reader = ct_xcalloc(1, sizeof *reader);
  const uint64_t rows = read_number(file, "/entry/rows"), cols = read_number(file, "/entry/columns");
  bool good = rows > 0 && rows <= EDGE_MAX && cols > 0 && cols <= EDGE_MAX;
  for (int i = 0; i < SETS; i++) {
    reader->sets[i] = H5Dopen2(file, set_paths[i], H5P_DEFAULT);
    good = good && reader->sets[i] >= 0;
  }
  if (good) {
    hid_t type = H5Dget_type(reader->sets[VALUE]);
    reader->type = ct_h5_type(type);
    H5Tclose(type);
    const uint64_t ids = ct_h5_length(reader->sets[ID]), values = ct_h5_length(reader->sets[VALUE]);
    reader->n_events = ids < values ? ids : values;
    reader->n_pixels = rows * cols;
    const uint64_t indices = ct_h5_length(reader->sets[INDEX]), counts = ct_h5_length(reader->sets[COUNT]);
    *info = (struct ct_h5_info){ .n = indices < counts ? indices : counts, .rows = (uint32_t)rows, .cols = (uint32_t)cols,
                                 .type = reader->type };
  }
  if (good && reader->type != CT_TYPE_COUNT)
    return reader;
  ct_events_close_reader(reader);
  return NULL;
}

void ct_events_close_reader(struct ct_event_reader *reader)
{
  if (reader == NULL)
    return;
  for (int i = 0; i < SETS; i++)
    if (reader->sets[i] >= 0)
      H5Dclose(reader->sets[i]);
  free(reader->index);
  free(reader->count);
  free(reader->ids);
  free(reader->values);
  free(reader);
}

static void make_room(struct ct_event_reader *reader, uint64_t frames, uint64_t events)
{
  if (frames > reader->frames_room) {
    free(reader->index);
    free(reader->count);
    reader->frames_room = frames;
    reader->index = ct_xcalloc(frames, sizeof *reader->index);
    reader->count = ct_xcalloc(frames, sizeof *reader->count);
  }
  if (events > reader->events_room) {
    free(reader->ids);
    free(reader->values);
    reader->events_room = events + events / 4;
    reader->ids = ct_xcalloc(reader->events_room, sizeof *reader->ids);
    reader->values = ct_xcalloc(reader->events_room, ct_type_bytes(reader->type));
  }
}

/* Where the frames' events are: one after the other, and all of them there. */
static bool read_frames(struct ct_event_reader *reader, uint64_t first, uint64_t count, uint64_t *n_events)
{
  make_room(reader, count, 0);
  if (!read_part(reader->sets[INDEX], H5T_NATIVE_UINT64, first, count, reader->index) ||
      !read_part(reader->sets[COUNT], H5T_NATIVE_UINT32, first, count, reader->count))
    return false;
  *n_events = 0;
  for (uint64_t k = 0; k < count; k++) {
    if (reader->index[k] != reader->index[0] + *n_events || reader->count[k] > reader->n_pixels)
      return false;
    *n_events += reader->count[k];
  }
  return count == 0 || (reader->index[0] <= reader->n_events && *n_events <= reader->n_events - reader->index[0]);
}

bool ct_events_read(struct ct_event_reader *reader, uint64_t first, uint64_t count, unsigned char *out)
{
  const size_t width = ct_type_bytes(reader->type);
  uint64_t n, event = 0;
  if (!read_frames(reader, first, count, &n))
    return false;
  make_room(reader, 0, n);
  if (n > 0 && (!read_part(reader->sets[ID], H5T_NATIVE_UINT32, reader->index[0], n, reader->ids) ||
                !read_part(reader->sets[VALUE], ct_h5_native(reader->type), reader->index[0], n, reader->values)))
    return false;
  memset(out, 0, count * reader->n_pixels * width);
  for (uint64_t k = 0; k < count; k++, out += reader->n_pixels * width)
    for (const uint64_t end = event + reader->count[k]; event < end; event++) {
      if (reader->ids[event] >= reader->n_pixels)
        return false;
      memcpy(out + reader->ids[event] * width, reader->values + event * width, width);
    }
  return true;
}

/* ---- after a crash ---------------------------------------------------------------------------------------------- */

uint64_t ct_events_whole(hid_t file, uint64_t rows)
{
  struct ct_h5_info info;
  struct ct_event_reader *reader = ct_events_open(file, &info);
  uint64_t n;
  if (reader == NULL)
    return 0;
  rows = info.n < rows ? info.n : rows;
  while (rows > 0 && !read_frames(reader, rows - 1, 1, &n))
    rows--;
  ct_events_close_reader(reader);
  return rows;
}

bool ct_events_cut(hid_t file, uint64_t rows)
{
  struct ct_h5_info info;
  struct ct_event_reader *reader = ct_events_open(file, &info);
  uint64_t n = 0;
  if (reader == NULL)
    return false;
  bool good = rows == 0 || read_frames(reader, rows - 1, 1, &n);
  const hsize_t events = good && rows > 0 ? reader->index[0] + n : 0, sizes[SETS] = { events, events, rows, rows };
  for (int i = 0; i < SETS && good; i++)
    good = ct_h5_length(reader->sets[i]) == sizes[i] || H5Dset_extent(reader->sets[i], &sizes[i]) >= 0;
  ct_events_close_reader(reader);
  return good;
}
