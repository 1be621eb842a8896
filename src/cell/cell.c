#include <comptop/cell.h>

int ct_cell_placeholder_;
