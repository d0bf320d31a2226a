/* SPDX-License-Identifier: MIT */

/*
 * A client's requests for sessions.
 *
 *   wt_client_dial --> pending: lookups, race --> connection --> request (h3/dial.c) --> answer --> on_done
 *
 * All that the request needs is copied first, because its connection comes later. A request that cannot be sent is found
 * at once, by encoding it and dropping the bytes: an application learns about a header field that is not allowed from the
 * call, not from a callback.
 *
 * The result says where it ended and why, in a sentence for people; that is put together here from what h3, the
 * race or the clock have to say.
 */

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "base/sized.h"
#include "h3/client.h"
#include "net/bounds.h"
#include "net/client_state.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/dial_copy.h"
#include "net/failure.h"
#include "net/pending.h"
#include "wire/error_code.h"
#include "wire/url.h"

struct wt_dial {
  struct wt__pending pending;
  struct wt__dial_copy *copy;
  struct wt_dial_callbacks callbacks;
  void *user_data;
  struct wt__h3_dial *h3; /* NULL: not asked */
  const struct wt__h3_reply *reply;
};

#define DIAL_OF(a) WT__CONTAINER_OF(a, wt_dial, pending)

void wt_dial_options_init(struct wt_dial_options *options, size_t size) {
  const struct wt_dial_options all = {
      .size = sizeof(all),
      .timeout_ms = 10000,
  };
  wt__sized_init(options, size, &all, sizeof(all));
}

const char *wt_dial_stage_name(enum wt_dial_stage stage) {
  switch (stage) {
    case WT_STAGE_RESOLVE: return "resolve";
    case WT_STAGE_CONNECT: return "connect";
    case WT_STAGE_SETTINGS: return "settings";
    case WT_STAGE_REQUEST: return "request";
    case WT_STAGE_ANSWERED: return "answered";
  }
  return "unknown stage";
}

/* --- The end of a dial --- */

static void dial_free(wt_dial *dial) {
  wt__pending_free(&dial->pending);
  wt__dial_copy_free(dial->copy);
  wt__free(dial);
}

static void dial_done(wt_dial *dial, const struct wt_dial_result *result) {
  dial->callbacks.on_done(dial, result, dial->user_data);
  dial_free(dial);
}

static void dial_report_failure(struct wt__pending *pending) {
  const struct wt__failure *failure = &pending->failure;
  struct wt_dial_result result = {
      .error = failure->error,
      .stage = pending->stage,
      .by = failure->by,
      .wire_code = failure->wire_code,
      .wire_is_h3 = failure->wire_is_h3,
      .message = failure->message,
  };
  dial_done(DIAL_OF(pending), &result);
}

/* --- What the server answered --- */

static void describe_rejected(const wt_dial *dial, const struct wt__h3_reply *reply, struct wt__failure *failure) {
  const char *location = wt__h3_dial_header(reply->dial, "location");
  const char *name = wt__wire_error_name(reply->wire_code);
  if (reply->status >= 300 && reply->status < 400) {
    wt__failure_set(failure, reply->error, WT_PEER, "the server answered %d, a redirection%s%s, which is not followed",
                    reply->status, location ? " to " : "", location ? location : "");
  } else if (reply->status) {
    wt__failure_set(failure, reply->error, WT_PEER, "the server answered %d to %s", reply->status,
                    dial->pending.url.path);
  } else {
    wt__failure_set(failure, reply->error, WT_PEER, "the server reset the request with %s (0x%llx)",
                    name ? name : "an unknown code", (unsigned long long)reply->wire_code);
    failure->wire_code = reply->wire_code;
    failure->wire_is_h3 = true;
  }
}

static void dial_describe(wt_dial *dial, const struct wt__h3_reply *reply) {
  struct wt__failure *failure = &dial->pending.failure;
  if (failure->error && !reply->status) return; /* cancelled, or too late */
  if (reply->end) {
    wt__failure_of_end(failure, reply->end);
  } else if (reply->error == WT_ERR_REJECTED) {
    describe_rejected(dial, reply, failure);
  } else {
    wt__failure_set(failure, reply->error, WT_TRANSPORT, "%s", reply->message);
    failure->wire_code = reply->wire_code;
    failure->wire_is_h3 = reply->wire_code != 0;
  }
}

/* A rejected request was not acted upon, and may be sent again (RFC 9114, section 4.1.1). Where the connection is shared
 * the likely reason is that the server wants no more sessions on it: from draft 15 on no setting says so before. */
static bool dial_may_move(const wt_dial *dial, const struct wt__h3_reply *reply) {
  const struct wt__pending *pending = &dial->pending;
  if (reply->error != WT_ERR_REJECTED || reply->status || reply->wire_code != WT__H3_REQUEST_REJECTED) return false;
  if (pending->failure.error || dial->copy->options.optimistic) return false;
  return pending->pooling && pending->connection && wt__h3_conn_sessions(pending->connection->h3) > 0;
}

/* It gets a connection of its own, so this happens once. */
static void dial_move(wt_dial *dial, const struct wt__h3_reply *reply) {
  dial->pending.pooling = false;
  wt__pending_reconnect(&dial->pending);
  if (dial->pending.failure.error) describe_rejected(dial, reply, &dial->pending.failure); /* there can be none */
}

static void dial_on_reply(const struct wt__h3_reply *reply, void *user_data) {
  wt_dial *dial = user_data;
  dial->h3 = NULL;
  if (dial_may_move(dial, reply)) {
    dial_move(dial, reply);
    return;
  }
  dial->reply = reply;
  if (reply->status || reply->session) wt__pending_answered(&dial->pending);
  if (!reply->session) {
    dial_describe(dial, reply);
    wt__list_remove(&dial->pending.failed);
  }
  const struct wt__failure *failure = &dial->pending.failure;
  struct wt_dial_result result = {
      .session = reply->session,
      .error = reply->session ? 0 : failure->error,
      .stage = dial->pending.stage,
      .status = reply->status,
      .by = failure->by,
      .wire_code = failure->wire_code,
      .wire_is_h3 = failure->wire_is_h3,
      .message = reply->session ? "" : failure->message,
  };
  dial_done(dial, &result);
}

static void dial_on_asked(wt_session *session, void *user_data) {
  wt_dial *dial = user_data;
  if (dial->callbacks.on_asked) dial->callbacks.on_asked(dial, session, dial->user_data);
}

/* --- Asking --- */

static void dial_ask(wt_dial *dial) {
  struct wt__failure failure;
  struct wt__h3_dial_options options = dial->copy->options;
  if (!options.authority) options.authority = dial->pending.url.authority;
  options.path = dial->pending.url.path;
  options.on_reply = dial_on_reply;
  options.on_asked = dial_on_asked;
  options.reply_data = dial;
  int error = wt__h3_dial(dial->pending.connection->h3, &options, &dial->h3);
  if (error == 0) return;
  wt__failure_set(&failure, error, WT_TRANSPORT, "cannot ask for the session: %s", wt_error_string(error));
  wt__pending_fail(&dial->pending, &failure);
}

static void dial_connected(struct wt__pending *pending) {
  wt_dial *dial = DIAL_OF(pending);
  if (wt__h3_conn_may_dial(pending->connection->h3)) dial_ask(dial);
}

static void dial_ready(struct wt__pending *pending) {
  wt_dial *dial = DIAL_OF(pending);
  if (dial->h3) {
    pending->stage = WT_STAGE_REQUEST;
  } else if (pending->failure.error) {
    return;
  } else if (wt__h3_conn_may_dial(pending->connection->h3)) {
    pending->stage = WT_STAGE_REQUEST;
    dial_ask(dial);
  } else {
    wt__pending_reconnect(pending);
  }
}

static bool dial_give_up(struct wt__pending *pending) {
  wt_dial *dial = DIAL_OF(pending);
  if (dial->h3) wt__h3_dial_cancel(dial->h3);
  return dial->h3 != NULL;
}

static const struct wt__pending_kind dial_kind = {
    .is_session = true,
    .connected = dial_connected,
    .ready = dial_ready,
    .give_up = dial_give_up,
    .report_failure = dial_report_failure,
};

/* --- The application's calls --- */

/* What the caller gives, with tables of this version. */
struct dial_given {
  struct wt_dial_options options;
  struct wt_dial_callbacks callbacks;
  struct wt_session_callbacks session_callbacks;
};

static int dial_options_read(wt_client *client, const struct wt_dial_options *from, struct dial_given *given) {
  struct wt_dial_options *options = &given->options;
  wt_dial_options_default(options);
  int error = wt__sized_read(options, sizeof(*options), from, offsetof(struct wt_dial_options, authority));
  if (error) return wt__client_fail(client, error, "options: call wt_dial_options_default first");
  error =
      wt__sized_read_table(&given->callbacks, sizeof(given->callbacks), options->callbacks, sizeof(given->callbacks));
  if (error) return wt__client_fail(client, error, "options: callbacks has a size that no version has");
  error = wt__sized_read_table(&given->session_callbacks, sizeof(given->session_callbacks), options->session_callbacks,
                               sizeof(given->session_callbacks));
  if (error) return wt__client_fail(client, error, "options: session_callbacks has a size that no version has");
  options->callbacks = &given->callbacks;
  options->session_callbacks = &given->session_callbacks;
  return 0;
}

static bool lists_are_set(const struct wt_dial_options *options) {
  if ((options->header_count && !options->headers) || (options->protocol_count && !options->protocols)) return false;
  for (size_t i = 0; i < options->header_count; i++) {
    if (!options->headers[i].name || !options->headers[i].value) return false;
  }
  for (size_t i = 0; i < options->protocol_count; i++) {
    if (!options->protocols[i]) return false;
  }
  return true;
}

/* Host and port as a URL has them, without more. */
static bool authority_is_valid(const char *authority) {
  struct wt__url url;
  const char *why;
  size_t size = strlen(authority) + sizeof("https://");
  char *text = !strpbrk(authority, "/?#@\\") && size <= WT__URL_MAX ? wt__malloc(size) : NULL;
  if (!text) return false;
  (void)snprintf(text, size, "https://%s", authority);
  bool valid = wt__url_parse(&url, text, &why) == 0;
  if (valid) wt__url_free(&url);
  wt__free(text);
  return valid;
}

static int dial_options_check(wt_client *client, const struct wt_dial_options *options) {
  if (!options->callbacks->on_done) {
    return wt__client_fail(client, WT_ERR_INVALID, "options: callbacks has no on_done");
  }
  if (options->timeout_ms > WT__BOUNDS_MAX_MS) {
    return wt__client_fail(client, WT_ERR_INVALID, "options: timeout_ms is too large");
  }
  if ((uint64_t)options->congestion_control > WT_CONGESTION_LOW_LATENCY) {
    return wt__client_fail(client, WT_ERR_INVALID,
                           "options: congestion_control is %u, must be one of enum wt_congestion_preference",
                           (unsigned)options->congestion_control);
  }
  if (options->authority && !authority_is_valid(options->authority)) {
    return wt__client_fail(client, WT_ERR_INVALID, "options: authority is not a host, or a host and a port");
  }
  if (lists_are_set(options)) return 0;
  return wt__client_fail(client, WT_ERR_INVALID, "options: headers or protocols is NULL, or has a NULL");
}

static int dial_request_check(wt_client *client, const struct wt__url *url, const struct wt__dial_copy *copy) {
  struct wt__h3_dial_options options = copy->options;
  if (!options.authority) options.authority = url->authority;
  options.path = url->path;
  int error = wt__h3_dial_check(&options, client->config.max_header_bytes);
  if (error == 0 || error == WT_ERR_NOMEM) return error;
  return wt__client_fail(client, WT_ERR_INVALID, "a header field, the origin or a subprotocol cannot be sent");
}

/* CUBIC fills the queues of the path, and gives up speed for each lost packet; BBR does neither. */
static enum wt_congestion_control dial_congestion_control(const wt_client *client,
                                                          enum wt_congestion_preference preference) {
  return preference == WT_CONGESTION_DEFAULT ? client->config.congestion_control : WT_CONGESTION_CONTROL_BBR;
}

/* On success `url` is the dial's. */
static int dial_begin(wt_dial *dial, wt_client *client, struct wt__url *url, const struct wt_dial_options *options) {
  dial->copy = wt__dial_copy_new(options);
  if (!dial->copy) return WT_ERR_NOMEM;
  dial->callbacks = *options->callbacks;
  dial->user_data = options->user_data;
  int error = dial_request_check(client, url, dial->copy);
  if (error) return error;
  const struct wt__pending_options wanted = {options->timeout_ms, options->allow_pooling,
                                             dial_congestion_control(client, options->congestion_control)};
  return wt__pending_begin(&dial->pending, client, &dial_kind, url, &wanted);
}

int wt_client_dial(wt_client *client, const char *url, const struct wt_dial_options *from, wt_dial **dial) {
  struct dial_given given;
  const struct wt_dial_options *options = &given.options;
  struct wt__url parsed;
  if (dial) *dial = NULL;
  if (!client) return WT_ERR_INVALID;
  int error = dial_options_read(client, from, &given);
  if (error == 0) error = dial_options_check(client, options);
  if (error == 0) error = wt__client_url(client, url, &parsed);
  if (error) return error;
  wt_dial *made = wt__calloc(1, sizeof(*made));
  error = made ? dial_begin(made, client, &parsed, options) : WT_ERR_NOMEM;
  if (error == 0) {
    if (dial) *dial = made;
    return 0;
  }
  if (error == WT_ERR_NOMEM) (void)wt__client_fail(client, error, "%s", wt_error_string(error));
  wt__url_free(&parsed);
  if (made) wt__dial_copy_free(made->copy);
  wt__free(made);
  return error;
}

void wt_dial_cancel(wt_dial *dial) {
  if (dial) wt__pending_cancel(&dial->pending, "the dial was cancelled");
}

const char *wt_dial_header(const wt_dial *dial, const char *name) {
  return dial && dial->reply ? wt__h3_dial_header(dial->reply->dial, name) : NULL;
}

int wt_dial_get_header_at(const wt_dial *dial, size_t index, struct wt_header *header) {
  if (!dial || !header) return WT_ERR_INVALID;
  return dial->reply ? wt__h3_dial_header_at(dial->reply->dial, index, header) : WT_ERR_NOT_FOUND;
}

int wt_dial_get_connection_info(const wt_dial *dial, struct wt_connection_info *info) {
  return dial && info ? wt__pending_get_info(&dial->pending, info) : WT_ERR_INVALID;
}

int wt_dial_get_attempt(const wt_dial *dial, size_t index, struct wt_attempt *attempt) {
  if (!dial || wt__sized_check(attempt, sizeof(*attempt))) return WT_ERR_INVALID;
  const struct wt__connector *connector = dial->pending.connector;
  if (!connector || index >= connector->attempt_count) return WT_ERR_NOT_FOUND;
  const struct wt__attempt *from = connector->attempts[index];
  uint64_t begun = dial->pending.begun;
  const struct wt_attempt all = {
      .address = from->address,
      .begun_us = from->begun > begun ? (from->begun - begun) / 1000 : 0,
      .ended_us = from->ended > begun ? (from->ended - begun) / 1000 : 0,
      .error = from->error,
      .message = from->message,
  };
  return wt__sized_give(attempt, &all, sizeof(all), sizeof(all));
}
