noinst_LIBRARIES += %D%/libframe.a
%C%_libframe_a_SOURCES = %D%/frame.c %D%/pixels.c %D%/track.c %D%/bslz4.c %D%/lz4blocks.c %D%/bytes.h
