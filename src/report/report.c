#include <comptop/report.h>

int ct_report_placeholder_;
