/* SPDX-License-Identifier: MIT */
/*
 * What shares a slow link: datagrams, streams, capsules and answers of one connection, when there is always more of each
 * than the link carries.
 */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define RATE 1250000   /* bytes a second: 10 Mbit/s */
#define WARM_UP_MS 500 /* slow start is over */
#define MEASURED_MS 2000

struct sharing {
  struct pair pair;
  struct server_session *client, *server; /* the session, as each end sees it */
};

/* From the server to the client: 10 Mbit/s, a round trip of 50 ms, and a queue of the same length. */
static void sharing_begin(struct sharing *s) {
  memset(s, 0, sizeof(*s));
  pair_init(&s->pair);
  for (int i = 0; i < 2; i++) {
    s->pair.net.link[i].delay = 25 * NET_MS;
    s->pair.net.link[i].bandwidth = RATE;
    s->pair.net.link[i].queue_max = 50 * NET_MS;
  }
  s->pair.client.records.frugal = true;
  pair_connect(&s->pair);
  NET_UNTIL(&s->pair.net, 5000, s->pair.link->ready);
  s->client = client_session(&s->pair.client, s->pair.link, "/wt");
  s->server = session_opposite(&s->pair.server, s->client);
}

static void send_datagrams(struct server_session *session, size_t len, size_t count) {
  static const uint8_t zeros[1500];
  for (size_t i = 0; i < count; i++) assert_int_equal(wt_session_send_datagram(session->session, zeros, len), 0);
}

static void fill_stream(struct server_stream *stream) {
  static const uint8_t zeros[64 * 1024];
  size_t written;
  assert_int_equal(wt_stream_write(stream->stream, zeros, sizeof(zeros), &written), 0);
}

static struct server_stream *open_bulk(struct server_session *session) {
  int error;
  struct server_stream *stream = server_open(session, true, &error);
  assert_non_null(stream);
  return stream;
}

static size_t largest(const struct server_session *session) { return wt_session_max_datagram_size(session->session); }

/* --- Datagrams and a stream --- */

/* Both always have more to send, for `ms` milliseconds. */
static void run_both(struct sharing *s, struct server_stream *stream, size_t len, unsigned ms) {
  for (unsigned i = 0; i < ms; i++) {
    fill_stream(stream);
    send_datagrams(s->server, len, 2 * RATE / 1000 / len + 1);
    net_run_for(&s->pair.net, 1);
  }
}

/* Datagrams of `len` bytes; 0: the largest. The part of what arrives that is the stream's, in percent. */
static unsigned share_of_stream(size_t len) {
  struct sharing s;
  sharing_begin(&s);
  struct server_stream *stream = open_bulk(s.server);
  run_both(&s, stream, len ? len : largest(s.server), WARM_UP_MS);
  if (!len) len = largest(s.server);
  const struct server_stream *there = stream_opposite(&s.pair.client.records, stream);
  uint64_t stream_before = there ? there->rx_total : 0, datagrams_before = s.client->datagrams;
  run_both(&s, stream, len, MEASURED_MS);
  there = stream_opposite(&s.pair.client.records, stream);
  uint64_t streams = (there ? there->rx_total : 0) - stream_before;
  uint64_t datagrams = (s.client->datagrams - datagrams_before) * len;
  pair_free(&s.pair);
  assert_true(streams + datagrams > (uint64_t)RATE * MEASURED_MS / 1000 * 3 / 4); /* together they use the link */
  print_message("%zu bytes: %llu of streams, %llu of datagrams\n", len, (unsigned long long)streams,
                (unsigned long long)datagrams);
  return (unsigned)(streams * 100 / (streams + datagrams));
}

static void test_sharing_stream_has_a_quarter_beside_datagrams(void **state) {
  (void)state;
  assert_in_range(share_of_stream(0), 20, 30);
  assert_in_range(share_of_stream(100), 20, 30);
}

/* The other way round: what a stream leaves is the datagrams', which lose nothing of it. */
static void test_sharing_datagrams_at_a_rate_wait_for_no_stream(void **state) {
  (void)state;
  struct sharing s;
  sharing_begin(&s);
  struct server_stream *stream = open_bulk(s.server);
  for (unsigned i = 0; i < MEASURED_MS; i++) { /* half of the link */
    fill_stream(stream);
    send_datagrams(s.server, RATE / 2 / 1000, 1);
    net_run_for(&s.pair.net, 1);
  }
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(s.server->session, &stats), 0);
  print_message("waited %llu us at most, %llu on average\n", (unsigned long long)stats.max_datagram_queue_delay_us,
                (unsigned long long)stats.datagram_queue_delay_us);
  assert_int_equal(stats.datagrams_dropped_outgoing, 0);
  assert_in_range(stats.datagram_queue_delay_us, 0, 10000);
  pair_free(&s.pair);
}

/* A flood keeps neither an answer nor the end of the session from leaving. */
static void test_sharing_answers_and_capsules_pass_a_flood(void **state) {
  (void)state;
  struct sharing s;
  sharing_begin(&s);
  struct client_dial *dial = NULL;
  size_t len = largest(s.server);
  for (unsigned i = 0; i < WARM_UP_MS; i++) {
    send_datagrams(s.server, len, 2);
    if (i == WARM_UP_MS / 2) dial = client_dial(s.pair.link, "/wt", NULL, NULL); /* its answer is HTTP/3's */
    net_run_for(&s.pair.net, 1);
  }
  assert_int_equal(dial->replies, 1);
  struct server_session *other = session_opposite(&s.pair.server, dial->session);
  assert_int_equal(wt_session_close(other->session, 7, NULL, 0), 0);
  for (unsigned i = 0; i < WARM_UP_MS && !dial->session->closes; i++) {
    send_datagrams(s.server, len, 2);
    net_run_for(&s.pair.net, 1);
  }
  assert_int_equal(dial->session->closes, 1);
  assert_int_equal(dial->session->info.code, 7);
  pair_free(&s.pair);
}

/* --- Datagrams of several sessions --- */

/* A session that floods does not delay the datagrams of another one, large or small. */
static void test_sharing_sessions_have_equal_parts_of_the_datagrams(void **state) {
  (void)state;
  struct sharing s;
  sharing_begin(&s);
  struct server_session *client = client_session(&s.pair.client, s.pair.link, "/wt");
  struct server_session *server = session_opposite(&s.pair.server, client);
  size_t len = largest(s.server);
  for (unsigned i = 0; i < MEASURED_MS; i++) {
    send_datagrams(s.server, len, 10);
    send_datagrams(server, len, 1); /* more than half of the link, but no flood */
    net_run_for(&s.pair.net, 1);
  }
  uint64_t both = s.client->datagrams + client->datagrams;
  print_message("%llu of the flood, %llu of the other\n", (unsigned long long)s.client->datagrams,
                (unsigned long long)client->datagrams);
  assert_in_range(s.client->datagrams, both * 45 / 100, both * 55 / 100);
  for (unsigned i = 0; i < MEASURED_MS; i++) {
    send_datagrams(s.server, len, 10);
    if (i % 20 == 0) send_datagrams(server, 100, 1);
    net_run_for(&s.pair.net, 1);
  }
  struct wt_session_stats stats = {.size = sizeof(stats)};
  assert_int_equal(wt_session_get_stats(server->session, &stats), 0);
  assert_in_range(stats.datagram_queue_delay_us, 0, 10000);
  pair_free(&s.pair);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sharing_stream_has_a_quarter_beside_datagrams),
      cmocka_unit_test(test_sharing_datagrams_at_a_rate_wait_for_no_stream),
      cmocka_unit_test(test_sharing_answers_and_capsules_pass_a_flood),
      cmocka_unit_test(test_sharing_sessions_have_equal_parts_of_the_datagrams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
