/* SPDX-License-Identifier: MIT */

/* Dials over real sockets: to a session, and to each way in which there is none, with its sentence. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/client_state.h"
#include "pair.h"
#include "quic/resumption.h"
#include "quic/tls.h"

/* Skips the calling test on a machine without IPv6. */
static void need_ipv6(void) {
  struct sockaddr_in6 any = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int fd = socket(AF_INET6, SOCK_DGRAM, 0);
  int error = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&any, sizeof(any));
  if (fd >= 0) close(fd);
  if (error) skip();
}

static const char *url_of(const struct pair *pair, const char *host, const char *path) {
  static char url[256];
  (void)snprintf(url, sizeof(url), "https://%s:%u%s", host, pair->port, path);
  return url;
}

/* A dial that fails for `error` and says `expected`, where "%u" is the port. */
static void check_failure(struct pair *pair, const char *url, int error, enum wt_dial_stage stage,
                          const char *expected) {
  struct dialed dialed;
  char text[512];
  dialed_run(&dialed, pair, url, NULL);
  char *number = strstr(expected, "%u");
  if (number) {
    (void)snprintf(text, sizeof(text), "%.*s%u%s", (int)(number - expected), expected, pair->port, number + 2);
  } else {
    (void)snprintf(text, sizeof(text), "%s", expected);
  }
  assert_string_equal(dialed.message, text);
  assert_int_equal(dialed.error, error);
  assert_int_equal(dialed.stage, stage);
  assert_null(dialed.session);
}

/* --- Sessions --- */

static void test_client_dials_an_address(void **state) {
  struct pair pair;
  struct dialed dialed;
  (void)state;
  int64_t live = wt__mem_live();
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  assert_non_null(dialed.session);
  assert_int_equal(dialed.status, 200);
  assert_int_equal(dialed.stage, WT_STAGE_ANSWERED);
  assert_int_equal(dialed.attempts, 1);
  assert_int_equal(dialed.attempt_error[0], 0);
  assert_int_equal(dialed.info_error, 0);
  assert_true(dialed.info.has_settings);
  assert_true(dialed.info.has_parameters);
  assert_int_equal(dialed.info.draft, 15);
  assert_false(dialed.info.resumed);
  assert_string_equal(dialed.peer, dialed.attempt[0]);
  assert_int_equal(wt_session_close(dialed.session, 7, "bye", 3), 0);
  pair_run(&pair);
  assert_int_equal(dialed.closes, 1);
  assert_int_equal(dialed.close.by, WT_LOCAL);
  assert_int_equal(dialed.close.code, 7);
  while (pair.sessions) uv_run(&pair.loop, UV_RUN_ONCE);
  assert_int_equal(pair.last_close.by, WT_PEER);
  assert_int_equal(pair.last_close.code, 7);
  assert_string_equal(pair.last_reason, "bye");
  pair_close(&pair);
  assert_int_equal(wt__mem_live(), live);
}

static void test_client_chooses_a_subprotocol(void **state) {
  static const char *const offered[] = {"sports", "news", "chat"};
  static const char *const unknown[] = {"sports"};
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&dialed, &pair, &options);
  options.protocols = offered;
  options.protocol_count = 3;
  options.require_protocol = true;
  dialed_run(&dialed, &pair, pair.url, &options);
  assert_int_equal(dialed.error, 0);
  assert_string_equal(dialed.protocol, "news");
  dialed_options(&dialed, &pair, &options);
  options.protocols = unknown;
  options.protocol_count = 1;
  options.require_protocol = true;
  dialed_run(&dialed, &pair, pair.url, &options);
  assert_int_equal(dialed.error, WT_ERR_SUBPROTOCOL);
  assert_string_equal(dialed.message, "the server chose none of the subprotocols");
  assert_int_equal(dialed.stage, WT_STAGE_ANSWERED);
  assert_int_equal(dialed.status, 200);
  pair_close(&pair);
}

/* The server compares the origin with the authority: so it tells which one it got. */
static void test_client_names_another_authority(void **state) {
  static const char *const wrong[] = {"", "user@shop.example", "shop.example/", "a b", "shop.example:99999"};
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&dialed, &pair, &options);
  options.origin = "https://shop.example:8443";
  dialed_run(&dialed, &pair, pair.url, &options);
  assert_int_equal(dialed.status, 403);
  char authority[] = "shop.example:8443";
  options.authority = authority;
  dialed.calls = 0;
  dialed_run(&dialed, &pair, pair.url, &options);
  assert_int_equal(dialed.error, 0);
  for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
    options.authority = wrong[i];
    assert_int_equal(wt_client_dial(pair.client, pair.url, &options, NULL), WT_ERR_INVALID);
  }
  options.authority = "shop.example";
  options.size = offsetof(struct wt_dial_options, authority); /* a program of 0.2 knows no such member */
  dialed.calls = 0;
  dialed_run(&dialed, &pair, pair.url, &options);
  assert_int_equal(dialed.status, 403);
  pair_close(&pair);
}

/* To DNS a host with a final dot is the same host; addresses may have one as well. The request keeps it. */
static void test_client_dials_hosts_with_a_final_dot(void **state) {
  static const char *const hosts[] = {"localhost.", "LOCALHOST.", "any.localhost.", "127.0.0.1."};
  (void)state;
  for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
    struct pair pair;
    struct dialed dialed;
    struct pair_options options = {.listen = "127.0.0.1:0"};
    pair_open(&pair, &options);
    pair_client(&pair, NULL);
    dialed_run(&dialed, &pair, url_of(&pair, hosts[i], "/session"), NULL);
    if (dialed.error) fail_msg("%s: %s", hosts[i], dialed.message);
    pair_close(&pair);
  }
}

static void test_client_finds_localhost_on_either_family(void **state) {
  static const char *const listen[] = {"127.0.0.1:0", "[::1]:0"};
  (void)state;
  need_ipv6();
  for (int i = 0; i < 2; i++) {
    struct pair pair;
    struct dialed dialed;
    struct pair_options options = {.listen = listen[i]};
    pair_open(&pair, &options);
    pair_client(&pair, NULL);
    dialed_run(&dialed, &pair, url_of(&pair, "localhost", "/session"), NULL);
    assert_int_equal(dialed.error, 0);
    assert_true(dialed.attempts >= 1);
    assert_int_equal(dialed.attempt_error[dialed.attempts - 1], 0);
    if (i == 0) { /* ::1 is tried first, and its closed port answers at once */
      assert_int_equal(dialed.attempts, 2);
      assert_int_equal(dialed.attempt_error[0], WT_ERR_IO);
      assert_string_equal(dialed.attempt_message[0], "connection refused");
    } else {
      assert_int_equal(dialed.attempts, 1);
    }
    pair_close(&pair);
  }
}

static void test_client_resumes_with_a_ticket(void **state) {
  struct pair pair;
  struct dialed dialed;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  for (int i = 0; i < 3; i++) {
    dialed_run(&dialed, &pair, pair.url, NULL);
    assert_int_equal(dialed.error, 0);
    assert_int_equal(dialed.info.resumed, i > 0);
    assert_int_equal(wt_session_close(dialed.session, 0, NULL, 0), 0);
    pair_run(&pair);
    while (pair.sessions) uv_run(&pair.loop, UV_RUN_ONCE);
  }
  pair_close(&pair);
}

/* Drops all tickets of the server but one, as if it gave one a connection. */
static void leave_one_ticket(const struct pair *pair) {
  char name[64];
  struct wt__resumption *store = wt__tls_client_resumption(pair->client->tls);
  struct wt__resumption_key key = {name, 1};
  (void)snprintf(name, sizeof(name), "localhost:%u localhost", pair->port);
  struct wt__resumption_item *one = wt__resumption_take(store, &key, WT__RESUMPTION_TICKET, 0), *more;
  assert_non_null(one);
  while ((more = wt__resumption_take(store, &key, WT__RESUMPTION_TICKET, 0))) wt__resumption_item_free(more);
  wt__resumption_give_back(store, &key, WT__RESUMPTION_TICKET, one);
}

/* An address that refuses has used up no ticket. */
static void test_client_resumes_at_the_second_address(void **state) {
  struct pair pair;
  struct dialed dialed;
  (void)state;
  need_ipv6();
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  for (int i = 0; i < 3; i++) {
    dialed_run(&dialed, &pair, url_of(&pair, "localhost", "/session"), NULL);
    assert_int_equal(dialed.error, 0);
    assert_int_equal(dialed.attempts, 2);
    assert_int_equal(dialed.info.resumed, i > 0);
    assert_int_equal(wt_session_close(dialed.session, 0, NULL, 0), 0);
    pair_run(&pair);
    while (pair.sessions) uv_run(&pair.loop, UV_RUN_ONCE);
    leave_one_ticket(&pair);
  }
  pair_close(&pair);
}

static void test_client_without_tickets_does_not_resume(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, NULL);
  pair_client_config(&pair, &config);
  config.session_tickets = false;
  pair_client(&pair, &config);
  for (int i = 0; i < 2; i++) {
    dialed_run(&dialed, &pair, pair.url, NULL);
    assert_int_equal(dialed.error, 0);
    assert_false(dialed.info.resumed);
    assert_int_equal(wt_session_close(dialed.session, 0, NULL, 0), 0);
    pair_run(&pair);
  }
  pair_close(&pair);
}

static void test_client_speaks_quic_version_2(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, NULL);
  pair_client_config(&pair, &config);
  config.quic_version = 0x6b3343cf;
  pair_client(&pair, &config);
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  assert_int_equal(dialed.info.quic_version, 0x6b3343cf);
  pair_close(&pair);
}

static void test_client_binds_where_it_is_told(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct wt_client_config config;
  (void)state;
  pair_open(&pair, NULL);
  pair_client_config(&pair, &config);
  config.bind = "127.0.0.1:0";
  pair_client(&pair, &config);
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, 0);
  check_failure(&pair, url_of(&pair, "[::1]", "/session"), WT_ERR_IO, WT_STAGE_CONNECT,
                "[::1]:%u: `bind` is an address of the other family");
  pair_close(&pair);
}

/* --- Answers --- */

static void test_client_reads_a_rejection(void **state) {
  struct pair pair;
  struct dialed dialed;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_run(&dialed, &pair, url_of(&pair, "127.0.0.1", "/nowhere?a=b"), NULL);
  assert_int_equal(dialed.error, WT_ERR_REJECTED);
  assert_int_equal(dialed.status, 404);
  assert_int_equal(dialed.by, WT_PEER);
  assert_string_equal(dialed.why, "nothing here");
  assert_string_equal(dialed.message, "the server answered 404 to /nowhere?a=b");
  assert_int_equal(dialed.info_error, 0);
  dialed_run(&dialed, &pair, url_of(&pair, "127.0.0.1", "/gone"), NULL);
  assert_int_equal(dialed.error, WT_ERR_REJECTED);
  assert_int_equal(dialed.status, 301);
  assert_string_equal(dialed.location, "/session");
  assert_string_equal(dialed.message, "the server answered 301, a redirection to /session, which is not followed");
  pair_close(&pair);
}

static void test_client_gives_up_after_its_time(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&dialed, &pair, &options);
  options.timeout_ms = 300;
  dialed_run(&dialed, &pair, url_of(&pair, "127.0.0.1", "/mute"), &options);
  assert_int_equal(dialed.error, WT_ERR_TIMEOUT);
  assert_int_equal(dialed.stage, WT_STAGE_REQUEST);
  assert_int_equal(dialed.by, WT_TRANSPORT);
  assert_non_null(strstr(dialed.message, ": no answer to the request within 300 ms"));
  pair_close(&pair);
}

/* --- Nobody there --- */

static void test_client_hears_of_a_closed_port_at_once(void **state) {
  struct pair pair;
  struct dialed dialed;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  wt_server_free(pair.server);
  pair.server = NULL;
  uint64_t begun = uv_hrtime();
  dialed_run(&dialed, &pair, pair.url, NULL);
  assert_int_equal(dialed.error, WT_ERR_IO);
  assert_int_equal(dialed.stage, WT_STAGE_CONNECT);
  assert_non_null(strstr(dialed.message, ": connection refused"));
  assert_int_equal(dialed.info_error, 0);
  assert_int_equal(dialed.attempt_error[0], WT_ERR_IO);
  assert_true(uv_hrtime() - begun < UINT64_C(5000000000)); /* and not after ten seconds */
  pair_close(&pair);
}

static void test_client_tells_of_both_closed_ports(void **state) {
  struct pair pair;
  struct dialed dialed;
  char expected[256];
  (void)state;
  need_ipv6();
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  wt_server_free(pair.server);
  pair.server = NULL;
  dialed_run(&dialed, &pair, url_of(&pair, "localhost", "/session"), NULL);
  assert_int_equal(dialed.error, WT_ERR_IO);
  (void)snprintf(expected, sizeof(expected),
                 "localhost:%u: no address could be reached: [::1]:%u connection refused, 127.0.0.1:%u connection "
                 "refused",
                 pair.port, pair.port, pair.port);
  assert_string_equal(dialed.message, expected);
  pair_close(&pair);
}

/* A socket that takes packets and says nothing. */
static int mute_socket(unsigned *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  *port = ntohs(address.sin_port);
  return fd;
}

static void test_client_waits_for_nobody_longer_than_told(void **state) {
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  char url[128], expected[128];
  unsigned port;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  int fd = mute_socket(&port);
  dialed_options(&dialed, &pair, &options);
  options.timeout_ms = 1000;
  (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", port);
  dialed_run(&dialed, &pair, url, &options);
  (void)snprintf(expected, sizeof(expected), "127.0.0.1:%u: nobody answered within 1 s", port);
  assert_string_equal(dialed.message, expected);
  assert_int_equal(dialed.error, WT_ERR_TIMEOUT);
  assert_int_equal(dialed.stage, WT_STAGE_CONNECT);
  assert_int_equal(dialed.attempt_error[0], WT_ERR_TIMEOUT);
  assert_int_equal(dialed.info_error, 0);
  close(fd);
  pair_close(&pair);
}

static void test_client_refuses_urls_at_once(void **state) {
  static const struct {
    const char *url, *why;
  } cases[] = {
      {"http://127.0.0.1/", "the URL \"http://127.0.0.1/\" cannot be used: it does not begin with https://"},
      {"https://me@127.0.0.1/", "the URL \"https://me@127.0.0.1/\" cannot be used: a user name cannot be given"},
      {"https://127.0.0.1:0/", "the URL \"https://127.0.0.1:0/\" cannot be used: the port is not a number from 1 to "
                               "65535"},
      {"", "the URL \"\" cannot be used: it is empty"},
  };
  struct pair pair;
  struct dialed dialed;
  struct wt_dial_options options;
  wt_dial *dial = NULL;
  (void)state;
  pair_open(&pair, NULL);
  pair_client(&pair, NULL);
  dialed_options(&dialed, &pair, &options);
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    assert_int_equal(wt_client_dial(pair.client, cases[i].url, &options, &dial), WT_ERR_ADDRESS);
    assert_string_equal(wt_client_error(pair.client), cases[i].why);
  }
  assert_int_equal(wt_client_dial(pair.client, NULL, &options, &dial), WT_ERR_INVALID);
  struct wt_header bad = {"x y", "z"};
  options.headers = &bad;
  options.header_count = 1;
  assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &dial), WT_ERR_INVALID);
  assert_string_equal(wt_client_error(pair.client), "a header field, the origin or a subprotocol cannot be sent");
  options.header_count = 0;
  options.congestion_control = (enum wt_congestion_preference)3;
  assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &dial), WT_ERR_INVALID);
  assert_string_equal(wt_client_error(pair.client),
                      "options: congestion_control is 3, must be one of enum wt_congestion_preference");
  options.congestion_control = WT_CONGESTION_DEFAULT;
  static const struct wt_dial_callbacks dial_callbacks = {0};
  options.callbacks = &dial_callbacks;
  assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &dial), WT_ERR_INVALID);
  assert_int_equal(wt_client_dial(pair.client, pair.url, NULL, &dial), WT_ERR_INVALID);
  assert_int_equal(wt_client_dial(NULL, pair.url, &options, &dial), WT_ERR_INVALID);
  assert_null(dial);
  assert_int_equal(dialed.calls, 0);
  pair_close(&pair);
}

static void test_client_has_a_bound_on_connections(void **state) {
  struct pair pair;
  struct dialed first, second;
  struct wt_client_config config;
  struct wt_dial_options options;
  (void)state;
  pair_open(&pair, NULL);
  pair_client_config(&pair, &config);
  config.max_connections = 1;
  pair_client(&pair, &config);
  dialed_options(&first, &pair, &options);
  assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &first.dial), 0);
  dialed_options(&second, &pair, &options);
  assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &second.dial), WT_ERR_AGAIN);
  assert_string_equal(wt_client_error(pair.client), "the client has 1 connections, which is all it may have");
  dialed_options(&first, &pair, &options);
  options.user_data = options.session_user_data = &first;
  pair_run(&pair);
  assert_int_equal(first.error, 0);
  assert_int_equal(wt_client_dial(pair.client, pair.url, &options, &second.dial), WT_ERR_AGAIN);
  assert_int_equal(wt_session_close(first.session, 0, NULL, 0), 0);
  pair_run(&pair);
  struct wt_client_stats stats = {.size = sizeof(stats)};
  do {
    uv_run(&pair.loop, UV_RUN_ONCE);
    assert_int_equal(wt_client_get_stats(pair.client, &stats), 0);
  } while (stats.connections_open);
  assert_int_equal(stats.connections_total, 1);
  assert_int_equal(stats.sessions_total, 1);
  assert_int_equal(stats.sessions_open, 0);
  assert_true(stats.turns > stats.turns_idle);
  assert_true(stats.packets_sent > stats.packets_sent_ack + stats.packets_sent_probe);
  dialed_run(&second, &pair, pair.url, NULL);
  assert_int_equal(second.error, 0);
  pair_close(&pair);
}

/* --- Whom to trust --- */

static void check_trust(struct pair *pair, struct wt_client_config *config, const char *host, int error,
                        const char *message) {
  struct dialed dialed;
  pair_client(pair, config);
  dialed_run(&dialed, pair, url_of(pair, host, "/session"), NULL);
  if (error) assert_non_null(strstr(dialed.message, message));
  assert_int_equal(dialed.error, error);
  if (error) {
    assert_int_equal(dialed.stage, WT_STAGE_CONNECT);
    assert_int_equal(dialed.info_error, 0);
    assert_non_null(dialed.info.certificate);
  }
  wt_client_free(pair->client);
  pair->client = NULL;
}

static void write_file(char *name, const char *text) {
  int fd = mkstemp(name);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  close(fd);
}

static void test_client_judges_certificates(void **state) {
  char ca_file[] = "/tmp/wt-client-ca-XXXXXX", message[256];
  struct pair pair;
  struct wt_client_config config;
  char *pem = NULL;
  uint8_t wrong[32] = {1, 2, 3};
  (void)state;
  pair_open(&pair, NULL);

  pair_client_config(&pair, &config);
  check_trust(&pair, &config, "127.0.0.1", 0, "");

  config.certificate_hashes = (const uint8_t(*)[32]) & wrong;
  check_trust(&pair, &config, "127.0.0.1", WT_ERR_CERTIFICATE,
              "the server's certificate is another one than expected: its hash is ");

  config.certificate_hash_count = 0;
  config.certificate_hashes = NULL;
  check_trust(&pair, &config, "127.0.0.1", WT_ERR_CERTIFICATE,
              "the server's certificate is not signed by an authority that is trusted here");

  config.dangerously_accept_any_certificate = true;
  check_trust(&pair, &config, "127.0.0.1", 0, "");
  config.dangerously_accept_any_certificate = false;

  assert_int_equal(wt_certificate_export(pair.certificate, &pem, NULL), 0);
  write_file(ca_file, pem);
  wt_pem_free(pem);
  config.ca_file = ca_file;
  check_trust(&pair, &config, "127.0.0.1", 0, "");
  check_trust(&pair, &config, "localhost", 0, "");
  unlink(ca_file);
  assert_int_equal(wt_client_new(&config, &pair.client, message, sizeof(message)), WT_ERR_FILE);
  assert_non_null(strstr(message, ca_file));
  pair_close(&pair);
}

/* Days that everybody in this program is ahead of the clock. */
static time_t days_ahead;

time_t time(time_t *result) {
  struct timespec now;
  (void)clock_gettime(CLOCK_REALTIME, &now);
  now.tv_sec += days_ahead * 86400;
  if (result) *result = now.tv_sec;
  return now.tv_sec;
}

static void test_client_notices_an_expired_certificate(void **state) {
  char expected[128], date[32];
  struct pair pair;
  struct wt_client_config config;
  struct tm utc;
  (void)state;
  pair_open(&pair, NULL);
  time_t end = (time_t)wt_certificate_expires_at(pair.certificate);
  assert_non_null(gmtime_r(&end, &utc));
  assert_true(strftime(date, sizeof(date), "%Y-%m-%d", &utc) > 0);
  (void)snprintf(expected, sizeof(expected), "the server's certificate expired on %s", date);
  pair_client_config(&pair, &config);
  days_ahead = 20;
  check_trust(&pair, &config, "127.0.0.1", WT_ERR_CERTIFICATE, expected);
  days_ahead = 0;
  check_trust(&pair, &config, "127.0.0.1", 0, "");
  pair_close(&pair);
}

static void test_client_notices_the_wrong_name(void **state) {
  static const char *const names[] = {"example.org"};
  char ca_file[] = "/tmp/wt-client-ca-XXXXXX";
  struct pair_options options = {.names = names, .name_count = 1};
  struct pair pair;
  struct wt_client_config config;
  char *pem = NULL;
  (void)state;
  pair_open(&pair, &options);
  pair_client_config(&pair, &config);
  config.certificate_hash_count = 0;
  config.certificate_hashes = NULL;
  assert_int_equal(wt_certificate_export(pair.certificate, &pem, NULL), 0);
  write_file(ca_file, pem);
  wt_pem_free(pem);
  config.ca_file = ca_file;
  check_trust(&pair, &config, "localhost", WT_ERR_CERTIFICATE, "the server's certificate is not for localhost");
  check_trust(&pair, &config, "127.0.0.1", WT_ERR_CERTIFICATE, "the server's certificate is not for 127.0.0.1");
  unlink(ca_file);
  pair_close(&pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_dials_an_address),
      cmocka_unit_test(test_client_chooses_a_subprotocol),
      cmocka_unit_test(test_client_names_another_authority),
      cmocka_unit_test(test_client_dials_hosts_with_a_final_dot),
      cmocka_unit_test(test_client_finds_localhost_on_either_family),
      cmocka_unit_test(test_client_resumes_with_a_ticket),
      cmocka_unit_test(test_client_resumes_at_the_second_address),
      cmocka_unit_test(test_client_without_tickets_does_not_resume),
      cmocka_unit_test(test_client_speaks_quic_version_2),
      cmocka_unit_test(test_client_binds_where_it_is_told),
      cmocka_unit_test(test_client_reads_a_rejection),
      cmocka_unit_test(test_client_gives_up_after_its_time),
      cmocka_unit_test(test_client_hears_of_a_closed_port_at_once),
      cmocka_unit_test(test_client_tells_of_both_closed_ports),
      cmocka_unit_test(test_client_waits_for_nobody_longer_than_told),
      cmocka_unit_test(test_client_refuses_urls_at_once),
      cmocka_unit_test(test_client_has_a_bound_on_connections),
      cmocka_unit_test(test_client_judges_certificates),
      cmocka_unit_test(test_client_notices_an_expired_certificate),
      cmocka_unit_test(test_client_notices_the_wrong_name),
  };
  return cmocka_run_group_tests_name("client_dial", tests, NULL, NULL);
}
