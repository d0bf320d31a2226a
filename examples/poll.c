/* SPDX-License-Identifier: MIT */
/*
 * poll: a server in a program whose loop is poll(2). Whoever opens a session at /station gets what is typed, each piece of
 * standard input on a unidirectional stream. The end of the input ends the server.
 *
 * The library is one descriptor beside the program's own, a time to wait, and a call. GLib, epoll or the loop of a game
 * take it in the same way.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <webtransport/webtransport.h>

struct listener {
  struct listener *next;
  wt_session *session;
};

static struct listener *listeners;

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct listener **at = &listeners;
  (void)session;
  (void)info;
  while (*at != user_data) at = &(*at)->next;
  *at = (*at)->next;
  free(user_data);
}

static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {.on_close = on_close};
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

/* Who has no room for it misses it. */
static void send_text(const char *text, size_t len) {
  for (struct listener *it = listeners; it; it = it->next) {
    wt_stream *stream;
    size_t written;
    if (wt_session_open_uni(it->session, &stream) != 0) continue;
    wt_stream_write(stream, text, len, &written);
    wt_stream_end(stream);
  }
}

/* False at the end of the input. */
static bool read_input(void) {
  char text[1000];
  ssize_t len = read(STDIN_FILENO, text, sizeof(text));
  if (len > 0) send_text(text, (size_t)len);
  return len > 0 || (len < 0 && errno == EINTR);
}

static int serve(wt_server *server) {
  struct pollfd fds[] = {{.fd = wt_server_fd(server), .events = POLLIN}, {.fd = STDIN_FILENO, .events = POLLIN}};
  int result;
  while ((result = wt_server_turn(server)) == 0) {
    if (poll(fds, 2, wt_server_timeout_ms(server)) <= 0) continue;
    if (fds[1].revents && !read_input()) {
      fds[1].fd = -1; /* poll passes over it */
      wt_server_shutdown(server, 1000);
    }
  }
  if (result < 0) fprintf(stderr, "%s\n", wt_server_error(server));
  return result < 0 ? 1 : 0;
}

int main(int argc, char **argv) {
  struct wt_server_config config;
  wt_server *server;
  char address[32];
  if (argc < 3) return fprintf(stderr, "usage: %s CERTIFICATE KEY [PORT]\n", argv[0]), 2;
  snprintf(address, sizeof(address), "localhost:%s", argc > 3 ? argv[3] : "4433");
  wt_certificate *certificate;
  if (wt_certificate_load(argv[1], argv[2], &certificate, NULL, 0) != 0) return 1;

  wt_server_config_default(&config);
  config.listen = (const char *const[]){address};
  config.log_level = WT_LOG_INFO;
  if (wt_server_new(&config, &server, NULL, 0) != 0) return 1; /* the log says why */
  wt_server_add_certificate(server, certificate);
  wt_certificate_free(certificate);
  wt_server_handle(server, "/station", on_request, NULL);
  int status = 1;
  if (wt_server_start(server) == 0) {
    status = serve(server);
  } else {
    fprintf(stderr, "%s\n", wt_server_error(server));
  }
  wt_server_free(server);
  return status;
}
