noinst_LIBRARIES += %D%/libring.a
%C%_libring_a_SOURCES = %D%/ring.c %D%/producer.c %D%/consumer.c %D%/ring_private.h
