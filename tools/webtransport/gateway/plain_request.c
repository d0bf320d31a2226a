/* SPDX-License-Identifier: MIT */
/*
 * Passes a request that is no session on to a server of HTTP/1.1, and the answer back. Nothing is gathered: bytes go on as
 * they come, and each side is held back by the other.
 *
 *   client --on_body--> body (64 KiB, then the request is paused) --libcurl reads--> back end
 *   client <--wt_request_write-- answer (what the stream's queue did not take; libcurl is paused) <-- back end
 *
 * A request with a body begins when the first bytes are there, because only then it is known that there is one: HTTP/3
 * does not say so before. The path goes to the back end as it came; libcurl does not parse it.
 *
 * An end has two halves: that of the transfer, and that of the client's request, which is the last. If the back end breaks
 * before its answer, the client gets 502, or 504 if it was too slow; in the middle of the answer, the stream is reset, so
 * that nobody takes the part for the whole. If the client goes away, the connection to the back end is closed.
 */
#include "gateway/plain_request.h"

#include "gateway/http_client.h"

#ifdef WT_HAVE_CURL

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/tool_log.h"
#include "common/values.h"
#include "gateway/forwarded.h"
#include "gateway/http_transfer.h"

enum {
  INTERNAL_ERROR = 0x102, /* H3_INTERNAL_ERROR */
  METHOD_SIZE = 32,
  INTERIM_FIRST = 102,
};

struct plain_request {
  struct http_transfer transfer; /* first */
  struct gateway *gateway;
  struct route *route;
  struct peer *peer;
  wt_request *request;
  struct plain_request *next, **link;
  struct identity identity;
  char method[METHOD_SIZE];
  uint64_t active_ms;

  /* To the back end. */
  uint8_t *body;
  size_t body_at, body_len, body_size;
  bool started, body_fin, body_waits; /* `body_waits`: libcurl is paused until there is more */

  /* To the client. */
  struct field_list fields; /* of the header section that comes */
  int status;               /* of that section; then of the answer */
  bool begun, transfer_done, answer_waits, ended;
  uint8_t *answer; /* what the stream did not take yet */
  size_t answer_at, answer_len;
  const char *error; /* why it ended early; NULL: it did not */
};

/* --- Life. --- */

static void plain_link(struct plain_request *plain) {
  struct gateway *gateway = plain->gateway;
  plain->next = gateway->plain_requests;
  plain->link = &gateway->plain_requests;
  if (plain->next) plain->next->link = &plain->next;
  gateway->plain_requests = plain;
  plain->route->counts->requests_open++;
  plain->route->counts->requests_total++;
  plain->peer->requests++;
}

static void plain_unlink(struct plain_request *plain) {
  *plain->link = plain->next;
  if (plain->next) plain->next->link = plain->link;
  plain->route->counts->requests_open--;
  plain->peer->requests--;
}

static void plain_free(struct plain_request *plain) {
  http_transfer_end(&plain->transfer);
  peers_put(plain->peer);
  route_release(plain->route);
  identity_free(&plain->identity);
  field_list_free(&plain->fields);
  free(plain->body);
  free(plain->answer);
  free(plain);
}

/* How many of `wanted` bytes the rate allows now. If fewer, a tick follows soon. */
static size_t plain_room(struct plain_request *plain, size_t wanted) {
  const struct route_settings *settings = &plain->route->settings;
  if (!settings->rate && !settings->rate_per_address) return wanted;
  uint64_t now = gateway_now(plain->gateway);
  size_t room = rate_room(&plain->route->counts->rate, settings->rate, now, wanted);
  room = rate_room(&plain->peer->rate, settings->rate_per_address, now, room);
  if (room < wanted) gateway_hurry(plain->gateway);
  return room;
}

static void plain_take(struct plain_request *plain, size_t bytes) {
  rate_take(&plain->route->counts->rate, plain->route->settings.rate, bytes);
  rate_take(&plain->peer->rate, plain->route->settings.rate_per_address, bytes);
}

static void plain_moved(struct plain_request *plain) { plain->active_ms = gateway_now(plain->gateway); }

/* --- Early ends. --- */

static void plain_log(const struct plain_request *plain, const char *why) {
  static struct log_limit limit = LOG_LIMIT_INIT;
  log_limited(&limit, WT_LOG_WARN, "%s -> %s: %s", plain->route->settings.path, plain->route->settings.requests.text,
              why);
}

/* Gives the back end up; the client's request goes on until its on_close. */
static void plain_fail(struct plain_request *plain, int status, const char *why) {
  static const struct wt_header headers[] = {{"content-type", "text/plain; charset=utf-8"},
                                             {"cache-control", "no-store"}};
  char text[256];
  if (plain->transfer_done) return;
  plain->transfer_done = true;
  plain->error = why;
  wt_request_resume(plain->request); /* the rest of its body is dropped */
  plain->route->counts->requests_failed++;
  plain_log(plain, why);
  if (!plain->begun) {
    int len = snprintf(text, sizeof text, "%s\n",
                       status == 408   ? "The request's body did not come."
                       : status == 504 ? "The back end does not answer in time."
                                       : "The back end cannot be used.");
    plain->status = status;
    plain->begun = true;
    if (!wt_request_respond(plain->request, status, headers, 2, text, (size_t)len)) return;
  }
  wt_request_reset(plain->request, INTERNAL_ERROR);
}

/* --- The answer. --- */

static void plain_on_writable(wt_request *request, void *user_data);
static void plain_on_close(wt_request *request, int error, void *user_data);

/* Without on_body the library asks the client to send no more of the body (RFC 9114, section 4.1). */
static const struct wt_request_callbacks ending_callbacks = {
    .on_writable = plain_on_writable,
    .on_close = plain_on_close,
};

static void answer_end(struct plain_request *plain) {
  if (!plain->transfer_done || plain->error || plain->answer_len || plain->ended) return;
  if (!plain->body_fin) wt_request_set_callbacks(plain->request, &ending_callbacks, plain);
  plain->ended = !wt_request_end(plain->request);
}

/* Writes what the rate allows and the stream's queue takes. False: the request is over. */
static bool answer_write(struct plain_request *plain, const uint8_t *data, size_t len, size_t *written) {
  size_t room = plain_room(plain, len);
  *written = 0;
  if (room && wt_request_write(plain->request, data, room, written)) return false;
  plain_take(plain, *written);
  return true;
}

/* Gives the client what waits. False: some still waits; on_writable or a tick follows. */
static bool answer_send(struct plain_request *plain) {
  size_t written = 0;
  if (!plain->answer_len) return true;
  if (!answer_write(plain, plain->answer + plain->answer_at, plain->answer_len, &written)) return false;
  plain->answer_at += written;
  plain->answer_len -= written;
  if (written) plain_moved(plain);
  return !plain->answer_len;
}

static bool answer_keep(struct plain_request *plain, const uint8_t *data, size_t len) {
  if (len > PLAIN_ANSWER_MAX) return false;
  if (!plain->answer) plain->answer = malloc(PLAIN_ANSWER_MAX);
  if (!plain->answer) return false;
  memcpy(plain->answer, data, len);
  plain->answer_at = 0;
  plain->answer_len = len;
  return true;
}

static size_t answer_on_data(char *data, size_t one, size_t len, void *user_data) {
  struct plain_request *plain = user_data;
  size_t written = 0;
  (void)one;
  if (!plain->begun) return 0; /* without a header section */
  if (plain->answer_len) {
    plain->answer_waits = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  if (!answer_write(plain, (const uint8_t *)data, len, &written)) return 0;
  plain_moved(plain);
  plain->route->counts->bytes_out += len;
  if (written == len || answer_keep(plain, (const uint8_t *)data + written, len - written)) return len;
  return 0;
}

/* Fields that `connection` names are its own (RFC 9110, section 7.6.1). */
static bool connection_names(const struct field_list *fields, const char *name) {
  size_t len = strlen(name);
  for (size_t i = 0; i < fields->count; i++) {
    if (strcmp(fields->headers[i].name, "connection") != 0) continue;
    for (const char *at = fields->headers[i].value; *at;) {
      at += strspn(at, ", \t");
      size_t part = strcspn(at, ", \t");
      if (part == len && !strncasecmp(at, name, len)) return true;
      at += part;
    }
  }
  return false;
}

/* The fields for the client. Returns how many. `content-length` tells how large a download is; libcurl has checked it. */
static size_t answer_fields(const struct plain_request *plain, struct wt_header *headers) {
  const struct route_settings *settings = &plain->route->settings;
  size_t count = 0;
  bool interim = plain->status < 200, chunked = field_list_find(&plain->fields, "transfer-encoding") != NULL;
  for (size_t i = 0; i < plain->fields.count; i++) {
    const struct wt_header *field = &plain->fields.headers[i];
    bool length = !strcmp(field->name, "content-length") && !interim && !chunked && plain->status != 204;
    if (!length &&
        (!route_answer_header_passes(settings, field->name) || connection_names(&plain->fields, field->name)))
      continue;
    headers[count++] = *field;
  }
  return count;
}

/* The header section is whole. */
static bool answer_begin(struct plain_request *plain) {
  struct wt_header headers[FIELD_LIST_COUNT];
  size_t count = answer_fields(plain, headers);
  bool good = plain->status != 101;
  if (plain->status >= 200) {
    good = !wt_request_begin(plain->request, plain->status, headers, count);
    plain->begun = good;
  } else if (plain->status >= INTERIM_FIRST) {
    wt_request_inform(plain->request, plain->status, headers, count); /* a client can do without */
  }
  field_list_free(&plain->fields);
  plain_moved(plain);
  return good;
}

/* libcurl may have paused until there is more of the body, which a client need not send once it has its answer (RFC 9114,
 * section 4.1). libcurl gives the rest up after an error status, but only if it is not paused. Otherwise it asks again. */
static void body_ask_again(struct plain_request *plain) {
  if (!plain->body_waits) return;
  plain->body_waits = false;
  curl_easy_pause(plain->transfer.easy, plain->answer_waits ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

static size_t answer_on_header(char *line, size_t one, size_t len, void *user_data) {
  struct plain_request *plain = user_data;
  (void)one;
  if (plain->begun) return len; /* trailers, which end here */
  if (len >= 12 && !memcmp(line, "HTTP/", 5)) {
    const char *space = memchr(line, ' ', len);
    plain->status = space ? (int)strtol(space, NULL, 10) : 0;
    return plain->status >= 100 && plain->status <= 599 ? len : 0;
  }
  bool end = len == 0 || line[0] == '\r' || line[0] == '\n';
  if (end && !answer_begin(plain)) return 0;
  if (end && plain->begun) body_ask_again(plain);
  if (end) return len;
  return field_list_add_line(&plain->fields, line, len) ? len : 0;
}

static void plain_on_done(struct http_transfer *transfer, CURLcode result) {
  struct plain_request *plain = (struct plain_request *)(void *)transfer;
  if (result || !plain->begun) {
    plain_fail(plain, result == CURLE_OPERATION_TIMEDOUT ? 504 : 502,
               result ? curl_easy_strerror(result) : "there is no answer");
    return;
  }
  plain->transfer_done = true;
  wt_request_resume(plain->request); /* the rest of its body is dropped */
  answer_end(plain);
}

/* --- The body. --- */

static size_t body_on_read(char *data, size_t one, size_t room, void *user_data) {
  struct plain_request *plain = user_data;
  size_t len = plain->body_len < room ? plain->body_len : room;
  (void)one;
  if (!len && plain->body_fin) return 0;
  len = plain_room(plain, len);
  if (!len) {
    plain->body_waits = true;
    return CURL_READFUNC_PAUSE;
  }
  plain_take(plain, len);
  memcpy(data, plain->body + plain->body_at, len);
  plain->body_at += len;
  plain->body_len -= len;
  if (!plain->body_len) plain->body_at = 0;
  plain_moved(plain);
  if (plain->body_len < PLAIN_BODY_MAX / 2 && !plain->body_fin) wt_request_resume(plain->request);
  return len;
}

/* A piece of the body may be larger than what may wait: the library gives what it has kept in one piece. */
static bool body_keep(struct plain_request *plain, const uint8_t *data, size_t len) {
  size_t needed = plain->body_len + len;
  if (!len) return true;
  if (needed > plain->body_size) {
    size_t size = needed > 2 * plain->body_size ? needed : 2 * plain->body_size;
    uint8_t *larger = malloc(size);
    if (!larger) return false;
    if (plain->body_len) memcpy(larger, plain->body + plain->body_at, plain->body_len);
    free(plain->body);
    plain->body = larger;
    plain->body_size = size;
    plain->body_at = 0;
  } else if (plain->body_at + needed > plain->body_size) {
    memmove(plain->body, plain->body + plain->body_at, plain->body_len);
    plain->body_at = 0;
  }
  memcpy(plain->body + plain->body_at + plain->body_len, data, len);
  plain->body_len = needed;
  return true;
}

static bool is_safe(const char *method) {
  return !strcmp(method, "GET") || !strcmp(method, "HEAD") || !strcmp(method, "OPTIONS");
}

static void body_options(struct plain_request *plain) {
  CURL *easy = plain->transfer.easy;
  const char *length = wt_request_header(plain->request, "content-length");
  bool empty = plain->body_fin && !plain->body_len;
  bool bodiless = is_safe(plain->method) || !strcmp(plain->method, "DELETE");
  if (!strcmp(plain->method, "HEAD")) {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (!empty || !bodiless) {
    curl_off_t known = empty ? 0 : length ? (curl_off_t)strtoll(length, NULL, 10) : -1;
    if (plain->body_fin) known = (curl_off_t)plain->body_len;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, known);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, plain->method);
  /* A kept connection may be closed just now, and libcurl would send the request again: not one that changes something. */
  if (!is_safe(plain->method)) curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
}

static void plain_start(struct plain_request *plain) {
  plain->started = true;
  body_options(plain);
  if (!http_transfer_start(&plain->transfer)) plain_fail(plain, 502, "there is no memory");
}

static void plain_on_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct plain_request *plain = user_data;
  plain->route->counts->bytes_in += len;
  plain->body_fin = fin;
  plain_moved(plain);
  if (plain->transfer_done) return; /* nobody wants it */
  if (!body_keep(plain, data, len)) {
    plain_fail(plain, 502, "there is no memory");
    return;
  }
  if (plain->body_len >= PLAIN_BODY_MAX && !fin) wt_request_pause(request);
  if (!plain->started) {
    plain_start(plain);
  } else {
    body_ask_again(plain);
  }
}

/* --- The client. --- */

static void plain_on_writable(wt_request *request, void *user_data) {
  struct plain_request *plain = user_data;
  (void)request;
  if (!answer_send(plain)) return;
  if (plain->answer_waits && !plain->transfer_done) {
    plain->answer_waits = false;
    curl_easy_pause(plain->transfer.easy, plain->body_waits ? CURLPAUSE_SEND : CURLPAUSE_CONT);
  }
  answer_end(plain);
}

static void plain_on_close(wt_request *request, int error, void *user_data) {
  struct plain_request *plain = user_data;
  /* A client that has all of it may leave without an acknowledgement. */
  if (error && !plain->error && !plain->ended) plain->error = "the client went away";
  const struct access_request known = {
      .route = plain->route, .user = plain->identity.user, .answered = true, .error = plain->error};
  access_log_request(&plain->gateway->access_log, request, &known);
  plain_unlink(plain);
  plain_free(plain);
}

static const struct wt_request_callbacks plain_callbacks = {
    .on_body = plain_on_body,
    .on_writable = plain_on_writable,
    .on_close = plain_on_close,
};

/* --- The request. --- */

static bool fields_add(struct plain_request *plain) {
  const struct route_settings *settings = &plain->route->settings;
  struct header_list fields = {.count = 0};
  struct http_transfer *transfer = &plain->transfer;
  bool good = forwarded_request(plain->request, settings->trust_forwarded, &fields) &&
              identity_apply(&plain->identity, &settings->auth.response_headers, &fields);
  if (good && settings->keep_host) good = header_list_set(&fields, "host", wt_request_authority(plain->request));
  if (good && !header_list_get(&fields, "accept")) good = http_transfer_add_field(transfer, "accept", NULL);
  for (size_t i = 0; good && i < fields.count; i++)
    good = http_transfer_add_field(transfer, fields.list[i].name, fields.list[i].value);
  header_list_free(&fields);
  return good;
}

/* Path and query as they came. libcurl sends this text as it is. */
static bool target_set(struct plain_request *plain) {
  const char *path = wt_request_path(plain->request), *query = wt_request_query(plain->request);
  size_t size = strlen(path) + strlen(query) + 2;
  char *text = malloc(size);
  if (!text) return false;
  snprintf(text, size, "%s%s%s", path, query[0] ? "?" : "", query);
  bool good = !curl_easy_setopt(plain->transfer.easy, CURLOPT_REQUEST_TARGET, text);
  free(text);
  return good && !curl_easy_setopt(plain->transfer.easy, CURLOPT_URL, plain->route->settings.requests.text);
}

static void callbacks_set(struct plain_request *plain) {
  CURL *easy = plain->transfer.easy;
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, answer_on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, plain);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, answer_on_data);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, plain);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, body_on_read);
  curl_easy_setopt(easy, CURLOPT_READDATA, plain);
}

/* Returns 0 or a status. A request counts as a stream does: it may have a connection of its own. */
static int bounds_check(const struct route *route, const struct peer *peer, const char **why) {
  const struct route_settings *settings = &route->settings;
  *why = "Too many requests use this route (max-streams).";
  if (settings->max_streams && route->counts->requests_open >= settings->max_streams) return 503;
  *why = "Too many requests of this address use this route (max-streams-per-address).";
  if (settings->max_streams_per_address && peer->requests >= settings->max_streams_per_address) return 429;
  return 0;
}

static struct plain_request *plain_new(struct gateway *gateway, struct route *route, wt_request *request) {
  struct plain_request *plain = calloc(1, sizeof *plain);
  if (!plain) return NULL;
  plain->peer = peers_get(&gateway->peers, route->counts, wt_request_peer_address(request));
  if (!plain->peer) {
    free(plain);
    return NULL;
  }
  plain->gateway = gateway;
  plain->route = route;
  plain->request = request;
  plain->transfer.done = plain_on_done;
  plain->active_ms = gateway_now(gateway);
  snprintf(plain->method, sizeof plain->method, "%s", wt_request_method(request));
  route_use(route);
  return plain;
}

static int plain_make(struct plain_request *plain, const char **why) {
  const struct route_settings *settings = &plain->route->settings;
  const struct http_target target = {&settings->requests, plain->route->requests_lookup, settings->requests_ca,
                                     settings->connect_timeout_ms};
  int status = bounds_check(plain->route, plain->peer, why);
  if (status) return status;
  *why = "The back end's name is not known.";
  if (!http_transfer_init(&plain->transfer, plain->gateway->http_client, &target)) return 502;
  *why = "The request has too many header fields.";
  if (!fields_add(plain)) return 431;
  *why = "The gateway has no memory.";
  if (!target_set(plain)) return 503;
  callbacks_set(plain);
  return 0;
}

int plain_request_begin(struct gateway *gateway, struct route *route, wt_request *request, struct identity *identity,
                        const char **why) {
  const char *method = wt_request_method(request);
  *why = "The gateway passes no requests with this method on.";
  if (!strcmp(method, "CONNECT") || strlen(method) >= METHOD_SIZE || !value_is_token(method, strlen(method)))
    return 501;
  *why = "The gateway has no memory.";
  struct plain_request *plain = plain_new(gateway, route, request);
  if (!plain) return 503;
  identity_move(&plain->identity, identity);
  int status = plain_make(plain, why);
  if (status) {
    plain_free(plain);
    return status;
  }
  plain_link(plain);
  wt_request_set_callbacks(request, &plain_callbacks, plain);
  wt_request_resume(request);
  gateway_hurry(gateway);
  return 0;
}

/* What waited for the rate goes on. */
static void plain_go_on(struct plain_request *plain) {
  if (plain->answer_len) plain_on_writable(plain->request, plain);
  if (plain->started && plain->body_len && !plain->transfer_done) body_ask_again(plain);
}

void plain_requests_tick(struct gateway *gateway, uint64_t now_ms) {
  for (struct plain_request *plain = gateway->plain_requests, *next; plain; plain = next) {
    next = plain->next;
    plain_go_on(plain);
    uint64_t limit = plain->route->settings.idle_timeout_ms;
    if (!limit || now_ms < plain->active_ms || now_ms - plain->active_ms < limit) continue;
    if (!plain->transfer_done) {
      http_transfer_end(&plain->transfer);
      plain_fail(plain, plain->started ? 504 : 408, "nothing moved for too long (idle-timeout)");
    } else {
      plain->error = "nothing moved for too long (idle-timeout)";
      wt_request_reset(plain->request, INTERNAL_ERROR);
    }
    plain->active_ms = now_ms;
  }
}

#else

#include <stddef.h>

int plain_request_begin(struct gateway *gateway, struct route *route, wt_request *request, struct identity *identity,
                        const char **why) {
  (void)gateway, (void)route, (void)request, (void)identity;
  *why = "This gateway was built without libcurl, which passes requests on.";
  return 501;
}

void plain_requests_tick(struct gateway *gateway, uint64_t now_ms) { (void)gateway, (void)now_ms; }

#endif
