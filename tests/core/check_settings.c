/* The command line, the store and what is printed, over a small table of our own and over comptop's. */
#include <comptop/core.h>

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmocka_all.h"

static const struct ct_option small_rows[] = {
  { .key = "follow", .flag = "follow", .kind = CT_OPTION_TEXT, .argument = "NAME", .marks = CT_OPTION_OPTIONAL_ARG,
    .help = "follow a run" },
  { .key = "quiet", .flag = "quiet", .letter = 'q', .kind = CT_OPTION_SWITCH, .value = "off", .help = "say less" },
  { .section = "play", .key = "speed", .flag = "speed", .letter = 's', .kind = CT_OPTION_REAL, .value = "1", .min = 0.5,
    .max = 2, .words = "full|later!", .argument = "X", .help = "speed" },
  { .section = "play", .key = "colour", .flag = "colour", .kind = CT_OPTION_WORD, .value = "red",
    .words = "red|green!|blue", .help = "colour" },
  { .section = "play", .key = "secret", .flag = "secret", .kind = CT_OPTION_TEXT, .value = "x", .help = "of tomorrow",
    .marks = CT_OPTION_LATER },
  CT_OPTIONS_COMMON
};
static const struct ct_option_table small = {
  .program = "small", .purpose = "A small program.", .arguments = "FILE", .min_arguments = 1, .max_arguments = 2,
  .rows = small_rows, .count = sizeof small_rows / sizeof *small_rows,
};

static char *output;          /* of the last open_ */
static struct ct_err err;

/* Opens settings with the words of <line>, separated by '~'. */
static int open_(struct ct_settings **s, const struct ct_option_table *table, const char *line)
{
  static char words[1000], program[] = "prog";
  static char *argv[50] = { program };
  int argc = 1;
  snprintf(words, sizeof words, "%s", line);
  for (char *rest = words, *word; *words != '\0' && (word = strsep(&rest, "~")) != NULL;)
    argv[argc++] = word;
  argv[argc] = NULL;
  free(output);
  output = NULL;
  size_t size;
  FILE *file = open_memstream(&output, &size);
  int code = ct_settings_open(s, table, argc, argv, file, &err);
  fclose(file);
  assert_true((*s != NULL) == (code == 0));
  return code;
}

static struct ct_settings *opened(const char *line)
{
  struct ct_settings *s;
  int code = open_(&s, &ct_comptop_options, line);
  if (code)
    print_message("# %s\n", err.text);
  assert_int_equal(code, 0);
  return s;
}

static void refused(const struct ct_option_table *table, const char *line, int code, const char *message)
{
  struct ct_settings *s;
  assert_int_equal(open_(&s, table, line), code);
  assert_string_equal(err.text, message);
}

static void defaults_are_the_contract(void **state)
{
  (void)state;
  struct ct_settings *s = opened("");
  assert_true(ct_settings_real(s, "run.window") == 60);
  assert_int_equal(ct_settings_int(s, "run.memory_MB"), 1024);
  assert_int_equal(ct_settings_int(s, "run.buffer_MB"), 2048);
  assert_string_equal(ct_settings_text(s, "attributes.angle"), "RotationAngle");
  assert_string_equal(ct_settings_text(s, "scalars.voltage"), "Ewe_V");
  assert_true(ct_settings_real(s, "hexitec.threshold") == 80);
  assert_string_equal(ct_settings_text(s, "hexitec.bins"), "0:200:0.2");
  assert_string_equal(ct_settings_text(s, "hexitec.sharing"), "paper");
  assert_true(ct_settings_real(s, "beam.e1_keV") == 114.64);
  assert_true(ct_settings_bool(s, "geometry.theta_map"));
  assert_false(ct_settings_bool(s, "hexitec.next_frame"));
  assert_int_equal(ct_settings_int(s, "emf.min_counts"), 50);
  assert_true(ct_settings_real(s, "timeout_s") == 10);
  assert_string_equal(ct_settings_text(s, "output"), "tsv");
  assert_false(ct_settings_is_set(s, "run.window"));
  assert_string_equal(ct_settings_origin(s, "run.window"), "default");
  assert_int_equal(ct_settings_sections(s, "stream"), 0);
  assert_true(isnan(ct_settings_real(s, "exit_on_idle_s")));
  assert_true(isnan(ct_settings_real(s, "hexitec.gradients")));
  ct_settings_close(s);
}

static void flags_set_and_later_ones_win(void **state)
{
  (void)state;
  struct ct_settings *s = opened("--window~30~-bn3~-d~0.5~-o~json~-f~map,profile~-S~run.window=run~-f~spectrum~--demo");
  assert_int_equal(ct_settings_word(s, "run.window"), 0);
  assert_true(isnan(ct_settings_real(s, "run.window")));
  assert_string_equal(ct_settings_origin(s, "run.window"), "command line");
  assert_true(ct_settings_bool(s, "batch") && ct_settings_bool(s, "demo"));
  assert_int_equal(ct_settings_int(s, "samples"), 3);
  assert_true(ct_settings_real(s, "interval_s") == 0.5);
  assert_int_equal(ct_settings_word(s, "output"), 1);
  assert_int_equal(ct_settings_words(s, "fields"), 7);
  ct_settings_close(s);
  s = opened("-S~run.window=run~--window=12");
  assert_int_equal(ct_settings_word(s, "run.window"), -1);
  assert_true(ct_settings_real(s, "run.window") == 12);
  ct_settings_close(s);
}

static void stream_flags_make_sections(void **state)
{
  (void)state;
  struct ct_settings *s = opened("--hexitec~tcp://a:1,socket=pull,frame_hz=100~--scalars=ipc://@s~--hexitec~tcp://b:2~"
                                 "--camera~tcp://c:3,name=top,sampled=on~-S~stream.hexitec.dataset=x");
  static const char *const names[] = { "hexitec", "scalars", "hexitec-2", "top" };
  assert_int_equal(ct_settings_sections(s, "stream"), 4);
  for (size_t i = 0; i < 4; i++)
    assert_string_equal(ct_settings_section_name(s, "stream", i), names[i]);
  assert_string_equal(ct_settings_section_origin(s, "stream", 0), "command line");
  assert_string_equal(ct_settings_text(s, "stream.hexitec.endpoint"), "tcp://a:1");
  assert_int_equal(ct_settings_word(s, "stream.hexitec.socket"), 1);
  assert_true(ct_settings_real(s, "stream.hexitec.frame_hz") == 100);
  assert_string_equal(ct_settings_text(s, "stream.hexitec.dataset"), "x");
  assert_string_equal(ct_settings_text(s, "stream.hexitec-2.endpoint"), "tcp://b:2");
  assert_true(ct_settings_real(s, "stream.hexitec-2.frame_hz") == 9118.87);
  assert_int_equal(ct_settings_word(s, "stream.top.role"), 1);
  assert_int_equal(ct_settings_word(s, "stream.top.sampled"), 1);
  assert_int_equal(ct_settings_word(s, "stream.scalars.role"), 2);
  ct_settings_close(s);
}

static void wrong_usage_is_one_line_that_says_what(void **state)
{
  (void)state;
  static const struct {
    const char *line;
    int code;
    const char *message;
  } cases[] = {
    { "--windw~3", CT_EUSAGE, "unknown or ambiguous option --windw; did you mean '--window'?; see comptop --help" },
    { "-x", CT_EUSAGE, "unknown option -x; see comptop --help" },
    { "--window", CT_EUSAGE, "--window needs an argument; see comptop --help" },
    { "-d", CT_EUSAGE, "-d needs an argument; see comptop --help" },
    { "--demo=1", CT_EUSAGE, "--demo takes no argument; see comptop --help" },
    { "extra", CT_EUSAGE, "what is 'extra'? see comptop --help" },
    { "--window~nan", CT_ECONFIG, "--window nan: not a number and not run, scan" },
    { "--window~0", CT_ECONFIG, "--window 0: not within 0.1 to 10000000" },
    { "-n~1.5", CT_ECONFIG, "-n 1.5: not a whole number" },
    { "-n~99999999999999999999", CT_ECONFIG, "-n 99999999999999999999: too large a number" },
    { "-o~jsn", CT_ECONFIG, "-o jsn: not one of tsv, json, text, ansi; did you mean 'json'?" },
    { "-f~map,,profile", CT_ECONFIG, "-f map,,profile: not one of map, spectrum, profile, slice, adaptive, slices, volume" },
    { "-j~0", CT_ECONFIG, "-j 0: not within 1 to 64" },
    { "-S~hexitec.sharing=odin-csa", CT_ECONFIG, "-S hexitec.sharing=odin-csa: not one of paper, none, odin-csa3, "
      "odin-csa5, odin-csd3, odin-csd5; did you mean 'odin-csa3'?" },
    { "-S~geometry.therta_deg=3", CT_ECONFIG,
      "-S geometry.therta_deg=3: unknown key 'therta_deg' in [geometry]; did you mean 'theta_deg'?" },
    { "-S~geometri.theta_deg=3", CT_ECONFIG,
      "-S geometri.theta_deg=3: unknown section 'geometri'; did you mean 'geometry'?" },
    { "-S~geometry.a.theta_deg=3", CT_ECONFIG, "-S geometry.a.theta_deg=3: section 'geometry' takes no name" },
    { "-S~stream.role=camera", CT_ECONFIG, "-S stream.role=camera: section 'stream' needs a name: [stream NAME]" },
    { "-S~window=3", CT_EUSAGE, "-S window=3: not of the form section.key=value" },
    { "-S~run.window", CT_EUSAGE, "-S run.window: not of the form section.key=value" },
    { "-S~run.window=", CT_ECONFIG, "-S run.window=: needs a value" },
    { "-S~run.name=a\nb", CT_ECONFIG, "-S run.name=a?b: has a control character" },
    { "-S~run.name=a #b", CT_ECONFIG, "-S run.name=a #b: ' #' would begin a comment in a configuration file" },
    { "--run~../x", CT_ECONFIG, "command line: run.name = ../x: not a name: no '/', no leading '.', at most 63 bytes" },
    { "-S~emf.p_low=5", CT_ECONFIG, "command line: emf.p_low = 5: must be below emf.p_high = 5" },
    { "-S~hexitec.rows=4097", CT_ECONFIG, "-S hexitec.rows=4097: not within 1 to 4096" },
    { "-S~stream.a b.role=camera", CT_ECONFIG, "-S stream.a b.role=camera: 'a b' is no name for a 'stream': letters, "
                                               "digits, '-' and '_', at most 31" },
    { "-S~stream.a.role=camera", CT_ECONFIG, "command line: [stream a] has no 'endpoint'" },
    { "-S~roi.a.disc=1,2,3~-S~roi.a.mask=f", CT_ECONFIG,
      "command line: [roi a] needs one of pixels, disc, ring and mask, and only one" },
    { "--hexitec~tcp://a", CT_ECONFIG, "--hexitec: endpoint = tcp://a: not an endpoint: tcp://HOST:PORT or ipc://PATH" },
    { "--hexitec~tcp://a:70000", CT_ECONFIG,
      "--hexitec: endpoint = tcp://a:70000: not an endpoint: tcp://HOST:PORT or ipc://PATH" },
    { "--hexitec~tcp://a:1,soket=pull", CT_ECONFIG,
      "--hexitec: soket = pull: unknown key 'soket' in [stream]; did you mean 'socket'?" },
    { "--hexitec~tcp://a:1,pull", CT_ECONFIG, "--hexitec: 'pull' is not key=value of [stream]" },
    { "--hexitec~tcp://a:1,name=b~--hexitec~tcp://c:2,name=b", CT_ECONFIG, "--hexitec: a stream 'b' was given before" },
    { "-c~/no/such.conf", CT_ECONFIG, "configuration file /no/such.conf: No such file or directory" },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    refused(&ct_comptop_options, cases[i].line, cases[i].code, cases[i].message);
}

static void small_table_has_arguments_and_optional_ones(void **state)
{
  (void)state;
  struct ct_settings *s;
  size_t count;
  assert_int_equal(open_(&s, &small, "one~-q~two~--follow"), 0);
  const char *const *arguments = ct_settings_arguments(s, &count);
  assert_int_equal(count, 2);
  assert_string_equal(arguments[0], "one");
  assert_string_equal(arguments[1], "two");
  assert_true(ct_settings_is_set(s, "follow") && ct_settings_bool(s, "quiet"));
  assert_string_equal(ct_settings_text(s, "follow"), "");
  ct_settings_close(s);
  assert_int_equal(open_(&s, &small, "one~--follow~run~-q~two~-s~full"), 0);
  arguments = ct_settings_arguments(s, &count);
  assert_int_equal(count, 2);
  assert_string_equal(ct_settings_text(s, "follow"), "run");
  assert_int_equal(ct_settings_word(s, "play.speed"), 0);
  ct_settings_close(s);
  assert_int_equal(open_(&s, &small, "--~-q"), 0);
  assert_string_equal(ct_settings_arguments(s, &count)[0], "-q");
  ct_settings_close(s);
  refused(&small, "", CT_EUSAGE, "FILE is missing; see small --help");
  refused(&small, "a~b~c", CT_EUSAGE, "what is 'c'? see small --help");
  refused(&small, "a~--speed~later", CT_EUNSUPPORTED, "--speed later: later: not yet in this version");
  refused(&small, "a~--colour~green", CT_EUNSUPPORTED, "--colour green: green: not yet in this version");
  /* No row of this table reads a configuration file. */
  refused(&small, "a~-c~x", CT_EUSAGE, "unknown option -c; see small --help");
}

static void help_leaves_out_what_is_not_there_yet(void **state)
{
  (void)state;
  struct ct_settings *s;
  assert_int_equal(open_(&s, &small, "--help"), CT_SETTINGS_DONE);
  assert_string_equal(output, "Usage: small [OPTION...] FILE\n"
                              "A small program.\n"
                              "\n"
                              "      --follow [NAME]     follow a run\n"
                              "  -q, --quiet             say less\n"
                              "  -s, --speed X           speed (default 1)\n"
                              "      --colour red|blue   colour (default red)\n"
                              "  -h, --help              print this help and exit\n"
                              "  -V, --version           print the version and exit\n"
                              "\n"
                              "See small(1).\n");
  assert_int_equal(open_(&s, &ct_comptop_options, "--help"), CT_SETTINGS_DONE);
  assert_non_null(strstr(output, "--window"));
  static const char *const absent[] = { "--calibrate", "--options-table" };
  for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
    assert_null(strstr(output, absent[i]));
  for (const char *line = output; *line != '\0'; line += strcspn(line, "\n") + 1)
    assert_true(strcspn(line, "\n") < 80);
}

static void dump_has_a_line_for_each_flag_and_key(void **state)
{
  (void)state;
  struct ct_settings *s;
  assert_int_equal(open_(&s, &small, "--options-table"), CT_SETTINGS_DONE);
  assert_string_equal(output, "flag\t--follow\t-\tNAME\t-\n"
                              "flag\t--quiet\t-q\t-\toff\n"
                              "flag\t--speed\t-s\tX\t1\n"
                              "key\tplay\tspeed\t1\n"
                              "flag\t--colour\t-\tred|blue\tred\n"
                              "key\tplay\tcolour\tred\n"
                              "flag\t--help\t-h\t-\t-\n"
                              "flag\t--version\t-V\t-\t-\n");
}

/* What is printed is a configuration file that prints the same again. */
static void printed_settings_round_trip(void **state)
{
  (void)state;
  static const char *const lines[] = {
    "--print-config",
    "--print-config~--hexitec~tcp://a:1~--hexitec~ipc://@b,socket=pull~-S~roi.c.pixels=1:2,3:4~-S~roi.d.disc=1,2,3",
    "--print-config~-S~hexitec.gradients=0.0288~-S~attributes.trigger=~-S~hexitec.dark=/a b/%c;d#e~-S~run.window=run",
  };
  for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
    struct ct_settings *s;
    assert_int_equal(open_(&s, &ct_comptop_options, lines[i]), CT_SETTINGS_DONE);
    assert_non_null(strstr(output, "[run]\n"));
    int code = ct_settings_parse(&s, &ct_comptop_options, "printed", output, strlen(output), &err);
    if (code)
      print_message("# %s\n", err.text);
    assert_int_equal(code, 0);
    char *again;
    size_t size;
    FILE *file = open_memstream(&again, &size);
    assert_int_equal(ct_settings_print(s, file), 0);
    fclose(file);
    assert_string_equal(again, output);
    free(again);
    ct_settings_close(s);
  }
}

static void completion_is_for_two_shells(void **state)
{
  (void)state;
  struct ct_settings *s;
  assert_int_equal(open_(&s, &ct_comptop_options, "--completion~bash"), CT_SETTINGS_DONE);
  assert_non_null(strstr(output, "complete -o filenames -F _comptop_complete comptop\n"));
  assert_non_null(strstr(output, "-o) COMPREPLY=($(compgen -W 'tsv json text ansi'"));
  assert_null(strstr(output, "--calibrate"));
  assert_int_equal(open_(&s, &ct_comptop_options, "--completion~zsh"), CT_SETTINGS_DONE);
  assert_memory_equal(output, "#compdef comptop\n", 17);
  assert_int_equal(open_(&s, &ct_comptop_options, "--completion~fish"), CT_EUSAGE);
  assert_int_equal(open_(&s, &ct_comptop_options, "--version"), CT_SETTINGS_DONE);
  assert_memory_equal(output, "comptop ", 8);
}

static void refusing_names_the_origin(void **state)
{
  (void)state;
  struct ct_settings *s = opened("-S~hexitec.mask=m.txt");
  assert_int_equal(ct_settings_refuse(s, "hexitec.mask", &err, "line %d is wrong", 3), CT_ECONFIG);
  assert_string_equal(err.text, "command line: hexitec.mask = m.txt: line 3 is wrong");
  ct_settings_close(s);
}

/* A path that the table does not have is a programming error. */
static void wrong_paths_are_asserted(void **state)
{
  (void)state;
  static const char *const wrong[] = { "beam.e2_keV", "e1_keV", "stream.no.role", "stream.role", "hexitec", "" };
  struct ct_settings *s = opened("");
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      signal(SIGABRT, SIG_DFL);
      fclose(stderr);
      (void)ct_settings_text(s, wrong[i]);
      _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
  }
  ct_settings_close(s);
}

static int forget_output(void **state)
{
  (void)state;
  free(output);
  return 0;
}

int main(void)
{
  /* No configuration file of whoever runs this. */
  setenv("COMPTOP_CONFIG", "/dev/null", 1);
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(defaults_are_the_contract),
    cmocka_unit_test(flags_set_and_later_ones_win),
    cmocka_unit_test(stream_flags_make_sections),
    cmocka_unit_test(wrong_usage_is_one_line_that_says_what),
    cmocka_unit_test(small_table_has_arguments_and_optional_ones),
    cmocka_unit_test(help_leaves_out_what_is_not_there_yet),
    cmocka_unit_test(dump_has_a_line_for_each_flag_and_key),
    cmocka_unit_test(printed_settings_round_trip),
    cmocka_unit_test(completion_is_for_two_shells),
    cmocka_unit_test(refusing_names_the_origin),
    cmocka_unit_test(wrong_paths_are_asserted),
  };
  return cmocka_run_group_tests_name("settings", tests, NULL, forget_output);
}
