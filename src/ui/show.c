#include "ui/internal.h"

#include <errno.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "ui/tty.h"

/* A terminal that has not answered for so long never will. */
enum { SILENCE_S = 1 };
/* An answer may be lost, when another terminal takes over the session; after this it is no longer waited for. */
enum { LOST_S = 30 };

bool ct_ui_queue(struct ct_ui *ui, const char *bytes, size_t length)
{
  const ssize_t n = write(fileno(ui->frame), bytes, length);
  ui->queued += n > 0 ? (size_t)n : 0;
  return n == (ssize_t)length;
}

void ct_ui_ask(struct ct_ui *ui)
{
  if (ui->manners == CT_UI_NOT_ASKABLE || !ct_ui_queue(ui, CT_UI_QUESTION, sizeof CT_UI_QUESTION - 1))
    return;
  ui->asked++;
  ui->asked_ns = ct_time_mono_ns();
}

void ct_ui_answered(struct ct_ui *ui)
{
  ui->manners = CT_UI_ANSWERS;
  if (ui->asked > 0 && --ui->asked == 0)
    ui->stats.lag_s = (double)(ct_time_mono_ns() - ui->asked_ns) / (double)CT_NS_PER_S;
}

/* The first frame does not wait: what was asked before it only tells how the terminal behaves. */
static bool waits_for_answer(struct ct_ui *ui)
{
  if (ui->asked == 0 || ui->stats.shown == 0)
    return false;
  const int64_t waited_ns = ct_time_mono_ns() - ui->asked_ns;
  if (ui->manners == CT_UI_UNKNOWN && waited_ns > SILENCE_S * CT_NS_PER_S)
    ui->manners = CT_UI_SILENT;
  if (ui->manners == CT_UI_SILENT || waited_ns > LOST_S * CT_NS_PER_S)
    ui->asked = 0;
  return ui->asked > 0;
}

void ct_ui_drop(struct ct_ui *ui)
{
  /* An unnamed file in memory: neither call can fail. */
  if (ftruncate(fileno(ui->frame), 0) == 0 && lseek(fileno(ui->frame), 0, SEEK_SET) == 0)
    ui->queued = ui->sent = 0;
}

size_t ct_ui_pending(const struct ct_ui *ui)
{
  return ui->queued - ui->sent;
}

void ct_ui_bell(struct ct_ui *ui)
{
  if (ct_ui_tty_taken())
    ct_ui_queue(ui, "\a", 1);
}

int ct_ui_flush(struct ct_ui *ui)
{
  char bytes[4096];
  while (ui->sent < ui->queued && !ui->gone) {
    const size_t left = ui->queued - ui->sent;
    const ssize_t got = pread(fileno(ui->frame), bytes, left < sizeof bytes ? left : sizeof bytes, (off_t)ui->sent);
    if (got <= 0)
      break;
    const ssize_t n = write(ui->fd, bytes, (size_t)got);
    if (n > 0) {
      ui->sent += (size_t)n;
      ui->stats.bytes += (uint64_t)n;
    } else if (n == 0 || errno == EAGAIN) {
      return 0;
    } else if (errno != EINTR) {
      ui->gone = true;
    }
  }
  if (ui->queued > 0)
    ct_ui_drop(ui);
  return ui->gone ? CT_EIO : 0;
}

/* Has the last frame arrived, as far as that can be known? The queue of a serial line is seen by TIOCOUTQ, a full
 * pseudo terminal by poll, everything behind by the answer. */
bool ct_ui_drained(struct ct_ui *ui)
{
  int unsent = 0;
  struct pollfd terminal = { .fd = ui->fd, .events = POLLOUT };
  if (ct_ui_pending(ui) > 0 || (ioctl(ui->fd, TIOCOUTQ, &unsent) == 0 && unsent > 0))
    return false;
  return poll(&terminal, 1, 0) > 0 && !waits_for_answer(ui);
}

/* Of the eight colours every terminal has, the nearest in hue; grey is the terminal's own. */
static int basic_of(int colour)
{
  if (colour > 231)
    return -1;
  static const int levels[] = { 0, 95, 135, 175, 215, 255 };
  const int cube = colour - 16, r = levels[cube / 36], g = levels[cube / 6 % 6], b = levels[cube % 6];
  const int high = r > g ? (r > b ? r : b) : g > b ? g : b, low = r < g ? (r < b ? r : b) : g < b ? g : b;
  if (high == low)
    return -1;
  return (2 * r >= high + low) | (2 * g >= high + low) << 1 | (2 * b >= high + low) << 2;
}

static int colour_of(const struct ct_ui *ui, int colour)
{
  if (colour < 16 || colour > 255)
    return -1;
  return ui->accents ? basic_of(colour) : colour;
}

static int pair_of(const struct ct_ui *ui, const struct ct_glyph *glyph)
{
  if (!(ui->colours || ui->accents) || (glyph->fg < 0 && glyph->bg < 0))
    return 0;
  const int pair = alloc_pair(colour_of(ui, glyph->fg), colour_of(ui, glyph->bg));
  return pair > 0 ? pair : 0;
}

/* One column for one glyph, whatever the grid says: else all that follows would be shifted. */
static wchar_t printable(const struct ct_ui *ui, uint32_t code)
{
  if (code >= 0x20 && code < 0x7f)
    return (wchar_t)code;
  return ui->utf8 && code >= 0xa0 && code <= 0x10ffff && wcwidth((wchar_t)code) == 1 ? (wchar_t)code : L'?';
}

static attr_t attributes_of(unsigned attributes)
{
  attr_t all = WA_NORMAL;
  if (attributes & CT_ATTR_BOLD)
    all |= WA_BOLD;
  if (attributes & CT_ATTR_DIM)
    all |= WA_DIM;
  if (attributes & CT_ATTR_REVERSE)
    all |= WA_REVERSE;
  if (attributes & CT_ATTR_UNDERLINE)
    all |= WA_UNDERLINE;
  return all;
}

static void draw(const struct ct_ui *ui, const struct ct_grid *grid)
{
  const int rows = grid->rows < ui->rows ? grid->rows : ui->rows;
  const int cols = grid->cols < ui->cols ? grid->cols : ui->cols;
  const struct ct_glyph *last = NULL;
  int pair = 0;
  werase(stdscr);
  for (int y = 0; y < rows; y++) {
    const struct ct_glyph *row = grid->glyphs + (size_t)y * (size_t)grid->cols;
    wmove(stdscr, y, 0);
    for (int x = 0; x < cols; x++) {
      cchar_t cell;
      const wchar_t text[2] = { printable(ui, row[x].code), L'\0' };
      if (!last || last->fg != row[x].fg || last->bg != row[x].bg)
        pair = pair_of(ui, &row[x]);
      last = &row[x];
      setcchar(&cell, text, attributes_of(row[x].attributes), 0, &pair);
      wadd_wch(stdscr, &cell);     /* fails in the last corner, after writing there */
    }
  }
}

int ct_ui_show(struct ct_ui *ui, const struct ct_grid *grid, bool full)
{
  ui->repaint = ui->repaint || full;
  if (ct_ui_flush(ui) != 0)
    return CT_EIO;
  if (!ct_ui_tty_taken() || ui->picture.shown || !ct_ui_drained(ui)) {
    ui->stats.skipped++;
    return 0;
  }
  draw(ui, grid);
  if (ui->repaint)
    clearok(curscr, TRUE);
  ui->repaint = false;
  const bool framed = ui->synced && ct_ui_queue(ui, CT_UI_FRAME_BEGIN, sizeof CT_UI_FRAME_BEGIN - 1);
  const size_t before = ui->queued;
  wnoutrefresh(stdscr);
  doupdate();
  ui->queued = (size_t)lseek(fileno(ui->frame), 0, SEEK_CUR);
  if (ui->queued == before)
    ct_ui_drop(ui);                /* nothing changed */
  else if (framed)
    ct_ui_queue(ui, CT_UI_FRAME_END, sizeof CT_UI_FRAME_END - 1);
  if (ui->queued > 0)
    ct_ui_ask(ui);
  ui->stats.shown++;
  return ct_ui_flush(ui) == 0 ? 1 : CT_EIO;
}
