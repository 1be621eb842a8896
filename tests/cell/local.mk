check_PROGRAMS += %D%/check_cell
%C%_check_cell_SOURCES = %D%/check_cell.c
%C%_check_cell_LDADD = $(CHECK_LDADD)
