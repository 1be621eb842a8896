/* The cell's scalars beside replayed frames, in step with them: out of the run that is played, or a file of EC-Lab.
 * Internal to pipeline. Ownership: a tape belongs to its opener and is used by one thread. */
#ifndef PIPELINE_TAPE_H
#define PIPELINE_TAPE_H

#include <comptop/pipeline.h>

struct ct_tape;
/* Binds <endpoint>. <mpt> "": the scalars of <run>. CT_ENOTFOUND: it has none. */
int ct_tape_open(struct ct_tape **out, const char *endpoint, const char *run, const char *mpt,
                 struct ct_err *err) CT_MUST_CHECK;
/* From the beginning; what came before <begin_s> is passed over. */
int ct_tape_rewind(struct ct_tape *tape, double begin_s, struct ct_err *err) CT_MUST_CHECK;
/* Publishes what came up to <elapsed_s> after the first frame, whose time in the run was <first_ns>. 0 or CT_EIO. */
int ct_tape_play(struct ct_tape *tape, int64_t first_ns, double elapsed_s) CT_MUST_CHECK;
void ct_tape_close(struct ct_tape *tape);   /* NULL is fine */

#endif
