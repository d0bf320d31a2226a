/* SPDX-License-Identifier: MIT */

/*
 * Connection ids that a balancer reads, with several workers and real UDP: packets find their worker by the last byte,
 * whatever stands before it, also when the client's port changes; and another thread gives the server another
 * configuration while it runs. Also run under ThreadSanitizer (label `threads`).
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <webtransport/fleet.h>

#include "bed.h"
#include "quic/aes.h"
#include "quic/cid_scheme.h"
#include "relay.h"

#define WORKERS 2

static const uint8_t server_id[8] = {0x31, 0x44, 0x1a, 1, 2, 3, 4, 5};
static const uint8_t key[16] = "0123456789abcdef";

static void ids_make(struct wt_connection_ids *ids, unsigned config_id, bool encrypted) {
  wt_connection_ids_default(ids, WT_CONNECTION_ID_QUIC_LB);
  ids->config_id = config_id;
  ids->server_id = server_id;
  ids->server_id_len = sizeof(server_id);
  ids->key = encrypted ? key : NULL;
  ids->key_len = encrypted ? sizeof(key) : 0;
}

/* Whether the client's last packet has an id of `ids`, and of `worker`. */
static bool is_of(const struct relay *relay, const struct wt_connection_ids *ids, unsigned worker) {
  struct wt__cid_scheme scheme;
  uint8_t found[WT__LB_SERVER_ID_MAX];
  struct wt__aes *aes = NULL;
  char why[WT__CID_WHY_MAX];
  const uint8_t *id = relay->last + 1;
  assert_int_equal(wt__cid_scheme_read(&scheme, ids, WORKERS, why, sizeof(why)), 0);
  if (scheme.lb.encrypted) assert_int_equal(wt__aes_new(&aes, scheme.key), 0);
  const struct wt__lb_cipher cipher = {wt__aes_encrypt_block, wt__aes_decrypt_block, aes};
  int error = wt__lb_cid_read(&scheme.lb, &cipher, id, scheme.len, found);
  wt__aes_free(aes);
  return !error && !memcmp(found, server_id, sizeof(server_id)) && id[scheme.len - 1] % WORKERS == worker;
}

static void echo(struct bed *bed, struct guest *guest) {
  size_t left = 1;
  guest->left = &left;
  guest_echo(guest);
  pair_run(&bed->pair);
  assert_true(guest->fin && !guest->wrong);
  assert_int_equal(guest->got, ECHO_LEN);
}

static void set_ids(struct bed *bed, const struct wt_connection_ids *ids) {
  char message[200];
  if (wt_server_set_connection_ids(bed->server, ids, message, sizeof(message))) fail_msg("%s", message);
}

static void check_ids(bool unsteered) {
  struct bed bed;
  struct wt_server_config config;
  struct wt_connection_ids ids;
  struct relay relay;
  struct guest guest = {0};
  char url[64];
  size_t left = 1;
  bed_config(&config, WORKERS);
  ids_make(&ids, 0, false);
  config.connection_ids = &ids;
  bed_open(&bed, &config, unsteered);
  bed_run(&bed);
  relay_open(&relay, &bed.pair.loop, bed.pair.port);
  (void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/session", relay.port);
  pair_client(&bed.pair, NULL);
  guest_dial(&guest, &bed, url, &left, guest_on_done);
  pair_run(&bed.pair);
  assert_int_equal(guest.dialed.error, 0);
  echo(&bed, &guest);
  unsigned worker = atomic_load(&bed.accepted[0]) ? 0 : 1;
  assert_true(is_of(&relay, &ids, worker));
  for (unsigned i = 1; i < 7; i++) {
    ids_make(&ids, i, i % 2);
    set_ids(&bed, &ids);
    do echo(&bed, &guest);
    while (!is_of(&relay, &ids, worker));
    relay_rebind(&relay);
    echo(&bed, &guest);
    assert_true(is_of(&relay, &ids, worker));
  }
  struct wt_server_stats stats = bed_stats(&bed);
  assert_int_equal(stats.connections_total, 1);
  if (bed.server->steered) assert_int_equal(stats.packets_handed_over, 0);
  relay_close(&relay);
  bed_close(&bed);
}

static void test_ids_are_steered(void **state) {
  (void)state;
  check_ids(false);
}

static void test_ids_are_handed_over(void **state) {
  (void)state;
  check_ids(true);
}

/* Before the start, too, and what is wrong changes nothing. */
static void test_ids_are_set_before_the_start(void **state) {
  (void)state;
  struct wt_server_config config;
  struct wt_connection_ids ids;
  wt_server *server;
  char message[200];
  wt_server_config_default(&config);
  config.log_level = WT_LOG_NONE;
  config.workers = WORKERS;
  assert_int_equal(wt_server_new(&config, &server, NULL, 0), 0);
  ids_make(&ids, 1, true);
  set_ids(&(struct bed){.server = server}, &ids);
  assert_int_equal(server->ids.scheme.lb.config_id, 1);
  ids.config_id = 9;
  assert_int_equal(wt_server_set_connection_ids(server, &ids, message, sizeof(message)), WT_ERR_INVALID);
  assert_string_equal(message, "connection ids stay as they are: config_id is 9, must be 0 to 6");
  ids.config_id = 2;
  ids.length = 20;
  assert_int_equal(wt_server_set_connection_ids(server, &ids, message, sizeof(message)), WT_ERR_INVALID);
  assert_string_equal(message, "connection ids stay as they are: length is 20, must stay 18 while the server runs");
  ids.size--;
  assert_int_equal(wt_server_set_connection_ids(server, &ids, NULL, 0), WT_ERR_INVALID);
  assert_int_equal(server->ids.scheme.lb.config_id, 1);
  assert_int_equal(wt_server_set_connection_ids(server, NULL, message, sizeof(message)), 0); /* random again */
  assert_string_equal(message, "");
  wt_server_free(server);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ids_are_steered),
      cmocka_unit_test(test_ids_are_handed_over),
      cmocka_unit_test(test_ids_are_set_before_the_start),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
