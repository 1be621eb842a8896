/* What a run leaves for later runs: a flat field, a profile. Internal to monitor.
 * Ownership: what is read belongs to the struct run_setup and is freed with it. */
#ifndef MONITOR_KEEPSAKES_H
#define MONITOR_KEEPSAKES_H

#include "setup.h"

/* [emf] flat_field and reference, --write-flat and --write-profile; emf, beam and geometry have been read. CT_ECONFIG with the place. */
int keepsakes_read(struct run_setup *setup, const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;
/* The sections of the last snapshot that keepsakes_write needs: how many of requests[2]. */
size_t keepsakes_requests(const struct run_setup *setup, struct ct_request requests[2]);
/* Writes what was asked for; 0, or CT_EIO with the reason (CT_ENODATA: there is nothing to write). */
int keepsakes_write(const struct run_setup *setup, const struct ct_snapshot *snapshot, struct ct_err *err) CT_MUST_CHECK;

#endif
