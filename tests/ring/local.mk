BENCHES += %D%/bench_ring
EXTRA_PROGRAMS += %D%/bench_ring
%C%_bench_ring_SOURCES = %D%/bench_ring.c
%C%_bench_ring_CFLAGS = $(AM_CFLAGS) $(CK_CFLAGS)
%C%_bench_ring_LDADD = src/ring/libring.a src/core/libcore.a $(CK_LIBS)
