/* SPDX-License-Identifier: MIT */

/*
 * From a host and a port to a connection.
 *
 *     begin:  an address literal, or "localhost" --> addresses
 *             a name -- two lookups (resolve.c) ---> addresses
 *     race:   addresses, in the order and at the times that race.c says --> attempts (connection.c)
 *     won:    the first whose handshake is complete; the others are closed
 *     lost:   no address is left, or one gave an answer that no other address would mend
 *
 * The last kind of answer is a refused certificate, a TLS alert or a protocol error: the server was reached, and trying
 * its other addresses would only hide the reason. If an address cannot be reached or does not answer, the next one is
 * tried.
 *
 * Dials and requests that allow pooling and go to the same host and port share a connector, and later its connection.
 * What was tried is kept until the last of them is over, because they may ask for it.
 */

#include "net/connector.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/address.h"
#include "net/client_state.h"
#include "net/connection.h"
#include "net/failure.h"
#include "net/pending.h"
#include "net/race.h"
#include "net/resolve.h"
#include "net/snapshot.h"
#include "net/timer.h"

#define CONNECTOR_OF(l, member) WT__CONTAINER_OF(l, struct wt__connector, member)

static void connector_schedule(struct wt__connector *connector) {
  wt__list_remove(&connector->scheduled);
  wt__list_push_back(&connector->client->scheduled, &connector->scheduled);
}

static void connector_on_timer(struct wt__timer *timer, uint64_t now) {
  (void)now;
  connector_schedule(WT__CONTAINER_OF(timer, struct wt__connector, timer));
}

/* --- Beginning and end --- */

static void connector_free(struct wt__connector *connector) {
  for (size_t i = 0; i < connector->attempt_count; i++) wt__free(connector->attempts[i]);
  wt__snapshot_free(connector->info);
  wt__timer_free(connector->client, &connector->timer);
  wt__free(connector);
}

static int connector_new(struct wt__pending *pending, struct wt__connector **out) {
  wt_client *client = pending->client;
  if (client->connections_len + client->connectors_starting >= client->config.max_connections) {
    (void)wt__client_fail(client, WT_ERR_AGAIN, "the client has %zu connections, which is all it may have",
                          client->connections_len + client->connectors_starting);
    return WT_ERR_AGAIN;
  }
  struct wt__connector *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  made->client = client;
  wt__link_init(&made->link);
  wt__link_init(&made->scheduled);
  wt__list_init(&made->waiting);
  memcpy(made->host, pending->url.host, sizeof(made->host));
  made->port = pending->url.port;
  made->is_v6 = pending->url.is_v6;
  made->pooling = pending->pooling;
  made->congestion_control = pending->congestion_control;
  made->begun_at = wt__client_now(client);
  wt__pending_host_port(pending, made->host_port, sizeof(made->host_port));
  int error = wt__timer_init(client, &made->timer, connector_on_timer);
  if (error) {
    wt__free(made);
    return error;
  }
  wt__race_init(&made->race, client->config.connection_attempt_delay_ms * WT__NS_PER_MS,
                client->config.resolution_delay_ms * WT__NS_PER_MS);
  wt__list_push_back(&client->connectors, &made->link);
  made->starting = true;
  client->connectors_starting++;
  connector_schedule(made);
  *out = made;
  return 0;
}

static struct wt__connector *connector_find(const struct wt__pending *pending) {
  if (!pending->pooling) return NULL;
  char host_port[WT__HOST_PORT_MAX];
  wt__pending_host_port(pending, host_port, sizeof(host_port));
  WT__LIST_FOREACH(it, next, &pending->client->connectors) {
    struct wt__connector *connector = CONNECTOR_OF(it, link);
    if (connector->pooling && strcmp(connector->host_port, host_port) == 0) return connector;
  }
  return NULL;
}

int wt__connector_join(struct wt__pending *pending) {
  struct wt__connector *connector = connector_find(pending);
  int error = connector ? 0 : connector_new(pending, &connector);
  if (error) return error;
  connector->refs++;
  pending->connector = connector;
  wt__list_push_back(&connector->waiting, &pending->wait);
  if (connector->begun) pending->stage = connector->attempt_count ? WT_STAGE_CONNECT : WT_STAGE_RESOLVE;
  return 0;
}

void wt__connector_release(struct wt__pending *pending) {
  struct wt__connector *connector = pending->connector;
  pending->connector = NULL;
  if (connector && --connector->refs == 0) connector_free(connector);
}

static void connector_forget_lookups(struct wt__connector *connector) {
  for (int i = 0; i < 2; i++) {
    if (connector->lookups[i]) wt__lookup_forget(connector->lookups[i]);
    connector->lookups[i] = NULL;
  }
}

static void attempt_end(struct wt__connector *connector, struct wt__attempt *attempt, int error, const char *message) {
  attempt->connection = NULL;
  attempt->ended = wt__client_now(connector->client);
  attempt->error = error;
  (void)snprintf(attempt->message, sizeof(attempt->message), "%s", message);
}

static void connector_started(struct wt__connector *connector) {
  if (connector->starting) connector->client->connectors_starting--;
  connector->starting = false;
}

void wt__connector_keep_info(struct wt__connector *connector, const struct wt__connection *connection) {
  struct wt__snapshot *kept = wt__connection_snapshot(connection);
  if (!kept) return;
  wt__snapshot_free(connector->info);
  connector->info = kept;
}

/* Nothing more is tried; attempts under way end with `error`. It lives on while somebody refers to it. */
static void connector_end(struct wt__connector *connector, int error, const char *message) {
  if (!wt__link_linked(&connector->link)) return;
  wt__list_remove(&connector->link);
  wt__list_remove(&connector->scheduled);
  wt__timer_set(connector->client, &connector->timer, UINT64_MAX);
  connector_started(connector);
  connector_forget_lookups(connector);
  for (size_t i = 0; i < connector->attempt_count; i++) {
    struct wt__connection *connection = connector->attempts[i]->connection;
    if (!connection) continue;
    wt__connector_keep_info(connector, connection);
    attempt_end(connector, connector->attempts[i], error, message);
    wt__connection_close(connection);
  }
}

void wt__connector_leave(struct wt__pending *pending) {
  struct wt__connector *connector = pending->connector;
  if (!connector || pending->connection || !wt__link_linked(&pending->wait)) return;
  wt__list_remove(&pending->wait);
  if (!wt__list_empty(&connector->waiting)) return;
  if (pending->failure.error == WT_ERR_TIMEOUT) {
    connector_end(connector, WT_ERR_TIMEOUT, "no answer");
  } else {
    connector_end(connector, WT_ERR_CLOSED, "given up");
  }
}

/* All that wait for it fail. */
static void connector_fail(struct wt__connector *connector, const struct wt__failure *failure) {
  struct wt__link *first;
  connector_end(connector, WT_ERR_CLOSED, "given up");
  while ((first = wt__list_first(&connector->waiting))) {
    wt__list_remove(first);
    wt__pending_fail(WT__PENDING_OF(first, wait), failure);
  }
}

/* --- Addresses --- */

static void connector_on_lookup(void *owner, int family, const struct wt__address *found, size_t count, int error) {
  struct wt__connector *connector = owner;
  struct wt__address addresses[WT__ADDRESSES_MAX];
  enum wt__race_family side = family == AF_INET6 ? WT__RACE_V6 : WT__RACE_V4;
  connector->lookups[side] = NULL;
  for (size_t i = 0; i < count; i++) {
    addresses[i] = found[i];
    wt__address_set_port(&addresses[i], connector->port);
  }
  /* "Nobody answered" says less than "there is no such name", which the other family may have heard. */
  if (error && (!connector->lookup_error || connector->lookup_error == EAI_AGAIN)) connector->lookup_error = error;
  wt__race_answer(&connector->race, side, addresses, count, wt__client_now(connector->client));
  connector_schedule(connector);
}

static void connector_answer_v6(struct wt__connector *connector, const struct in6_addr *ip) {
  struct wt__address address = {.len = sizeof(struct sockaddr_in6)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(connector->port)};
  if (ip) v6.sin6_addr = *ip;
  memcpy(&address.storage, &v6, sizeof(v6));
  wt__race_answer(&connector->race, WT__RACE_V6, &address, ip ? 1 : 0, wt__client_now(connector->client));
}

static void connector_answer_v4(struct wt__connector *connector, const struct in_addr *ip) {
  struct wt__address address = {.len = sizeof(struct sockaddr_in)};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(connector->port)};
  if (ip) v4.sin_addr = *ip;
  memcpy(&address.storage, &v4, sizeof(v4));
  wt__race_answer(&connector->race, WT__RACE_V4, &address, ip ? 1 : 0, wt__client_now(connector->client));
}

/* An IPv4 address in the URL; a final dot is allowed there as it is behind a name, and no address has one for inet_pton. */
static bool host_is_v4(const char *host, struct in_addr *address) {
  char text[INET_ADDRSTRLEN];
  size_t len = strlen(host);
  if (len > 0 && host[len - 1] == '.') len--;
  if (len >= sizeof(text)) return false;
  memcpy(text, host, len);
  text[len] = '\0';
  return inet_pton(AF_INET, text, address) == 1;
}

/* "localhost" and names below it are both loopback addresses (RFC 6761, section 6.3). */
static bool host_is_local(const char *host) {
  static const char local[] = "localhost";
  size_t len = strlen(host), local_len = strlen(local);
  if (len > 0 && host[len - 1] == '.') len--;
  if (len < local_len || memcmp(host + len - local_len, local, local_len) != 0) return false;
  return len == local_len || host[len - local_len - 1] == '.';
}

static void connector_begin(struct wt__connector *connector) {
  static const int families[] = {AF_INET6, AF_INET};
  struct in6_addr v6;
  struct in_addr v4, loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
  connector->begun = true;
  if (connector->is_v6) {
    connector_answer_v6(connector, inet_pton(AF_INET6, connector->host, &v6) == 1 ? &v6 : NULL);
    connector_answer_v4(connector, NULL);
  } else if (host_is_v4(connector->host, &v4)) {
    connector_answer_v6(connector, NULL);
    connector_answer_v4(connector, &v4);
  } else if (host_is_local(connector->host)) {
    connector_answer_v6(connector, &in6addr_loopback);
    connector_answer_v4(connector, &loopback);
  } else {
    for (int i = 0; i < 2; i++) {
      int error = wt__resolver_ask(&connector->client->resolver, connector->host, families[i], connector_on_lookup,
                                   connector, &connector->lookups[i]);
      if (error) connector_on_lookup(connector, families[i], NULL, 0, EAI_MEMORY);
    }
  }
}

/* --- Attempts --- */

static void connector_attempt(struct wt__connector *connector, const struct wt__address *address) {
  struct wt__failure failure = {0};
  struct wt__attempt *attempt = wt__calloc(1, sizeof(*attempt));
  connector_started(connector);
  if (!attempt) {
    wt__race_failed(&connector->race, wt__client_now(connector->client));
    connector->no_memory = true;
    return;
  }
  connector->attempts[connector->attempt_count++] = attempt;
  (void)wt__address_format((const struct sockaddr *)&address->storage, attempt->address, sizeof(attempt->address));
  attempt->begun = wt__client_now(connector->client);
  WT__LIST_FOREACH(it, next, &connector->waiting) { WT__PENDING_OF(it, wait)->stage = WT_STAGE_CONNECT; }
  if (wt__connection_begin(connector, attempt, address, &failure)) wt__connector_lost(connector, attempt, &failure);
}

/* Puts together why no address could be reached. */
static void connector_describe(const struct wt__connector *connector, struct wt__failure *failure) {
  if (wt__race_addresses(&connector->race) == 0) {
    bool memory = connector->lookup_error == EAI_MEMORY;
    wt__failure_set(failure, memory ? WT_ERR_NOMEM : WT_ERR_NOT_FOUND, WT_TRANSPORT,
                    "cannot find an address for '%s': %s", connector->host, wt__lookup_error(connector->lookup_error));
    return;
  }
  if (connector->attempt_count == 0 || connector->no_memory) {
    wt__failure_set(failure, WT_ERR_NOMEM, WT_TRANSPORT, "%s: out of memory", connector->host_port);
    return;
  }
  const struct wt__attempt *last = connector->attempts[connector->attempt_count - 1];
  if (connector->attempt_count == 1) {
    wt__failure_set(failure, last->error, WT_TRANSPORT, "%s: %s",
                    strcmp(last->address, connector->host_port) == 0 ? connector->host_port : last->address,
                    last->message);
    return;
  }
  wt__failure_set(failure, last->error, WT_TRANSPORT, "%s: no address could be reached", connector->host_port);
  for (size_t i = 0; i < connector->attempt_count; i++) {
    size_t len = strlen(failure->message);
    (void)snprintf(failure->message + len, sizeof(failure->message) - len, "%s %s %s", i ? "," : ":",
                   connector->attempts[i]->address, connector->attempts[i]->message);
  }
}

void wt__connector_describe_timeout(const struct wt__connector *connector, const char *time,
                                    struct wt__failure *failure) {
  if (connector->attempt_count == 0) {
    wt__failure_set(failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "cannot find an address for '%s': no answer within %s",
                    connector->host, time);
    return;
  }
  wt__failure_set(failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "%s: nobody answered within %s", connector->host_port, time);
  if (connector->attempt_count == 1 && strcmp(connector->attempts[0]->address, connector->host_port) == 0) return;
  for (size_t i = 0; i < connector->attempt_count; i++) {
    const struct wt__attempt *attempt = connector->attempts[i];
    size_t len = strlen(failure->message);
    (void)snprintf(failure->message + len, sizeof(failure->message) - len, "%s%s%s%s%s", i ? ", " : " (",
                   attempt->address, attempt->message[0] ? " " : "", attempt->message,
                   i + 1 == connector->attempt_count ? ")" : "");
  }
}

void wt__connector_lost(struct wt__connector *connector, struct wt__attempt *attempt,
                        const struct wt__failure *failure) {
  bool final = failure->error != WT_ERR_IO && failure->error != WT_ERR_TIMEOUT;
  attempt_end(connector, attempt, failure->error, failure->message);
  if (final) {
    connector_fail(connector, failure);
    return;
  }
  wt__race_failed(&connector->race, attempt->ended);
  connector_schedule(connector);
}

void wt__connector_won(struct wt__connector *connector, struct wt__attempt *attempt) {
  struct wt__connection *connection = attempt->connection;
  struct wt__link *first;
  attempt_end(connector, attempt, 0, "");
  connector->refs++; /* whoever is given the connection may go at once */
  connector_end(connector, WT_ERR_CLOSED, "another address was faster");
  while ((first = wt__list_first(&connector->waiting)))
    wt__connection_add_user(connection, WT__PENDING_OF(first, wait));
  if (--connector->refs == 0) connector_free(connector);
}

/* --- Turns --- */

static void connector_run(struct wt__connector *connector) {
  struct wt__address address;
  struct wt__failure failure;
  uint64_t now = wt__client_now(connector->client);
  if (!connector->begun) connector_begin(connector);
  while (wt__link_linked(&connector->link) && connector->attempt_count < WT__ATTEMPTS_MAX &&
         wt__race_next(&connector->race, now, &address)) {
    connector_attempt(connector, &address);
  }
  if (!wt__link_linked(&connector->link)) return;
  if (wt__race_lost(&connector->race)) {
    connector_describe(connector, &failure);
    connector_fail(connector, &failure);
    return;
  }
  wt__timer_set(connector->client, &connector->timer, wt__race_expiry(&connector->race));
}

void wt__connectors_run(wt_client *client) {
  struct wt__list turn;
  struct wt__link *first;
  wt__list_init(&turn);
  while ((first = wt__list_first(&client->scheduled))) {
    wt__list_remove(first);
    wt__list_push_back(&turn, first);
  }
  while ((first = wt__list_first(&turn))) {
    struct wt__connector *connector = CONNECTOR_OF(first, scheduled);
    wt__list_remove(first);
    connector->refs++; /* it may lose everyone meanwhile */
    connector_run(connector);
    if (--connector->refs == 0) connector_free(connector);
  }
}
