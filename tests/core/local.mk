check_PROGRAMS += %D%/check_core %D%/check_parse
%C%_check_core_SOURCES = %D%/check_core.c %D%/cmocka_all.h
%C%_check_core_LDADD = $(CHECK_LDADD)
%C%_check_parse_SOURCES = %D%/check_parse.c %D%/cmocka_all.h
%C%_check_parse_LDADD = $(CHECK_LDADD)
check_PROGRAMS += %D%/check_settings %D%/check_config
%C%_check_settings_SOURCES = %D%/check_settings.c %D%/cmocka_all.h
%C%_check_settings_LDADD = $(CHECK_LDADD)
%C%_check_config_SOURCES = %D%/check_config.c %D%/cmocka_all.h
%C%_check_config_LDADD = $(CHECK_LDADD)

# The fuzz targets run in `make check` too, on inputs that are the same each time.
check_PROGRAMS += %D%/check_fuzz_config %D%/check_fuzz_map
%C%_check_fuzz_config_SOURCES = %D%/check_fuzz.c %D%/fuzz_config.c %D%/fuzz.h %D%/cmocka_all.h
%C%_check_fuzz_config_LDADD = $(CHECK_LDADD)
%C%_check_fuzz_map_SOURCES = %D%/check_fuzz.c %D%/fuzz_map.c %D%/fuzz.h %D%/cmocka_all.h
%C%_check_fuzz_map_LDADD = $(CHECK_LDADD)

if FUZZING
FUZZERS += %D%/fuzz_config %D%/fuzz_map
noinst_PROGRAMS += %D%/fuzz_config %D%/fuzz_map
%C%_fuzz_config_SOURCES = %D%/fuzz_config.c %D%/fuzz.h
%C%_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_config_LDADD = src/core/libcore.a $(INIH_LIBS)
%C%_fuzz_map_SOURCES = %D%/fuzz_map.c %D%/fuzz.h
%C%_fuzz_map_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_map_LDADD = src/core/libcore.a $(INIH_LIBS)
endif

dist_check_SCRIPTS += %D%/man-check.sh
check_PROGRAMS += %D%/check_live
%C%_check_live_SOURCES = %D%/check_live.c %D%/cmocka_all.h
%C%_check_live_LDADD = $(CHECK_LDADD)
