check_PROGRAMS += %D%/check_report
%C%_check_report_SOURCES = %D%/check_report.c %D%/samples.c %D%/samples.h
%C%_check_report_LDADD = $(CHECK_LDADD)
dist_check_SCRIPTS += %D%/json-jq.sh
