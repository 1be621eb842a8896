check_PROGRAMS += %D%/check_axis %D%/check_field %D%/check_kernel %D%/check_slice
%C%_check_axis_SOURCES = %D%/check_axis.c %D%/phantom.c %D%/phantom.h
%C%_check_axis_LDADD = $(CHECK_LDADD)
%C%_check_field_SOURCES = %D%/check_field.c %D%/phantom.c %D%/phantom.h
%C%_check_field_LDADD = $(CHECK_LDADD)
%C%_check_kernel_SOURCES = %D%/check_kernel.c %D%/phantom.c %D%/phantom.h
%C%_check_kernel_LDADD = $(CHECK_LDADD)
%C%_check_slice_SOURCES = %D%/check_slice.c %D%/phantom.c %D%/phantom.h
%C%_check_slice_LDADD = $(CHECK_LDADD)
check_PROGRAMS += %D%/check_scan
%C%_check_scan_SOURCES = %D%/check_scan.c
%C%_check_scan_LDADD = $(CHECK_LDADD)

EXTRA_PROGRAMS += %D%/bench_slice
BENCHES += %D%/bench_slice
%C%_bench_slice_SOURCES = %D%/bench_slice.c %D%/phantom.c %D%/phantom.h
%C%_bench_slice_LDADD = $(ROOMS) $(ROOM_LIBS)
