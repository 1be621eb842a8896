/* The program itself on a pseudo terminal: what is seen, what keys do, and what is left of it however it ends. */
#include "../core/cmocka_all.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../ui/term.h"

enum { PATIENCE = 6000, STEP_MS = 10, ARGUMENTS = 24 };

/* A folder for sockets and archives; its name in the environment tells whose processes are whose. */
struct scene {
  char folder[64], runtime[96], configuration[96], program[4096];
  const char *environment[3];
};

static void open_scene(struct scene *scene)
{
  const char *build = getenv("top_builddir");
  strcpy(scene->folder, "/tmp/comptop-screen-XXXXXX");
  assert_non_null(mkdtemp(scene->folder));
  snprintf(scene->runtime, sizeof scene->runtime, "XDG_RUNTIME_DIR=%s", scene->folder);
  snprintf(scene->configuration, sizeof scene->configuration, "XDG_CONFIG_HOME=%s", scene->folder);
  snprintf(scene->program, sizeof scene->program, "%s/comptop", build ? build : ".");
  scene->environment[0] = scene->runtime;
  scene->environment[1] = scene->configuration;
  scene->environment[2] = NULL;
}

static struct term *start(struct scene *scene, int rows, int cols, const char *const *more)
{
  static const char small[][32] = { "-Srun.memory_MB=256", "-Srun.buffer_MB=64", "-Srun.reserve_MB=0" };
  const char *words[ARGUMENTS] = { scene->program, small[0], small[1], small[2] };
  for (int i = 0; more[i] != NULL; i++)
    words[4 + i] = more[i];
  return term_start(&(struct term_setup){ .rows = rows, .cols = cols, .environment = scene->environment }, term_exec, words);
}

static struct term *start_demo(struct scene *scene, bool archive)
{
  const char *const plain[] = { "--demo", NULL }, *const kept[] = { "--demo", "--archive", scene->folder, "--run", "demo.2", NULL };
  return start(scene, 24, 80, archive ? kept : plain);
}

/* ---- processes of a scene ---------------------------------------------------------------------------------- */
static size_t read_file(const char *path, char *text, size_t size)
{
  int fd = open(path, O_RDONLY);
  size_t n = 0;
  for (ssize_t got; fd >= 0 && n + 1 < size && (got = read(fd, text + n, size - 1 - n)) > 0;)
    n += (size_t)got;
  if (fd >= 0)
    close(fd);
  text[n] = '\0';
  return n;
}

static bool is_of(const struct scene *scene, const char *pid)
{
  static char text[1 << 16];
  char path[300];
  snprintf(path, sizeof path, "/proc/%.200s/environ", pid);
  size_t n = read_file(path, text, sizeof text);
  for (size_t i = 0; i < n; i += strlen(text + i) + 1)
    if (strcmp(text + i, scene->runtime) == 0)
      return true;
  return false;
}

/* Number of its processes called <name> (NULL: any) but for <except>; <found> is one of them. Zombies have no environment. */
static int processes(const struct scene *scene, const char *name, pid_t except, pid_t *found)
{
  DIR *proc = opendir("/proc");
  int n = 0;
  assert_non_null(proc);
  for (struct dirent *entry; (entry = readdir(proc)) != NULL;) {
    char path[300], comm[64];
    if (!isdigit((unsigned char)entry->d_name[0]) || atoi(entry->d_name) == except || !is_of(scene, entry->d_name))
      continue;
    snprintf(path, sizeof path, "/proc/%.200s/comm", entry->d_name);
    read_file(path, comm, sizeof comm);
    comm[strcspn(comm, "\n")] = '\0';
    if (name != NULL && strcmp(comm, name) != 0)
      continue;
    n++;
    if (found)
      *found = atoi(entry->d_name);
  }
  closedir(proc);
  return n;
}

static void rest(void) { nanosleep(&(struct timespec){ .tv_nsec = STEP_MS * 1000000 }, NULL); }

static bool all_gone(const struct scene *scene)
{
  for (int i = 0; i < PATIENCE; i++) {
    if (processes(scene, NULL, 0, NULL) == 0)
      return true;
    rest();
  }
  return false;
}

/* Whoever begins as a copy of another bears its name for a moment. */
static pid_t collector_of(const struct scene *scene, pid_t screen)
{
  pid_t pid = 0;
  for (int i = 0; i < PATIENCE && processes(scene, "comptop", screen, &pid) != 1; i++)
    rest();
  assert_int_equal(processes(scene, "comptop", screen, &pid), 1);
  return pid;
}

/* ---- what is left on disk ---------------------------------------------------------------------------------- */
static int sockets(const struct scene *scene)
{
  char path[96];
  int n = 0;
  snprintf(path, sizeof path, "%s/comptop", scene->folder);
  DIR *dir = opendir(path);
  for (struct dirent *entry; dir && (entry = readdir(dir)) != NULL;)
    n += entry->d_name[0] != '.';
  if (dir)
    closedir(dir);
  return n;
}

/* The exit code of a shell's command in the scene; its first line of output. */
static int shell(const struct scene *scene, char *line, size_t size, const char *command, const char *rest_of_it)
{
  char text[9000];
  char *build = strdup(scene->program);
  assert_non_null(build);
  *strrchr(build, '/') = '\0';
  snprintf(text, sizeof text, "%s '%s/%s' %s 2>/dev/null", scene->runtime, build, command, rest_of_it);
  free(build);
  FILE *out = popen(text, "r");
  assert_non_null(out);
  char *got = fgets(line, (int)size, out);
  if (got == NULL)
    line[0] = '\0';
  while (fgetc(out) != EOF)
    ;
  int status = pclose(out);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Frames that the collector has received, or -1 when it does not answer. */
static long frames(const struct scene *scene)
{
  char line[8192];
  if (shell(scene, line, sizeof line, "comptop", "-b -o json -n 1 -d 0.05 --attach demo.2") != 0)
    return -1;
  const char *at = strstr(line, "\"frames\":");
  return at ? atol(at + 9) : -1;
}

static void goes_on(const struct scene *scene)
{
  long before = frames(scene), after = before;
  assert_true(before >= 0);
  for (int i = 0; i < 200 && after == before; i++)
    after = frames(scene);
  assert_true(after > before);
}

/* Everything has ended, and every frame that was archived can be read. */
static void is_whole(const struct scene *scene)
{
  char line[1024], run[128];
  assert_true(all_gone(scene));
  assert_int_equal(sockets(scene), 0);
  snprintf(run, sizeof run, "verify %s/demo.2", scene->folder);
  assert_int_equal(shell(scene, line, sizeof line, "comptop-archive", run), 0);
  assert_non_null(strstr(line, " 0 differ"));
}

static void ends_whole(const struct scene *scene, pid_t to_tell)
{
  assert_int_equal(kill(to_tell, SIGTERM), 0);
  is_whole(scene);
}

static void close_scene(struct scene *scene)
{
  char command[128];
  pid_t pid;
  while (processes(scene, NULL, 0, &pid) > 0) {
    kill(pid, SIGKILL);
    rest();
  }
  snprintf(command, sizeof command, "rm -rf '%s'", scene->folder);
  assert_int_equal(system(command), 0);
}

static int set_up(void **state)
{
  struct scene *scene = calloc(1, sizeof *scene);
  assert_non_null(scene);
  open_scene(scene);
  *state = scene;
  return 0;
}

static int tear_down(void **state)
{
  close_scene(*state);
  free(*state);
  return 0;
}

/* ---- the terminal ------------------------------------------------------------------------------------------- */
static void assert_as_before(struct term *term)
{
  const struct termios now = term_modes(term), before = term_modes_before(term);
  assert_int_equal(now.c_iflag, before.c_iflag);
  assert_int_equal(now.c_oflag, before.c_oflag);
  assert_int_equal(now.c_lflag, before.c_lflag);
  assert_false(term_alternate(term));
  assert_true(term_cursor_visible(term));
}

/* Waits until <text> is there; the first line names the program and the run on every screen. */
static void shows(struct term *term, const char *text)
{
  bool there = false;
  for (int i = 0; i < 3 && !there; i++)
    there = term_shows(term, text);
  if (!there)
    print_message("# no \"%s\" on: %s\n", text, term_row(term, 0));
  assert_true(there);
  assert_int_equal(strncmp(term_row(term, 0), "comptop demo", 12), 0);
}

static bool row_has(struct term *term, int row, const char *text) { return strstr(term_row(term, row), text) != NULL; }

static void ends_well(struct term *term)
{
  const int status = term_wait(term, true);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  assert_as_before(term);
}

/* ---- the screen ------------------------------------------------------------------------------------------------ */
static void shows_a_demonstration_and_leaves_nothing(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, false);
  shows(term, "L/H");
  shows(term, "EMF map");
  assert_true(term_alternate(term));
  assert_int_not_equal(collector_of(scene, term_pid(term)), 0);
  assert_int_equal(processes(scene, "comptop-sim", 0, NULL), 1);
  term_send(term, "q");
  ends_well(term);
  assert_true(all_gone(scene));
  assert_true(term_shows(term, "run demo ended after"));
  assert_int_equal(sockets(scene), 0);
  term_free(term);
}

static void keys_choose_what_is_shown_large(void **state)
{
  static const struct { const char *key, *text; } screens[] = {
    { "2", "Compton profile" }, { "3", "Spectrum " }, { "4", "Slice " }, { "5", "Cell " }, { "6", "Health " },
    { "1", "EMF map" }, { "?", "Help " }, { "x", "EMF map" }, { "0", "Profile J(pz)" },
  };
  struct term *term = start_demo(*state, false);
  shows(term, "Profile J(pz)");
  for (size_t i = 0; i < sizeof screens / sizeof *screens; i++) {
    term_send(term, screens[i].key);
    shows(term, screens[i].text);
  }
  term_send(term, " ");
  shows(term, "FROZEN");
  term_send(term, "q");
  ends_well(term);
  term_free(term);
}

static bool has_foot(struct term *term, const void *row) { return row_has(term, *(const int *)row, "1map"); }

/* Where there is no room for a map there are figures, one a line. */
static bool has_figures(struct term *term, const void *data)
{
  (void)data;
  bool map = false;
  for (int row = 0; row < 5; row++)
    map |= row_has(term, row, "EMF map");
  return !map && row_has(term, 0, "comptop demo") && term_row(term, 1)[0] != '\0';
}

static void follows_the_size_of_its_terminal(void **state)
{
  struct term *term = start_demo(*state, false);
  shows(term, "L/H");
  term_resize(term, 5, 20);
  assert_true(term_until(term, has_figures, NULL));
  for (int row = 0; row < 5; row++)
    assert_true(strlen(term_row(term, row)) <= 80);       /* bytes of at most 20 characters */
  term_resize(term, 60, 200);
  assert_true(term_until(term, has_foot, &(int){ 59 }));
  shows(term, "Spectrum ");
  shows(term, "EMF map");
  shows(term, "profile J(pz)");
  term_resize(term, 1, 1);
  term_resize(term, 24, 80);
  assert_true(term_until(term, has_foot, &(int){ 23 }));
  shows(term, "EMF map");
  term_send(term, "q");
  ends_well(term);
  term_free(term);
}

static void stops_and_comes_back(void **state)
{
  struct term *term = start_demo(*state, false);
  shows(term, "L/H");
  term_send(term, "\032");
  assert_true(term_stopped(term));
  term_read(term, 50);
  assert_as_before(term);
  kill(term_pid(term), SIGCONT);
  term_send(term, "6");
  shows(term, "Health ");
  assert_true(term_alternate(term));
  term_send(term, "\003");                                /* Ctrl-C is an end like q */
  ends_well(term);
  assert_true(all_gone(*state));
  term_free(term);
}

static void tells_why_there_is_no_screen(void **state)
{
  struct scene *scene = *state;
  const char *const words[] = { "--demo", "--archive", "/dev/null", NULL };
  struct term *term = start(scene, 24, 80, words);
  const int status = term_wait(term, true);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
  assert_true(row_has(term, 0, "/dev/null"));
  assert_as_before(term);
  assert_true(all_gone(scene));
  term_free(term);
}

/* ---- a run that is archived --------------------------------------------------------------------------------------- */
static void asks_before_it_ends_an_archived_run(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, true);
  shows(term, "L/H");
  term_send(term, "q");
  shows(term, "d detach");
  term_send(term, "6");                                   /* no answer */
  term_send(term, "n");
  shows(term, "1map");
  term_send(term, "q");
  shows(term, "d detach");
  term_send(term, "e");
  ends_well(term);
  assert_true(term_shows(term, "run demo.2 ended after"));
  is_whole(scene);
  term_free(term);
}

/* The clock in the title: that of the picture. */
static void clock_of(struct term *term, char clock[16]) { snprintf(clock, 16, "%.9s", term_row(term, 0) + 71); }

static bool clock_is(struct term *term, const void *clock)
{
  char now[16];
  clock_of(term, now);
  return strcmp(now, clock) == 0;
}

static bool clock_moved(struct term *term, const void *clock) { return !clock_is(term, clock); }

static void steps_back_in_time_and_forward_again(void **state)
{
  struct term *term = start_demo(*state, false);
  char then[16], older[16];
  shows(term, "L/H");
  clock_of(term, then);
  assert_true(term_until(term, clock_moved, then));
  clock_of(term, then);
  assert_true(term_until(term, clock_moved, then));
  for (int i = 0; i < 5; i++)
    term_send(term, "[");
  shows(term, "back");
  clock_of(term, older);
  assert_true(strcmp(older, then) <= 0);
  rest();
  rest();
  assert_true(clock_is(term, older));                     /* the picture stands while the run goes on */
  for (int i = 0; i < 200; i++)
    term_send(term, "]");
  assert_true(term_until(term, clock_moved, older));
  shows(term, "FROZEN");
  term_send(term, " ");
  shows(term, "1map");
  term_send(term, "m");
  shows(term, "no archive that could keep a marker");
  term_send(term, "q");
  ends_well(term);
  term_free(term);
}

static void writes_markers_into_the_archive(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, true);
  char path[200], command[400], found[256];
  shows(term, "archive ok");
  term_send(term, "mlost\033");                          /* Esc: nothing is written */
  shows(term, "1map");
  term_send(term, "mcurrenx\177t on, q 5 \303\265m\r");   /* keys of the screen are letters here */
  shows(term, "on its way into the archive");
  rest();
  term_send(term, "q");
  shows(term, "d detach");
  term_send(term, "e");
  ends_well(term);
  snprintf(path, sizeof path, "%s/demo.2/demo.2_log_000000.h5", scene->folder);
  snprintf(command, sizeof command, "h5dump -d /entry/alarms/id -d /entry/alarms/text %s 2>&1 | grep -c -e marker -e 'current on, q 5'",
           path);
  FILE *dump = popen(command, "r");
  assert_non_null(dump);
  assert_non_null(fgets(found, sizeof found, dump));
  pclose(dump);
  assert_int_equal(atoi(found), 2);
  term_free(term);
}

static void detaches_and_is_looked_at_again(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, true);
  shows(term, "L/H");
  const pid_t collector = collector_of(scene, term_pid(term));
  term_send(term, "q");
  shows(term, "d detach");
  term_send(term, "d");
  ends_well(term);
  assert_true(term_shows(term, "comptop --attach demo.2"));
  term_free(term);
  goes_on(scene);
  const char *const words[] = { "--attach", "demo.2", NULL }, *const wide[] = { "--attach", NULL };
  struct term *one = start(scene, 24, 80, words), *other = start(scene, 60, 200, wide);
  shows(one, "L/H");
  shows(other, "Spectrum ");
  term_send(other, "\033[A\033[B");                       /* a cursor for one of them only */
  shows(other, "counts");
  term_send(one, "6");
  shows(one, "Health ");
  term_send(one, "q");                                    /* leaves, and asks nothing */
  ends_well(one);
  term_send(other, "q");
  ends_well(other);
  term_free(one);
  term_free(other);
  goes_on(scene);
  ends_whole(scene, collector);
}

static void outlives_its_terminal(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, true);
  shows(term, "L/H");
  const pid_t screen = term_pid(term), collector = collector_of(scene, screen);
  term_hang_up(term);
  goes_on(scene);
  assert_int_equal(collector_of(scene, screen), collector);
  ends_whole(scene, screen);                              /* whoever started it knows that number */
  const int status = term_wait(term, false);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  term_free(term);
}

static void outlives_its_screen(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, true);
  shows(term, "L/H");
  const pid_t collector = collector_of(scene, term_pid(term));
  kill(term_pid(term), SIGKILL);
  term_wait(term, true);
  goes_on(scene);
  ends_whole(scene, collector);
  term_free(term);
}

/* A picture that stands still is not one of a run that is fine. */
static void says_when_its_collector_does_not_answer(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, false);
  shows(term, "L/H");
  const pid_t collector = collector_of(scene, term_pid(term));
  kill(collector, SIGSTOP);
  shows(term, "NO ANSWER from the collector");
  kill(collector, SIGCONT);
  shows(term, "1map");
  term_send(term, "q");
  ends_well(term);
  term_free(term);
}

static void changes_settings_and_saves_them(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, false), *other;
  char path[128], text[256];
  shows(term, "L/H");
  term_send(term, "S");
  shows(term, "can change now");
  term_send(term, "p_low");
  shows(term, ">emf.p_low                   1");
  term_send(term, "\n\0251.5\n");        /* Ctrl-U empties the line */
  shows(term, "emf.p_low = 1.5 from now on, for all viewers");
  shows(term, ">emf.p_low                   1.5");
  term_send(term, "\n\0257\n");
  shows(term, "emf.p_low = 7: must be below emf.p_high = 5");
  term_send(term, "\033");
  shows(term, "can change now");
  term_send(term, "theme");
  shows(term, ">screen.theme                dark");
  term_send(term, "\033[C");
  shows(term, ">screen.theme                light");
  term_send(term, "W");
  shows(term, "2 settings saved in");
  snprintf(path, sizeof path, "%s/comptop/comptop.conf", scene->folder);
  read_file(path, text, sizeof text);
  assert_string_equal(text, "[emf]\np_low = 1.5\n\n[screen]\ntheme = light\n");
  term_send(term, "\033");
  shows(term, "can change now");
  term_send(term, "q");
  ends_well(term);
  other = start_demo(scene, false);        /* and they are read again */
  shows(other, "L/H");
  term_free(term);
  term_send(other, "S");
  shows(other, "can change now");
  term_send(other, "p_low");
  shows(other, ">emf.p_low                   1.5");
  term_send(other, "\033");
  shows(other, "can change now");
  term_send(other, "q");
  ends_well(other);
  term_free(other);
}

static void says_when_its_collector_was_killed(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, true);
  shows(term, "L/H");
  kill(collector_of(scene, term_pid(term)), SIGKILL);
  const int status = term_wait(term, true);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
  assert_true(term_shows(term, "--resume"));
  assert_as_before(term);
  assert_true(all_gone(scene));
  term_free(term);
}

static void without_an_archive_all_ends_with_the_terminal(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, false);
  shows(term, "L/H");
  term_hang_up(term);
  assert_true(all_gone(scene));
  assert_int_equal(sockets(scene), 0);
  term_free(term);
}

static void without_an_archive_all_ends_with_the_screen(void **state)
{
  struct scene *scene = *state;
  struct term *term = start_demo(scene, false);
  shows(term, "L/H");
  kill(term_pid(term), SIGKILL);
  term_wait(term, true);
  assert_true(all_gone(scene));
  assert_int_equal(sockets(scene), 0);
  term_free(term);
}

int main(void)
{
  const char *sanitized = getenv("sanitized");
  if (sanitized && *sanitized) {
    puts("1..0 # SKIP a sanitizer stretches time");
    return 0;
  }
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
    SCENE_TEST(shows_a_demonstration_and_leaves_nothing),
    SCENE_TEST(keys_choose_what_is_shown_large),
    SCENE_TEST(follows_the_size_of_its_terminal),
    SCENE_TEST(stops_and_comes_back),
    SCENE_TEST(tells_why_there_is_no_screen),
    SCENE_TEST(asks_before_it_ends_an_archived_run),
    SCENE_TEST(steps_back_in_time_and_forward_again),
    SCENE_TEST(writes_markers_into_the_archive),
    SCENE_TEST(detaches_and_is_looked_at_again),
    SCENE_TEST(outlives_its_terminal),
    SCENE_TEST(outlives_its_screen),
    SCENE_TEST(says_when_its_collector_does_not_answer),
    SCENE_TEST(changes_settings_and_saves_them),
    SCENE_TEST(says_when_its_collector_was_killed),
    SCENE_TEST(without_an_archive_all_ends_with_the_terminal),
    SCENE_TEST(without_an_archive_all_ends_with_the_screen),
  };
  return cmocka_run_group_tests_name("monitor: the program on a terminal", tests, NULL, NULL);
}
