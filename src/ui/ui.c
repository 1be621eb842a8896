#include <comptop/ui.h>

int ct_ui_placeholder_;
