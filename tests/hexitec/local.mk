check_PROGRAMS += %D%/check_bits %D%/check_health %D%/check_hexitec %D%/check_mask %D%/check_twin
%C%_check_bits_SOURCES = %D%/check_bits.c %D%/twin.h
%C%_check_bits_LDADD = $(CHECK_LDADD)
%C%_check_health_SOURCES = %D%/check_health.c %D%/twin.h
%C%_check_health_LDADD = $(CHECK_LDADD)
%C%_check_hexitec_SOURCES = %D%/check_hexitec.c
%C%_check_hexitec_LDADD = $(CHECK_LDADD)
%C%_check_mask_SOURCES = %D%/check_mask.c %D%/twin.h
%C%_check_mask_LDADD = $(CHECK_LDADD)
%C%_check_twin_SOURCES = %D%/check_twin.c %D%/twin.c %D%/twin.h
%C%_check_twin_LDADD = $(CHECK_LDADD)

EXTRA_PROGRAMS += %D%/bench_chain
BENCHES += %D%/bench_chain
%C%_bench_chain_SOURCES = %D%/bench_chain.c %D%/twin.h
%C%_bench_chain_LDADD = $(ROOMS) $(ROOM_LIBS)
