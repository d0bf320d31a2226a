/* SPDX-License-Identifier: MIT */

/*
 * What the configurations say about TLS, over real sockets: the certificate that the application chooses, key logs,
 * certificates of clients. With several workers the callbacks come on several threads.
 */

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pair.h"

#define DIALS 8
#define LINES_SIZE 65536

/* What the callbacks write down. */
static struct {
  pthread_mutex_t lock;
  wt_certificate *chosen;
  unsigned asked;
  char theirs[LINES_SIZE], mine[LINES_SIZE];
} notes = {.lock = PTHREAD_MUTEX_INITIALIZER};

static wt_certificate *choose(const char *name, void *user_data) {
  assert_ptr_equal(user_data, &notes);
  pthread_mutex_lock(&notes.lock);
  notes.asked++;
  wt_certificate *mine = name && strcmp(name, "localhost") == 0 ? wt_certificate_ref(notes.chosen) : NULL;
  pthread_mutex_unlock(&notes.lock);
  return mine;
}

static void line_add(const char *line, void *user_data) {
  char *lines = user_data;
  pthread_mutex_lock(&notes.lock);
  size_t at = strlen(lines);
  assert_true(at + strlen(line) + 2 < LINES_SIZE);
  (void)snprintf(lines + at, LINES_SIZE - at, "%s\n", line);
  pthread_mutex_unlock(&notes.lock);
}

static const char *localhost(const struct pair *pair) {
  static char url[64];
  (void)snprintf(url, sizeof(url), "https://localhost:%u/session", pair->port);
  return url;
}

/* Dials, and closes the session again. */
static void visit(struct pair *pair, struct dialed *dialed, const char *url) {
  dialed_run(dialed, pair, url, NULL);
  if (!dialed->session) return;
  assert_int_equal(wt_session_close(dialed->session, 0, NULL, 0), 0);
  pair_run(pair);
}

static void choosing(struct wt_server_config *config) {
  config->select_certificate = choose;
  config->select_certificate_user_data = &notes;
}

/* The application exchanges its certificate while handshakes are under way: each has its own reference. */
static void test_tls_config_chooses_a_certificate(void **state) {
  static const char *const names[] = {"localhost"};
  struct pair_options options = {.configure = choosing};
  struct wt_client_config config;
  struct dialed dialed;
  struct pair pair;
  uint8_t hash[1][32];
  (void)state;
  notes.asked = 0;
  pair_open(&pair, &options);
  for (int i = 0; i < DIALS; i++) {
    pthread_mutex_lock(&notes.lock);
    wt_certificate_free(notes.chosen);
    assert_int_equal(wt_certificate_generate(names, 1, 10, &notes.chosen), 0);
    wt_certificate_get_sha256(notes.chosen, hash[0]);
    pthread_mutex_unlock(&notes.lock);
    pair_client_config(&pair, &config);
    config.certificate_hashes = (const uint8_t(*)[32])hash;
    pair_client(&pair, &config);
    visit(&pair, &dialed, localhost(&pair));
    assert_int_equal(dialed.error, 0);
    wt_client_free(pair.client);
    pair.client = NULL;
  }
  assert_int_equal(notes.asked, DIALS);
  pair_client(&pair, NULL); /* an address is no name: the server's own */
  visit(&pair, &dialed, pair.url);
  assert_int_equal(dialed.error, 0);
  assert_int_equal(notes.asked, DIALS + 1);
  pair_close(&pair);
  wt_certificate_free(notes.chosen);
  notes.chosen = NULL;
}

static void logging(struct wt_server_config *config) {
  config->key_log = line_add;
  config->key_log_user_data = notes.theirs;
}

static void test_tls_config_key_logs_agree(void **state) {
  struct pair_options options = {.configure = logging};
  struct wt_client_config config;
  struct dialed dialed;
  struct pair pair;
  unsigned lines = 0;
  (void)state;
  pair_open(&pair, &options);
  pair_client_config(&pair, &config);
  config.key_log = line_add;
  config.key_log_user_data = notes.mine;
  pair_client(&pair, &config);
  visit(&pair, &dialed, pair.url);
  assert_int_equal(dialed.error, 0);
  pair_close(&pair);
  for (char *line = strtok(notes.mine, "\n"); line; line = strtok(NULL, "\n"), lines++) {
    if (!strstr(notes.theirs, line)) fail_msg("the server does not tell: %s", line);
  }
  assert_int_equal(lines, 5); /* two of the handshake, two of the application, the exporter's */
}

static void asking(struct wt_server_config *config) { config->client_certificates = WT_CLIENT_CERTIFICATES_ASK; }

/* The client takes a reference to what it shows. */
static void test_tls_config_shows_a_certificate(void **state) {
  struct pair_options options = {.configure = asking};
  struct wt_client_config config;
  struct dialed dialed;
  struct pair pair;
  (void)state;
  pair_open(&pair, &options);
  pair_client_config(&pair, &config);
  assert_int_equal(wt_certificate_generate(NULL, 0, 10, &config.certificate), 0);
  pair_client(&pair, &config);
  wt_certificate_free(config.certificate);
  for (int i = 0; i < 2; i++) {
    visit(&pair, &dialed, pair.url);
    assert_int_equal(dialed.error, 0);
    assert_int_equal(dialed.info.resumed, i);
    assert_int_equal(dialed.info.certificate_verified, !i);
    assert_false(dialed.info.certificate_stapled);
  }
  pair_close(&pair);
}

static void test_tls_config_tells_what_is_wrong(void **state) {
  static const char *const groups[] = {"curve25519"};
  struct wt_server_config config;
  struct wt_client_config client_config;
  wt_server *server;
  wt_client *client;
  char message[512];
  (void)state;
  wt_server_config_default(&config);
  config.log_level = WT_LOG_NONE;
  config.client_certificates = WT_CLIENT_CERTIFICATES_REQUIRE;
  config.client_ca_file = "/nonexistent/ca.pem";
  assert_int_equal(wt_server_new(&config, &server, message, sizeof(message)), WT_ERR_FILE);
  assert_string_equal(message,
                      "cannot make a server: client_ca_file /nonexistent/ca.pem: no certificate of an authority "
                      "can be read from it");
  config.client_ca_file = NULL;
  assert_int_equal(wt_server_new(&config, &server, message, sizeof(message)), WT_ERR_INVALID);
  wt_client_config_default(&client_config);
  client_config.groups = groups;
  client_config.group_count = 1;
  assert_int_equal(wt_client_new(&client_config, &client, message, sizeof(message)), WT_ERR_INVALID);
  assert_non_null(strstr(message, "groups[0] is \"curve25519\", must be one of x25519, "));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_tls_config_chooses_a_certificate),
      cmocka_unit_test(test_tls_config_key_logs_agree),
      cmocka_unit_test(test_tls_config_shows_a_certificate),
      cmocka_unit_test(test_tls_config_tells_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
