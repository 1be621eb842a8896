BENCHES += %D%/bench_ring
EXTRA_PROGRAMS += %D%/bench_ring
%C%_bench_ring_SOURCES = %D%/bench_ring.c
%C%_bench_ring_CFLAGS = $(AM_CFLAGS) $(CK_CFLAGS)
%C%_bench_ring_LDADD = src/ring/libring.a src/core/libcore.a $(CK_LIBS)

check_PROGRAMS += %D%/check_ring %D%/check_ring_threads
%C%_check_ring_SOURCES = %D%/check_ring.c
%C%_check_ring_LDADD = $(CHECK_LDADD)
%C%_check_ring_threads_SOURCES = %D%/check_ring_threads.c
%C%_check_ring_threads_LDADD = $(CHECK_LDADD)
