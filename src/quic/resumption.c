/* SPDX-License-Identifier: MIT */

/*
 * A client's memory of servers.
 *
 * A second connection to a server is cheaper than the first: a session ticket (RFC 8446, section 4.6.1) saves the
 * certificate and its signature, a token of a NEW_TOKEN frame (RFC 9000, section 8.1.3) the round trip of a Retry.
 * Both came on an earlier connection; here they wait for the next one.
 *
 * Each is used once. Two connections with the same ticket or token can be told to be of the same client by anyone who
 * sees both (RFC 8446, appendix C.4), and servers may refuse a token's second use. So `take` removes it. Several are
 * kept of a server, since a client may open several connections at a time; the latest is taken first, for it lives
 * longest. One that went out with packets which nobody answered is given back: it is the next attempt, most often at
 * another address of the same server, that needs it.
 *
 * The memory is small: a bounded list of servers, of which the least recently used one is forgotten first, found by
 * walking over it. What tells two servers apart is the caller's matter: it goes into the key.
 *
 * It knows neither TLS nor QUIC: bytes, keys, and a time after which they are of no use.
 */

#include "quic/resumption.h"

#include <string.h>

#include "base/list.h"
#include "base/mem.h"

struct server {
  struct wt__link link;
  char *name;
  uint32_t version;
  size_t count[WT__MEMORY_KINDS];
  struct wt__memory_item *items[WT__MEMORY_KINDS][WT__MEMORY_MAX_ITEMS]; /* oldest first */
};

struct wt__memory {
  struct wt__list servers; /* least recently used first */
  size_t count;
};

static const size_t max_len[WT__MEMORY_KINDS] = {WT__MEMORY_MAX_TICKET, WT__MEMORY_MAX_TOKEN};

static struct server *server_of(struct wt__link *link) { return WT__CONTAINER_OF(link, struct server, link); }

void wt__memory_item_free(struct wt__memory_item *item) {
  if (!item) return;
  wt__wipe(item->data, item->len);
  wt__free(item);
}

static void server_free(struct wt__memory *memory, struct server *server) {
  for (size_t kind = 0; kind < WT__MEMORY_KINDS; kind++) {
    for (size_t i = 0; i < server->count[kind]; i++) wt__memory_item_free(server->items[kind][i]);
  }
  wt__list_remove(&server->link);
  memory->count--;
  wt__free(server->name);
  wt__free(server);
}

struct wt__memory *wt__memory_new(void) {
  struct wt__memory *memory = wt__calloc(1, sizeof(*memory));
  if (memory) wt__list_init(&memory->servers);
  return memory;
}

void wt__memory_free(struct wt__memory *memory) {
  struct wt__link *link;
  if (!memory) return;
  while ((link = wt__list_first(&memory->servers))) server_free(memory, server_of(link));
  wt__free(memory);
}

/* The server of `key`, which is then the most recently used one; or NULL. */
static struct server *server_find(struct wt__memory *memory, const struct wt__memory_key *key) {
  WT__LIST_FOREACH(link, next, &memory->servers) {
    const struct server *server = server_of(link);
    if (server->version != key->version || strcmp(server->name, key->server) != 0) continue;
    wt__list_remove(link);
    wt__list_push_back(&memory->servers, link);
    return server_of(link);
  }
  return NULL;
}

static struct server *server_add(struct wt__memory *memory, const struct wt__memory_key *key) {
  struct server *server = wt__calloc(1, sizeof(*server));
  if (!server) return NULL;
  server->version = key->version;
  server->name = wt__strdup(key->server);
  if (!server->name) {
    wt__free(server);
    return NULL;
  }
  if (memory->count == WT__MEMORY_MAX_SERVERS) server_free(memory, server_of(wt__list_first(&memory->servers)));
  wt__list_push_back(&memory->servers, &server->link);
  memory->count++;
  return server;
}

static void server_push(struct server *server, enum wt__memory_kind kind, struct wt__memory_item *item) {
  struct wt__memory_item **items = server->items[kind];
  if (server->count[kind] == WT__MEMORY_MAX_ITEMS) {
    wt__memory_item_free(items[0]);
    server->count[kind]--;
    for (size_t i = 0; i < server->count[kind]; i++) items[i] = items[i + 1];
  }
  items[server->count[kind]++] = item;
}

void wt__memory_put(struct wt__memory *memory, const struct wt__memory_key *key, enum wt__memory_kind kind,
                    const void *data, size_t len, int64_t expires_at) {
  if (len == 0 || len > max_len[kind]) return;
  struct wt__memory_item *item = wt__malloc(sizeof(*item) + len);
  if (!item) return;
  item->expires_at = expires_at;
  item->len = len;
  memcpy(item->data, data, len);
  struct server *server = server_find(memory, key);
  if (!server) server = server_add(memory, key);
  if (server) {
    server_push(server, kind, item);
  } else {
    wt__memory_item_free(item);
  }
}

static bool server_is_empty(const struct server *server) {
  for (size_t kind = 0; kind < WT__MEMORY_KINDS; kind++) {
    if (server->count[kind]) return false;
  }
  return true;
}

struct wt__memory_item *wt__memory_take(struct wt__memory *memory, const struct wt__memory_key *key,
                                        enum wt__memory_kind kind, int64_t now) {
  struct server *server = server_find(memory, key);
  struct wt__memory_item *item = NULL;
  while (server && !item && server->count[kind]) {
    item = server->items[kind][--server->count[kind]];
    if (now < item->expires_at) break;
    wt__memory_item_free(item);
    item = NULL;
  }
  if (server && server_is_empty(server)) server_free(memory, server);
  return item;
}

void wt__memory_give_back(struct wt__memory *memory, const struct wt__memory_key *key, enum wt__memory_kind kind,
                          struct wt__memory_item *item) {
  if (!item) return;
  struct server *server = server_find(memory, key);
  if (!server) server = server_add(memory, key);
  if (server && server->count[kind] < WT__MEMORY_MAX_ITEMS) {
    server_push(server, kind, item);
  } else {
    wt__memory_item_free(item);
  }
}
