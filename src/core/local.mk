noinst_LIBRARIES += %D%/libcore.a
%C%_libcore_a_SOURCES = %D%/core.c %D%/parse.c %D%/file.c %D%/file.h %D%/map.c %D%/options.c %D%/options.h \
  %D%/options_help.c %D%/settings.c %D%/settings_store.h %D%/settings_file.c %D%/settings_flags.c %D%/comptop_options.c
%C%_libcore_a_SOURCES += %D%/settings_live.c %D%/settings_save.c %D%/config_edit.c
%C%_libcore_a_CPPFLAGS = $(AM_CPPFLAGS) -DSYSCONFDIR='"$(sysconfdir)"'
