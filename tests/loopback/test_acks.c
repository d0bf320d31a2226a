/* SPDX-License-Identifier: MIT */

/*
 * Packets and turns that a quiet connection costs: acknowledgements go with answers, others wait for company, and no timer
 * runs for pacing that nothing waits for. What must not wait does not.
 */

#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/wake.h"
#include "wire/quic_frame.h"
#include "world.h"

#define MESSAGES 20
#define TRANSFER (1 << 20)
#define BURST 8000
#define ACK_TIME 25 /* ms, the max_ack_delay that is announced */

static struct wt__conn *only_conn(struct world *w) {
  struct wt__link *link = wt__list_first(&w->server.endpoint->conns);
  return link ? WT__CONTAINER_OF(link, struct wt__conn, link) : NULL;
}

/* A session after which everything is quiet, and the packets of the server until then. */
static uint64_t begin(struct world *w, const char *path) {
  world_init(w, 1);
  world_start(w);
  w->session = server_connect(&w->server, w->peer, path, &w->id);
  net_run_for(&w->net, 2000);
  return only_conn(w)->packets_sent;
}

static uint64_t sent_since(struct world *w, uint64_t before) { return only_conn(w)->packets_sent - before; }

/* When a packet was sent next by the server, in milliseconds from now; fails the test after 100. */
static uint64_t next_packet(struct world *w, uint64_t before) {
  uint64_t now = w->net.now;
  NET_UNTIL(&w->net, 100, sent_since(w, before) > 0);
  return (w->net.now - now) / NET_MS;
}

static uint64_t way(const struct world *w) { return w->net.link[NET_TO_SERVER].delay / NET_MS; }

static void test_acks_ride_with_the_answers(void **state) {
  (void)state;
  struct world w;
  uint64_t before = begin(&w, "/echo");
  int64_t id = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  net_run_for(&w.net, 200);
  before = only_conn(&w)->packets_sent;
  for (int i = 0; i < MESSAGES; i++) {
    peer_send(w.peer, id, "message", 7, false);
    net_run_for(&w.net, 200);
  }
  assert_int_equal(peer_stream(w.peer, id)->rx_total, 1 + MESSAGES * 7);
  assert_int_equal(sent_since(&w, before), MESSAGES);
  before = only_conn(&w)->packets_sent;
  for (int i = 0; i < MESSAGES; i++) {
    peer_wt_datagram(w.peer, w.id, "datagram", 8);
    net_run_for(&w.net, 200);
  }
  assert_int_equal(w.peer->rx_datagram_count, MESSAGES);
  assert_int_equal(sent_since(&w, before), MESSAGES);
  world_free(&w);
}

/* The message, its acknowledgement's timer, the peer's acknowledgement and its loss timer: nothing else wakes the server. */
static void test_messages_cost_two_turns(void **state) {
  (void)state;
  struct world w;
  (void)begin(&w, "/echo");
  int64_t id = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  net_run_for(&w.net, 200);
  for (int i = 0; i < MESSAGES; i++) {
    unsigned turns = 0;
    peer_send(w.peer, id, "message", 7, false);
    uint64_t packets = only_conn(&w)->packets_received, until = w.net.now + 200 * NET_MS;
    for (uint64_t expiry = 0; net_step(&w.net, until);) {
      /* A turn that no packet has brought is a timer's. */
      if (only_conn(&w)->packets_received == packets && wt__endpoint_expiry(w.server.endpoint) != expiry) turns++;
      packets = only_conn(&w)->packets_received;
      expiry = wt__endpoint_expiry(w.server.endpoint);
    }
    assert_in_range(turns, 0, 1); /* an old deadline of the idle timeout or of a loss timer that has been pushed back */
  }
  world_free(&w);
}

static void test_acks_of_a_single_packet_come_in_time(void **state) {
  (void)state;
  struct world w;
  uint64_t before = begin(&w, "/wt");
  for (int i = 0; i < 5; i++) {
    peer_wt_datagram(w.peer, w.id, "datagram", 8);
    assert_in_range(next_packet(&w, before), way(&w) + 15, way(&w) + ACK_TIME);
    net_run_for(&w.net, 200);
    before = only_conn(&w)->packets_sent;
  }
  world_free(&w);
}

static void test_acks_of_two_packets_come_at_once(void **state) {
  (void)state;
  struct world w;
  uint64_t before = begin(&w, "/wt");
  peer_wt_datagram(w.peer, w.id, "datagram", 8);
  net_run_for(&w.net, 5);
  peer_wt_datagram(w.peer, w.id, "datagram", 8);
  assert_in_range(next_packet(&w, before), way(&w) - 5, way(&w) + 1);
  net_run_for(&w.net, 200);
  assert_int_equal(sent_since(&w, before), 1);
  world_free(&w);
}

/* An application that wakes the connection all the time, and sends nothing, does not push the time further. */
static void test_acks_come_in_time_while_the_connection_is_run(void **state) {
  (void)state;
  struct world w;
  uint64_t before = begin(&w, "/wt");
  peer_wt_datagram(w.peer, w.id, "datagram", 8);
  for (uint64_t ms = 0; ms < way(&w) + ACK_TIME; ms++) {
    net_run_for(&w.net, 1);
    wt__conn_wake(only_conn(&w));
    wt__endpoint_run(w.server.endpoint, w.net.now);
  }
  assert_int_equal(sent_since(&w, before), 1);
  world_free(&w);
}

/* Frames that want an answer get it at once, also beside a message. */
static void test_answers_of_quic_do_not_wait(void **state) {
  (void)state;
  static const uint8_t challenge[] = {WT__FRAME_PATH_CHALLENGE, 1, 2, 3, 4, 5, 6, 7, 8};
  struct world w;
  uint64_t before = begin(&w, "/wt");
  peer_queue_frames(w.peer, challenge, sizeof(challenge));
  peer_wt_datagram(w.peer, w.id, "datagram", 8);
  assert_in_range(next_packet(&w, before), way(&w) - 1, way(&w) + 1);
  net_run_for(&w.net, 500);

  /* A stream that ends makes room for another one. */
  before = only_conn(&w)->packets_sent;
  (void)peer_wt_open(w.peer, true, w.id, "end", 3, true);
  assert_in_range(next_packet(&w, before), way(&w) - 1, way(&w) + 1);
  net_run_for(&w.net, 500);

  /* So does a reset of ours. */
  int64_t id = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  net_run_for(&w.net, 500);
  before = only_conn(&w)->packets_sent;
  wt_stream_reset(server_stream(w.session, 1)->stream, 7);
  wt__endpoint_run(w.server.endpoint, w.net.now);
  assert_int_equal(sent_since(&w, before), 1);
  net_run_for(&w.net, 500);
  assert_true(peer_stream(w.peer, id)->reset);

  /* And a packet with a mark of congestion is told of at once. */
  w.net.link[NET_TO_SERVER].ecn = NET_ECN_CE_EVERYWHERE;
  before = only_conn(&w)->packets_sent;
  peer_wt_datagram(w.peer, w.id, "datagram", 8);
  assert_in_range(next_packet(&w, before), way(&w) - 1, way(&w) + 1);
  world_free(&w);
}

/* A client whose address has changed is asked for a proof with the first packet. */
static void test_a_new_address_is_challenged_at_once(void **state) {
  (void)state;
  struct world w;
  uint64_t before = begin(&w, "/wt");
  struct sockaddr_in seen = net_address(w.peer->options.address);
  seen.sin_port = htons(9999);
  net_rebind(&w.peer->node, &seen);
  peer_wt_datagram(w.peer, w.id, "datagram", 8);
  assert_in_range(next_packet(&w, before), way(&w) - 1, way(&w) + 1);
  world_free(&w);
}

/* --- Pacing --- */

struct burst {
  const struct world *world;
  uint64_t since, bytes; /* to the client, within a millisecond of the first */
};

static enum net_verdict note_burst(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  struct burst *burst = ctx;
  (void)index;
  (void)data;
  if (direction != NET_TO_CLIENT) return NET_PASS;
  if (!burst->since) burst->since = burst->world->net.now;
  if (burst->world->net.now - burst->since < NET_MS) burst->bytes += len;
  return NET_PASS;
}

static void transfer(struct world *w, size_t len) {
  uint8_t *bytes = pattern_new(len, 1);
  int error;
  struct server_stream *stream = server_open(w->session, true, &error);
  assert_non_null(stream);
  size_t taken = 0;
  while (taken < len) {
    size_t n = 0;
    (void)wt_stream_write(stream->stream, bytes + taken, len - taken, &n);
    taken += n;
    net_run_for(&w->net, 1);
  }
  net_run_for(&w->net, 5000);
  free(bytes);
}

/* Silence between messages is no credit for a burst: a transfer after a minute of messages is paced from its beginning. */
static void test_a_transfer_after_silence_is_paced(void **state) {
  (void)state;
  struct world w;
  (void)begin(&w, "/echo");
  w.net.link[NET_TO_SERVER].delay = w.net.link[NET_TO_CLIENT].delay = 50 * NET_MS;
  int64_t id = peer_wt_open(w.peer, false, w.id, "x", 1, false);
  transfer(&w, TRANSFER); /* opens the congestion window */
  for (int i = 0; i < 300; i++) {
    peer_send(w.peer, id, "message", 7, false);
    net_run_for(&w.net, 200);
  }
  struct burst burst = {.world = &w};
  w.net.filter = note_burst;
  w.net.filter_ctx = &burst;
  transfer(&w, TRANSFER);
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(only_conn(&w)->quic, &info);
  print_message("count: %llu bytes within a millisecond, window %llu\n", (unsigned long long)burst.bytes,
                (unsigned long long)info.cwnd);
  assert_true(info.cwnd > 500000);
  assert_in_range(burst.bytes, 1, 150000);
  world_free(&w);
}

/* --- Losses that ACK frames do not show --- */

static size_t varint_len(uint8_t first) { return (size_t)1 << (first >> 6); }

/* ACK frames of the peer lose all ranges but the first, as those of peers do that soon forget old ranges. */
static void keep_first_range(void *ctx, uint8_t first, uint8_t *payload, size_t len) {
  struct wt__quic_frame frame;
  (void)ctx;
  if (first & 0x80) return;
  for (size_t n; (n = wt__quic_frame_read(payload, len, &frame)); payload += n, len -= n) {
    if ((frame.type & ~UINT64_C(1)) != WT__FRAME_ACK) continue;
    size_t at = 1;
    payload[0] = WT__FRAME_ACK; /* counts of ECN would follow the ranges */
    at += varint_len(payload[at]);
    at += varint_len(payload[at]);
    assert_int_equal(varint_len(payload[at]), 1);
    payload[at++] = 0;
    at += varint_len(payload[at]);
    memset(payload + at, 0, n - at);
  }
}

struct losses {
  unsigned data, lost; /* packets to the client since the round began; which of them is lost */
  unsigned acks, deaf; /* packets to the server; how many of them are lost, from the first on */
};

static enum net_verdict lose(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  struct losses *losses = ctx;
  (void)index;
  (void)data;
  if (direction == NET_TO_SERVER) return losses->acks++ < losses->deaf ? NET_DROP : NET_PASS;
  return len >= 1000 && losses->data++ == losses->lost ? NET_DROP : NET_PASS;
}

/* How long a burst takes on a new connection, in milliseconds. */
static uint64_t lossy_burst(unsigned lost, unsigned deaf) {
  static uint8_t bytes[BURST];
  struct world w;
  struct losses losses = {.lost = lost, .deaf = deaf};
  size_t taken;
  int error;
  world_init(&w, 1);
  w.options.rewrite = keep_first_range;
  w.options.hold = true; /* nothing beside its ACK frames */
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  net_run_for(&w.net, 2000);
  uint64_t began = w.net.now;
  w.net.filter_ctx = &losses;
  w.net.filter = lose;
  struct server_stream *stream = server_open(w.session, true, &error);
  assert_non_null(stream);
  int64_t id = wt_stream_id(stream->stream);
  assert_int_equal(wt_stream_write(stream->stream, bytes, sizeof(bytes), &taken), 0);
  assert_int_equal(taken, sizeof(bytes));
  assert_int_equal(wt_stream_end(stream->stream), 0);
  NET_UNTIL(&w.net, 60000, peer_stream(w.peer, id) && peer_stream(w.peer, id)->fin);
  uint64_t took = (w.net.now - began) / NET_MS;
  world_free(&w);
  return took;
}

/* A packet is lost, one acknowledgement comes, of the last packets, and nothing is in flight: what was lost is sent at once. No
 * timer for losses runs then, so else it would wait for another one, of up to half the idle timeout. */
static void test_losses_that_no_range_shows_are_made_good(void **state) {
  (void)state;
  uint64_t longest = 0;
  for (unsigned lost = 0; lost < 3; lost++) {
    for (unsigned deaf = 0; deaf < 3; deaf++) {
      uint64_t took = lossy_burst(lost, deaf);
      if (took > longest) longest = took;
    }
  }
  assert_in_range(longest, 1, 50); /* three ways of 10 ms, and little more */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_acks_ride_with_the_answers),
      cmocka_unit_test(test_messages_cost_two_turns),
      cmocka_unit_test(test_acks_of_a_single_packet_come_in_time),
      cmocka_unit_test(test_acks_of_two_packets_come_at_once),
      cmocka_unit_test(test_acks_come_in_time_while_the_connection_is_run),
      cmocka_unit_test(test_answers_of_quic_do_not_wait),
      cmocka_unit_test(test_a_new_address_is_challenged_at_once),
      cmocka_unit_test(test_a_transfer_after_silence_is_paced),
      cmocka_unit_test(test_losses_that_no_range_shows_are_made_good),
  };
  return cmocka_run_group_tests_name("acks", tests, NULL, NULL);
}
