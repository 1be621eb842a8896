dist_check_SCRIPTS += %D%/outside.sh
dist_noinst_DATA += %D%/outside.py
check_PROGRAMS += %D%/check_keeping
%C%_check_keeping_SOURCES = %D%/check_keeping.c
%C%_check_keeping_LDADD = $(CHECK_LDADD)
dist_check_SCRIPTS += %D%/outside.sh %D%/archive.sh
dist_noinst_DATA += %D%/outside.py %D%/archive.py %D%/harness.py
