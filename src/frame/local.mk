noinst_LIBRARIES += %D%/libframe.a
%C%_libframe_a_SOURCES = %D%/frame.c %D%/pixels.c %D%/track.c
