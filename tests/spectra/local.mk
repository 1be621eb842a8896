check_PROGRAMS += %D%/check_cells %D%/check_peak %D%/check_spectra
%C%_check_peak_SOURCES = %D%/check_peak.c
%C%_check_peak_LDADD = $(CHECK_LDADD)
%C%_check_spectra_SOURCES = %D%/check_spectra.c
%C%_check_spectra_LDADD = $(CHECK_LDADD)
%C%_check_cells_SOURCES = %D%/check_cells.c
%C%_check_cells_LDADD = $(CHECK_LDADD)
check_PROGRAMS += %D%/check_hxt %D%/check_fuzz_hxt
%C%_check_hxt_SOURCES = %D%/check_hxt.c
%C%_check_hxt_LDADD = $(CHECK_LDADD)
%C%_check_fuzz_hxt_SOURCES = tests/core/check_fuzz.c %D%/fuzz_hxt.c tests/core/fuzz.h tests/core/cmocka_all.h
%C%_check_fuzz_hxt_LDADD = $(CHECK_LDADD)

if FUZZING
FUZZERS += %D%/fuzz_hxt
noinst_PROGRAMS += %D%/fuzz_hxt
%C%_fuzz_hxt_SOURCES = %D%/fuzz_hxt.c tests/core/fuzz.h
%C%_fuzz_hxt_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_hxt_LDADD = src/spectra/libspectra.a src/core/libcore.a $(INIH_LIBS)
endif
check_PROGRAMS += %D%/check_window
%C%_check_window_SOURCES = %D%/check_window.c
%C%_check_window_LDADD = $(CHECK_LDADD)
