noinst_LIBRARIES += %D%/libcompton.a
%C%_libcompton_a_SOURCES = \
  %D%/adaptive.c \
  %D%/corrections.c \
  %D%/drift.c \
  %D%/flat.c \
  %D%/geometry.c \
  %D%/internal.h \
  %D%/kinematics.c \
  %D%/lithium.c \
  %D%/peaks.c \
  %D%/places.c \
  %D%/profile.c \
  %D%/reference.c \
  %D%/setup.c \
  %D%/sums.c \
  %D%/weights.c
