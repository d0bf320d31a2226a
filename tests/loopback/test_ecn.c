/* SPDX-License-Identifier: MIT */
/*
 * Paths that treat ECN marks badly (RFC 9000, section 13.4): whatever they do to them, sessions begin, transfers go on in
 * both directions, and an end that gets false counts stops marking its packets.
 */
#include "core/session.h"
#include "pair.h"

#define CHUNK 20000
#define MB 1000000

struct transfer {
  struct pair pair;
  struct server_session *client, *server;
  uint8_t *bytes;
};

static void links_mark(struct transfer *t, enum net_ecn ecn) {
  t->pair.net.link[0].ecn = t->pair.net.link[1].ecn = ecn;
}

static void transfer_begin(struct transfer *t, enum net_ecn ecn) {
  memset(t, 0, sizeof(*t));
  t->bytes = pattern_new(CHUNK, 1);
  pair_init(&t->pair);
  links_mark(t, ecn);
  t->pair.net.link[0].bandwidth = t->pair.net.link[1].bandwidth = MB;
  t->pair.net.link[0].queue_max = t->pair.net.link[1].queue_max = 50 * NET_MS;
  t->pair.server.frugal = t->pair.client.records.frugal = true;
  pair_connect(&t->pair);
  NET_UNTIL(&t->pair.net, 4000, t->pair.link->ready);
  t->client = client_session(&t->pair.client, t->pair.link, "/wt");
  t->server = server_session(&t->pair.server, 0);
}

static void transfer_end(struct transfer *t) {
  assert_int_equal(t->client->closes, 0);
  assert_int_equal(t->server->closes, 0);
  pair_free(&t->pair);
  free(t->bytes);
}

/* `total` bytes on a stream of `from`, as fast as they are taken. */
static void transfer_run(struct transfer *t, struct server_session *from, struct server *receiver, size_t total,
                         unsigned ms) {
  int error;
  size_t sent = 0, written;
  struct server_stream *stream = server_open(from, true, &error), *other = NULL;
  uint64_t end = t->pair.net.now + ms * NET_MS;
  while (t->pair.net.now < end && (!other || other->rx_total < total)) {
    do {
      size_t len = total - sent < CHUNK ? total - sent : CHUNK;
      written = 0;
      if (len) assert_int_equal(wt_stream_write(stream->stream, t->bytes, len, &written), 0);
      sent += written;
    } while (written);
    net_run_for(&t->pair.net, 10);
    other = stream_opposite(receiver, stream);
  }
  assert_non_null(other);
  assert_int_equal(other->rx_total, total);
}

/* CE on all packets is a full path: each round trip halves the window, but a packet or two always pass. */
static void one_path(enum net_ecn ecn, bool from_the_beginning) {
  struct transfer t;
  transfer_begin(&t, from_the_beginning ? ecn : NET_ECN_KEPT);
  if (!from_the_beginning) {
    transfer_run(&t, t.client, &t.pair.server, MB, 10000);
    links_mark(&t, ecn);
  }
  bool full = ecn == NET_ECN_CONGESTED || ecn == NET_ECN_CE_EVERYWHERE;
  transfer_run(&t, t.client, &t.pair.server, full ? MB / 2 : MB, 10000);
  transfer_run(&t, t.server, &t.pair.client.records, full ? MB / 2 : MB, 10000);
  transfer_end(&t);
}

static void test_ecn_transfers_go_on_whatever_the_path_does(void **state) {
  (void)state;
  for (int ecn = NET_ECN_KEPT; ecn <= NET_ECN_DROPPED; ecn++) {
    one_path((enum net_ecn)ecn, true);
    one_path((enum net_ecn)ecn, false);
  }
}

/* Marks that are cleared or exchanged on the way give false counts: validation fails, and no more are sent. */
static void test_ecn_is_given_up_where_counts_are_false(void **state) {
  (void)state;
  static const enum net_ecn kinds[] = {NET_ECN_CLEARED, NET_ECN_SWAPPED, NET_ECN_DROPPED};
  for (size_t i = 0; i < 3; i++) {
    struct transfer t;
    transfer_begin(&t, kinds[i]);
    transfer_run(&t, t.server, &t.pair.client.records, MB, 10000);
    uint64_t marked = t.pair.net.counts[NET_TO_CLIENT].marked;
    transfer_run(&t, t.server, &t.pair.client.records, MB, 10000);
    assert_int_equal(t.pair.net.counts[NET_TO_CLIENT].marked, marked);
    transfer_end(&t);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ecn_transfers_go_on_whatever_the_path_does),
      cmocka_unit_test(test_ecn_is_given_up_where_counts_are_false),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
