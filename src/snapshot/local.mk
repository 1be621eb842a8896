noinst_LIBRARIES += %D%/libsnapshot.a
%C%_libsnapshot_a_SOURCES = %D%/words.c %D%/build.c %D%/lithium.c %D%/sections.c %D%/check.c %D%/board.c %D%/wants.c
