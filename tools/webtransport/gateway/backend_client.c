/* SPDX-License-Identifier: MIT */
/*
 * Clients for back ends. What a client trusts is fixed when it is made, so a route with other authorities needs another
 * client. They live until the gateway ends: sessions use them, and a client on a loop that runs cannot be freed. So
 * SIGHUP makes a new one only if a route needs one that is not there, or if its file of authorities is another one now.
 */
#include "gateway/backend_client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/tool_log.h"
#include "common/values.h"
#include "gateway/backend.h"

enum {
  LINGER_MS = 1000,         /* an unused connection: the next client often comes soon */
  STREAMS_PER_SESSION = 16, /* as `serve` gives to its proxies */
};

/* Sessions of many clients share a connection, so one that does not read must not use up the window of all: that of the
 * connection is twice those of its sessions. Within a session it is as in gateway.c. */
enum {
  STREAM_WINDOW = 16 * 1024,
  SESSION_WINDOW = 8 * 1024 * 1024,
};

struct backend_client {
  wt_client *client;
  struct backend_trust trust;
  struct stat ca; /* of the file, when it was read */
  struct backend_client *next;
};

static bool trust_equal(const struct backend_trust *a, const struct backend_trust *b) {
  return a->hash_count == b->hash_count && !memcmp(a->hashes, b->hashes, a->hash_count * sizeof a->hashes[0]) &&
         !strcmp(a->ca_file, b->ca_file) && a->sessions_per_connection == b->sessions_per_connection;
}

/* The newest one, which is the first. */
static struct backend_client *client_find(const struct gateway *gateway, const struct backend_trust *trust) {
  struct backend_client *found = gateway->clients;
  while (found && !trust_equal(&found->trust, trust)) found = found->next;
  return found;
}

static bool file_same(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
         a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void client_configure(struct gateway *gateway, const struct backend_trust *trust,
                             struct wt_client_config *config) {
  uint64_t streams = trust->sessions_per_connection * STREAMS_PER_SESSION;
  wt_client_config_default(config);
  config->loop = &gateway->loop;
  config->log = log_library;
  if (trust->ca_file[0]) config->ca_file = trust->ca_file;
  if (trust->hash_count) config->certificate_hashes = trust->hashes;
  config->certificate_hash_count = trust->hash_count;
  config->max_sessions_per_connection = (size_t)trust->sessions_per_connection;
  config->linger_ms = LINGER_MS;
  config->initial_max_stream_data = STREAM_WINDOW;
  config->max_stream_send_buffer = GATEWAY_STREAM_QUEUE;
  config->max_stream_data = config->wt_initial_max_data = config->wt_max_data = SESSION_WINDOW;
  config->initial_max_data = config->max_data = 2 * SESSION_WINDOW * trust->sessions_per_connection;
  if (streams > config->max_streams_bidi) config->max_streams_bidi = streams;
  if (streams > config->max_streams_uni) config->max_streams_uni = streams;
}

static bool client_make(struct gateway *gateway, const struct backend_trust *trust, char *message, size_t size) {
  struct wt_client_config config;
  struct stat ca = {0};
  bool has_file = trust->ca_file[0] && !stat(trust->ca_file, &ca); /* if not, wt_client_new says why */
  struct backend_client *found = client_find(gateway, trust);
  if (found && (!has_file || file_same(&found->ca, &ca))) return true;
  struct backend_client *made = calloc(1, sizeof *made);
  if (!made) return value_refuse(message, size, "out of memory");
  made->trust = *trust;
  made->ca = ca;
  client_configure(gateway, &made->trust, &config);
  if (wt_client_new(&config, &made->client, message, size)) {
    free(made);
    return false;
  }
  made->next = gateway->clients;
  gateway->clients = made;
  return true;
}

bool backend_clients_open(struct gateway *gateway, struct route_settings *const *list, size_t count, char *message,
                          size_t size) {
  for (size_t i = 0; i < count; i++)
    if (list[i]->target.kind == &https_backend && !client_make(gateway, &list[i]->trust, message, size)) return false;
  return true;
}

wt_client *backend_client_of(const struct gateway *gateway, const struct route_settings *route) {
  const struct backend_client *found = client_find(gateway, &route->trust);
  return found ? found->client : NULL;
}

void backend_clients_free(struct gateway *gateway) {
  for (struct backend_client *at = gateway->clients, *next; at; at = next) {
    next = at->next;
    wt_client_free(at->client);
    free(at);
  }
  gateway->clients = NULL;
}
