/* SPDX-License-Identifier: MIT */

/*
 * What a dial and a plain request have in common: a URL, the time by which there has to be an answer, and the way to a
 * connection.
 *
 *   new --> waits for a connector --> has a connection --> sends the request --> answered --> freed
 *             |    ^                        |
 *             |    +-- it cannot be shared -+
 *             +--> fails: timeout, cancelled, nobody reached --> the application is told --> freed
 *
 * A failure is noted here. The next pass tells the application, never the call that caused the failure. If the request
 * was sent already, h3 gives it up and reports its end; the application then gets the failure that was noted here.
 *
 * Nothing is tried again, with one exception: a shared connection may turn out to be full, or the server may reject the
 * request on it. The dial then gets a connection of its own.
 */

#include "net/pending.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "core/info.h"
#include "h3/conn.h"
#include "net/client_state.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/driver.h"
#include "net/failure.h"
#include "net/snapshot.h"
#include "net/timer.h"
#include "wire/error_code.h"
#include "wire/url.h"

/* --- Time --- */

static const char *seconds(uint64_t ms, char *text, size_t size) {
  if (ms % 1000 == 0) {
    (void)snprintf(text, size, "%llu s", (unsigned long long)(ms / 1000));
  } else {
    (void)snprintf(text, size, "%llu ms", (unsigned long long)ms);
  }
  return text;
}

static void pending_on_timeout(struct wt__timer *timer, uint64_t now) {
  struct wt__pending *pending = WT__PENDING_OF(timer, timer);
  struct wt__failure failure;
  char host_port[WT__HOST_PORT_MAX], time[32];
  (void)now;
  wt__pending_host_port(pending, host_port, sizeof(host_port));
  (void)seconds(pending->timeout_ms, time, sizeof(time));
  if (pending->stage <= WT_STAGE_CONNECT && pending->connector) {
    wt__connector_describe_timeout(pending->connector, time, &failure);
  } else if (pending->stage <= WT_STAGE_SETTINGS) {
    wt__failure_set(&failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "%s: the server's SETTINGS did not arrive within %s",
                    host_port, time);
  } else {
    wt__failure_set(&failure, WT_ERR_TIMEOUT, WT_TRANSPORT, "%s: no answer to the request within %s", host_port, time);
  }
  wt__pending_fail(pending, &failure);
}

/* --- Beginning and end --- */

void wt__pending_host_port(const struct wt__pending *pending, char *text, size_t size) {
  const struct wt__url *url = &pending->url;
  (void)snprintf(text, size, url->is_v6 ? "[%s]:%u" : "%s:%u", url->host, (unsigned)url->port);
}

int wt__pending_begin(struct wt__pending *pending, wt_client *client, const struct wt__pending_kind *kind,
                      struct wt__url *url, const struct wt__pending_options *options) {
  pending->client = client;
  pending->kind = kind;
  pending->url = *url;
  pending->pooling = options->pooling;
  pending->timeout_ms = options->timeout_ms;
  pending->congestion_control = options->congestion_control;
  pending->begun = wt__client_now(client);
  wt__link_init(&pending->link);
  wt__link_init(&pending->failed);
  wt__link_init(&pending->wait);
  int error = wt__timer_init(client, &pending->timer, pending_on_timeout);
  if (error) return error;
  struct wt__connection *shared = wt__connection_find(pending);
  error = shared ? 0 : wt__connector_join(pending);
  if (error) {
    wt__timer_free(client, &pending->timer);
    return error;
  }
  if (options->timeout_ms) {
    wt__timer_set(client, &pending->timer, wt__driver_deadline(pending->begun, options->timeout_ms));
  }
  wt__list_push_back(&client->pending, &pending->link);
  if (shared) wt__connection_add_user(shared, pending);
  wt__client_hold(client);
  return 0;
}

void wt__pending_free(struct wt__pending *pending) {
  wt__connector_leave(pending);
  wt__connector_release(pending);
  wt__connection_drop_user(pending);
  wt__snapshot_free(pending->info);
  wt__list_remove(&pending->failed);
  wt__list_remove(&pending->link);
  wt__timer_free(pending->client, &pending->timer);
  wt__url_free(&pending->url);
}

void wt__pending_answered(struct wt__pending *pending) {
  pending->stage = WT_STAGE_ANSWERED;
  wt__timer_set(pending->client, &pending->timer, UINT64_MAX);
}

/* --- Failing --- */

void wt__pending_fail(struct wt__pending *pending, const struct wt__failure *failure) {
  if (pending->failure.error) return;
  pending->failure = *failure;
  wt__timer_set(pending->client, &pending->timer, UINT64_MAX);
  wt__connector_leave(pending);
  if (pending->kind->give_up(pending)) return;
  wt__list_push_back(&pending->client->failed, &pending->failed);
}

void wt__pending_cancel(struct wt__pending *pending, const char *message) {
  struct wt__failure failure;
  wt__failure_set(&failure, WT_ERR_CLOSED, WT_LOCAL, "%s", message);
  wt__pending_fail(pending, &failure);
}

void wt__pending_report_failures(wt_client *client) {
  struct wt__list turn;
  struct wt__link *first;
  wt__list_init(&turn); /* those that fail meanwhile wait for the next time */
  while ((first = wt__list_first(&client->failed))) {
    wt__list_remove(first);
    wt__list_push_back(&turn, first);
  }
  while ((first = wt__list_first(&turn))) {
    struct wt__pending *pending = WT__PENDING_OF(first, failed);
    wt__list_remove(first);
    pending->kind->report_failure(pending);
  }
}

void wt__pending_reconnect(struct wt__pending *pending) {
  struct wt__failure failure;
  const struct wt__connection *left = pending->connection;
  wt__connection_drop_user(pending);
  wt__connector_release(pending);
  int error = wt__connector_join(pending);
  if (error == 0) {
    pending->stage = WT_STAGE_RESOLVE;
    return;
  }
  pending->info = wt__connection_snapshot(left);
  wt__failure_set(&failure, error, WT_TRANSPORT, "%s", wt_error_string(error));
  wt__pending_fail(pending, &failure);
}

/* --- Information --- */

int wt__pending_get_info(const struct wt__pending *pending, struct wt_connection_info *info) {
  const struct wt__connection *connection = pending->connection;
  const struct wt__connector *connector = pending->connector;
  struct wt_connection_info all = {.size = sizeof(all)};
  for (size_t i = 0; !connection && connector && i < connector->attempt_count; i++) {
    connection = connector->attempts[i]->connection;
  }
  if (connection) {
    wt__h3_conn_get_info(connection->h3, &all);
  } else if (pending->info) {
    all = pending->info->info;
  } else if (connector && connector->info) {
    all = connector->info->info;
  } else {
    return WT_ERR_STATE;
  }
  return wt__info_copy(info, &all);
}
