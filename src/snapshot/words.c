/* The words that JSON, screens and messages use. */
#include <comptop/snapshot.h>

#include <string.h>

static const char *word(const char *const *words, size_t count, unsigned value)
{
  return value < count ? words[value] : "?";
}
#define WORD(words, value) word(words, sizeof(words) / sizeof *(words), (unsigned)(value))

const char *ct_reject_word(enum ct_reject reject)
{
  static const char *const words[] = {
#define X(name, text) [CT_REJECT_##name] = text,
    CT_REJECTS(X)
#undef X
  };
  return WORD(words, reject);
}

const char *ct_stream_state_word(enum ct_stream_state state)
{
  static const char *const words[] = {[CT_STREAM_DOWN] = "down", [CT_STREAM_LIVE] = "live", [CT_STREAM_LATE] = "late",
                                      [CT_STREAM_STALE] = "stale", [CT_STREAM_IDLE] = "idle"};
  return WORD(words, state);
}

const char *ct_role_word(enum ct_role role)
{
  static const char *const words[] = {
    [CT_ROLE_HEXITEC] = "hexitec", [CT_ROLE_CAMERA] = "camera", [CT_ROLE_SCALARS] = "scalars"};
  return WORD(words, role);
}

const char *ct_archive_state_word(enum ct_archive_state state)
{
  static const char *const words[] = {[CT_ARCHIVE_OFF] = "off", [CT_ARCHIVE_OK] = "ok",
                                      [CT_ARCHIVE_DEGRADED] = "degraded", [CT_ARCHIVE_FAILED] = "failed"};
  return WORD(words, state);
}

const char *ct_severity_word(enum ct_severity severity)
{
  static const char *const words[] = {
    [CT_NOTICE] = "notice", [CT_WARNING] = "warning", [CT_CRITICAL] = "critical"};
  return WORD(words, severity);
}

const char *ct_image_word(enum ct_image image)
{
  static const char *const words[] = {
    [CT_IMAGE_PROJECTION] = "projection", [CT_IMAGE_SINOGRAM] = "sinogram", [CT_IMAGE_XY] = "plane-xy", [CT_IMAGE_XZ] = "plane-xz",
    [CT_IMAGE_YZ] = "plane-yz", [CT_IMAGE_OBLIQUE] = "plane-oblique", [CT_IMAGE_OVERVIEW] = "volume-front",
    [CT_IMAGE_VOLUME] = "volume"};
  return WORD(words, image);
}

const char *ct_fault_word(enum ct_fault fault)
{
  static const char *const words[] = {[CT_FAULT_HOT] = "hot", [CT_FAULT_DEAD] = "dead", [CT_FAULT_PAST] = "past"};
  return WORD(words, fault);
}

const char *ct_monitor_word(enum ct_monitor monitor)
{
  static const char *const words[] = {
#define X(name, key, unit) [CT_MONITOR_##name] = key,
    CT_MONITORS_(X)
#undef X
  };
  return WORD(words, monitor);
}

const char *ct_monitor_state_word(enum ct_monitor_state state)
{
  static const char *const words[] = {[CT_MONITOR_UNKNOWN] = "unknown", [CT_MONITOR_LEARNING] = "learning",
                                      [CT_MONITOR_FINE] = "fine", [CT_MONITOR_ALARM] = "alarm"};
  return WORD(words, state);
}

_Static_assert(sizeof(struct ct_request) == 8 * 4 + 2 * 8 + sizeof(struct ct_point), "memcmp needs a request without padding");

bool ct_request_equal(const struct ct_request *a, const struct ct_request *b)
{
  return memcmp(a, b, sizeof *a) == 0;
}
