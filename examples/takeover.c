/* SPDX-License-Identifier: MIT */
/* A server that can be replaced while it runs: start it again with the same PATH, and the new process takes over. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <webtransport/webtransport.h>

static void on_request(wt_request *request, void *user_data) {
  char text[64];
  (void)user_data;
  snprintf(text, sizeof(text), "process %d\n", (int)getpid());
  wt_request_respond(request, 200, NULL, 0, text, strlen(text));
}

/* Only the connections that are open stay here. What one process alone may have, such as a log file, is released now. */
static void on_taken(wt_server *server, void *user_data) {
  (void)server;
  (void)user_data;
  printf("a new process serves\n");
}

static void on_taken_back(wt_server *server, void *user_data) {
  (void)server;
  (void)user_data;
  printf("the new process has died: this one serves again\n");
}

static int fail(wt_server *server) {
  fprintf(stderr, "%s\n", wt_server_error(server));
  wt_server_free(server);
  return 1;
}

int main(int argc, char **argv) {
  struct wt_server_config config;
  struct wt_takeover_options options;
  wt_certificate *certificate;
  wt_server *server;
  char message[256];
  if (argc < 5) return fprintf(stderr, "usage: %s CERTIFICATE KEY ADDRESS:PORT PATH\n", argv[0]), 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (wt_certificate_load(argv[1], argv[2], &certificate, message, sizeof(message)) != 0) {
    return fprintf(stderr, "%s\n", message), 1;
  }
  wt_server_config_default(&config);
  config.listen = (const char *const[]){argv[3]};
  if (wt_server_new(&config, &server, message, sizeof(message)) != 0) return fprintf(stderr, "%s\n", message), 1;
  wt_takeover_options_default(&options);
  options.deadline_ms = 600000; /* ten minutes for the sessions that are open */
  options.on_taken = on_taken;
  options.on_taken_back = on_taken_back;
  if (wt_server_takeover(server, argv[4], &options) != 0) return fail(server);
  /* All that can fail comes here: until wt_server_start returns, the old process goes on as if nothing had happened. */
  wt_server_handle(server, "/", on_request, NULL);
  int error = wt_server_add_certificate(server, certificate);
  wt_certificate_free(certificate);
  if (error || wt_server_start(server) != 0) return fail(server);
  printf("serving\n");
  /* Returns when a new process has taken over and the last connection here has ended. */
  if (wt_server_run(server) != 0) return fail(server);
  printf("ended\n");
  wt_server_free(server);
  return 0;
}
