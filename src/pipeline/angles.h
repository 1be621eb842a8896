/* angles: frames that know only their trigger, and the angles and image keys of triggers, which come another way, before or after.
 * Ownership: owns copies of the rows and images that wait. One thread tells angles, another does everything else.
 * Internal to pipeline. */
#ifndef PIPELINE_ANGLES_H
#define PIPELINE_ANGLES_H

#include <stdbool.h>
#include <stdint.h>

#include <comptop/core.h>

struct ct_angles;

/* What scalars say of a trigger. */
struct ct_told {
  uint64_t trigger;
  double angle_deg;             /* NaN: nothing */
  int key;                      /* enum ct_image_key; -1: nothing */
};

/* A frame that waits for its angle, or to be told what it is. */
struct ct_waiting {
  uint64_t trigger;
  double angle_deg;             /* as it says itself, or NaN */
  int key;                      /* the same, or -1 */
  int64_t arrival_ns;
  double z_mm;
  bool paused;
  float *row;                   /* [cols] */
  const float *image;           /* [pixels]; NULL: none was kept, or too many have come since */
};

/* 0, CT_ENOMEM */
int ct_angles_open(struct ct_angles **out, struct ct_err *err) CT_MUST_CHECK;
void ct_angles_close(struct ct_angles *angles);   /* NULL is fine */
/* By the other thread. Those that nobody takes for long give way to newer ones. What is no trigger (a number from 0 to
 * 2^53) is passed over, and what is no angle and no key (0 to 3) as well; NaN: nothing is said. */
void ct_angles_tell(struct ct_angles *angles, double trigger, double angle_deg, double key);

/* Takes what was told since. */
void ct_angles_take(struct ct_angles *angles);
/* What was told of <trigger>. It serves the frames of one trigger, however many follow each other; when the trigger
 * comes again after others, it has to be told again. */
bool ct_angles_find(struct ct_angles *angles, uint64_t trigger, struct ct_told *told);
bool ct_angles_tell_keys(const struct ct_angles *angles);   /* whether any key was told */
/* Rows have <cols> columns from now on, and images <pixels>, of which at most <bytes> are kept; how many are given up that still
 * wait. */
uint64_t ct_angles_reshape(struct ct_angles *angles, uint32_t cols, size_t pixels, uint64_t bytes);
/* Copies a projection and its row, without an image; true where the oldest of all is given up for it. */
bool ct_angles_hold(struct ct_angles *angles, const struct ct_waiting *waiting);
/* Copies the image of the latest that was held; those of the newest 32 at most stay. */
void ct_angles_hold_image(struct ct_angles *angles, const float *image);
void ct_angles_forget_images(struct ct_angles *angles);
/* The oldest of those that wait and whose trigger was told of, once each: true. */
bool ct_angles_next(struct ct_angles *angles, struct ct_waiting *waiting, struct ct_told *told);
uint32_t ct_angles_waiting(const struct ct_angles *angles);   /* frames that are held */
/* Gives up what came before <until_ns>; how many. */
uint64_t ct_angles_expire(struct ct_angles *angles, int64_t until_ns);

#endif
