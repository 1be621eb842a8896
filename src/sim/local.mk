noinst_LIBRARIES += %D%/libsim.a
%C%_libsim_a_SOURCES = %D%/sim.c %D%/camera.c %D%/changes.c %D%/charging.c %D%/detector.c %D%/image.c %D%/internal.h \
  %D%/materials.c %D%/phantom.c %D%/random.c %D%/random.h %D%/response.c %D%/scene.c %D%/sensor.c %D%/share.c \
  %D%/spectrum.c %D%/truth.c %D%/twice.c
# Roots in loops over pixels are then single instructions; nothing here looks at errno.
%C%_libsim_a_CFLAGS = $(AM_CFLAGS) -fno-math-errno
