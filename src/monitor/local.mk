noinst_LIBRARIES += %D%/libmonitor.a
%C%_libmonitor_a_SOURCES = %D%/monitor.c %D%/collect.c %D%/collect.h %D%/collector.c %D%/collector.h \
  %D%/alarms.c %D%/alarms.h %D%/history.c %D%/history.h %D%/setup.c %D%/setup_compton.c %D%/setup.h %D%/demo.c %D%/demo.h \
  %D%/check.c %D%/check.h %D%/batch.c %D%/batch.h %D%/outlet.c %D%/outlet.h %D%/screen.c %D%/screen.h %D%/feed.h %D%/desk.c %D%/desk.h \
  %D%/serve.c %D%/serve.h %D%/attach.c %D%/attach.h %D%/rundir.c %D%/rundir.h \
  %D%/setup_lithium.c
