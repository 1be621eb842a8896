/* comptop: the monitor. Only main(): everything it does is in the rooms. */
#include <comptop/core.h>

int main(void) { return 0; }
