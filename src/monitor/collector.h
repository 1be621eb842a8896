/* The collector: streams, analysis and cell of one run, and the snapshot composed of what they tell. It has no loop:
 * the monitor's loop calls it. Internal to monitor.
 * Ownership: owns receivers, scalars, analysis and the snapshot it composes into, which it lends until the next one. */
#ifndef MONITOR_COLLECTOR_H
#define MONITOR_COLLECTOR_H

#include <comptop/cell.h>
#include <comptop/pipeline.h>

#include "alarms.h"
#include "detector.h"
#include "history.h"
#include "setup.h"

/* A count seen at the last ticks: its slope over the last seconds is the rate. */
enum { METER_SAMPLES = 32 };
struct meter {
  struct { int64_t mono_ns; uint64_t count; } samples[METER_SAMPLES];
  unsigned n;
};

/* Counts a second over the last 3 s, with <count> now; at most one sample a tick is kept, however often somebody looks. */
double meter_rate(struct meter *meter, int64_t mono_ns, uint64_t count);

/* A stream is late after 1 s or three frame times without data, stale after ten seconds (DESIGN 1.3). */
enum { LATE_AFTER_S = 1, STALE_AFTER_S = 10 };
struct stream {
  const struct stream_setup *setup;
  struct ct_receiver *receiver;      /* frames, or */
  struct ct_scalars *scalars;        /* or, with --from, */
  struct ct_reader *reader;
  struct meter meter;
  int64_t opened_ns;                 /* monotonic */
  struct ct_snapshot_stream now;     /* as of the last tick */
};

struct collector {
  struct run_setup setup;
  struct ct_settings *settings;      /* what the setup was read from; lent, and changed by collector_change */
  struct stream streams[CT_SNAPSHOT_STREAMS];
  uint32_t n_streams;
  struct ct_run_scalars *scalars;    /* of an archived run; NULL: none */
  int64_t scalar_ns;                 /* when the latest scalars came */
  struct ct_analysis *analysis;
  struct ct_reconstruction *reconstruction;
  struct ct_archiver *archiver;      /* NULL: no archive */
  int64_t archived_ns;               /* of the last line of results, monotonic */
  struct meter archive_meter;        /* bytes on disk */
  struct history history;
  struct ct_wants *wants;
  struct ct_cell cell;
  char cell_log[256];                /* what is wrong with the file of [cell] mpt; "": nothing */
  struct alarms alarms;
  struct ct_snapshot_alarm change;   /* of a setting, the last; shown for a while */
  struct detector_memory detector;
  bool demo, headless;
  int64_t started_ns;                /* monotonic */
  void *buffer;                      /* the snapshot lives here */
  size_t buffer_bytes;
};

/* Reads and checks the settings; then opens what they say. collector_close after either, whatever it returned. */
int collector_prepare(struct collector *c, struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;
int collector_open(struct collector *c, struct ct_err *err) CT_MUST_CHECK;
/* Ends the streams, analyses and archives what has come, keeps everything readable. 0, or CT_EARCHIVE with the reason. */
int collector_stop(struct collector *c, struct ct_err *err);
void collector_close(struct collector *c);

/* A few times a second: rates and states. */
void collector_tick(struct collector *c);
/* Asks the analysis for a fresh picture; collector_ready tells when it is there (at once without an analysis). */
uint64_t collector_ask(struct collector *c);
bool collector_ready(struct collector *c, uint64_t ticket);
/* A viewer's marker, into the archive's log. */
void collector_mark(struct collector *c, const char *text);
/* Once a second, with a composed snapshot that has the section of collector_map_request: history, results on disk. */
void collector_keep(struct collector *c, const struct ct_snapshot *snapshot);
struct ct_request collector_map_request(void);
/* Changes a setting of the run (NULL <text>: its default again), for everybody, and logs it. 0, or an error and nothing has
 * changed; <answer> says which in a sentence either way. */
int collector_change(struct collector *c, const char *path, const char *text, struct ct_err *answer);
/* Writes what was changed into the configuration file: how many settings, and the file's name in <answer>, or an error. <texts>:
 * of SERVE_KEEP. */
int collector_save_settings(struct collector *c, const char *texts, size_t bytes, struct ct_err *answer);
/* Masks the pixels that are listed as hot or dead, or lets the masked ones in again. */
void collector_mask(struct collector *c, bool on);
/* What is wrong now, into <core>; <reason>: why the archive is not well. */
void collector_raise_alarms(struct collector *c, struct ct_snapshot_core *core, const struct ct_analysis_note *note,
                            const char *reason);
/* Composes the snapshot of now; core.seq is for whoever hands it on to count. */
struct ct_snapshot *collector_compose(struct collector *c);
/* Seconds since any stream brought a message, good or bad; NaN while none has. */
double collector_silent_s(const struct collector *c);
/* With --from: how far all streams are together. They go on up to <until_ns>, and have reached it when they stand still. */
void collector_progress(const struct collector *c, struct ct_reader_progress *out);
void collector_go_on(struct collector *c, int64_t until_ns);
bool collector_has_reached(const struct collector *c, int64_t until_ns);
/* When scalars that are here now came, for the archive: later than all before. */
int64_t collector_arrival_ns(struct collector *c);
/* Takes scalars; the argument of ct_scalars_drain is the collector. */
void collector_take_scalars(void *collector, const struct ct_wire_scalars *scalars);

#endif
