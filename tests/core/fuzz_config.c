/* Any bytes as a configuration file: a settings store that prints and reads back the same, or one line that says why. */
#include <comptop/core.h>

#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

const char *const fuzz_seeds[] = {
  "[beam]\n  e1_keV = 100 ; comment\n",
  "\xef\xbb\xbf[stream det]\r\nrole = hexitec\r\nendpoint = tcp://det:5555\r\nsocket = pull\r\n",
  "[roi c]\npixels = 1:20,3:40\n[roi d]\ndisc = 10,20,3\n[roi e]\nmask = m.txt\n",
  "[hexitec]\nrows=160\nthreshold = t.txt\nbins = 0:100:0.5\nsharing = none\nnext_frame = on\n",
  "[emf]\nbackground = flat\nbackground_keV = 104:111,77.5:83\np_high = 6\n[run]\nwindow = run\n",
  "[geometry]\ncentre_px = 1,2\nbeam = -y\ntheta_map = off\n[attributes]\ntrigger =\n",
};
const size_t fuzz_seed_count = sizeof fuzz_seeds / sizeof *fuzz_seeds;

static char *print(const struct ct_settings *settings)
{
  char *text;
  size_t size;
  FILE *file = open_memstream(&text, &size);
  if (file == NULL || ct_settings_print(settings, file) != 0)
    abort();
  fclose(file);
  return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct ct_settings *settings;
  struct ct_err err = { "" };
  if (ct_settings_parse(&settings, &ct_comptop_options, "fuzz.conf", (const char *)data, size, &err) != 0) {
    if (settings != NULL || strncmp(err.text, "fuzz.conf:", 10) != 0)
      abort();
    for (const char *c = err.text; *c != '\0'; c++)
      if ((unsigned char)*c < 0x20 || *c == 0x7f)
        abort();
    return 0;
  }
  char *once = print(settings);
  ct_settings_close(settings);
  if (ct_settings_parse(&settings, &ct_comptop_options, "printed", once, strlen(once), &err) != 0)
    abort();
  char *twice = print(settings);
  if (strcmp(once, twice) != 0)
    abort();
  ct_settings_close(settings);
  free(once);
  free(twice);
  return 0;
}
