/* Frames, maps and columns out of any HDF5 file. */
#include "archive/direct.h"
#include "archive/events.h"
#include "archive/h5.h"
#include "archive/raw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RANK_MAX = 3, EDGE_MAX = 16384, NAME_BYTES = 512, CACHE_MAX_BYTES = 256 << 20 };

struct ct_h5_frames {
  hid_t file, set;
  int raw;                              /* descriptor of headerless frames; -1: an HDF5 file */
  struct ct_event_reader *events;       /* frames are made of these; or NULL */
  struct ct_h5_info info;
  int rank;
  bool radians;
  struct ct_direct direct;
  char path[NAME_BYTES], name[NAME_BYTES];
};

/* What a data set is asked to be. */
struct wanted {
  const char *what;                     /* for messages: "frames [n,rows,cols]" */
  int rank_min, rank_max;
  uint64_t rows, cols;                  /* 0: any */
  uint64_t n;                           /* of a column; 0: any */
};

struct shape {
  int rank;
  hsize_t dims[RANK_MAX];
  enum ct_type type;
};

static bool get_shape(hid_t set, struct shape *shape)
{
  hid_t space = H5Dget_space(set), type = H5Dget_type(set);
  shape->rank = H5Sget_simple_extent_ndims(space);
  shape->type = ct_h5_type(type);
  if (shape->rank >= 1 && shape->rank <= RANK_MAX)
    H5Sget_simple_extent_dims(space, shape->dims, NULL);
  H5Tclose(type);
  H5Sclose(space);
  return shape->rank >= 1 && shape->rank <= RANK_MAX;
}

static void shape_text(const struct shape *shape, char *text, size_t size)
{
  int used = snprintf(text, size, "[");
  for (int i = 0; i < shape->rank; i++)
    used += snprintf(text + used, size - (size_t)used, "%s%llu", i ? "," : "", (unsigned long long)shape->dims[i]);
  snprintf(text + used, size - (size_t)used, "] %s", shape->type < CT_TYPE_COUNT ? ct_type_text(shape->type) : "");
}

static bool fits(const struct shape *shape, const struct wanted *wanted)
{
  if (shape->rank < wanted->rank_min || shape->rank > wanted->rank_max || shape->type == CT_TYPE_COUNT)
    return false;
  if (shape->rank == 1) {
    uint64_t n = wanted->n ? wanted->n : wanted->rows * wanted->cols;
    return shape->dims[0] == n;
  }
  uint64_t rows = shape->dims[shape->rank - 2], cols = shape->dims[shape->rank - 1];
  uint64_t n = shape->rank == 3 ? shape->dims[0] : 1;
  if (rows == 0 || rows > EDGE_MAX || cols == 0 || cols > EDGE_MAX || n == 0 || n > UINT64_MAX / 8 / rows / cols)
    return false;
  return (wanted->rows == 0 || rows == wanted->rows) && (wanted->cols == 0 || cols == wanted->cols);
}

/* ---- which data set ---------------------------------------------------------------------------------- */

struct search {
  const struct wanted *wanted;
  unsigned found;                        /* of the highest rank seen */
  char raw[NAME_BYTES];                  /* the one that odin-data calls raw_frames */
  int rank;
  char name[NAME_BYTES], list[320];
};

static herr_t look_at(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
  struct search *search = context;
  struct shape shape;
  if (info->type != H5O_TYPE_DATASET)
    return 0;
  hid_t set = H5Dopen2(file, name, H5P_DEFAULT);
  if (set < 0)
    return 0;
  if (get_shape(set, &shape) && fits(&shape, search->wanted)) {
    size_t used = strlen(search->list);
    snprintf(search->list + used, sizeof search->list - used, "%s/%s", used ? ", " : "", name);
    if (shape.rank > search->rank) {
      search->rank = shape.rank;
      search->found = 0;
    }
    if (shape.rank == search->rank) {
      const char *base = strrchr(name, '/');
      if (strcmp(base != NULL ? base + 1 : name, "raw_frames") == 0)
        snprintf(search->raw, sizeof search->raw, "/%s", name);
      search->found++;
      snprintf(search->name, sizeof search->name, "/%s", name);
    }
  }
  H5Dclose(set);
  return 0;
}

static int find_only(hid_t file, const char *path, const struct wanted *wanted, char name[NAME_BYTES],
                     struct ct_err *err)
{
  struct search search = { .wanted = wanted };
  if (H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_INC, look_at, &search, H5O_INFO_BASIC) < 0)
    return ct_err_set(err, CT_EIO, "%s: damaged: its contents cannot be listed", path);
  if (search.found == 0)
    return ct_err_set(err, CT_ENOTFOUND, "%s: no data set in it holds %s", path, wanted->what);
  if (search.found > 1 && search.raw[0] != '\0')
    memcpy(search.name, search.raw, NAME_BYTES);
  else if (search.found > 1)
    return ct_err_set(err, CT_ENOTFOUND, "%s: several data sets hold %s; name one, %s:/PATH, of: %s", path,
                      wanted->what, path, search.list);
  memcpy(name, search.name, NAME_BYTES);
  return 0;
}

/* "FILE:/path" into its parts; <name> is empty for FILE alone. */
static int split_spec(const char *spec, char path[NAME_BYTES], char name[NAME_BYTES], struct ct_err *err)
{
  const char *dataset = NULL;
  size_t length = ct_parse_dataset(spec, &dataset);
  if (length == 0)
    length = strlen(spec);
  if (length >= NAME_BYTES || (dataset != NULL && strlen(dataset) >= NAME_BYTES))
    return ct_err_set(err, CT_EFORMAT, "%.100s...: the name is too long", spec);
  memcpy(path, spec, length);
  path[length] = '\0';
  snprintf(name, NAME_BYTES, "%s", dataset ? dataset : "");
  return 0;
}

/* A missing filter shows only when data is read, and then as a riddle. */
static int check_filters(const struct ct_h5_frames *frames, struct ct_err *err)
{
  int rc = 0;
  hid_t plist = H5Dget_create_plist(frames->set);
  for (int i = 0, n = H5Pget_nfilters(plist); i < n && rc == 0; i++) {
    unsigned flags, config;
    size_t no_values = 0;
    char filter[80] = "";
    H5Z_filter_t id = H5Pget_filter2(plist, (unsigned)i, &flags, &no_values, NULL, sizeof filter, filter, &config);
    if (id >= 0 && H5Zfilter_avail(id) <= 0)
      rc = ct_err_set(err, CT_EUNSUPPORTED, "%s:%s: packed with HDF5 filter %d (%s), which is not installed; install its "
                      "plugin (Debian: hdf5-filter-plugin, bitshuffle) or unpack with h5repack -f NONE", frames->path,
                      frames->name, (int)id, filter);
  }
  H5Pclose(plist);
  return rc;
}

/* Whole chunks in the cache, else a chunk would be unpacked again for every part of it that is read. */
static hid_t reopen_with_cache(hid_t file, const char *name, hid_t set)
{
  hsize_t dims[RANK_MAX];
  hid_t plist = H5Dget_create_plist(set), type = H5Dget_type(set);
  int rank = H5Pget_layout(plist) == H5D_CHUNKED ? H5Pget_chunk(plist, RANK_MAX, dims) : 0;
  uint64_t bytes = H5Tget_size(type);
  for (int i = 0; i < rank; i++)
    bytes = bytes > CACHE_MAX_BYTES ? bytes : bytes * dims[i];
  H5Tclose(type);
  H5Pclose(plist);
  if (rank <= 0 || bytes > CACHE_MAX_BYTES)
    return set;
  hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
  H5Pset_chunk_cache(access, 521, bytes * 2 > 1 << 20 ? (size_t)bytes * 2 : 1 << 20, 1.0);
  H5Dclose(set);
  set = H5Dopen2(file, name, access);
  H5Pclose(access);
  return set;
}

static int check_set(const struct ct_h5_frames *frames, const struct wanted *wanted, struct shape *shape,
                     struct ct_err *err)
{
  char text[80];
  if (!get_shape(frames->set, shape))
    return ct_err_set(err, CT_ESHAPE, "%s:%s: %s are wanted", frames->path, frames->name, wanted->what);
  shape_text(shape, text, sizeof text);
  if (shape->type == CT_TYPE_COUNT)
    return ct_err_set(err, CT_ETYPE, "%s:%s: holds no plain numbers", frames->path, frames->name);
  if (!fits(shape, wanted))
    return ct_err_set(err, CT_ESHAPE, "%s:%s: is %s, but %s is wanted", frames->path, frames->name, text, wanted->what);
  return check_filters(frames, err);
}

/* A frame file whose frames are kept as events reads as if it had the data set. */
static bool open_events(struct ct_h5_frames *frames, struct shape *shape)
{
  struct ct_h5_info info;
  if (frames->name[0] != '\0' && strcmp(frames->name, "/entry/data") != 0)
    return false;
  frames->events = ct_events_open(frames->file, &info);
  if (frames->events == NULL)
    return false;
  snprintf(frames->name, sizeof frames->name, "/entry/data");
  *shape = (struct shape){ .rank = RANK_MAX, .dims = { info.n, info.rows, info.cols }, .type = info.type };
  return true;
}

static int open_set(struct ct_h5_frames *frames, const char *spec, const struct wanted *wanted, struct shape *shape,
                    struct ct_err *err)
{
  int rc = split_spec(spec, frames->path, frames->name, err);
  if (rc == 0)
    rc = ct_h5_open_file(&frames->file, frames->path, err);
  if (rc == 0 && open_events(frames, shape))
    return fits(shape, wanted) ? 0
           : ct_err_set(err, CT_ESHAPE, "%s: holds %llu frames as events, but %s is wanted", frames->path,
                        (unsigned long long)shape->dims[0], wanted->what);
  if (rc == 0 && frames->name[0] == '\0')
    rc = find_only(frames->file, frames->path, wanted, frames->name, err);
  if (rc != 0)
    return rc;
  frames->set = H5Dopen2(frames->file, frames->name, H5P_DEFAULT);
  if (frames->set >= 0)
    frames->set = reopen_with_cache(frames->file, frames->name, frames->set);
  if (frames->set < 0)
    return ct_err_set(err, CT_ENOTFOUND, "%s: no data set %s in it (list them with h5ls -r)", frames->path,
                      frames->name);
  return check_set(frames, wanted, shape, err);
}

static struct ct_h5_frames *new_frames(void)
{
  struct ct_h5_frames *frames = ct_xcalloc(1, sizeof *frames);
  frames->file = frames->set = H5I_INVALID_HID;
  frames->raw = -1;
  return frames;
}

/* ---- frames ------------------------------------------------------------------------------------------ */

/* The attribute `units`, fixed or variable length, begins with "rad". */
static bool in_radians(hid_t set)
{
  char text[16] = "", *text_var = NULL;
  hid_t attribute = H5Aopen(set, "units", H5P_DEFAULT);
  if (attribute < 0)
    return false;
  hid_t type = H5Aget_type(attribute), as_is = H5Tcopy(H5T_C_S1);
  if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0) {
    if (H5Aread(attribute, type, &text_var) >= 0 && text_var != NULL) {
      snprintf(text, sizeof text, "%s", text_var);
      H5free_memory(text_var);
    }
  } else if (H5Tget_class(type) == H5T_STRING) {
    H5Tset_size(as_is, sizeof text);
    H5Aread(attribute, as_is, text);
  }
  H5Tclose(as_is);
  H5Tclose(type);
  H5Aclose(attribute);
  return strncmp(text, "rad", 3) == 0;
}

static int open_as(struct ct_h5_frames **out, const char *spec, const struct wanted *wanted, struct ct_err *err)
{
  struct ct_h5_frames *frames = new_frames();
  struct shape shape;
  *out = NULL;
  int rc = open_set(frames, spec, wanted, &shape, err);
  if (rc != 0) {
    ct_h5_close_frames(frames);
    return rc;
  }
  frames->rank = shape.rank;
  frames->radians = frames->events == NULL && in_radians(frames->set);
  frames->info = (struct ct_h5_info){
    .n = shape.rank == 2 ? 1 : shape.dims[0],
    .rows = shape.rank == 1 ? 1 : (uint32_t)shape.dims[shape.rank - 2],
    .cols = shape.rank == 1 ? 1 : (uint32_t)shape.dims[shape.rank - 1],
    .type = shape.type, .chunk = 1,
  };
  if (shape.rank == RANK_MAX && frames->events == NULL)
    ct_direct_init(&frames->direct, frames->set, &frames->info);
  if (frames->direct.possible)
    frames->info.chunk = frames->direct.chunk_frames;
  *out = frames;
  return 0;
}

static int open_raw(struct ct_h5_frames **out, const char *path, struct ct_err *err)
{
  struct ct_h5_frames *frames = new_frames();
  int rc = strlen(path) < NAME_BYTES ? ct_raw_open(path, &frames->info, err)
                                     : ct_err_set(err, CT_EFORMAT, "%.100s...: the name is too long", path);
  if (rc < 0) {
    free(frames);
    return rc;
  }
  frames->raw = rc;
  snprintf(frames->path, sizeof frames->path, "%s", path);
  *out = frames;
  return 0;
}

int ct_h5_open_frames(struct ct_h5_frames **out, const char *spec, struct ct_err *err)
{
  *out = NULL;
  if (ct_raw_is(spec))
    return open_raw(out, spec, err);
  static const struct wanted wanted = { .what = "a stack of frames [n,rows,cols]", .rank_min = 2, .rank_max = 3 };
  return open_as(out, spec, &wanted, err);
}

int ct_h5_open_column(struct ct_h5_frames **out, const char *spec, uint64_t n, struct ct_err *err)
{
  char what[64];
  snprintf(what, sizeof what, "a column of %llu numbers", (unsigned long long)n);
  const struct wanted wanted = { .what = what, .rank_min = 1, .rank_max = 1, .n = n };
  return open_as(out, spec, &wanted, err);
}

const struct ct_h5_info *ct_h5_info(const struct ct_h5_frames *frames) { return &frames->info; }
const char *ct_h5_dataset(const struct ct_h5_frames *frames) { return frames->name; }
const char *ct_h5_file(const struct ct_h5_frames *frames) { return frames->path; }

bool ct_h5_are_events(const struct ct_h5_frames *frames) { return frames->events != NULL; }

static int read_events(struct ct_h5_frames *frames, uint64_t first, uint64_t count, enum ct_type type, void *buffer,
                       struct ct_err *err)
{
  const struct ct_h5_info *info = &frames->info;
  const size_t values = (size_t)count * info->rows * info->cols, from = ct_type_bytes(info->type), to = ct_type_bytes(type);
  unsigned char *work = type == info->type ? buffer : ct_xcalloc(values, from > to ? from : to);
  bool good = ct_events_read(frames->events, first, count, work);
  if (work != buffer) {
    good = good && H5Tconvert(ct_h5_native(info->type), ct_h5_native(type), values, work, NULL, H5P_DEFAULT) >= 0;
    memcpy(buffer, work, values * to);
    free(work);
  }
  return good ? 0 : ct_err_set(err, CT_EIO, "%s: cannot be read at frame %llu: its events are damaged", frames->path,
                               (unsigned long long)first);
}

int ct_h5_read_as(struct ct_h5_frames *frames, uint64_t first, uint64_t count, enum ct_type type, void *buffer,
                  struct ct_err *err)
{
  char why[CT_H5_WHY];
  const struct ct_h5_info *info = &frames->info;
  if (first > info->n || count > info->n - first)
    return ct_err_set(err, CT_ERANGE, "%s:%s: has %llu frames, not %llu", frames->path, frames->name,
                      (unsigned long long)info->n, (unsigned long long)(first + count));
  if (count == 0)
    return 0;
  ct_h5_begin();
  if (frames->events != NULL)
    return read_events(frames, first, count, type, buffer, err);
  /* Of a single frame the first edge is left out; a memory space of another rank would make HDF5 go element by element. */
  const int skip = frames->rank == 2;
  const hsize_t start[] = { first, 0, 0 }, size[] = { count, info->rows, info->cols };
  hid_t space = H5Dget_space(frames->set), memory = H5Screate_simple(frames->rank, size + skip, NULL);
  bool good = space >= 0 && memory >= 0 &&
              H5Sselect_hyperslab(space, H5S_SELECT_SET, start + skip, NULL, size + skip, NULL) >= 0 &&
              H5Dread(frames->set, ct_h5_native(type), memory, space, H5P_DEFAULT, buffer) >= 0;
  H5Sclose(memory);
  H5Sclose(space);
  if (!good)
    return ct_err_set(err, CT_EIO, "%s:%s: cannot be read at frame %llu: damaged? (%s)", frames->path, frames->name,
                      (unsigned long long)first, ct_h5_why(why));
  if (frames->radians && type == CT_F64)
    for (uint64_t i = 0; i < count * info->rows * info->cols; i++)
      ((double *)buffer)[i] *= 180 / 3.14159265358979323846;
  return 0;
}

int ct_h5_fetch_frames(struct ct_h5_frames *frames, uint64_t first, uint64_t count, void *buffer,
                       struct ct_h5_parcels *parcels, struct ct_err *err)
{
  ct_direct_begin(parcels);
  const bool inside = first <= frames->info.n && count <= frames->info.n - first;
  if (frames->raw >= 0)
    return inside && ct_raw_read(frames->raw, first, count, buffer) ? 0
           : ct_err_set(err, inside ? CT_EIO : CT_ERANGE, "%s: cannot be read at frame %llu", frames->path, (unsigned long long)first);
  if (inside && frames->events == NULL) {
    ct_h5_begin();
    if (ct_direct_read(&frames->direct, frames->set, first, count, buffer, parcels))
      return 0;
    ct_direct_begin(parcels);
  }
  return ct_h5_read_as(frames, first, count, frames->info.type, buffer, err);
}

int ct_h5_read_frames(struct ct_h5_frames *frames, uint64_t first, uint64_t count, void *buffer, struct ct_err *err)
{
  return ct_h5_fetch_frames(frames, first, count, buffer, NULL, err);
}

void ct_h5_close_frames(struct ct_h5_frames *frames)
{
  if (frames == NULL)
    return;
  if (frames->raw >= 0)
    close(frames->raw);
  ct_events_close_reader(frames->events);
  if (frames->set >= 0)
    H5Dclose(frames->set);
  if (frames->file >= 0)
    H5Fclose(frames->file);
  ct_direct_fini(&frames->direct);
  free(frames);
}

/* ---- maps ------------------------------------------------------------------------------------------------ */

/* The mean of all frames; <out> and <frame> hold one each. [rows*cols] is read as one frame. */
static int read_mean(struct ct_h5_frames *frames, double *frame, double *out, size_t pixels, struct ct_err *err)
{
  const uint64_t step = frames->rank == 1 ? pixels : 1, n = frames->info.n / step;
  memset(out, 0, pixels * sizeof *out);
  for (uint64_t k = 0; k < n; k++) {
    int rc = ct_h5_read_as(frames, k * step, step, CT_F64, frame, err);
    if (rc != 0)
      return rc;
    for (size_t i = 0; i < pixels; i++)
      out[i] += frame[i];
  }
  for (size_t i = 0; i < pixels; i++) {
    out[i] /= (double)n;
    if (!isfinite(out[i]))
      return ct_err_set(err, CT_EFORMAT, "%s:%s: pixel %zu (row-major, from 0) is not finite", frames->path,
                        frames->name, i);
  }
  return 0;
}

int ct_h5_read_map(const char *spec, uint32_t rows, uint32_t cols, bool whole, double *out, struct ct_err *err)
{
  char what[96];
  snprintf(what, sizeof what, "a map [%u,%u] or a stack of them", rows, cols);
  const struct wanted wanted = { .what = what, .rank_min = 1, .rank_max = 3, .rows = rows, .cols = cols };
  const size_t pixels = (size_t)rows * cols;
  struct ct_h5_frames *frames;
  int rc = open_as(&frames, spec, &wanted, err);
  if (rc != 0)
    return rc;
  double *frame = ct_xcalloc(pixels, sizeof *frame);
  rc = read_mean(frames, frame, out, pixels, err);
  for (size_t i = 0; whole && rc == 0 && i < pixels; i++)
    out[i] = floor(out[i] + 0.5);
  free(frame);
  ct_h5_close_frames(frames);
  return rc;
}
