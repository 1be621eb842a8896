/* font: letters of 5 x 9 dots, for pictures of the screen. Each is a word of up to nine rows from the top, a row a digit
 * of base 32 whose bits are its dots; the last two rows are below the line. */
#include "view/raster.h"

#include <stddef.h>
#include <string.h>

static const char *const ascii[] = {
  "", "4444404", "AA", "AAVAVAA", "4FKE5U4", "OP248J3", "CIK8LID", "44",                       /* space to ' */
  "2488842", "8422248", "04LEL4", "044V44", "000000448", "000V", "00000CC", "01248G",           /* ( to / */
  "EHJLPHE", "4C4444E", "EH1248V", "V2421HE", "26AIV22", "VGU11HE", "68GUHHE", "V124888",       /* 0 to 7 */
  "EHHEHHE", "EHHF12C", "0CC0CC", "0CC0448", "248G842", "00V0V", "8421248", "EH12404",          /* 8 to ? */
  "EH1DLLE", "4AHHVHH", "UHHUHHU", "EHGGGHE", "SIHHHIS", "VGGUGGV", "VGGUGGG", "EHGNHHF",       /* @ to G */
  "HHHVHHH", "E44444E", "72222IC", "HIKOKIH", "GGGGGGV", "HRLLHHH", "HHPLJHH", "EHHHHHE",       /* H to O */
  "UHHUGGG", "EHHHLID", "UHHUKIH", "FGGE11U", "V444444", "HHHHHHE", "HHHHHA4", "HHHLLLA",       /* P to W */
  "HHA4AHH", "HHHA444", "V1248GV", "E88888E", "0G8421", "E22222E", "4AH", "00000000V",          /* X to _ */
  "842", "00E1FHF", "GGMPHHU", "00EGGHE", "11DJHHF", "00EHVGE", "698S888", "00FHHHF1E",         /* ` to g */
  "GGMPHHH", "40C444E", "2062222IC", "GGIKOKI", "C44444E", "00QLLHH", "00MPHHH", "00EHHHE",     /* h to o */
  "00UHHHUGG", "00FHHHF11", "00MPGGG", "00FGE1U", "88S8896", "00HHHJD", "00HHHA4", "00HHLLA",   /* p to w */
  "00HA4AH", "00HHHHF1E", "00V248V", "2448442", "4444444", "8442448", "008L2",                  /* x to ~ */
};

static const struct {
  uint32_t code;
  const char *rows;
} others[] = {
  { 0xb0, "6996" }, { 0xb1, "044V440V" }, { 0xb2, "C248E" }, { 0xb5, "00HHHJTGG" }, { 0xb7, "0004" }, { 0xd7, "00HA4AH" },
  { 0x3b1, "00DIIID" }, { 0x3b8, "699F996" }, { 0x3bc, "00HHHJTGG" }, { 0x3c3, "00FIHHE" }, { 0x2026, "000000L" },
  { 0x394, "44AAHHV" }, { 0x3a9, "EHHHHAR" }, { 0x3bb, "G844AAH" }, { 0x3c0, "00VAAAA" }, { 0x2013, "000E" },
  { 0x2014, "000V" }, { 0x2019, "44" }, { 0x201c, "AA" }, { 0x201d, "AA" }, { 0x201e, "00000AA" }, { 0x20ac, "68S8S86" },
  { 0x2212, "000V" }, { 0x2248, "0DM0DM" }, { 0x2264, "248420V" }, { 0x2265, "842480V" },
};

static unsigned row_of(const char *rows, int row)
{
  for (; *rows != '\0' && row > 0; row--)
    rows++;
  return *rows == '\0' ? 0 : *rows <= '9' ? (unsigned)(*rows - '0') : (unsigned)(*rows - 'A' + 10);
}

/* Latin letters are shown without what stands on them; another that is not here is a frame, as wide as a letter. */
unsigned ct_font_row(uint32_t code, int row)
{
  static const char plain[] = "AAAAAAACEEEEIIIIDNOOOOOxOUUUUYPsaaaaaaaceeeeiiiidnooooo/ouuuuypy";
  if (code >= 0xc0 && code < 0x100)
    code = (uint32_t)plain[code - 0xc0];
  if (code >= 0x20 && code < 0x7f)
    return row_of(ascii[code - 0x20], row);
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (others[i].code == code)
      return row_of(others[i].rows, row);
  return row_of("VHHHHHV", row);
}
