/* SPDX-License-Identifier: MIT */

/*
 * What a dial and an exchange have in common: a URL, a time by which there has to be an answer, and the way to a
 * connection.
 *
 *   new --> waits for a reach -----------------> has a connection --> asks --> answered --> freed
 *             |    ^                                  |
 *             |    +---- it cannot be shared ---------+
 *             +--> fails: timeout, cancelled, nobody reached --> told --> freed
 *
 * A failure is noted and told by the next pass, never from inside the call that caused it. Where a request is on its
 * way already, h3 is asked to give it up, and tells of the end by itself; the failure noted here is then what the
 * application hears.
 *
 * Nothing is tried again, but for pooling: an asker that was promised a connection which turns out to be full gets
 * another, before it has asked anything, or once the server has rejected what it asked.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/client.h"
#include "wire/error_code.h"

/* --- Failures --- */

void wt__failure_set(struct wt__failure *failure, int error, enum wt_party by, const char *format, ...) {
  va_list args;
  *failure = (struct wt__failure){.error = error, .by = by};
  va_start(args, format);
  (void)vsnprintf(failure->message, sizeof(failure->message), format, args);
  va_end(args);
}

static void failure_of_closing(struct wt__failure *failure, const struct wt__h3_end *end) {
  const char *name = end->is_h3 ? wt__wire_error_name(end->wire_code) : NULL;
  char code[64];
  if (name) {
    (void)snprintf(code, sizeof(code), "%s", name);
  } else {
    (void)snprintf(code, sizeof(code), "the %s code 0x%llx", end->is_h3 ? "HTTP/3" : "QUIC",
                   (unsigned long long)end->wire_code);
  }
  wt__failure_set(failure, end->error, end->by, "the server closed the connection with %s%s%s", code,
                  end->reason[0] ? ": " : "", end->reason);
}

void wt__failure_of_end(struct wt__failure *failure, const struct wt__h3_end *end) {
  if (end->error == WT_ERR_CLOSED && end->by == WT_PEER) {
    failure_of_closing(failure, end);
  } else if (end->error == WT_ERR_SETTINGS) {
    wt__failure_set(failure, end->error, end->by, "the server does not speak WebTransport: %s", end->reason);
  } else {
    wt__failure_set(failure, end->error, end->by, "%s", end->reason[0] ? end->reason : wt_error_string(end->error));
  }
  failure->wire_code = end->wire_code;
  failure->wire_is_h3 = end->is_h3;
}

/* --- Time --- */

static const char *seconds(uint64_t ms, char *text, size_t size) {
  if (ms % 1000 == 0) {
    (void)snprintf(text, size, "%llu s", (unsigned long long)(ms / 1000));
  } else {
    (void)snprintf(text, size, "%llu ms", (unsigned long long)ms);
  }
  return text;
}

static void asker_on_timeout(struct wt__timer *timer, uint64_t now) {
  struct wt__asker *asker = WT__ASKER_OF(timer, timer);
  struct wt__failure failure;
  char where[WT__WHERE_MAX], time[32];
  (void)now;
  wt__asker_where(asker, where, sizeof(where));
  (void)seconds(asker->timeout_ms, time, sizeof(time));
  if (asker->stage <= WT_STAGE_CONNECT && asker->reach) {
    wt__reach_describe_timeout(asker->reach, time, &failure);
  } else if (asker->stage <= WT_STAGE_SETTINGS) {
    wt__failure_set(&failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "%s: the server's SETTINGS did not arrive within %s", where,
                    time);
  } else {
    wt__failure_set(&failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "%s: no answer to the request within %s", where, time);
  }
  wt__asker_fail(asker, &failure);
}

/* --- Beginning and end --- */

void wt__asker_where(const struct wt__asker *asker, char *text, size_t size) {
  const struct wt__url *url = &asker->url;
  (void)snprintf(text, size, url->is_v6 ? "[%s]:%u" : "%s:%u", url->host, (unsigned)url->port);
}

int wt__asker_init(struct wt__asker *asker, wt_client *client, const struct wt__asker_kind *kind, struct wt__url *url,
                   uint64_t timeout_ms, bool pooling) {
  asker->client = client;
  asker->kind = kind;
  asker->url = *url;
  asker->pooling = pooling;
  asker->timeout_ms = timeout_ms;
  asker->begun = wt__client_now(client);
  wt__link_init(&asker->link);
  wt__link_init(&asker->failed);
  wt__link_init(&asker->wait);
  int error = wt__timer_init(client, &asker->timer, asker_on_timeout);
  if (error) return error;
  struct wt__connection *shared = wt__connection_find(asker);
  error = shared ? 0 : wt__reach_join(asker);
  if (error) {
    wt__timer_free(client, &asker->timer);
    return error;
  }
  if (timeout_ms) wt__timer_set(client, &asker->timer, wt__driver_deadline(asker->begun, timeout_ms));
  wt__list_push_back(&client->askers, &asker->link);
  if (shared) wt__connection_give(shared, asker);
  wt__client_hold(client);
  return 0;
}

void wt__asker_free(struct wt__asker *asker) {
  wt__reach_leave(asker);
  wt__reach_release(asker);
  wt__connection_leave(asker);
  wt__snapshot_free(asker->info);
  wt__list_remove(&asker->failed);
  wt__list_remove(&asker->link);
  wt__timer_free(asker->client, &asker->timer);
  wt__url_free(&asker->url);
}

void wt__asker_answered(struct wt__asker *asker) {
  asker->stage = WT_STAGE_ANSWERED;
  wt__timer_set(asker->client, &asker->timer, UINT64_MAX);
}

/* --- Failing --- */

void wt__asker_fail(struct wt__asker *asker, const struct wt__failure *failure) {
  if (asker->failure.error) return;
  asker->failure = *failure;
  wt__timer_set(asker->client, &asker->timer, UINT64_MAX);
  wt__reach_leave(asker);
  if (asker->kind->give_up(asker)) return;
  wt__list_push_back(&asker->client->failed, &asker->failed);
}

void wt__asker_cancel(struct wt__asker *asker, const char *message) {
  struct wt__failure failure;
  wt__failure_set(&failure, WT_ERR_CLOSED, WT_LOCAL, "%s", message);
  wt__asker_fail(asker, &failure);
}

void wt__askers_run(wt_client *client) {
  struct wt__list turn;
  struct wt__link *first;
  wt__list_init(&turn); /* those that fail meanwhile wait for the next time */
  while ((first = wt__list_first(&client->failed))) {
    wt__list_remove(first);
    wt__list_push_back(&turn, first);
  }
  while ((first = wt__list_first(&turn))) {
    struct wt__asker *asker = WT__ASKER_OF(first, failed);
    wt__list_remove(first);
    asker->kind->tell(asker);
  }
}

void wt__asker_move(struct wt__asker *asker) {
  struct wt__failure failure;
  const struct wt__connection *left = asker->connection;
  wt__connection_leave(asker);
  wt__reach_release(asker);
  int error = wt__reach_join(asker);
  if (error == 0) {
    asker->stage = WT_STAGE_RESOLVE;
    return;
  }
  asker->info = wt__connection_snapshot(left);
  wt__failure_set(&failure, error, WT_TRANSPORT, "%s", wt_error_string(error));
  wt__asker_fail(asker, &failure);
}
