noinst_LIBRARIES += %D%/libmonitor.a
%C%_libmonitor_a_SOURCES = \
  %D%/alarms.c %D%/alarms.h %D%/alarms_change.c \
  %D%/attach.c %D%/attach.h \
  %D%/batch.c %D%/batch.h \
  %D%/check.c %D%/check.h \
  %D%/collect.c %D%/collect.h \
  %D%/collector.c %D%/collector.h %D%/collector_alarms.c %D%/compose.c %D%/streams.c \
  %D%/save.c %D%/save.h \
  %D%/demo.c %D%/demo.h \
  %D%/detector.c %D%/detector.h \
  %D%/desk.c %D%/desk.h \
  %D%/feed.h \
  %D%/history.c %D%/history.h \
  %D%/monitor.c \
  %D%/outlet.c %D%/outlet.h \
  %D%/past.c %D%/past.h \
  %D%/rundir.c %D%/rundir.h \
  %D%/screen.c %D%/screen_keys.c %D%/screen_errand.c %D%/screen_state.h %D%/screen.h \
  %D%/serve.c %D%/serve.h \
  %D%/setup.c %D%/setup.h \
  %D%/setup_camera.c \
  %D%/setup_from.c \
  %D%/setup_compton.c %D%/keepsakes.c %D%/keepsakes.h %D%/table.c %D%/table.h \
  %D%/setup_lithium.c
%C%_libmonitor_a_SOURCES += %D%/setup_maps.c %D%/from.c %D%/from.h %D%/reprocess.c %D%/reprocess.h
%C%_libmonitor_a_SOURCES += %D%/setup_watch.c
%C%_libmonitor_a_SOURCES += %D%/follow.c %D%/follow.h %D%/xray.c %D%/xray.h
%C%_libmonitor_a_SOURCES += %D%/settings_change.c %D%/settings_change.h %D%/viewer_settings.c %D%/viewer_settings.h
%C%_libmonitor_a_SOURCES += %D%/bell.c %D%/bell.h
%C%_libmonitor_a_SOURCES += %D%/paint.c %D%/paint.h
