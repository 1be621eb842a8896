#include "archive/samples.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Few rows a chunk: with each flush a chunk goes into the journal again. */
enum { CHUNK = 8, FIELDS_MAX = 200, FIELD_NAME = 80 };

struct field {
  char name[FIELD_NAME];
  const char *units;
  double value;
};
struct fields {
  size_t n;
  struct field list[FIELDS_MAX];
};

/* X(name, units, value), of the run, of a stream <s>, of a region <r>. */
#define XCS_FIELDS(X)                                                                                            \
  X("frames", "1", x->frames) X("live_s", "s", x->live_s) X("counts", "counts", x->counts)                       \
  X("L", "counts", x->emf.L) X("H", "counts", x->emf.H) X("emf", "1", x->emf.emf)                                \
  X("emf_sigma", "1", x->emf.sigma) X("emf_plus", "1", x->emf.emf_plus)                                          \
  X("emf_plus_sigma", "1", x->emf.plus_sigma) X("asymmetry", "1", x->emf.asymmetry)                              \
  X("asymmetry_sigma", "1", x->emf.asymmetry_sigma) X("run.emf", "1", x->run.emf)                                \
  X("run.emf_sigma", "1", x->run.sigma) X("x", "1", x->x) X("x_sigma", "1", x->x_sigma)                          \
  X("events.single", "1", x->single) X("events.double", "1", x->dbl) X("events.multiple", "1", x->multiple)      \
  X("events.next_frame", "1", x->next_frame) X("total_frames", "1", x->total_frames)                             \
  X("total_counts", "counts", x->total_counts)
#define HEALTH_FIELDS(X)                                                                                         \
  X("hits_per_frame", "1", h->hits_per_frame) X("rate_median_hz", "Hz", h->rate_median_hz)                       \
  X("hot", "1", h->hot) X("dead", "1", h->dead) X("level_ADU", "ADU", h->level_ADU)                              \
  X("drift_ADU", "ADU", h->drift_median_ADU)
#define CT_FIELDS(X)                                                                                             \
  X("projections", "1", t->projections) X("angle_deg", "deg", t->angle_deg) X("axis_px", "pixel", t->axis_px)    \
  X("axis_sigma_px", "pixel", t->axis_sigma_px) X("tilt_deg", "deg", t->tilt_deg)                                \
  X("tilt_sigma_deg", "deg", t->tilt_sigma_deg)
#define CELL_FIELDS(X) X("v_V", "V", l->v_V) X("i_A", "A", l->i_A) X("q_Ah", "A h", l->q_Ah)
#define ARCHIVE_FIELDS(X)                                                                                        \
  X("committed_frames", "1", a->committed_frames) X("missed_frames", "1", a->missed_frames)                      \
  X("bytes", "byte", a->bytes) X("free_bytes", "byte", a->free_bytes) X("lag_s", "s", a->lag_s)                  \
  X("ratio", "1", a->ratio) X("cores", "1", a->cores)
#define STREAM_FIELDS(X)                                                                                         \
  X("frames", "1", s->frames) X("lost", "1", s->lost) X("late", "1", s->late) X("rejected", "1", s->rejected)    \
  X("rate_hz", "Hz", s->rate_hz) X("lag_s", "s", s->lag_s)
#define ROI_FIELDS(X)                                                                                            \
  X("pixels", "1", r->pixels) X("counts", "counts", r->counts) X("emf", "1", r->emf.emf)                         \
  X("emf_sigma", "1", r->emf.sigma) X("L", "counts", r->emf.L) X("H", "counts", r->emf.H)

static void add(struct fields *fields, const char *group, const char *member, const char *name, const char *units,
                double value)
{
  assert(fields->n < FIELDS_MAX);
  struct field *field = &fields->list[fields->n++];
  snprintf(field->name, sizeof field->name, "%s.%s%s%s", group, member, member[0] != '\0' ? "." : "", name);
  field->units = units;
  field->value = value;
}

static void add_run(struct fields *fields, const struct ct_snapshot_core *core)
{
  const struct ct_snapshot_xcs *x = &core->xcs;
  const struct ct_snapshot_health *h = &core->health;
  const struct ct_snapshot_ct *t = &core->ct;
  const struct ct_snapshot_cell *l = &core->cell;
  const struct ct_snapshot_archive *a = &core->archive;
#define X(name, units, value) add(fields, "xcs", "", name, units, x->present ? (double)(value) : (double)NAN);
  XCS_FIELDS(X)
#undef X
#define X(name, units, value) add(fields, "health", "", name, units, h->present ? (double)(value) : (double)NAN);
  HEALTH_FIELDS(X)
#undef X
#define X(name, units, value) add(fields, "ct", "", name, units, t->present ? (double)(value) : (double)NAN);
  CT_FIELDS(X)
#undef X
#define X(name, units, value) add(fields, "cell", "", name, units, l->present ? (double)(value) : (double)NAN);
  CELL_FIELDS(X)
#undef X
#define X(name, units, value) add(fields, "archive", "", name, units, (double)(value));
  ARCHIVE_FIELDS(X)
#undef X
}

static void add_stream(struct fields *fields, const char *name, const struct ct_snapshot_core *core)
{
  const struct ct_snapshot_stream *s = NULL;
  for (uint32_t i = 0; i < core->n_streams; i++)
    if (strcmp(core->streams[i].name, name) == 0)
      s = &core->streams[i];
#define X(key, units, value) add(fields, "streams", name, key, units, s != NULL ? (double)(value) : (double)NAN);
  STREAM_FIELDS(X)
#undef X
}

static void add_roi(struct fields *fields, const char *name, const struct ct_snapshot_core *core)
{
  const struct ct_snapshot_roi *r = NULL;
  for (uint32_t i = 0; i < core->n_rois; i++)
    if (strcmp(core->rois[i].name, name) == 0)
      r = &core->rois[i];
#define X(key, units, value) add(fields, "roi", name, key, units, r != NULL ? (double)(value) : (double)NAN);
  ROI_FIELDS(X)
#undef X
}

static void list_fields(struct fields *fields, const struct ct_run_setup *setup, const struct ct_snapshot_core *core)
{
  fields->n = 0;
  add_run(fields, core);
  for (size_t i = 0; i < setup->n_streams && i < CT_SNAPSHOT_STREAMS; i++)
    add_stream(fields, setup->streams[i].name, core);
  for (size_t i = 0; i < setup->n_rois && i < CT_SNAPSHOT_ROIS; i++)
    add_roi(fields, setup->rois[i], core);
}

int ct_samples_create(struct ct_samples *samples, hid_t entry, const struct ct_run_setup *setup)
{
  static const struct ct_snapshot_core nothing;
  const hsize_t chunk = CHUNK;
  const char *units[1 + FIELDS_MAX] = { "ns" };
  struct fields fields;
  list_fields(&fields, setup, &nothing);
  samples->type = H5Tcreate(H5T_COMPOUND, (1 + fields.n) * sizeof(double));
  H5Tinsert(samples->type, "time", 0, H5T_NATIVE_INT64);
  for (size_t i = 0; i < fields.n; i++) {
    H5Tinsert(samples->type, fields.list[i].name, (1 + i) * sizeof(double), H5T_NATIVE_DOUBLE);
    units[1 + i] = fields.list[i].units;
  }
  int rc = ct_grow_create(&samples->rows, entry, "snapshots", samples->type, 1, NULL, &chunk, CT_CODEC_NONE);
  if (rc == 0)
    ct_h5_texts(samples->rows.set, "units", units, 1 + fields.n);
  return rc;
}

int ct_samples_append(struct ct_samples *samples, const struct ct_run_setup *setup, const struct ct_snapshot_core *core)
{
  union {
    int64_t time_ns;
    double value;
  } row[1 + FIELDS_MAX] = { { .time_ns = core->wall_ns } };
  struct fields fields;
  list_fields(&fields, setup, core);
  for (size_t i = 0; i < fields.n; i++)
    row[1 + i].value = fields.list[i].value;
  return ct_grow_append(&samples->rows, 1, row);
}

void ct_samples_close(struct ct_samples *samples)
{
  ct_grow_close(&samples->rows);
  H5Tclose(samples->type);
}
