/* SPDX-License-Identifier: MIT */
/*
 * The files of a run: read whole, written whole. They are small (2 MiB at most), and a half-written one in the
 * folder of downloads would look like a result, so nothing is written before all of it is there.
 *
 * Names come from the peer. One that could lead out of its folder is refused here, and nowhere else.
 */
#include "files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool file_name_is_safe(const char *name) {
  size_t len = strlen(name);
  if (len == 0 || len > 255) return false;
  for (const char *at = name;;) {
    size_t part = strcspn(at, "/");
    if (part == 0 || (part == 1 && at[0] == '.') || (part == 2 && at[0] == '.' && at[1] == '.')) return false;
    for (size_t i = 0; i < part; i++) {
      if ((unsigned char)at[i] < 0x20 || at[i] == 0x7f) return false;
    }
    if (!at[part]) return true;
    at += part + 1;
  }
}

static bool path_make(char path[PATH_MAX], const char *folder, const char *endpoint, const char *name) {
  int len = endpoint ? snprintf(path, PATH_MAX, "%s/%s/%s", folder, endpoint, name)
                     : snprintf(path, PATH_MAX, "%s/%s", folder, name);
  bool fits = len > 0 && len < PATH_MAX;
  if (!fits) errno = ENAMETOOLONG;
  return fits;
}

/* Reads what is left of `file` into `*data` behind `head_len` bytes that are there already. */
static bool read_all(FILE *file, uint8_t **data, size_t head_len, size_t *len) {
  size_t size = head_len + 65536;
  for (*len = head_len;;) {
    uint8_t *grown = realloc(*data, size);
    if (!grown) return false;
    *data = grown;
    *len += fread(*data + *len, 1, size - *len, file);
    if (*len < size) return !ferror(file);
    if (size > FILE_BYTES_MAX) {
      errno = EFBIG;
      return false;
    }
    size *= 2;
  }
}

uint8_t *file_read(const char *folder, const char *endpoint, const char *name, const char *head, size_t *len) {
  char path[PATH_MAX];
  if (!path_make(path, folder, endpoint, name)) return NULL;
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  uint8_t *data = (uint8_t *)strdup(head);
  if (data && !read_all(file, &data, strlen(head), len)) {
    free(data);
    data = NULL;
  }
  fclose(file);
  return data;
}

static bool folders_make(char *path, size_t from) {
  for (char *at = strchr(path + from, '/'); at; at = strchr(at + 1, '/')) {
    *at = 0;
    int failed = mkdir(path, 0777);
    *at = '/';
    if (failed && errno != EEXIST) return false;
  }
  return true;
}

bool file_save(const char *folder, const char *endpoint, const char *name, const void *data, size_t len) {
  char path[PATH_MAX];
  if (!path_make(path, folder, endpoint, name) || !folders_make(path, strlen(folder) + 1)) return false;
  FILE *file = fopen(path, "wb");
  if (!file) return false;
  bool written = len == 0 || fwrite(data, 1, len, file) == len;
  return fclose(file) == 0 && written;
}
