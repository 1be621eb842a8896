/* Results over time: each group is a NeXus plot of its own. */
#include "archive/h5.h"
#include "archive/logfile.h"
#include "archive/nexus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const total_names[] = {
#define X(name, units, value) #name,
  CT_TOTALS(X)
#undef X
};
static const char *const total_units[] = {
#define X(name, units, value) units,
  CT_TOTALS(X)
#undef X
};

static hid_t plot_group(hid_t entry, const char *name, const char *signal, const char *const *axes, size_t n_axes)
{
  ct_h5_group(entry, name, "NXdata");
  hid_t group = H5Gopen2(entry, name, H5P_DEFAULT);
  ct_h5_text(group, "signal", signal);
  ct_h5_texts(group, "axes", axes, n_axes);
  return group;
}

static int column(struct ct_grow *grow, hid_t group, const char *name, const char *units)
{
  const hsize_t chunk = 256;
  int rc = ct_grow_create(grow, group, name, H5T_NATIVE_DOUBLE, 1, NULL, &chunk, CT_CODEC_NONE);
  if (rc == 0 && units[0] != '\0')
    ct_h5_text(grow->set, "units", units);
  return rc;
}

static int create_totals(struct ct_results_file *results, hid_t entry)
{
  static const char *const axes[] = { "time" };
  hid_t group = plot_group(entry, "totals", "emf", axes, 1);
  int rc = column(&results->total_time, group, "time", "s");
  for (int i = 0; i < CT_TOTAL_COUNT && rc == 0; i++)
    rc = column(&results->totals[i], group, total_names[i], total_units[i]);
  H5Gclose(group);
  return rc;
}

/* Maps and spectra are packed unless nothing is to be: what is best for frames does not matter for them. */
static enum ct_codec packing(const struct ct_run_setup *setup)
{
  return setup->codec == CT_CODEC_NONE ? CT_CODEC_NONE : CT_CODEC_BSLZ4;
}

static int create_maps(struct ct_results_file *results, hid_t entry, const struct ct_run_setup *setup)
{
  static const char *const axes[] = { "time", ".", "." };
  const hsize_t map[] = { setup->rows, setup->cols }, chunk[] = { 1, setup->rows, setup->cols };
  hid_t group = plot_group(entry, "maps", "emf", axes, 3);
  int rc = column(&results->map_time, group, "time", "s");
  if (rc == 0)
    rc = column(&results->window, group, "window", "s");
  if (rc == 0)
    rc = ct_grow_create(&results->emf, group, "emf", H5T_NATIVE_FLOAT, 3, map, chunk, packing(setup));
  if (rc == 0)
    rc = ct_grow_create(&results->sigma, group, "emf_errors", H5T_NATIVE_FLOAT, 3, map, chunk, packing(setup));
  if (rc == 0)
    rc = ct_grow_create(&results->counts, group, "counts", H5T_NATIVE_FLOAT, 3, map, chunk, packing(setup));
  if (rc == 0) {
    ct_h5_text(results->emf.set, "units", "1");
    ct_h5_text(results->sigma.set, "units", "1");
    ct_h5_text(results->counts.set, "units", "counts");
  }
  H5Gclose(group);
  return rc;
}

static int write_energy(hid_t group, const struct ct_run_setup *setup)
{
  const hsize_t n = setup->bins;
  double *centre_keV = ct_xcalloc(setup->bins, sizeof *centre_keV);
  for (uint32_t i = 0; i < setup->bins; i++)
    centre_keV[i] = setup->start_keV + (i + 0.5) * setup->width_keV;
  hid_t space = H5Screate_simple(1, &n, NULL);
  hid_t set = H5Dcreate2(group, "energy", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  int rc = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, centre_keV) < 0 ? CT_EIO : 0;
  ct_h5_text(set, "units", "keV");
  ct_h5_text(set, "long_name", "energy, centre of the bin");
  H5Dclose(set);
  H5Sclose(space);
  free(centre_keV);
  return rc;
}

static int create_spectra(struct ct_results_file *results, hid_t entry, const struct ct_run_setup *setup)
{
  static const char *const axes[] = { "time", ".", ".", "energy" };
  const hsize_t cube[] = { setup->rows, setup->cols, setup->bins };
  /* A row of pixels a chunk: the spectra of a region are read without the rest. */
  const hsize_t chunk[] = { 1, 1, setup->cols, setup->bins };
  hid_t group = plot_group(entry, "spectra", "counts", axes, 4);
  int rc = column(&results->spectra_time, group, "time", "s");
  if (rc == 0)
    rc = write_energy(group, setup);
  if (rc == 0)
    rc = ct_grow_create(&results->spectrum, group, "counts", H5T_NATIVE_UINT32, 4, cube, chunk, packing(setup));
  if (rc == 0)
    ct_h5_text(results->spectrum.set, "units", "counts");
  H5Gclose(group);
  return rc;
}

static void clear(struct ct_results_file *results)
{
  struct ct_grow *const sets[] = { &results->total_time, &results->map_time, &results->window, &results->emf,
                                   &results->sigma, &results->counts, &results->spectra_time, &results->spectrum };
  memset(results, 0, sizeof *results);
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
    sets[i]->set = H5I_INVALID_HID;
  for (int i = 0; i < CT_TOTAL_COUNT; i++)
    results->totals[i].set = H5I_INVALID_HID;
}

static void close_sets(struct ct_results_file *results)
{
  ct_grow_close(&results->total_time);
  for (int i = 0; i < CT_TOTAL_COUNT; i++)
    ct_grow_close(&results->totals[i]);
  ct_grow_close(&results->map_time);
  ct_grow_close(&results->window);
  ct_grow_close(&results->emf);
  ct_grow_close(&results->sigma);
  ct_grow_close(&results->counts);
  ct_grow_close(&results->spectra_time);
  ct_grow_close(&results->spectrum);
}

/* What made these results, and with which settings. */
static void put_process(hid_t entry, const struct ct_run_setup *setup, int64_t now_ns)
{
  hid_t group = ct_nx_group(entry, "process", "NXprocess");
  const char *version = strchr(setup->program, ' ');
  char name[64];
  snprintf(name, sizeof name, "%.*s", (int)strcspn(setup->program, " "), setup->program);
  ct_nx_text(group, "program", name);
  ct_nx_text(group, "version", version != NULL ? version + 1 : "");
  ct_nx_time(group, "date", now_ns);
  ct_nx_text(group, "configuration", setup->configuration);
  H5Gclose(group);
}

static int create_sets(struct ct_results_file *results, const struct ct_run_setup *setup, int64_t now_ns)
{
  hid_t entry = H5Gopen2(results->store->file, "entry", H5P_DEFAULT);
  ct_h5_text(entry, "default", results->maps ? "maps" : "totals");
  ct_h5_text(entry, "run", setup->name);
  ct_h5_text(entry, "program", setup->program);
  put_process(entry, setup, now_ns);
  int rc = create_totals(results, entry);
  if (rc == 0 && results->maps)
    rc = create_maps(results, entry, setup);
  if (rc == 0 && results->spectra)
    rc = create_spectra(results, entry, setup);
  H5Gclose(entry);
  return rc;
}

int ct_results_create(struct ct_results_file *results, const char *path, const struct ct_run_setup *setup, bool plain,
                      int64_t now_ns, struct ct_err *err)
{
  char why[CT_H5_WHY];
  ct_h5_begin();
  clear(results);
  results->maps = setup->rows > 0 && setup->cols > 0;
  results->spectra = results->maps && setup->bins > 0;
  int rc = ct_store_create(&results->store, path, CT_STORE_JOURNAL_ALL | (plain ? CT_STORE_PLAIN : 0), err);
  if (rc != 0)
    return rc;
  if (create_sets(results, setup, now_ns) != 0)
    rc = ct_err_set(err, CT_EIO, "%s: cannot be made: %s", path,
                    results->store->why ? strerror(results->store->why) : ct_h5_why(why));
  else
    rc = ct_store_start(results->store, err);
  if (rc != 0) {
    close_sets(results);
    ct_store_remove(results->store);
    results->store = NULL;
  }
  return rc;
}

static int append_totals(struct ct_results_file *results, const struct ct_snapshot_core *core, const double *time_s)
{
  const struct ct_snapshot_xcs *x = &core->xcs;
  const double totals[] = {
#define X(name, units, value) value,
    CT_TOTALS(X)
#undef X
  };
  struct ct_grow *sets[1 + CT_TOTAL_COUNT] = { &results->total_time };
  const void *values[1 + CT_TOTAL_COUNT] = { time_s };
  for (int i = 0; i < CT_TOTAL_COUNT; i++) {
    sets[1 + i] = &results->totals[i];
    values[1 + i] = &totals[i];
  }
  return ct_grow_append_row(sets, values, 1 + CT_TOTAL_COUNT);
}

int ct_results_append(struct ct_results_file *results, const struct ct_run_results *line)
{
  const double time_s = (double)line->time_ns / 1e9;
  int rc = append_totals(results, line->core, &time_s);
  if (rc == 0 && results->maps && line->emf != NULL) {
    struct ct_grow *const sets[] = { &results->map_time, &results->window, &results->emf, &results->sigma,
                                     &results->counts };
    const void *const values[] = { &time_s, &line->core->xcs.window_s, line->emf, line->sigma, line->counts };
    rc = ct_grow_append_row(sets, values, 5);
  }
  if (rc == 0 && results->spectra && line->spectra != NULL) {
    struct ct_grow *const sets[] = { &results->spectra_time, &results->spectrum };
    const void *const values[] = { &time_s, line->spectra };
    rc = ct_grow_append_row(sets, values, 2);
  }
  return rc;
}

int ct_results_flush(struct ct_results_file *results)
{
  return H5Fflush(results->store->file, H5F_SCOPE_LOCAL) < 0 ? CT_EIO : ct_store_checkpoint(results->store, 0);
}

int ct_results_close(struct ct_results_file *results, struct ct_run_sync *last, struct ct_err *err)
{
  close_sets(results);
  int rc = ct_store_close(results->store, last, err);
  results->store = NULL;
  return rc;
}
