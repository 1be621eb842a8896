/* The board: split reference counts.
 *
 * <latest> holds the number of the latest block and, below it, how often that block has been acquired since it was
 * published. A reader adds one and so learns, in the same instant, which block it has been counted on. The writer swaps
 * in a new block with a count of zero, and so learns the final count of the old one, which nobody can acquire any more:
 * it adds it to the block's <acquired>. Readers count <released> on the block itself. Both only grow; a block that is
 * not the latest is free when the two are equal.
 *
 * With R readers that hold at most one block each, R + 2 blocks always leave one free: R lent, one latest.
 *
 * The order pairs:
 *   (A) latest: swap (release) in publish -- add (acquire) in acquire. A reader sees what the writer put into the block.
 *       Another reader's add in between is part of the release sequence.
 *   (B) released: add (release) in release -- load (acquire) in begin. A writer that sees all releases knows that all
 *       reads are over before it writes again. */
#include <comptop/snapshot.h>

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 64, READERS = 64, COUNT_BITS = 56 };
#define NO_BLOCK UINT64_C(0xff)   /* in the place of a block's number: nothing published yet */
#define COUNT_MASK ((UINT64_C(1) << COUNT_BITS) - 1)

struct block {
  alignas(LINE) _Atomic uint64_t released;
  uint64_t acquired;          /* writer's; of its earlier times as the latest */
};

struct ct_board {
  unsigned char *memory;
  size_t capacity_bytes, stride_bytes;
  unsigned n;
  int writing;                /* writer's: the block of the last begin, or -1 */
  alignas(LINE) _Atomic uint64_t latest;
  struct block blocks[READERS + 2];
};

int ct_board_new(struct ct_board **out, unsigned readers_max, size_t capacity_bytes, struct ct_err *err)
{
  *out = NULL;
  if (readers_max < 1 || readers_max > READERS)
    return ct_err_set(err, CT_ERANGE, "board: %u readers, must be 1 to %d", readers_max, READERS);
  if (capacity_bytes == 0 || capacity_bytes > SIZE_MAX / (READERS + 2) - LINE)
    return ct_err_set(err, CT_ERANGE, "board: blocks of %zu bytes", capacity_bytes);
  struct ct_board *board = aligned_alloc(LINE, sizeof *board);
  if (!board)
    return ct_err_set(err, CT_ENOMEM, "board: no memory");
  memset(board, 0, sizeof *board);
  board->n = readers_max + 2;
  board->capacity_bytes = capacity_bytes;
  board->stride_bytes = (capacity_bytes + LINE - 1) / LINE * LINE;
  board->writing = -1;
  atomic_init(&board->latest, NO_BLOCK << COUNT_BITS);
  board->memory = aligned_alloc(LINE, board->n * board->stride_bytes);
  if (!board->memory) {
    free(board);
    return ct_err_set(err, CT_ENOMEM, "board: no memory for %u blocks of %zu bytes", readers_max + 2, capacity_bytes);
  }
  memset(board->memory, 0, board->n * board->stride_bytes);
  *out = board;
  return 0;
}

void ct_board_free(struct ct_board *board)
{
  if (board)
    free(board->memory);
  free(board);
}

size_t ct_board_capacity_bytes(const struct ct_board *board)
{
  return board->capacity_bytes;
}

void *ct_board_begin(struct ct_board *board)
{
  /* relaxed: only the writer changes the block's number */
  uint64_t latest = atomic_load_explicit(&board->latest, memory_order_relaxed) >> COUNT_BITS;
  for (unsigned i = 0; i < board->n && board->writing < 0; i++) {
    const struct block *block = &board->blocks[i];
    if (i != latest && atomic_load_explicit(&block->released, memory_order_acquire) == block->acquired) /* (B) */
      board->writing = (int)i;
  }
  return board->writing < 0 ? NULL : board->memory + (size_t)board->writing * board->stride_bytes;
}

void ct_board_publish(struct ct_board *board)
{
  assert(board->writing >= 0);
  uint64_t now = (uint64_t)board->writing << COUNT_BITS;
  uint64_t was = atomic_exchange_explicit(&board->latest, now, memory_order_release); /* (A) */
  if (was >> COUNT_BITS != NO_BLOCK)
    board->blocks[was >> COUNT_BITS].acquired += was & COUNT_MASK;
  board->writing = -1;
}

const void *ct_board_acquire(struct ct_board *board)
{
  /* relaxed: once there is a block there always is one, and the add below does the rest */
  if (atomic_load_explicit(&board->latest, memory_order_relaxed) >> COUNT_BITS == NO_BLOCK)
    return NULL;
  uint64_t latest = atomic_fetch_add_explicit(&board->latest, 1, memory_order_acquire); /* (A) */
  return board->memory + (latest >> COUNT_BITS) * board->stride_bytes;
}

void ct_board_release(struct ct_board *board, const void *block)
{
  if (!block)
    return;
  size_t i = (size_t)((const unsigned char *)block - board->memory) / board->stride_bytes;
  assert(i < board->n);
  atomic_fetch_add_explicit(&board->blocks[i].released, 1, memory_order_release); /* (B) */
}
