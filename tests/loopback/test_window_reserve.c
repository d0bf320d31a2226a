/* SPDX-License-Identifier: MIT */
/*
 * A connection's window that is full of bytes that nobody reads: capsules find room all the same, or two ends that wait
 * for each other would never hear of it.
 */
#include "pair.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void pause_stream(struct server *server, enum server_event event, struct server_session *session,
                         struct server_stream *stream) {
  (void)server, (void)session;
  if (event == SERVER_STREAM) wt_stream_pause(stream->stream);
}

/* A session at /wt, on three streams of which the client has written more than the connection's window. */
static struct server_session *window_fill(struct pair *p) {
  static const uint8_t zeros[100 * 1024];
  pair_init(p);
  p->server.hook = pause_stream;
  p->server.config.initial_max_data = p->server.config.max_data = 64 * 1024;
  pair_connect(p);
  NET_UNTIL(&p->net, 5000, p->link->ready);
  struct server_session *session = client_session(&p->client, p->link, "/wt");
  for (int i = 0; i < 3; i++) {
    int error;
    size_t written;
    struct server_stream *stream = server_open(session, i == 0, &error);
    assert_non_null(stream);
    assert_int_equal(wt_stream_write(stream->stream, zeros, sizeof(zeros), &written), 0);
    assert_int_equal(written, sizeof(zeros));
  }
  net_run_for(&p->net, 1000);
  return session;
}

static void test_window_full_of_unread_bytes_lets_the_close_capsule_through(void **state) {
  struct pair p;
  (void)state;
  struct server_session *session = window_fill(&p), *other = session_opposite(&p.server, session);
  assert_int_equal(wt_session_close(session->session, 7, "enough", 6), 0);
  NET_UNTIL(&p.net, 500, other->closes);
  assert_int_equal(other->info.code, 7);
  assert_string_equal(other->reason, "enough");
  assert_true(other->info.clean);
  pair_free(&p);
}

static void test_window_full_of_unread_bytes_lets_a_drain_through(void **state) {
  struct pair p;
  (void)state;
  struct server_session *session = window_fill(&p), *other = session_opposite(&p.server, session);
  wt_session_drain(session->session);
  NET_UNTIL(&p.net, 500, other->drains);
  pair_free(&p);
}

/* The reserve is a part of what the peer allows: one that allows little still gets bytes. */
static void test_window_of_few_bytes_carries_streams(void **state) {
  struct pair p;
  size_t written;
  int error;
  char text[2000];
  (void)state;
  memset(text, 'x', sizeof(text));
  pair_init(&p);
  p.server.config.initial_max_data = p.server.config.max_data = 1000;
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  struct server_session *session = client_session(&p.client, p.link, "/wt");
  struct server_stream *stream = server_open(session, true, &error);
  assert_int_equal(wt_stream_write(stream->stream, text, sizeof(text), &written), 0);
  assert_int_equal(wt_stream_end(stream->stream), 0);
  NET_UNTIL(&p.net, 5000, stream_opposite(&p.server, stream) && stream_opposite(&p.server, stream)->fin);
  assert_int_equal(stream_opposite(&p.server, stream)->rx_total, sizeof(text));
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_window_full_of_unread_bytes_lets_the_close_capsule_through),
      cmocka_unit_test(test_window_full_of_unread_bytes_lets_a_drain_through),
      cmocka_unit_test(test_window_of_few_bytes_carries_streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
