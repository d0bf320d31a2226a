/* SPDX-License-Identifier: MIT */
/*
 * Full handshakes with any HTTP/3 server: a connection each, with one GET on it, so many at a time. It is for servers that
 * speak no WebTransport, which `webtransport bench --workload setup` cannot measure: ngtcp2's examples with one TLS
 * library or another. What they cost is the server's processor time, which this program does not look at.
 *
 *   handshakes URL [COUNT [AT-A-TIME]]
 *
 * TLS_AES_128_GCM_SHA256 and X25519 only, no resumption, any certificate.
 */
#include <stdio.h>
#include <stdlib.h>
#include <webtransport/webtransport.h>

struct handshakes {
  wt_client *client;
  const char *url;
  unsigned long left, done, failed;
};

static void next(struct handshakes *handshakes);

static void on_close(wt_exchange *exchange, int error, const char *message, void *user_data) {
  struct handshakes *handshakes = user_data;
  (void)exchange;
  if (error == 0) handshakes->done++;
  if (error && handshakes->failed++ == 0) fprintf(stderr, "handshakes: %s\n", message);
  next(handshakes);
}

static void next(struct handshakes *handshakes) {
  static const struct wt_exchange_callbacks callbacks = {.on_close = on_close};
  struct wt_exchange_options options;
  if (handshakes->left == 0) return;
  handshakes->left--;
  wt_exchange_options_default(&options);
  options.callbacks = &callbacks;
  options.user_data = handshakes;
  options.allow_pooling = false;
  if (wt_client_request(handshakes->client, handshakes->url, &options, NULL) == 0) return;
  fprintf(stderr, "handshakes: %s\n", wt_client_error(handshakes->client));
  handshakes->failed++;
  handshakes->left = 0;
}

static int client_make(wt_client **client) {
  static const char *const groups[] = {"X25519"}, *const suites[] = {"TLS_AES_128_GCM_SHA256"};
  struct wt_client_config config;
  char message[256];
  wt_client_config_default(&config);
  config.dangerously_accept_any_certificate = true;
  config.session_tickets = false;
  config.groups = groups;
  config.group_count = 1;
  config.cipher_suites = suites;
  config.cipher_suite_count = 1;
  int error = wt_client_new(&config, client, message, sizeof message);
  if (error) fprintf(stderr, "handshakes: %s\n", message);
  return error;
}

int main(int argc, char **argv) {
  struct handshakes handshakes = {.url = argc > 1 ? argv[1] : NULL};
  if (argc < 2 || argc > 4) return fprintf(stderr, "usage: handshakes URL [COUNT [AT-A-TIME]]\n"), 2;
  handshakes.left = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
  unsigned long together = argc > 3 ? strtoul(argv[3], NULL, 10) : 8;
  if (client_make(&handshakes.client)) return 1;
  for (unsigned long i = 0; i < together; i++) next(&handshakes);
  wt_client_run(handshakes.client);
  wt_client_free(handshakes.client);
  printf("%lu handshakes, %lu failed\n", handshakes.done, handshakes.failed);
  return handshakes.failed > 0;
}
