#include "viewer_settings.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "serve.h"

static bool is_own(const char *path) { return strncmp(path, "screen.", 7) == 0; }

static void answer(struct ct_view *view, int code, const char *text)
{
  snprintf(view->settings.answer, sizeof view->settings.answer, "%s", text);
  view->settings.refused = code < 0;
}

void viewer_settings_apply(struct ct_view *view, const struct ct_ui *ui, const struct ct_settings *settings, const char *changed)
{
  static const uint32_t bins[] = { 0, 1, 2, 4, 8, CT_VIEW_ADAPTIVE };
  const bool all = changed == NULL;
  const int ramp = ct_settings_word(settings, "screen.ramp");
  view->theme = (enum ct_theme)ct_settings_word(settings, "screen.theme");
  view->colours = view->theme != CT_THEME_MONO && ct_ui_colours(ui);
  view->accents = view->theme != CT_THEME_MONO && ct_ui_accents(ui);
  view->target_sigma = ct_settings_real(settings, "screen.target_sigma");
  /* These have keys of their own, which another setting must not undo. */
  if (all || strcmp(changed, "screen.theme") == 0 || strcmp(changed, "screen.ramp") == 0)
    view->ramp = ramp > 0 ? (enum ct_ramp)(ramp - 1) : ct_view_theme_ramp(view->theme);
  if (all || strcmp(changed, "screen.binning") == 0)
    view->bin = bins[ct_settings_word(settings, "screen.binning")];
  if (all || strcmp(changed, "screen.refresh_hz") == 0)
    view->link.refresh_hz = ct_settings_real(settings, "screen.refresh_hz");
  ct_view_settings_own(view, settings);
}

void viewer_settings_change(struct ct_view *view, const struct ct_ui *ui, struct ct_settings *settings, struct feed *feed,
                            bool to_default)
{
  const char *path = view->settings.path, *text = to_default ? NULL : view->settings.text;
  struct ct_err why = { "" };
  if (!is_own(path)) {
    feed->change(feed, path, text);
    return;
  }
  int code = ct_settings_change(settings, path, text, ct_time_wall_ns(), &why);
  if (code == 0)
    viewer_settings_apply(view, ui, settings, path);
  answer(view, code, why.text);
}

/* One text behind another; false where there is no room. */
static bool add(char *texts, size_t *bytes, const char *path, const char *value)
{
  int length = snprintf(texts + *bytes, SERVE_KEPT - *bytes, "%s%s%s", path, value ? "=" : "", value ? value : "");
  if (length < 0 || (size_t)length >= SERVE_KEPT - *bytes)
    return false;
  *bytes += (size_t)length + 1;
  return true;
}

void viewer_settings_keep(const struct ct_settings *settings, struct feed *feed)
{
  char texts[SERVE_KEPT], file[PATH_MAX], packed[4096];
  size_t bytes = 0, at = 0, packed_bytes = ct_settings_pack(settings, "screen", packed, sizeof packed);
  struct ct_packed_setting setting;
  (void)add(texts, &bytes, ct_settings_file(settings, file, sizeof file), NULL);
  while (ct_settings_unpack(packed, packed_bytes, &at, &setting))
    if (strncmp(setting.origin, "changed", 7) == 0)
      (void)add(texts, &bytes, setting.path, setting.text);
  feed->keep(feed, texts, bytes);
}

static void say_kept(struct ct_view *view, struct ct_settings *settings, int n, const char *file)
{
  char ours[PATH_MAX], text[sizeof view->settings.answer] = "nothing has been changed that is not saved";
  struct ct_err why = { "" };
  const char *path;
  int n_own = 0;
  const bool same = strcmp(file, ct_settings_file(settings, ours, sizeof ours)) == 0;
  if (same && n > 0)
    ct_settings_saved_by_other(settings);
  else if (ct_settings_changed(settings) > 0)
    n_own = ct_settings_save(settings, &path, &why);
  if (n > 0)
    snprintf(text, sizeof text, "%d setting%s saved in %.300s", n, n == 1 ? "" : "s", file);
  else if (n_own > 0)
    snprintf(text, sizeof text, "%d setting%s of the screen saved in %.300s", n_own, n_own == 1 ? "" : "s", ours);
  answer(view, n_own < 0 ? n_own : 0, n_own < 0 ? why.text : text);
  ct_view_settings_own(view, settings);
}

void viewer_settings_told(struct ct_view *view, struct ct_settings *settings, bool kept, int code, const char *text)
{
  if (kept && code >= 0)
    say_kept(view, settings, code, text);
  else
    answer(view, code, text);
}
