check_PROGRAMS += %D%/check_publish
%C%_check_publish_SOURCES = %D%/check_publish.c
%C%_check_publish_LDADD = $(CHECK_LDADD)
