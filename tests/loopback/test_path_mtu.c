/* SPDX-License-Identifier: MIT */
/*
 * A path that carries less than it did (RFC 8899, section 4.3; RFC 9000, section 14): streams, small messages and
 * datagrams go on, whoever sends, and the size of datagrams says what is true.
 */
#include "core/session.h"
#include "pair.h"
#include "world.h"

#define SEND_CHUNK 20000

/* One connection with a stream that is sent without end, and a record of the other side of it. */
struct flow {
  struct pair pair;
  bool up; /* the client sends */
  struct server *sender, *receiver;
  struct server_session *from, *to;
  struct server_stream *bulk;
  uint8_t *bytes;
  size_t told; /* what `on_datagram_size` said last */
  unsigned told_count;
};

static struct flow *telling;

static void on_datagram_size(wt_session *session, size_t size, void *user_data) {
  (void)user_data;
  assert_int_equal(size, wt_session_max_datagram_size(session));
  telling->told = size;
  telling->told_count++;
}

static void pump(struct flow *f) {
  size_t written = 1;
  while (f->bulk && f->bulk->stream && written)
    assert_int_equal(wt_stream_write(f->bulk->stream, f->bytes, SEND_CHUNK, &written), 0);
}

static void hook(struct server *server, enum server_event event, struct server_session *session,
                 struct server_stream *stream) {
  struct flow *f = server->hook_ctx;
  (void)session;
  if (event == SERVER_WRITABLE && stream == f->bulk) pump(f);
}

static uint64_t received(const struct flow *f) {
  const struct server_stream *stream = f->bulk ? stream_opposite(f->receiver, f->bulk) : NULL;
  return stream ? stream->rx_total : 0;
}

static void flow_links(struct flow *f, size_t mtu) { f->pair.net.link[0].mtu = f->pair.net.link[1].mtu = mtu; }

static void flow_begin(struct flow *f, bool up, uint64_t delay) {
  memset(f, 0, sizeof(*f));
  f->up = up;
  f->bytes = pattern_new(SEND_CHUNK, 1);
  pair_init(&f->pair);
  f->pair.net.link[0].delay = f->pair.net.link[1].delay = delay * NET_MS / 2;
  f->pair.net.link[0].bandwidth = f->pair.net.link[1].bandwidth = 500000;
  f->pair.net.link[0].queue_max = f->pair.net.link[1].queue_max = 50 * NET_MS;
  f->pair.server.frugal = f->pair.client.records.frugal = true;
  pair_connect(&f->pair);
  NET_UNTIL(&f->pair.net, 5000, f->pair.link->ready);
  struct server_session *client = client_session(&f->pair.client, f->pair.link, "/wt");
  struct server_session *server = server_session(&f->pair.server, 0);
  f->sender = up ? &f->pair.client.records : &f->pair.server;
  f->receiver = up ? &f->pair.server : &f->pair.client.records;
  f->from = up ? client : server;
  f->to = up ? server : client;
  net_run_for(&f->pair.net, 3000 + 10 * delay);
  assert_in_range(wt_session_max_datagram_size(f->from->session), 1400, 1472);
  f->sender->hook = hook;
  f->sender->hook_ctx = f;
  telling = f;
}

static void flow_bulk(struct flow *f) {
  int error;
  f->bulk = server_open(f->from, true, &error);
  assert_non_null(f->bulk);
  pump(f);
}

static void flow_end(struct flow *f) {
  f->sender->hook = NULL;
  pair_free(&f->pair);
  free(f->bytes);
}

/* The time in which a transfer has to go on: 5 s, or 6 PTO. */
static unsigned patience(uint64_t delay) { return delay > 400 ? (unsigned)(12 * delay) : 5000; }

static void goes_on(struct flow *f, uint64_t delay) {
  uint64_t before = received(f) + 20 * SEND_CHUNK / 10;
  NET_UNTIL(&f->pair.net, patience(delay), received(f) > before);
  before = received(f);
  net_run_for(&f->pair.net, 10000);
  assert_true(received(f) > before + 200000);
}

static void datagram_arrives(struct flow *f, size_t len) {
  uint8_t *data = pattern_new(len, 9);
  uint64_t before = f->to->datagrams;
  assert_int_equal(wt_session_send_datagram(f->from->session, data, len), 0);
  free(data);
  NET_UNTIL(&f->pair.net, 3000, f->to->datagrams == before + 1);
}

static const size_t SIZES[] = {1200, 1250, 1300, 1400};
static const uint64_t DELAYS[] = {10, 150};

static void each(void (*one)(bool up, size_t mtu, uint64_t delay)) {
  for (size_t i = 0; i < 16; i++) one(i % 2, SIZES[i / 2 % 4], DELAYS[i / 8]);
}

static void one_bulk(bool up, size_t mtu, uint64_t delay) {
  struct flow f;
  flow_begin(&f, up, delay);
  flow_bulk(&f);
  net_run_for(&f.pair.net, 700 + mtu % 97);
  flow_links(&f, mtu);
  goes_on(&f, delay);
  size_t size = wt_session_max_datagram_size(f.from->session);
  assert_in_range(size, 1100, mtu);
  assert_true(mtu == 1200 || mtu == 1250 || size > 1200);
  f.sender->hook = NULL;
  f.bulk = NULL;
  net_run_for(&f.pair.net, 5000);
  datagram_arrives(&f, wt_session_max_datagram_size(f.from->session));
  flow_end(&f);
}

static void test_path_mtu_falls_and_streams_go_on(void **state) {
  (void)state;
  each(one_bulk);
}

/* Messages of 100 bytes on a stream, and one large message among them. */
static void one_messages(bool up, size_t mtu, uint64_t delay) {
  struct flow f;
  flow_begin(&f, up, delay);
  int error;
  size_t written, total = 0;
  struct server_stream *stream = server_open(f.from, true, &error);
  flow_links(&f, mtu);
  for (unsigned i = 0; i < 60; i++) {
    size_t len = i == 10 ? 5000 : 100;
    assert_int_equal(wt_stream_write(stream->stream, f.bytes, len, &written), 0);
    total += written;
    net_run_for(&f.pair.net, 20);
  }
  NET_UNTIL(&f.pair.net, patience(delay), stream_opposite(f.receiver, stream)->rx_total == total);
  flow_end(&f);
}

static void test_path_mtu_falls_and_messages_go_on(void **state) {
  (void)state;
  each(one_messages);
}

/* Datagrams of the largest size alone: those on their way are lost, later ones are as large as arrives. */
static void one_datagrams(bool up, size_t mtu, uint64_t delay) {
  struct flow f;
  flow_begin(&f, up, delay);
  struct wt_session_callbacks callbacks = f.from->session->callbacks;
  callbacks.on_datagram_size = on_datagram_size;
  wt_session_set_callbacks(f.from->session, &callbacks, wt_session_user_data(f.from->session));
  flow_links(&f, mtu);
  uint64_t end = f.pair.net.now + patience(delay) * NET_MS, before = 0;
  while (f.pair.net.now < end) {
    size_t max = wt_session_max_datagram_size(f.from->session);
    assert_int_equal(wt_session_send_datagram(f.from->session, f.bytes, max), 0);
    before = f.to->datagrams;
    net_run_for(&f.pair.net, 50);
  }
  NET_UNTIL(&f.pair.net, 1000, f.to->datagrams > before);
  assert_in_range(f.told_count, 1, 8);
  assert_int_equal(f.told, wt_session_max_datagram_size(f.from->session));
  assert_in_range(f.told, 1100, mtu);
  flow_end(&f);
}

static void test_path_mtu_falls_and_datagrams_become_smaller(void **state) {
  (void)state;
  each(one_datagrams);
}

/* What waits in the queue and no longer fits is dropped, and counted; what is behind it goes out. */
static void test_path_mtu_falls_and_large_datagrams_in_the_queue_are_counted(void **state) {
  (void)state;
  struct flow f;
  flow_begin(&f, false, 10);
  flow_bulk(&f);
  flow_links(&f, 1250);
  uint64_t end = f.pair.net.now + 3000 * NET_MS;
  while (f.pair.net.now < end) {
    (void)wt_session_send_datagram(f.from->session, f.bytes, 1420);
    (void)wt_session_send_datagram(f.from->session, f.bytes, 100);
    net_run_for(&f.pair.net, 20);
  }
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(f.from->session, &stats), 0);
  assert_true(stats.datagrams_dropped_outgoing > 0);
  assert_true(f.to->datagrams > 50);
  flow_end(&f);
}

/* One direction of the path alone becomes smaller. */
static void test_path_mtu_falls_in_one_direction(void **state) {
  (void)state;
  for (int i = 0; i < 4; i++) {
    struct flow f;
    flow_begin(&f, i % 2, 10);
    flow_bulk(&f);
    net_run_for(&f.pair.net, 500);
    f.pair.net.link[i / 2].mtu = 1300;
    goes_on(&f, 10);
    flow_end(&f);
  }
}

/* Down, up, and down again; what comes back is found within the time of RFC 8899's PMTU_RAISE_TIMER. */
static void one_up_again(bool up, size_t mtu, uint64_t delay) {
  struct flow f;
  flow_begin(&f, up, delay);
  flow_bulk(&f);
  net_run_for(&f.pair.net, 500);
  flow_links(&f, mtu);
  goes_on(&f, delay);
  flow_links(&f, 0);
  goes_on(&f, delay);
  f.sender->hook = NULL;
  f.pair.net.link[0].bandwidth = f.pair.net.link[1].bandwidth = 0;
  NET_UNTIL(&f.pair.net, 700000, wt_session_max_datagram_size(f.from->session) > 1400);
  f.sender->hook = hook;
  f.pair.net.link[0].bandwidth = f.pair.net.link[1].bandwidth = 500000;
  pump(&f);
  goes_on(&f, delay);
  flow_links(&f, 1250);
  goes_on(&f, delay);
  assert_in_range(wt_session_max_datagram_size(f.from->session), 1100, 1250);
  flow_end(&f);
}

static void test_path_mtu_falls_rises_and_falls(void **state) {
  (void)state;
  one_up_again(false, 1300, 10);
  one_up_again(true, 1200, 10);
  one_up_again(false, 1250, 150);
  one_up_again(true, 1400, 150);
}

/* --- Peers without DATAGRAM frames, to which probes of our own cannot be sent. --- */

static size_t largest;

static enum net_verdict note_largest(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                     size_t len) {
  (void)ctx, (void)index, (void)data;
  if (direction == NET_TO_CLIENT && len > largest) largest = len;
  return NET_PASS;
}

static uint64_t world_progress(struct world *w, int64_t id, unsigned ms) {
  uint64_t before = peer_stream(w->peer, id)->rx_total;
  net_run_for(&w->net, ms);
  return peer_stream(w->peer, id)->rx_total - before;
}

/* Time passes, in which little is sent. */
static void world_rest(struct world *w, unsigned seconds) {
  w->net.link[NET_TO_CLIENT].bandwidth /= 6;
  w->net.link[NET_TO_CLIENT].queue_max *= 6;
  net_run_for(&w->net, seconds * 1000);
  w->net.link[NET_TO_CLIENT].bandwidth *= 6;
  w->net.link[NET_TO_CLIENT].queue_max /= 6;
}

/* A download goes on when the path carries less, and again when it carries more: then the old size is tried as a whole,
 * after the time of PMTU_RAISE_TIMER. */
static void one_without_datagrams(size_t mtu, uint64_t delay) {
  struct world w;
  world_init(&w, mtu);
  w.options.max_datagram_frame_size = 0;
  w.options.frugal = true;
  w.net.link[0].delay = w.net.link[1].delay = delay * NET_MS / 2;
  w.net.link[NET_TO_CLIENT].bandwidth = 30000;
  w.net.link[NET_TO_CLIENT].queue_max = 200 * NET_MS;
  w.net.filter = note_largest;
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/source?bytes=100000000", NULL, true);
  net_run_for(&w.net, 3000 + 10 * delay);
  assert_true(peer_stream(w.peer, id)->rx_total > 30000);
  w.net.link[0].mtu = w.net.link[1].mtu = mtu;
  uint64_t before = peer_stream(w.peer, id)->rx_total;
  NET_UNTIL(&w.net, patience(delay), peer_stream(w.peer, id)->rx_total > before + 20000);
  assert_true(world_progress(&w, id, 10000) > 50000);
  largest = 0;
  assert_true(world_progress(&w, id, 10000) > 50000);
  assert_in_range(largest, 1100, mtu);
  w.net.link[0].mtu = w.net.link[1].mtu = 0;
  assert_true(world_progress(&w, id, 10000) > 50000);
  world_rest(&w, 600);
  largest = 0;
  assert_true(world_progress(&w, id, 10000) > 50000);
  assert_in_range(largest, 1400, 1472);
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_path_mtu_falls_and_rises_for_peers_without_datagrams(void **state) {
  (void)state;
  one_without_datagrams(1300, 10);
  one_without_datagrams(1200, 20);
  one_without_datagrams(1400, 150);
}

/* The old size is tried again while the path still carries less: that must cost seconds, not the connection. */
static void test_path_mtu_stays_small_for_peers_without_datagrams(void **state) {
  (void)state;
  struct world w;
  world_init(&w, 1);
  w.options.max_datagram_frame_size = 0;
  w.options.frugal = true;
  w.net.link[NET_TO_CLIENT].bandwidth = 30000;
  w.net.link[NET_TO_CLIENT].queue_max = 200 * NET_MS;
  world_start(&w);
  int64_t id = http_request(w.peer, "GET", "/source?bytes=1000000000", NULL, true);
  net_run_for(&w.net, 3000);
  w.net.link[0].mtu = w.net.link[1].mtu = 1300;
  net_run_for(&w.net, 5000);
  world_rest(&w, 580);
  for (int i = 0; i < 12; i++) assert_true(world_progress(&w, id, 5000) > 20000);
  assert_false(w.peer->ended);
  world_free(&w);
}

/* An outage looks like a black hole at first: the size is back soon after. */
static void test_path_mtu_is_back_soon_after_an_outage(void **state) {
  (void)state;
  for (int up = 0; up < 2; up++) {
    struct flow f;
    flow_begin(&f, up, 10);
    flow_bulk(&f);
    net_run_for(&f.pair.net, 500);
    f.pair.net.link[0].loss = f.pair.net.link[1].loss = 1000;
    net_run_for(&f.pair.net, 6000);
    f.pair.net.link[0].loss = f.pair.net.link[1].loss = 0;
    NET_UNTIL(&f.pair.net, 10000, wt_session_max_datagram_size(f.from->session) > 1400);
    flow_end(&f);
  }
}

/* On a bad network no size is given up that passes: not for long, at least. */
static void test_path_mtu_stays_on_a_lossy_path(void **state) {
  (void)state;
  struct flow f;
  unsigned small = 0;
  flow_begin(&f, false, 30);
  flow_bulk(&f);
  f.pair.net.link[0].loss = f.pair.net.link[1].loss = 100;
  for (int i = 0; i < 300; i++) {
    net_run_for(&f.pair.net, 100);
    small += wt_session_max_datagram_size(f.from->session) < 1400;
  }
  assert_in_range(small, 0, 30);
  flow_end(&f);
}

/* The interface says it at once: no packet of the old size leaves afterwards. */
static void test_path_mtu_of_the_interface_is_acted_upon_at_once(void **state) {
  (void)state;
  for (int up = 0; up < 2; up++) {
    struct flow f;
    flow_begin(&f, up, 150);
    flow_bulk(&f);
    net_run_for(&f.pair.net, 800);
    f.pair.net.link[0].interface = f.pair.net.link[1].interface = 1300;
    uint64_t before = received(&f);
    NET_UNTIL(&f.pair.net, 200, wt_session_max_datagram_size(f.from->session) < 1300);
    NET_UNTIL(&f.pair.net, 1500, received(&f) > before + 20000);
    NET_UNTIL(&f.pair.net, 15000, wt_session_max_datagram_size(f.from->session) > 1230);
    flow_end(&f);
  }
}

/* Less than QUIC needs: small packets pass in both directions, and the connection ends all the same. */
static void test_path_that_carries_too_little_ends_the_connection(void **state) {
  (void)state;
  for (int up = 0; up < 2; up++) {
    struct flow f;
    flow_begin(&f, up, 10);
    flow_bulk(&f);
    net_run_for(&f.pair.net, 500);
    flow_links(&f, 1000);
    for (int i = 0; i < 1000 && !f.from->closes; i++) {
      if (f.to->session) (void)wt_session_send_datagram(f.to->session, "alive", 5);
      net_run_for(&f.pair.net, 100);
    }
    assert_int_equal(f.from->closes, 1);
    NET_UNTIL(&f.pair.net, 40000, f.to->closes == 1);
    flow_end(&f);
  }
}

/* Nothing that one end sends arrives, while the other's messages do. */
static void test_path_without_acknowledgements_ends_the_connection(void **state) {
  (void)state;
  for (int up = 0; up < 2; up++) {
    struct flow f;
    flow_begin(&f, up, 10);
    flow_bulk(&f);
    net_run_for(&f.pair.net, 500);
    f.pair.net.link[up ? NET_TO_SERVER : NET_TO_CLIENT].loss = 1000;
    for (int i = 0; i < 600 && !f.from->closes; i++) {
      if (f.to->session) (void)wt_session_send_datagram(f.to->session, "alive", 5);
      net_run_for(&f.pair.net, 100);
    }
    assert_int_equal(f.from->closes, 1);
    NET_UNTIL(&f.pair.net, 100000, f.to->closes == 1);
    flow_end(&f);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_path_mtu_falls_and_streams_go_on),
      cmocka_unit_test(test_path_mtu_falls_and_messages_go_on),
      cmocka_unit_test(test_path_mtu_falls_and_datagrams_become_smaller),
      cmocka_unit_test(test_path_mtu_falls_and_large_datagrams_in_the_queue_are_counted),
      cmocka_unit_test(test_path_mtu_falls_in_one_direction),
      cmocka_unit_test(test_path_mtu_falls_rises_and_falls),
      cmocka_unit_test(test_path_mtu_falls_and_rises_for_peers_without_datagrams),
      cmocka_unit_test(test_path_mtu_stays_small_for_peers_without_datagrams),
      cmocka_unit_test(test_path_mtu_is_back_soon_after_an_outage),
      cmocka_unit_test(test_path_mtu_stays_on_a_lossy_path),
      cmocka_unit_test(test_path_mtu_of_the_interface_is_acted_upon_at_once),
      cmocka_unit_test(test_path_that_carries_too_little_ends_the_connection),
      cmocka_unit_test(test_path_without_acknowledgements_ends_the_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
