/* Settings -> what the pipeline is opened with. Internal to monitor.
 * Ownership: the setup owns its maps; the texts in it belong to the settings, which must outlive it. */
#ifndef MONITOR_SETUP_H
#define MONITOR_SETUP_H

#include <comptop/pipeline.h>

struct stream_setup {
  char name[CT_NAME];
  enum ct_role role;
  const char *endpoint;
  bool pull;
  struct ct_receiver_setup receiver;     /* frame streams */
};

struct run_setup {
  char run[64];
  bool named;                            /* by somebody; else the name is the time of the start */
  struct stream_setup streams[CT_SNAPSHOT_STREAMS];
  uint32_t n_streams;
  const char *from;                      /* an archived run instead of streams, or NULL; those of its streams that are read */
  bool scalars;                          /* some stream brings scalars, or brought them */
  int hexitec;                           /* its place in streams[], -1: none */
  int camera;                            /* the first one's, -1: none */
  struct ct_analysis_setup analysis;
  struct ct_reconstruction_setup reconstruction;
  const char *angle_name, *trigger_name, *key_name;   /* of scalars that tell the angle of frames, and what they are */
  struct ct_roi rois[CT_SNAPSHOT_ROIS];
  const char *roi_names[CT_SNAPSHOT_ROIS];
  uint16_t *dark_ADU, *threshold_ADU;
  double *gradient_keV, *intercept_keV;
  uint8_t *live;
  struct ct_flat flat;                   /* its arrays lie in flat_values */
  double *flat_values;
  struct ct_reference reference;
  const char *write_flat, *write_profile;   /* "": nowhere */
  /* The archive; run.folder NULL: none. */
  struct ct_run_setup archive;
  struct ct_run_stream archive_streams[CT_SNAPSHOT_STREAMS];
  struct ct_run_about about;             /* what the archive tells of the instrument */
  char *configuration;                   /* the settings in force, as text */
  struct ct_run_map maps[8];             /* those that the settings name as files */
  double *map_values[8];
  struct ct_lithium lithium;             /* without references: not calibrated */
  bool centre_by_default;                /* nobody has said where the beam axis meets the sensor */
};

/* The part of [camera]. */
int ct_setup_camera(struct run_setup *setup, const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;
/* Where planes lie: camera.point_px, camera.oblique_deg. */
struct ct_point ct_setup_point(const struct ct_settings *settings);
/* Reads and checks every setting and every file they name. CT_ECONFIG, CT_EUSAGE, CT_EUNSUPPORTED, with a sentence. */
int ct_setup_read(struct run_setup *setup, const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;
/* Reads again what may change in a run and hands it to the analysis (NULL: there is none). On an error nothing has changed. */
int ct_setup_change(struct run_setup *setup, const struct ct_settings *settings, struct ct_analysis *analysis,
                    struct ct_err *err) CT_MUST_CHECK;
/* The parts of [drift] and [monitors], and of [lithium]. */
void ct_setup_watch(struct ct_watch_setup *out, const struct ct_settings *settings);
int ct_setup_lithium(struct ct_lithium *out, const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;
void ct_setup_fini(struct run_setup *setup);

/* setup_from.c: in place of streams, what --from names. <read> reads a [stream NAME] of the settings into the next place. */
int ct_setup_from(struct run_setup *setup, const struct ct_settings *settings,
                  int (*read)(struct run_setup *setup, const struct ct_settings *settings, const char *name, struct ct_err *err),
                  struct ct_err *err) CT_MUST_CHECK;

/* setup_maps.c: the maps that a run keeps with its settings; the detector has been read. */
void ct_setup_maps(struct run_setup *setup, const struct ct_settings *settings);

/* setup_compton.c: the part of it that becomes analysis.compton; shape and bins have been read. */
int ct_setup_compton(struct run_setup *setup, const struct ct_settings *settings, struct ct_err *err) CT_MUST_CHECK;

#endif
