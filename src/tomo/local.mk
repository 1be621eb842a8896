noinst_LIBRARIES += %D%/libtomo.a
%C%_libtomo_a_SOURCES = %D%/internal.h %D%/axis.h %D%/filter.h %D%/kernel.h %D%/axis.c %D%/field.c %D%/filter.c \
  %D%/kernel.c %D%/mass.c %D%/paganin.c %D%/pairs.c %D%/rebuild.c %D%/rings.c %D%/scan.c %D%/slice.c %D%/stripes.c \
  %D%/tilt.c %D%/together.c %D%/volume.c %D%/volume.h %D%/wedge.c %D%/weights.c
