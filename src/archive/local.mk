noinst_LIBRARIES += %D%/libarchive.a
%C%_libarchive_a_SOURCES = \
  %D%/bslz4.c %D%/bslz4.h %D%/chunk.c %D%/chunk.h %D%/codec.c %D%/codec.h %D%/crc32.c %D%/crc32.h %D%/datafile.c %D%/datafile.h \
  %D%/folder.c %D%/folder.h %D%/grow.c %D%/grow.h %D%/h5.c %D%/h5.h %D%/inspect.c %D%/journal.c %D%/journal.h %D%/logfile.c %D%/logfile.h \
  %D%/master.c %D%/master.h %D%/mend.c %D%/nexus.c %D%/nexus.h %D%/nxtomo.c %D%/read.c %D%/repair.c %D%/repair.h %D%/resultsfile.c %D%/run.c \
  %D%/run.h %D%/run_log.c %D%/run_open.c %D%/run_trouble.c %D%/store.c %D%/store.h
%C%_libarchive_a_SOURCES += %D%/direct.c %D%/direct.h %D%/maps.c %D%/raw.c %D%/raw.h %D%/scan.c %D%/process.c %D%/scalars.c
