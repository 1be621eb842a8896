dist_check_SCRIPTS += %D%/outside.sh %D%/archive.sh %D%/attach.sh %D%/logs.sh %D%/detector.sh %D%/health.sh
dist_noinst_DATA += %D%/outside.py %D%/archive.py %D%/attach.py %D%/logs.py %D%/detector.py %D%/health.py %D%/harness.py
dist_check_SCRIPTS += %D%/from.sh
dist_noinst_DATA += %D%/from.py
dist_check_SCRIPTS += %D%/slice.sh
dist_noinst_DATA += %D%/slice.py

check_PROGRAMS += %D%/check_screen_program
%C%_check_screen_program_SOURCES = %D%/check_screen_program.c tests/ui/term.c tests/ui/term.h tests/core/cmocka_all.h
%C%_check_screen_program_LDADD = $(CHECK_LDADD) $(VTERM_LIBS) -lutil
check_PROGRAMS += %D%/check_keeping
%C%_check_keeping_SOURCES = %D%/check_keeping.c
%C%_check_keeping_LDADD = $(CHECK_LDADD)
check_PROGRAMS += %D%/check_past
%C%_check_past_SOURCES = %D%/check_past.c
%C%_check_past_LDADD = $(CHECK_LDADD)
