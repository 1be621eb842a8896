noinst_LIBRARIES += %D%/libarchive.a
%C%_libarchive_a_SOURCES = \
  %D%/chunk.c %D%/chunk.h %D%/codec.c %D%/codec.h %D%/crc32.c %D%/crc32.h %D%/datafile.c \
  %D%/datafile.h %D%/direct.c %D%/direct.h %D%/events.c %D%/events.h %D%/export.c %D%/export.h %D%/export_copy.c %D%/export_events.c %D%/export_png.c \
  %D%/findings.c %D%/folder.c %D%/folder.h %D%/gaps.c %D%/grow.c %D%/grow.h %D%/h5.c %D%/h5.h %D%/inspect.c %D%/journal.c \
  %D%/journal.h %D%/logfile.c %D%/logfile.h %D%/maps.c %D%/master.c %D%/master.h %D%/mend.c %D%/nexus.c %D%/nexus.h \
  %D%/nxcell.c %D%/nxtomo.c %D%/numbers.c %D%/numbers.h %D%/process.c %D%/raw.c %D%/raw.h %D%/read.c %D%/repair.c %D%/repair.h %D%/resultsfile.c %D%/run.c \
  %D%/run.h %D%/run_log.c %D%/run_open.c %D%/run_trouble.c %D%/scalars.c %D%/samples.c %D%/samples.h %D%/scan.c %D%/settle.c %D%/store.c %D%/store.h \
  %D%/summary.c %D%/verify.c
