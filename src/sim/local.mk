noinst_LIBRARIES += %D%/libsim.a
%C%_libsim_a_SOURCES = %D%/sim.c %D%/camera.c %D%/charging.c %D%/detector.c %D%/image.c %D%/internal.h %D%/materials.c \
  %D%/phantom.c %D%/random.c %D%/random.h %D%/spectrum.c
