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
 * An answer of the second kind is a certificate that is refused, a TLS alert, a protocol error: the server was
 * reached, and trying its other addresses would only hide the reason. An address that cannot be reached, or does not
 * answer, is followed by the next.
 *
 * Askers that allow pooling and go to the same host and port share a reach, and later its connection. What was tried
 * is kept until the last of them is over, because they may ask.
 */

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/client.h"

#define REACH_OF(l, member) WT__CONTAINER_OF(l, struct wt__reach, member)

static void reach_todo(struct wt__reach *reach) {
  wt__list_remove(&reach->todo);
  wt__list_push_back(&reach->client->todo, &reach->todo);
}

static void reach_on_timer(struct wt__timer *timer, uint64_t now) {
  (void)now;
  reach_todo(WT__CONTAINER_OF(timer, struct wt__reach, timer));
}

/* --- Beginning and end --- */

static void reach_free(struct wt__reach *reach) {
  for (size_t i = 0; i < reach->attempt_count; i++) wt__free(reach->attempts[i]);
  wt__snapshot_free(reach->info);
  wt__timer_free(reach->client, &reach->timer);
  wt__free(reach);
}

static int reach_new(struct wt__asker *asker, struct wt__reach **out) {
  wt_client *client = asker->client;
  if (client->connections_len + client->reaches_due >= client->config.max_connections) {
    (void)wt__client_fail(client, WT_ERR_AGAIN, "the client has %zu connections, which is all it may have",
                          client->connections_len + client->reaches_due);
    return WT_ERR_AGAIN;
  }
  struct wt__reach *made = wt__calloc(1, sizeof(*made));
  if (!made) return WT_ERR_NOMEM;
  made->client = client;
  wt__link_init(&made->link);
  wt__link_init(&made->todo);
  wt__list_init(&made->waiting);
  memcpy(made->host, asker->url.host, sizeof(made->host));
  made->port = asker->url.port;
  made->is_v6 = asker->url.is_v6;
  made->pooling = asker->pooling;
  made->begun_at = wt__client_now(client);
  wt__asker_where(asker, made->where, sizeof(made->where));
  int error = wt__timer_init(client, &made->timer, reach_on_timer);
  if (error) {
    wt__free(made);
    return error;
  }
  wt__race_init(&made->race, client->config.connection_attempt_delay_ms * WT__NS_PER_MS,
                client->config.resolution_delay_ms * WT__NS_PER_MS);
  wt__list_push_back(&client->reaches, &made->link);
  made->due = true;
  client->reaches_due++;
  reach_todo(made);
  *out = made;
  return 0;
}

static struct wt__reach *reach_find(const struct wt__asker *asker) {
  if (!asker->pooling) return NULL;
  char where[WT__WHERE_MAX];
  wt__asker_where(asker, where, sizeof(where));
  WT__LIST_FOREACH(it, next, &asker->client->reaches) {
    struct wt__reach *reach = REACH_OF(it, link);
    if (reach->pooling && strcmp(reach->where, where) == 0) return reach;
  }
  return NULL;
}

int wt__reach_join(struct wt__asker *asker) {
  struct wt__reach *reach = reach_find(asker);
  int error = reach ? 0 : reach_new(asker, &reach);
  if (error) return error;
  reach->refs++;
  asker->reach = reach;
  wt__list_push_back(&reach->waiting, &asker->wait);
  if (reach->begun) asker->stage = reach->attempt_count ? WT_STAGE_CONNECT : WT_STAGE_RESOLVE;
  return 0;
}

void wt__reach_release(struct wt__asker *asker) {
  struct wt__reach *reach = asker->reach;
  asker->reach = NULL;
  if (reach && --reach->refs == 0) reach_free(reach);
}

static void reach_forget_lookups(struct wt__reach *reach) {
  for (int i = 0; i < 2; i++) {
    if (reach->lookups[i]) wt__lookup_forget(reach->lookups[i]);
    reach->lookups[i] = NULL;
  }
}

static void attempt_end(struct wt__reach *reach, struct wt__attempt *attempt, int error, const char *message) {
  attempt->connection = NULL;
  attempt->ended = wt__client_now(reach->client);
  attempt->error = error;
  (void)snprintf(attempt->message, sizeof(attempt->message), "%s", message);
}

static void reach_not_due(struct wt__reach *reach) {
  if (reach->due) reach->client->reaches_due--;
  reach->due = false;
}

/* Nothing more is tried; attempts under way end with `error`. It lives on while somebody refers to it. */
static void reach_end(struct wt__reach *reach, int error, const char *message) {
  if (!wt__link_linked(&reach->link)) return;
  wt__list_remove(&reach->link);
  wt__list_remove(&reach->todo);
  wt__timer_set(reach->client, &reach->timer, UINT64_MAX);
  reach_not_due(reach);
  reach_forget_lookups(reach);
  for (size_t i = 0; i < reach->attempt_count; i++) {
    struct wt__connection *connection = reach->attempts[i]->connection;
    if (!connection) continue;
    wt__reach_keep_info(reach, connection);
    attempt_end(reach, reach->attempts[i], error, message);
    wt__connection_close(connection);
  }
}

void wt__reach_leave(struct wt__asker *asker) {
  struct wt__reach *reach = asker->reach;
  if (!reach || asker->connection || !wt__link_linked(&asker->wait)) return;
  wt__list_remove(&asker->wait);
  if (!wt__list_empty(&reach->waiting)) return;
  if (asker->failure.error == WT_ERR_TIMEOUT) {
    reach_end(reach, WT_ERR_TIMEOUT, "no answer");
  } else {
    reach_end(reach, WT_ERR_CLOSED, "given up");
  }
}

/* All that wait for it fail. */
static void reach_fail(struct wt__reach *reach, const struct wt__failure *failure) {
  struct wt__link *first;
  reach_end(reach, WT_ERR_CLOSED, "given up");
  while ((first = wt__list_first(&reach->waiting))) {
    wt__list_remove(first);
    wt__asker_fail(WT__ASKER_OF(first, wait), failure);
  }
}

/* --- Addresses --- */

static void reach_on_lookup(void *owner, int family, const struct wt__address *found, size_t count, int error) {
  struct wt__reach *reach = owner;
  struct wt__address addresses[WT__ADDRESSES_MAX];
  enum wt__race_family side = family == AF_INET6 ? WT__RACE_V6 : WT__RACE_V4;
  reach->lookups[side] = NULL;
  for (size_t i = 0; i < count; i++) {
    addresses[i] = found[i];
    wt__address_set_port(&addresses[i], reach->port);
  }
  /* "Nobody answered" says less than "there is no such name", which the other family may have heard. */
  if (error && (!reach->lookup_error || reach->lookup_error == EAI_AGAIN)) reach->lookup_error = error;
  wt__race_answer(&reach->race, side, addresses, count, wt__client_now(reach->client));
  reach_todo(reach);
}

static void reach_answer_v6(struct wt__reach *reach, const struct in6_addr *ip) {
  struct wt__address address = {.len = sizeof(struct sockaddr_in6)};
  struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(reach->port)};
  if (ip) v6.sin6_addr = *ip;
  memcpy(&address.storage, &v6, sizeof(v6));
  wt__race_answer(&reach->race, WT__RACE_V6, &address, ip ? 1 : 0, wt__client_now(reach->client));
}

static void reach_answer_v4(struct wt__reach *reach, const struct in_addr *ip) {
  struct wt__address address = {.len = sizeof(struct sockaddr_in)};
  struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(reach->port)};
  if (ip) v4.sin_addr = *ip;
  memcpy(&address.storage, &v4, sizeof(v4));
  wt__race_answer(&reach->race, WT__RACE_V4, &address, ip ? 1 : 0, wt__client_now(reach->client));
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

static void reach_begin(struct wt__reach *reach) {
  static const int families[] = {AF_INET6, AF_INET};
  struct in6_addr v6;
  struct in_addr v4, loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
  reach->begun = true;
  if (reach->is_v6) {
    reach_answer_v6(reach, inet_pton(AF_INET6, reach->host, &v6) == 1 ? &v6 : NULL);
    reach_answer_v4(reach, NULL);
  } else if (host_is_v4(reach->host, &v4)) {
    reach_answer_v6(reach, NULL);
    reach_answer_v4(reach, &v4);
  } else if (host_is_local(reach->host)) {
    reach_answer_v6(reach, &in6addr_loopback);
    reach_answer_v4(reach, &loopback);
  } else {
    for (int i = 0; i < 2; i++) {
      int error = wt__resolver_ask(&reach->client->resolver, reach->host, families[i], reach_on_lookup, reach,
                                   &reach->lookups[i]);
      if (error) reach_on_lookup(reach, families[i], NULL, 0, EAI_MEMORY);
    }
  }
}

/* --- Attempts --- */

static void reach_attempt(struct wt__reach *reach, const struct wt__address *address) {
  struct wt__failure failure = {0};
  struct wt__attempt *attempt = wt__calloc(1, sizeof(*attempt));
  reach_not_due(reach);
  if (!attempt) {
    wt__race_failed(&reach->race, wt__client_now(reach->client));
    reach->no_memory = true;
    return;
  }
  reach->attempts[reach->attempt_count++] = attempt;
  (void)wt__address_format((const struct sockaddr *)&address->storage, attempt->address, sizeof(attempt->address));
  attempt->begun = wt__client_now(reach->client);
  WT__LIST_FOREACH(it, next, &reach->waiting) { WT__ASKER_OF(it, wait)->stage = WT_STAGE_CONNECT; }
  if (wt__connection_begin(reach, attempt, address, &failure)) wt__reach_lost(reach, attempt, &failure);
}

/* Puts together why no address could be reached. */
static void reach_describe(const struct wt__reach *reach, struct wt__failure *failure) {
  if (wt__race_addresses(&reach->race) == 0) {
    bool memory = reach->lookup_error == EAI_MEMORY;
    wt__failure_set(failure, memory ? WT_ERR_NOMEM : WT_ERR_NOT_FOUND, WT_TRANSPORT,
                    "cannot find an address for '%s': %s", reach->host, wt__lookup_error(reach->lookup_error));
    return;
  }
  if (reach->attempt_count == 0 || reach->no_memory) {
    wt__failure_set(failure, WT_ERR_NOMEM, WT_TRANSPORT, "%s: out of memory", reach->where);
    return;
  }
  const struct wt__attempt *last = reach->attempts[reach->attempt_count - 1];
  if (reach->attempt_count == 1) {
    wt__failure_set(failure, last->error, WT_TRANSPORT, "%s: %s",
                    strcmp(last->address, reach->where) == 0 ? reach->where : last->address, last->message);
    return;
  }
  wt__failure_set(failure, last->error, WT_TRANSPORT, "%s: no address could be reached", reach->where);
  for (size_t i = 0; i < reach->attempt_count; i++) {
    size_t len = strlen(failure->message);
    (void)snprintf(failure->message + len, sizeof(failure->message) - len, "%s %s %s", i ? "," : ":",
                   reach->attempts[i]->address, reach->attempts[i]->message);
  }
}

void wt__reach_describe_timeout(const struct wt__reach *reach, const char *time, struct wt__failure *failure) {
  if (reach->attempt_count == 0) {
    wt__failure_set(failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "cannot find an address for '%s': no answer within %s",
                    reach->host, time);
    return;
  }
  wt__failure_set(failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "%s: nobody answered within %s", reach->where, time);
  if (reach->attempt_count == 1 && strcmp(reach->attempts[0]->address, reach->where) == 0) return;
  for (size_t i = 0; i < reach->attempt_count; i++) {
    const struct wt__attempt *attempt = reach->attempts[i];
    size_t len = strlen(failure->message);
    (void)snprintf(failure->message + len, sizeof(failure->message) - len, "%s%s%s%s%s", i ? ", " : " (",
                   attempt->address, attempt->message[0] ? " " : "", attempt->message,
                   i + 1 == reach->attempt_count ? ")" : "");
  }
}

void wt__reach_lost(struct wt__reach *reach, struct wt__attempt *attempt, const struct wt__failure *failure) {
  bool final = failure->error != WT_ERR_IO && failure->error != WT_ERR_TIMEOUT;
  attempt_end(reach, attempt, failure->error, failure->message);
  if (final) {
    reach_fail(reach, failure);
    return;
  }
  wt__race_failed(&reach->race, attempt->ended);
  reach_todo(reach);
}

void wt__reach_won(struct wt__reach *reach, struct wt__attempt *attempt) {
  struct wt__connection *connection = attempt->connection;
  struct wt__link *first;
  attempt_end(reach, attempt, 0, "");
  reach->refs++; /* whoever is given the connection may go at once */
  reach_end(reach, WT_ERR_CLOSED, "another address was faster");
  while ((first = wt__list_first(&reach->waiting))) wt__connection_give(connection, WT__ASKER_OF(first, wait));
  if (--reach->refs == 0) reach_free(reach);
}

/* --- Turns --- */

static void reach_run(struct wt__reach *reach) {
  struct wt__address address;
  struct wt__failure failure;
  uint64_t now = wt__client_now(reach->client);
  if (!reach->begun) reach_begin(reach);
  while (wt__link_linked(&reach->link) && reach->attempt_count < WT__ATTEMPTS_MAX &&
         wt__race_next(&reach->race, now, &address)) {
    reach_attempt(reach, &address);
  }
  if (!wt__link_linked(&reach->link)) return;
  if (wt__race_lost(&reach->race)) {
    reach_describe(reach, &failure);
    reach_fail(reach, &failure);
    return;
  }
  wt__timer_set(reach->client, &reach->timer, wt__race_expiry(&reach->race));
}

void wt__reaches_run(wt_client *client) {
  struct wt__list turn;
  struct wt__link *first;
  wt__list_init(&turn);
  while ((first = wt__list_first(&client->todo))) {
    wt__list_remove(first);
    wt__list_push_back(&turn, first);
  }
  while ((first = wt__list_first(&turn))) {
    struct wt__reach *reach = REACH_OF(first, todo);
    wt__list_remove(first);
    reach->refs++; /* it may lose everyone meanwhile */
    reach_run(reach);
    if (--reach->refs == 0) reach_free(reach);
  }
}
