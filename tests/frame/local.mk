check_PROGRAMS += %D%/check_track %D%/check_packed
%C%_check_track_SOURCES = %D%/check_track.c
%C%_check_track_LDADD = $(CHECK_LDADD)
%C%_check_packed_SOURCES = %D%/check_packed.c
%C%_check_packed_LDADD = $(CHECK_LDADD)
