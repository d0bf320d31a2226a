/* SPDX-License-Identifier: MIT */

/*
 * The client of bench/network, the same for all servers, on this library's public API alone.
 *
 *     network_client bulk URL BYTES SECONDS [WINDOW]
 *     network_client open URL
 *
 * bulk receives /source on one stream, BYTES or for SECONDS, while a datagram of 100 bytes goes out every 20 ms, which the server
 * echoes. open has three sessions one after another: on a new connection, on one that resumes TLS, on one that is there
 * already. It prints, as JSON, a list of visits; times are in milliseconds since the dial. WINDOW, in bytes, is that of flow
 * control: by default so large that it is never the limit; 0: as the library has it by default.
 */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <webtransport/webtransport.h>

#define SECOND UINT64_C(1000000000)
#define PAUSE (SECOND / 50) /* between datagrams */
#define BIN (SECOND / 50)   /* in which bytes are counted */
#define BINS_MAX 6000
#define DATAGRAM 100
#define DATAGRAMS_MAX 6000
#define WINDOW (96 << 20)
#define STALL (20 * SECOND) /* without a byte: given up */

struct visit {
  uint64_t begun, session_at, first_at, done_at, seen_at;
  uint64_t bytes, want, limit; /* nanoseconds: the latter ends it */
  uint64_t bins[BINS_MAX];
  uint64_t rounds[DATAGRAMS_MAX];
  size_t round_count, sent;
  uint64_t ping_at;
  bool pings, over, failed;
  wt_session *session;
  struct wt_connection_info info;
};

static uint64_t clock_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * SECOND + (uint64_t)now.tv_nsec;
}

/* --- What comes --- */

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct visit *visit = user_data;
  uint64_t since = clock_now() - visit->begun;
  (void)stream, (void)data;
  visit->bytes += len;
  visit->seen_at = since;
  if (len && !visit->first_at) visit->first_at = since;
  if (since / BIN < BINS_MAX) visit->bins[since / BIN] += len;
  if (fin && visit->bytes == visit->want) visit->done_at = since;
  if (fin) visit->over = true;
}

static void on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream, (void)error;
  ((struct visit *)user_data)->over = true;
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_close = on_stream_close};
  (void)session;
  wt_stream_set_callbacks(stream, &callbacks, user_data);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct visit *visit = user_data;
  uint64_t sent;
  (void)session;
  if (len != DATAGRAM || visit->round_count == DATAGRAMS_MAX) return;
  memcpy(&sent, data, sizeof(sent));
  visit->rounds[visit->round_count++] = clock_now() - sent;
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct visit *visit = user_data;
  (void)session, (void)info;
  visit->session = NULL;
  visit->over = true;
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct visit *visit = user_data;
  (void)dial;
  visit->session = result->session;
  visit->session_at = clock_now() - visit->begun;
  if (result->session) return;
  fprintf(stderr, "network_client: %s\n", result->message);
  visit->over = visit->failed = true;
}

/* --- A visit --- */

static void visit_ping(struct visit *visit, uint64_t now) {
  uint8_t data[DATAGRAM] = {0};
  if (!visit->pings || !visit->session || now < visit->ping_at) return;
  memcpy(data, &now, sizeof(now));
  if (wt_session_send_datagram(visit->session, data, sizeof(data)) == 0) visit->sent++;
  visit->ping_at = (visit->ping_at ? visit->ping_at : now) + PAUSE;
}

static void visit_wait(wt_client *client, const struct visit *visit) {
  struct pollfd file = {.fd = wt_client_fd(client), .events = POLLIN};
  int wait = wt_client_timeout_ms(client);
  uint64_t now = clock_now();
  if (visit->pings && visit->session) {
    int ping = now >= visit->ping_at ? 0 : (int)((visit->ping_at - now + 999999) / 1000000);
    if (wait < 0 || ping < wait) wait = ping;
  }
  if (wait < 0 || wait > 100) wait = 100;
  (void)poll(&file, 1, wait);
}

static void visit_run(wt_client *client, struct visit *visit, const char *url, bool pooling) {
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks session_callbacks = {
      .on_stream = on_stream, .on_datagram = on_datagram, .on_close = on_close};
  struct wt_dial_options options;
  wt_dial_options_default(&options);
  options.callbacks = &dial_callbacks;
  options.session_callbacks = &session_callbacks;
  options.user_data = options.session_user_data = visit;
  options.allow_pooling = pooling;
  options.timeout_ms = 30000;
  visit->begun = clock_now();
  visit->info.size = sizeof(visit->info);
  if (wt_client_dial(client, url, &options, NULL)) {
    fprintf(stderr, "network_client: %s\n", wt_client_error(client));
    visit->failed = true;
    return;
  }
  while (!visit->over) {
    visit_wait(client, visit);
    wt_client_turn(client);
    uint64_t now = clock_now();
    visit_ping(visit, now);
    if (now - visit->begun > visit->limit || now - visit->begun > visit->seen_at + STALL) break;
  }
  if (visit->session) wt_session_get_connection_info(visit->session, &visit->info);
}

/* Lets what is under way arrive: tickets, farewells. */
static void rest(wt_client *client, const struct visit *visit) {
  uint64_t until = clock_now() + SECOND / 2;
  while (clock_now() < until) {
    visit_wait(client, visit);
    wt_client_turn(client);
  }
}

/* --- What is told --- */

static double ms(uint64_t ns) { return (double)ns / 1e6; }

static void visit_print(const struct visit *visit) {
  size_t bins = (size_t)(visit->seen_at / BIN) + 1;
  printf("{\"session_ms\": %.3f, \"first_byte_ms\": %.3f, \"done_ms\": %.3f, \"seen_ms\": %.3f, \"bytes\": %llu, "
         "\"resumed\": %s, \"failed\": %s, \"bin_ms\": %.0f, \"bins\": [",
         ms(visit->session_at), ms(visit->first_at), ms(visit->done_at), ms(visit->seen_at),
         (unsigned long long)visit->bytes, visit->info.resumed ? "true" : "false", visit->failed ? "true" : "false",
         ms(BIN));
  for (size_t i = 0; i < bins && i < BINS_MAX; i++) printf("%s%llu", i ? "," : "", (unsigned long long)visit->bins[i]);
  printf("], \"datagrams_sent\": %zu, \"datagram_ms\": [", visit->sent);
  for (size_t i = 0; i < visit->round_count; i++) printf("%s%.2f", i ? "," : "", ms(visit->rounds[i]));
  printf("]}");
}

static wt_client *client_make(uint64_t window) {
  struct wt_client_config config;
  wt_client *client;
  char message[256];
  wt_client_config_default(&config);
  config.dangerously_accept_any_certificate = true; /* the link is measured, not trust */
  config.require_reset_stream_at = false;           /* web-transport-quinn has none */
  config.linger_ms = 2000;                          /* so that a session can find the connection of the one before */
  config.log_level = WT_LOG_ERROR;
  if (window) {
    config.initial_max_data = config.max_data = config.wt_initial_max_data = config.wt_max_data = window;
    config.initial_max_stream_data = config.max_stream_data = window;
  }
  if (wt_client_new(&config, &client, message, sizeof(message)) == 0) return client;
  fprintf(stderr, "network_client: %s\n", message);
  exit(1);
}

static int bulk(const char *base, uint64_t bytes, double seconds, uint64_t window) {
  static struct visit visit;
  char url[256];
  wt_client *client = client_make(window);
  snprintf(url, sizeof(url), "%s/source?bytes=%llu", base, (unsigned long long)bytes);
  visit.want = bytes;
  visit.limit = (uint64_t)(seconds * 1e9);
  visit.pings = true;
  visit_run(client, &visit, url, false);
  printf("[");
  visit_print(&visit);
  printf("]\n");
  wt_client_free(client);
  return visit.failed ? 1 : 0;
}

static int open_sessions(const char *base) {
  static struct visit visits[3];
  char url[256];
  wt_client *client = client_make(WINDOW);
  snprintf(url, sizeof(url), "%s/source?bytes=1", base);
  for (int i = 0; i < 3; i++) {
    visits[i].want = 1;
    visits[i].limit = 30 * SECOND;
    visit_run(client, &visits[i], url, i >= 1);
    rest(client, &visits[i]);
    if (i < 2 && visits[i].session && i == 0) wt_session_close(visits[i].session, 0, NULL, 0);
    if (i == 0) rest(client, &visits[i]);
  }
  printf("[");
  for (int i = 0; i < 3; i++) {
    if (i) printf(", ");
    visit_print(&visits[i]);
  }
  printf("]\n");
  wt_client_free(client);
  return visits[0].failed ? 1 : 0;
}

int main(int argc, char **argv) {
  if (argc == 3 && !strcmp(argv[1], "open")) return open_sessions(argv[2]);
  if ((argc == 5 || argc == 6) && !strcmp(argv[1], "bulk")) {
    return bulk(argv[2], strtoull(argv[3], NULL, 10), atof(argv[4]), argc == 6 ? strtoull(argv[5], NULL, 10) : WINDOW);
  }
  fprintf(stderr, "usage: network_client bulk URL BYTES SECONDS [WINDOW] | open URL\n");
  return 2;
}
