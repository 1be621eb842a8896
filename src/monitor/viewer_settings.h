/* The set-up screen's doings: a viewer's own settings (screen.*) are changed here, the run's by its collector. Internal to
 * monitor. Ownership: everything is lent by the screen. */
#ifndef MONITOR_VIEWER_SETTINGS_H
#define MONITOR_VIEWER_SETTINGS_H

#include <comptop/ui.h>

#include "feed.h"

/* Brings the view to what [screen] says; <changed>: one key of it, NULL: all. */
void viewer_settings_apply(struct ct_view *view, const struct ct_ui *ui, const struct ct_settings *settings, const char *changed);
/* The selected setting to what was typed, or to its default. */
void viewer_settings_change(struct ct_view *view, const struct ct_ui *ui, struct ct_settings *settings, struct feed *feed,
                            bool to_default);
/* Saves what has changed: asks the collector, which does it for us too where we have the same file. */
void viewer_settings_keep(const struct ct_settings *settings, struct feed *feed);
/* Its answer to either: says it, and saves our own where that is left to us. */
void viewer_settings_told(struct ct_view *view, struct ct_settings *settings, bool kept, int code, const char *text);

#endif
