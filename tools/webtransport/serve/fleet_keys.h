/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVE_FLEET_KEYS_H
#define WEBTRANSPORT_TOOL_SERVE_FLEET_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <webtransport/fleet.h>

#include "common/key_file.h"

/* Reads the file of --fleet-keys into `file`, and shows it as the library wants it: `*keys` points into `file`. A file that
 * every user of the machine can read or change is worth a warning. False: `message` says what is wrong. */
bool fleet_keys_read(const char *name, struct key_file *file, struct wt_fleet_keys *keys, char *message, size_t size);

/* Which secrets there are: "current, next and previous". */
const char *fleet_keys_text(const struct wt_fleet_keys *keys);

#endif
