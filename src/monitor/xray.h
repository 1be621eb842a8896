/* The fluorescence lines that the spectrum is marked with. Internal to monitor. Ownership: fills the caller's view. */
#ifndef MONITOR_XRAY_H
#define MONITOR_XRAY_H

#include <comptop/view.h>

/* K lines of the elements in <texts> (n of them: "W,Pb", or a formula), as many as the view has room for; Ka1 of all come
 * before Kb1. Energies are xraylib's. */
void xray_mark(struct ct_view *view, const char *const *texts, size_t n);

#endif
