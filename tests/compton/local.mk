check_PROGRAMS += \
  %D%/check_adaptive \
  %D%/check_biggs \
  %D%/check_corrections \
  %D%/check_drift \
  %D%/check_emf \
  %D%/check_flat \
  %D%/check_geometry \
  %D%/check_kinematics \
  %D%/check_lithium \
  %D%/check_peaks \
  %D%/check_places \
  %D%/check_profile \
  %D%/check_pulls \
  %D%/check_reference \
  %D%/check_setup
%C%_check_adaptive_SOURCES = %D%/check_adaptive.c %D%/common.h
%C%_check_adaptive_LDADD = $(CHECK_LDADD)
%C%_check_biggs_SOURCES = %D%/check_biggs.c %D%/biggs.h %D%/common.h
%C%_check_biggs_LDADD = $(CHECK_LDADD)
%C%_check_corrections_SOURCES = %D%/check_corrections.c %D%/common.h
%C%_check_corrections_LDADD = $(CHECK_LDADD)
%C%_check_drift_SOURCES = %D%/check_drift.c %D%/common.h
%C%_check_drift_LDADD = $(CHECK_LDADD)
%C%_check_emf_SOURCES = %D%/check_emf.c %D%/common.h
%C%_check_emf_LDADD = $(CHECK_LDADD)
%C%_check_flat_SOURCES = %D%/check_flat.c %D%/common.h
%C%_check_flat_LDADD = $(CHECK_LDADD)
%C%_check_geometry_SOURCES = %D%/check_geometry.c %D%/common.h
%C%_check_geometry_LDADD = $(CHECK_LDADD)
%C%_check_kinematics_SOURCES = %D%/check_kinematics.c %D%/common.h
%C%_check_kinematics_LDADD = $(CHECK_LDADD)
%C%_check_lithium_SOURCES = %D%/check_lithium.c %D%/common.h
%C%_check_lithium_LDADD = $(CHECK_LDADD)
%C%_check_peaks_SOURCES = %D%/check_peaks.c %D%/common.h
%C%_check_peaks_LDADD = $(CHECK_LDADD)
%C%_check_places_SOURCES = %D%/check_places.c %D%/common.h
%C%_check_places_LDADD = $(CHECK_LDADD)
%C%_check_profile_SOURCES = %D%/check_profile.c %D%/common.h
%C%_check_profile_LDADD = $(CHECK_LDADD)
%C%_check_pulls_SOURCES = %D%/check_pulls.c %D%/common.h
%C%_check_pulls_LDADD = $(CHECK_LDADD)
%C%_check_reference_SOURCES = %D%/check_reference.c %D%/common.h
%C%_check_reference_LDADD = $(CHECK_LDADD)
%C%_check_setup_SOURCES = %D%/check_setup.c %D%/common.h
%C%_check_setup_LDADD = $(CHECK_LDADD)

BENCHES += %D%/bench_map
EXTRA_PROGRAMS += %D%/bench_map
CLEANFILES += %D%/bench_map$(EXEEXT)
%C%_bench_map_SOURCES = %D%/bench_map.c
%C%_bench_map_LDADD = $(ROOMS) $(ROOM_LIBS)

# What contrib/bias-table prints.
EXTRA_PROGRAMS += %D%/bias_table
CLEANFILES += %D%/bias_table$(EXEEXT)
%C%_bias_table_SOURCES = %D%/bias_table.c %D%/biggs.h %D%/common.h
%C%_bias_table_LDADD = $(CHECK_LDADD)
dist_check_SCRIPTS += %D%/bias-table.sh

BENCHES += %D%/bench_drift
EXTRA_PROGRAMS += %D%/bench_drift
CLEANFILES += %D%/bench_drift$(EXEEXT)
%C%_bench_drift_SOURCES = %D%/bench_drift.c
%C%_bench_drift_LDADD = $(ROOMS) $(ROOM_LIBS)
