check_PROGRAMS += %D%/check_report
%C%_check_report_SOURCES = %D%/check_report.c %D%/samples.c %D%/samples.h
%C%_check_report_LDADD = $(CHECK_LDADD)
dist_check_SCRIPTS += %D%/json-jq.sh
check_PROGRAMS += %D%/check_picture
%C%_check_picture_SOURCES = %D%/check_picture.c
%C%_check_picture_LDADD = $(CHECK_LDADD)
