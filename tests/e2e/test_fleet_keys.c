/* SPDX-License-Identifier: MIT */

/*
 * Two servers with the same secrets, and a relay in front that leads to one or the other: what a client gets from the
 * first, the second takes. All by public calls and over UDP; loopback/test_fleet_keys.c has the cases.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pair.h"
#include "relay.h"

static const uint8_t secret[32] = "shared by two servers of a test",
                     other_secret[32] = "and what comes after that secret";

struct fleet {
  struct pair pairs[2]; /* the loop and the client are the first one's */
  struct relay relay;
  char url[64];
};

static struct fleet *open_fleet; /* what `configure` may not be told */

static struct wt_fleet_keys keys_of(const uint8_t *current, const uint8_t *previous) {
  struct wt_fleet_keys keys;
  wt_fleet_keys_default(&keys);
  keys.current = current;
  keys.current_len = 32;
  keys.previous = previous;
  keys.previous_len = previous ? 32 : 0;
  return keys;
}

static void configure(struct wt_server_config *config) {
  static struct wt_fleet_keys keys;
  keys = keys_of(secret, NULL);
  config->loop = &open_fleet->pairs[0].loop;
  config->workers = 2;
  config->retry = WT_RETRY_ALWAYS;
  config->fleet_keys = &keys;
}

/* From now on the client's packets go to that server. */
static void lead_to(struct fleet *fleet, int index) {
  fleet->relay.server.sin_port = htons((uint16_t)fleet->pairs[index].port);
}

static void fleet_open(struct fleet *fleet) {
  wt_certificate *certificate;
  memset(fleet, 0, sizeof(*fleet));
  open_fleet = fleet;
  assert_int_equal(wt_certificate_generate(NULL, 0, 13, &certificate), 0);
  for (int i = 0; i < 2; i++) {
    struct pair_options options = {.certificate = wt_certificate_ref(certificate), .configure = configure};
    pair_open(&fleet->pairs[i], &options);
  }
  wt_certificate_free(certificate);
  pair_client(&fleet->pairs[0], NULL);
  relay_open(&fleet->relay, &fleet->pairs[0].loop, fleet->pairs[0].port);
  (void)snprintf(fleet->url, sizeof(fleet->url), "https://127.0.0.1:%u/session", fleet->relay.port);
}

static void fleet_close(struct fleet *fleet) {
  relay_close(&fleet->relay);
  wt_client_free(fleet->pairs[0].client);
  fleet->pairs[0].client = NULL;
  pair_close(&fleet->pairs[1]);
  pair_close(&fleet->pairs[0]);
}

/* A session, which ends again with its connection; whether TLS was resumed. */
static bool visit(struct fleet *fleet) {
  struct dialed dialed;
  dialed_run(&dialed, &fleet->pairs[0], fleet->url, NULL);
  assert_int_equal(dialed.error, 0);
  assert_int_equal(wt_session_close(dialed.session, 0, NULL, 0), 0);
  while (!dialed.closes) pair_run(&fleet->pairs[0]);
  return dialed.info.resumed;
}

static void test_fleet_keys_of_two_servers(void **state) {
  (void)state;
  struct fleet fleet;
  fleet_open(&fleet);
  assert_false(visit(&fleet));
  assert_int_equal(fleet.relay.retries, 1);
  lead_to(&fleet, 1);
  assert_true(visit(&fleet));
  assert_int_equal(fleet.relay.retries, 1); /* the token was good there */
  struct wt_fleet_keys keys = keys_of(other_secret, secret);
  assert_int_equal(wt_server_set_fleet_keys(fleet.pairs[0].server, &keys, NULL, 0), 0);
  lead_to(&fleet, 0);
  assert_true(visit(&fleet));
  assert_int_equal(fleet.relay.retries, 1);
  keys = keys_of(other_secret, NULL);
  for (int i = 0; i < 2; i++) assert_int_equal(wt_server_set_fleet_keys(fleet.pairs[i].server, &keys, NULL, 0), 0);
  lead_to(&fleet, 1);
  assert_false(visit(&fleet)); /* the ticket was of the secret that is gone */
  lead_to(&fleet, 0);
  assert_true(visit(&fleet));
  fleet_close(&fleet);
}

static void test_fleet_keys_end_the_connections_of_a_server_that_is_gone(void **state) {
  (void)state;
  struct fleet fleet;
  struct dialed dialed;
  fleet_open(&fleet);
  dialed_run(&dialed, &fleet.pairs[0], fleet.url, NULL);
  assert_int_equal(dialed.error, 0);
  fleet.relay.is_cut = true; /* a machine that dies says nothing */
  wt_server_free(fleet.pairs[0].server);
  fleet.pairs[0].server = NULL;
  fleet.relay.is_cut = false;
  lead_to(&fleet, 1);
  assert_int_equal(wt_session_send_datagram(dialed.session, "are you there?", 14), 0);
  while (!dialed.closes) pair_run(&fleet.pairs[0]);
  assert_int_equal(dialed.close.cause, WT_CAUSE_NETWORK);
  fleet_close(&fleet);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fleet_keys_of_two_servers),
      cmocka_unit_test(test_fleet_keys_end_the_connections_of_a_server_that_is_gone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
