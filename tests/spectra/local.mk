check_PROGRAMS += %D%/check_cells %D%/check_peak %D%/check_spectra
%C%_check_peak_SOURCES = %D%/check_peak.c
%C%_check_peak_LDADD = $(CHECK_LDADD)
%C%_check_spectra_SOURCES = %D%/check_spectra.c
%C%_check_spectra_LDADD = $(CHECK_LDADD)
%C%_check_cells_SOURCES = %D%/check_cells.c
%C%_check_cells_LDADD = $(CHECK_LDADD)
