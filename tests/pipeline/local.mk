check_PROGRAMS += %D%/check_publish
%C%_check_publish_SOURCES = %D%/check_publish.c
%C%_check_publish_LDADD = $(CHECK_LDADD)
check_PROGRAMS += %D%/check_replay
%C%_check_replay_SOURCES = %D%/check_replay.c
%C%_check_replay_LDADD = $(CHECK_LDADD)
