check_PROGRAMS += %D%/check_spectra
%C%_check_spectra_SOURCES = %D%/check_spectra.c
%C%_check_spectra_LDADD = $(CHECK_LDADD)
