/* SPDX-License-Identifier: MIT */
/* The server of the README. */

/* Echoes the streams and datagrams of sessions at https://localhost:4433/webtransport. */
#include <stdio.h>
#include <webtransport/webtransport.h>

/* Sends back what arrived. What does not fit is given back, which holds the peer back too. */
static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  size_t written = 0;
  (void)user_data;
  if (wt_stream_write(stream, data, len, &written) != 0) return;
  if (written < len) {
    wt_stream_unread(stream, len - written);
  } else if (fin) {
    wt_stream_end(stream);
  }
}

static void on_writable(wt_stream *stream, void *user_data) {
  (void)user_data;
  wt_stream_resume(stream);
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_writable = on_writable};
  (void)session;
  (void)user_data;
  if (wt_stream_kind(stream) == WT_UNIDIRECTIONAL) {
    wt_stream_stop_sending(stream, 0); /* there is no way back on it */
    return;
  }
  wt_stream_set_callbacks(stream, &callbacks, NULL);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)user_data;
  wt_session_send_datagram(session, data, len);
}

/* Called for each request for /webtransport: makes it a session, or rejects it with a status. */
static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {.on_stream = on_stream, .on_datagram = on_datagram};
  struct wt_upgrade_options options;
  wt_session *session;
  (void)user_data;
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  int error = wt_upgrade(request, &options, &session);
  if (error) {
    fprintf(stderr, "upgrading failed: %s\n", wt_request_error(request));
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
  }
}

int main(int argc, char **argv) {
  struct wt_server_config config;
  wt_server *server;
  char address[32];
  if (argc < 3) return fprintf(stderr, "usage: %s CERTIFICATE KEY [PORT]\n", argv[0]), 2;
  snprintf(address, sizeof(address), "[::]:%s", argc > 3 ? argv[3] : "4433");
  wt_server_config_default(&config);
  config.listen = (const char *const[]){address};
  config.log_level = WT_LOG_INFO;
  if (wt_server_new(&config, &server, NULL, 0) != 0) return 1; /* the log says why */
  wt_server_handle(server, "/webtransport", on_request, NULL);
  int error = wt_server_listen_and_serve_tls(server, argv[1], argv[2]);
  if (error) fprintf(stderr, "%s\n", wt_server_error(server));
  wt_server_free(server);
  return error ? 1 : 0;
}
