/* One stream's frames on their way from a receiver's ring into chunks: copied, checksummed, compressed, in a thread of its
 * own. The archiver's writer takes the chunks and gives them back. Internal to pipeline.
 * Ownership: the memory is the archiver's; chunks are the packer's, lent to the writer between _take and _give_back. */
#ifndef PIPELINE_PACKER_H
#define PIPELINE_PACKER_H

#include <pthread.h>
#include <stdatomic.h>

#include <comptop/archive.h>
#include <comptop/pipeline.h>
#include <comptop/ring.h>

enum { CT_PACKER_CHUNKS = 8 };          /* of each stream, between its packer and the writer */

/* From packer to writer: a chunk, or a range that is not in any. */
struct ct_parcel {
  struct ct_chunk *chunk;     /* NULL: the gap below */
  uint64_t first, last;
  enum ct_gap_reason reason;
  int64_t newest_ns;          /* arrival of the chunk's last frame */
};

struct ct_packer {
  size_t stream;              /* its place in the run's setup */
  double frame_hz;
  enum ct_codec codec;
  struct ct_event_filter *filter;      /* of CT_CODEC_EVENTS; NULL: frames are kept whole */
  struct ct_ring *lots;
  unsigned consumer;
  struct ct_ring *parcels;    /* packer -> writer */
  struct ct_ring *idle;       /* writer -> packer: chunks to fill */
  struct ct_chunk *chunks[CT_PACKER_CHUNKS];
  struct ct_chunk *filling, *before;   /* before: the one filled last, for where in the file it ended */
  int64_t filling_since_ns, newest_ns;
  uint64_t next_number;       /* after the last frame seen */
  _Atomic uint64_t told_missed;        /* frames handed on as MISSED; relaxed: a number to show */
  _Atomic int64_t cpu_ns;              /* of its thread; relaxed: a number to show */
  _Atomic bool stop;          /* release by ct_packer_stop, acquire by the thread: the receiver has ended before */
  int64_t cpu_before_ns;      /* the monitor's: what it had taken when that was looked at last, and the cores since */
  double cores;
  pthread_t thread;
  bool running;
};

/* <packer> is zero; also after an error it is to be closed. <analysis>: what an event is, of streams with codec EVENTS. */
int ct_packer_open(struct ct_packer *packer, const struct ct_run_setup *run, size_t stream, struct ct_receiver *receiver,
                   const struct ct_analysis_setup *analysis, struct ct_err *err) CT_MUST_CHECK;
bool ct_packer_start(struct ct_packer *packer);          /* false: no thread */
/* Packs what is left in the ring of a stopped receiver and ends the thread. */
void ct_packer_stop(struct ct_packer *packer);
void ct_packer_close(struct ct_packer *packer);
/* The writer's thread only: false when there is none. */
bool ct_packer_take(struct ct_packer *packer, struct ct_parcel *parcel);
void ct_packer_give_back(struct ct_packer *packer, struct ct_chunk *chunk);

#endif
