noinst_LIBRARIES += %D%/libframe.a
%C%_libframe_a_SOURCES = %D%/frame.c %D%/track.c
