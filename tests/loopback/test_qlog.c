/* SPDX-License-Identifier: MIT */
/*
 * The qlog of both ends of a connection: ngtcp2's records and ours in one log, with times that never go back, from a first
 * record to a last call.
 */
#include <stdlib.h>
#include <string.h>

#include "pair.h"

#define LOG_MAX 262144

struct notes {
  char text[LOG_MAX];
  size_t len, calls, lasts;
  char connection[64];
};

static void on_qlog(const char *connection, void **log, const void *data, size_t len, bool last, void *user_data) {
  struct notes *notes = user_data;
  assert_int_equal(notes->lasts, 0);
  assert_ptr_equal(*log, notes->calls ? notes : NULL);
  *log = notes;
  notes->calls++;
  notes->lasts += last;
  (void)snprintf(notes->connection, sizeof(notes->connection), "%s", connection);
  assert_true(notes->len + len < sizeof(notes->text));
  memcpy(notes->text + notes->len, data, len);
  notes->len += len;
  if (len == 0) return;
  assert_int_equal(notes->text[notes->len - len], 0x1e);
  assert_int_equal(notes->text[notes->len - 1], '\n');
}

struct bed {
  struct pair pair;
  struct notes *theirs, *mine; /* of the server, of the client */
};

static void bed_ready(struct bed *bed) {
  bed->theirs = calloc(1, sizeof(*bed->theirs));
  bed->mine = calloc(1, sizeof(*bed->mine));
  assert_true(bed->theirs && bed->mine);
  pair_init(&bed->pair);
  bed->pair.server.config.qlog = (struct wt__qlog_sink){on_qlog, bed->theirs};
  bed->pair.client.config.qlog = (struct wt__qlog_sink){on_qlog, bed->mine};
  pair_connect(&bed->pair);
  NET_UNTIL(&bed->pair.net, 1000, bed->pair.link->ready);
}

/* Times never go back. */
static void check_times(const struct notes *notes) {
  unsigned long before = 0;
  for (const char *at = notes->text; (at = strstr(at, "\x1e{\"time\":")) != NULL; at++) {
    unsigned long now = strtoul(at + 9, NULL, 10);
    assert_true(now >= before);
    before = now;
  }
}

static void bed_free(struct bed *bed) {
  pair_free(&bed->pair);
  assert_int_equal(bed->theirs->lasts, 1);
  assert_int_equal(bed->mine->lasts, 1);
  assert_string_equal(bed->theirs->connection, bed->mine->connection);
  check_times(bed->theirs);
  check_times(bed->mine);
  free(bed->theirs);
  free(bed->mine);
}

static size_t count(const struct notes *notes, const char *part) {
  size_t found = 0;
  for (const char *at = notes->text; (at = strstr(at, part)) != NULL; at++) found++;
  return found;
}

static void test_qlog_of_both_ends_has_one_beginning_and_one_end(void **state) {
  struct bed bed;
  (void)state;
  bed_ready(&bed);
  struct notes *both[] = {bed.theirs, bed.mine};
  NET_UNTIL(&bed.pair.net, 1000, count(bed.theirs, "\"new\":\"handshake_complete\""));
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(strncmp(both[i]->text, "\x1e{\"qlog_format\":\"JSON-SEQ\"", 26), 0);
    assert_int_equal(count(both[i], "\"qlog_format\""), 1);
    assert_int_equal(count(both[i], "connectivity:connection_started"), 1);
    assert_int_equal(count(both[i], "\"new\":\"handshake_complete\""), 1);
    assert_int_equal(count(both[i], "transport:parameters_set"), 2);
    assert_true(count(both[i], "transport:packet_sent") > 2);
    assert_int_equal(count(both[i], "connectivity:connection_closed"), 0);
  }
  wt__endpoint_close(bed.pair.client.endpoint, bed.pair.net.now);
  NET_UNTIL(&bed.pair.net, 1000, bed.theirs->lasts == 1 && bed.mine->lasts == 1);
  assert_int_equal(count(bed.mine,
                         "connectivity:connection_closed\",\"data\":{\"owner\":\"local\",\"trigger\":\"local\","
                         "\"application_code\":256,\"code_name\":\"H3_NO_ERROR\""),
                   1);
  assert_int_equal(count(bed.theirs, "connectivity:connection_closed\",\"data\":{\"owner\":\"remote\","), 1);
  bed_free(&bed);
}

static void test_qlog_has_sessions_streams_and_capsules(void **state) {
  struct bed bed;
  size_t written;
  int error = 0;
  (void)state;
  bed_ready(&bed);
  struct server_session *session = client_session(&bed.pair.client, bed.pair.link, "/wt?a=\"b\"");
  struct server_stream *stream = server_open(session, false, &error);
  assert_non_null(stream);
  assert_int_equal(wt_stream_write(stream->stream, "abc", 3, &written), 0);
  NET_UNTIL(&bed.pair.net, 1000, count(bed.theirs, "webtransport:stream_opened"));
  assert_int_equal(wt_stream_reset(stream->stream, 5), 0);
  assert_int_equal(wt_stream_stop_sending(stream->stream, 6), 0);
  NET_UNTIL(&bed.pair.net, 1000, count(bed.theirs, "webtransport:stream_stopped"));
  NET_UNTIL(&bed.pair.net, 1000, count(bed.theirs, "webtransport:stream_reset"));
  assert_int_equal(wt_session_close(session->session, 3, "a\"b\\", 4), 0);
  NET_UNTIL(&bed.pair.net, 1000, count(bed.theirs, "webtransport:session_closed"));
  struct notes *both[] = {bed.theirs, bed.mine};
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(
        count(both[i], "webtransport:session_opened\",\"data\":{\"session_id\":0,\"path\":\"/wt?a=\\\"b\\\"\","), 1);
    assert_int_equal(count(both[i], "webtransport:stream_opened"), 1);
    assert_int_equal(count(both[i], "webtransport:stream_reset"), 1);
    assert_int_equal(count(both[i], "webtransport:session_closed"), 1);
    assert_int_equal(count(both[i], "\"code\":3,\"reason\":\"a\\\"b\\\\\""), 1);
    assert_int_equal(count(both[i], "\"capsule\":\"CLOSE_SESSION\""), 1);
  }
  assert_int_equal(count(bed.mine, "stream_reset\",\"data\":{\"stream_id\":4,\"session_id\":0,\"owner\":\"local\""), 1);
  assert_int_equal(count(bed.theirs, "stream_reset\",\"data\":{\"stream_id\":4,\"session_id\":0,\"owner\":\"remote\""),
                   1);
  assert_int_equal(
      count(bed.theirs, "stream_stopped\",\"data\":{\"stream_id\":4,\"session_id\":0,\"owner\":\"remote\""), 1);
  assert_int_equal(count(bed.theirs, ",\"code\":5}"), 1);
  bed_free(&bed);
}

static void test_qlog_tells_which_datagrams_are_dropped(void **state) {
  struct bed bed;
  (void)state;
  bed_ready(&bed);
  struct server_session *session = client_session(&bed.pair.client, bed.pair.link, "/wt");
  size_t max = bed.pair.client.config.h3.mux.max_datagrams_queued;
  for (size_t i = 0; i < max + 3; i++) assert_int_equal(wt_session_send_datagram(session->session, "x", 1), 0);
  assert_int_equal(count(bed.mine, "webtransport:datagram_dropped\",\"data\":{\"session_id\":0,\"direction\":\"sent\","
                                   "\"why\":\"queue_full\"}"),
                   3);
  bed_free(&bed);
}

static void test_qlog_ends_with_a_connection_that_is_dropped(void **state) {
  struct bed bed;
  (void)state;
  bed_ready(&bed);
  assert_int_equal(bed.theirs->lasts, 0);
  bed_free(&bed); /* without a word: each log gets its last call */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_qlog_of_both_ends_has_one_beginning_and_one_end),
      cmocka_unit_test(test_qlog_has_sessions_streams_and_capsules),
      cmocka_unit_test(test_qlog_tells_which_datagrams_are_dropped),
      cmocka_unit_test(test_qlog_ends_with_a_connection_that_is_dropped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
