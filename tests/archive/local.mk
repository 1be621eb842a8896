check_PROGRAMS += %D%/check_read %D%/check_bslz4
%C%_check_read_SOURCES = %D%/check_read.c
%C%_check_read_LDADD = $(CHECK_LDADD)
%C%_check_bslz4_SOURCES = %D%/check_bslz4.c
%C%_check_bslz4_LDADD = $(CHECK_LDADD)
