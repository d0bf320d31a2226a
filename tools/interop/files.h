/* SPDX-License-Identifier: MIT */
#ifndef INTEROP_FILES_H
#define INTEROP_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
  FILE_BYTES_MAX = 16 << 20, /* the runner's largest has 2 MiB */
};

/* Whether a name from the wire or the environment stays below the folder that it is put behind. */
bool file_name_is_safe(const char *name);

/* Reads FOLDER/ENDPOINT/NAME, behind `head`, into memory that is the caller's to free; NULL: errno says why not. */
uint8_t *file_read(const char *folder, const char *endpoint, const char *name, const char *head, size_t *len);

/* Writes FOLDER/ENDPOINT/NAME (FOLDER/NAME for an endpoint of NULL), making the folders below FOLDER that it needs.
 * False: errno says why not. */
bool file_save(const char *folder, const char *endpoint, const char *name, const void *data, size_t len);

#endif
