noinst_LIBRARIES += %D%/libcell.a
%C%_libcell_a_SOURCES = %D%/cell.c %D%/mpt.c
