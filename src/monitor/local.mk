noinst_LIBRARIES += %D%/libmonitor.a
%C%_libmonitor_a_SOURCES = %D%/monitor.c
