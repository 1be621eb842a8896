/* What the files of this room share about HDF5. */
#ifndef ARCHIVE_H5_H
#define ARCHIVE_H5_H

#include <hdf5.h>

#include <comptop/archive.h>

/* HDF5 prints its error stack unless told otherwise, for each thread anew; and filter 32008 must be known. */
void ct_h5_begin(void);
/* The innermost message of the library's error stack, "file signature not found". */
#define CT_H5_WHY 128
const char *ct_h5_why(char text[CT_H5_WHY]);
/* The pixel type of a plain number, or CT_TYPE_COUNT; and the native HDF5 type of a pixel type. */
enum ct_type ct_h5_type(hid_t hdf5_type);
hid_t ct_h5_native(enum ct_type type);
/* Elements of a data set of one dimension, else 0; of one that is not there (a negative <set>) as well. */
hsize_t ct_h5_length(hid_t set);
/* Opens for reading; the error says what is wrong with the file. */
int ct_h5_open_file(hid_t *file, const char *path, struct ct_err *err);

/* Whether they are kept as events (events.h). */
bool ct_h5_are_events(const struct ct_h5_frames *frames);

#endif
