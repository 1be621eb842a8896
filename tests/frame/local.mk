check_PROGRAMS += %D%/check_track
%C%_check_track_SOURCES = %D%/check_track.c
%C%_check_track_LDADD = $(CHECK_LDADD)
