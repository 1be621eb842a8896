/* The loop of comptop-replay: blocks of recorded frames become messages, each at its time. */
#include <comptop/pipeline.h>

#include "pipeline/playlist.h"
#include "pipeline/tape.h"

#include <comptop/wire.h>

#include <math.h>
#include <string.h>

enum {
  QUEUE_BYTES = 256 << 20, AHEAD_BYTES = 256 << 20,
  HEADER_BYTES = 1000,
  LINGER_END_MS = 30000, LINGER_STOP_MS = 1000
};
static const double hexitec_hz = 9118.87, camera_hz = 10;

struct player {
  const struct ct_replay *replay;
  const atomic_bool *stop;
  struct ct_publisher *publisher;
  struct ct_pace pace;
  struct ct_replay_result *result;
  struct ct_tape *tape;                  /* NULL: no scalars */
  double hz;                             /* of frames without times */
  int64_t first_ns;                      /* the recorded time of the list's first frame, 0 where there are none */
  double loop_s;                         /* when the present loop began, by the clock of the replay */
  double sent_s;                         /* when the last frame was due */
  bool past_end;                         /* the last block went beyond end_s */
  uint64_t loop_frames;                  /* of this loop, played or left out */
  uint64_t shift, next_number;           /* above all sent; recorded number + shift (modulo 2^64) is sent */
};

/* Relaxed: the flag is the whole message. */
static bool stopped(const struct player *player) { return atomic_load_explicit(player->stop, memory_order_relaxed); }

static bool same_attributes(const struct ct_attributes *a, const struct ct_attributes *b)
{
  return a->present == b->present && a->angle_deg == b->angle_deg && a->z_mm == b->z_mm && a->mode == b->mode &&
         a->image_key == b->image_key && a->trigger == b->trigger && a->time_s == b->time_s;
}

/* How many frames from <at> on fit into one message: a batch shares its attributes and has no gaps. */
static uint32_t batch_length(const struct ct_block *block, uint32_t at, uint32_t batch)
{
  uint32_t length = 1;
  while (length < batch && at + length < block->count && block->numbers[at + length] == block->numbers[at] + length &&
         same_attributes(&block->attributes[at + length], &block->attributes[at]))
    length++;
  return length;
}

static int send_frames(struct player *player, const struct ct_block *block, uint32_t at, uint32_t length)
{
  char header[HEADER_BYTES];
  const size_t frame_bytes = (size_t)block->rows * block->cols * ct_type_bytes(block->type);
  struct ct_frame frame = {
    .pixels = block->pixels + at * frame_bytes, .bytes = length * frame_bytes, .type = block->type,
    .count = length, .rows = block->rows, .cols = block->cols,
    .number = block->numbers[at] + player->shift, .attributes = block->attributes[at],
  };
  if (!(frame.attributes.present & CT_HAS_TIME)) {
    frame.attributes.present |= CT_HAS_TIME;
    frame.attributes.time_s = (double)ct_time_wall_ns() / 1e9;
  }
  int head = ct_wire_array_header(header, sizeof header, &frame, "comptop-replay", NULL);
  if (head < 0)
    return head;
  const struct ct_publisher_part parts[] = { { header, (size_t)head }, { frame.pixels, frame.bytes } };
  int rc;
  while ((rc = ct_publisher_send(player->publisher, parts, 2)) == CT_EBUSY && !stopped(player))
    continue;
  if (rc != 0)
    return rc;
  if (frame.number + length > player->next_number)
    player->next_number = frame.number + length;
  player->result->frames += length;
  player->result->messages++;
  player->result->bytes += frame.bytes;
  return 0;
}

/* ---- time ---------------------------------------------------------------------------------------------------------- */
/* When frame <i> came, in s after the first of the list. */
static double elapsed_s(const struct player *player, const struct ct_block *block, uint32_t i)
{
  return block->arrival_ns != NULL ? (double)(block->arrival_ns[i] - player->first_ns) / 1e9
                                   : (double)(player->loop_frames + i) / player->hz;
}

/* 0 or CT_EBUSY, as ct_pace_wait: until frame <i> of the block, the <k>th that is sent, is due. */
static int wait_for(struct player *player, const struct ct_block *block, uint32_t i, uint64_t k)
{
  const struct ct_replay *replay = player->replay;
  if (!isnan(replay->rate_hz) || block->arrival_ns == NULL)
    return ct_pace_wait(&player->pace, k);
  player->sent_s = player->loop_s + (elapsed_s(player, block, i) - replay->begin_s) / replay->speed;
  return ct_pace_wait_for(&player->pace, player->sent_s);
}

static int begin_loop(struct player *player, const struct ct_block *block)
{
  if (player->first_ns == 0 && block->arrival_ns != NULL)
    player->first_ns = block->arrival_ns[0];
  player->loop_s = player->sent_s;
  player->loop_frames = 0;
  return player->tape != NULL ? ct_tape_rewind(player->tape, player->replay->begin_s, NULL) : 0;
}

static int play_scalars(struct player *player, const struct ct_block *block, uint32_t i)
{
  return player->tape != NULL ? ct_tape_play(player->tape, player->first_ns, elapsed_s(player, block, i)) : 0;
}

/* ---- blocks -------------------------------------------------------------------------------------------------------- */
/* Frames from begin_s to end_s: where they begin and end in the block. */
static uint32_t wanted_from(const struct player *player, const struct ct_block *block)
{
  uint32_t i = 0;
  while (i < block->count && elapsed_s(player, block, i) < player->replay->begin_s)
    i++;
  return i;
}

static uint32_t wanted_to(const struct player *player, const struct ct_block *block, uint32_t from)
{
  while (from < block->count && elapsed_s(player, block, from) <= player->replay->end_s)
    from++;
  return from;
}

static int play_block(struct player *player, const struct ct_block *block)
{
  int rc = block->restarts ? begin_loop(player, block) : 0;
  const uint32_t from = wanted_from(player, block), to = wanted_to(player, block, from);
  if (player->result->frames == 0)
    player->shift = player->replay->start_number == UINT64_MAX ? 0 : player->replay->start_number - block->numbers[from < to ? from : 0];
  else if (block->restarts)
    player->shift = player->next_number - block->numbers[0];
  for (uint32_t at = from; rc == 0 && at < to && !stopped(player);) {
    const uint32_t most = player->replay->batch < to - at ? player->replay->batch : to - at;
    uint32_t length = batch_length(block, at, most);
    /* A batch is complete when its last frame is there. */
    while (wait_for(player, block, at + length - 1, player->result->frames + length - 1) == CT_EBUSY)
      if (stopped(player))
        return 0;
    rc = send_frames(player, block, at, length);
    at += length;
    if (rc == 0)
      rc = play_scalars(player, block, at - 1);
  }
  player->loop_frames += block->count;
  player->past_end = to < block->count && elapsed_s(player, block, block->count - 1) > player->replay->end_s;
  return rc;
}

static bool hexitec_shape(uint32_t rows, uint32_t cols, enum ct_type type)
{
  bool sensor = (rows == 80 && cols == 80) || (rows == 160 && (cols == 160 || cols == 480));
  return sensor && (type == CT_U16 || type == CT_F32);
}

static double frame_rate(const struct ct_replay *replay, const struct ct_playlist *list)
{
  uint32_t rows, cols;
  enum ct_type type;
  ct_playlist_shape(list, &rows, &cols, &type);
  if (!isnan(replay->rate_hz))
    return replay->rate_hz;
  return (hexitec_shape(rows, cols, type) ? hexitec_hz : camera_hz) * replay->speed;
}

/* Beyond the last frame that is wanted of the last loop there is nothing to read for. */
static bool is_over(const struct player *player) { return player->past_end && player->replay->loops == 1; }

static int play(struct player *player, struct ct_playlist *list, struct ct_err *err)
{
  int rc = 0;
  const struct ct_block *block;
  while (!stopped(player) && !is_over(player) && rc == 0 && (rc = ct_playlist_next(list, &block, err)) == 0) {
    rc = play_block(player, block);
    if (rc != 0 && rc != CT_EBUSY)
      ct_err_set(err, rc, "cannot publish on \"%s\": %s", player->replay->endpoint, ct_err_text(rc));
  }
  if (rc == CT_ENODATA && player->result->frames == 0)
    return ct_err_set(err, CT_ERANGE, "nothing to play: no frame came between --begin and --end");
  /* CT_EBUSY: stopped while a PUSH waited for room. */
  return rc == CT_ENODATA || rc == CT_EBUSY ? 0 : rc;
}

int ct_replay_run(const struct ct_replay *replay, const atomic_bool *stop,
                  void (*ready)(const char *endpoint, double rate_hz), struct ct_replay_result *result,
                  struct ct_err *err)
{
  struct player player = { .replay = replay, .stop = stop, .result = result };
  struct ct_playlist *list = NULL;
  *result = (struct ct_replay_result){ 0 };
  int rc = ct_playlist_open(&list, replay, AHEAD_BYTES, err);
  if (rc != 0)
    return rc;
  const uint64_t message_bytes = (uint64_t)ct_playlist_frame_bytes(list) * replay->batch + HEADER_BYTES;
  rc = ct_publisher_open(&player.publisher, replay->endpoint, replay->kind, QUEUE_BYTES, message_bytes, err);
  if (rc != 0)
    goto out;
  const double rate_hz = frame_rate(replay, list);
  player.hz = rate_hz > 0 ? rate_hz / replay->speed : hexitec_hz;
  player.first_ns = ct_playlist_first_ns(list);
  if (replay->scalars[0] != '\0')
    rc = ct_tape_open(&player.tape, replay->scalars, replay->specs[0], replay->mpt, err);
  if (rc != 0)
    goto out;
  if (ready != NULL)
    ready(ct_publisher_endpoint(player.publisher), rate_hz);
  while (replay->wait && !stopped(&player) && ct_publisher_wait(player.publisher, 200) != 0)
    continue;
  ct_pace_start(&player.pace, rate_hz);
  rc = play(&player, list, err);
  result->seconds = (double)(ct_time_mono_ns() - player.pace.start_ns) / 1e9;
  result->worst_late_s = (double)player.pace.worst_late_ns / 1e9;
out:
  ct_tape_close(player.tape);
  ct_publisher_close(player.publisher, stopped(&player) ? LINGER_STOP_MS : LINGER_END_MS);
  ct_playlist_close(list);
  return rc;
}
