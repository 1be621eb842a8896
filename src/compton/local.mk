noinst_LIBRARIES += %D%/libcompton.a
%C%_libcompton_a_SOURCES = %D%/compton.c
