/* The files of comptop-sim --truth and --slice-truth. The first is one NumPy array (.npy) of records, whole after every
 * record; the second is a picture.
 * Ownership: a struct ct_truth belongs to whoever opened it; the simulation it was given must outlive it. */
#ifndef CT_PIPELINE_TRUTH_H
#define CT_PIPELINE_TRUTH_H

#include <stdbool.h>

#include <comptop/sim.h>

struct ct_truth;
/* Makes or empties <path>. CT_EIO names it. */
int ct_truth_open(struct ct_truth **out, const char *path, const struct ct_sim *sim, const struct ct_sim_config *config,
                  double step_s, struct ct_err *err) CT_MUST_CHECK;
/* Writes the records of 0, step_s, 2 step_s, ... up to <t_s> that are not there yet. 0 or CT_EIO; NULL: nothing to do. */
int ct_truth_until(struct ct_truth *truth, double t_s) CT_MUST_CHECK;
bool ct_truth_failed(const struct ct_truth *truth);   /* NULL: false */
void ct_truth_close(struct ct_truth *truth);          /* NULL is fine */
/* The slice that the camera's scan covers, at <z_mm> and the start: CT_EIO names the file. */
int ct_truth_slice(const char *path, const struct ct_sim_camera *camera, const struct ct_sim_camera_config *config,
                   double z_mm, struct ct_err *err) CT_MUST_CHECK;

#endif
