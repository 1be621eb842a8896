#include "settings_change.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector.h"

static const char screen_section[] = "screen.";

void settings_draw(const struct ct_settings *settings, struct ct_snapshot_builder *builder, const struct ct_request *request)
{
  struct ct_settings_parts parts;
  char *packed = ct_xcalloc(1, CT_SETTINGS_BYTES);
  size_t bytes = ct_settings_pack(settings, NULL, packed, CT_SETTINGS_BYTES);
  if (ct_snapshot_add_settings(builder, request, (uint32_t)bytes, &parts))
    memcpy(parts.packed, packed, bytes);
  free(packed);
}

/* Into the archive and the log at once, and onto every screen. */
static void log_change(struct collector *c, const char *path, int64_t now_ns)
{
  struct ct_snapshot_alarm *change = &c->change;
  const char *now = ct_settings_text(c->settings, path), *before = ct_settings_before(c->settings);
  *change = (struct ct_snapshot_alarm){ .id = "setting", .severity = CT_NOTICE, .since_ns = now_ns };
  snprintf(change->text, sizeof change->text, "%s = %.80s, it was %.80s", path, *now ? now : "nothing", *before ? before : "nothing");
  alarms_note(&c->alarms, now_ns, change->id, change->text);
}

int collector_change(struct collector *c, const char *path, const char *text, struct ct_err *answer)
{
  const int64_t now_ns = ct_time_wall_ns();
  if (strncmp(path, screen_section, sizeof screen_section - 1) == 0)
    return ct_err_set(answer, CT_ECONFIG, "%.100s: is each viewer's own", path);
  int code = ct_settings_change(c->settings, path, text, now_ns, answer);
  if (code != 0)
    return code;
  code = ct_setup_change(&c->setup, c->settings, c->analysis, answer);
  if (code != 0) {
    ct_settings_undo(c->settings);
    return code;
  }
  if (c->reconstruction != NULL && strcmp(path, "camera.axis_px") == 0)
    ct_reconstruction_fix_axis(c->reconstruction, ct_settings_real(c->settings, path));
  log_change(c, path, now_ns);
  const char *value = ct_settings_text(c->settings, path);
  ct_err_set(answer, 0, "%s %s%.80s from now on, for all viewers; W keeps it for the next start", path,
             value[0] != '\0' ? "= " : "is not set", value);
  return 0;
}

/* The settings of a viewer's own that go into our file. */
static int take_own(struct ct_settings *settings, const char *texts, const char *end, struct ct_err *answer)
{
  int code = 0;
  for (; texts < end && code == 0; texts += strlen(texts) + 1) {
    char path[64];
    const char *value = strchr(texts, '=');
    if (value == NULL || (size_t)(value - texts) >= sizeof path || strncmp(texts, screen_section, sizeof screen_section - 1) != 0)
      continue;
    snprintf(path, sizeof path, "%.*s", (int)(value - texts), texts);
    code = ct_settings_change(settings, path, value + 1, ct_time_wall_ns(), answer);
  }
  return code;
}

int collector_save_settings(struct collector *c, const char *texts, size_t bytes, struct ct_err *answer)
{
  char ours[PATH_MAX];
  const char *path = ct_settings_file(c->settings, ours, sizeof ours);
  int n = 0;
  if (strcmp(texts, ours) == 0)
    n = take_own(c->settings, texts + strlen(texts) + 1, texts + bytes, answer);
  if (n == 0 && ct_settings_changed(c->settings) > 0)
    n = ct_settings_save(c->settings, &path, answer);
  if (n >= 0)
    ct_err_set(answer, 0, "%s", ct_settings_file(c->settings, ours, sizeof ours));
  return n;
}
