noinst_LIBRARIES += %D%/libcore.a
%C%_libcore_a_SOURCES = %D%/core.c
