/* Settings that change in a run, their way to others, and into the configuration file. */
#include <comptop/core.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

static struct ct_err err;
static const int64_t at_ns = INT64_C(1763780047250000000);   /* 2025-11-22T02:54:07.250Z */

static struct ct_settings *parsed(const char *text)
{
  struct ct_settings *s = NULL;
  if (ct_settings_parse(&s, &ct_comptop_options, "i12.conf", text, strlen(text), &err) != 0)
    fail_msg("%s", err.text);
  return s;
}

/* ---- changing --------------------------------------------------------------------------------------------- */
static void a_change_is_checked_as_a_file_is(void **state)
{
  (void)state;
  static const struct { const char *path, *text, *says; } wrong[] = {
    { "emf.p_low", "x", "emf.p_low = x: not a number" },
    { "emf.p_low", "101", "emf.p_low = 101: not within 0 to 100" },
    { "emf.p_low", "5", "emf.p_low = 5: must be below emf.p_high = 5" },
    { "emf.p_low", "", "emf.p_low = : needs a value" },
    { "emf.background", "flot", "emf.background = flot: not one of none, flat, linear; did you mean 'flat'?" },
    { "emf.plow", "1", "emf.plow: unknown key 'plow' in [emf]; did you mean 'p_low'?" },
    { "hexitec.rows", "3", "hexitec.rows: cannot change in a run; set it in the configuration file, for the next one" },
    { "roi.b.disc", "1,1,1", "roi.b.disc: there is no [roi b]" },
    { "roi.a.pixels", "0:1,0:1", NULL },                  /* two shapes; the section is named */
    { "roi.disc", "1,1,1", "roi.disc: section 'roi' needs a name" },
    { "emf.a.p_low", "1", "emf.a.p_low: section 'emf' takes no name" },
    { "emf", "1", "emf: not a setting" }, { "", "1", ": not a setting" }, { "....", "1", NULL }, { ".", "", NULL },
    { "emf.reference", "Fe\n[run]", "emf.reference = Fe?[run]: has a control character" },
  };
  struct ct_settings *s = parsed("[roi a]\ndisc = 4,5,6\n[emf]\np_low = 2\n");
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_true(ct_settings_change(s, wrong[i].path, wrong[i].text, at_ns, &err) < 0);
    if (wrong[i].says != NULL)
      assert_string_equal(err.text, wrong[i].says);
    assert_int_equal(ct_settings_changed(s), 0);
  }
  assert_string_equal(ct_settings_text(s, "emf.p_low"), "2");
  assert_string_equal(ct_settings_origin(s, "emf.p_low"), "i12.conf:4");
  assert_string_equal(ct_settings_text(s, "roi.a.pixels"), "");
  ct_settings_close(s);
}

static void a_change_is_in_force_and_can_be_taken_back(void **state)
{
  (void)state;
  struct ct_settings *s = parsed("[roi a]\ndisc = 4,5,6\n[emf]\np_low = 2\n");
  assert_int_equal(ct_settings_change(s, "emf.p_low", "1.5", at_ns, &err), 0);
  assert_true(ct_settings_real(s, "emf.p_low") > 1.49 && ct_settings_real(s, "emf.p_low") < 1.51);
  assert_string_equal(ct_settings_origin(s, "emf.p_low"), "changed 02:54:07Z");
  assert_string_equal(ct_settings_before(s), "2");
  assert_int_equal(ct_settings_changed(s), 1);
  assert_int_equal(ct_settings_change(s, "roi.a.disc", "7,8,9", at_ns, &err), 0);
  assert_string_equal(ct_settings_before(s), "4,5,6");
  ct_settings_undo(s);
  ct_settings_undo(s);                     /* once: the change before stays */
  assert_string_equal(ct_settings_text(s, "roi.a.disc"), "4,5,6");
  assert_string_equal(ct_settings_origin(s, "roi.a.disc"), "i12.conf:2");
  assert_string_equal(ct_settings_text(s, "emf.p_low"), "1.5");
  assert_int_equal(ct_settings_changed(s), 1);
  assert_int_equal(ct_settings_change(s, "emf.p_low", NULL, at_ns, &err), 0);
  assert_string_equal(ct_settings_text(s, "emf.p_low"), "1");
  assert_int_equal(ct_settings_change(s, "emf.reference", "Fe", at_ns, &err), 0);
  assert_int_equal(ct_settings_change(s, "emf.reference", NULL, at_ns, &err), 0);
  assert_string_equal(ct_settings_text(s, "emf.reference"), "");
  ct_settings_close(s);
}

/* ---- telling ---------------------------------------------------------------------------------------------- */
static void packed_settings_are_those_of_print(void **state)
{
  (void)state;
  struct ct_settings *s = parsed("[stream det]\nrole = hexitec\nendpoint = ipc://x\n[roi a]\ndisc = 4,5,6\n[emf]\np_low = 2\n");
  static char packed[1 << 16];
  size_t bytes = ct_settings_pack(s, NULL, packed, sizeof packed), at = 0, size, lines = 0;
  char *text = NULL, kind[100] = "", line[300];
  FILE *print = open_memstream(&text, &size);
  assert_int_equal(ct_settings_print(s, print), 0);
  fclose(print);
  struct ct_packed_setting setting;
  for (char *next = text; *next != '\0'; next += strcspn(next, "\n") + 1) {
    snprintf(line, sizeof line, "%.*s", (int)strcspn(next, "\n"), next);
    if (line[0] == '[')
      snprintf(kind, sizeof kind, "%.*s", (int)strcspn(line + 1, "]"), line + 1);
    if (line[0] == '[' || line[0] == '\0')
      continue;
    char path[420];
    char *value = strstr(line, " =");
    *value = '\0';
    value += value[2] == ' ' ? 3 : 2;
    snprintf(path, sizeof path, "%s.%s", kind, line);
    for (char *blank; (blank = strchr(path, ' ')) != NULL;)
      *blank = '.';
    assert_true(ct_settings_unpack(packed, bytes, &at, &setting));
    assert_string_equal(setting.path, path);
    assert_string_equal(setting.text, value);
    assert_string_equal(setting.origin, ct_settings_origin(s, path));
    assert_non_null(ct_option_at(&ct_comptop_options, path));
    lines++;
  }
  assert_true(lines > 100);
  assert_false(ct_settings_unpack(packed, bytes, &at, &setting));
  /* Cut anywhere: no reading beyond, and what comes is whole. */
  for (size_t n = 0; n < 400; n++) {
    char *cut = malloc(n + 1);
    memcpy(cut, packed, n);
    for (at = 0; ct_settings_unpack(cut, n, &at, &setting);)
      assert_true(setting.origin + strlen(setting.origin) < cut + n);
    free(cut);
  }
  assert_true(ct_settings_pack(s, "screen", packed, sizeof packed) < bytes / 4);
  assert_string_equal(packed, "screen.binning");
  assert_true(ct_settings_pack(s, NULL, packed, 100) <= 100);
  free(text);
  ct_settings_close(s);
}

static void rows_tell_what_they_may_be(void **state)
{
  (void)state;
  static const struct { const char *path, *range; } ranges[] = {
    { "emf.p_low", "0 to 100" }, { "emf.order", "1 to 2" }, { "emf.background", "none, flat, linear" },
    { "emf.jacobian", "on, off" }, { "run.window", "0.1 to 10000000, run, scan" }, { "emf.reference", "" },
    { "roi.x.disc", "x,y,radius with radius > 0" }, { "geometry.centre_px", "x,y" },
  };
  char text[200];
  for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    assert_string_equal(ct_option_range(ct_option_at(&ct_comptop_options, ranges[i].path), text, sizeof text), ranges[i].range);
  assert_null(ct_option_at(&ct_comptop_options, "emf"));
  assert_null(ct_option_at(&ct_comptop_options, "roi.disc"));
  assert_null(ct_option_at(&ct_comptop_options, "emf.a.p_low"));
  const struct ct_option *background = ct_option_at(&ct_comptop_options, "emf.background");
  assert_string_equal(ct_option_turn(background, "none", 1, text, sizeof text), "flat");
  assert_string_equal(ct_option_turn(background, "none", -1, text, sizeof text), "linear");
  assert_string_equal(ct_option_turn(background, "linear", 1, text, sizeof text), "none");
  assert_string_equal(ct_option_turn(ct_option_at(&ct_comptop_options, "emf.jacobian"), "off", 1, text, sizeof text), "on");
  assert_string_equal(ct_option_turn(ct_option_at(&ct_comptop_options, "run.window"), "60", 1, text, sizeof text), "run");
  assert_string_equal(ct_option_turn(ct_option_at(&ct_comptop_options, "run.window"), "60", -1, text, sizeof text), "scan");
  assert_null(ct_option_turn(ct_option_at(&ct_comptop_options, "emf.p_low"), "1", 1, text, sizeof text));
}

/* ---- saving ----------------------------------------------------------------------------------------------- */
static char folder[] = "/tmp/comptop-live-XXXXXX", file[64];

static void put(const char *path, const char *text, mode_t mode)
{
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  fputs(text, out);
  fclose(out);
  chmod(path, mode);
}

static const char *get(const char *path)
{
  static char text[4096];
  FILE *in = fopen(path, "r");
  text[in ? fread(text, 1, sizeof text - 1, in) : 0] = '\0';
  if (in)
    fclose(in);
  return text;
}

static struct ct_settings *opened(const char *path)
{
  char program[] = "comptop", flag[] = "-c", name[64];
  snprintf(name, sizeof name, "%s", path ? path : "");
  char *argv[] = { program, path ? flag : NULL, name, NULL };
  struct ct_settings *s = NULL;
  if (ct_settings_open(&s, &ct_comptop_options, path ? 3 : 1, argv, stdout, &err) != 0)
    fail_msg("%s", err.text);
  return s;
}

/* Changes [path, text] pairs in a file that holds <before>, saves, and gives what it holds then. */
static const char *saved(const char *before, const char *const *changes)
{
  const char *path = NULL;
  int n = 0;
  put(file, before, 0640);
  struct ct_settings *s = opened(file);
  for (; changes[2 * n] != NULL; n++)
    assert_int_equal(ct_settings_change(s, changes[2 * n], changes[2 * n + 1], at_ns, &err), 0);
  if (ct_settings_save(s, &path, &err) != n)
    fail_msg("%s", err.text);
  assert_string_equal(path, file);
  assert_int_equal(ct_settings_changed(s), 0);
  for (int i = 0; i < n; i++)              /* it reads back */
    assert_string_equal(ct_settings_text(s, changes[2 * i]), changes[2 * i + 1] ? changes[2 * i + 1] : ct_option_at(&ct_comptop_options, changes[2 * i])->value);
  struct ct_settings *again = opened(file);
  for (int i = 0; i < n; i++)
    assert_string_equal(ct_settings_text(again, changes[2 * i]), ct_settings_text(s, changes[2 * i]));
  ct_settings_close(again);
  ct_settings_close(s);
  struct stat info;
  assert_int_equal(stat(file, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0640);
  return get(file);
}

#define SAVED(before, ...) saved(before, (const char *const[]){ __VA_ARGS__, NULL })

static void only_what_changed_is_written(void **state)
{
  (void)state;
  assert_string_equal(SAVED("; mine\n[emf]\n  p_low  =  2   ; low\np_high=6\n\n# end\n[run]\nwindow = 30\n", "emf.p_low", "1.5", "emf.p_high", "7"),
                      "; mine\n[emf]\n  p_low  =  1.5   ; low\np_high= 7\n\n# end\n[run]\nwindow = 30\n");
  assert_string_equal(SAVED("[emf]\n  p_low = 2\n\n# about the run\n[run]\nwindow = 30\n", "emf.order", "2"),
                      "[emf]\n  p_low = 2\n  order = 2\n\n# about the run\n[run]\nwindow = 30\n");
  assert_string_equal(SAVED("", "emf.order", "2", "beam.e1_keV", "115"), "[beam]\ne1_keV = 115\n\n[emf]\norder = 2\n");
  assert_string_equal(SAVED("[run]\nwindow = 30", "emf.order", "2"), "[run]\nwindow = 30\n\n[emf]\norder = 2\n");
  assert_string_equal(SAVED("[emf]\n[run]\nwindow = 30\n", "emf.order", "2"), "[emf]\norder = 2\n[run]\nwindow = 30\n");
  /* the last of two counts; a name, another name */
  assert_string_equal(SAVED("[emf]\norder = 2\norder: 1\n[roi a]\ndisc = 1,2,3\n[ roi  b ]\ndisc = 4,5,6\n", "emf.order", "2", "roi.b.disc", "7,8,9"),
                      "[emf]\norder = 2\norder: 2\n[roi a]\ndisc = 1,2,3\n[ roi  b ]\ndisc = 7,8,9\n");
  /* lines end as they did; a mark at the beginning stays */
  assert_string_equal(SAVED("\xef\xbb\xbf[emf]\r\np_low = 2\r\nreference =\r\n", "emf.p_low", "1.5", "emf.reference", "Fe", "emf.order", "2"),
                      "\xef\xbb\xbf[emf]\r\np_low = 1.5\r\nreference = Fe\r\norder = 2\r\n");
  /* the default again: where nothing says another, nothing need be said */
  assert_string_equal(SAVED("[emf]\np_low = 2 # why\n", "emf.p_low", NULL, "emf.p_high", NULL), "[emf]\np_low = 1 # why\n");
  assert_string_equal(SAVED("[emf]\nreference = Fe ; iron\n", "emf.reference", NULL), "[emf]\nreference =  ; iron\n");
}

static void a_file_that_changed_is_left_alone(void **state)
{
  (void)state;
  const char *path;
  put(file, "[emf]\np_low = 2\n", 0600);
  struct ct_settings *s = opened(file);
  assert_int_equal(ct_settings_change(s, "emf.p_low", "1.5", at_ns, &err), 0);
  put(file, "[emf]\np_low = 2\n; a word\n", 0600);
  assert_int_equal(ct_settings_save(s, &path, &err), CT_EIO);
  assert_non_null(strstr(err.text, "is no longer what was read from it: nothing was saved"));
  assert_string_equal(get(file), "[emf]\np_low = 2\n; a word\n");
  assert_int_equal(ct_settings_changed(s), 1);
  put(file, "[emf]\np_low = 2\n", 0600);
  assert_int_equal(ct_settings_save(s, &path, &err), 1);
  assert_int_equal(ct_settings_save(s, &path, &err), 0);
  unlink(file);
  assert_int_equal(ct_settings_change(s, "emf.p_low", "1.6", at_ns, &err), 0);
  assert_int_equal(ct_settings_save(s, &path, &err), CT_EIO);
  ct_settings_close(s);
}

static void a_link_stays_a_link(void **state)
{
  (void)state;
  char link[80];
  const char *path;
  snprintf(link, sizeof link, "%s/link.conf", folder);
  put(file, "[emf]\np_low = 2\n", 0600);
  assert_int_equal(symlink("a.conf", link), 0);
  struct ct_settings *s = opened(link);
  char name[300];
  assert_string_equal(ct_settings_file(s, name, sizeof name), file);
  assert_int_equal(ct_settings_change(s, "emf.p_low", "1.5", at_ns, &err), 0);
  assert_int_equal(ct_settings_save(s, &path, &err), 1);
  assert_string_equal(get(file), "[emf]\np_low = 1.5\n");
  struct stat info;
  assert_int_equal(lstat(link, &info), 0);
  assert_true(S_ISLNK(info.st_mode));
  ct_settings_close(s);
}

static void without_a_file_the_users_own_is_made(void **state)
{
  (void)state;
  char own[128], base[80];
  const char *path;
  snprintf(base, sizeof base, "%s/xdg/deep", folder);
  snprintf(own, sizeof own, "%s/comptop/comptop.conf", base);
  setenv("XDG_CONFIG_HOME", base, 1);
  unsetenv("COMPTOP_CONFIG");
  struct ct_settings *s = opened(NULL), *other = opened(NULL);
  assert_int_equal(ct_settings_change(s, "emf.p_low", "1.5", at_ns, &err), 0);
  assert_int_equal(ct_settings_change(other, "screen.theme", "light", at_ns, &err), 0);
  assert_int_equal(ct_settings_save(s, &path, &err), 1);
  assert_string_equal(path, own);
  assert_string_equal(get(own), "[emf]\np_low = 1.5\n");
  assert_int_equal(ct_settings_save(other, &path, &err), CT_EIO);      /* somebody made it meanwhile */
  ct_settings_saved_by_other(other);
  assert_int_equal(ct_settings_changed(other), 0);
  assert_int_equal(ct_settings_change(other, "screen.theme", "light", at_ns, &err), 0);
  assert_int_equal(ct_settings_save(other, &path, &err), 1);
  assert_string_equal(get(own), "[emf]\np_low = 1.5\n\n[screen]\ntheme = light\n");
  ct_settings_close(s);
  ct_settings_close(other);
}

static int begin(void **state)
{
  (void)state;
  if (mkdtemp(folder) == NULL)
    return 1;
  snprintf(file, sizeof file, "%s/a.conf", folder);
  return 0;
}

static int end(void **state)
{
  (void)state;
  char command[100];
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_change_is_checked_as_a_file_is),
    cmocka_unit_test(a_change_is_in_force_and_can_be_taken_back),
    cmocka_unit_test(packed_settings_are_those_of_print),
    cmocka_unit_test(rows_tell_what_they_may_be),
    cmocka_unit_test(only_what_changed_is_written),
    cmocka_unit_test(a_file_that_changed_is_left_alone),
    cmocka_unit_test(a_link_stays_a_link),
    cmocka_unit_test(without_a_file_the_users_own_is_made),
  };
  return cmocka_run_group_tests_name("core: settings that change", tests, begin, end);
}
