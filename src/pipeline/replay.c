/* The loop of comptop-replay: blocks of recorded frames become messages, each at its time. */
#include <comptop/pipeline.h>

#include "pipeline/playlist.h"

#include <comptop/wire.h>

#include <math.h>
#include <string.h>

enum {
  QUEUE_BYTES = 256 << 20,
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

static int play_block(struct player *player, const struct ct_block *block)
{
  if (player->result->frames == 0)
    player->shift = player->replay->start_number == UINT64_MAX ? 0 : player->replay->start_number - block->numbers[0];
  else if (block->restarts)
    player->shift = player->next_number - block->numbers[0];
  for (uint32_t at = 0; at < block->count && !stopped(player);) {
    uint32_t length = batch_length(block, at, player->replay->batch);
    /* A batch is complete when its last frame is there. */
    while (ct_pace_wait(&player->pace, player->result->frames + length - 1) == CT_EBUSY)
      if (stopped(player))
        return 0;
    int rc = send_frames(player, block, at, length);
    if (rc != 0)
      return rc;
    at += length;
  }
  return 0;
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
  return hexitec_shape(rows, cols, type) ? hexitec_hz : camera_hz;
}

static int play(struct player *player, struct ct_playlist *list, struct ct_err *err)
{
  int rc = 0;
  const struct ct_block *block;
  while (!stopped(player) && rc == 0 && (rc = ct_playlist_next(list, &block, err)) == 0) {
    rc = play_block(player, block);
    if (rc != 0 && rc != CT_EBUSY)
      ct_err_set(err, rc, "cannot publish on \"%s\": %s", player->replay->endpoint, ct_err_text(rc));
  }
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
  int rc = ct_playlist_open(&list, replay, err);
  if (rc != 0)
    return rc;
  const uint64_t message_bytes = (uint64_t)ct_playlist_frame_bytes(list) * replay->batch + HEADER_BYTES;
  rc = ct_publisher_open(&player.publisher, replay->endpoint, replay->kind, QUEUE_BYTES, message_bytes, err);
  if (rc != 0)
    goto out;
  const double rate_hz = frame_rate(replay, list);
  if (ready != NULL)
    ready(ct_publisher_endpoint(player.publisher), rate_hz);
  while (replay->wait && !stopped(&player) && ct_publisher_wait(player.publisher, 200) != 0)
    continue;
  ct_pace_start(&player.pace, rate_hz);
  rc = play(&player, list, err);
  result->seconds = (double)(ct_time_mono_ns() - player.pace.start_ns) / 1e9;
  result->worst_late_s = (double)player.pace.worst_late_ns / 1e9;
out:
  ct_publisher_close(player.publisher, stopped(&player) ? LINGER_STOP_MS : LINGER_END_MS);
  ct_playlist_close(list);
  return rc;
}
