check_PROGRAMS += %D%/check_wire %D%/check_header %D%/check_bsread %D%/check_dectris
%C%_check_wire_SOURCES = %D%/check_wire.c %D%/samples.h
%C%_check_wire_LDADD = $(CHECK_LDADD)
%C%_check_header_SOURCES = %D%/check_header.c %D%/samples.h
%C%_check_header_LDADD = $(CHECK_LDADD)
%C%_check_dectris_SOURCES = %D%/check_dectris.c %D%/samples.h
%C%_check_dectris_LDADD = $(CHECK_LDADD)
%C%_check_bsread_SOURCES = %D%/check_bsread.c %D%/samples.h
%C%_check_bsread_LDADD = $(CHECK_LDADD)

EXTRA_PROGRAMS += %D%/bench_wire
%C%_bench_wire_SOURCES = %D%/bench_wire.c
%C%_bench_wire_LDADD = $(CHECK_LDADD)
BENCHES += %D%/bench_wire

if FUZZING
FUZZERS += %D%/fuzz_header %D%/fuzz_bsread
noinst_PROGRAMS += %D%/fuzz_header %D%/fuzz_bsread
%C%_fuzz_header_SOURCES = %D%/fuzz_header.c
%C%_fuzz_header_LDADD = $(CHECK_LDADD)
%C%_fuzz_header_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_bsread_SOURCES = %D%/fuzz_bsread.c
%C%_fuzz_bsread_LDADD = $(CHECK_LDADD)
%C%_fuzz_bsread_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif
