/* SPDX-License-Identifier: MIT */
/*
 * Names of back ends. A lookup may take seconds, so it must neither block the loop nor delay each connection: the name
 * is looked up when the configuration is read, and connections use what is known. When they use an answer that is some
 * seconds old, the name is asked for again in the background. So a back end that moves is found after one or two
 * tries, and a name server that is down hurts nobody.
 */
#include "gateway/lookup.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "common/tool_log.h"

struct lookup {
  uv_getaddrinfo_t request;
  uv_loop_t *loop;
  struct host_port name;
  int socket_type;
  bool literal, asking;
  uint64_t answered_ms; /* the last answer, good or bad; 0: none */
  struct lookup_address addresses[LOOKUP_ADDRESSES];
  unsigned count, users;
  void (*done)(void *user_data);
  void *user_data;
};

static void addresses_set(struct lookup *lookup, const struct addrinfo *list) {
  lookup->count = 0;
  for (; list && lookup->count < LOOKUP_ADDRESSES; list = list->ai_next) {
    struct lookup_address *address = &lookup->addresses[lookup->count];
    if (list->ai_addrlen > sizeof address->address) continue;
    memcpy(&address->address, list->ai_addr, list->ai_addrlen);
    address->len = list->ai_addrlen;
    lookup->count++;
  }
}

static struct addrinfo lookup_hints(const struct lookup *lookup) {
  return (struct addrinfo){.ai_family = AF_UNSPEC, .ai_socktype = lookup->socket_type};
}

static void lookup_done(struct lookup *lookup) {
  void (*done)(void *) = lookup->done;
  lookup->done = NULL;
  if (done) done(lookup->user_data);
}

static void lookup_fail(const struct lookup *lookup, int error) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  log_limited(&limit, WT_LOG_WARN, "back end %s: the name cannot be looked up: %s%s", lookup->name.host,
              uv_strerror(error), lookup->count ? "; the addresses from before stay" : "");
}

static void lookup_on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list) {
  struct lookup *lookup = request->data;
  lookup->asking = false;
  lookup->answered_ms = uv_now(lookup->loop);
  if (status == 0)
    addresses_set(lookup, list);
  else
    lookup_fail(lookup, status);
  uv_freeaddrinfo(list);
  lookup_done(lookup);
  lookup_release(lookup);
}

static void lookup_ask(struct lookup *lookup) {
  char port[8];
  struct addrinfo hints = lookup_hints(lookup);
  if (lookup->asking) return;
  snprintf(port, sizeof port, "%u", lookup->name.port);
  lookup->request.data = lookup;
  int error = uv_getaddrinfo(lookup->loop, &lookup->request, lookup_on_answer, lookup->name.host, port, &hints);
  if (error) {
    lookup_fail(lookup, error);
    lookup_done(lookup);
    return;
  }
  lookup->asking = true;
  lookup->users++;
}

/* Reads an address that needs no question. */
static bool literal_read(struct lookup *lookup) {
  char port[8];
  struct addrinfo hints = lookup_hints(lookup), *list;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  snprintf(port, sizeof port, "%u", lookup->name.port);
  if (getaddrinfo(lookup->name.host, port, &hints, &list)) return false;
  addresses_set(lookup, list);
  freeaddrinfo(list);
  return true;
}

struct lookup *lookup_new(struct uv_loop_s *loop, const struct host_port *name, int socket_type,
                          void (*done)(void *user_data), void *user_data) {
  struct lookup *lookup = calloc(1, sizeof *lookup);
  if (!lookup) return NULL;
  lookup->loop = loop;
  lookup->name = *name;
  lookup->socket_type = socket_type;
  lookup->users = 1;
  lookup->done = done;
  lookup->user_data = user_data;
  lookup->literal = literal_read(lookup);
  if (lookup->literal)
    lookup_done(lookup);
  else
    lookup_ask(lookup);
  return lookup;
}

void lookup_release(struct lookup *lookup) {
  if (!lookup) return;
  lookup->users--;
  if (lookup->users == (lookup->asking ? 1u : 0u)) lookup->done = NULL; /* nobody but the question is left */
  if (!lookup->users) free(lookup);
}

bool lookup_get(struct lookup *lookup, unsigned index, struct lookup_address *address) {
  bool old = !lookup->literal && uv_now(lookup->loop) - lookup->answered_ms >= LOOKUP_FRESH_MS;
  if (index == 0 && old) lookup_ask(lookup);
  if (index >= lookup->count) return false;
  *address = lookup->addresses[index];
  return true;
}
