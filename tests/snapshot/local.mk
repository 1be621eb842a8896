check_PROGRAMS += %D%/check_snapshot %D%/check_board
%C%_check_snapshot_SOURCES = %D%/check_snapshot.c %D%/walk.h
%C%_check_snapshot_LDADD = $(CHECK_LDADD)
%C%_check_board_SOURCES = %D%/check_board.c
%C%_check_board_LDADD = $(CHECK_LDADD)

if FUZZING
FUZZERS += %D%/fuzz_snapshot
noinst_PROGRAMS += %D%/fuzz_snapshot
%C%_fuzz_snapshot_SOURCES = %D%/fuzz_snapshot.c %D%/walk.h
%C%_fuzz_snapshot_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
%C%_fuzz_snapshot_LDADD = src/snapshot/libsnapshot.a src/core/libcore.a
endif
