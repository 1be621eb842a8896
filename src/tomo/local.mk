noinst_LIBRARIES += %D%/libtomo.a
%C%_libtomo_a_SOURCES = %D%/internal.h %D%/filter.h %D%/kernel.h %D%/field.c %D%/filter.c %D%/kernel.c %D%/rebuild.c %D%/scan.c %D%/slice.c %D%/weights.c
