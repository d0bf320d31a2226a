/* SPDX-License-Identifier: MIT */
/*
 * The application: see app.h. What it does in a callback comes from the script's ring of decisions, what it does between
 * callbacks from the steps of the script.
 */

#include "app.h"

#include <string.h>

#include "fuzz.h"
#include "h3/exchange.h"

/* Every call into the library. */
#define CALL(app, statement)   \
  do {                         \
    bool was = (app)->in_call; \
    (app)->in_call = true;     \
    statement;                 \
    (app)->in_call = was;      \
  } while (0)

void app_init(struct app *app, struct script *script, bool client) {
  memset(app, 0, sizeof(*app));
  app->script = script;
  app->client = client;
  memset(app->text, 'x', sizeof(app->text));
}

/* --- Objects --- */

static struct app_object *object_new(struct app *app, enum app_kind kind, void *handle) {
  for (size_t i = 0; i < APP_OBJECTS; i++) {
    struct app_object *object = &app->objects[i];
    if (object->kind != APP_FREE) continue;
    *object = (struct app_object){.app = app, .kind = kind, .handle = handle};
    return object;
  }
  return NULL;
}

static void object_check(const struct app_object *object, enum app_kind kind, const void *handle) {
  FUZZ_CHECK(object->kind == kind && object->handle == handle);
  FUZZ_CHECK(!object->app->in_call && !object->app->ended);
}

static void object_closed(struct app_object *object, enum app_kind kind, const void *handle) {
  object_check(object, kind, handle);
  object->kind = APP_FREE;
}

/* Reads all of it, so that a sanitizer sees what is not there. */
static void read_bytes(const uint8_t *data, size_t len) {
  for (size_t i = 0; i < len; i++) (void)*(const volatile uint8_t *)&data[i];
}

static void read_text(const char *text) {
  if (text) read_bytes((const uint8_t *)text, strlen(text));
}

void app_check_ended(const struct app *app) {
  for (size_t i = 0; i < APP_OBJECTS; i++) FUZZ_CHECK(app->objects[i].kind == APP_FREE);
  FUZZ_CHECK(app->releases == 0);
}

/* --- Owned bytes --- */

static void on_release(const uint8_t *data, size_t len, void *user_data) {
  struct app *app = user_data;
  FUZZ_CHECK(!app->in_call && app->releases > 0);
  read_bytes(data, len);
  free((void *)(uintptr_t)data);
  app->releases--;
}

/* --- Streams --- */

static size_t some_len(struct app *app) {
  static const size_t lengths[] = {0, 1, 40, 600, 5000, 9000};
  return lengths[script_decide(app->script, 6)];
}

static int write_some(struct app *app, wt_stream *stream, wt_request *request, wt_exchange *exchange) {
  size_t len = some_len(app), written = 0;
  char *bytes = calloc(1, len + 1);
  int rv = 0;
  FUZZ_CHECK(bytes);
  if (stream) CALL(app, rv = wt_stream_write(stream, bytes, len, &written));
  if (request) CALL(app, rv = wt_request_write(request, bytes, len, &written));
  if (exchange) CALL(app, rv = wt_exchange_write(exchange, bytes, len, &written));
  FUZZ_CHECK(written <= len && (rv == 0 || written == 0));
  free(bytes);
  return rv;
}

static void write_owned(struct app *app, wt_stream *stream, wt_request *request) {
  size_t len = some_len(app) + 1;
  uint8_t *bytes = calloc(1, len);
  int rv = 0;
  FUZZ_CHECK(bytes);
  app->releases++;
  if (stream) CALL(app, rv = wt_stream_write_owned(stream, bytes, len, on_release, app));
  if (request) CALL(app, rv = wt_request_write_owned(request, bytes, len, on_release, app));
  if (rv == 0) return;
  app->releases--;
  free(bytes);
}

static void session_act(struct app *app, struct app_object *object, unsigned what);

static void stream_act(struct app *app, struct app_object *object, unsigned what) {
  wt_stream *stream = object->handle;
  switch (what % 12) {
    case 0: break;
    case 1: write_some(app, stream, NULL, NULL); break;
    case 2: write_owned(app, stream, NULL); break;
    case 3: CALL(app, wt_stream_end(stream)); break;
    case 4: CALL(app, what < 12 ? (void)wt_stream_reset(stream, 29) : wt_stream_abort(stream, 30)); break;
    case 5: CALL(app, wt_stream_stop_sending(stream, UINT32_MAX)); break;
    case 6: CALL(app, wt_stream_pause(stream)); break;
    case 7: CALL(app, wt_stream_resume(stream)); break;
    case 8: CALL(app, wt_stream_set_priority(stream, script_decide(app->script, 3), 5)); break;
    case 9: {
      int rv = 0;
      CALL(app, rv = wt_stream_unread(stream, script_decide(app->script, 9)));
      if (rv == 0) object->told_fin = false; /* it comes again */
      break;
    }
    case 10: CALL(app, (void)wt_stream_writable(stream)); break;
    default: {
      wt_session *session = wt_stream_session(stream);
      for (size_t i = 0; i < APP_OBJECTS && session; i++) {
        struct app_object *other = &app->objects[i];
        if (other->kind == APP_SESSION && other->handle == session)
          session_act(app, other, script_decide(app->script, 8));
      }
    }
  }
}

static void on_stream_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_STREAM, stream);
  FUZZ_CHECK(!object->told_fin);
  object->told_fin = fin;
  read_bytes(data, len);
  stream_act(object->app, object, script_decide(object->app->script, 24));
}

static void on_stream_writable(wt_stream *stream, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_STREAM, stream);
  stream_act(object->app, object, script_decide(object->app->script, 24));
}

static void on_stream_error(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_STREAM, stream);
  FUZZ_CHECK(error);
  stream_act(object->app, object, script_decide(object->app->script, 24));
}

static void on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)error;
  object_check(user_data, APP_STREAM, stream);
  stream_act(((struct app_object *)user_data)->app, user_data,
             script_decide(((struct app_object *)user_data)->app->script, 24));
  object_closed(user_data, APP_STREAM, stream);
}

static const struct wt_stream_callbacks stream_callbacks = {
    .on_data = on_stream_data,
    .on_writable = on_stream_writable,
    .on_reset = on_stream_error,
    .on_stop_sending = on_stream_error,
    .on_close = on_stream_close,
};

static void stream_adopt(struct app *app, wt_stream *stream) {
  struct app_object *object = object_new(app, APP_STREAM, stream);
  if (object == NULL) return; /* of a stream without callbacks nothing is heard */
  CALL(app, wt_stream_set_callbacks(stream, &stream_callbacks, object));
}

/* --- Sessions --- */

static void session_open(struct app *app, wt_session *session, bool uni) {
  wt_stream *stream = NULL;
  int rv;
  CALL(app, rv = uni ? wt_session_open_uni(session, &stream) : wt_session_open_bidi(session, &stream));
  if (rv == 0) stream_adopt(app, stream);
}

static void on_topic_end(wt_session *session, const void *topic, size_t len, void *user_data) {
  struct app *app = user_data;
  FUZZ_CHECK(!app->in_call && session);
  read_bytes(topic, len);
}

/* Subscribes to one of two topics, leaves it, or publishes there; a turn of the worker then delivers. */
static void session_topic(struct app *app, wt_session *session) {
  unsigned how = script_decide(app->script, 32);
  const char *name = how & 1 ? "a" : "bc";
  struct wt_subscribe_options options;
  struct wt_subscription_stats stats = {.size = sizeof(stats)};
  if (how >> 1 & 1) {
    wt_subscribe_options_default(&options);
    options.delivery = (enum wt_delivery)(how >> 2 & 3);
    options.policy = (enum wt_slow_policy)script_decide(app->script, 4);
    options.max_messages = 3;
    options.on_end = on_topic_end;
    options.user_data = app;
    CALL(app, (void)wt_session_subscribe(session, name, strlen(name), &options));
  } else if (how >> 2 == 0) {
    CALL(app, (void)wt_session_unsubscribe(session, name, strlen(name)));
  } else {
    size_t len = some_len(app) % sizeof(app->text);
    CALL(app, (void)wt__hub_publish(app->hub, name, strlen(name), app->text, len, how & 8 ? session : NULL));
    CALL(app, (void)wt__hub_run(&app->hub->workers[0]));
  }
  CALL(app, (void)wt_session_get_subscription_stats(session, name, strlen(name), &stats));
}

static void session_act(struct app *app, struct app_object *object, unsigned what) {
  wt_session *session = object->handle;
  struct wt_session_stats stats = {.size = sizeof(stats)};
  struct wt_connection_info info = {.size = sizeof(info)};
  struct wt_header header;
  if (what % 16 >= 10 && what % 16 <= 11 && app->hub) {
    session_topic(app, session);
    return;
  }
  switch (what % 8) {
    case 0: break;
    case 1: session_open(app, session, false); break;
    case 2: session_open(app, session, true); break;
    case 3: CALL(app, wt_session_send_datagram(session, app->text, some_len(app) % sizeof(app->text))); break;
    case 4: CALL(app, wt_session_drain(session)); break;
    case 5:
      if (script_decide(app->script, 8) != 7) {
        CALL(app, wt_session_close(session, 7, app->text, some_len(app) % sizeof(app->text)));
      } else {
        CALL(app, wt_session_close_connection(session, 0x100, app->text, some_len(app) % sizeof(app->text)));
      }
      break;
    case 6:
      CALL(app, wt_session_get_stats(session, &stats));
      CALL(app, (void)wt_session_get_connection_info(session, &info));
      CALL(app, (void)wt_session_max_datagram_size(session));
      CALL(app, wt_session_set_datagram_max_age(session, stats.datagrams_sent)); /* none, or short: it holds at once */
      break;
    default:
      read_text(wt_session_path(session));
      read_text(wt_session_protocol(session));
      read_text(wt_session_peer_address(session));
      read_text(wt_session_header(session, "x-a"));
      for (size_t i = 0; wt_session_get_header_at(session, i, &header) == 0; i++) read_text(header.value);
  }
}

static void on_session_stream(wt_session *session, wt_stream *stream, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_SESSION, session);
  stream_adopt(object->app, stream);
  session_act(object->app, object, script_decide(object->app->script, 16));
}

static void on_session_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_SESSION, session);
  read_bytes(data, len);
  session_act(object->app, object, script_decide(object->app->script, 16));
}

static void on_session_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_SESSION, session);
  session_open(object->app, session, kind == WT_UNIDIRECTIONAL);
}

static void on_session_drain(wt_session *session, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_SESSION, session);
  session_act(object->app, object, script_decide(object->app->script, 16));
}

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_SESSION, session);
  FUZZ_CHECK(info->reason && info->reason[info->reason_len] == '\0' && info->reason_len <= 1024);
  read_bytes((const uint8_t *)info->reason, info->reason_len);
  session_act(object->app, object, script_decide(object->app->script, 16));
  object_closed(object, APP_SESSION, session);
}

static const struct wt_session_callbacks session_callbacks = {
    .on_stream = on_session_stream,
    .on_datagram = on_session_datagram,
    .on_stream_credit = on_session_credit,
    .on_drain = on_session_drain,
    .on_close = on_session_close,
};

/* --- Requests --- */

static void request_upgrade(struct app *app, wt_request *request, struct app_object *old) {
  static const char *const protocols[] = {"chat", "x"};
  struct wt_upgrade_options options;
  struct app_object *object = object_new(app, APP_SESSION, NULL);
  wt_session *session = NULL;
  int rv;
  if (object == NULL) return;
  wt_upgrade_options_default(&options);
  options.callbacks = &session_callbacks;
  options.user_data = object;
  options.protocols = protocols;
  options.protocol_count = script_decide(app->script, 3);
  options.require_protocol = script_decide(app->script, 8) == 0;
  CALL(app, rv = wt_upgrade(request, &options, &session));
  object->handle = session;
  if (rv != 0) {
    object->kind = APP_FREE;
    read_text(wt_request_error(request));
  } else if (old) {
    old->kind = APP_FREE; /* the request is gone without another word */
  }
}

static void request_read(struct app *app, const wt_request *request) {
  char value[16];
  read_text(wt_request_method(request));
  read_text(wt_request_path(request));
  read_text(wt_request_query(request));
  read_text(wt_request_authority(request));
  read_text(wt_request_protocol(request));
  read_text(wt_request_origin(request));
  read_text(wt_request_header(request, "cookie"));
  read_text(wt_request_header(request, "priority"));
  CALL(app, wt_request_get_query_value(request, "a", value, sizeof(value)));
}

static void request_act(struct app *app, struct app_object *object, unsigned what) {
  const struct wt_header headers[] = {{"x-a", "b"}, {"cache-control", app->text + sizeof(app->text) - 1}};
  wt_request *request = object->handle;
  switch (what % 12) {
    case 0: break;
    case 1: CALL(app, wt_request_respond(request, 200, headers, 1, app->text, sizeof(app->text) - 1)); break;
    case 2: CALL(app, wt_request_respond(request, 404, headers, 2, NULL, 0)); break;
    case 3: CALL(app, wt_request_begin(request, 200, headers, 2)); break;
    case 4: write_some(app, NULL, request, NULL); break;
    case 5: write_owned(app, NULL, request); break;
    case 6: CALL(app, wt_request_end(request)); break;
    case 7: CALL(app, wt_request_pause(request)); break;
    case 8: CALL(app, wt_request_resume(request)); break;
    case 9: request_read(app, request); break;
    case 11:
      if (script_decide(app->script, 8) == 7) {
        CALL(app, wt_request_close_connection(request, 0x10c, "", 0));
        break;
      }
      request_upgrade(app, request, object);
      break;
    default: request_upgrade(app, request, object);
  }
}

static void on_request_body(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_REQUEST, request);
  FUZZ_CHECK(!object->told_fin);
  object->told_fin = fin;
  read_bytes(data, len);
  request_act(object->app, object, script_decide(object->app->script, 10)); /* not taken for a session here */
}

static void on_request_writable(wt_request *request, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_REQUEST, request);
  request_act(object->app, object, script_decide(object->app->script, 10));
}

static void on_request_close(wt_request *request, int error, void *user_data) {
  struct app_object *object = user_data;
  (void)error;
  object_check(object, APP_REQUEST, request);
  request_act(object->app, object, script_decide(object->app->script, 10));
  object_closed(object, APP_REQUEST, request);
}

static const struct wt_request_callbacks request_callbacks = {
    .on_body = on_request_body,
    .on_writable = on_request_writable,
    .on_close = on_request_close,
};

void app_handle(wt_request *request, void *user_data) {
  struct app *app = user_data;
  struct app_object *object;
  FUZZ_CHECK(!app->in_call && !app->ended);
  request_read(app, request);
  object = object_new(app, APP_REQUEST, request);
  if (object == NULL) {
    CALL(app, wt_request_respond(request, 503, NULL, 0, NULL, 0));
    return;
  }
  CALL(app, wt_request_set_callbacks(request, &request_callbacks, object));
  if (wt_request_is_webtransport(request) && script_decide(app->script, 4) != 0) {
    request_upgrade(app, request, object);
  } else {
    request_act(app, object, script_decide(app->script, 16));
  }
}

/* --- The client's dials --- */

static void on_reply(const struct wt__h3_reply *reply, void *user_data) {
  struct app_object *object = user_data, *session = NULL;
  struct app *app = object->app;
  struct wt_header header;
  object_check(object, APP_DIAL, object->handle);
  read_text(reply->message);
  read_text(wt__h3_dial_header(reply->dial, "server"));
  for (size_t i = 0; wt__h3_dial_header_at(reply->dial, i, &header) == 0; i++) {
    read_text(header.name);
    read_text(header.value);
  }
  FUZZ_CHECK((reply->session != NULL) == (reply->error == 0));
  object->kind = APP_FREE;
  if (reply->session && wt_session_user_data(reply->session) == NULL) {
    session = object_new(app, APP_SESSION, reply->session);
    if (session) CALL(app, wt_session_set_callbacks(reply->session, &session_callbacks, session));
  }
  if (session) session_act(app, session, script_decide(app->script, 16));
}

/* Of an optimistic dial. */
static void on_asked(wt_session *session, void *user_data) {
  struct app_object *object = user_data;
  struct app_object *mine = object_new(object->app, APP_SESSION, session);
  FUZZ_CHECK(!object->app->in_call);
  if (mine) CALL(object->app, wt_session_set_callbacks(session, &session_callbacks, mine));
  if (mine) session_act(object->app, mine, script_decide(object->app->script, 16));
}

void app_dial(struct app *app) {
  static const char *const protocols[] = {"chat", "x"};
  const struct wt_header headers[] = {{"cookie", "a=b"}};
  struct app_object *object = object_new(app, APP_DIAL, NULL);
  struct wt__h3_dial *dial = NULL;
  int rv;
  if (object == NULL) return;
  struct wt__h3_dial_options options = {
      .authority = "example.com",
      .path = "/echo",
      .origin = script_decide(app->script, 2) ? "https://example.com" : NULL,
      .headers = headers,
      .header_count = 1,
      .protocols = protocols,
      .protocol_count = script_decide(app->script, 3),
      .require_protocol = script_decide(app->script, 4) == 0,
      .optimistic = script_decide(app->script, 2) == 0,
      .on_asked = on_asked,
      .on_reply = on_reply,
      .reply_data = object,
  };
  CALL(app, rv = wt__h3_dial(app->h3, &options, &dial));
  object->handle = dial;
  if (rv != 0) object->kind = APP_FREE;
}

/* --- The client's exchanges --- */

static void exchange_act(struct app *app, struct app_object *object, unsigned what) {
  wt_exchange *exchange = object->handle;
  struct wt_header header;
  switch (what % 8) {
    case 1: write_some(app, NULL, NULL, exchange); break;
    case 2: CALL(app, wt_exchange_end(exchange)); break;
    case 3: CALL(app, wt_exchange_pause(exchange)); break;
    case 4: CALL(app, wt_exchange_resume(exchange)); break;
    case 5: CALL(app, wt_exchange_cancel(exchange)); break;
    case 6:
      for (size_t i = 0; wt_exchange_get_header_at(exchange, i, &header) == 0; i++) {
        read_text(header.name);
        read_text(header.value);
      }
      break;
    default: break;
  }
}

static void on_response(wt_exchange *exchange, int status, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_EXCHANGE, exchange);
  FUZZ_CHECK(status >= 200 && status <= 999);
  read_text(wt_exchange_header(exchange, "server"));
  exchange_act(object->app, object, script_decide(object->app->script, 16));
}

static void on_exchange_body(wt_exchange *exchange, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_EXCHANGE, exchange);
  FUZZ_CHECK(!object->told_fin && wt_exchange_status(exchange) > 0);
  object->told_fin = fin;
  read_bytes(data, len);
  exchange_act(object->app, object, script_decide(object->app->script, 16));
}

static void on_exchange_writable(wt_exchange *exchange, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_EXCHANGE, exchange);
  exchange_act(object->app, object, script_decide(object->app->script, 16));
}

static void on_exchange_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  struct app_object *object = user_data;
  object_check(object, APP_EXCHANGE, exchange);
  FUZZ_CHECK(message && (error != 0 || object->told_fin));
  read_text(message);
  exchange_act(object->app, object, script_decide(object->app->script, 16));
  object_closed(object, APP_EXCHANGE, exchange);
}

void app_exchange(struct app *app) {
  static const struct wt_exchange_callbacks callbacks = {
      .on_response = on_response,
      .on_body = on_exchange_body,
      .on_writable = on_exchange_writable,
      .on_close = on_exchange_close,
  };
  static const char *const methods[] = {"GET", "HEAD", "POST"};
  struct app_object *object = object_new(app, APP_EXCHANGE, NULL);
  wt_exchange *exchange = NULL;
  int rv;
  if (object == NULL) return;
  unsigned method = script_decide(app->script, 3);
  struct wt__exchange_options options = {
      .method = methods[method],
      .authority = "example.com",
      .path = "/",
      .has_body = method == 2 && script_decide(app->script, 2) == 0,
      .callbacks = &callbacks,
      .user_data = object,
      .max_header_bytes = 4096,
      .max_send_buffer = 16 * 1024,
  };
  if (method == 2 && !options.has_body) {
    options.body = app->text;
    options.body_len = sizeof(app->text);
  }
  CALL(app, rv = wt__exchange_new(&options, &exchange));
  object->handle = exchange;
  if (rv != 0) {
    object->kind = APP_FREE;
  } else if (wt__h3_conn_may_exchange(app->h3)) {
    wt__exchange_attach(exchange, app->h3);
  } else {
    object->kind = APP_FREE;
    wt__exchange_free(exchange);
  }
}

/* --- Between callbacks --- */

void app_step(struct app *app) {
  unsigned which = script_byte(app->script), what = script_byte(app->script), left = which;
  for (size_t i = 0; i < 2 * APP_OBJECTS; i++) {
    struct app_object *object = &app->objects[i % APP_OBJECTS];
    if (object->kind == APP_FREE || left-- > 0) continue;
    switch (object->kind) {
      case APP_SESSION: session_act(app, object, what); break;
      case APP_STREAM: stream_act(app, object, what); break;
      case APP_REQUEST: request_act(app, object, what); break;
      case APP_EXCHANGE: exchange_act(app, object, what); break;
      case APP_DIAL: CALL(app, wt__h3_dial_cancel(object->handle)); break;
      case APP_FREE: break;
    }
    return;
  }
}
