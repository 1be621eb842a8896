noinst_LIBRARIES += %D%/libmonitor.a
%C%_libmonitor_a_SOURCES = %D%/monitor.c %D%/collector.c %D%/collector.h %D%/alarms.c %D%/alarms.h %D%/setup.c %D%/setup.h \
  %D%/demo.c %D%/demo.h %D%/check.c %D%/check.h
