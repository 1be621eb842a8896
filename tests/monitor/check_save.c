/* What a viewer saves of a plane: its values and of how many projections they are, and none that is half painted. */
#include "../core/cmocka_all.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/save.h"

enum { EDGE = 12, ROWS = 24, COLS = 80, IN_SLICE = 180 };
static uint64_t block[(1 << 20) / 8];

/* A camera with an upright plane, of <projections>; 0: it is being painted. */
static struct ct_snapshot *make(const struct ct_view *view, uint32_t projections)
{
  struct ct_snapshot_builder builder;
  struct ct_request requests[SAVE_REQUESTS];
  struct ct_image_parts image;
  size_t n = save_requests(view, ROWS, COLS, requests);
  assert_int_equal(ct_snapshot_begin(&builder, block, sizeof block), 0);
  builder.snapshot->core.ct = (struct ct_snapshot_ct){ .present = true, .in_slice = IN_SLICE, .slice_size = EDGE };
  snprintf(builder.snapshot->core.run, sizeof builder.snapshot->core.run, "run");
  for (size_t i = 0; i < n; i++) {
    if (requests[i].kind != CT_SECTION_IMAGE)
      continue;
    assert_true(ct_snapshot_add_image(&builder, &requests[i], EDGE, EDGE, &image));
    image.head->projections = projections;
    for (int k = 0; k < EDGE * EDGE; k++)
      image.values[k] = (float)k;
  }
  return ct_snapshot_finish(&builder);
}

/* The file in <folder> whose name ends with <ending> into path; all of them are removed where <ending> is "". */
static bool find(const char *folder, const char *ending, char path[512])
{
  DIR *dir = opendir(folder);
  bool found = false;
  for (struct dirent *entry; !found && (entry = readdir(dir)) != NULL;) {
    size_t n = strlen(entry->d_name), m = strlen(ending);
    if (entry->d_name[0] == '.')
      continue;
    snprintf(path, 512, "%s/%s", folder, entry->d_name);
    found = m > 0 && n > m && strcmp(entry->d_name + n - m, ending) == 0;
    if (m == 0)
      unlink(path);
  }
  closedir(dir);
  return found;
}

static bool says(const char *path, const char *words)
{
  static char bytes[1 << 16];
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  size_t n = fread(bytes, 1, sizeof bytes, file), length = strlen(words);
  fclose(file);
  for (size_t i = 0; i + length <= n; i++)
    if (memcmp(bytes + i, words, length) == 0)
      return true;
  return false;
}

static void planes_are_saved_when_they_are_whole(void **state)
{
  (void)state;
  struct ct_view *view = ct_xcalloc(1, sizeof *view);
  char folder[] = "/tmp/comptop-save-XXXXXX", said[512], path[512];
  struct save save = { .view = view, .rows = ROWS, .cols = COLS, .folder = mkdtemp(folder) };
  ct_view_init(view, true, true, (double)NAN);
  view->panel = CT_PANEL_TOMO;
  view->picture = CT_PICTURE_XZ;

  save.snapshot = make(view, 0);
  save_view(&save, said, sizeof said);
  assert_non_null(strstr(said, "no .tif"));
  assert_false(find(folder, ".tif", path));
  assert_true(find(folder, ".png", path));
  find(folder, "", path);

  save.snapshot = make(view, 90);
  save_view(&save, said, sizeof said);
  assert_null(strstr(said, "no .tif"));
  assert_true(find(folder, ".tif", path));
  assert_true(says(path, " 90 projections"));
  find(folder, "", path);
  assert_int_equal(rmdir(folder), 0);
  free(view);
}

/* The screen has them averaged down. */
static void all_lines_of_a_sinogram_are_asked_for(void **state)
{
  (void)state;
  struct ct_view *view = ct_xcalloc(1, sizeof *view);
  struct ct_request requests[SAVE_REQUESTS], last;
  ct_view_init(view, true, true, (double)NAN);
  view->panel = CT_PANEL_TOMO;
  view->picture = CT_PICTURE_SINOGRAM;
  size_t n = save_requests(view, ROWS, COLS, requests);
  last = requests[n - 2];                /* behind it are the settings */
  assert_int_equal(last.kind, CT_SECTION_IMAGE);
  assert_int_equal(last.x, CT_IMAGE_SINOGRAM);
  assert_int_equal(last.size, 0);
  free(view);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(planes_are_saved_when_they_are_whole),
                                      cmocka_unit_test(all_lines_of_a_sinogram_are_asked_for) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
