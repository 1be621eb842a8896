check_PROGRAMS += %D%/check_slice
%C%_check_slice_SOURCES = %D%/check_slice.c %D%/phantom.c %D%/phantom.h
%C%_check_slice_LDADD = $(CHECK_LDADD)
