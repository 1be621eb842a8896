BENCHES += %D%/bench_map
EXTRA_PROGRAMS += %D%/bench_map
%C%_bench_map_SOURCES = %D%/bench_map.c
%C%_bench_map_LDADD = $(ROOMS) $(ROOM_LIBS)
