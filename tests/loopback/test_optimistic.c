/* SPDX-License-Identifier: MIT */
/*
 * Sessions that our client uses before the server has answered: what it sends at once arrives, what comes back waits for
 * the answer, and a refusal ends them first.
 */
#include "pair.h"

/* What the client heard of a session before its dial was replied to, but for room to write. */
static unsigned heard_early;
static struct client_dial *the_dial;

static void hear(struct server *records, enum server_event event, struct server_session *session,
                 struct server_stream *stream) {
  (void)records, (void)session, (void)stream;
  if (event == SERVER_UPGRADED || event == SERVER_WRITABLE) return;
  if (the_dial && the_dial->replies == 0) heard_early++;
}

static struct server_stream *opened_bidi, *opened_uni;
static const char *const text = "before the answer";

static void use_at_once(struct client *client, struct client_dial *dial) {
  struct server_session *session = dial->asked;
  int error;
  size_t written;
  (void)client;
  opened_bidi = server_open(session, false, &error);
  opened_uni = server_open(session, true, &error);
  assert_non_null(opened_bidi);
  assert_non_null(opened_uni);
  assert_int_equal(wt_stream_write(opened_bidi->stream, text, strlen(text), &written), 0);
  assert_int_equal(wt_stream_end(opened_bidi->stream), 0);
  assert_int_equal(wt_stream_write(opened_uni->stream, text, strlen(text), &written), 0);
  assert_int_equal(wt_session_send_datagram(session->session, text, strlen(text)), 0);
  assert_string_equal(wt_session_protocol(session->session), "");
}

static void optimistic_init(struct pair *p) {
  pair_init(p);
  p->client.on_asked = use_at_once;
  p->client.records.hook = hear;
  heard_early = 0;
  the_dial = NULL;
  opened_bidi = opened_uni = NULL;
}

static struct client_dial *optimistic_dial(struct pair *p, const char *path) {
  struct wt__h3_dial_options options;
  client_dial_options(&options, path);
  options.optimistic = true;
  the_dial = client_dial(p->link, path, &options, NULL);
  assert_non_null(the_dial);
  return the_dial;
}

/* --- Accepted --- */

static void test_optimistic_streams_and_datagrams_leave_with_the_request(void **state) {
  (void)state;
  struct pair p;
  optimistic_init(&p);
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  net_run_for(&p.net, 500);
  uint64_t begun = p.net.now;
  struct client_dial *dial = optimistic_dial(&p, "/wt");
  dial->echo = true;
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0) && server_session(&p.server, 0)->streams == 2);
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0)->datagrams == 1);
  struct server_session *other = server_session(&p.server, 0);
  for (size_t i = 0; i < 2; i++) {
    struct server_stream *stream = server_stream(other, i);
    NET_UNTIL(&p.net, 1000, stream->rx.len == strlen(text));
    assert_memory_equal(stream->rx.data, text, strlen(text));
  }
  assert_true(p.net.now - begun < 20 * NET_MS); /* one way takes 10: nothing waited for the answer */
  assert_int_equal(dial->replies, 0);
  NET_UNTIL(&p.net, 1000, dial->replies);
  assert_int_equal(dial->error, 0);
  assert_ptr_equal(dial->session, dial->asked);
  assert_int_equal(heard_early, 0);
  pair_free(&p);
}

/* The echo of a stream overtakes the answer, which was lost. */
struct lose {
  unsigned left;
};

static enum net_verdict lose_first(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  struct lose *lose = ctx;
  (void)index, (void)data;
  if (direction != NET_TO_CLIENT || lose->left == 0 || len < 40) return NET_PASS;
  lose->left--;
  return NET_DROP;
}

static void test_optimistic_session_hears_nothing_before_the_answer(void **state) {
  (void)state;
  struct pair p;
  struct lose lose = {0};
  int error;
  size_t written;
  optimistic_init(&p);
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  net_run_for(&p.net, 500);
  lose.left = 1;
  p.net.filter = lose_first;
  p.net.filter_ctx = &lose;
  struct client_dial *dial = optimistic_dial(&p, "/wt");
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0) && lose.left == 0);
  struct server_session *other = server_session(&p.server, 0);
  NET_UNTIL(&p.net, 1000, other->streams == 2);
  /* All of what a session can hear: data, the end, a stop, a reset, a datagram, a stream of the server, drain. */
  struct server_stream *back = server_stream(other, 0)->uni ? server_stream(other, 1) : server_stream(other, 0);
  struct server_stream *uni = server_stream(other, 0)->uni ? server_stream(other, 0) : server_stream(other, 1);
  struct server_stream *fresh = server_open(other, true, &error);
  assert_int_equal(wt_stream_write(back->stream, "back", 4, &written), 0);
  assert_int_equal(wt_stream_end(back->stream), 0);
  assert_int_equal(wt_stream_stop_sending(uni->stream, 7), 0);
  assert_int_equal(wt_stream_write(fresh->stream, "fresh", 5, &written), 0);
  assert_int_equal(wt_session_send_datagram(other->session, "datagram", 8), 0);
  net_run_for(&p.net, 11);
  assert_int_equal(dial->replies, 0);
  assert_int_equal(heard_early, 0);
  NET_UNTIL(&p.net, 2000, dial->replies);
  assert_int_equal(dial->error, 0);
  assert_int_equal(heard_early, 0);
  NET_UNTIL(&p.net, 1000, opened_bidi->closes && opened_uni->stops && dial->session->streams == 1);
  NET_UNTIL(&p.net, 1000, dial->session->datagrams == 1);
  assert_true(opened_bidi->fin);
  assert_memory_equal(opened_bidi->rx.data, "back", 4);
  assert_int_equal(opened_uni->stop_error.code, 7);
  pair_free(&p);
}

static void test_optimistic_session_learns_its_subprotocol_from_the_answer(void **state) {
  (void)state;
  static const char *const protocols[] = {"one", "two"}, *const other[] = {"three"};
  for (int required = 0; required < 2; required++) {
    struct pair p;
    struct wt__h3_dial_options options;
    optimistic_init(&p);
    p.server.protocols = required ? other : protocols + 1;
    p.server.protocol_count = 1;
    pair_connect(&p);
    client_dial_options(&options, "/wt");
    options.optimistic = true;
    options.protocols = protocols;
    options.protocol_count = 2;
    options.require_protocol = required;
    the_dial = client_dial(p.link, "/wt", &options, NULL);
    NET_UNTIL(&p.net, 5000, the_dial->replies);
    if (required) {
      assert_int_equal(the_dial->error, WT_ERR_SUBPROTOCOL);
      assert_int_equal(the_dial->asked->closes, 1);
      assert_int_equal(the_dial->asked->info.wire_code, WT__WT_ALPN_ERROR);
    } else {
      assert_int_equal(the_dial->error, 0);
      assert_string_equal(wt_session_protocol(the_dial->session->session), "two");
    }
    pair_free(&p);
  }
}

static void test_optimistic_sessions_count_once_against_the_limit(void **state) {
  (void)state;
  struct pair p;
  struct client_dial *dials[4];
  optimistic_init(&p);
  p.client.config.h3.max_sessions_per_connection = 3;
  pair_connect(&p);
  assert_true(wt__h3_conn_may_dial(p.link->h3)); /* the first */
  dials[0] = optimistic_dial(&p, "/wt");
  assert_false(wt__h3_conn_may_dial(p.link->h3)); /* nobody knows yet how many there may be */
  NET_UNTIL(&p.net, 5000, p.link->ready && dials[0]->asked);
  for (int i = 1; i < 3; i++) {
    assert_true(wt__h3_conn_may_dial(p.link->h3));
    dials[i] = optimistic_dial(&p, "/wt");
  }
  assert_false(wt__h3_conn_may_dial(p.link->h3));
  dials[3] = optimistic_dial(&p, "/wt");
  for (int i = 0; i < 4; i++) {
    NET_UNTIL(&p.net, 1000, dials[i]->replies);
    assert_int_equal(dials[i]->error, i < 3 ? 0 : WT_ERR_SESSION_LIMIT);
  }
  assert_null(dials[3]->asked);
  assert_false(wt__h3_conn_may_dial(p.link->h3));
  assert_int_equal(wt_session_close(dials[0]->session->session, 0, NULL, 0), 0);
  NET_UNTIL(&p.net, 1000, dials[0]->session->closes);
  assert_true(wt__h3_conn_may_dial(p.link->h3));
  pair_free(&p);
}

/* --- Refused --- */

/* The server has the request and leaves it unanswered. */
static struct client_dial *optimistic_later(struct pair *p) {
  optimistic_init(p);
  pair_connect(p);
  struct client_dial *dial = optimistic_dial(p, "/later");
  NET_UNTIL(&p->net, 5000, server_request(&p->server, 0));
  return dial;
}

static void refused(struct pair *p, struct client_dial *dial, int error, enum wt_party by) {
  NET_UNTIL(&p->net, 20000, dial->replies);
  assert_int_equal(dial->error, error);
  assert_null(dial->session);
  assert_true(dial->message[0] != '\0');
  assert_int_equal(dial->asked->closes, 1);
  assert_false(dial->asked->info.clean);
  assert_int_equal(dial->asked->info.by, by);
  assert_int_equal(opened_bidi->closes, 1);
  assert_int_equal(opened_uni->closes, 1);
  assert_true(opened_bidi->closed_at < dial->asked->closed_at);
}

static void test_optimistic_session_that_is_refused_ends_before_its_dial(void **state) {
  (void)state;
  struct pair p;
  optimistic_init(&p);
  pair_connect(&p);
  struct client_dial *dial = optimistic_dial(&p, "/hello");
  refused(&p, dial, WT_ERR_REJECTED, WT_PEER);
  assert_int_equal(dial->status, 405);
  NET_UNTIL(&p.net, 1000, p.link->unused == 1);
  client_session(&p.client, p.link, "/wt"); /* the connection is as good as before */
  pair_free(&p);
}

static void test_optimistic_session_that_is_refused_late_ends_before_its_dial(void **state) {
  (void)state;
  struct pair p;
  struct client_dial *dial = optimistic_later(&p);
  net_run_for(&p.net, 1000);
  assert_int_equal(dial->asked->closes, 0);
  assert_int_equal(wt_request_respond(server_request(&p.server, 0)->request, 503, NULL, 0, NULL, 0), 0);
  refused(&p, dial, WT_ERR_REJECTED, WT_PEER);
  assert_int_equal(dial->status, 503);
  pair_free(&p);
}

static void test_optimistic_dial_can_be_cancelled(void **state) {
  (void)state;
  struct pair p;
  struct client_dial *dial = optimistic_later(&p);
  wt__h3_dial_cancel(dial->dial);
  assert_int_equal(dial->asked->closes, 0); /* not from inside the call */
  refused(&p, dial, WT_ERR_CLOSED, WT_LOCAL);
  NET_UNTIL(&p.net, 1000, server_request(&p.server, 0)->closes);
  pair_free(&p);
}

static void cancel_at_once(struct client *client, struct client_dial *dial) {
  use_at_once(client, dial);
  wt__h3_dial_cancel(dial->dial);
}

static void test_optimistic_dial_can_be_cancelled_inside_on_asked(void **state) {
  (void)state;
  struct pair p;
  optimistic_init(&p);
  p.client.on_asked = cancel_at_once;
  pair_connect(&p);
  struct client_dial *dial = optimistic_dial(&p, "/later");
  refused(&p, dial, WT_ERR_CLOSED, WT_LOCAL);
  pair_free(&p);
}

static void test_optimistic_session_ends_with_its_connection(void **state) {
  (void)state;
  struct pair p;
  struct client_dial *dial = optimistic_later(&p);
  wt__h3_conn_close(p.link->h3);
  NET_UNTIL(&p.net, 1000, p.link->ends);
  refused(&p, dial, WT_ERR_CLOSED, WT_LOCAL);
  pair_free(&p);
}

static void test_optimistic_session_is_left_aside_by_a_server_that_goes_away(void **state) {
  (void)state;
  struct pair p;
  optimistic_init(&p);
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  struct client_dial *dial = optimistic_dial(&p, "/wt");
  NET_UNTIL(&p.net, 1000, dial->asked);
  wt__endpoint_shutdown(p.server.endpoint, p.net.now); /* its GOAWAY crosses the request */
  NET_UNTIL(&p.net, 1000, dial->replies);
  assert_int_equal(dial->error, WT_ERR_CLOSED);
  assert_non_null(strstr(dial->message, "going away"));
  assert_int_equal(dial->asked->info.by, WT_PEER);
  assert_int_equal(dial->asked->closes, 1);
  pair_free(&p);
}

/* --- A bad network --- */

static void test_optimistic_sessions_on_a_network_that_loses_and_reorders(void **state) {
  (void)state;
  enum {
    SEEDS = 30
  };
  unsigned accepted = 0;
  for (unsigned seed = 1; seed <= SEEDS; seed++) {
    struct pair p;
    optimistic_init(&p);
    p.net.random = seed;
    for (int i = 0; i < 2; i++) {
      p.net.link[i].loss = p.net.link[i].duplicate = 100;
      p.net.link[i].reorder = 200;
      p.net.link[i].reorder_by = 30 * NET_MS;
    }
    pair_connect(&p);
    struct client_dial *dial = optimistic_dial(&p, seed % 3 ? "/wt" : "/hello");
    NET_UNTIL(&p.net, 30000, dial->replies);
    assert_int_equal(heard_early, seed % 3 ? 0 : 3); /* a refusal ends two streams and the session first */
    assert_int_equal(dial->error, seed % 3 ? 0 : WT_ERR_REJECTED);
    if (dial->session) {
      accepted++;
      NET_UNTIL(&p.net, 30000, server_session(&p.server, 0) && server_session(&p.server, 0)->streams == 2);
      for (size_t i = 0; i < 2; i++) {
        struct server_stream *stream = server_stream(server_session(&p.server, 0), i);
        NET_UNTIL(&p.net, 30000, stream->rx.len == strlen(text));
      }
    }
    pair_free(&p);
  }
  print_message("count: %d runs on a bad network, %u sessions\n", SEEDS, accepted);
}

/* --- Closed by the application before the answer --- */

static void close_at_once(struct client *client, struct client_dial *dial) {
  use_at_once(client, dial);
  assert_int_equal(wt_session_close(dial->asked->session, 9, "changed my mind", 15), 0);
}

static void test_optimistic_session_that_was_closed_ends_after_the_answer(void **state) {
  (void)state;
  struct pair p;
  optimistic_init(&p);
  p.client.on_asked = close_at_once;
  pair_connect(&p);
  struct client_dial *dial = optimistic_dial(&p, "/wt");
  NET_UNTIL(&p.net, 5000, dial->asked);
  uint64_t steps = p.net.steps;
  net_run_for(&p.net, 15);
  assert_true(p.net.steps - steps < 100); /* waiting is no busy loop */
  assert_int_equal(dial->asked->closes, 0);
  NET_UNTIL(&p.net, 1000, dial->replies && dial->asked->closes);
  assert_int_equal(dial->error, 0);
  assert_int_equal(heard_early, 0);
  assert_int_equal(dial->asked->info.by, WT_LOCAL);
  NET_UNTIL(&p.net, 1000, server_session(&p.server, 0) && server_session(&p.server, 0)->closes);
  assert_int_equal(server_session(&p.server, 0)->info.code, 9);
  assert_string_equal(server_session(&p.server, 0)->reason, "changed my mind");
  NET_UNTIL(&p.net, 1000, p.link->unused == 1);
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_optimistic_streams_and_datagrams_leave_with_the_request),
      cmocka_unit_test(test_optimistic_session_hears_nothing_before_the_answer),
      cmocka_unit_test(test_optimistic_session_learns_its_subprotocol_from_the_answer),
      cmocka_unit_test(test_optimistic_sessions_count_once_against_the_limit),
      cmocka_unit_test(test_optimistic_session_that_is_refused_ends_before_its_dial),
      cmocka_unit_test(test_optimistic_session_that_is_refused_late_ends_before_its_dial),
      cmocka_unit_test(test_optimistic_dial_can_be_cancelled),
      cmocka_unit_test(test_optimistic_dial_can_be_cancelled_inside_on_asked),
      cmocka_unit_test(test_optimistic_session_ends_with_its_connection),
      cmocka_unit_test(test_optimistic_session_is_left_aside_by_a_server_that_goes_away),
      cmocka_unit_test(test_optimistic_sessions_on_a_network_that_loses_and_reorders),
      cmocka_unit_test(test_optimistic_session_that_was_closed_ends_after_the_answer),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
