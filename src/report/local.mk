noinst_LIBRARIES += %D%/libreport.a
%C%_libreport_a_SOURCES = %D%/report.c %D%/formats.h %D%/json.c %D%/tsv.c %D%/screen.c %D%/schema.c %D%/schema.h \
  %D%/buffer.c %D%/buffer.h %D%/picture.c %D%/keep.c %D%/tables.c %D%/tables.h
