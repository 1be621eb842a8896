noinst_LIBRARIES += %D%/libarchive.a
%C%_libarchive_a_SOURCES = %D%/h5.c %D%/h5.h %D%/bslz4.c %D%/bslz4.h %D%/read.c
