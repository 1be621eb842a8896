noinst_LIBRARIES += %D%/libwire.a
%C%_libwire_a_SOURCES = %D%/wire.c %D%/decoder.h %D%/pixels.c %D%/array.c %D%/odin.c %D%/dectris.c \
  %D%/cbor.c %D%/cbor.h %D%/json.c %D%/loose.c %D%/value.c %D%/header.h %D%/encode.c %D%/bsread.c
