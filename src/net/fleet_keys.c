/* SPDX-License-Identifier: MIT */

/*
 * A server's keys are derived from the secrets at once, and the secrets are not kept. TLS has those of tickets. Those of
 * tokens and stateless resets wait in the server until it is started, then all workers share them (quic/shared.h).
 *
 * A `reset_key` of the configuration is a key for stateless resets that somebody has chosen: no secret replaces it. Nor is
 * the process's own key replaced where machines must not reset each other's connections (`own_resets`).
 */

#include "net/fleet_keys.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sized.h"
#include "net/server_state.h"
#include "quic/keys.h"
#include "quic/tls.h"

void wt_fleet_keys_init(struct wt_fleet_keys *keys, size_t size) {
  const struct wt_fleet_keys all = {.size = 0};
  wt__sized_init(keys, size, &all, sizeof(all));
}

/* One secret; false: it cannot be used, and `why` says why. */
static bool secret_check(const char *name, const uint8_t *secret, size_t len, char *why, size_t size) {
  if (!secret && len == 0) return true;
  if (secret && len >= WT__KEYS_SECRET_MIN && len <= WT__KEYS_SECRET_MAX) return true;
  if (secret) {
    snprintf(why, size, "fleet_keys: %s_len is %zu, must be from %d to %d", name, len, WT__KEYS_SECRET_MIN,
             WT__KEYS_SECRET_MAX);
  } else {
    snprintf(why, size, "fleet_keys: %s is NULL, and %s_len is %zu", name, name, len);
  }
  return false;
}

static int keys_read(struct wt_fleet_keys *read, const struct wt_fleet_keys *keys, char *why, size_t size) {
  wt_fleet_keys_default(read);
  int error = wt__sized_read(read, sizeof(*read), keys, sizeof(*read));
  if (error) {
    if (keys)
      snprintf(why, size, "fleet_keys: size is %zu: call wt_fleet_keys_default first", keys->size);
    else
      snprintf(why, size, "fleet_keys is NULL");
    return error;
  }
  if (!secret_check("current", read->current, read->current_len, why, size) ||
      !secret_check("next", read->next, read->next_len, why, size) ||
      !secret_check("previous", read->previous, read->previous_len, why, size))
    return WT_ERR_INVALID;
  if (read->current) return 0;
  snprintf(why, size, "fleet_keys: there is no current secret");
  return WT_ERR_INVALID;
}

static int keys_derive(const struct wt_server *server, const struct wt_fleet_keys *given, struct wt__keys *keys,
                       struct wt__ticket_secrets *tickets, char *why, size_t size) {
  struct wt_fleet_keys read;
  int error = keys_read(&read, given, why, size);
  if (error) return error;
  const struct wt__vec secrets[WT__KEYS_MAX] = {
      {read.current, read.current_len}, {read.previous, read.previous_len}, {read.next, read.next_len}};
  error = wt__keys_derive(keys, tickets, secrets, WT__KEYS_MAX);
  if (error) snprintf(why, size, "fleet_keys: %s", wt_error_string(error));
  if (error == 0 && (read.own_resets || server->config.reset_key)) wt__keys_fix_reset(keys, server->reset_key);
  return error;
}

/* The keys become the server's. */
static void keys_apply(struct wt_server *server, const struct wt__keys *keys) {
  if (server->has_shared)
    wt__shared_set_keys(&server->shared, keys);
  else
    server->keys = *keys;
}

int wt__fleet_keys_set(struct wt_server *server, const struct wt_fleet_keys *given, char *why, size_t size) {
  struct wt__keys keys;
  struct wt__ticket_secrets tickets;
  int error = keys_derive(server, given, &keys, &tickets, why, size);
  if (error) return error;
  pthread_mutex_lock(&server->keys_lock);
  error = wt__tls_context_set_ticket_secrets(server->tls, &tickets);
  if (error == 0) keys_apply(server, &keys);
  pthread_mutex_unlock(&server->keys_lock);
  if (error) snprintf(why, size, "fleet_keys: %s", wt_error_string(error));
  wt__wipe(&keys, sizeof(keys));
  wt__wipe(&tickets, sizeof(tickets));
  return error;
}

int wt__fleet_keys_open(struct wt_server *server, char *why, size_t size) {
  const struct wt_fleet_keys *given = server->config.fleet_keys;
  const uint8_t *reset_key = server->config.reset_key;
  server->config.fleet_keys = NULL; /* the caller's */
  if (reset_key) memcpy(server->reset_key, reset_key, sizeof(server->reset_key));
  int error = reset_key ? 0 : wt__tls_random(server->reset_key, sizeof(server->reset_key));
  return error || !given ? error : wt__fleet_keys_set(server, given, why, size);
}

int wt__fleet_keys_start(struct wt_server *server) {
  if (server->keys.token_count == 0) {
    int error = wt__keys_random(&server->keys);
    if (error) return error;
    if (server->config.reset_key)
      wt__keys_fix_reset(&server->keys, server->reset_key);
    else
      memcpy(server->reset_key, server->keys.reset[0], sizeof(server->reset_key)); /* made anew, in case of a fork */
  }
  wt__shared_set_keys(&server->shared, &server->keys);
  wt__wipe(&server->keys, sizeof(server->keys));
  return 0;
}
