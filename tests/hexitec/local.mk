check_PROGRAMS += %D%/check_hexitec %D%/check_mask %D%/check_twin
%C%_check_hexitec_SOURCES = %D%/check_hexitec.c
%C%_check_hexitec_LDADD = $(CHECK_LDADD)
%C%_check_mask_SOURCES = %D%/check_mask.c %D%/twin.h
%C%_check_mask_LDADD = $(CHECK_LDADD)
%C%_check_twin_SOURCES = %D%/check_twin.c %D%/twin.c %D%/twin.h
%C%_check_twin_LDADD = $(CHECK_LDADD)
