/* SPDX-License-Identifier: MIT */
/*
 * loop: a server on the program's own libuv loop, and a thread beside it. Whoever opens a session at /station gets the
 * time as a datagram every second, and each line of standard input on a unidirectional stream. The end of the input
 * ends the server.
 *
 * All handles of the library belong to the thread that runs the loop. The thread that reads lines has nothing but
 * `wt_server_post`, which carries a line over, and `wt_server_shutdown`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>
#include <webtransport/webtransport.h>

struct listener {
  struct listener *next;
  wt_session *session;
};

static struct listener *listeners; /* of the loop's thread alone */

/* --- On the loop's thread. --- */

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct listener **at = &listeners;
  (void)session;
  (void)info;
  while (*at != user_data) at = &(*at)->next;
  *at = (*at)->next;
  free(user_data);
}

/* The server is to end: this session has nothing to finish. */
static void on_drain(wt_session *session, void *user_data) {
  (void)user_data;
  wt_session_close(session, 0, "off the air", strlen("off the air"));
}

static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {.on_drain = on_drain, .on_close = on_close};
  struct listener *listener = calloc(1, sizeof(*listener));
  struct wt_upgrade_options options;
  (void)user_data;
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  options.user_data = listener;
  int error = listener ? wt_upgrade(request, &options, &listener->session) : WT_ERR_NOMEM;
  if (error) {
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
    free(listener);
    return;
  }
  listener->next = listeners;
  listeners = listener;
}

static void on_second(uv_timer_t *timer) {
  char text[32];
  (void)timer;
  int len = snprintf(text, sizeof(text), "%lld", (long long)time(NULL));
  for (struct listener *it = listeners; it; it = it->next) wt_session_send_datagram(it->session, text, (size_t)len);
}

/* Who has no room for a line misses it. */
static void send_line(wt_server *server, void *argument) {
  char *line = argument;
  (void)server;
  for (struct listener *it = listeners; it; it = it->next) {
    wt_stream *stream;
    size_t written;
    if (wt_session_open_uni(it->session, &stream) != 0) continue;
    wt_stream_write(stream, line, strlen(line), &written);
    wt_stream_end(stream);
  }
  free(line);
}

/* --- On the other thread. --- */

static void read_lines(void *argument) {
  wt_server *server = argument;
  char *line = NULL;
  for (size_t size = 0; getline(&line, &size, stdin) > 0; line = NULL, size = 0)
    if (wt_server_post(server, send_line, line) != 0) free(line);
  free(line);
  wt_server_shutdown(server, 1000);
}

/* --- The program. --- */

int main(int argc, char **argv) {
  struct wt_server_config config;
  wt_server *server;
  char address[32];
  uv_loop_t loop;
  uv_timer_t timer;
  uv_thread_t reader;
  if (argc < 3) return fprintf(stderr, "usage: %s CERTIFICATE KEY [PORT]\n", argv[0]), 2;
  snprintf(address, sizeof(address), "localhost:%s", argc > 3 ? argv[3] : "4433");
  wt_certificate *certificate;
  if (wt_certificate_load(argv[1], argv[2], &certificate, NULL, 0) != 0) return 1;

  uv_loop_init(&loop);
  wt_server_config_default(&config);
  config.loop = &loop;
  config.listen = (const char *const[]){address};
  config.log_level = WT_LOG_INFO;
  if (wt_server_new(&config, &server, NULL, 0) != 0) return 1; /* the log says why */
  wt_server_add_certificate(server, certificate);
  wt_server_handle(server, "/station", on_request, NULL);
  int error = wt_server_start(server);
  if (!error) {
    uv_timer_init(&loop, &timer);
    uv_timer_start(&timer, on_second, 1000, 1000);
    uv_unref((uv_handle_t *)&timer); /* so that the loop ends with the server */
    uv_thread_create(&reader, read_lines, server);
    uv_run(&loop, UV_RUN_DEFAULT);
    uv_thread_join(&reader); /* before the server is freed: it may still use it */
    uv_close((uv_handle_t *)&timer, NULL);
  } else {
    fprintf(stderr, "%s\n", wt_server_error(server));
  }
  wt_server_free(server);
  wt_certificate_free(certificate);
  uv_run(&loop, UV_RUN_DEFAULT); /* what was closed is let go of */
  return uv_loop_close(&loop) == 0 && !error ? 0 : 1;
}
