/* SPDX-License-Identifier: MIT */

/*
 * Connection information that outlives its connection.
 *
 * An attempt that fails is closed at once. Its dial ends a little later, and the application may then ask for the server's
 * certificate or its transport parameters. These belong to the connection, so they are copied: the struct, and everything
 * that it points to, in one block.
 *
 * That is done only for connections that fail. A connection that goes on is asked itself.
 */

#include "net/snapshot.h"

#include <string.h>

#include "base/mem.h"

static size_t text_size(const char *text) { return text ? strlen(text) + 1 : 0; }

/* Moves `len` bytes to the block; `*at` is where the next go. NULL stays NULL. */
static void *block_add(char **at, const void *data, size_t len) {
  void *place = *at;
  if (!data) return NULL;
  if (len) memcpy(place, data, len);
  *at += len;
  return place;
}

struct wt__snapshot *wt__snapshot_take(const struct wt_connection_info *info) {
  size_t settings = info->settings ? info->setting_count * sizeof(*info->settings) : 0;
  size_t size = settings + text_size(info->peer_address) + text_size(info->local_address) +
                text_size(info->tls_version) + text_size(info->cipher) + text_size(info->group);
  if (info->certificate) size += info->certificate_len;
  struct wt__snapshot *kept = wt__malloc(sizeof(*kept) + size);
  if (!kept) return NULL;
  char *at = (char *)(kept + 1);
  struct wt_connection_info *copy = &kept->info;
  *copy = *info;
  copy->settings = block_add(&at, info->settings, settings); /* first: they need alignment */
  copy->peer_address = block_add(&at, info->peer_address, text_size(info->peer_address));
  copy->local_address = block_add(&at, info->local_address, text_size(info->local_address));
  copy->tls_version = block_add(&at, info->tls_version, text_size(info->tls_version));
  copy->cipher = block_add(&at, info->cipher, text_size(info->cipher));
  copy->group = block_add(&at, info->group, text_size(info->group));
  copy->certificate = block_add(&at, info->certificate, info->certificate_len);
  return kept;
}

void wt__snapshot_free(struct wt__snapshot *kept) { wt__free(kept); }
