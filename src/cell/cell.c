/* The latest voltage, current and charge. */
#include <comptop/cell.h>

#include <math.h>
#include <string.h>

int ct_cell_init(struct ct_cell *cell, const char *voltage, const char *current, const char *charge,
                 struct ct_err *err)
{
  static const char *const key[CT_CELL_QUANTITIES] = { "voltage", "current", "charge" };
  static const char *const usual[CT_CELL_QUANTITIES] = { "Ewe_V", "I_A", "Q_Ah" };
  const char *given[CT_CELL_QUANTITIES] = { voltage, current, charge };
  memset(cell, 0, sizeof *cell);
  for (int i = 0; i < CT_CELL_QUANTITIES; i++) {
    const char *name = given[i] != NULL ? given[i] : usual[i];
    size_t length = strlen(name);
    if (length == 0 || length >= CT_CELL_NAME)
      return ct_err_set(err, CT_ERANGE, "scalars.%s: the channel name \"%.80s\" must have 1 to %d bytes", key[i], name,
                        CT_CELL_NAME - 1);
    memcpy(cell->latest[i].channel, name, length + 1);
    cell->latest[i].value = (double)NAN;
  }
  return 0;
}

bool ct_cell_update(struct ct_cell *cell, const char *channel, double value, int64_t time_ns)
{
  if (!isfinite(value))
    return false;
  bool used = false;
  for (int i = 0; i < CT_CELL_QUANTITIES; i++) {
    struct ct_cell_value *latest = &cell->latest[i];
    if (strcmp(latest->channel, channel) != 0 || (!isnan(latest->value) && time_ns < latest->time_ns))
      continue;
    latest->value = value;
    latest->time_ns = time_ns;
    used = true;
  }
  return used;
}

bool ct_cell_time(const struct ct_cell *cell, int64_t *time_ns)
{
  bool any = false;
  for (int i = 0; i < CT_CELL_QUANTITIES; i++) {
    const struct ct_cell_value *latest = &cell->latest[i];
    if (isnan(latest->value) || (any && latest->time_ns <= *time_ns))
      continue;
    *time_ns = latest->time_ns;
    any = true;
  }
  return any;
}
