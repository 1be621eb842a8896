noinst_LIBRARIES += %D%/libsim.a
%C%_libsim_a_SOURCES = %D%/sim.c
