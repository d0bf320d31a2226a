/* SPDX-License-Identifier: MIT */
/*
 * Several sessions on one connection (draft-ietf-webtrans-http3-16, sections 3.4, 4.8 and 5.2): that they do not
 * disturb each other, how many there may be, who goes first, and that their keying material differs.
 */
#include <gnutls/gnutls.h>

#include "world.h"

static const uint64_t settings_pooling[] = {0x33, 1, 0x2c7cf000, 1, 0x2b61, 1 << 20, 0x2b64, 100, 0x2b65, 100};

static void pooling_init(struct world *w) {
  world_init(w, 1);
  w->options.settings = settings_pooling;
  w->options.settings_count = 5;
  w->options.reset_at = PEER_RESET_AT;
}

static struct server_session *pooling_session(struct world *w, const char *path, int64_t *id) {
  return server_connect(&w->server, w->peer, path, id);
}

/* One with a `priority` field. */
static struct server_session *pooling_session_priority(struct world *w, const char *priority, int64_t *id) {
  const struct field fields[] = {{"priority", priority}, {NULL, NULL}};
  size_t before = 0;
  while (server_session(&w->server, before)) before++;
  NET_UNTIL(&w->net, 1000, w->peer->control >= 0);
  *id = http_connect(w->peer, "webtransport-h3", "/wt", NULL, fields);
  NET_UNTIL(&w->net, 1000, http_status(w->peer, *id) == 200);
  return server_session(&w->server, before);
}

/* An echo of 1,000 bytes. */
static void pooling_echo(struct world *w, int64_t session, bool uni) {
  uint8_t *data = pattern_new(1000, 5);
  int64_t id = peer_wt_open(w->peer, uni, session, data, 1000, true);
  free(data);
  if (!uni) NET_UNTIL(&w->net, 1000, world_received(w, id, 0, 1000, 5));
}

static void pooling_get(struct world *w) {
  int64_t id = http_request(w->peer, "GET", "/hello", NULL, true);
  NET_UNTIL(&w->net, 1000, peer_stream(w->peer, id)->fin);
  assert_int_equal(http_status(w->peer, id), 200);
}

static void test_pooling_three_sessions_and_a_request_on_one_connection(void **state) {
  (void)state;
  struct world w;
  struct server_session *sessions[3];
  struct bytes bytes = {0};
  int64_t ids[3];
  pooling_init(&w);
  world_start(&w);
  for (int i = 0; i < 3; i++) sessions[i] = pooling_session(&w, "/echo", &ids[i]);
  pooling_get(&w);
  for (int i = 0; i < 3; i++) pooling_echo(&w, ids[i], false);
  capsule_close(&bytes, 7, "middle");
  http_data(w.peer, ids[1], bytes.data, bytes.len, true);
  bytes_free(&bytes);
  NET_UNTIL(&w.net, 1000, sessions[1]->closes == 1);
  assert_int_equal(sessions[1]->info.code, 7);
  for (int i = 0; i < 3; i += 2) {
    pooling_echo(&w, ids[i], false);
    pooling_echo(&w, ids[i], true);
    peer_wt_datagram(w.peer, ids[i], "d", 1);
    NET_UNTIL(&w.net, 1000, sessions[i]->datagrams == 1);
    assert_int_equal(sessions[i]->closes, 0);
  }
  pooling_get(&w);
  world_free(&w);
}

static void test_pooling_over_the_limit_is_answered_with_429(void **state) {
  (void)state;
  struct world w;
  int64_t first, second;
  pooling_init(&w);
  w.server.config.h3.max_sessions_per_connection = 2;
  world_start(&w);
  struct server_session *session = pooling_session(&w, "/wt", &first);
  pooling_session(&w, "/wt", &second);
  int64_t third = http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL);
  NET_UNTIL(&w.net, 1000, http_status(w.peer, third) == 429);
  assert_int_equal(w.server.last_request->upgrade_error, WT_ERR_SESSION_LIMIT);
  http_data(w.peer, first, NULL, 0, true);
  NET_UNTIL(&w.net, 1000, session->closes == 1);
  pooling_session(&w, "/wt", &first);
  world_free(&w);
}

/* Asks for a session, and closes it if it is accepted. Returns the status. */
static int pooling_visit(struct world *w) {
  int64_t id = http_connect(w->peer, "webtransport-h3", "/wt", NULL, NULL);
  NET_UNTIL(&w->net, 1000, http_status(w->peer, id) != 0);
  if (http_status(w->peer, id) != 200) return http_status(w->peer, id);
  http_data(w->peer, id, NULL, 0, true);
  NET_UNTIL(&w->net, 1000, peer_stream(w->peer, id)->closed);
  return 200;
}

static void test_pooling_rate_of_new_sessions_is_limited(void **state) {
  (void)state;
  struct world w;
  pooling_init(&w);
  w.server.config.h3.max_session_rate = 2;
  w.server.config.h3.max_sessions_per_connection = 3; /* so many may come at once */
  world_start(&w);
  NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
  net_run_for(&w.net, 50);
  for (int i = 0; i < 3; i++) assert_int_equal(pooling_visit(&w), 200);
  assert_int_equal(pooling_visit(&w), 429);
  assert_int_equal(w.server.last_request->upgrade_error, WT_ERR_SESSION_LIMIT);
  assert_non_null(strstr(w.server.last_request->upgrade_message, "too fast"));
  pooling_get(&w); /* the connection is none the worse for it */
  net_run_for(&w.net, 500);
  assert_int_equal(pooling_visit(&w), 200);
  assert_int_equal(pooling_visit(&w), 429);
  net_run_for(&w.net, 8000);
  for (int i = 0; i < 3; i++) assert_int_equal(pooling_visit(&w), 200);
  assert_int_equal(pooling_visit(&w), 429);
  world_free(&w);
}

static void test_pooling_rate_of_new_sessions_may_be_unlimited(void **state) {
  (void)state;
  struct world w;
  pooling_init(&w);
  w.server.config.h3.max_session_rate = 0;
  w.server.config.h3.max_sessions_per_connection = 1;
  world_start(&w);
  NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
  net_run_for(&w.net, 50);
  for (int i = 0; i < 300; i++) assert_int_equal(pooling_visit(&w), 200);
  world_free(&w);
}

/* How the CONNECT stream `id` was answered: the status, or 0 where it was reset with H3_REQUEST_REJECTED. */
static int pooling_answer(struct world *w, int64_t id) {
  NET_UNTIL(&w->net, 1000, http_status(w->peer, id) != 0 || peer_stream(w->peer, id)->reset);
  if (peer_stream(w->peer, id)->reset) assert_int_equal(peer_stream(w->peer, id)->reset_code, WT__H3_REQUEST_REJECTED);
  return http_status(w->peer, id);
}

/* Three CONNECTs at once, as a proxy sends those of its clients: 200 each, and each session works. */
static void pooling_of(const uint64_t *settings, size_t count) {
  struct world w;
  int64_t ids[4];
  pooling_init(&w);
  w.options.settings = settings;
  w.options.settings_count = count;
  w.options.reset_at = 0;
  w.server.config.h3.max_sessions_per_connection = 3;
  world_start(&w);
  NET_UNTIL(&w.net, 1000, w.peer->control >= 0);
  for (int i = 0; i < 4; i++) ids[i] = http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  for (int i = 0; i < 3; i++) assert_int_equal(pooling_answer(&w, ids[i]), 200);
  assert_int_equal(pooling_answer(&w, ids[3]), 0);
  for (int i = 0; i < 3; i++) {
    pooling_echo(&w, ids[i], false);
    peer_wt_datagram(w.peer, ids[i], "d", 1);
    NET_UNTIL(&w.net, 1000, server_session(&w.server, (size_t)i)->datagrams == 1);
    assert_int_equal(server_session(&w.server, (size_t)i)->closes, 0);
  }
  http_data(w.peer, ids[1], NULL, 0, true); /* makes room for another */
  NET_UNTIL(&w.net, 1000, server_session(&w.server, 1)->closes == 1);
  ids[3] = http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  assert_int_equal(pooling_answer(&w, ids[3]), 200);
  world_free(&w);
}

/* Clients of drafts 7 to 14 are told that there may be one session; a proxy's clients come on one connection all the
 * same. Beyond what is configured the drafts ask for a reset. */
static void test_pooling_of_drafts_7_to_14_goes_to_the_configured_limit(void **state) {
  (void)state;
  static const uint64_t envoy[] = {0x33, 1, 0x08, 1, 0x2b603742, 1, 0xc671706a, 1};
  static const uint64_t draft07[] = {0x33, 1, 0xc671706a, 1};
  static const uint64_t draft07_flow[] = {0x33, 1, 0xc671706a, 1, 0x2b61, 1 << 20, 0x2b64, 100, 0x2b65, 100};
  static const uint64_t draft13[] = {0x33, 1, 0x14e9cd29, 1};
  static const uint64_t draft13_flow[] = {0x33, 1, 0x14e9cd29, 1, 0x2b61, 1 << 20, 0x2b64, 100, 0x2b65, 100};
  pooling_of(envoy, 4);
  pooling_of(draft07, 2);
  pooling_of(draft07_flow, 5);
  pooling_of(draft13, 2);
  pooling_of(draft13_flow, 5);
}

static struct server_stream *pooling_write(struct server_session *session, size_t len) {
  int error = 0;
  size_t written;
  uint8_t *data = pattern_new(len, 3);
  struct server_stream *stream = server_open(session, true, &error);
  assert_non_null(stream);
  assert_int_equal(wt_stream_write(stream->stream, data, len, &written), 0);
  assert_int_equal(written, len);
  assert_int_equal(wt_stream_end(stream->stream), 0);
  free(data);
  return stream;
}

static uint64_t fin_at(struct world *w, const struct server_stream *stream) {
  const struct peer_stream *record = peer_stream(w->peer, stream->id);
  return record && record->fin ? record->fin_at : 0;
}

/* A session whose streams are stuck, both ways, is nobody else's trouble. */
static void hook_pause_first(struct server *server, enum server_event event, struct server_session *session,
                             struct server_stream *stream) {
  if (event == SERVER_STREAM && session == server_session(server, 0)) wt_stream_pause(stream->stream);
}

static void test_pooling_a_starving_session_does_not_stop_the_others(void **state) {
  (void)state;
  static const uint64_t settings[] = {0x33, 1, 0x2c7cf000, 1, 0x2b61, 2000, 0x2b64, 100, 0x2b65, 100};
  struct world w;
  int64_t ids[2];
  pooling_init(&w);
  w.options.settings = settings;
  w.server.config.h3.mux.flow.initial.data = 5000;
  w.server.hook = hook_pause_first;
  world_start(&w);
  struct server_session *starving = pooling_session(&w, "/wt", &ids[0]);
  pooling_session(&w, "/echo", &ids[1]);
  struct server_stream *stuck = pooling_write(starving, 100000); /* the peer allows 2,000 */
  uint8_t *data = pattern_new(5000, 3);
  peer_wt_open(w.peer, true, ids[0], data, 5000, false); /* and has used up what it was allowed */
  free(data);
  NET_UNTIL(&w.net, 1000, server_stream(starving, 1));
  net_run_for(&w.net, 500);
  pooling_echo(&w, ids[1], false);
  pooling_echo(&w, ids[1], false); /* 2,000 bytes: all that this session may be sent */
  pooling_get(&w);
  assert_int_equal(peer_stream(w.peer, stuck->id)->rx_len,
                   peer_wt_header_len(peer_stream(w.peer, stuck->id), ids[0]) + 2000);
  assert_int_equal(starving->closes, 0);
  world_free(&w);
}

/* Ten streams of one session get no more than the one stream of another. */
static void test_pooling_sessions_share_and_not_streams(void **state) {
  (void)state;
  struct world w;
  struct server_stream *many[10];
  int64_t ids[2];
  pooling_init(&w);
  w.net.link[NET_TO_CLIENT].bandwidth = 1000000;
  world_start(&w);
  struct server_session *greedy = pooling_session(&w, "/wt", &ids[0]);
  struct server_session *modest = pooling_session(&w, "/wt", &ids[1]);
  for (int i = 0; i < 10; i++) many[i] = pooling_write(greedy, 50000);
  struct server_stream *one = pooling_write(modest, 50000);
  NET_UNTIL(&w.net, 20000, fin_at(&w, one));
  uint64_t theirs = 0;
  for (int i = 0; i < 10; i++) theirs += peer_stream(w.peer, many[i]->id)->rx_len;
  assert_true(theirs > 30000);
  assert_true(theirs < 90000); /* about as much as the other; by streams it would be 500,000 */
  world_free(&w);
}

static void test_pooling_urgent_sessions_go_first(void **state) {
  (void)state;
  struct world w;
  int64_t ids[3];
  pooling_init(&w);
  world_start(&w);
  struct server_session *low = pooling_session_priority(&w, "u=6", &ids[0]);
  struct server_session *normal = pooling_session(&w, "/wt", &ids[1]);
  struct server_session *high = pooling_session_priority(&w, "u=1, i", &ids[2]);
  struct server_stream *last = pooling_write(low, 60000);
  struct server_stream *middle = pooling_write(normal, 60000);
  struct server_stream *first = pooling_write(high, 60000);
  NET_UNTIL(&w.net, 5000, fin_at(&w, last) && fin_at(&w, middle) && fin_at(&w, first));
  assert_true(fin_at(&w, first) < fin_at(&w, middle));
  assert_true(fin_at(&w, middle) < fin_at(&w, last));
  world_free(&w);
}

/* A PRIORITY_UPDATE for a CONNECT stream. */
static void pooling_update(struct world *w, int64_t id, const char *priority) {
  struct bytes payload = {0}, frame = {0};
  bytes_varint(&payload, (uint64_t)id);
  bytes_add(&payload, priority, strlen(priority));
  bytes_frame(&frame, 0xf0700, payload.data, payload.len);
  peer_send(w->peer, w->peer->control, frame.data, frame.len, false);
  bytes_free(&payload);
  bytes_free(&frame);
}

/* All three have begun to send when the client changes its mind: about two of them, and about the last one before it
 * has asked for it. Each is larger than what the queue of the link may have taken by then. */
static void test_pooling_priority_update_changes_who_is_next(void **state) {
  (void)state;
  struct world w;
  int64_t ids[4];
  pooling_init(&w);
  w.net.link[NET_TO_CLIENT].bandwidth = 1000000;
  world_start(&w);
  struct server_session *low = pooling_session_priority(&w, "u=1", &ids[0]);
  struct server_session *normal = pooling_session(&w, "/wt", &ids[1]);
  struct server_session *high = pooling_session_priority(&w, "u=6", &ids[2]);
  struct server_stream *third = pooling_write(low, 240000);
  struct server_stream *second = pooling_write(normal, 240000);
  struct server_stream *first = pooling_write(high, 240000);
  net_run_for(&w.net, 150);
  assert_in_range(peer_stream(w.peer, third->id)->rx_len, 10000, 100000);
  assert_null(peer_stream(w.peer, first->id));
  ids[3] = ids[2] + 4;
  pooling_update(&w, ids[3], "u=0");
  pooling_update(&w, ids[0], "u=6");
  pooling_update(&w, ids[2], "u=1, i");
  int64_t last = http_connect(w.peer, "webtransport-h3", "/wt", NULL, NULL);
  assert_int_equal(last, ids[3]);
  NET_UNTIL(&w.net, 3000, server_session(&w.server, 3));
  struct server_stream *urgent = pooling_write(server_session(&w.server, 3), 240000);
  NET_UNTIL(&w.net, 20000, fin_at(&w, third) && fin_at(&w, second) && fin_at(&w, first) && fin_at(&w, urgent));
  assert_true(fin_at(&w, urgent) < fin_at(&w, first));
  assert_true(fin_at(&w, first) < fin_at(&w, second));
  assert_true(fin_at(&w, second) < fin_at(&w, third));
  assert_false(w.peer->ended);
  world_free(&w);
}

static void test_pooling_priority_update_moves_datagrams(void **state) {
  (void)state;
  struct world w;
  struct server_session *sessions[2];
  int64_t ids[2];
  pooling_init(&w);
  world_start(&w);
  for (int i = 0; i < 2; i++) sessions[i] = pooling_session(&w, "/wt", &ids[i]);
  uint8_t data[1000];
  for (int i = 0; i < 120; i++) { /* more than fits into the first congestion window */
    memset(data, i % 2 ? 'b' : 'a', sizeof(data));
    assert_int_equal(wt_session_send_datagram(sessions[i % 2]->session, data, sizeof(data)), 0);
  }
  pooling_update(&w, ids[1], "u=2");
  NET_UNTIL(&w.net, 5000, w.peer->rx_datagram_count == 120);
  for (int i = 0; i < 120; i++) {
    struct peer_datagram *datagram = peer_take_datagram(w.peer);
    if (i >= 90) assert_int_equal(datagram->data[datagram->len - 1], 'a'); /* all of the others have left */
    free(datagram);
  }
  world_free(&w);
}

static void test_pooling_send_order_and_groups(void **state) {
  (void)state;
  struct world w;
  struct server_stream *streams[4];
  static const int64_t orders[] = {1, 3, 2, -9};
  int64_t id;
  pooling_init(&w);
  world_start(&w);
  struct server_session *session = pooling_session(&w, "/wt", &id);
  for (int i = 0; i < 4; i++) {
    streams[i] = pooling_write(session, 60000);
    assert_int_equal(wt_stream_set_priority(streams[i]->stream, i == 3 ? 8 : 7, orders[i]), 0);
  }
  NET_UNTIL(&w.net, 5000, fin_at(&w, streams[0]) && fin_at(&w, streams[1]) && fin_at(&w, streams[2]));
  assert_true(fin_at(&w, streams[1]) < fin_at(&w, streams[2]));
  assert_true(fin_at(&w, streams[2]) < fin_at(&w, streams[0]));
  assert_true(fin_at(&w, streams[3]) < fin_at(&w, streams[2])); /* half of the turns: its group's */
  int64_t uni = peer_wt_open(w.peer, true, id, "x", 1, false);
  NET_UNTIL(&w.net, 1000, server_stream(session, 4));
  assert_int_equal(server_stream(session, 4)->id, uni);
  assert_int_equal(wt_stream_set_priority(server_stream(session, 4)->stream, 0, 0), WT_ERR_STATE);
  world_free(&w);
}

static void test_pooling_a_flood_of_datagrams_pushes_out_its_own(void **state) {
  (void)state;
  struct world w;
  struct wt_session_stats stats = {.size = sizeof(stats)};
  char payload[200] = {0};
  int64_t ids[2];
  pooling_init(&w);
  world_start(&w);
  struct server_session *flood = pooling_session(&w, "/wt", &ids[0]);
  struct server_session *modest = pooling_session(&w, "/wt", &ids[1]);
  for (int i = 0; i < 20; i++) assert_int_equal(wt_session_send_datagram(modest->session, payload, sizeof(payload)), 0);
  for (int i = 0; i < 2000; i++)
    assert_int_equal(wt_session_send_datagram(flood->session, payload, sizeof(payload)), 0);
  for (int i = 0; i < 20; i++) assert_int_equal(wt_session_send_datagram(modest->session, payload, sizeof(payload)), 0);
  NET_UNTIL(&w.net, 5000, w.peer->rx_datagram_count >= 256);
  assert_int_equal(wt_session_get_stats(modest->session, &stats), 0);
  assert_int_equal(stats.datagrams_sent, 40);
  assert_int_equal(stats.datagrams_dropped_outgoing, 0);
  assert_int_equal(wt_session_get_stats(flood->session, &stats), 0);
  assert_int_equal(stats.datagrams_sent, 256 - 40);
  assert_int_equal(stats.datagrams_dropped_outgoing, 2000 - (256 - 40));
  world_free(&w);
}

static void test_pooling_stats_of_the_connection_are_counted(void **state) {
  (void)state;
  struct world w;
  struct wt_session_stats stats = {.size = sizeof(stats)};
  int64_t id;
  pooling_init(&w);
  world_start(&w);
  struct server_session *session = pooling_session(&w, "/echo", &id);
  pooling_echo(&w, id, false);
  assert_int_equal(wt_session_get_stats(session->session, &stats), 0);
  assert_int_equal(stats.bytes_sent, 1000);
  assert_int_equal(stats.bytes_received, 1000);
  assert_true(stats.packets_sent > 2 && stats.packets_received > 2);
  assert_true(stats.connection_bytes_sent > 1000 && stats.connection_bytes_received > 1000);
  assert_in_range(stats.smoothed_rtt_us, 15000, 40000); /* 10 ms each way */
  assert_true(stats.estimated_send_rate > 1000000);
  stats = (struct wt_session_stats){.size = offsetof(struct wt_session_stats, packets_sent)};
  assert_int_equal(wt_session_get_stats(session->session, &stats), WT_ERR_INVALID); /* of no version since 0.2.0 */
  assert_int_equal(stats.packets_sent, 0);
  world_free(&w);
}

/* --- Keying material --- */

static void pooling_export(struct world *w, int64_t id, const char *label, const char *context, uint8_t out[32]) {
  uint8_t bytes[64] = {0};
  size_t len = 8;
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)((uint64_t)id >> (56 - 8 * i));
  bytes[len++] = (uint8_t)strlen(label);
  memcpy(bytes + len, label, strlen(label));
  len += strlen(label);
  bytes[len++] = (uint8_t)strlen(context);
  memcpy(bytes + len, context, strlen(context));
  len += strlen(context);
  assert_int_equal(gnutls_prf_rfc5705(w->peer->tls, strlen("EXPORTER-WebTransport"), "EXPORTER-WebTransport", len,
                                      (const char *)bytes, 32, (char *)out),
                   0);
}

static void test_pooling_both_ends_export_the_same_and_sessions_differ(void **state) {
  (void)state;
  struct world w;
  struct server_session *sessions[2];
  uint8_t ours[32], theirs[32], others[2][32];
  int64_t ids[2];
  pooling_init(&w);
  world_start(&w);
  for (int i = 0; i < 2; i++) {
    sessions[i] = pooling_session(&w, "/wt", &ids[i]);
    assert_int_equal(wt_session_export_keying_material(sessions[i]->session, "chat", "room 1", 6, ours, 32), 0);
    pooling_export(&w, ids[i], "chat", "room 1", theirs);
    assert_memory_equal(ours, theirs, 32);
    memcpy(others[i], ours, 32);
    assert_int_equal(wt_session_export_keying_material(sessions[i]->session, "chat", "room 2", 6, ours, 32), 0);
    assert_memory_not_equal(ours, others[i], 32);
    assert_int_equal(wt_session_export_keying_material(sessions[i]->session, "chat", NULL, 0, ours, 32), 0);
    pooling_export(&w, ids[i], "chat", "", theirs);
    assert_memory_equal(ours, theirs, 32);
  }
  assert_memory_not_equal(others[0], others[1], 32);
  world_free(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_pooling_three_sessions_and_a_request_on_one_connection),
      cmocka_unit_test(test_pooling_over_the_limit_is_answered_with_429),
      cmocka_unit_test(test_pooling_rate_of_new_sessions_is_limited),
      cmocka_unit_test(test_pooling_rate_of_new_sessions_may_be_unlimited),
      cmocka_unit_test(test_pooling_of_drafts_7_to_14_goes_to_the_configured_limit),
      cmocka_unit_test(test_pooling_a_starving_session_does_not_stop_the_others),
      cmocka_unit_test(test_pooling_sessions_share_and_not_streams),
      cmocka_unit_test(test_pooling_urgent_sessions_go_first),
      cmocka_unit_test(test_pooling_priority_update_changes_who_is_next),
      cmocka_unit_test(test_pooling_priority_update_moves_datagrams),
      cmocka_unit_test(test_pooling_send_order_and_groups),
      cmocka_unit_test(test_pooling_a_flood_of_datagrams_pushes_out_its_own),
      cmocka_unit_test(test_pooling_stats_of_the_connection_are_counted),
      cmocka_unit_test(test_pooling_both_ends_export_the_same_and_sessions_differ),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
