#include "bell.h"

#include <string.h>

static const int64_t forget_ns = 60 * CT_NS_PER_S;

static struct bell_known *find(struct bell *bell, const char *id, unsigned which)
{
  for (uint32_t i = 0; i < bell->n; i++)
    if (bell->known[i].which == which && strncmp(bell->known[i].id, id, CT_NAME) == 0)
      return &bell->known[i];
  return NULL;
}

static void forget(struct bell *bell, int64_t now_ns)
{
  uint32_t kept = 0;
  for (uint32_t i = 0; i < bell->n; i++)
    if (now_ns - bell->known[i].seen_ns <= forget_ns)
      bell->known[kept++] = bell->known[i];
  bell->n = kept;
}

/* How many alarms of this id are before it in the list. */
static unsigned place_of(const struct ct_snapshot_core *core, uint32_t alarm)
{
  unsigned which = 0;
  for (uint32_t i = 0; i < alarm; i++)
    which += core->alarms[i].severity == CT_CRITICAL && strncmp(core->alarms[i].id, core->alarms[alarm].id, CT_NAME) == 0;
  return which;
}

bool bell_rings(struct bell *bell, const struct ct_snapshot_core *core)
{
  bool news = false;
  forget(bell, core->wall_ns);
  for (uint32_t i = 0; i < core->n_alarms && i < CT_SNAPSHOT_ALARMS; i++) {
    const struct ct_snapshot_alarm *alarm = &core->alarms[i];
    if (alarm->severity != CT_CRITICAL)
      continue;
    unsigned which = place_of(core, i);
    struct bell_known *known = find(bell, alarm->id, which);
    if (known == NULL && bell->n < CT_SNAPSHOT_ALARMS) {
      known = &bell->known[bell->n++];
      memcpy(known->id, alarm->id, CT_NAME);
      known->which = which;
      news = true;
    }
    if (known != NULL)
      known->seen_ns = core->wall_ns;
  }
  news = news && bell->listening;
  bell->listening = true;
  return news;
}
