/* SPDX-License-Identifier: MIT */
/*
 * Which algorithm of congestion control a connection uses, at either end.
 *
 * ngtcp2 does not tell, so what one lost packet does to the window tells: CUBIC goes to 7/10 of it (RFC 9438, section 4.6), Reno
 * to a half (RFC 9002, section 7.3.2), and BBR has no such threshold. ngtcp2 takes somewhat less where less than the window is in
 * flight, so the bounds leave room for that.
 */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RATE 1000000 /* bytes a second: packets arrive one by one, and are acknowledged by twos */
#define LEN (200 * 1024)
#define WINDOW (20 * 1024) /* at which the packet is lost, in slow start */

struct sending {
  struct pair pair;
  struct server_session *session; /* the sender's */
  enum net_direction direction;
  bool lose, lost;
};

static struct wt_connection_info info_of(const struct sending *s) {
  struct wt_connection_info info = {.size = sizeof(info)};
  assert_int_equal(wt_session_get_connection_info(s->session->session, &info), 0);
  return info;
}

/* The first full packet that the sender sends once `lose` is set. */
static enum net_verdict lose_one(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  struct sending *s = ctx;
  (void)index, (void)data;
  if (!s->lose || s->lost || direction != s->direction || len < 1000) return NET_PASS;
  s->lost = true;
  return NET_DROP;
}

/* A session of a client and a server that are told to use these. `by_client`: who sends. */
static void sending_begin(struct sending *s, enum wt_congestion_control server, enum wt_congestion_control client,
                          bool by_client) {
  static const uint8_t zeros[LEN];
  size_t written;
  int error;
  memset(s, 0, sizeof(*s));
  pair_init(&s->pair);
  for (int i = 0; i < 2; i++) {
    s->pair.net.link[i].bandwidth = RATE;
    s->pair.net.link[i].queue_max = 1000 * NET_MS;
  }
  s->pair.server.config.congestion_control = server;
  s->pair.client.connect.congestion_control = client;
  pair_connect(&s->pair);
  NET_UNTIL(&s->pair.net, 5000, s->pair.link->ready);
  struct server_session *session = client_session(&s->pair.client, s->pair.link, "/wt");
  s->session = by_client ? session : session_opposite(&s->pair.server, session);
  s->direction = by_client ? NET_TO_SERVER : NET_TO_CLIENT;
  s->pair.net.filter = lose_one;
  s->pair.net.filter_ctx = s;
  struct server_stream *stream = server_open(s->session, true, &error);
  assert_non_null(stream);
  assert_int_equal(wt_stream_write(stream->stream, zeros, LEN, &written), 0);
  assert_int_equal(written, LEN);
  assert_int_equal(wt_stream_end(stream->stream), 0);
}

static bool has_threshold(const struct sending *s) { return info_of(s).slow_start_threshold != UINT64_MAX; }

/* Loses a packet. Returns the threshold in percent of the window before; 0: there is none, and all has arrived. */
static unsigned threshold_after_loss(struct sending *s) {
  struct net *net = &s->pair.net;
  uint64_t window = 0, until = net->now + 10000 * NET_MS;
  NET_UNTIL(net, 5000, info_of(s).congestion_window >= WINDOW);
  assert_false(has_threshold(s));
  s->lose = true;
  while (!has_threshold(s) && info_of(s).bytes_in_flight) {
    window = info_of(s).congestion_window;
    if (!net_step(net, until)) break;
  }
  assert_true(s->lost);
  assert_true(net->now < until);
  return has_threshold(s) ? (unsigned)(info_of(s).slow_start_threshold * 100 / window) : 0;
}

static void check_algorithms(bool by_client) {
  static const struct {
    enum wt_congestion_control algorithm, other;
    unsigned min, max; /* percent */
  } cases[] = {
      {WT_CONGESTION_CONTROL_CUBIC, WT_CONGESTION_CONTROL_BBR, 60, 75},
      {WT_CONGESTION_CONTROL_RENO, WT_CONGESTION_CONTROL_CUBIC, 45, 55},
      {WT_CONGESTION_CONTROL_BBR, WT_CONGESTION_CONTROL_RENO, 0, 0},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct sending s;
    sending_begin(&s, by_client ? cases[i].other : cases[i].algorithm, by_client ? cases[i].algorithm : cases[i].other,
                  by_client);
    assert_int_equal(info_of(&s).congestion_control, cases[i].algorithm);
    print_message("%s\n", wt_congestion_control_name(cases[i].algorithm));
    assert_in_range(threshold_after_loss(&s), cases[i].min, cases[i].max);
    pair_free(&s.pair);
  }
}

static void test_congestion_control_of_a_server_is_the_one_in_use(void **state) {
  (void)state;
  check_algorithms(false);
}

static void test_congestion_control_of_a_client_is_the_one_in_use(void **state) {
  (void)state;
  check_algorithms(true);
}

/* --- Queues and what is in flight --- */

#define SHORT_QUEUE (64 * 1024)
#define MANY \
  (2 * 1024 * 1024) /* bytes: a second and a half at a queue a round trip, a third of that at the rate of the link */
#define MANY_MS 1000

/* How many bytes arrive within MANY_MS on a path of 40 ms and 5 MB/s, of one stream that always has more to send. */
static size_t arrived_with_queue(size_t grown) {
  static const uint8_t zeros[SHORT_QUEUE];
  struct pair p;
  size_t written, sent = 0;
  int error;
  pair_init(&p);
  for (int i = 0; i < 2; i++) {
    p.net.link[i].bandwidth = 5000000;
    p.net.link[i].delay = 20 * NET_MS;
    p.net.link[i].queue_max = 1000 * NET_MS;
  }
  p.server.config.h3.mux.max_stream_send_buffer = SHORT_QUEUE;
  p.server.config.max_stream_send_buffer_grown = grown;
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  struct server_session *session = session_opposite(&p.server, client_session(&p.client, p.link, "/wt"));
  struct server_stream *stream = server_open(session, true, &error);
  assert_non_null(stream);
  for (unsigned ms = 0; ms < MANY_MS; ms++) {
    size_t want = MANY - sent < SHORT_QUEUE ? MANY - sent : SHORT_QUEUE;
    if (want && wt_stream_write(stream->stream, zeros, want, &written) == 0) sent += written;
    net_run_for(&p.net, 1);
  }
  size_t arrived = stream_opposite(&p.client.records, stream)->rx_total;
  pair_free(&p);
  return arrived;
}

static void test_queue_grows_with_what_is_in_flight(void **state) {
  (void)state;
  assert_in_range(arrived_with_queue(0), 1, MANY * 3 / 4);
  assert_int_equal(arrived_with_queue(4 << 20), MANY);
}

/* --- Bursts --- */

struct bursts {
  const struct net *net;
  uint64_t at;
  unsigned now, most; /* full packets to the client at one time; the highest of these */
};

static enum net_verdict burst_count(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                    size_t len) {
  struct bursts *bursts = ctx;
  (void)index, (void)data;
  if (direction != NET_TO_CLIENT || len < 1000) return NET_PASS;
  if (bursts->at != bursts->net->now) bursts->now = 0;
  bursts->at = bursts->net->now;
  if (++bursts->now > bursts->most) bursts->most = bursts->now;
  return NET_PASS;
}

/* Acknowledgements that come all together, as they do here after 100 ms, open half the window at once. */
static void test_no_burst_is_longer_than_a_millisecond_takes(void **state) {
  static const enum wt_congestion_control algorithms[] = {WT_CONGESTION_CONTROL_CUBIC, WT_CONGESTION_CONTROL_RENO};
  (void)state;
  for (size_t i = 0; i < 2; i++) {
    static const uint8_t zeros[LEN];
    struct pair p;
    struct bursts bursts = {.net = &p.net};
    size_t written;
    int error;
    pair_init(&p);
    for (int link = 0; link < 2; link++) p.net.link[link].delay = 50 * NET_MS;
    p.server.config.congestion_control = algorithms[i];
    pair_connect(&p);
    NET_UNTIL(&p.net, 5000, p.link->ready);
    struct server_session *session = session_opposite(&p.server, client_session(&p.client, p.link, "/wt"));
    p.net.filter = burst_count;
    p.net.filter_ctx = &bursts;
    struct server_stream *stream = server_open(session, true, &error);
    assert_int_equal(wt_stream_write(stream->stream, zeros, LEN, &written), 0);
    assert_int_equal(wt_stream_end(stream->stream), 0);
    NET_UNTIL(&p.net, 5000,
              stream_opposite(&p.client.records, stream) && stream_opposite(&p.client.records, stream)->fin);
    assert_in_range(bursts.most, 2, 14); /* 10 full ones are the rule, which packets of 1,200 bytes make 13 */
    pair_free(&p);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_congestion_control_of_a_server_is_the_one_in_use),
      cmocka_unit_test(test_congestion_control_of_a_client_is_the_one_in_use),
      cmocka_unit_test(test_queue_grows_with_what_is_in_flight),
      cmocka_unit_test(test_no_burst_is_longer_than_a_millisecond_takes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
