#include <comptop/snapshot.h>

#include <stdatomic.h>
#include <stdlib.h>

struct ct_wants {
  struct ct_board *board;
  struct ct_wants_table table;        /* writer's; what was published last */
  unsigned wanted_by[CT_WANTS];       /* writer's: how many want requests[i] */
  _Atomic uint64_t generation;        /* of the latest table; partner: ct_wants_generation */
};

/* Lets <change> go out as the latest table: CT_EBUSY if no block is free, and then nothing has happened. */
static int publish(struct ct_wants *wants, const struct ct_wants_table *change)
{
  struct ct_wants_table *table = ct_board_begin(wants->board);
  if (!table)
    return CT_EBUSY;
  wants->table = *change;
  wants->table.generation++;
  *table = wants->table;
  ct_board_publish(wants->board);
  /* release, after the table: who sees the generation finds a table at least as new */
  atomic_store_explicit(&wants->generation, wants->table.generation, memory_order_release);
  return 0;
}

int ct_wants_new(struct ct_wants **out, unsigned readers_max, struct ct_err *err)
{
  *out = NULL;
  struct ct_wants *wants = calloc(1, sizeof *wants);
  if (!wants)
    return ct_err_set(err, CT_ENOMEM, "wants: no memory");
  int rc = ct_board_new(&wants->board, readers_max, sizeof(struct ct_wants_table), err);
  if (rc) {
    free(wants);
    return rc;
  }
  atomic_init(&wants->generation, 0);
  ct_board_begin(wants->board);       /* zeroed: nobody wants anything */
  ct_board_publish(wants->board);
  *out = wants;
  return 0;
}

void ct_wants_free(struct ct_wants *wants)
{
  if (wants)
    ct_board_free(wants->board);
  free(wants);
}

static uint32_t entry_of(const struct ct_wants_table *table, const struct ct_request *request)
{
  uint32_t i = 0;
  while (i < table->n && !ct_request_equal(&table->requests[i], request))
    i++;
  return i;
}

int ct_wants_add(struct ct_wants *wants, const struct ct_request *request)
{
  uint32_t i = entry_of(&wants->table, request);
  if (i == CT_WANTS)
    return CT_ERANGE;
  if (i == wants->table.n) {
    struct ct_wants_table table = wants->table;
    table.requests[table.n++] = *request;
    int rc = publish(wants, &table);
    if (rc)
      return rc;
    wants->wanted_by[i] = 0;
  }
  wants->wanted_by[i]++;
  return 0;
}

int ct_wants_drop(struct ct_wants *wants, const struct ct_request *request)
{
  uint32_t i = entry_of(&wants->table, request);
  if (i == wants->table.n)
    return CT_ENOTFOUND;
  if (wants->wanted_by[i] > 1) {
    wants->wanted_by[i]--;
    return 0;
  }
  struct ct_wants_table table = wants->table;
  table.requests[i] = table.requests[--table.n];
  int rc = publish(wants, &table);
  if (rc == 0)
    wants->wanted_by[i] = wants->wanted_by[table.n];
  return rc;
}

uint64_t ct_wants_generation(const struct ct_wants *wants)
{
  return atomic_load_explicit(&wants->generation, memory_order_acquire); /* partner: publish */
}

const struct ct_wants_table *ct_wants_acquire(struct ct_wants *wants)
{
  return ct_board_acquire(wants->board);
}

void ct_wants_release(struct ct_wants *wants, const struct ct_wants_table *table)
{
  ct_board_release(wants->board, table);
}
