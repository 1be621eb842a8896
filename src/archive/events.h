/* Frames as lists of the pixels that are not 0, /entry/events (NXevent_data): in a frame file in place of /entry/data. Nothing
 * else is left out, so a frame is made again from them bit for bit. */
#ifndef ARCHIVE_EVENTS_H
#define ARCHIVE_EVENTS_H

#include "archive/chunk.h"
#include "archive/grow.h"

struct ct_events {
  struct ct_grow id, value;        /* of each event */
  struct ct_grow index, count;     /* of each frame: its first event, and how many they are */
};
/* None is open. */
void ct_events_clear(struct ct_events *events);
int ct_events_create(struct ct_events *events, hid_t entry, uint32_t rows, uint32_t cols, enum ct_type type,
                     const char *units) CT_MUST_CHECK;
/* The columns of the file that belong to them too, and what a NeXus viewer shows first; after those were created. */
void ct_events_link(hid_t entry);
/* A chunk packed as CT_CODEC_EVENTS; as ct_grow_append(). */
int ct_events_append(struct ct_events *events, const struct ct_chunk *chunk) CT_MUST_CHECK;
int ct_events_flush(const struct ct_events *events) CT_MUST_CHECK;
void ct_events_close(struct ct_events *events);

/* Reading: NULL when the file holds no events, or not such as these. <info> has n = 0 before the first frame. */
struct ct_event_reader;
struct ct_event_reader *ct_events_open(hid_t file, struct ct_h5_info *info);
/* Frames first..first+count-1, which are there, into <out>; false: damaged. */
bool ct_events_read(struct ct_event_reader *reader, uint64_t first, uint64_t count, unsigned char *out);
void ct_events_close_reader(struct ct_event_reader *reader);    /* NULL is fine */
/* How many of a file's first <rows> frames have all their events; and cuts it to so many. */
uint64_t ct_events_whole(hid_t file, uint64_t rows);
bool ct_events_cut(hid_t file, uint64_t rows);

#endif
