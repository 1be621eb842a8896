/* The references of the lithium calibration, from the setting itself or from a file. */
#include "setup.h"

#include <stdio.h>
#include <string.h>

#include <comptop/compton.h>

enum { REFERENCES_MAX = 64, LINE_BYTES = 512 };

struct references {
  struct ct_lithium_reference list[REFERENCES_MAX];
  uint32_t n;
};

static int add(struct references *refs, const double v[3], struct ct_err *err)
{
  if (refs->n == REFERENCES_MAX)
    return ct_err_set(err, CT_ERANGE, "more than %d references", REFERENCES_MAX);
  refs->list[refs->n++] = (struct ct_lithium_reference){ v[0], v[1], v[2] };
  return 0;
}

/* x:emf:sigma[,x:emf:sigma...] */
static int parse_list(struct references *refs, const char *text, struct ct_err *err)
{
  for (const char *item = text;; item++) {
    size_t length = strcspn(item, ",");
    char one[128];
    double v[3];
    snprintf(one, sizeof one, "%.*s", (int)length, item);
    if (length >= sizeof one || ct_parse_numbers(one, ':', v, 3) != 0)
      return ct_err_set(err, CT_EFORMAT, "\"%.60s\" is not x:emf:sigma", one);
    int code = add(refs, v, err);
    if (code != 0)
      return code;
    item += length;
    if (*item == '\0')
      return 0;
  }
}

/* Three numbers a line, separated by blanks; # begins a comment. */
static int read_line(struct references *refs, const char *path, unsigned line, char *text, struct ct_err *err)
{
  double v[3];
  int n = 0;
  text[strcspn(text, "#\r\n")] = '\0';
  for (char *save, *word = strtok_r(text, " \t", &save); word; word = strtok_r(NULL, " \t", &save), n++)
    if (n == 3 || ct_parse_real(word, &v[n]) != 0)
      return ct_err_set(err, CT_EFORMAT, "%s:%u: a line is x, EMF and its error, three numbers", path, line);
  if (n == 0)
    return 0;
  return n == 3 ? add(refs, v, err) : ct_err_set(err, CT_EFORMAT, "%s:%u: a line is x, EMF and its error, three numbers",
                                                 path, line);
}

static int read_file(struct references *refs, const char *path, struct ct_err *err)
{
  char text[LINE_BYTES];
  FILE *file = fopen(path, "r");
  if (file == NULL)
    return CT_EIO;
  int code = 0;
  for (unsigned line = 1; code == 0 && fgets(text, sizeof text, file) != NULL; line++)
    code = strlen(text) == sizeof text - 1 ? ct_err_set(err, CT_EFORMAT, "%s:%u: the line is too long", path, line)
                                           : read_line(refs, path, line, text, err);
  fclose(file);
  return code;
}

int ct_setup_lithium(struct ct_lithium *out, const struct ct_settings *s, struct ct_err *err)
{
  const char *path = "lithium.references", *text = ct_settings_text(s, path);
  struct references refs = { .n = 0 };
  struct ct_err why = { "" };
  *out = (struct ct_lithium){ 0 };
  if (*text == '\0')
    return 0;
  int code = read_file(&refs, text, &why);
  if (code == CT_EIO && (code = parse_list(&refs, text, &why)) != 0 && strchr(text, ':') == NULL)
    return ct_settings_refuse(s, path, err, "neither x:emf:sigma,... nor a file that can be read");
  if (code == 0)
    code = ct_lithium_fit(out, refs.list, refs.n, &why);
  return code == 0 ? 0 : ct_settings_refuse(s, path, err, "%s", why.text);
}
