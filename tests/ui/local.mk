check_PROGRAMS += %D%/check_screen %D%/check_terminal
ui_test_sources = %D%/term.c %D%/term.h %D%/viewer.c %D%/viewer.h
%C%_check_screen_SOURCES = %D%/check_screen.c $(ui_test_sources) tests/core/cmocka_all.h
%C%_check_screen_LDADD = $(CHECK_LDADD) $(VTERM_LIBS) -lutil
%C%_check_terminal_SOURCES = %D%/check_terminal.c $(ui_test_sources) tests/core/cmocka_all.h
%C%_check_terminal_LDADD = $(CHECK_LDADD) $(VTERM_LIBS) -lutil
