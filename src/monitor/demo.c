/* --demo: comptop-sim as a child, and the settings that fit it. */
#include "demo.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the simulator's cell needs to be told; the user's own arguments come after and win. */
static char demo_settings[][48] = {
  "-Shexitec.gradients=0.0288",
  "-Shexitec.dither=on",
  "-Sroi.cathode.disc=39.5,39.5,26",
  "-Scamera.pixel_um=85",
  "-Scamera.size=256",
  "-Srun.name=demo",   /* the last: left out of a run that is archived */
};

static void endpoint(char text[64], pid_t child, const char *stream)
{
  /* Abstract: vanishes with the process. The number keeps two demos apart. */
  snprintf(text, 64, "ipc://@comptop-demo-%ld-%s", (long)child, stream);
}

/* comptop-sim of the same build or installation, else whatever PATH has. Does not return. */
static void become_simulator(char **arguments)
{
  char path[4096];
  ssize_t length = readlink("/proc/self/exe", path, sizeof path - sizeof "comptop-sim");
  if (length > 0) {
    path[length] = '\0';
    char *slash = strrchr(path, '/');
    if (slash) {
      strcpy(slash + 1, "comptop-sim");
      execv(path, arguments);
    }
  }
  execvp("comptop-sim", arguments);
  _exit(127);
}

void demo_end_with_parent(pid_t parent)
{
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent)
    _exit(0);   /* it ended before it could be watched */
}

static void run_child(pid_t parent)
{
  demo_end_with_parent(parent);
  char hexitec[64], camera[64], scalars[64];
  endpoint(hexitec, getpid(), "hexitec");
  endpoint(camera, getpid(), "camera");
  endpoint(scalars, getpid(), "scalars");
  char words[][17] = { "comptop-sim", "--child", "--hexitec", "--camera", "--scalars", "--camera-rate=15", "--speedup=60", "--wait" };
  char *arguments[] = { words[0], words[1], words[2], hexitec, words[3], camera, words[4], scalars, words[5], words[6], words[7],
                        NULL };
  signal(SIGPIPE, SIG_DFL);
  /* Its words would land in the middle of the screen or log. */
  int nowhere = open("/dev/null", O_WRONLY);
  if (nowhere >= 0)
    dup2(nowhere, STDERR_FILENO);
  /* The monitor's terminal sends its signals to everybody in the foreground; the child ends when the monitor says so. */
  setpgid(0, 0);
  become_simulator(arguments);
}

int demo_start(struct demo *demo, struct ct_err *err)
{
  demo->child = 0;
  pid_t parent = getpid(), child = fork();
  if (child == 0)
    run_child(parent);
  if (child < 0)
    return ct_err_set(err, CT_EIO, "cannot start the simulator: %s", strerror(errno));
  demo->child = child;
  return 0;
}

void demo_stop(struct demo *demo)
{
  if (demo == NULL || demo->child <= 0)
    return;
  kill(demo->child, SIGTERM);
  for (int tries = 0; tries < 200; tries++) {
    if (waitpid(demo->child, NULL, WNOHANG) != 0) {
      demo->child = 0;
      return;
    }
    usleep(10000);
  }
  kill(demo->child, SIGKILL);
  waitpid(demo->child, NULL, 0);
  demo->child = 0;
}

char **demo_arguments(const struct demo *demo, bool archived, int argc, char **argv, int *new_argc)
{
  static char hexitec[80] = "--hexitec=", camera[80] = "--camera=", scalars[80] = "--scalars=";
  const size_t n_settings = sizeof demo_settings / sizeof *demo_settings - (archived ? 1 : 0);
  char **all = ct_xcalloc((size_t)argc + n_settings + 4, sizeof *all);
  int n = 0;
  endpoint(strchr(hexitec, '=') + 1, demo->child, "hexitec");
  endpoint(strchr(camera, '=') + 1, demo->child, "camera");
  endpoint(strchr(scalars, '=') + 1, demo->child, "scalars");
  all[n++] = argv[0];
  all[n++] = hexitec;
  all[n++] = camera;
  all[n++] = scalars;
  for (size_t i = 0; i < n_settings; i++)
    all[n++] = demo_settings[i];
  for (int i = 1; i < argc; i++)
    all[n++] = argv[i];
  *new_argc = n;
  return all;
}
