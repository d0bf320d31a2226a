/* SPDX-License-Identifier: MIT */
/* The clock of endpoints with a server and a client on one loop: who gets ticks, how many rates there may be, the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <uv.h>

#include <webtransport/client.h>
#include <webtransport/server.h>

#include "common/tick.h"
#include "serve/tick_clock.h"

enum {
  GUESTS = TICK_RATES_MAX + 1,
};

/* A session of the client, and the server's player of it. */
struct guest {
  wt_session *session;
  uint64_t hz, size, got, last;
  bool one_tick; /* it leaves the clock inside its first one */
  bool refused, ended, wrong;
  struct tick_player player;
};

static struct bed {
  uv_loop_t loop;
  struct tick_clock *clock;
  wt_server *server;
  wt_client *client;
  uint8_t hash[32];
  char address[64];
  struct guest guests[GUESTS];
  struct guest *coming; /* whose request is on its way */
} bed;

/* --- The server --- */

static void player_on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct guest *guest = user_data;
  (void)session;
  (void)info;
  tick_clock_remove(bed.clock, &guest->player);
  guest->ended = true;
}

static void player_on_tick(struct tick_player *player, uint64_t number) {
  struct guest *guest = (struct guest *)((char *)player - offsetof(struct guest, player));
  uint8_t data[TICK_BYTES_MAX] = {0};
  const struct tick tick = {.number = number, .received = guest->hz};
  tick_write(data, &tick);
  wt_session_send_datagram(player->session, data, guest->size);
  if (guest->one_tick) tick_clock_remove(bed.clock, player);
}

static void handle(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {.on_close = player_on_close};
  struct wt_upgrade_options options;
  struct guest *guest = bed.coming;
  (void)user_data;
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  options.user_data = guest;
  assert_int_equal(wt_upgrade(request, &options, &guest->player.session), 0);
  guest->player.on_tick = player_on_tick;
  guest->refused = tick_clock_add(bed.clock, wt_request_worker(request), guest->hz, &guest->player) != NULL;
}

/* --- The client --- */

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct guest *guest = user_data;
  struct tick tick;
  (void)session;
  if (len != guest->size) guest->wrong = true;
  tick_read(data, &tick);
  if (tick.received != guest->hz || (guest->got && tick.number <= guest->last)) guest->wrong = true;
  guest->last = tick.number;
  guest->got++;
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct guest *guest = user_data;
  (void)dial;
  assert_int_equal(result->error, 0);
  guest->session = result->session;
}

static struct guest *come(size_t i, uint64_t hz, uint64_t size) {
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks callbacks = {.on_datagram = on_datagram};
  struct guest *guest = bed.coming = &bed.guests[i];
  struct wt_dial_options options;
  wt_dial *dial;
  char url[128];
  *guest = (struct guest){.hz = hz, .size = size};
  wt_dial_options_default(&options);
  options.callbacks = &dial_callbacks;
  options.user_data = options.session_user_data = guest;
  options.session_callbacks = &callbacks;
  snprintf(url, sizeof url, "https://%s/", bed.address);
  assert_int_equal(wt_client_dial(bed.client, url, &options, &dial), 0);
  while (!guest->session) uv_run(&bed.loop, UV_RUN_ONCE);
  return guest;
}

static void leave(struct guest *guest) {
  wt_session_close(guest->session, 0, "", 0);
  while (!guest->ended) uv_run(&bed.loop, UV_RUN_ONCE);
}

static void wait_for(struct guest *guest, uint64_t ticks) {
  while (guest->got < ticks) uv_run(&bed.loop, UV_RUN_ONCE);
  assert_false(guest->wrong);
}

/* --- Set-up --- */

static int setup(void **state) {
  static const char *const listen = "127.0.0.1:0";
  struct wt_server_config server;
  struct wt_client_config client;
  wt_certificate *certificate;
  (void)state;
  memset(&bed, 0, sizeof bed);
  assert_int_equal(uv_loop_init(&bed.loop), 0);
  assert_non_null(bed.clock = tick_clock_new(1));
  wt_server_config_default(&server);
  server.listen = &listen;
  server.loop = &bed.loop;
  assert_int_equal(wt_server_new(&server, &bed.server, NULL, 0), 0);
  assert_int_equal(wt_server_handle(bed.server, "/", handle, NULL), 0);
  assert_int_equal(wt_certificate_generate(NULL, 0, 1, &certificate), 0);
  wt_certificate_get_sha256(certificate, bed.hash);
  assert_int_equal(wt_server_add_certificate(bed.server, certificate), 0);
  wt_certificate_free(certificate);
  assert_int_equal(wt_server_start(bed.server), 0);
  assert_int_equal(wt_server_get_address(bed.server, 0, bed.address, sizeof bed.address), 0);
  wt_client_config_default(&client);
  client.loop = &bed.loop;
  client.certificate_hashes = (const uint8_t(*)[32]) & bed.hash;
  client.certificate_hash_count = 1;
  assert_int_equal(wt_client_new(&client, &bed.client, NULL, 0), 0);
  return 0;
}

/* The end that `serve` makes: the clock first, while players are still there. */
static int teardown(void **state) {
  (void)state;
  tick_clock_stop(bed.clock);
  wt_client_free(bed.client);
  wt_server_free(bed.server);
  tick_clock_free(bed.clock);
  while (uv_run(&bed.loop, UV_RUN_NOWAIT)) continue;
  assert_int_equal(uv_loop_close(&bed.loop), 0);
  return 0;
}

/* --- Tests --- */

static void test_a_clock_without_players_ends(void **state) {
  (void)state;
  tick_clock_stop(bed.clock);
  tick_clock_stop(bed.clock);
  assert_true(come(0, 60, 60)->refused);
}

static void test_players_get_ticks_of_their_own_size(void **state) {
  (void)state;
  struct guest *small = come(0, 200, TICK_BYTES_MIN), *large = come(1, 200, TICK_BYTES_MAX);
  wait_for(small, 5);
  wait_for(large, 5);
}

static void test_a_player_that_leaves_gets_no_more(void **state) {
  (void)state;
  struct guest *first = come(0, 200, 60), *second = come(1, 200, 60), *third = come(2, 200, 60);
  wait_for(first, 1);
  leave(second); /* in the middle of the list; then its ends */
  wait_for(first, first->got + 3);
  leave(third);
  wait_for(first, first->got + 3);
  leave(first);
  wait_for(come(0, 200, 60), 3);
}

static void test_a_player_may_leave_inside_its_tick(void **state) {
  (void)state;
  struct guest *first = come(0, 200, 60), *second = come(1, 200, 60), *third = come(2, 200, 60);
  second->one_tick = third->one_tick = true; /* in the middle of the list, and its first */
  while (second->player.group || third->player.group) wait_for(first, first->got + 1);
  uint64_t got = second->got;
  wait_for(first, first->got + 5);
  assert_true(second->got <= got + 1); /* the last one may have been on its way */
  second->one_tick = false;
  assert_null(tick_clock_add(bed.clock, 0, 200, &second->player));
  wait_for(second, got + 5);
}

static void test_there_are_so_many_rates_at_a_time(void **state) {
  (void)state;
  for (size_t i = 0; i < TICK_RATES_MAX; i++) assert_false(come(i, 100 + i, 60)->refused);
  assert_true(come(TICK_RATES_MAX, 99, 60)->refused);
  for (size_t i = 0; i < TICK_RATES_MAX; i++) wait_for(&bed.guests[i], 3);
  leave(&bed.guests[TICK_RATES_MAX]);                   /* it was never a player */
  assert_false(come(TICK_RATES_MAX, 100, 60)->refused); /* a rate that is there */
  leave(&bed.guests[1]);
  assert_false(come(1, 99, 60)->refused);
  wait_for(&bed.guests[1], 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(test_a_clock_without_players_ends, setup, teardown),
      cmocka_unit_test_setup_teardown(test_players_get_ticks_of_their_own_size, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_player_that_leaves_gets_no_more, setup, teardown),
      cmocka_unit_test_setup_teardown(test_a_player_may_leave_inside_its_tick, setup, teardown),
      cmocka_unit_test_setup_teardown(test_there_are_so_many_rates_at_a_time, setup, teardown),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
