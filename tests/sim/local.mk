check_PROGRAMS += %D%/check_image %D%/check_energies %D%/check_frames
%C%_check_image_SOURCES = %D%/check_image.c %D%/common.h
%C%_check_image_LDADD = $(CHECK_LDADD)
%C%_check_energies_SOURCES = %D%/check_energies.c %D%/common.h
%C%_check_energies_LDADD = $(CHECK_LDADD)
%C%_check_frames_SOURCES = %D%/check_frames.c %D%/common.h
%C%_check_frames_LDADD = $(CHECK_LDADD)
