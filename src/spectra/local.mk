noinst_LIBRARIES += %D%/libspectra.a
%C%_libspectra_a_SOURCES = %D%/spectra.c %D%/axis.c %D%/peak.c %D%/fifo.c %D%/fifo.h %D%/cells.c %D%/cells.h
%C%_libspectra_a_SOURCES += %D%/hxt.c
