dist_check_SCRIPTS += %D%/outside.sh %D%/archive.sh %D%/attach.sh
dist_noinst_DATA += %D%/outside.py %D%/archive.py %D%/attach.py %D%/harness.py
check_PROGRAMS += %D%/check_keeping
%C%_check_keeping_SOURCES = %D%/check_keeping.c
%C%_check_keeping_LDADD = $(CHECK_LDADD)
