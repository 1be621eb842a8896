#include "ui/internal.h"

#include <poll.h>

#include "ui/tty.h"

/* A sequence curses does not know: taken for keys, its letters would be commands. It may come in pieces. */
static void swallow(struct ct_ui *ui, wint_t c)
{
  if (ui->sequence_length < sizeof ui->sequence - 1)
    ui->sequence[ui->sequence_length++] = c < 0x80 ? (char)c : '?';
  ui->in_sequence = c < 0x40 || c > 0x7e;
  if (ui->in_sequence)
    return;
  ui->sequence[ui->sequence_length] = '\0';
  if (c == 'c' && ui->sequence[0] == '?')
    ct_ui_attributes(ui, ui->sequence);
}

/* Curses has waited for the rest of a sequence before it gives an ESC: what follows at once belongs to it, if it looks
 * like it. Other characters are keys of their own. */
static uint32_t escape(struct ct_ui *ui)
{
  wint_t next;
  const int got = wget_wch(ui->input, &next);
  if (got == KEY_CODE_YES)
    ungetch((int)next);
  if (got != OK)
    return CT_PRESS_ESCAPE;
  if (next == '[' || next == 'O') {
    ui->in_sequence = true;
    ui->sequence_length = 0;
    return 0;
  }
  unget_wch((wchar_t)next);
  return CT_PRESS_ESCAPE;
}

static uint32_t click(struct ct_ui *ui)
{
  MEVENT event;
  if (getmouse(&event) != OK || !(event.bstate & BUTTON1_PRESSED))
    return 0;
  ui->click_row = event.y;
  ui->click_col = event.x;
  return CT_PRESS_CLICK;
}

static uint32_t function_key(struct ct_ui *ui, wint_t code)
{
  switch (code) {
  case KEY_UP: return CT_PRESS_UP;
  case KEY_DOWN: return CT_PRESS_DOWN;
  case KEY_LEFT: return CT_PRESS_LEFT;
  case KEY_RIGHT: return CT_PRESS_RIGHT;
  case KEY_F(1): return CT_PRESS_F1;
  case KEY_F(2): return CT_PRESS_F2;
  case KEY_PPAGE: return CT_PRESS_PAGE_UP;
  case KEY_NPAGE: return CT_PRESS_PAGE_DOWN;
  case KEY_F(10): return CT_PRESS_F10;
  case KEY_ENTER: return '\n';
  case KEY_BACKSPACE: return '\b';
  case KEY_MOUSE: return click(ui);
  case CT_UI_SYNCS: ui->synced = true; return 0;
  case CT_UI_ANSWERED: ct_ui_answered(ui); return 0;
  default: return 0;
  }
}

static uint32_t character(struct ct_ui *ui, wint_t c)
{
  if (ui->in_sequence && c != 0x1b) {
    swallow(ui, c);
    return 0;
  }
  ui->in_sequence = false;
  if (c == 0x1b)
    return escape(ui);
  return c == '\r' ? '\n' : c == 0x7f ? '\b' : c;
}

int ct_ui_key(struct ct_ui *ui, uint32_t *key)
{
  struct pollfd terminal = { .fd = ui->fd, .events = POLLIN };
  *key = 0;
  while (!ui->gone && ct_ui_tty_taken()) {
    wint_t c = 0;
    const int got = wget_wch(ui->input, &c);
    if (got == KEY_CODE_YES)
      *key = function_key(ui, c);
    else if (got == OK)
      *key = character(ui, c);
    else if (poll(&terminal, 1, 0) <= 0)         /* curses has no other word for "nothing" and for "not a character" */
      return 0;
    else if (terminal.revents & (POLLHUP | POLLERR | POLLNVAL))
      ui->gone = true;
    if (*key != 0)
      return 1;
  }
  return ui->gone ? CT_EIO : 0;
}
