/* The configuration file: its syntax, its errors with file and line, and where it is looked for. */
#include <comptop/core.h>

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmocka_all.h"

static struct ct_err err;

static int parse(struct ct_settings **s, const char *text)
{
  return ct_settings_parse(s, &ct_comptop_options, "i12.conf", text, strlen(text), &err);
}

static struct ct_settings *parsed(const char *text)
{
  struct ct_settings *s;
  int code = parse(&s, text);
  if (code)
    print_message("# %s\n", err.text);
  assert_int_equal(code, 0);
  return s;
}

static void syntax_is_taken_as_people_write_it(void **state)
{
  (void)state;
  struct ct_settings *s = parsed("\xef\xbb\xbf; a comment\r\n"
                                 "# another\r\n"
                                 "\r\n"
                                 "[hexitec] ; ours\r\n"
                                 "  rows = 160\r\n"
                                 "\t\tcols=161 # not inline\r\n"
                                 "dark = /data/100% full;x#y.h5:/dark frames\r\n"
                                 "next_frame = yes\r\n"
                                 "    ; indented comment\r\n"
                                 "[ stream   det-1 ]\r\n"
                                 "role: hexitec\r\n"
                                 "  endpoint = tcp://det:5555\r\n"
                                 "[hexitec]\r\n"
                                 "threshold = maps/a = b.txt");
  assert_int_equal(ct_settings_int(s, "hexitec.rows"), 160);
  assert_int_equal(ct_settings_int(s, "hexitec.cols"), 161);
  assert_string_equal(ct_settings_text(s, "hexitec.dark"), "/data/100% full;x#y.h5:/dark frames");
  assert_true(ct_settings_bool(s, "hexitec.next_frame"));
  assert_string_equal(ct_settings_text(s, "hexitec.threshold"), "maps/a = b.txt");
  assert_string_equal(ct_settings_origin(s, "hexitec.rows"), "i12.conf:5");
  assert_string_equal(ct_settings_origin(s, "hexitec.threshold"), "i12.conf:14");
  assert_string_equal(ct_settings_text(s, "stream.det-1.endpoint"), "tcp://det:5555");
  assert_string_equal(ct_settings_origin(s, "stream.det-1.endpoint"), "i12.conf:12");
  assert_string_equal(ct_settings_section_origin(s, "stream", 0), "i12.conf:10");
  ct_settings_close(s);
}

static void nothing_takes_a_setting_back(void **state)
{
  (void)state;
  struct ct_settings *s = parsed("[hexitec]\nmask = m.txt\nmask =\n[attributes]\ntrigger = N\ntrigger =\n");
  assert_false(ct_settings_is_set(s, "hexitec.mask"));
  assert_string_equal(ct_settings_text(s, "hexitec.mask"), "");
  assert_false(ct_settings_is_set(s, "attributes.trigger"));
  assert_string_equal(ct_settings_text(s, "attributes.trigger"), "Trigger");
  assert_string_equal(ct_settings_origin(s, "attributes.trigger"), "default");
  ct_settings_close(s);
}

static void errors_name_file_and_line(void **state)
{
  (void)state;
  static const struct {
    const char *text, *message;
    int code;
  } cases[] = {
    { "[geometry]\n\n  therta_deg = 90\n",
      "i12.conf:3: unknown key 'therta_deg' in [geometry]; did you mean 'theta_deg'?", CT_ECONFIG },
    { "[geometry]\r\ntheta_deg = ninety\r\n", "i12.conf:2: geometry.theta_deg = ninety: not a number", CT_ECONFIG },
    { "[geometry]\ntheta_deg = 1e999\n", "i12.conf:2: geometry.theta_deg = 1e999: too large a number", CT_ECONFIG },
    { "[geometry]\ntheta_deg = 200\n", "i12.conf:2: geometry.theta_deg = 200: not within 1 to 179", CT_ECONFIG },
    { "[geometry]\ntheta_deg =\n", "i12.conf:2: geometry.theta_deg = : needs a value", CT_ECONFIG },
    { "[geometry]\ncentre_px = 1\n", "i12.conf:2: geometry.centre_px = 1: not of the form x,y", CT_ECONFIG },
    { "[beem]\n", "i12.conf:1: unknown section 'beem'; did you mean 'beam'?", CT_ECONFIG },
    { "e1_keV = 3\n", "i12.conf:1: key 'e1_keV' stands before the first [section]", CT_ECONFIG },
    { "[beam]\ne1_keV\n", "i12.conf:2: neither 'key = value' nor a [section]", CT_ECONFIG },
    { "[beam\n", "i12.conf:1: ']' is missing at the end of '[beam'", CT_ECONFIG },
    { "[beam] e1_keV = 3\n", "i12.conf:1: 'e1_keV = 3' behind a section heading", CT_ECONFIG },
    { "[beam x]\n", "i12.conf:1: section 'beam' takes no name", CT_ECONFIG },
    { "[stream]\n", "i12.conf:1: section 'stream' needs a name: [stream NAME]", CT_ECONFIG },
    { "\n[stream x]\n", "i12.conf:2: [stream x] has no 'role'", CT_ECONFIG },
    { "[roi x]\n", "i12.conf:1: [roi x] needs one of pixels, disc, ring and mask", CT_ECONFIG },
    /* Only settings stand in a file, not flags. */
    { "[run]\ndemo = on\n", "i12.conf:2: unknown key 'demo' in [run]", CT_ECONFIG },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct ct_settings *s;
    assert_int_equal(parse(&s, cases[i].text), cases[i].code);
    assert_null(s);
    assert_string_equal(err.text, cases[i].message);
  }
}

static void lines_may_be_long_but_not_endless(void **state)
{
  (void)state;
  char text[9000];
  struct ct_settings *s;
  for (size_t len = 100; len <= 8180; len += 1010) {
    int used = snprintf(text, sizeof text, "[hexitec]\ndark = %0*d\ncols = 3\n", (int)len, 7);
    assert_true(used > 0);
    s = parsed(text);
    assert_int_equal(strlen(ct_settings_text(s, "hexitec.dark")), len);
    assert_int_equal(ct_settings_int(s, "hexitec.cols"), 3);
    ct_settings_close(s);
  }
  snprintf(text, sizeof text, "[hexitec]\ndark = %0*d\ncols = 3\n", 8192, 7);
  assert_int_equal(parse(&s, text), CT_ECONFIG);
  assert_string_equal(err.text, "i12.conf:2: a line of more than 8192 bytes");
}

static void bytes_of_no_text_are_refused(void **state)
{
  (void)state;
  struct ct_settings *s;
  static const char nul[] = "[beam]\ne1_keV = 1\0 2\n";
  assert_int_equal(ct_settings_parse(&s, &ct_comptop_options, "i12.conf", nul, sizeof nul - 1, &err), CT_ECONFIG);
  assert_string_equal(err.text, "i12.conf:2: a NUL byte; this is not a text file");
  assert_int_equal(parse(&s, "[run]\nname = a\033[2Jb\n"), CT_ECONFIG);
  assert_string_equal(err.text, "i12.conf:2: run.name = a?[2Jb: has a control character");
}

static void sections_are_not_endless(void **state)
{
  (void)state;
  char *text = ct_xcalloc(70, 32), *at = text;
  for (int i = 0; i < 65; i++)
    at += sprintf(at, "[roi r%d]\ndisc = 1,1,1\n", i);
  struct ct_settings *s;
  assert_int_equal(parse(&s, text), CT_ECONFIG);
  assert_string_equal(err.text, "i12.conf:129: more than 64 named sections");
  free(text);
}

/* ---- where it is looked for ---- */

static char folder[] = "check_config_XXXXXX";

static void write_config(const char *name, const char *text)
{
  char path[200];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* The e1_keV that comes out of no flag or of -c <config>; 0 on an error. */
static double energy(const char *config)
{
  char path[200], program[] = "comptop", c[] = "-c";
  snprintf(path, sizeof path, "%s/%s", folder, config ? config : "");
  char *argv[] = { program, config ? c : NULL, path, NULL };
  struct ct_settings *s;
  if (ct_settings_open(&s, &ct_comptop_options, config ? 3 : 1, argv, stdout, &err))
    return 0;
  double e1_keV = ct_settings_real(s, "beam.e1_keV");
  ct_settings_close(s);
  return e1_keV;
}

static void file_is_found_in_order(void **state)
{
  (void)state;
  char cwd[4096], base[4400], path[4500];
  assert_non_null(getcwd(cwd, sizeof cwd));
  snprintf(base, sizeof base, "%s/%s", cwd, folder);
  snprintf(path, sizeof path, "%s/comptop", base);
  assert_int_equal(mkdir(path, 0700), 0);
  snprintf(path, sizeof path, "%s/.config", base);
  assert_int_equal(mkdir(path, 0700), 0);
  snprintf(path, sizeof path, "%s/.config/comptop", base);
  assert_int_equal(mkdir(path, 0700), 0);
  write_config("a.conf", "[beam]\ne1_keV = 101\n");
  write_config("b.conf", "[beam]\ne1_keV = 102\n");
  write_config("comptop/comptop.conf", "[beam]\ne1_keV = 103\n");
  write_config(".config/comptop/comptop.conf", "[beam]\ne1_keV = 104\n");

  setenv("HOME", base, 1);
  unsetenv("COMPTOP_CONFIG");
  unsetenv("XDG_CONFIG_HOME");
  assert_true(energy(NULL) == 104);
  setenv("XDG_CONFIG_HOME", folder, 1);   /* relative: ignored, as XDG says */
  assert_true(energy(NULL) == 104);
  setenv("XDG_CONFIG_HOME", base, 1);
  assert_true(energy(NULL) == 103);
  snprintf(path, sizeof path, "%s/b.conf", folder);
  setenv("COMPTOP_CONFIG", path, 1);
  assert_true(energy(NULL) == 102);
  assert_true(energy("a.conf") == 101);
  assert_true(energy("none.conf") == 0);
  assert_non_null(strstr(err.text, "none.conf"));
  setenv("COMPTOP_CONFIG", "none.conf", 1);
  assert_true(energy(NULL) == 0);
  assert_non_null(strstr(err.text, "none.conf"));
  unsetenv("COMPTOP_CONFIG");
  assert_true(energy("comptop") == 0);    /* a folder */
  write_config("comptop/comptop.conf", "[beam]\ne1_keV = x\n");
  assert_true(energy(NULL) == 0);
  assert_non_null(strstr(err.text, "comptop.conf:2: beam.e1_keV = x: not a number"));
}

static int make_folder(void **state)
{
  (void)state;
  return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
  (void)state;
  static const char *const names[] = { "a.conf", "b.conf", "comptop/comptop.conf", "comptop",
                                       ".config/comptop/comptop.conf", ".config/comptop", ".config" };
  char path[200];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    remove(path);
  }
  return rmdir(folder);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(syntax_is_taken_as_people_write_it),
    cmocka_unit_test(nothing_takes_a_setting_back),
    cmocka_unit_test(errors_name_file_and_line),
    cmocka_unit_test(lines_may_be_long_but_not_endless),
    cmocka_unit_test(bytes_of_no_text_are_refused),
    cmocka_unit_test(sections_are_not_endless),
    cmocka_unit_test(file_is_found_in_order),
  };
  return cmocka_run_group_tests_name("config", tests, make_folder, remove_folder);
}
