/* comptop's options and configuration keys. The next part makes a feature known by deleting its CT_OPTION_LATER, or
 * the '!' behind its word. */
#include <comptop/core.h>

#include <string.h>

#define SETTING(section_, key_, kind_, value_)                                                                  \
  .section = section_, .key = key_, .kind = CT_OPTION_##kind_, .value = value_

static const struct ct_option rows[] = {
  CT_OPTIONS_CONFIG,

  /* ---- command line only ---- */
  { .key = "hexitec", .flag = "hexitec", .kind = CT_OPTION_STREAM, .argument = "ENDPOINT[,KEY=VALUE...]",
    .help = "receive HEXITEC frames; KEY is one of [stream], or name" },
  { .key = "camera", .flag = "camera", .kind = CT_OPTION_STREAM, .argument = "ENDPOINT[,KEY=VALUE...]",
    .help = "receive camera frames" },
  { .key = "scalars", .flag = "scalars", .kind = CT_OPTION_STREAM, .argument = "ENDPOINT[,KEY=VALUE...]",
    .help = "receive voltage, current and charge" },
  { .key = "demo", .flag = "demo", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "watch a simulated cell: no hardware, nothing to configure" },
  { .key = "batch", .letter = 'b', .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "batch: lines on standard output instead of the screen" },
  { .key = "samples", .letter = 'n', .kind = CT_OPTION_INTEGER, .min = 1, .max = 1e15, .argument = "N",
    .help = "leave after N samples" },
  { .key = "interval_s", .letter = 'd', .kind = CT_OPTION_REAL, .value = "1", .min = 0.01, .max = 1e6,
    .argument = "SEC",
    .help = "time between samples" },
  { .key = "output", .letter = 'o', .kind = CT_OPTION_WORD, .value = "tsv", .words = "tsv|json|text|ansi",
    .help = "form of a sample" },
  { .key = "fields", .letter = 'f', .kind = CT_OPTION_WORDS, .words = "map|spectrum|profile|slice|adaptive|slices|volume", .argument = "LIST",
    .help = "extra fields, comma-separated: map, spectrum, profile, slice, adaptive" },
  { .key = "exit_on_idle_s", .flag = "exit-on-idle", .kind = CT_OPTION_REAL, .min = 0.01, .max = 1e6, .argument = "SEC",
    .help = "when data has come and then every stream was silent for SEC, print one last sample and leave" },
  { .key = "write_flat", .flag = "write-flat", .kind = CT_OPTION_FILE, .argument = "FILE",
    .help = "at the end, write the flat field that a uniform sample has shown" },
  { .key = "write_profile", .flag = "write-profile", .kind = CT_OPTION_FILE, .argument = "FILE",
    .help = "at the end, write the profile of all pixels, a reference for later" },
  { .key = "check", .flag = "check", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "one line and an exit code for a monitoring system" },
  { .key = "timeout_s", .flag = "timeout", .kind = CT_OPTION_REAL, .value = "10", .min = 0.01, .max = 1e6,
    .argument = "SEC", .help = "with --check: how long to wait for data" },
  { .key = "headless", .flag = "headless", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "collect and archive without a screen" },
  { .key = "attach", .flag = "attach", .kind = CT_OPTION_TEXT, .argument = "RUN",
    .marks = CT_OPTION_OPTIONAL_ARG, .help = "look at the run that is being collected" },
  { .key = "resume", .flag = "resume", .kind = CT_OPTION_SWITCH, .value = "off",
    .help = "repair what a crash left of the run and go on in new files" },
  { .key = "from", .flag = "from", .kind = CT_OPTION_FILE, .argument = "RUN",
    .help = "analyse an archived run instead of streams" },
  { .key = "calibrate", .flag = "calibrate", .kind = CT_OPTION_TEXT, .argument = "SOURCE",
    .marks = CT_OPTION_OPTIONAL_ARG | CT_OPTION_HIDDEN, .help = "is done by comptop-archive" },
  { .key = "jobs", .letter = 'j', .kind = CT_OPTION_INTEGER, .value = "1", .min = 1, .max = 64, .argument = "N",
    .help = "analysis workers that share the frames of the detector" },

  /* ---- the run ---- */
  { SETTING("run", "archive", FILE, ""), .flag = "archive", .argument = "DIR",
    .help = "archive every frame under DIR" },
  { SETTING("run", "name", TEXT, ""), .flag = "run", .argument = "NAME", .help = "name of the run" },
  { SETTING("run", "window", REAL, "60"), .flag = "window", .words = "run|scan", .min = 0.1, .max = 1e7,
    .argument = "SEC|run|scan", .marks = CT_OPTION_LIVE,
    .help = "rolling window of the analysis; run: everything since start, scan: since the scan began" },
  { SETTING("run", "reserve_MB", INTEGER, "1024"), .min = 0, .max = 1e9,
    .help = "free disk space that is never used" },
  { SETTING("run", "buffer_MB", INTEGER, "2048"), .min = 1, .max = 1e7,
    .help = "memory for frames that are received and not yet dealt with" },
  { SETTING("run", "memory_MB", INTEGER, "1024"), .min = 1, .max = 1e7,
    .help = "memory for spectra, windows, history" },

  { SETTING("attributes", "angle", TEXT, "RotationAngle"), .help = "name of the rotation angle, degrees" },
  { SETTING("attributes", "z", TEXT, "SampleZ"), .help = "name of the sample height, mm" },
  { SETTING("attributes", "mode", TEXT, "Mode"), .help = "name of the mode, xcs or xct" },
  { SETTING("attributes", "trigger", TEXT, "Trigger"), .help = "name of the trigger count" },
  { SETTING("attributes", "image_key", TEXT, "ImageKey"),
    .help = "name of the image key: 0 projection, 1 flat, 2 dark" },

  { SETTING("scalars", "voltage", TEXT, "Ewe_V"), .help = "channel of the voltage, V" },
  { SETTING("scalars", "current", TEXT, "I_A"), .help = "channel of the current, A" },
  { SETTING("scalars", "charge", TEXT, "Q_Ah"), .help = "channel of the charge, Ah" },

#define STREAM(key_, kind_, value_) SETTING("stream", key_, kind_, value_)
  { STREAM("role", WORD, ""), .words = "hexitec|camera|scalars", .marks = CT_OPTION_NAMED | CT_OPTION_REQUIRED,
    .help = "what the stream brings" },
  { STREAM("endpoint", ENDPOINT, ""), .marks = CT_OPTION_NAMED | CT_OPTION_REQUIRED, .help = "where to connect" },
  { STREAM("socket", WORD, "sub"), .words = "sub|pull", .marks = CT_OPTION_NAMED, .help = "kind of ZeroMQ socket" },
  { STREAM("format", WORD, "auto"), .words = "auto|array-1.0|odin|dectris|bsread", .marks = CT_OPTION_NAMED,
    .help = "wire format" },
  { STREAM("dataset", TEXT, ""), .marks = CT_OPTION_NAMED, .help = "which data set of an odin stream is taken" },
  { STREAM("sampled", WORD, "auto"), .words = "auto|on|off", .marks = CT_OPTION_NAMED,
    .help = "the source sends only some of its frames: gaps are no losses" },
  { STREAM("codec", WORD, ""), .words = "auto|none|bslz4|lz4|zstd|events", .marks = CT_OPTION_NAMED,
    .help = "how its frames are packed in the archive" },
  { STREAM("frame_hz", REAL, "9118.87"), .min = 1e-3, .max = 1e7, .marks = CT_OPTION_NAMED, .help = "true frame rate" },

  { SETTING("hexitec", "rows", INTEGER, "80"), .min = 1, .max = 4096, .help = "rows of the sensor" },
  { SETTING("hexitec", "cols", INTEGER, "80"), .min = 1, .max = 4096, .help = "columns of the sensor" },
  { SETTING("hexitec", "readout", WORD, "geometric"), .words = "geometric|asic",
    .help = "order of the pixels in a frame" },
  { SETTING("hexitec", "dark", FILE, ""), .help = "offsets in ADU: text map, FILE:/dataset, or measure" },
  { SETTING("hexitec", "gradients", REAL_OR_FILE, ""), .help = "keV/ADU: text map, FILE:/dataset, or one number" },
  { SETTING("hexitec", "intercepts", REAL_OR_FILE, ""), .help = "keV: text map, FILE:/dataset, or one number" },
  { SETTING("hexitec", "threshold", REAL_OR_FILE, "80"), .min = 0, .max = 1e9,
    .help = "ADU after dark subtraction, kept when >=; or a map" },
  { SETTING("hexitec", "threshold_keV", REAL, "0"), .min = -1e6, .max = 1e6,
    .help = "of float32 frames, kept when above" },
  { SETTING("hexitec", "next_frame", SWITCH, "off"), .help = "drop hits of pixels that were hit in the frame before" },
  { SETTING("hexitec", "sharing", WORD, "paper"), .words = "paper|none|odin-csa3|odin-csa5|odin-csd3|odin-csd5",
    .help = "what becomes of charge shared by neighbours" },
  { SETTING("hexitec", "dither", SWITCH, "off"), .help = "spread energies over the step of one ADU" },
  { SETTING("hexitec", "bins", RANGE, "0:200:0.2"), .help = "of the spectra, keV: start:end:width" },
  { SETTING("hexitec", "mask", FILE, ""), .help = "pixels to leave out: text map, 1 is masked; auto: those found hot or dead" },

  { SETTING("hexitec", "sensor", TEXT, "Cd0.9Zn0.1Te"), .marks = CT_OPTION_LIVE,
    .help = "what the sensor is made of: a chemical formula" },
  { SETTING("hexitec", "sensor_g_cm3", REAL, "5.78"), .min = 1e-3, .max = 30, .marks = CT_OPTION_LIVE,
    .help = "its density" },
  { SETTING("hexitec", "sensor_mm", REAL, "2"), .min = 1e-3, .max = 100, .marks = CT_OPTION_LIVE,
    .help = "its thickness" },

  { SETTING("beam", "e1_keV", REAL, "114.64"), .min = 1, .max = 2000, .marks = CT_OPTION_LIVE,
    .help = "energy of the beam" },
  { SETTING("beam", "polarisation", REAL, "1"), .min = 0, .max = 1, .marks = CT_OPTION_LIVE,
    .help = "degree of linear polarisation" },
  { SETTING("beam", "polarisation_deg", REAL, "90"), .min = -360, .max = 360,
    .marks = CT_OPTION_LIVE, .help = "between polarisation and scattering plane" },
  { SETTING("beam", "k_edges", TEXT, "W,Pb"), .marks = CT_OPTION_LIVE,
    .help = "elements whose K lines are of interest: e1_keV is above their edges" },

  { SETTING("geometry", "theta_deg", REAL, "90"), .min = 1, .max = 179, .marks = CT_OPTION_LIVE,
    .help = "scattering angle at the centre" },
  { SETTING("geometry", "object_mm", REAL, "160"), .min = 1e-3, .max = 1e6, .marks = CT_OPTION_LIVE,
    .help = "sample to pinhole" },
  { SETTING("geometry", "detector_mm", REAL, "160"), .min = 1e-3, .max = 1e6, .marks = CT_OPTION_LIVE,
    .help = "pinhole to detector" },
  { SETTING("geometry", "pitch_mm", REAL, "0.25"), .min = 1e-4, .max = 100, .marks = CT_OPTION_LIVE,
    .help = "pixel pitch" },
  { SETTING("geometry", "beam", WORD, "+x"), .words = "+x|-x|+y|-y",
    .marks = CT_OPTION_LIVE, .help = "direction of the beam in the sample plane" },
  { SETTING("geometry", "centre_px", POINT, "39.5,39.5"), .marks = CT_OPTION_LIVE,
    .help = "pixel that looks at theta_deg: column,row" },
  { SETTING("geometry", "theta_map", SWITCH, "on"), .marks = CT_OPTION_LIVE, .help = "each pixel at its own angle" },
  { SETTING("geometry", "theta_fit", SWITCH, "off"), .marks = CT_OPTION_LIVE,
    .help = "beam, centre and distance from the data, once they suffice" },

  { SETTING("emf", "p_low", REAL, "1"), .min = 0, .max = 100, .marks = CT_OPTION_LIVE,
    .help = "atomic units: L within p_low, H beyond it" },
  { SETTING("emf", "p_high", REAL, "5"), .min = 0, .max = 100, .marks = CT_OPTION_LIVE,
    .help = "atomic units: H up to here" },
  { SETTING("emf", "order", INTEGER, "1"), .min = 1, .max = 2, .marks = CT_OPTION_LIVE,
    .help = "of the integration over parts of bins" },
  { SETTING("emf", "background", WORD, "none"), .words = "none|flat|linear", .marks = CT_OPTION_LIVE,
    .help = "what is subtracted" },
  { SETTING("emf", "background_keV", INTERVALS, "104:111"), .marks = CT_OPTION_LIVE,
    .help = "where the background is measured" },
  { SETTING("emf", "double_scatter", REAL, "0"), .min = 0, .max = 0.5,
    .marks = CT_OPTION_LIVE, .help = "photons scattered twice, subtracted: their density at the peak as a part of it" },
  { SETTING("emf", "pz", WORD, "approximate"), .words = "approximate|exact", .marks = CT_OPTION_LIVE,
    .help = "momentum by eq. 2, or exactly" },
  { SETTING("emf", "jacobian", SWITCH, "off"), .marks = CT_OPTION_LIVE,
    .help = "integrate over momentum instead of energy" },
  { SETTING("emf", "cross_section", SWITCH, "off"), .marks = CT_OPTION_LIVE,
    .help = "divide counts by the cross section of a moving electron" },
  { SETTING("emf", "efficiency", SWITCH, "off"), .marks = CT_OPTION_LIVE,
    .help = "divide counts by the efficiency of the sensor" },
  { SETTING("emf", "absorption", TEXT, ""), .marks = CT_OPTION_LIVE,
    .help = "divide counts by what passes: FORMULA:g/cm3:mm[,...]" },
  { SETTING("emf", "flat_field", FILE, ""), .marks = CT_OPTION_LIVE,
    .help = "what a uniform sample showed, from --write-flat" },
  { SETTING("emf", "flat_exponent", REAL, "0.73"), .min = -10, .max = 10,
    .marks = CT_OPTION_LIVE, .help = "of the flat field in EMF: 0.73 for NMC, 1.5 for lithium, 0.55 for iron" },
  { SETTING("emf", "normalisation", WORD, "peak"), .words = "peak|area|none", .marks = CT_OPTION_LIVE,
    .help = "of the profile" },
  { SETTING("emf", "reference", TEXT, ""), .flag = "reference", .argument = "FORMULA|FILE",
    .marks = CT_OPTION_LIVE, .help = "beside the profile: free atoms of a formula, or a file from --write-profile" },
  { SETTING("emf", "fwhm_keV", REAL, "0.93"), .min = 0, .max = 10, .marks = CT_OPTION_LIVE,
    .help = "resolution the free atoms are blurred by" },
  { SETTING("emf", "bias", WORD, "keep"), .words = "keep|remove", .marks = CT_OPTION_LIVE,
    .help = "of a ratio of few counts" },
  { SETTING("emf", "energy_sigma_keV", REAL, "0"), .min = 0, .max = 1, .marks = CT_OPTION_LIVE,
    .help = "error of the energy scale, in every sigma" },
  { SETTING("emf", "pixel_sigma_keV", REAL, "0"), .min = 0, .max = 1,
    .marks = CT_OPTION_LIVE, .help = "error of each pixel's own energy scale, in every sigma" },
  { SETTING("emf", "min_counts", INTEGER, "50"), .min = 0, .max = 1e15, .marks = CT_OPTION_LIVE,
    .help = "L+H below which a map cell is blank" },

  { SETTING("emf", "target_sigma", REAL, "0.001"), .min = 1e-9, .max = 1e3,
    .marks = CT_OPTION_LIVE, .help = "EMF error of the whole and of regions, for the time until it is reached" },

  { SETTING("drift", "sample_s", REAL, "60"), .words = "scan", .min = 0.1, .max = 1e7,
    .marks = CT_OPTION_LIVE,
    .help = "length of the disjoint samples that trends and CUSUM are made of; scan: one a scan" },
  { SETTING("drift", "cusum_samples", INTEGER, "12"), .min = 1, .max = 1e6, .marks = CT_OPTION_LIVE,
    .help = "samples in a step of the CUSUM" },
  { SETTING("drift", "cusum_k", REAL, "0.5"), .min = 0, .max = 10, .marks = CT_OPTION_LIVE,
    .help = "allowance of the CUSUM, standard errors" },
  { SETTING("drift", "cusum_h", REAL, "5"), .min = 0.5, .max = 100, .marks = CT_OPTION_LIVE,
    .help = "alarm of the CUSUM, standard errors" },
  { SETTING("drift", "bin", INTEGER, "8"), .min = 1, .max = 64, .marks = CT_OPTION_LIVE,
    .help = "pixels per edge of a cell of the drift map" },
  { SETTING("drift", "false_alarm", REAL, "0.05"), .min = 1e-9, .max = 0.5,
    .marks = CT_OPTION_LIVE, .help = "chance of a false alarm of the drift map a day" },

#define MONITOR(key_, value_, max_) SETTING("monitors", key_, REAL, value_), .min = 0, .max = max_, .marks = CT_OPTION_LIVE
  { SETTING("monitors", "reference_samples", INTEGER, "5"), .min = 1, .max = 1e6,
    .marks = CT_OPTION_LIVE, .help = "samples in the beginning that later ones are compared with" },
  { MONITOR("peak_keV", "0.05", 100), .help = "Compton peak off the theta map, mean over the columns" },
  { MONITOR("tilt_keV", "0.1", 100), .help = "the same, from the first to the last column" },
  { MONITOR("line_keV", "0.05", 100), .help = "K lines of W and Pb off their energies" },
  { MONITOR("fwhm_keV", "0.02", 100), .help = "their width off that of the beginning" },
  { MONITOR("asymmetry_sigmas", "3", 100), .help = "asymmetry off that of the beginning, in its errors" },
  { MONITOR("elastic", "5", 1e6), .help = "elastic over Compton counts: times that of the beginning" },
  { MONITOR("multiplicity", "0.05", 100), .help = "doubles over singles: part of that of the beginning" },
  { MONITOR("rate", "0.5", 100), .help = "photons a second: part of that of the beginning" },
  { MONITOR("bragg", "5", 1e6), .help = "elastic over Compton counts of a pixel: times the median" },
  { MONITOR("bubble", "0.2", 1), .help = "part of its counts that a region loses" },

  { SETTING("lithium", "references", TEXT, ""),
    .marks = CT_OPTION_LIVE, .help = "x:emf:sigma[,...] measured in this set-up at 2 or more x, or a file of them" },

#define ROI(key_, kind_) SETTING("roi", key_, kind_, ""), .marks = CT_OPTION_NAMED | CT_OPTION_LIVE
  { ROI("pixels", BOX), .help = "x0:x1,y0:y1, ends not included" },
  { ROI("disc", DISC), .help = "x,y,radius in pixels" },
  { ROI("ring", RING), .help = "x,y,r_in,r_out in pixels" },
  { ROI("mask", FILE), .help = "text map, 1 is in the region" },

  { SETTING("camera", "rotation", WORD, "180"), .words = "180|360", .help = "degrees of a full scan" },
  { SETTING("camera", "axis_px", REAL, "auto"), .words = "auto", .min = 0, .max = 1e5, .marks = CT_OPTION_LIVE,
    .help = "rotation axis in unbinned pixels" },
  { SETTING("camera", "angle", TEXT, "RotationAngle"),
    .help = "name of the rotation angle; if not given that of [attributes]" },
  { SETTING("camera", "angle_start_deg", REAL, "0"), .min = -1e6, .max = 1e6,
    .help = "angle of a scan's first frame, where frames say none" },
  { SETTING("camera", "angle_step_deg", REAL, ""), .min = -360, .max = 360,
    .help = "from a frame to the next, where frames say no angle" },
  { SETTING("camera", "slice_row", INTEGER, "auto"), .words = "auto", .min = 0, .max = 1e5,
    .help = "detector row that is reconstructed" },
  { SETTING("camera", "pixel_um", REAL, ""), .min = 1e-6, .max = 1e6, .help = "pixel size" },
  { SETTING("camera", "filter", WORD, "ramp"), .words = "ramp|shepp-logan|hann|hamming|cosine|parzen|butterworth",
    .help = "reconstruction filter" },
  { SETTING("camera", "publish", TEXT, ""), .help = "endpoint to publish the slice on" },
  { SETTING("camera", "rings", WORD, "on"), .words = "on|full|off",
    .help = "correct detector columns that would draw rings; full: once more when a scan has ended" },
  { SETTING("camera", "paganin", REAL, ""), .min = 1e-3, .max = 1e6,
    .help = "retrieve the phase of a sample of this delta/beta; needs distance_mm and pixel_um" },
  { SETTING("camera", "distance_mm", REAL, ""), .min = 1e-3, .max = 1e6, .help = "sample to camera, for the phase" },
  { SETTING("camera", "energy_keV", REAL, ""), .min = 0.1, .max = 2000, .help = "of the beam, for the phase; if not given that of [beam]" },
  { SETTING("camera", "point_px", POINT, "0,0"), .help = "where planes cross: right of and above the axis, in the row of the slice" },
  { SETTING("camera", "oblique_deg", POINT, "45,45"), .help = "how the oblique plane is turned and tilted" },
  { SETTING("camera", "memory_MB", INTEGER, "256"), .min = 0, .max = 1e6,
    .help = "memory for projections that planes and the coarse volume are made of; 0: there are none" },
  { SETTING("camera", "size", INTEGER, "512"), .min = 16, .max = 16384, .help = "slice size" },
  { SETTING("camera", "projections", INTEGER, "3600"), .min = 1, .max = 1000000,
    .help = "that a slice is made of at most; then the oldest gives way" },

  { SETTING("screen", "binning", WORD, "auto"), .words = "auto|1|2|4|8|adaptive",
    .marks = CT_OPTION_LIVE, .help = "pixels a map cell is made of" },
  { SETTING("screen", "target_sigma", REAL, "0.05"), .min = 1e-6, .max = 1e3,
    .marks = CT_OPTION_LIVE, .help = "EMF error that automatic binning aims for" },
  { SETTING("screen", "refresh_hz", REAL, "2"), .min = 0.1, .max = 60,
    .marks = CT_OPTION_LIVE, .help = "screen refresh" },
  { SETTING("screen", "folder", FILE, ""), .marks = CT_OPTION_LIVE,
    .help = "where key w saves views; if not given the current folder" },
  { SETTING("screen", "theme", WORD, "dark"), .words = "dark|light|mono|safe", .marks = CT_OPTION_LIVE,
    .help = "colours: for a dark or a light terminal, none, or safe for the colour-blind" },
  { SETTING("screen", "ramp", WORD, "theme"), .words = "theme|inferno|grey|viridis|cividis", .marks = CT_OPTION_LIVE,
    .help = "colours of maps: the theme's, or" },
  { SETTING("screen", "bell", SWITCH, "off"), .marks = CT_OPTION_LIVE, .help = "ring once when something critical begins" },

  { SETTING("cell", "mpt", FILE, ""), .help = "text file of EC-Lab that grows: voltage, current and charge" },

  CT_OPTIONS_COMMON
};

static int check_rois(const struct ct_settings *s, struct ct_err *err)
{
  for (size_t i = 0; i < ct_settings_sections(s, "roi"); i++) {
    static const char *const shapes[] = { "pixels", "disc", "ring", "mask" };
    const char *name = ct_settings_section_name(s, "roi", i);
    int set = 0;
    for (size_t j = 0; j < sizeof shapes / sizeof *shapes; j++) {
      char path[64];
      snprintf(path, sizeof path, "roi.%s.%s", name, shapes[j]);
      set += ct_settings_is_set(s, path);
    }
    if (set != 1)
      return ct_err_set(err, CT_ECONFIG, "%s: [roi %s] needs one of pixels, disc, ring and mask%s",
                        ct_settings_section_origin(s, "roi", i), name, set ? ", and only one" : "");
  }
  return 0;
}

static int check(const struct ct_settings *s, struct ct_err *err)
{
  /* The name becomes the name of a folder and a column of a log. */
  const char *run = ct_settings_text(s, "run.name");
  if (strchr(run, '/') != NULL || *run == '.' || strlen(run) > 63)
    return ct_settings_refuse(s, "run.name", err, "not a name: no '/', no leading '.', at most 63 bytes");
  if (ct_settings_is_set(s, "calibrate"))
    return ct_err_set(err, CT_EUSAGE, "--calibrate: archive a run with the source, then use comptop-archive calibrate RUN "
                      "--source NAME");
  if (ct_settings_real(s, "emf.p_low") >= ct_settings_real(s, "emf.p_high"))
    return ct_settings_refuse(s, "emf.p_low", err, "must be below emf.p_high = %s", ct_settings_text(s, "emf.p_high"));
  return check_rois(s, err);
}

const struct ct_option_table ct_comptop_options = {
  .program = "comptop",
  .purpose = "Watch a battery on an X-ray beam.",
  .rows = rows,
  .count = sizeof rows / sizeof *rows,
  .check = check,
};
