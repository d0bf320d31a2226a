/* SPDX-License-Identifier: MIT */
/*
 * The secrets of a fleet, from the file of --fleet-keys: at the start, and again at each SIGHUP.
 */
#include "serve/fleet_keys.h"

#include <sys/stat.h>

#include "common/tool_log.h"

static void mode_check(const char *name) {
  struct stat info;
  if (stat(name, &info) || !(info.st_mode & (S_IROTH | S_IWOTH))) return;
  log_line(WT_LOG_WARN, "fleet keys %s: every user of this machine can %s them; 'chmod o-rwx' takes that away", name,
           info.st_mode & S_IROTH ? "read" : "change");
}

bool fleet_keys_read(const char *name, struct key_file *file, struct wt_fleet_keys *keys, char *message, size_t size) {
  wt_fleet_keys_default(keys);
  if (!key_file_read(file, name, message, size)) return false;
  mode_check(name);
  const struct key *current = &file->keys[KEY_CURRENT], *next = &file->keys[KEY_NEXT],
                   *previous = &file->keys[KEY_PREVIOUS];
  keys->current = current->bytes;
  keys->current_len = current->len;
  keys->next = next->len ? next->bytes : NULL;
  keys->next_len = next->len;
  keys->previous = previous->len ? previous->bytes : NULL;
  keys->previous_len = previous->len;
  return true;
}

const char *fleet_keys_text(const struct wt_fleet_keys *keys) {
  if (keys->next && keys->previous) return "current, next and previous";
  if (keys->next) return "current and next";
  return keys->previous ? "current and previous" : "current alone";
}
