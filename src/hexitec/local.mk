noinst_LIBRARIES += %D%/libhexitec.a
%C%_libhexitec_a_SOURCES = %D%/hexitec.c
