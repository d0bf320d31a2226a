/* SPDX-License-Identifier: MIT */

/* Packets for different peers that are ready in one pass leave in one call; what one of them suffers is its own. */

#include "world.h"

#include <webtransport/error.h>

#include "quic/batch.h"
#include "quic/turn.h"

#define PLAYERS 20
#define SMALL_INTERFACE 1250 /* takes no packets of the size that connections have found out */

struct game {
  struct world world; /* its peer is the first player */
  struct peer *peers[PLAYERS];
  struct server_session *sessions[PLAYERS];
  uint64_t time; /* what the clock of budgets shows */
  uint64_t step; /* how far it goes on each time that it is read */
};

static uint64_t game_clock(void *ctx) {
  struct game *game = ctx;
  game->time += game->step;
  return game->time;
}

/* All have found out what the path carries, and nothing is on its way. */
static void game_init(struct game *game) {
  game->time = UINT64_C(1) << 60;
  game->step = 0;
  world_init(&game->world, 1);
  game->world.server.config.clock = game_clock;
  game->world.server.config.clock_ctx = game;
  world_start(&game->world);
  for (unsigned i = 0; i < PLAYERS; i++) {
    int64_t id;
    struct peer_options options = game->world.options;
    options.address = 100 + i;
    game->peers[i] = i ? peer_new(&game->world.net, &game->world.peer->server, &options) : game->world.peer;
    NET_UNTIL(&game->world.net, 1000, game->peers[i]->handshake_confirmed);
    game->sessions[i] = server_connect(&game->world.server, game->peers[i], "/wt", &id);
  }
  net_run_for(&game->world.net, 2000);
}

static void game_free(struct game *game) {
  for (unsigned i = 1; i < PLAYERS; i++) peer_free(game->peers[i]);
  world_free(&game->world);
}

/* A datagram to each; the pass that sends them. */
static void game_tick(struct game *game, size_t len) {
  uint8_t data[64] = {0};
  for (unsigned i = 0; i < PLAYERS; i++) {
    if (!game->sessions[i]->closes)
      assert_int_equal(wt_session_send_datagram(game->sessions[i]->session, data, len), 0);
  }
  game->world.server.send_calls = game->world.server.runs_shared = 0;
  wt__endpoint_run(game->world.server.endpoint, game->world.net.now);
}

static uint64_t game_received(const struct game *game) {
  uint64_t count = 0;
  for (unsigned i = 0; i < PLAYERS; i++) count += game->peers[i]->rx_datagram_count;
  return count;
}

static bool each_received(const struct game *game, uint64_t count) {
  for (unsigned i = 0; i < PLAYERS; i++) {
    if (game->peers[i]->rx_datagram_count != count) return false;
  }
  return true;
}

static void game_make_writable(struct game *game, size_t room) {
  game->world.server.socket_full = false;
  game->world.server.socket_room = room;
  game->world.server.send_calls = 0;
  wt__endpoint_writable(game->world.server.endpoint, game->world.net.now);
}

static void test_shared_calls_a_tick_is_one_call(void **state) {
  struct game game;
  (void)state;
  game_init(&game);
  for (uint64_t tick = 1; tick <= 5; tick++) {
    uint64_t sent_at = game.world.net.now;
    game_tick(&game, 60);
    assert_int_equal(game.world.server.send_calls, 1);
    assert_int_equal(game.world.server.runs_shared, PLAYERS);
    NET_UNTIL(&game.world.net, 11, each_received(&game, tick));
    assert_int_equal(game.world.net.now - sent_at, 10 * NET_MS); /* nothing waits beyond the pass */
    net_run_for(&game.world.net, 6);
  }
  game_free(&game);
}

/* Where runs are slow, what was written before does not wait for all of them. */
static void test_shared_calls_do_not_wait_for_slow_runs(void **state) {
  struct game game;
  (void)state;
  game_init(&game);
  game.step = WT__TURN_COSTLY_RUN;
  game_tick(&game, 60);
  assert_in_range(game.world.server.send_calls, 2, PLAYERS);
  NET_UNTIL(&game.world.net, 11, each_received(&game, 1));
  game.step = 0;
  game_free(&game);
}

/* One connection has a call to itself, as ever. */
static void test_shared_calls_one_connection_shares_none(void **state) {
  struct game game;
  (void)state;
  game_init(&game);
  game.world.server.send_calls = game.world.server.runs_shared = 0;
  assert_int_equal(wt_session_send_datagram(game.sessions[7]->session, (const uint8_t *)"x", 1), 0);
  wt__endpoint_run(game.world.server.endpoint, game.world.net.now);
  assert_int_equal(game.world.server.send_calls, 1);
  assert_int_equal(game.world.server.runs_shared, 0);
  NET_UNTIL(&game.world.net, 11, game.peers[7]->rx_datagram_count == 1);
  game_free(&game);
}

static void test_shared_calls_full_socket_in_the_midst(void **state) {
  struct game game;
  (void)state;
  game_init(&game);
  game.world.server.socket_room = 5;
  game_tick(&game, 60);
  assert_true(game.world.server.socket_full);
  assert_int_equal(game.world.server.send_calls, 2); /* the second finds out why */
  net_run_for(&game.world.net, 11);
  assert_int_equal(game_received(&game), 5);
  game_make_writable(&game, 4);
  net_run_for(&game.world.net, 11);
  assert_int_equal(game_received(&game), 9);
  game_make_writable(&game, 0);
  assert_int_equal(game.world.server.send_calls, 1);
  NET_UNTIL(&game.world.net, 11, each_received(&game, 1));
  net_run_for(&game.world.net, 1000);
  assert_true(each_received(&game, 1)); /* none twice */
  game_free(&game);
}

/* Packets of one connection are too large for the interface. It becomes smaller; the others hear nothing of it. */
static void test_shared_calls_too_large_is_one_connections(void **state) {
  struct game game;
  static const uint8_t data[1300];
  (void)state;
  game_init(&game);
  size_t before = wt_session_max_datagram_size(game.sessions[2]->session);
  assert_true(before >= sizeof(data));
  game.world.net.link[NET_TO_CLIENT].interface = SMALL_INTERFACE;
  assert_int_equal(wt_session_send_datagram(game.sessions[2]->session, data, sizeof(data)), 0);
  game_tick(&game, 60);
  net_run_for(&game.world.net, 11);
  for (unsigned i = 0; i < PLAYERS; i++) {
    size_t now = wt_session_max_datagram_size(game.sessions[i]->session);
    assert_true(i == 2 ? now < sizeof(data) : now == before);
    if (i != 2) assert_int_equal(game.peers[i]->rx_datagram_count, 1);
  }
  game.world.net.link[NET_TO_CLIENT].interface = 0;
  game_free(&game);
}

/* The server ends a connection in the pass in which others, and this one, have packets to send: all of them leave, and its
 * CONNECTION_CLOSE behind them. */
static void test_shared_calls_an_end_in_the_same_pass(void **state) {
  struct game game;
  (void)state;
  game_init(&game);
  uint8_t data[60] = {0};
  for (unsigned i = 0; i < PLAYERS; i++) {
    if (i != 3) assert_int_equal(wt_session_send_datagram(game.sessions[i]->session, data, sizeof(data)), 0);
  }
  peer_send(game.peers[3], peer_open_uni(game.peers[3]), "\x00", 1, false); /* a second control stream */
  NET_UNTIL(&game.world.net, 100, game.peers[3]->close_received);
  for (unsigned i = 0; i < PLAYERS; i++) assert_int_equal(game.peers[i]->rx_datagram_count, i != 3);
  game_free(&game);
}

/* Connections end while their packets wait for a full socket, and the packets are too large when it takes them. */
static void test_shared_calls_ends_while_packets_wait(void **state) {
  struct game game;
  static const uint8_t data[1300];
  (void)state;
  game_init(&game);
  game.world.server.socket_full = true;
  for (unsigned i = 0; i < PLAYERS; i++) {
    assert_int_equal(wt_session_send_datagram(game.sessions[i]->session, data, sizeof(data)), 0);
    game.peers[i]->silent = true;
  }
  wt__endpoint_run(game.world.server.endpoint, game.world.net.now);
  for (unsigned i = 0; i < PLAYERS; i += 2) peer_close(game.peers[i], 0);
  NET_UNTIL(&game.world.net, 120000, game.sessions[0]->closes && game.sessions[1]->closes);
  net_run_for(&game.world.net, 60000);
  game.world.net.link[NET_TO_CLIENT].interface = SMALL_INTERFACE;
  game_make_writable(&game, 0);
  net_run_for(&game.world.net, 100);
  for (unsigned i = 0; i < PLAYERS; i++) assert_int_equal(game.sessions[i]->closes, 1);
  game_free(&game);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_shared_calls_a_tick_is_one_call),
      cmocka_unit_test(test_shared_calls_do_not_wait_for_slow_runs),
      cmocka_unit_test(test_shared_calls_one_connection_shares_none),
      cmocka_unit_test(test_shared_calls_full_socket_in_the_midst),
      cmocka_unit_test(test_shared_calls_too_large_is_one_connections),
      cmocka_unit_test(test_shared_calls_an_end_in_the_same_pass),
      cmocka_unit_test(test_shared_calls_ends_while_packets_wait),
  };
  return cmocka_run_group_tests_name("shared_calls", tests, NULL, NULL);
}
