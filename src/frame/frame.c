#include <comptop/frame.h>

int ct_frame_placeholder_;
