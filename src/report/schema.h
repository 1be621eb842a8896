/* schema: the names, units and places of the scalars of a sample; JSON and TSV are two spellings of this one table.
 * Ownership: tables are constant; a value borrows from the snapshot or from the scratch it was given. */
#ifndef REPORT_SCHEMA_H
#define REPORT_SCHEMA_H

#include <comptop/snapshot.h>

enum ct_field_kind {
  CT_FIELD_U64, CT_FIELD_NUMBER /* u64 that may be CT_ABSENT */, CT_FIELD_U32, CT_FIELD_PLACE, CT_FIELD_REAL, CT_FIELD_BOOL, CT_FIELD_TEXT, CT_FIELD_TIME,
  CT_FIELD_ROLE, CT_FIELD_STREAM_STATE, CT_FIELD_ARCHIVE_STATE, CT_FIELD_SEVERITY, CT_FIELD_FAULT, CT_FIELD_CALIBRATED,
  CT_FIELD_MONITOR_STATE
};

struct ct_field {
  const char *key;            /* "a.b" is key b of object a; NULL ends a table */
  const char *unit;           /* "-": none; NULL: not for TSV */
  enum ct_field_kind kind;
  size_t offset, size;        /* in its struct */
};

extern const struct ct_field ct_schema_head[], ct_schema_stream[], ct_schema_ring[], ct_schema_archive[],
  ct_schema_xcs[], ct_schema_health[], ct_schema_pixel[], ct_schema_roi[], ct_schema_lithium[], ct_schema_drift[], ct_schema_monitors[],
  ct_schema_monitor[],
  ct_schema_ct[], ct_schema_cell[], ct_schema_alarm[];

enum ct_value_kind { CT_VALUE_ABSENT, CT_VALUE_INTEGER, CT_VALUE_REAL, CT_VALUE_BOOL, CT_VALUE_TEXT };
struct ct_value {
  enum ct_value_kind kind;
  uint64_t integer;           /* and of BOOL */
  double real;                /* finite */
  const char *text;           /* perhaps not UTF-8, not terminated */
  size_t length;
};

/* The value of <field> in the struct at <base>; NULL base: absent. */
struct ct_value ct_schema_value(const struct ct_field *field, const void *base, char scratch[CT_TIME_TEXT]);

#endif
