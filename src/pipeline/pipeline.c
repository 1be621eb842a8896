#include <comptop/pipeline.h>

int ct_pipeline_placeholder_;
