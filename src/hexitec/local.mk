noinst_LIBRARIES += %D%/libhexitec.a
%C%_libhexitec_a_SOURCES = %D%/internal.h %D%/hexitec.c %D%/frame.c %D%/mask.c %D%/cluster.c %D%/dark.c %D%/bits.c %D%/odin.c %D%/health.c %D%/health.h %D%/verdict.c
%C%_libhexitec_a_SOURCES += %D%/calibrate.c %D%/lines.c %D%/line_fit.c %D%/line_fit.h
%C%_libhexitec_a_SOURCES += %D%/dither.c
