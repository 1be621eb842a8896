# The programs: only main() lives here.
bin_PROGRAMS += comptop
comptop_SOURCES = src/comptop.c
comptop_LDADD = $(ROOMS) $(ROOM_LIBS)
