/* Settings of the running collector: told to viewers, changed and saved by them (collector_change and
 * collector_save_settings, in collector.h). Internal to monitor. */
#ifndef MONITOR_SETTINGS_CHANGE_H
#define MONITOR_SETTINGS_CHANGE_H

#include <comptop/snapshot.h>

/* Adds the section for a request of settings. */
void settings_draw(const struct ct_settings *settings, struct ct_snapshot_builder *builder, const struct ct_request *request);

#endif
