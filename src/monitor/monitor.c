#include <comptop/monitor.h>

int ct_monitor_placeholder_;
