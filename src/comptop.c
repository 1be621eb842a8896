/* comptop: the monitor. Only main(): everything it does is in the rooms. */
#include <comptop/monitor.h>

int main(int argc, char **argv) { return ct_monitor_main(argc, argv, stdout); }
