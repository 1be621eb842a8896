noinst_LIBRARIES += %D%/libui.a
%C%_libui_a_SOURCES = %D%/ui.c %D%/show.c %D%/pixels.c %D%/keys.c %D%/tty.c %D%/tty.h %D%/internal.h
