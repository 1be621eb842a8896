/* The crash harness: a run is written by a child that is killed, whose disk fails, or whose power is cut, at one of its
 * calls; then the run is repaired, and every frame that it had called committed must be there, bit for bit, and no more
 * than a second lost. What a stranger reads in the same folder is said by crash.py, which is fed with their names.
 *   crash_archive ROUNDS [SEED [CODEC]]    rounds for each codec, or one, and each kind of crash
 *   crash_archive fill ROUNDS      on the disk of $CRASH_DIR, which is so small that it fills up */
#include "tests/archive/crash.h"

#include <comptop/archive.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* 4096 frames a second of 16x16, in chunks of 256: a second is 16 chunks, a flush four, a sync eight, a file twelve. */
enum { EDGE = 16, PIXELS = EDGE * EDGE, RATE_HZ = 4096, CHUNK = 256, FRAMES = 26 * CHUNK, GAP_AT = 1000, GAP = 17 };
static const int64_t chunk_ns = CT_NS_PER_S * CHUNK / RATE_HZ, sync_ns = CT_NS_PER_S / 2;

/* What the child says; the parent reads it after its death. */
struct report {
  uint64_t steps, sent, committed, missed, synced;
  int64_t sent_ns;
  int close_code;
};
static struct report *report;
static bool remote;             /* the folder claims to be on NFS */
static bool filling;            /* the disk is really full */

int statfs(const char *path, struct statfs *status)
{
  (void)path;
  memset(status, 0, sizeof *status);
  status->f_type = remote ? 0x6969 : 0xEF53;
  return 0;
}

/* A run is not begun on a small disk: this one looks large. */
int statvfs(const char *path, struct statvfs *status)
{
  (void)path;
  memset(status, 0, sizeof *status);
  status->f_frsize = 4096;
  status->f_bavail = 1 << 30;
  return 0;
}

static bool sparse;             /* one pixel in 16 is a hit */

static uint16_t pixel(uint64_t k, size_t i)
{
  uint64_t x = (k * PIXELS + i + 1) * UINT64_C(0x9E3779B97F4A7C15);
  return sparse && (x >> 50 & 15) != 0 ? 0 : (uint16_t)(400 + (x >> 40 & 31));
}

/* ---- the child ---------------------------------------------------------------------------------------------------- */

static void note_status(const struct ct_run *run)
{
  struct ct_snapshot_archive status = { 0 };
  char reason[256];
  ct_run_status(run, &status, reason, sizeof reason);
  report->committed = status.committed_frames;
  report->missed = status.missed_frames;
}

static void sync_run(struct ct_run *run, int64_t now_ns)
{
  struct ct_run_sync syncs[16];
  const uint64_t committed = report->committed;
  const size_t n = ct_run_syncs(run, syncs, 16);
  int why = 0;
  for (size_t i = 0; i < n; i++) {
    int rc = ct_run_sync(&syncs[i]);
    why = rc ? rc : why;
  }
  if (why != 0)
    ct_run_sync_failed(run, why, now_ns);
  else
    report->synced = committed;
}

static void write_extras(struct ct_run *run, uint64_t k, int64_t now_ns)
{
  static struct ct_snapshot_core core;
  static float map[PIXELS];
  static uint32_t spectra[PIXELS * 10];
  const struct ct_snapshot_alarm alarm = { .id = "stream-stale", .severity = CT_WARNING, .text = "no data" };
  ct_run_scalar(run, &(struct ct_run_scalar){ "Ewe_V", now_ns, now_ns, (double)k });
  if (k % (8 * CHUNK) != 0)
    return;
  ct_run_alarm(run, &alarm, k % (16 * CHUNK) == 0, now_ns);
  for (size_t i = 0; i < PIXELS; i++)
    map[i] = (float)k;
  ct_run_results(run, &(struct ct_run_results){ .time_ns = now_ns, .core = &core, .emf = map, .sigma = map, .counts = map,
                                                .spectra = spectra });
}

static void write_chunk(struct ct_run *run, struct ct_chunk *chunk, enum ct_codec codec, int64_t now_ns)
{
  ct_chunk_pack(chunk, codec);
  report->sent += ct_chunk_count(chunk);
  report->sent_ns = now_ns;
  (void)!ct_run_write(run, chunk, now_ns);
  ct_run_tick(run, now_ns);
  note_status(run);
}

/* Frames in batches of 33, some of which are flushed before a chunk is full. */
static void write_frames(struct ct_run *run, enum ct_codec codec, int64_t now_ns)
{
  static uint16_t pixels[PIXELS];
  struct ct_chunk *chunk = ct_chunk_new(1 << 20);
  int64_t synced_ns = now_ns;
  ct_chunk_begin(chunk, 0, 1024, NULL);
  for (uint64_t k = 0; k < FRAMES; k++) {
    for (size_t i = 0; i < PIXELS; i++)
      pixels[i] = pixel(k, i);
    const struct ct_frame frame = { .pixels = (unsigned char *)pixels, .bytes = sizeof pixels, .type = CT_U16, .count = 1,
                                    .rows = EDGE, .cols = EDGE, .number = k < GAP_AT ? k : k + GAP, .arrival_ns = now_ns };
    if (ct_chunk_add(chunk, &frame, 0) != 1)
      abort();
    if (!ct_chunk_full(chunk) && k % 777 != 700)
      continue;
    write_chunk(run, chunk, codec, now_ns);
    if (ct_chunk_full(chunk))
      write_extras(run, k + 1, now_ns);
    ct_chunk_begin(chunk, 0, 1024, chunk);
    now_ns += chunk_ns;
    if (now_ns - synced_ns >= sync_ns) {
      sync_run(run, now_ns);
      synced_ns = now_ns;
    }
  }
  ct_chunk_free(chunk);
}

static struct ct_run_setup setup_of(const char *folder, enum ct_codec codec)
{
  static const struct ct_run_stream streams[] = {
    { .name = "hexitec", .endpoint = "tcp://127.0.0.1:5555", .role = CT_ROLE_HEXITEC, .frame_hz = 1024 } };
  return (struct ct_run_setup){ .folder = folder, .name = "r", .codec = codec, .roll_s = 0.75, .streams = streams,
    .n_streams = 1, .program = "comptop test", .configuration = "[run]\n", .rows = EDGE, .cols = EDGE, .bins = 10,
    .width_keV = 20 };
}

static void child(const char *folder, enum ct_codec codec, const struct crash *crash)
{
  const struct ct_run_setup setup = setup_of(folder, codec);
  int64_t now_ns = INT64_C(1700000000) * CT_NS_PER_S;
  struct ct_run *run;
  crash_arm(crash, &report->steps);
  report->close_code = ct_run_open(&run, &setup, now_ns, NULL);
  if (report->close_code != 0)
    _exit(0);
  ct_run_gap(run, 0, GAP_AT, GAP_AT + GAP - 1, CT_GAP_LOST, now_ns);
  write_frames(run, codec, now_ns);
  now_ns += 10 * CT_NS_PER_S;
  ct_run_tick(run, now_ns);
  note_status(run);
  report->close_code = ct_run_close(run, now_ns, NULL);
  _exit(0);
}

/* ---- the parent --------------------------------------------------------------------------------------------------- */

static char root[64];
static unsigned failures;
static struct { uint64_t rounds, frames, worst, sum; } lost;

static void complain(const char *folder, const char *what, const char *text)
{
  printf("# %s: %s %s (sent %llu committed %llu missed %llu synced %llu steps %llu)\n", folder, what, text,
         (unsigned long long)report->sent, (unsigned long long)report->committed, (unsigned long long)report->missed,
         (unsigned long long)report->synced, (unsigned long long)report->steps);
  failures++;
}

/* Each frame is what it was when it was sent; *n: how many there are. */
static bool frames_good(const struct ct_run_file *file, uint64_t *n)
{
  struct ct_h5_frames *frames;
  struct ct_run_columns *columns = NULL;
  char spec[600];
  static uint16_t pixels[PIXELS];
  bool good = true;
  snprintf(spec, sizeof spec, "%s:/entry/data", file->path);
  if (file->n == 0)
    return true;
  if (ct_h5_open_frames(&frames, spec, NULL) != 0)
    return false;
  if (ct_run_columns_open(&columns, frames, NULL) != 0)
    good = false;
  for (uint64_t k = 0; good && k < file->n; k++) {
    uint64_t number;
    struct ct_attributes attributes;
    good = ct_run_columns_read(columns, k, 1, &(struct ct_run_rows){ &number, &attributes, NULL, NULL }, NULL) == 0 &&
           ct_h5_read_frames(frames, k, 1, pixels, NULL) == 0;
    const uint64_t sent = number < GAP_AT ? number : number - GAP;
    for (size_t i = 0; good && i < PIXELS; i++)
      good = pixels[i] == pixel(sent, i);
  }
  *n += file->n;
  ct_run_columns_close(columns);
  ct_h5_close_frames(frames);
  return good;
}

static void examine(const char *folder, const struct crash *crash)
{
  char run[128];
  struct ct_err err = { "" };
  struct ct_run_check check = { 0 };
  struct ct_run_file *files = NULL;
  size_t n_files = 0;
  uint64_t n = 0;
  const bool killed = crash->kind == CRASH_KILL || crash->kind == CRASH_POWER;
  snprintf(run, sizeof run, "%s/r", folder);
  int rc = ct_run_repair(run, NULL, NULL, &err);
  if (rc == CT_ENOTFOUND && report->committed == 0)
    return;                     /* its disk failed before there was a run */
  if (rc != 0 && !(filling && rc == CT_EIO)) {   /* a full disk has no room for a new master */
    complain(folder, "repair", err.text);
    return;
  }
  if (ct_run_verify(run, NULL, &check, &err) != 0)
    complain(folder, "verify", err.text);
  if (ct_run_files(run, &files, &n_files, &err) != 0)
    complain(folder, "files", err.text);
  for (size_t i = 0; i < n_files; i++)
    if (!files[i].closed || !frames_good(&files[i], &n))
      complain(folder, "not as it was sent:", files[i].path);
  free(files);
  const uint64_t promised = crash->kind == CRASH_POWER ? report->synced : report->committed;
  if (n < promised || (!killed && n != report->committed))
    complain(folder, "has other frames than were committed", "");
  if (killed && report->sent - n > RATE_HZ)
    complain(folder, "lost more than a second", "");
  if (!killed && report->close_code == 0 && report->committed + report->missed != report->sent)
    complain(folder, "frames are neither committed nor missed", "");
  if (killed) {
    const uint64_t gone = report->sent - n;
    lost.rounds++;
    lost.sum += gone;
    lost.worst = gone > lost.worst ? gone : lost.worst;
  }
  lost.frames += n;
}

/* Asks the stranger: a line with the folder and the frames there have to be at least, a line back. */
static FILE *ask, *answer;
static void read_by_stranger(const char *folder, uint64_t frames)
{
  char line[600];
  if (ask == NULL)
    return;
  fprintf(ask, "%s %llu\n", folder, (unsigned long long)frames);
  fflush(ask);
  if (fgets(line, sizeof line, answer) == NULL || strncmp(line, "ok", 2) != 0)
    complain(folder, "a stranger says:", line);
}

static void round_of(enum ct_codec codec, const struct crash *crash, int64_t kill_after_ns)
{
  char folder[80], command[128];
  const unsigned before = failures;
  sparse = codec == CT_CODEC_EVENTS;
  snprintf(folder, sizeof folder, "%s/x", root);
  memset(report, 0, sizeof *report);
  fflush(NULL);
  pid_t pid = fork();
  if (pid == 0)
    child(folder, codec, crash);
  if (kill_after_ns > 0) {
    nanosleep(&(struct timespec){ .tv_nsec = kill_after_ns }, NULL);
    kill(pid, SIGKILL);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
    complain(folder, "the writer crashed by itself:", strsignal(WTERMSIG(status)));
  examine(folder, crash);
  const bool power = crash->kind == CRASH_POWER;
  if (report->committed > 0)
    read_by_stranger(folder, power ? report->synced : report->committed);
  if (failures > before) {
    snprintf(command, sizeof command, "%s/failed-%u", root, failures);
    printf("# codec %s kind %d step %llu calls %llu seed %llu%s: kept in %s\n", ct_codec_word(codec), (int)crash->kind,
           (unsigned long long)crash->step, (unsigned long long)crash->calls, (unsigned long long)crash->seed,
           remote ? " remote" : "", command);
    (void)!rename(folder, command);
    return;
  }
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  if (system(command) != 0)
    abort();
}

static uint64_t random_state;
static uint64_t roll(uint64_t n)
{
  uint64_t x = random_state += UINT64_C(0x9E3779B97F4A7C15);
  x = (x ^ x >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  return (x ^ x >> 29) % n;
}

/* <rounds> crashes of a kind, spread over all calls of a whole run. */
static void rounds_of(unsigned number, enum ct_codec codec, enum crash_kind kind, unsigned rounds, const char *name)
{
  const unsigned before = failures;
  round_of(codec, &(struct crash){ .kind = CRASH_NEVER }, 0);
  const uint64_t total = report->steps;
  for (unsigned i = 0; i < rounds; i++) {
    const uint64_t from = total * i / rounds, to = total * (i + 1) / rounds;
    const struct crash crash = { .kind = kind, .step = from + (to > from ? roll(to - from) : 0), .seed = roll(UINT64_MAX),
                                 .calls = i % 3 == 0 ? UINT64_MAX : 1 + roll(40) };
    round_of(codec, &crash, 0);
  }
  printf("%s %u - %s, %s%s: %u of %u rounds, %llu calls a run\n", failures == before ? "ok" : "not ok", number,
         ct_codec_word(codec), name, remote ? ", remote disk" : "", rounds - (failures - before), rounds,
         (unsigned long long)total);
  fflush(stdout);
}

static void random_kills(unsigned number, enum ct_codec codec, unsigned rounds)
{
  const unsigned before = failures;
  int64_t begin_ns = ct_time_mono_ns();
  round_of(codec, &(struct crash){ .kind = CRASH_NEVER }, 0);
  const int64_t whole_ns = ct_time_mono_ns() - begin_ns;
  for (unsigned i = 0; i < rounds; i++)
    round_of(codec, &(struct crash){ .kind = CRASH_KILL, .step = UINT64_MAX }, 1 + (int64_t)roll((uint64_t)whole_ns));
  printf("%s %u - %s, killed at any time: %u of %u rounds\n", failures == before ? "ok" : "not ok", number,
         ct_codec_word(codec), rounds - (failures - before), rounds);
  fflush(stdout);
}

static void start_stranger(const char *command)
{
  int to[2], from[2];
  if (command == NULL || command[0] == '\0')
    return;
  if (pipe(to) != 0 || pipe(from) != 0)
    abort();
  if (fork() == 0) {
    dup2(to[0], 0);
    dup2(from[1], 1);
    close(to[1]);
    close(from[0]);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  ask = fdopen(to[1], "w");
  answer = fdopen(from[0], "r");
}

int main(int argc, char **argv)
{
  static const enum ct_codec codecs[] = { CT_CODEC_NONE, CT_CODEC_BSLZ4, CT_CODEC_LZ4, CT_CODEC_ZSTD, CT_CODEC_EVENTS };
  static const struct { enum crash_kind kind; const char *name; } kinds[] = {
    { CRASH_KILL, "killed at a write" }, { CRASH_POWER, "power cut" }, { CRASH_ENOSPC, "no space" },
    { CRASH_EIO, "I/O errors" }, { CRASH_EROFS, "read-only" } };
  enum { CODECS = sizeof codecs / sizeof *codecs, KINDS = sizeof kinds / sizeof *kinds };
  filling = argc > 2 && strcmp(argv[1], "fill") == 0;
  const unsigned rounds = argc > 1 + filling ? (unsigned)strtoul(argv[1 + filling], NULL, 10) : 2;
  random_state = !filling && argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
  report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  snprintf(root, sizeof root, "%s/crash_archive.XXXXXX", getenv("CRASH_DIR") ? getenv("CRASH_DIR") : "/tmp");
  if (report == MAP_FAILED || mkdtemp(root) == NULL)
    return 1;
  signal(SIGPIPE, SIG_IGN);
  start_stranger(getenv("CRASH_STRANGER"));
  unsigned number = 1;
  if (filling) {
    for (int c = 0; c < CODECS; c++)
      rounds_of(number++, codecs[c], CRASH_NEVER, rounds, "full disk");
    return failures > 0;
  }
  const char *only = !filling && argc > 3 ? argv[3] : NULL;
  printf("1..%d\n", only ? KINDS + 1 : CODECS * (KINDS + 1) + 3);
  for (int c = 0; c < CODECS; c++) {
    if (only && strcmp(only, ct_codec_word(codecs[c])) != 0)
      continue;
    for (int k = 0; k < KINDS; k++)
      rounds_of(number++, codecs[c], kinds[k].kind, rounds, kinds[k].name);
    random_kills(number++, codecs[c], rounds);
  }
  remote = true;
  if (!only) {
    rounds_of(number++, CT_CODEC_BSLZ4, CRASH_KILL, rounds, "killed at a write");
    rounds_of(number++, CT_CODEC_BSLZ4, CRASH_ENOSPC, rounds, "no space");
    rounds_of(number++, CT_CODEC_EVENTS, CRASH_KILL, rounds, "killed at a write");
  }
  printf("# %llu crashes lost %.0f frames on average and %llu at worst, of %d a second\n", (unsigned long long)lost.rounds,
         lost.rounds ? (double)lost.sum / (double)lost.rounds : 0, (unsigned long long)lost.worst, RATE_HZ);
  if (failures == 0)
    rmdir(root);
  return 0;
}
