#include <comptop/view.h>

int ct_view_placeholder_;
