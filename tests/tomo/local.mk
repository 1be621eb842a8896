check_PROGRAMS += %D%/check_field %D%/check_kernel %D%/check_slice
%C%_check_field_SOURCES = %D%/check_field.c %D%/phantom.c %D%/phantom.h
%C%_check_field_LDADD = $(CHECK_LDADD)
%C%_check_kernel_SOURCES = %D%/check_kernel.c %D%/phantom.c %D%/phantom.h
%C%_check_kernel_LDADD = $(CHECK_LDADD)
%C%_check_slice_SOURCES = %D%/check_slice.c %D%/phantom.c %D%/phantom.h
%C%_check_slice_LDADD = $(CHECK_LDADD)
