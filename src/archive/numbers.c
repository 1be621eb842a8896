#include "archive/numbers.h"

#include <stdlib.h>
#include <string.h>

/* A jump of more than so many is a restart of the source (comptop-streams(7)). */
static const uint64_t restart = 1000000;

bool ct_numbers_restart(const struct ct_numbers *numbers, uint64_t number, bool late)
{
  return numbers->n > 0 && !late && (number <= numbers->reach || number - numbers->reach > restart);
}

static void add_span(struct ct_numbers *numbers, const struct ct_number_span *span)
{
  if (numbers->n == numbers->room)
    numbers->spans = ct_xgrow(numbers->spans, &numbers->room, sizeof *numbers->spans);
  numbers->spans[numbers->n++] = *span;
}

void ct_numbers_add(struct ct_numbers *numbers, uint64_t number, int64_t arrival_ns, unsigned file)
{
  struct ct_number_span *last = numbers->n > 0 ? &numbers->spans[numbers->n - 1] : NULL;
  if (last != NULL && last->file == file && last->last + 1 == number)
    last->last = number;
  else
    add_span(numbers, &(struct ct_number_span){ number, number, arrival_ns, file });
  numbers->reach = numbers->n == 1 || number > numbers->reach ? number : numbers->reach;
}

static int by_first(const void *a, const void *b)
{
  const struct ct_number_span *x = a, *y = b;
  return (x->first > y->first) - (x->first < y->first);
}

/* The next from <at> on that is there, or NULL. */
static const struct ct_number_span *there_from(const struct ct_numbers *numbers, size_t at)
{
  while (at < numbers->n && numbers->spans[at].file == CT_NUMBERS_LISTED)
    at++;
  return at < numbers->n ? &numbers->spans[at] : NULL;
}

void ct_numbers_holes(struct ct_numbers *numbers, const char *stream, const struct ct_listed *gaps, size_t n_gaps,
                      ct_hole_fn *each, void *context)
{
  const struct ct_number_span *before = NULL, *after;
  for (size_t i = 0; i < n_gaps; i++)
    if (strcmp(gaps[i].stream, stream) == 0)
      add_span(numbers, &(struct ct_number_span){ .first = gaps[i].first, .last = gaps[i].last, .file = CT_NUMBERS_LISTED });
  if (numbers->n > 0)
    qsort(numbers->spans, numbers->n, sizeof *numbers->spans, by_first);
  for (size_t i = 0; i < numbers->n; i++) {
    const struct ct_number_span *next = &numbers->spans[i];
    if (before != NULL && next->first > before->last + 1 && (after = there_from(numbers, i)) != NULL)
      each(context, before->last + 1, next->first - 1, before, after);
    if (before == NULL ? next->file != CT_NUMBERS_LISTED : next->last > before->last)
      before = next;
  }
}

void ct_numbers_clear(struct ct_numbers *numbers)
{
  numbers->n = 0;
  numbers->reach = 0;
}

void ct_numbers_free(struct ct_numbers *numbers)
{
  free(numbers->spans);
  *numbers = (struct ct_numbers){ 0 };
}
