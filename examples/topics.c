/* SPDX-License-Identifier: MIT */
/*
 * topics: a session at /topic/NAME subscribes to the topic NAME, and publishes there what it sends: each datagram, and each
 * stream up to its end, to all others. "?as=datagram" (the default), "?as=streams" or "?as=stream" says how it wants to
 * get messages. docs/guide/topics.md explains it; topics/messages.js is what a page reads with.
 *
 * It runs with two workers: topics need no lock and no list of members.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webtransport/webtransport.h>

enum {
  MESSAGE_MAX = 64 * 1024, /* bytes of a stream that is published as a message */
  TOO_SLOW = 1,            /* code of a session that did not keep up */
  TOO_LONG = 2,            /* code of a stream that was longer */
};

static const char *name_of(const wt_session *session, size_t *len) {
  const char *name = wt_session_path(session) + strlen("/topic/");
  *len = strcspn(name, "?");
  return name;
}

static void publish(wt_session *session, const void *data, size_t len) {
  wt_server *server = wt_session_user_data(session);
  size_t name_len;
  const char *name = name_of(session, &name_len);
  int error = wt_server_publish(server, name, name_len, data, len, session);
  if (error) fprintf(stderr, "a message was not published: %s\n", wt_error_string(error));
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)user_data;
  publish(session, data, len);
}

/* A stream that has not come to its end. */
struct incoming {
  size_t len;
  uint8_t bytes[MESSAGE_MAX];
};

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct incoming *incoming = user_data;
  if (len > MESSAGE_MAX - incoming->len) {
    wt_stream_abort(stream, TOO_LONG);
    return;
  }
  if (len > 0) memcpy(incoming->bytes + incoming->len, data, len);
  incoming->len += len;
  if (fin) publish(wt_stream_session(stream), incoming->bytes, incoming->len);
}

static void on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream, (void)error;
  free(user_data);
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_close = on_stream_close};
  struct incoming *incoming = malloc(sizeof(*incoming));
  (void)session, (void)user_data;
  if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_end(stream); /* there is no answer */
  if (!incoming) {
    wt_stream_stop_sending(stream, TOO_LONG);
    return;
  }
  incoming->len = 0;
  wt_stream_set_callbacks(stream, &callbacks, incoming);
}

static void on_end(wt_session *session, const void *topic, size_t topic_len, void *user_data) {
  (void)topic, (void)topic_len, (void)user_data;
  wt_session_close(session, TOO_SLOW, NULL, 0);
}

static int subscribe(wt_session *session, const char *as) {
  struct wt_subscribe_options options;
  size_t len;
  const char *name = name_of(session, &len);
  wt_subscribe_options_default(&options);
  if (strcmp(as, "streams") == 0) options.delivery = WT_DELIVERY_STREAM_EACH;
  if (strcmp(as, "stream") == 0) options.delivery = WT_DELIVERY_STREAM;
  options.policy = WT_SLOW_DROP_OLDEST;
  options.max_messages = 100;
  options.on_end = on_end;
  return wt_session_subscribe(session, name, len, &options);
}

static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {.on_datagram = on_datagram, .on_stream = on_stream};
  struct wt_upgrade_options options;
  wt_session *session;
  char as[16] = "datagram";
  (void)user_data;
  wt_request_get_query_value(request, "as", as, sizeof(as));
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  options.user_data = wt_request_server(request);
  int error = wt_upgrade(request, &options, &session);
  if (error) {
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
    return;
  }
  error = subscribe(session, as);
  if (error) {
    const char *why = wt_error_string(error);
    wt_session_close(session, 0, why, strlen(why));
  } else {
    fprintf(stderr, "a subscriber has come\n");
  }
}

int main(int argc, char **argv) {
  struct wt_server_config config;
  wt_server *server;
  char address[32];
  if (argc < 3) return fprintf(stderr, "usage: %s CERTIFICATE KEY [PORT]\n", argv[0]), 2;
  snprintf(address, sizeof(address), "localhost:%s", argc > 3 ? argv[3] : "4433");
  wt_server_config_default(&config);
  config.listen = (const char *const[]){address};
  config.log_level = WT_LOG_INFO;
  config.workers = 2;
  if (wt_server_new(&config, &server, NULL, 0) != 0) return 1; /* the log says why */
  wt_server_handle(server, "/topic/", on_request, NULL);
  int error = wt_server_listen_and_serve_tls(server, argv[1], argv[2]);
  wt_server_free(server);
  return error ? 1 : 0;
}
