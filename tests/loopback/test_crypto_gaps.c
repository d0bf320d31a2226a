/* SPDX-License-Identifier: MIT */
/*
 * CRYPTO frames with gaps (RFC 9000, section 7.5), which no flow control holds back: at every encryption level a peer
 * that sends too many, or one too far ahead, is closed with CRYPTO_BUFFER_EXCEEDED, and what it can make us hold is
 * little.
 */
#include "quic/conn.h"
#include "world.h"

#define CRYPTO_BUFFER_EXCEEDED 0x0d
#define MOST_MEMORY 150000 /* bytes: a handshake, and two pieces of eight thousand at a level */

enum level {
  INITIAL,
  HANDSHAKE,
  ONE_RTT
};

/* What takes the place of the frames in the peer's packets of one level. */
struct gaps {
  enum level level;
  uint64_t next, step; /* one byte at `next`, and one each `step` bytes behind it */
  unsigned packets;
};

static bool is_of_level(uint8_t first, enum level level) {
  if (level == ONE_RTT) return !(first & 0x80);
  return (first & 0x80) && (first >> 4 & 3) == (level == INITIAL ? 0 : 2);
}

#define CRYPTO_MAX 7

/* A CRYPTO frame with one byte. Short: packets of the Handshake level have little room. */
static size_t crypto_write(uint8_t *at, uint64_t offset) {
  size_t len = offset < 16384 ? 2 : 4;
  at[0] = 0x06;
  for (size_t i = 0; i < len; i++) at[1 + i] = (uint8_t)(offset >> (8 * (len - 1 - i)));
  at[1] |= len == 2 ? 0x40 : 0x80;
  at[1 + len] = 1;
  at[2 + len] = 'x';
  return 3 + len;
}

static void rewrite(void *ctx, uint8_t first, uint8_t *payload, size_t len) {
  struct gaps *gaps = ctx;
  if (!is_of_level(first, gaps->level)) return;
  memset(payload, 0, len);
  for (; len >= CRYPTO_MAX; gaps->next += gaps->step) {
    size_t at = crypto_write(payload, gaps->next);
    payload += at;
    len -= at;
  }
  gaps->packets++;
}

static struct wt__endpoint_stats stats_of(const struct world *w) {
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(w->server.endpoint, &stats);
  return stats;
}

/* Acknowledgements do not arrive, so that the peer sends its Handshake packets again and again. */
static enum net_verdict drop_answers(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                     size_t len) {
  const struct world *w = ctx;
  const struct gaps *gaps = w->options.rewrite_ctx;
  (void)index;
  (void)data;
  (void)len;
  bool drop = gaps->level == HANDSHAKE && gaps->packets > 0 && stats_of(w).connections_open > 0;
  return drop && direction == NET_TO_CLIENT ? NET_DROP : NET_PASS;
}

/* Sends packets with gaps until the connection is over; how much memory the server held at most. */
static uint64_t most_memory(struct world *w, struct gaps *gaps) {
  static const uint8_t filler[1000] = {0xff};
  uint64_t most = 0;
  for (int i = 0; i < 2000 && !w->peer->ended; i++) {
    if (gaps->level == ONE_RTT) peer_datagram(w->peer, filler, sizeof(filler));
    net_run_for(&w->net, 5);
    if (stats_of(w).memory_used > most) most = stats_of(w).memory_used;
  }
  return most;
}

/* A peer whose packets of `level` hold one byte at `first`, and one each `step` bytes behind it. */
static void assert_closed(enum level level, uint64_t first, uint64_t step) {
  struct world w;
  struct sockaddr_in address = server_address();
  struct gaps gaps = {level, first, step, 0};
  world_init(&w, 1);
  w.options.rewrite_ctx = &gaps;
  w.net.filter = drop_answers;
  w.net.filter_ctx = &w;
  if (level == ONE_RTT) {
    world_start(&w);
    w.peer->options.rewrite = rewrite;
  } else {
    w.options.rewrite = rewrite;
    server_start(&w.server);
    w.peer = peer_new(&w.net, &address, &w.options);
  }
  uint64_t before = stats_of(&w).memory_used, most = most_memory(&w, &gaps);
  assert_true(gaps.packets > 0);
  assert_true(w.peer->close_received);
  assert_false(w.peer->close_is_app);
  assert_int_equal(w.peer->close_code, CRYPTO_BUFFER_EXCEEDED);
  assert_true(most < before + MOST_MEMORY);
  world_free(&w);
}

static void test_crypto_gaps_too_far_ahead_end_the_connection(void **state) {
  (void)state;
  for (int level = INITIAL; level <= ONE_RTT; level++) {
    assert_closed((enum level)level, 70000, 1);
    assert_closed((enum level)level, WT__CRYPTO_AHEAD_SERVER + 1000, 1);
  }
}

/* One byte at every second offset. */
static void test_crypto_gaps_in_number_end_the_connection(void **state) {
  (void)state;
  for (int level = INITIAL; level <= ONE_RTT; level++) assert_closed((enum level)level, 2, 2);
}

/* Those that a browser leaves in its ClientHello are filled by its next packet. */
static void test_crypto_gaps_of_swapped_packets_are_harmless(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed < 20; seed++) {
    struct world w;
    world_init(&w, seed);
    w.options.hello_padding = 3500;
    w.net.link[NET_TO_SERVER].reorder = 500;
    w.net.link[NET_TO_SERVER].reorder_by = 3 * NET_MS;
    world_start(&w);
    w.session = server_connect(&w.server, w.peer, "/echo", &w.id);
    world_free(&w);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_crypto_gaps_too_far_ahead_end_the_connection),
      cmocka_unit_test(test_crypto_gaps_in_number_end_the_connection),
      cmocka_unit_test(test_crypto_gaps_of_swapped_packets_are_harmless),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
