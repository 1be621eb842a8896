/* Which frame numbers came, are missing, are lost (the rules: frame.h and DESIGN 1.4).
 *
 * What is known about the numbers first..highest of the present numbering is the list of missing ranges; a number in
 * none of them was seen. The list is ascending in number, and in age too, because gaps open only above the highest
 * (or, below the first number, with the age of the numbering itself). So ranges grow old from the front, and lookups
 * are binary searches. */
#include <comptop/frame.h>

#include <assert.h>
#include <string.h>

enum { LOST_CAPACITY = sizeof ((struct ct_track *)0)->lost / sizeof ((struct ct_track *)0)->lost[0] };

void ct_track_init(struct ct_track *track, enum ct_sampled sampled)
{
  memset(track, 0, sizeof *track);
  track->sampled_setting = sampled;
  track->counts.sampled = sampled == CT_SAMPLED_ON;
  track->now_ns = INT64_MIN;
}

/* ---- the list of missing ranges -------------------------------------------------------------- */
static struct ct_track_range *range_at(struct ct_track *track, unsigned index)
{
  return &track->ranges[(track->head + index) % CT_TRACK_RANGES];
}

/* The first range that ends at or after <number>; n_ranges when there is none. */
static unsigned range_search(struct ct_track *track, uint64_t number)
{
  unsigned low = 0, high = track->n_ranges;
  while (low < high) {
    unsigned middle = low + (high - low) / 2;
    if (range_at(track, middle)->last < number)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static void list_lost(struct ct_track *track, uint64_t first, uint64_t last)
{
  if (track->n_lost == LOST_CAPACITY) {
    track->counts.unlisted += last - first + 1;
    return;
  }
  unsigned at = (track->lost_head + track->n_lost++) % LOST_CAPACITY;
  track->lost[at].first = first;
  track->lost[at].last = last;
}

/* DESIGN 1.4: a stream of which most steps are larger than one was decimated on purpose. */
static bool steps_are_large(const struct ct_track *track)
{
  unsigned large = 0;
  for (unsigned bits = track->steps_large; bits != 0; bits &= bits - 1)
    large++;
  return 2 * large > track->steps_seen;
}

/* Before a gap is declared lost: is this a sampled stream after all? Then no open gap counts. */
static void recognise_sampled(struct ct_track *track)
{
  if (track->sampled_setting != CT_SAMPLED_AUTO || track->counts.sampled)
    return;
  if (track->steps_seen < 3 || !steps_are_large(track))
    return;
  track->counts.sampled = true;
  for (unsigned i = track->n_closed; i < track->n_ranges; i++)
    range_at(track, i)->counts = false;
}

static void lose(struct ct_track *track, const struct ct_track_range *range)
{
  if (!range->counts)
    return;
  track->counts.lost += range->last - range->first + 1;
  list_lost(track, range->first, range->last);
}

/* Gives up the oldest open range. */
static void close_oldest(struct ct_track *track)
{
  assert(track->n_closed < track->n_ranges);
  recognise_sampled(track);
  lose(track, range_at(track, track->n_closed++));
}

static void close_all(struct ct_track *track)
{
  while (track->n_closed < track->n_ranges)
    close_oldest(track);
}

static void forget_oldest(struct ct_track *track)
{
  if (track->n_closed == 0)
    close_oldest(track);
  track->floor = range_at(track, 0)->last + 1;
  track->head = (track->head + 1) % CT_TRACK_RANGES;
  track->n_ranges--;
  track->n_closed--;
}

/* Puts <range> before the one at <index>, which the caller knows to be an open one or the end. */
static void range_insert(struct ct_track *track, unsigned index, struct ct_track_range range)
{
  if (track->n_ranges == CT_TRACK_RANGES) {
    if (index == 0) {   /* it is the oldest itself */
      lose(track, &range);
      track->floor = range.last + 1;
      return;
    }
    forget_oldest(track);
    index--;
  }
  track->n_ranges++;
  for (unsigned i = track->n_ranges - 1; i > index; i--)
    *range_at(track, i) = *range_at(track, i - 1);
  *range_at(track, index) = range;
}

static void range_remove(struct ct_track *track, unsigned index)
{
  track->n_ranges--;
  for (unsigned i = index; i < track->n_ranges; i++)
    *range_at(track, i) = *range_at(track, i + 1);
}

/* first..last came; they lie within one open range. */
static void range_fill(struct ct_track *track, uint64_t first, uint64_t last)
{
  unsigned index = range_search(track, first);
  assert(index >= track->n_closed && index < track->n_ranges);
  struct ct_track_range *range = range_at(track, index);
  assert(range->first <= first && last <= range->last);
  if (range->first == first && range->last == last) {
    range_remove(track, index);
  } else if (range->first == first) {
    range->first = last + 1;
  } else if (range->last == last) {
    range->last = first - 1;
  } else {
    struct ct_track_range lower = *range;
    lower.last = first - 1;
    range->first = last + 1;
    range_insert(track, index, lower);
  }
}

/* ---- accepting ------------------------------------------------------------------------------- */
/* first..last begin the stream, or a restart. */
static void begin_numbering(struct ct_track *track, uint64_t first, uint64_t last)
{
  if (track->started)
    track->counts.restarts++;
  close_all(track);
  track->n_ranges = track->n_closed = 0;
  track->floor = 0;
  track->started = true;
  track->started_ns = track->now_ns;
  track->rejoined = false;
  track->counts.frames += last - first + 1;
  track->counts.first = first;
  track->counts.highest = last;
}

static void count_step(struct ct_track *track, bool large)
{
  const unsigned mask = (1u << CT_TRACK_STEPS) - 1;
  track->steps_large = (track->steps_large << 1 | (large ? 1u : 0u)) & mask;
  if (track->steps_seen < CT_TRACK_STEPS)
    track->steps_seen++;
  if (track->sampled_setting == CT_SAMPLED_AUTO && track->counts.sampled && !steps_are_large(track))
    track->counts.sampled = false;
}

/* first..last are new and above everything. */
static void take_forward(struct ct_track *track, uint64_t first, uint64_t last)
{
  if (!track->started || first - track->counts.highest > CT_TRACK_JUMP) {
    begin_numbering(track, first, last);
    return;
  }
  uint64_t expected = track->counts.highest + 1;
  count_step(track, first > expected);
  if (first > expected)
    range_insert(track, track->n_ranges,
                 (struct ct_track_range){ expected, first - 1, track->now_ns, !track->counts.sampled });
  track->counts.frames += last - first + 1;
  track->counts.highest = last;
  track->rejoined = false;
}

/* first..last lie below the first number of the numbering: the stream was joined while they were on their way. What
 * is still missing between may come too, but is no loss: it may have left before we listened. */
static void take_below(struct ct_track *track, uint64_t first, uint64_t last)
{
  uint64_t old_first = track->counts.first;
  track->counts.first = first;
  if (last + 1 < old_first)
    range_insert(track, 0, (struct ct_track_range){ last + 1, old_first - 1, track->started_ns, false });
}

static void take_late(struct ct_track *track, uint64_t first, uint64_t last)
{
  track->counts.frames += last - first + 1;
  track->counts.late += last - first + 1;
  if (first < track->counts.first)
    take_below(track, first, last);
  else
    range_fill(track, first, last);
}

/* ---- judging --------------------------------------------------------------------------------- */
static enum ct_verdict judge_below(const struct ct_track *track, uint64_t number)
{
  bool on_its_way = track->n_closed == 0 && track->now_ns - track->started_ns < CT_TRACK_PATIENCE_NS;
  bool near = track->counts.highest - number < CT_TRACK_FAR;
  return on_its_way && near ? CT_TAKE_LATE : CT_DROP_TOO_LATE;
}

/* The verdict on <number>, and in *end up to which number (at most <last>) it holds. */
static enum ct_verdict judge(struct ct_track *track, uint64_t number, uint64_t last, uint64_t *end)
{
  *end = last;
  if (!track->started || number > track->counts.highest)
    return CT_TAKE;
  if (*end > track->counts.highest)
    *end = track->counts.highest;
  if (number < track->counts.first) {
    if (*end >= track->counts.first)
      *end = track->counts.first - 1;
    /* The near part of a run that begins far below gets its own verdict. */
    enum ct_verdict verdict = judge_below(track, number);
    if (verdict != judge_below(track, *end))
      *end = track->counts.highest - CT_TRACK_FAR;
    return verdict;
  }
  if (number < track->floor) {
    if (*end >= track->floor)
      *end = track->floor - 1;
    return CT_DROP_TOO_LATE;
  }
  unsigned index = range_search(track, number);
  if (index == track->n_ranges)
    return CT_DROP_DUPLICATE;
  const struct ct_track_range *range = range_at(track, index);
  if (number < range->first) {
    if (*end >= range->first)
      *end = range->first - 1;
    return CT_DROP_DUPLICATE;
  }
  if (*end > range->last)
    *end = range->last;
  return index < track->n_closed ? CT_DROP_TOO_LATE : CT_TAKE_LATE;
}

static void append_span(struct ct_track_result *result, uint32_t offset, uint32_t count, enum ct_verdict verdict)
{
  struct ct_span *last = result->n_spans > 0 ? &result->spans[result->n_spans - 1] : NULL;
  if (last != NULL && last->verdict == verdict) {
    last->count += count;
    return;
  }
  assert(result->n_spans < CT_TRACK_SPANS);
  result->spans[result->n_spans++] = (struct ct_span){ offset, count, verdict };
}

static void judge_message(struct ct_track *track, uint64_t first, uint32_t count, struct ct_track_result *result)
{
  const uint64_t last = first + (count - 1);
  for (uint32_t offset = 0; offset < count;) {
    uint64_t end;
    enum ct_verdict verdict = judge(track, first + offset, last, &end);
    uint32_t length = (uint32_t)(end - first) - offset + 1;
    if (result->n_spans == CT_TRACK_SPANS - 1 && offset + length < count) {
      length = count - offset;
      verdict = CT_DROP_TOO_LATE;
    }
    append_span(result, offset, length, verdict);
    offset += length;
  }
}

static uint64_t frames_with(const struct ct_track_result *result, enum ct_verdict verdict)
{
  uint64_t frames = 0;
  for (unsigned i = 0; i < result->n_spans; i++)
    if (result->spans[i].verdict == verdict)
      frames += result->spans[i].count;
  return frames;
}

/* ---- restarts downwards ---------------------------------------------------------------------- */
static void forget_held(struct ct_track *track)
{
  track->n_held = 0;
  track->held_numbers = track->held_duplicate = track->held_too_late = 0;
}

static enum ct_held drop_held(struct ct_track *track)
{
  if (track->n_held == 0)
    return CT_HELD_KEEP;
  track->counts.duplicate += track->held_duplicate;
  track->counts.too_late += track->held_too_late;
  forget_held(track);
  return CT_HELD_DROP;
}

static bool is_far(const struct ct_track *track, uint64_t number)
{
  return track->counts.highest - number >= CT_TRACK_FAR;
}

/* Far enough below to be of another numbering; after a reconnection nobody sends old numbers again, so any are. */
static bool is_low(const struct ct_track *track, uint64_t number)
{
  return track->rejoined || is_far(track, number);
}

static bool begins_low(const struct ct_track *track, uint64_t number)
{
  return number <= 1 || number <= track->counts.first;
}

static uint64_t held_last(const struct ct_track *track, unsigned index)
{
  return track->held[index].first + (track->held[index].count - 1);
}

/* The held messages and first..last begin a new numbering. */
static void restart(struct ct_track *track, uint64_t first, uint64_t last)
{
  unsigned n_held = track->n_held;
  if (n_held == 0) {
    begin_numbering(track, first, last);
    return;
  }
  begin_numbering(track, track->held[0].first, held_last(track, 0));
  for (unsigned i = 1; i < n_held; i++)
    take_forward(track, track->held[i].first, held_last(track, i));
  take_forward(track, first, last);
  forget_held(track);
}

/* A message of which nothing can be used: one more of a run, the first of a run, or just rejected. */
static void consider_restart(struct ct_track *track, uint64_t first, uint32_t count, struct ct_track_result *result)
{
  const uint64_t last = first + (count - 1);
  bool goes_on = false;
  if (track->n_held > 0 && first > held_last(track, track->n_held - 1))
    goes_on = begins_low(track, track->held[0].first) || is_low(track, last);
  if (!goes_on)
    result->held = drop_held(track);
  if (!goes_on && !begins_low(track, first) && !is_low(track, last)) {
    track->counts.duplicate += frames_with(result, CT_DROP_DUPLICATE);
    track->counts.too_late += frames_with(result, CT_DROP_TOO_LATE);
    return;
  }
  bool whole = track->held_numbers + count >= CT_TRACK_RUN && (goes_on || is_low(track, last));
  if (whole) {
    if (goes_on)
      result->held = CT_HELD_TAKE;
    restart(track, first, last);
  } else {
    assert(track->n_held < CT_TRACK_HELD);
    track->held_since_ns = track->now_ns;
    track->held[track->n_held].first = first;
    track->held[track->n_held++].count = count;
    track->held_numbers += count;
    track->held_duplicate += frames_with(result, CT_DROP_DUPLICATE);
    track->held_too_late += frames_with(result, CT_DROP_TOO_LATE);
  }
  result->n_spans = 1;
  result->spans[0] = (struct ct_span){ 0, count, whole ? CT_TAKE : CT_HOLD };
}

/* ---- the door -------------------------------------------------------------------------------- */
static void apply(struct ct_track *track, uint64_t first, struct ct_track_result *result)
{
  for (unsigned i = 0; i < result->n_spans; i++) {
    const struct ct_span *span = &result->spans[i];
    uint64_t from = first + span->offset, to = from + (span->count - 1);
    switch (span->verdict) {
    case CT_TAKE: take_forward(track, from, to); break;
    case CT_TAKE_LATE: take_late(track, from, to); break;
    case CT_DROP_DUPLICATE: track->counts.duplicate += span->count; break;
    case CT_DROP_TOO_LATE: track->counts.too_late += span->count; break;
    case CT_HOLD: break;   /* never judged so here */
    }
  }
}

int ct_track_add(struct ct_track *track, uint64_t first, uint32_t count, int64_t now_ns,
                 struct ct_track_result *result)
{
  result->held = CT_HELD_KEEP;
  result->n_spans = 0;
  if (count == 0 || first > UINT64_MAX - (count - 1))
    return CT_ERANGE;
  enum ct_held aged = ct_track_tick(track, now_ns);
  if (track->anew) {
    track->anew = false;
    result->held = aged == CT_HELD_DROP ? aged : drop_held(track);
    begin_numbering(track, first, first + (count - 1));
    result->spans[result->n_spans++] = (struct ct_span){ 0, count, CT_TAKE };
    return 0;
  }
  judge_message(track, first, count, result);
  bool has_new = frames_with(result, CT_TAKE) > 0;
  bool has_late = frames_with(result, CT_TAKE_LATE) > 0;
  if (has_new || has_late) {
    if (has_new)
      result->held = drop_held(track);
    apply(track, first, result);
  } else {
    consider_restart(track, first, count, result);
  }
  if (aged == CT_HELD_DROP)
    result->held = CT_HELD_DROP;
  return 0;
}

enum ct_held ct_track_tick(struct ct_track *track, int64_t now_ns)
{
  if (now_ns > track->now_ns)
    track->now_ns = now_ns;
  while (track->n_closed < track->n_ranges &&
         track->now_ns - range_at(track, track->n_closed)->opened_ns >= CT_TRACK_PATIENCE_NS)
    close_oldest(track);
  if (track->n_held > 0 && track->now_ns - track->held_since_ns >= CT_TRACK_PATIENCE_NS)
    return drop_held(track);
  return CT_HELD_KEEP;
}

void ct_track_rejoin(struct ct_track *track) { track->rejoined = track->started; }

enum ct_held ct_track_end(struct ct_track *track)
{
  close_all(track);
  return drop_held(track);
}

void ct_track_anew(struct ct_track *track) { track->anew = track->started; }

bool ct_track_lost_next(struct ct_track *track, uint64_t *first, uint64_t *last)
{
  if (track->n_lost == 0)
    return false;
  *first = track->lost[track->lost_head].first;
  *last = track->lost[track->lost_head].last;
  track->lost_head = (track->lost_head + 1) % LOST_CAPACITY;
  track->n_lost--;
  return true;
}
