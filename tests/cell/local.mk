check_PROGRAMS += %D%/check_cell
%C%_check_cell_SOURCES = %D%/check_cell.c
%C%_check_cell_LDADD = $(CHECK_LDADD)
check_PROGRAMS += %D%/check_mpt %D%/check_fuzz_mpt
%C%_check_mpt_SOURCES = %D%/check_mpt.c
%C%_check_mpt_LDADD = $(CHECK_LDADD)
%C%_check_fuzz_mpt_SOURCES = tests/core/check_fuzz.c %D%/fuzz_mpt.c tests/core/fuzz.h tests/core/cmocka_all.h
%C%_check_fuzz_mpt_LDADD = $(CHECK_LDADD)

if FUZZING
FUZZERS += %D%/fuzz_mpt
noinst_PROGRAMS += %D%/fuzz_mpt
%C%_fuzz_mpt_SOURCES = %D%/fuzz_mpt.c tests/core/fuzz.h
%C%_fuzz_mpt_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_mpt_LDADD = src/cell/libcell.a src/core/libcore.a $(INIH_LIBS)
endif
