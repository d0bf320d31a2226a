/* SPDX-License-Identifier: MIT */

/*
 * What a client keeps for its next connections to servers.
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
 * The store is small: a bounded list of servers, which is searched from end to end. The least recently used server is
 * forgotten first. The caller decides what tells two servers apart: it goes into the key.
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
  size_t count[WT__RESUMPTION_KINDS];
  struct wt__resumption_item *items[WT__RESUMPTION_KINDS][WT__RESUMPTION_MAX_ITEMS]; /* oldest first */
};

struct wt__resumption {
  struct wt__list servers; /* least recently used first */
  size_t count;
};

static const size_t max_len[WT__RESUMPTION_KINDS] = {WT__RESUMPTION_MAX_TICKET, WT__RESUMPTION_MAX_TOKEN};

static struct server *server_of(struct wt__link *link) { return WT__CONTAINER_OF(link, struct server, link); }

void wt__resumption_item_free(struct wt__resumption_item *item) {
  if (!item) return;
  wt__wipe(item->data, item->len);
  wt__free(item);
}

static void server_free(struct wt__resumption *store, struct server *server) {
  for (size_t kind = 0; kind < WT__RESUMPTION_KINDS; kind++) {
    for (size_t i = 0; i < server->count[kind]; i++) wt__resumption_item_free(server->items[kind][i]);
  }
  wt__list_remove(&server->link);
  store->count--;
  wt__free(server->name);
  wt__free(server);
}

struct wt__resumption *wt__resumption_new(void) {
  struct wt__resumption *store = wt__calloc(1, sizeof(*store));
  if (store) wt__list_init(&store->servers);
  return store;
}

void wt__resumption_free(struct wt__resumption *store) {
  struct wt__link *link;
  if (!store) return;
  while ((link = wt__list_first(&store->servers))) server_free(store, server_of(link));
  wt__free(store);
}

/* The server of `key`, which is then the most recently used one; or NULL. */
static struct server *server_find(struct wt__resumption *store, const struct wt__resumption_key *key) {
  WT__LIST_FOREACH(link, next, &store->servers) {
    const struct server *server = server_of(link);
    if (server->version != key->version || strcmp(server->name, key->server) != 0) continue;
    wt__list_remove(link);
    wt__list_push_back(&store->servers, link);
    return server_of(link);
  }
  return NULL;
}

static struct server *server_add(struct wt__resumption *store, const struct wt__resumption_key *key) {
  struct server *server = wt__calloc(1, sizeof(*server));
  if (!server) return NULL;
  server->version = key->version;
  server->name = wt__strdup(key->server);
  if (!server->name) {
    wt__free(server);
    return NULL;
  }
  if (store->count == WT__RESUMPTION_MAX_SERVERS) server_free(store, server_of(wt__list_first(&store->servers)));
  wt__list_push_back(&store->servers, &server->link);
  store->count++;
  return server;
}

static void server_push(struct server *server, enum wt__resumption_kind kind, struct wt__resumption_item *item) {
  struct wt__resumption_item **items = server->items[kind];
  if (server->count[kind] == WT__RESUMPTION_MAX_ITEMS) {
    wt__resumption_item_free(items[0]);
    server->count[kind]--;
    for (size_t i = 0; i < server->count[kind]; i++) items[i] = items[i + 1];
  }
  items[server->count[kind]++] = item;
}

void wt__resumption_put(struct wt__resumption *store, const struct wt__resumption_key *key,
                        enum wt__resumption_kind kind, const void *data, size_t len, int64_t expires_at) {
  if (len == 0 || len > max_len[kind]) return;
  struct wt__resumption_item *item = wt__malloc(sizeof(*item) + len);
  if (!item) return;
  item->expires_at = expires_at;
  item->len = len;
  memcpy(item->data, data, len);
  struct server *server = server_find(store, key);
  if (!server) server = server_add(store, key);
  if (server) {
    server_push(server, kind, item);
  } else {
    wt__resumption_item_free(item);
  }
}

static bool server_is_empty(const struct server *server) {
  for (size_t kind = 0; kind < WT__RESUMPTION_KINDS; kind++) {
    if (server->count[kind]) return false;
  }
  return true;
}

struct wt__resumption_item *wt__resumption_take(struct wt__resumption *store, const struct wt__resumption_key *key,
                                                enum wt__resumption_kind kind, int64_t now) {
  struct server *server = server_find(store, key);
  struct wt__resumption_item *item = NULL;
  while (server && !item && server->count[kind]) {
    item = server->items[kind][--server->count[kind]];
    if (now < item->expires_at) break;
    wt__resumption_item_free(item);
    item = NULL;
  }
  if (server && server_is_empty(server)) server_free(store, server);
  return item;
}

void wt__resumption_give_back(struct wt__resumption *store, const struct wt__resumption_key *key,
                              enum wt__resumption_kind kind, struct wt__resumption_item *item) {
  if (!item) return;
  struct server *server = server_find(store, key);
  if (!server) server = server_add(store, key);
  if (server && server->count[kind] < WT__RESUMPTION_MAX_ITEMS) {
    server_push(server, kind, item);
  } else {
    wt__resumption_item_free(item);
  }
}
