noinst_LIBRARIES += %D%/libwire.a
%C%_libwire_a_SOURCES = %D%/wire.c %D%/json.c %D%/loose.c %D%/value.c %D%/header.h %D%/encode.c %D%/bsread.c
