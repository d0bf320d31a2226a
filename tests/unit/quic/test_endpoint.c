/* SPDX-License-Identifier: MIT */

/*
 * src/quic/: endpoint.c, accept.c, conn.c, callbacks.c, transport.c, write.c, against a QUIC client in
 * memory, with a recorder in place of HTTP/3.
 */

#include "quic/endpoint_state.h"
#include "quic/endpoint_keys.h"
#include "quic_fixture.h"

static struct wt__endpoint_config config;
static struct wt__endpoint *endpoint;
static struct client client;
static int64_t live_before;

static const struct client_options PLAIN = {.max_datagram_frame_size = 65535};

static int set_up(void **state) {
  (void)state;
  net_init();
  live_before = wt__mem_live();
  server_config(&config);
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  wt__endpoint_free(endpoint);
  wt__tls_context_free(config.tls);
  assert_int_equal(wt__mem_live(), live_before);
  return 0;
}

static void start(void) { assert_int_equal(wt__endpoint_new(&endpoint, &config), 0); }

static void connect_client(const struct client_options *options) {
  client_init(&client, options);
  converse(&client, endpoint);
  assert_int_equal(client.error, 0);
  assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
}

static void client_close(uint64_t code) {
  uint8_t packet[1500];
  ngtcp2_ccerr error;
  ngtcp2_ccerr_default(&error);
  ngtcp2_ccerr_set_application_error(&error, code, NULL, 0);
  ngtcp2_ssize n = ngtcp2_conn_write_connection_close(client.quic, NULL, NULL, packet, sizeof(packet), &error, net.now);
  assert_true(n > 0);
  wt__endpoint_recv(endpoint, &net.path, 0, packet, (size_t)n, net.now);
}

static void test_endpoint_passes_over_an_empty_datagram(void **state) {
  (void)state;
  static const uint8_t nothing[1];
  start();
  wt__endpoint_recv(endpoint, &net.path, 0, nothing, 0, net.now);
  connect_client(&PLAIN);
  wt__endpoint_recv(endpoint, &net.path, 0, nothing, 0, net.now);
  assert_int_equal(h3.freed, 0);
  client_close(0);
  client_free(&client);
}

static void test_endpoint_handshakes_and_forgets(void **state) {
  (void)state;
  struct wt__endpoint_stats stats;
  start();
  assert_true(wt__endpoint_expiry(endpoint) == UINT64_MAX);
  connect_client(&PLAIN);
  assert_int_equal(h3.started, 1);
  assert_int_equal(h3.max_datagram_frame_size, 65535);
  assert_string_equal(h3.peer, "127.0.0.1:50000");
  wt__endpoint_get_stats(endpoint, &stats);
  assert_int_equal(stats.connections_open, 1);
  assert_int_equal(stats.handshakes_open, 0);

  client_close(0x123);
  assert_int_equal(h3.freed, 1);
  assert_int_equal(h3.free_party, WT_PEER);
  assert_int_equal(h3.free_code, 0x123);
  wt__endpoint_get_stats(endpoint, &stats);
  assert_int_equal(stats.connections_open, 0);
  assert_int_equal(stats.connections_total, 1);
  assert_int_equal(endpoint->ended_len, 1);
  pass_time(endpoint, 10000 * MS);
  assert_int_equal(endpoint->ended_len, 0);
  assert_int_equal(endpoint->cids.map.len, 0);
  assert_true(wt__endpoint_expiry(endpoint) == UINT64_MAX);
  client_free(&client);
}

/* As of browsers; the second half may come first, and then a proof of the address is asked for. */
static void test_endpoint_takes_a_client_hello_of_two_packets(void **state) {
  (void)state;
  uint8_t packets[4][1500];
  size_t lens[4], count;
  start();
  for (int reversed = 0; reversed < 2; reversed++) {
    client_init(&client, &(struct client_options){.long_hello = true});
    ngtcp2_ssize n;
    for (count = 0; (n = ngtcp2_conn_write_pkt(client.quic, NULL, NULL, packets[count], 1500, net.now)) > 0; count++) {
      assert_true(count < 3);
      lens[count] = (size_t)n;
    }
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
      size_t at = reversed ? count - 1 - i : i;
      wt__endpoint_recv(endpoint, &net.path, 0, packets[at], lens[at], net.now);
    }
    converse(&client, endpoint);
    assert_int_equal(client.error, 0);
    assert_true(ngtcp2_conn_get_handshake_completed(client.quic));
    assert_int_equal(h3.started, reversed + 1);
    client_close(0x100);
    client_free(&client);
  }
  pass_time(endpoint, 20000 * MS);
  assert_int_equal(endpoint->cids.map.len, 0);
}

static void test_endpoint_speaks_quic_v2(void **state) {
  (void)state;
  start();
  connect_client(&(struct client_options){.version = NGTCP2_PROTO_VER_V2});
  assert_int_equal(ngtcp2_conn_get_negotiated_version(client.quic), NGTCP2_PROTO_VER_V2);
  assert_int_equal(h3.max_datagram_frame_size, 0);
  assert_int_equal(h3.conn->transport->max_datagram_len(h3.conn->ctx), 0);
  client_free(&client);
}

static void test_endpoint_close_tells_the_client(void **state) {
  (void)state;
  start();
  connect_client(&PLAIN);
  wt__endpoint_close(endpoint, net.now);
  assert_int_equal(h3.free_party, WT_LOCAL);
  assert_int_equal(h3.free_code, 0x100);
  (void)client_receive(&client);
  assert_int_equal(client.error, NGTCP2_ERR_DRAINING);
  assert_int_equal(ngtcp2_conn_get_ccerr(client.quic)->type, NGTCP2_CCERR_TYPE_APPLICATION);
  assert_int_equal(ngtcp2_conn_get_ccerr(client.quic)->error_code, 0x100);
  assert_true(endpoint->cids.map.len > 0); /* for packets of a client that has missed it */
  net.now = wt__endpoint_expiry(endpoint);
  wt__endpoint_run(endpoint, net.now);
  assert_int_equal(endpoint->cids.map.len, 0);
  assert_true(wt__endpoint_expiry(endpoint) == UINT64_MAX);
  client_free(&client);
}

static void test_endpoint_answers_with_back_off_after_its_close(void **state) {
  (void)state;
  uint8_t packet[1500];
  int64_t id;
  start();
  connect_client(&PLAIN);
  h3.close_on_data = true;
  assert_int_equal(ngtcp2_conn_open_bidi_stream(client.quic, &id, NULL), 0);
  ngtcp2_ssize n = ngtcp2_conn_write_stream(client.quic, NULL, NULL, packet, sizeof(packet), NULL, 0, id,
                                            (const uint8_t *)"x", 1, net.now);
  assert_true(n > 0);
  wt__endpoint_recv(endpoint, &net.path, 0, packet, (size_t)n, net.now);
  wt__endpoint_run(endpoint, net.now);
  assert_int_equal(h3.free_party, WT_TRANSPORT);
  assert_int_equal(h3.free_code, 0x10e);
  assert_int_equal(net.len, 1);
  /* The same again, 15 times: answered after 1, 2, 4 and 8 more. */
  for (int i = 0; i < 15; i++) wt__endpoint_recv(endpoint, &net.path, 0, packet, (size_t)n, net.now);
  assert_int_equal(net.len, 1 + 4);
  (void)client_receive(&client);
  assert_int_equal(client.error, NGTCP2_ERR_DRAINING);
  const ngtcp2_ccerr *error = ngtcp2_conn_get_ccerr(client.quic);
  assert_int_equal(error->error_code, 0x10e);
  assert_int_equal(error->reasonlen, 6);
  assert_memory_equal(error->reason, "enough", 6);
  client_free(&client);
}

static void test_endpoint_retry_and_token(void **state) {
  (void)state;
  struct client second;
  config.retry = WT_RETRY_ALWAYS;
  start();
  connect_client(&PLAIN);
  assert_true(client.retried);
  assert_true(client.token_len > 0);
  client_init(&second, &(struct client_options){.token = client.token, .token_len = client.token_len});
  converse(&second, endpoint);
  assert_true(ngtcp2_conn_get_handshake_completed(second.quic));
  assert_false(second.retried);
  client_free(&second);
  client_free(&client);
}

static void test_endpoint_retries_under_load(void **state) {
  (void)state;
  struct client second;
  config.retry_threshold = 1;
  start();
  client_init(&client, &PLAIN);
  client_init(&second, &PLAIN);
  (void)client_flush(&client, endpoint); /* begins, and stays unfinished */
  converse(&second, endpoint);
  assert_true(second.retried);
  assert_true(ngtcp2_conn_get_handshake_completed(second.quic));
  client_free(&second);
  client_free(&client);
}

static void test_endpoint_negotiates_versions(void **state) {
  (void)state;
  uint8_t packet[1200] = {0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 3, 9, 9, 9};
  start();
  wt__endpoint_recv(endpoint, &net.path, 0, packet, 1199, net.now);
  assert_int_equal(net.len, 0);
  wt__endpoint_recv(endpoint, &net.path, 0, packet, sizeof(packet), net.now);
  assert_int_equal(net.len, 1);
  const uint8_t *answer = net.to_client[0].data;
  const uint8_t ids[] = {0, 0, 0, 0, 3, 9, 9, 9, 8, 1, 2, 3, 4, 5, 6, 7, 8};
  assert_int_equal(net.to_client[0].len, 1 + sizeof(ids) + 3 * 4);
  assert_memory_equal(answer + 1, ids, sizeof(ids));
  const uint8_t *versions = answer + 1 + sizeof(ids);
  for (int i = 0; i < 4; i++) assert_int_equal(versions[i] & 0x0f, 0x0a);
  assert_memory_equal(versions + 4, "\0\0\0\1\x6b\x33\x43\xcf", 8);
}

static void test_endpoint_refuses_above_its_bound(void **state) {
  (void)state;
  struct client second;
  config.max_connections = 1;
  start();
  connect_client(&PLAIN);
  client_init(&second, &PLAIN);
  converse(&second, endpoint);
  assert_int_equal(second.error, NGTCP2_ERR_DRAINING);
  assert_int_equal(ngtcp2_conn_get_ccerr(second.quic)->error_code, NGTCP2_CONNECTION_REFUSED);
  client_free(&second);
  client_free(&client);
}

static void test_endpoint_resets_what_it_does_not_know(void **state) {
  (void)state;
  uint8_t packet[60] = {0x40}, token[16];
  start();
  wt__endpoint_recv(endpoint, &net.path, 0, packet, sizeof(packet), net.now);
  assert_int_equal(net.len, 1);
  assert_true(net.to_client[0].len < sizeof(packet));
  assert_int_equal(net.to_client[0].data[0] & 0xc0, 0x40);
  ngtcp2_cid cid;
  ngtcp2_cid_init(&cid, packet + 1, WT__CID_LEN);
  assert_int_equal(wt__endpoint_make_reset_token(endpoint, &cid, token), 0);
  assert_memory_equal(net.to_client[0].data + net.to_client[0].len - 16, token, 16);

  net.len = 0;
  wt__endpoint_recv(endpoint, &net.path, 0, packet, 21, net.now);
  assert_int_equal(net.len, 0); /* no shorter one is possible */
  wt__endpoint_recv(endpoint, &net.path, 0, packet, 30, net.now);
  assert_int_equal(net.to_client[0].len, 29);
  net.len = 0;
  for (int i = 0; i < 1000; i++) wt__endpoint_recv(endpoint, &net.path, 0, packet, sizeof(packet), net.now);
  assert_int_equal(net.len, 62);
  net.now += 1000 * MS;
  wt__endpoint_recv(endpoint, &net.path, 0, packet, sizeof(packet), net.now);
  assert_int_equal(net.len, 63);
}

static void test_endpoint_sends_the_largest_datagram(void **state) {
  (void)state;
  start();
  connect_client(&PLAIN);
  size_t max = h3.conn->transport->max_datagram_len(h3.conn->ctx);
  assert_true(max > 1150 && max < 1452);
  h3.out_len[0] = max + 1;
  h3.out_len[1] = max;
  h3.out_count = 2;
  h3.conn->transport->wake(h3.conn->ctx);
  assert_int_equal(wt__endpoint_expiry(endpoint), 0);
  converse(&client, endpoint);
  assert_int_equal(h3.out_dropped, 1);
  assert_int_equal(h3.out_sent, 1);
  assert_int_equal(client.datagrams, 1);
  assert_int_equal(client.datagram_len, max);
  client_free(&client);
}

static void test_endpoint_heeds_the_peers_datagram_bound(void **state) {
  (void)state;
  static const struct {
    uint64_t frame;
    size_t payload;
  } bounds[] = {{1, 0}, {2, 0}, {65, 63}, {66, 63}, {67, 64}, {100, 97}};
  start();
  for (size_t i = 0; i < sizeof(bounds) / sizeof(*bounds); i++) {
    connect_client(&(struct client_options){.max_datagram_frame_size = bounds[i].frame});
    size_t max = h3.conn->transport->max_datagram_len(h3.conn->ctx);
    assert_int_equal(max, bounds[i].payload);
    size_t sent = h3.out_sent;
    h3.out_len[0] = max;
    h3.out_count = max > 0;
    h3.conn->transport->wake(h3.conn->ctx);
    converse(&client, endpoint);
    assert_int_equal(h3.out_sent, sent + (max > 0));
    assert_int_equal(client.datagrams, max > 0);
    client_close(0x100);
    client_free(&client);
  }
}

static void test_endpoint_reports_stop_sending_with_its_code(void **state) {
  (void)state;
  uint8_t packet[1500];
  int64_t id;
  start();
  connect_client(&PLAIN);
  assert_int_equal(ngtcp2_conn_open_bidi_stream(client.quic, &id, NULL), 0);
  ngtcp2_ssize n = ngtcp2_conn_write_stream(client.quic, NULL, NULL, packet, sizeof(packet), NULL, 0, id,
                                            (const uint8_t *)"x", 1, net.now);
  assert_true(n > 0);
  wt__endpoint_recv(endpoint, &net.path, 0, packet, (size_t)n, net.now);
  assert_int_equal(h3.received, 1);
  assert_int_equal(ngtcp2_conn_shutdown_stream_read(client.quic, 0, id, 0x52e4a40fa8dc), 0);
  converse(&client, endpoint);
  assert_int_equal(h3.stops, 1);
  assert_int_equal(h3.stop_id, id);
  assert_true(h3.stop_code == UINT64_C(0x52e4a40fa8dc));
  assert_int_equal(h3.resets, 0);
  assert_int_equal(ngtcp2_conn_shutdown_stream_write(client.quic, 0, id, 42), 0);
  converse(&client, endpoint);
  assert_int_equal(h3.resets, 1);
  assert_int_equal(h3.reset_code, 42);
  assert_int_equal(h3.closed, 1);
  client_free(&client);
}

static void open_stream_of(size_t len) {
  assert_int_equal(h3.conn->transport->open_stream(h3.conn->ctx, true, &h3.stream), 0);
  h3.stream_len = len;
  h3.conn->transport->wake(h3.conn->ctx);
}

static void test_endpoint_sends_streams_in_batches(void **state) {
  (void)state;
  start();
  connect_client(&PLAIN);
  open_stream_of(sizeof(h3_zeros));
  converse(&client, endpoint);
  assert_int_equal(client.received, sizeof(h3_zeros));
  assert_int_equal(h3.stream_acked, sizeof(h3_zeros));
  assert_true(h3.stream_fin_sent);
  assert_true(net.largest_call > 4);
  client_free(&client);
}

/* Sends a megabyte; returns how many packets that took. */
static uint64_t send_megabyte(bool alone) {
  struct wt__endpoint_stats before, after;
  start();
  connect_client(&PLAIN);
  h3.stream_alone = alone;
  open_stream_of(sizeof(h3_zeros));
  wt__endpoint_get_stats(endpoint, &before);
  converse(&client, endpoint);
  wt__endpoint_get_stats(endpoint, &after);
  assert_int_equal(client.received, sizeof(h3_zeros));
  assert_int_equal(h3.stream_sent, sizeof(h3_zeros));
  assert_int_equal(h3.stream_acked, sizeof(h3_zeros));
  assert_true(h3.stream_fin_sent);
  client_free(&client);
  return after.packets_sent - before.packets_sent;
}

static void test_endpoint_asks_for_each_packet_where_streams_take_turns(void **state) {
  (void)state;
  uint64_t packets = send_megabyte(false);
  assert_true(packets > 700);
  assert_in_range(h3.told, 700, packets);
  assert_true(h3.asked >= h3.told);
}

static void test_endpoint_asks_once_a_pass_where_a_stream_is_alone(void **state) {
  (void)state;
  uint64_t packets = send_megabyte(true);
  assert_true(packets > 700);
  assert_in_range(h3.told, 1, packets / 4);
  assert_in_range(h3.asked, h3.told, packets / 4);
}

static void test_endpoint_tells_of_acknowledgements_once_a_packet(void **state) {
  struct wt__endpoint_stats stats;
  (void)state;
  uint64_t packets = send_megabyte(true);
  wt__endpoint_get_stats(endpoint, &stats);
  assert_in_range(h3.acks, 1, stats.packets_received);
  assert_true((uint64_t)h3.acks * 3 < packets * 2);
}

static void test_endpoint_waits_for_a_full_socket(void **state) {
  (void)state;
  start();
  connect_client(&PLAIN);
  open_stream_of(100000);
  net.full = true;
  wt__endpoint_run(endpoint, net.now);
  wt__endpoint_run(endpoint, net.now);                      /* what was full at the end of a pass, the next one sees */
  assert_true(wt__endpoint_expiry(endpoint) > net.now);     /* waits, does not spin */
  assert_true(wt__endpoint_expiry(endpoint) != UINT64_MAX); /* and its deadlines hold */
  size_t sent = h3.stream_sent;
  assert_true(sent > 0);
  h3.conn->transport->wake(h3.conn->ctx);
  wt__endpoint_run(endpoint, net.now);
  assert_int_equal(h3.stream_sent, sent);
  wt__endpoint_writable(endpoint, net.now);
  assert_true(wt__endpoint_expiry(endpoint) > net.now); /* still full */
  net.full = false;
  wt__endpoint_writable(endpoint, net.now);
  assert_int_equal(wt__endpoint_expiry(endpoint), 0);
  assert_true(net.len > 0);
  converse(&client, endpoint);
  assert_int_equal(client.received, 100000);
  ngtcp2_conn_info info;
  ngtcp2_conn_get_conn_info(((struct wt__conn *)h3.conn->ctx)->quic, &info);
  assert_true(info.ssthresh == UINT64_MAX); /* nothing was taken for lost */
  client_free(&client);
}

/* What a pass has written leaves before the CONNECTION_CLOSE that ends the connection in the same pass. */
static void test_endpoint_closes_behind_what_was_written(void **state) {
  (void)state;
  start();
  connect_client(&PLAIN);
  open_stream_of(3000);
  h3.close_when_sent = true;
  size_t before = net.len;
  wt__endpoint_run(endpoint, net.now);
  assert_int_equal(h3.freed, 1);
  assert_int_equal(net.len - before, 4);
  assert_in_range(net.to_client[before].len, 1200, 1500);
  assert_in_range(net.to_client[before + 3].len, 1, 100);
  client_free(&client);
}

static void test_endpoint_ends_idle_connections(void **state) {
  (void)state;
  start();
  connect_client(&PLAIN);
  pass_time(endpoint, 29000 * MS);
  assert_int_equal(h3.freed, 0);
  pass_time(endpoint, 2000 * MS);
  assert_int_equal(h3.freed, 1);
  assert_int_equal(h3.free_party, WT_TRANSPORT);
  assert_int_equal(endpoint->cids.map.len, 0);
  client_free(&client);
}

static void test_endpoint_keeps_alive_what_asks_for_it(void **state) {
  (void)state;
  start();
  connect_client(&PLAIN);
  h3.conn->transport->set_keep_alive(h3.conn->ctx, true);
  for (int i = 0; i < 100; i++) {
    net.now += 999 * MS;
    wt__endpoint_run(endpoint, net.now);
    (void)client_receive(&client);
    (void)client_flush(&client, endpoint);
  }
  assert_int_equal(h3.freed, 0);
  client_free(&client);
}

static void test_endpoint_gives_up_on_unfinished_handshakes(void **state) {
  (void)state;
  struct wt__endpoint_stats stats;
  start();
  client_init(&client, &PLAIN);
  (void)client_flush(&client, endpoint);
  wt__endpoint_get_stats(endpoint, &stats);
  assert_int_equal(stats.handshakes_open, 1);
  pass_time(endpoint, 11000 * MS);
  wt__endpoint_get_stats(endpoint, &stats);
  assert_int_equal(stats.handshakes_open, 0);
  assert_int_equal(stats.connections_open, 0);
  assert_true(stats.bytes_sent <= 3 * stats.bytes_received);
  client_free(&client);
}

static void test_endpoint_survives_garbage(void **state) {
  (void)state;
  uint8_t packet[1400];
  uint32_t seed = 1;
  start();
  connect_client(&PLAIN);
  const struct wt__conn *conn = h3.conn->ctx;
  const struct wt__cid *cid = WT__CONTAINER_OF(wt__list_first(&conn->cids), struct wt__cid, link);
  for (int i = 0; i < 5000; i++) {
    for (size_t k = 0; k < sizeof(packet); k++) packet[k] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
    if (i % 4 == 1) memcpy(packet + 1, cid->data, cid->len); /* short header to a known id */
    if (i % 4 == 1) packet[0] = (uint8_t)(0x40 | (packet[0] & 0x3f));
    if (i % 4 == 2) memcpy(packet, "\xc0\0\0\0\1\x08", 6); /* Initial of v1 */
    wt__endpoint_recv(endpoint, &net.path, 0, packet, i % 8 < 4 ? sizeof(packet) : seed % sizeof(packet), net.now);
    net.len = 0;
  }
  wt__endpoint_run(endpoint, net.now);
  net.len = 0;
  assert_int_equal(h3.freed, 0);
  open_stream_of(1000);
  converse(&client, endpoint);
  assert_int_equal(client.received, 1000);
  client_free(&client);
}

static void test_endpoint_shutdown_refuses_new_ones(void **state) {
  (void)state;
  struct client second;
  start();
  connect_client(&PLAIN);
  wt__endpoint_shutdown(endpoint, net.now);
  assert_true(wt__endpoint_is_idle(endpoint));
  client_init(&second, &PLAIN);
  converse(&second, endpoint);
  assert_int_equal(second.error, NGTCP2_ERR_DRAINING);
  assert_int_equal(ngtcp2_conn_get_ccerr(second.quic)->error_code, NGTCP2_CONNECTION_REFUSED);
  open_stream_of(1000);
  converse(&client, endpoint);
  assert_int_equal(client.received, 1000);
  client_free(&second);
  client_free(&client);
}

/* Each allocation from the first packet to the last in turn. */
static void test_endpoint_survives_without_memory(void **state) {
  (void)state;
  int completed = 0;
  for (size_t i = 0; i < 400 && completed < 3; i++) {
    memset(&h3, 0, sizeof(h3));
    start();
    client_init(&client, &PLAIN);
    wt__mem_fail_after(i);
    for (int round = 0; round < 6; round++) {
      (void)client_flush(&client, endpoint);
      wt__endpoint_run(endpoint, net.now);
      (void)client_receive(&client);
      net.now += MS;
    }
    wt__mem_fail_after(SIZE_MAX);
    completed += h3.conn && ((struct wt__conn *)h3.conn->ctx)->handshake_done;
    client_free(&client);
    wt__endpoint_free(endpoint);
    endpoint = NULL;
  }
  assert_true(completed > 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
  const struct CMUnitTest tests[] = {
      TEST(test_endpoint_handshakes_and_forgets),
      TEST(test_endpoint_passes_over_an_empty_datagram),
      TEST(test_endpoint_takes_a_client_hello_of_two_packets),
      TEST(test_endpoint_speaks_quic_v2),
      TEST(test_endpoint_close_tells_the_client),
      TEST(test_endpoint_answers_with_back_off_after_its_close),
      TEST(test_endpoint_retry_and_token),
      TEST(test_endpoint_retries_under_load),
      TEST(test_endpoint_negotiates_versions),
      TEST(test_endpoint_refuses_above_its_bound),
      TEST(test_endpoint_resets_what_it_does_not_know),
      TEST(test_endpoint_sends_the_largest_datagram),
      TEST(test_endpoint_heeds_the_peers_datagram_bound),
      TEST(test_endpoint_reports_stop_sending_with_its_code),
      TEST(test_endpoint_sends_streams_in_batches),
      TEST(test_endpoint_asks_for_each_packet_where_streams_take_turns),
      TEST(test_endpoint_asks_once_a_pass_where_a_stream_is_alone),
      TEST(test_endpoint_tells_of_acknowledgements_once_a_packet),
      TEST(test_endpoint_waits_for_a_full_socket),
      TEST(test_endpoint_closes_behind_what_was_written),
      TEST(test_endpoint_ends_idle_connections),
      TEST(test_endpoint_keeps_alive_what_asks_for_it),
      TEST(test_endpoint_gives_up_on_unfinished_handshakes),
      TEST(test_endpoint_survives_garbage),
      TEST(test_endpoint_shutdown_refuses_new_ones),
      TEST(test_endpoint_survives_without_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
