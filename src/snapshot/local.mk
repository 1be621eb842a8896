noinst_LIBRARIES += %D%/libsnapshot.a
%C%_libsnapshot_a_SOURCES = %D%/snapshot.c
