# The programs: only main() lives here.
bin_PROGRAMS += comptop
comptop_SOURCES = src/comptop.c
comptop_LDADD = $(ROOMS) $(ROOM_LIBS)
bin_PROGRAMS += comptop-replay
comptop_replay_SOURCES = src/comptop-replay.c
comptop_replay_LDADD = $(ROOMS) $(ROOM_LIBS)
bin_PROGRAMS += comptop-sim
comptop_sim_SOURCES = src/comptop-sim.c
comptop_sim_LDADD = $(ROOMS) $(ROOM_LIBS)
bin_PROGRAMS += comptop-archive
comptop_archive_SOURCES = src/comptop-archive.c
comptop_archive_LDADD = $(ROOMS) $(ROOM_LIBS)
