/* What comptop does, chosen from its settings: watch here in lines, watch on a screen, only collect, look at another's run,
 * or check. The screen and the collecting are two processes, so that neither a crash of the picture nor a lost terminal
 * can touch the run, and leaving the picture is nothing special. */
#include <comptop/monitor.h>

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach.h"
#include "batch.h"
#include "check.h"
#include "collect.h"
#include "demo.h"
#include "from.h"
#include "reprocess.h"
#include "rundir.h"
#include "screen.h"

/* ---- collecting --------------------------------------------------------------------------------------------- */
static int collect_demo(struct collect_setup *setup, int argc, char **argv, struct ct_err *err)
{
  struct demo demo;
  struct ct_settings *settings = NULL;
  int new_argc;
  int code = demo_start(&demo, err);
  if (code != 0)
    return code;
  bool archived = *ct_settings_text(setup->settings, "run.archive") != '\0';
  char **arguments = demo_arguments(&demo, archived, argc, argv, &new_argc);
  code = ct_settings_open(&settings, &ct_comptop_options, new_argc, arguments, setup->out, err);
  setup->settings = settings;
  if (code == 0)
    code = collect_run(setup, err);
  ct_settings_close(settings);
  free(arguments);
  demo_stop(&demo);
  return code;
}

static int collect(struct collect_setup *setup, int argc, char **argv, struct ct_err *err)
{
  if (!ct_settings_bool(setup->settings, "demo"))
    return collect_run(setup, err);
  if (ct_settings_sections(setup->settings, "stream") > 0)
    return ct_err_set(err, CT_EUSAGE, "--demo brings its own streams; leave out the others");
  setup->demo = true;
  return collect_demo(setup, argc, argv, err);
}

/* ---- the screen, and the collector behind it ------------------------------------------------------------------ */
struct owned {
  pid_t child;
  bool gone;
  int status, report_fd;
};

static bool still_alive(void *arg)
{
  struct owned *owned = arg;
  if (!owned->gone && waitpid(owned->child, &owned->status, WNOHANG) == owned->child)
    owned->gone = true;
  return !owned->gone;
}

static void wait_for_child(struct owned *owned)
{
  while (!owned->gone)
    if (waitpid(owned->child, &owned->status, 0) == owned->child || errno != EINTR)
      owned->gone = true;
}

/* A demo that archives nothing is worth nothing without its screen. */
static bool is_only_a_show(const struct ct_settings *settings)
{
  return ct_settings_bool(settings, "demo") && *ct_settings_text(settings, "run.archive") == '\0';
}

/* The collector's own process, out of the terminal's reach. */
static void become_collector(struct ct_settings *settings, int argc, char **argv, pid_t parent, int report_fd)
{
  struct ct_err err = { "" };
  setsid();
  if (is_only_a_show(settings))
    demo_end_with_parent(parent);
  FILE *nowhere = freopen("/dev/null", "r", stdin);
  nowhere = freopen("/dev/null", "w", stdout);
  nowhere = freopen("/dev/null", "w", stderr);
  (void)nowhere;
  struct collect_setup setup = { .settings = settings, .served_to_parent = true, .report_fd = report_fd, .out = stdout };
  int code = collect(&setup, argc, argv, &err);
  _exit(ct_err_exit(code));
}

/* Reads one line from the collector: false when it ended without one. */
static bool read_line(int fd, char *line, size_t size)
{
  size_t n = 0;
  char byte;
  while (n + 1 < size) {
    ssize_t got = read(fd, &byte, 1);
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0 || byte == '\n')
      break;
    line[n++] = byte;
  }
  line[n] = '\0';
  return n > 0;
}

static int start_collector(struct ct_settings *settings, int argc, char **argv, struct owned *owned, char *endpoint,
                           size_t endpoint_bytes, struct ct_err *err)
{
  int pipes[2];
  char line[600];
  if (pipe(pipes) != 0)
    return ct_err_set(err, CT_EIO, "cannot start: %s", strerror(errno));
  pid_t parent = getpid();
  owned->child = fork();
  if (owned->child == 0) {
    close(pipes[0]);
    become_collector(settings, argc, argv, parent, pipes[1]);
  }
  close(pipes[1]);
  owned->report_fd = pipes[0];
  if (owned->child < 0)
    return ct_err_set(err, CT_EIO, "cannot start: %s", strerror(errno));
  if (!read_line(owned->report_fd, line, sizeof line)) {
    wait_for_child(owned);
    return ct_err_set(err, CT_EIO, "the collector ended at its start");
  }
  char *rest = strchr(line, ' ');
  rest = rest ? rest + 1 : line;
  if (line[0] != '+') {
    wait_for_child(owned);
    return ct_err_set(err, CT_ECONFIG, "%s", rest);
  }
  snprintf(endpoint, endpoint_bytes, "%.*s", RUNDIR_PATH + 7, rest);
  return 0;
}

/* The terminal is gone: this process only waits, as whoever started it knows it by its number. */
static void wait_headless(struct owned *owned)
{
  sigset_t set;
  int number;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, NULL);
  while (still_alive(owned))
    if (sigwait(&set, &number) == 0 && number != SIGCHLD)
      kill(owned->child, SIGTERM);
}

static int finish_owned(struct owned *owned, enum screen_end end, bool goes_on, const char *run)
{
  char summary[600];
  if (end == SCREEN_DETACHED) {
    printf("comptop: run %s goes on; look at it with: comptop --attach %s\n", run, run);
    return 0;
  }
  if (end == SCREEN_LOST && goes_on) {
    wait_headless(owned);
    return 0;
  }
  if (!owned->gone)
    kill(owned->child, SIGTERM);
  while (read_line(owned->report_fd, summary, sizeof summary))
    printf("comptop: %s\n", summary);
  wait_for_child(owned);
  if (WIFSIGNALED(owned->status)) {
    fprintf(stderr, "comptop: the collector was killed by signal %d; --resume goes on with the run\n", WTERMSIG(owned->status));
    return ct_err_exit(CT_EIO);
  }
  return WEXITSTATUS(owned->status);
}

static int show(uv_loop_t *loop, const char *endpoint, const struct screen_setup *setup, enum screen_end *end,
                struct ct_err *err)
{
  struct feed *feed;
  int code = attach_open(&feed, loop, endpoint, err);
  if (code != 0)
    return code;
  code = screen_run(loop, feed, setup, end, err);
  attach_close(feed);
  uv_run(loop, UV_RUN_DEFAULT);
  return code;
}

static int run_screen(struct ct_settings *settings, int argc, char **argv, struct ct_err *err)
{
  struct owned owned = { 0 };
  char endpoint[RUNDIR_PATH + 8];
  bool archive = *ct_settings_text(settings, "run.archive") != '\0';
  struct screen_setup setup = { .settings = settings, .owner = true, .archive = archive, .alive = still_alive, .arg = &owned };
  enum screen_end end = SCREEN_ENDED;
  uv_loop_t loop;
  int code = start_collector(settings, argc, argv, &owned, endpoint, sizeof endpoint, err);
  if (code != 0)
    return code;
  uv_loop_init(&loop);
  code = show(&loop, endpoint, &setup, &end, err);
  uv_loop_close(&loop);
  const char *base = strrchr(endpoint, '/');   /* ".../RUN.sock" */
  char run[RUNDIR_PATH];
  snprintf(run, sizeof run, "%s", base ? base + 1 : "");
  char *suffix = strrchr(run, '.');   /* a name may have dots of its own */
  if (suffix)
    *suffix = '\0';
  int exit_code = finish_owned(&owned, end, !is_only_a_show(settings), run);
  return code != 0 ? code : exit_code;
}

/* ---- looking at another's run --------------------------------------------------------------------------------- */
struct attached {
  uv_loop_t loop;
  int code;
};

static void on_attached_done(void *arg, int code)
{
  struct attached *attached = arg;
  attached->code = code == CT_EIO && errno == EPIPE ? 0 : code;
  uv_stop(&attached->loop);
}

static void on_attached_signal(uv_signal_t *handle, int number)
{
  (void)number;
  uv_stop(handle->loop);
}

static void close_handle(uv_handle_t *handle, void *arg)
{
  (void)arg;
  if (!uv_is_closing(handle))
    uv_close(handle, NULL);
}

static int attach_batch(const struct ct_settings *settings, const char *endpoint, FILE *out, struct ct_err *err)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  struct attached attached = { .code = 0 };
  struct feed *feed = NULL;
  struct batch batch = { 0 };
  uv_signal_t signals[3];
  uv_loop_init(&attached.loop);
  int code = attach_open(&feed, &attached.loop, endpoint, err);
  if (code == 0)
    code = batch_open(&batch, &attached.loop, feed, settings, out, err);
  if (code == 0) {
    batch.done = on_attached_done;
    batch.arg = &attached;
    for (size_t i = 0; i < 3; i++) {
      uv_signal_init(&attached.loop, &signals[i]);
      uv_signal_start(&signals[i], on_attached_signal, numbers[i]);
    }
    uv_run(&attached.loop, UV_RUN_DEFAULT);
    if (attached.code == CT_ENODATA)
      code = ct_err_set(err, CT_EIO, "the collector at %s does not answer", endpoint);
    else if (attached.code != 0)
      code = ct_err_set(err, attached.code, "cannot write the sample: %s", strerror(errno));
  }
  attach_close(feed);
  uv_walk(&attached.loop, close_handle, NULL);
  uv_run(&attached.loop, UV_RUN_DEFAULT);
  uv_loop_close(&attached.loop);
  batch_close(&batch);
  return code;
}

/* Of several runs, which: asked on the terminal. "" where there is nothing to choose from. */
static int choose_run(char run[RUNDIR_NAME], FILE *out, struct ct_err *err)
{
  char runs[16][RUNDIR_NAME], answer[RUNDIR_NAME];
  int n = rundir_list(runs, 16);
  run[0] = '\0';
  if (n < 2 || !isatty(STDIN_FILENO))
    return 0;
  for (int i = 0; i < n; i++)
    fprintf(out, "%3d  %s\n", i + 1, runs[i]);
  fprintf(out, "Look at which run? Number or name: ");
  fflush(out);
  if (fgets(answer, sizeof answer, stdin) == NULL)
    return ct_err_set(err, CT_ENOTFOUND, "no run was chosen");
  answer[strcspn(answer, "\n")] = '\0';
  char *end;
  long number = strtol(answer, &end, 10);
  bool is_number = end != answer && *end == '\0' && number >= 1 && number <= n;
  snprintf(run, RUNDIR_NAME, "%s", is_number ? runs[number - 1] : answer);
  return 0;
}

static int run_attached(struct ct_settings *settings, bool batch, FILE *out, struct ct_err *err)
{
  char endpoint[RUNDIR_PATH + 8], chosen[RUNDIR_NAME] = "";
  enum screen_end end;
  uv_loop_t loop;
  const char *run = ct_settings_text(settings, "attach");
  int code = *run == '\0' && !batch ? choose_run(chosen, out, err) : 0;
  if (code != 0)
    return code;
  code = rundir_find(*run == '\0' ? chosen : run, endpoint, err);
  if (code != 0)
    return code;
  if (batch)
    return attach_batch(settings, endpoint, out, err);
  uv_loop_init(&loop);
  code = show(&loop, endpoint, &(struct screen_setup){ .settings = settings }, &end, err);
  uv_loop_close(&loop);
  return code;
}

/* ---- main --------------------------------------------------------------------------------------------------------- */
static int choose(struct ct_settings *settings, int argc, char **argv, FILE *out, struct ct_err *err)
{
  bool batch = ct_settings_bool(settings, "batch") || !isatty(fileno(out));
  struct collect_setup setup = { .settings = settings, .batch = true, .report_fd = -1, .out = out };
  if (ct_settings_is_set(settings, "attach"))
    return run_attached(settings, batch, out, err);
  if (ct_settings_bool(settings, "check"))
    return check_run(settings, out, err);
  if (ct_settings_is_set(settings, "from") && (batch || ct_settings_bool(settings, "headless")))
    return reprocess_run(settings, ct_settings_bool(settings, "headless") ? NULL : out, err);
  if (ct_settings_bool(settings, "headless"))
    setup.batch = false;
  else if (!batch)
    return run_screen(settings, argc, argv, err);
  return collect(&setup, argc, argv, err);
}

/* Puts the settings of an archived run before those of the command line. */
static int take_from(struct ct_settings **settings, struct from *from, int argc, char **argv, FILE *out, struct ct_err *err)
{
  struct ct_settings *first = *settings;
  *settings = NULL;
  int code = from_settings(settings, from, ct_settings_text(first, "from"), argc, argv, out, err);
  ct_settings_close(first);
  return code;
}

int ct_monitor_main(int argc, char **argv, FILE *out)
{
  static struct from from;
  struct ct_err err = { "" };
  struct ct_settings *settings;
  ct_open_standard();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGUSR2, SIG_IGN);   /* where there is no log to reopen */
  signal(SIGXFSZ, SIG_IGN);   /* a limit on the size of files is a full disk like any other */
  setlocale(LC_CTYPE, "");
  int code = ct_settings_open(&settings, &ct_comptop_options, argc, argv, out, &err);
  if (code == CT_SETTINGS_DONE)
    return 0;
  if (code == 0 && ct_settings_is_set(settings, "from"))
    code = take_from(&settings, &from, argc, argv, out, &err);
  if (code == 0)
    code = choose(settings, argc, argv, out, &err);
  ct_settings_close(settings);
  free(from.argv);
  if (code < 0 && err.text[0])
    fprintf(stderr, "comptop: %s\n", err.text);
  return code < 0 ? ct_err_exit(code) : code;
}
