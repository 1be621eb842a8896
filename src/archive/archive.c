#include <comptop/archive.h>

int ct_archive_placeholder_;
