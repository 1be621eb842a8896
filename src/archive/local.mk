noinst_LIBRARIES += %D%/libarchive.a
%C%_libarchive_a_SOURCES = %D%/archive.c
