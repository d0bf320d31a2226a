/* SPDX-License-Identifier: MIT */
/*
 * Two stacks of ours for a long time, and short of memory: a hundred thousand streams and ten thousand sessions on one
 * connection leave memory where it was, and each allocation that a session's life needs, on either side, may fail
 * without more harm than to what it was for.
 */
#include "base/mem.h"
#include "exchange.h"
#include "world.h"

#define MANY_STREAMS 100000
#define MANY_SESSIONS 10000
#define AT_ONCE 40
#define SLACK 64 /* blocks that ngtcp2 and nghttp3 hold for packets in flight come and go */

struct pair {
  struct net net;
  struct server server;
  struct client client;
  struct client_link *link;
  struct server_session *session;
  uint64_t finished; /* streams that the server saw to their end */
};

static void pair_init(struct pair *p) {
  memset(p, 0, sizeof(*p));
  net_init(&p->net, 1);
  p->net.link[0].delay = p->net.link[1].delay = 1 * NET_MS;
  server_init(&p->server, &p->net);
  client_init(&p->client, &p->net, 1);
}

static void pair_start(struct pair *p) {
  struct sockaddr_in address = server_address();
  p->server.config.h3.max_session_rate = 0; /* many, one after the other */
  server_start(&p->server);
  client_start(&p->client);
  p->link = client_connect(&p->client, &address, NULL);
}

static void pair_free(struct pair *p) {
  client_free(&p->client);
  server_free(&p->server);
  net_free(&p->net);
}

/* Ends its side of a stream whose other side has ended. */
static void hook_end(struct server *server, enum server_event event, struct server_session *session,
                     struct server_stream *stream) {
  struct pair *p = server->hook_ctx;
  (void)session;
  if (!stream || !stream->remote) return;
  if (event == SERVER_STREAM_CLOSE) p->finished++;
  if ((event == SERVER_DATA && stream->fin) || event == SERVER_RESET) {
    if (!stream->uni) (void)wt_stream_end(stream->stream);
  }
}

/* Neither side keeps records of what is over. */
static void pair_forget(struct pair *p) {
  p->server.frugal = p->server.forget = p->client.records.frugal = p->client.records.forget = p->client.forget = true;
  p->server.hook = p->client.records.hook = hook_end;
  p->server.hook_ctx = p->client.records.hook_ctx = p;
}

/* Bidirectional and unidirectional, by the client and the server, ended and reset. */
static void streams_run(struct pair *p, unsigned count) {
  uint64_t until = p->finished + count;
  for (unsigned i = 0; i < count;) {
    for (unsigned j = 0; j < AT_ONCE && i < count; j++) {
      struct server_session *opener = i % 3 ? p->session : p->server.last_session;
      size_t written;
      int error;
      struct server_stream *stream = server_open(opener, i % 4 == 3, &error);
      if (!stream) break;
      assert_int_equal(wt_stream_write(stream->stream, "some bytes", 10, &written), 0);
      assert_int_equal(i % 5 == 4 ? wt_stream_reset(stream->stream, i) : wt_stream_end(stream->stream), 0);
      i++;
    }
    net_run_for(&p->net, 3);
  }
  NET_UNTIL(&p->net, 10000, p->finished == until && !p->server.streams && !p->client.records.streams);
  net_run_for(&p->net, 1000);
}

static void test_sim_memory_is_flat_after_100000_streams(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_forget(&p);
  pair_start(&p);
  NET_UNTIL(&p.net, 1000, p.link->ready);
  assert_non_null(client_dial(p.link, "/wt", NULL, NULL));
  NET_UNTIL(&p.net, 1000, p.client.records.last_session && p.server.last_session);
  p.session = p.client.records.last_session;
  streams_run(&p, 2000); /* tables have their size then */
  int64_t live = wt__mem_live();
  streams_run(&p, MANY_STREAMS);
  int64_t growth = wt__mem_live() - live;
  print_message("count: %d streams on one connection, %lld blocks more than before\n", MANY_STREAMS, (long long)growth);
  if (growth > SLACK) fail_msg("%lld blocks more than before", (long long)growth);
  assert_int_equal(p.link->ends, 0);
  pair_free(&p);
}

static void sessions_run(struct pair *p, unsigned count) {
  for (unsigned i = 0; i < count; i++) {
    int error;
    assert_non_null(client_dial(p->link, i % 2 ? "/echo" : "/wt", NULL, NULL));
    NET_UNTIL(&p->net, 1000, p->client.records.last_session && p->server.last_session);
    struct server_session *sides[2] = {p->client.records.last_session, p->server.last_session};
    assert_int_equal(sides[0]->id, sides[1]->id);
    assert_non_null(server_open(sides[0], false, &error)); /* left open */
    assert_non_null(server_open(sides[1], true, &error));
    assert_int_equal(wt_session_send_datagram(sides[i % 2]->session, "datagram", 8), 0);
    if (i % 3) net_run_for(&p->net, 2);
    assert_int_equal(wt_session_close(sides[i / 2 % 2]->session, i, "next", 4), 0);
    NET_UNTIL(&p->net, 1000, !p->client.records.sessions && !p->server.sessions);
  }
  net_run_for(&p->net, 1000);
}

static void test_sim_memory_is_flat_after_10000_sessions(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_forget(&p);
  p.server.hook = p.client.records.hook = NULL;
  pair_start(&p);
  NET_UNTIL(&p.net, 1000, p.link->ready);
  sessions_run(&p, 200);
  int64_t live = wt__mem_live();
  sessions_run(&p, MANY_SESSIONS);
  int64_t growth = wt__mem_live() - live;
  print_message("count: %d sessions on one connection, %lld blocks more than before\n", MANY_SESSIONS,
                (long long)growth);
  if (growth > SLACK) fail_msg("%lld blocks more than before", (long long)growth);
  assert_int_equal(p.server.counters.sessions_open, 0);
  assert_int_equal(p.server.counters.sessions_total, MANY_SESSIONS + 200);
  assert_int_equal(p.link->ends, 0);
  pair_free(&p);
}

/* --- Each allocation failing in turn --- */

static struct server_stream *life_open(struct server_session *session, bool uni, const char *text, bool end) {
  int error;
  size_t written;
  if (!session || !session->session) return NULL;
  struct server_stream *stream = server_open(session, uni, &error);
  if (!stream) return NULL;
  (void)wt_stream_write(stream->stream, text, strlen(text), &written);
  if (end) (void)wt_stream_end(stream->stream);
  return stream;
}

static void asked_write(struct client *client, struct client_dial *dial) {
  (void)client;
  (void)life_open(dial->asked, false, "at once", true);
  (void)life_open(dial->asked, true, "at once", false);
  (void)wt_session_send_datagram(dial->asked->session, "d", 1);
}

/* A session's life, which may go wrong anywhere, on both sides. Returns whether all of it went well. */
static bool session_life(struct pair *p) {
  struct sockaddr_in address = server_address();
  p->link = client_connect(&p->client, &address, NULL);
  if (!p->link) return false;
  static const char *const protocols[] = {"one", "two"};
  struct wt__h3_dial_options options;
  client_dial_options(&options, "/echo");
  options.protocols = protocols;
  options.protocol_count = 2;
  struct client_dial *dial = client_dial(p->link, "/echo", &options, NULL);
  net_run_for(&p->net, 100);
  if (!dial || !dial->session) return false;
  struct server_session *session = dial->session, *other = server_session(&p->server, 0);
  struct server_stream *bidi = life_open(session, false, "hello", true), *uni = life_open(session, true, "one", true);
  struct server_stream *back = life_open(other, false, "from the server", false);
  struct server_stream *reset = life_open(session, false, "reset", false);
  if (session->session) (void)wt_session_send_datagram(session->session, "d", 1);
  net_run_for(&p->net, 30);
  if (reset && reset->stream) (void)wt_stream_reset(reset->stream, 5);
  if (back && back->stream) (void)wt_stream_stop_sending(back->stream, 6);
  net_run_for(&p->net, 30);
  bool well = bidi && bidi->fin && bidi->rx.len == 5 && uni && back && reset && session->datagrams == 1;
  if (session->session) (void)wt_session_close(session->session, 7, "over", 4);
  net_run_for(&p->net, 100);
  well = well && session->closes == 1 && other && other->closes == 1 && other->info.code == 7;
  if (p->link->h3) wt__h3_conn_close(p->link->h3);
  net_run_for(&p->net, 100);
  return well;
}

/* Whether the failure that was ordered is still to come: then the run made fewer allocations. */
static bool failure_pending(void) {
  for (int i = 0; i < 100000; i++) {
    void *block = wt__malloc(1);
    if (!block) return true;
    wt__free(block);
  }
  return false;
}

typedef bool (*life)(struct pair *p);

static bool life_with_failure(life run, size_t count, bool *well) {
  struct pair p;
  pair_init(&p);
  server_start(&p.server);
  client_start(&p.client);
  wt__mem_fail_after(count);
  *well = run(&p);
  bool pending = failure_pending();
  wt__mem_fail_after(SIZE_MAX);
  /* Whatever failed: the next connection of the same client is served. */
  struct sockaddr_in address = server_address();
  struct client_link *next = client_connect(&p.client, &address, NULL);
  assert_non_null(next);
  client_session(&p.client, next, "/wt");
  pair_free(&p);
  return !pending;
}

static void life_fails_everywhere(life run, const char *what) {
  size_t count = 0, well = 0;
  for (; count < 5000; count++) {
    bool good = false;
    if (!life_with_failure(run, count, &good)) break;
    well += good;
  }
  print_message("count: %s, both sides, each of %zu allocations failed, %zu of the failures harmed nothing\n", what,
                count, well);
  assert_in_range(count, 100, 4999); /* all of them were tried */
  bool good = false;
  assert_false(life_with_failure(run, count + 1000, &good)); /* and without any failure all goes well */
  assert_true(good);
}

static void test_sim_memory_each_allocation_of_a_session_may_fail(void **state) {
  (void)state;
  life_fails_everywhere(session_life, "a session");
}

/* A session that is used before the answer, another that is refused. */
static bool optimistic_life(struct pair *p) {
  struct sockaddr_in address = server_address();
  struct wt__h3_dial_options options;
  p->link = client_connect(&p->client, &address, NULL);
  if (!p->link) return false;
  client_dial_options(&options, "/echo");
  options.optimistic = true;
  p->client.on_asked = asked_write;
  struct client_dial *good = client_dial(p->link, "/echo", &options, NULL);
  options.path = "/hello";
  struct client_dial *bad = client_dial(p->link, "/hello", &options, NULL);
  net_run_for(&p->net, 100);
  bool well = good && good->session && good->session->datagrams == 1 && bad && bad->asked && bad->asked->closes == 1;
  if (p->link->h3) wt__h3_conn_close(p->link->h3);
  net_run_for(&p->net, 100);
  p->client.on_asked = NULL;
  return well;
}

static void test_sim_memory_each_allocation_of_optimistic_sessions_may_fail(void **state) {
  (void)state;
  life_fails_everywhere(optimistic_life, "optimistic sessions");
}

/* A plain request that is streamed both ways, one that is whole, one that is cancelled. */
static bool exchange_life(struct pair *p) {
  struct sockaddr_in address = server_address();
  struct wt__exchange_options options;
  p->link = client_connect(&p->client, &address, NULL);
  if (!p->link) return false;
  exchange_options(&options, "POST", "/post");
  options.has_body = true;
  struct client_exchange *streamed = exchange_on(p->link, "", "", &options);
  if (streamed) exchange_upload(streamed, 3000, 1);
  net_run_for(&p->net, 50);
  options.has_body = false;
  options.body = "whole";
  options.body_len = 5;
  struct client_exchange *whole = p->link->h3 ? exchange_on(p->link, "", "", &options) : NULL;
  struct client_exchange *later = p->link->h3 ? exchange_on(p->link, "GET", "/later", NULL) : NULL;
  net_run_for(&p->net, 50);
  if (later && later->exchange) wt_exchange_cancel(later->exchange);
  /* An upload that lost its bytes for want of memory goes on no more. */
  if (streamed && streamed->exchange) wt_exchange_cancel(streamed->exchange);
  net_run_for(&p->net, 50);
  bool well = streamed && streamed->closes && streamed->error == 0 && streamed->body.len == 3000 && whole &&
              whole->closes && whole->error == 0 && whole->body.len == 5 && later && later->closes;
  if (p->link->h3) wt__h3_conn_close(p->link->h3);
  net_run_for(&p->net, 100);
  return well;
}

static void test_sim_memory_each_allocation_of_exchanges_may_fail(void **state) {
  (void)state;
  life_fails_everywhere(exchange_life, "exchanges");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sim_memory_is_flat_after_100000_streams),
      cmocka_unit_test(test_sim_memory_is_flat_after_10000_sessions),
      cmocka_unit_test(test_sim_memory_each_allocation_of_a_session_may_fail),
      cmocka_unit_test(test_sim_memory_each_allocation_of_optimistic_sessions_may_fail),
      cmocka_unit_test(test_sim_memory_each_allocation_of_exchanges_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
