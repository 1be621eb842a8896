/* Alarms: raised for each snapshot from what it shows, remembered only to know since when. */
#include "alarms.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void alarms_begin(struct alarms *alarms)
{
  for (uint32_t i = 0; i < alarms->n; i++)
    alarms->list[i].raised = false;
}

static struct alarm *find(struct alarms *alarms, const char *id, const char *about)
{
  for (uint32_t i = 0; i < alarms->n; i++)
    if (strcmp(alarms->list[i].shown.id, id) == 0 && strcmp(alarms->list[i].about, about) == 0)
      return &alarms->list[i];
  return NULL;
}

static void tell(const struct alarms *alarms, int64_t now_ns, const struct alarm *alarm, const char *what)
{
  char now[CT_TIME_TEXT];
  if (alarms->changed)
    alarms->changed(alarms->changed_arg, &alarm->shown, alarm->raised, now_ns);
  if (alarms->log)
    fprintf(alarms->log, "comptop: %s %s%s: %s\n", ct_time_text(now_ns, now), what, alarm->shown.id, alarm->shown.text);
}

void alarms_raise(struct alarms *alarms, int64_t now_ns, const char *id, const char *about, enum ct_severity severity,
                  const char *fmt, ...)
{
  struct alarm *alarm = find(alarms, id, about);
  bool fresh = alarm == NULL;
  if (fresh) {
    if (alarms->n == CT_SNAPSHOT_ALARMS)
      return;
    alarm = &alarms->list[alarms->n++];
    memset(alarm, 0, sizeof *alarm);
    snprintf(alarm->about, sizeof alarm->about, "%s", about);
    snprintf(alarm->shown.id, sizeof alarm->shown.id, "%s", id);
    alarm->shown.since_ns = now_ns;
  }
  alarm->raised = true;
  alarm->shown.severity = severity;
  va_list args;
  va_start(args, fmt);
  vsnprintf(alarm->shown.text, sizeof alarm->shown.text, fmt, args);
  va_end(args);
  if (fresh)
    tell(alarms, now_ns, alarm, severity == CT_CRITICAL ? "critical " : severity == CT_WARNING ? "warning " : "notice ");
}

void alarms_note(const struct alarms *alarms, int64_t now_ns, const char *id, const char *text)
{
  struct alarm note = { .raised = true, .shown = { .severity = CT_NOTICE, .since_ns = now_ns } };
  snprintf(note.shown.id, sizeof note.shown.id, "%s", id);
  snprintf(note.shown.text, sizeof note.shown.text, "%s", text);
  tell(alarms, now_ns, &note, "");
}

static int worst_first(const void *a, const void *b)
{
  const struct alarm *x = a, *y = b;
  if (x->shown.severity != y->shown.severity)
    return x->shown.severity < y->shown.severity ? 1 : -1;
  return (x->shown.since_ns > y->shown.since_ns) - (x->shown.since_ns < y->shown.since_ns);
}

void alarms_end(struct alarms *alarms, int64_t now_ns, struct ct_snapshot_core *core)
{
  uint32_t kept = 0;
  for (uint32_t i = 0; i < alarms->n; i++) {
    if (!alarms->list[i].raised) {
      tell(alarms, now_ns, &alarms->list[i], "over: ");
      continue;
    }
    if (kept != i)
      alarms->list[kept] = alarms->list[i];
    kept++;
  }
  alarms->n = kept;
  qsort(alarms->list, kept, sizeof *alarms->list, worst_first);
  core->n_alarms = kept;
  for (uint32_t i = 0; i < kept; i++)
    core->alarms[i] = alarms->list[i].shown;
}
