/* SPDX-License-Identifier: MIT */
/*
 * RESET_STREAM_AT of the client (draft-ietf-quic-reliable-stream-reset): in every order with the bytes it keeps,
 * with every wrong value, lost, doubled, across key updates and migrations; each reset is told to the session
 * that the stream belongs to, with its code, and the stream's credit comes back.
 */
#include "quic/reset_at.h"
#include "wire/stream_header.h"
#include "world.h"

#define CODE(n) wt__error_to_wire((uint32_t)(n))
#define FLOW_CONTROL_ERROR 0x03
#define STREAM_LIMIT_ERROR 0x04
#define STREAM_STATE_ERROR 0x05
#define FINAL_SIZE_ERROR 0x06
#define FRAME_ENCODING_ERROR 0x07
#define TRANSPORT_PARAMETER_ERROR 0x08
#define PROTOCOL_VIOLATION 0x0a

enum order {
  RESET_THEN_HEADER,      /* in one packet */
  HEADER_THEN_RESET,      /* in one packet */
  RESET_PACKET_FIRST,     /* in two packets */
  HEADER_PACKET_FIRST,    /* in two packets */
  RESET_LONG_AFTER_HEADER /* when the header is long delivered */
};
#define ORDERS 5

struct header {
  uint8_t bytes[64];
  size_t len; /* of the header */
};

/* A stream's first bytes: its header, and "abc". */
static struct header header_of(const struct world *w, bool uni) {
  struct header header;
  header.len = wt__stream_header_write(header.bytes, uni, w->id);
  memcpy(header.bytes + header.len, "abc", 3);
  return header;
}

static int64_t open_stream(struct world *w, bool uni) {
  int64_t id = uni ? peer_open_uni(w->peer) : peer_open_bidi(w->peer);
  assert_true(id >= 0);
  return id;
}

static struct peer_reset_at reset_of(int64_t id, uint64_t code, uint64_t final_size, uint64_t reliable_size) {
  return (struct peer_reset_at){
      .id = id, .code = code, .final_size = final_size, .reliable_size = reliable_size, .plain = false};
}

/* Opens a stream, sends "abc" on it and resets it with `code`, keeping `kept` bytes of the three. */
static int64_t send_and_reset(struct world *w, bool uni, enum order order, uint64_t code, size_t kept) {
  struct header header = header_of(w, uni);
  int64_t id = open_stream(w, uni);
  struct peer_reset_at reset = reset_of(id, code, header.len + 3, header.len + kept);
  if (order == RESET_THEN_HEADER || order == HEADER_THEN_RESET) {
    peer_queue_reset_at(w->peer, &reset, order == HEADER_THEN_RESET);
    peer_send(w->peer, id, header.bytes, header.len + 3, false);
  } else if (order == RESET_PACKET_FIRST) {
    peer_queue_reset_at(w->peer, &reset, false);
    peer_flush(w->peer);
    peer_send(w->peer, id, header.bytes, header.len + 3, false);
  } else {
    peer_send(w->peer, id, header.bytes, header.len + 3, false);
    if (order == RESET_LONG_AFTER_HEADER) net_run_for(&w->net, 200);
    peer_queue_reset_at(w->peer, &reset, false);
    peer_flush(w->peer);
  }
  return id;
}

static struct server_stream *find(struct world *w, int64_t id) {
  struct server_stream *stream = w->server.streams;
  while (stream && stream->id != id) stream = stream->next;
  return stream;
}

static bool was_reset(struct world *w, int64_t id) {
  const struct server_stream *stream = find(w, id);
  return stream && stream->resets == 1;
}

static void assert_reset(struct world *w, int64_t id, uint64_t code) {
  const struct server_stream *stream = find(w, id);
  assert_non_null(stream);
  assert_ptr_equal(stream->session, w->session);
  assert_int_equal(stream->resets, 1);
  assert_int_equal(stream->reset_error.by, WT_PEER);
  assert_int_equal(stream->reset_error.wire_code, code);
}

static bool all_closed(struct world *w) {
  for (const struct server_stream *stream = w->server.streams; stream; stream = stream->next) {
    if (stream->closes == 0) return false;
  }
  return true;
}

/* --- The parameter --- */

static void test_reset_at_is_announced_under_both_numbers(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  assert_int_equal(w.peer->server_reset_at, PEER_RESET_AT | PEER_RESET_AT_DRAFT);
  world_free(&w);
}

static void test_reset_at_parameter_with_a_value_is_an_error(void **state) {
  (void)state;
  struct world w;
  struct sockaddr_in address = server_address();
  world_init(&w, 1);
  w.options.reset_at = PEER_RESET_AT_FILLED;
  server_start(&w.server);
  w.peer = peer_new(&w.net, &address, &w.options);
  NET_UNTIL(&w.net, 5000, w.peer->ended);
  assert_true(w.peer->close_received);
  assert_false(w.peer->close_is_app);
  assert_int_equal(w.peer->close_code, TRANSPORT_PARAMETER_ERROR);
  world_free(&w);
}

/* --- Orders --- */

static void test_reset_at_in_every_order_reaches_its_session(void **state) {
  (void)state;
  for (int uni = 0; uni < 2; uni++) {
    for (int order = 0; order < ORDERS; order++) {
      for (size_t kept = 0; kept <= 3; kept++) {
        struct world w;
        world_session(&w, "/wt");
        int64_t id = send_and_reset(&w, uni, (enum order)order, CODE(7 + kept), kept);
        NET_UNTIL(&w.net, 1000, was_reset(&w, id));
        assert_reset(&w, id, CODE(7 + kept));
        assert_true(find(&w, id)->rx_total >= kept);
        if (!uni) wt_stream_end(find(&w, id)->stream);
        NET_UNTIL(&w.net, 1000, find(&w, id)->closes == 1 && peer_stream(w.peer, id)->closed);
        world_free(&w);
      }
    }
  }
}

struct dropper {
  uint64_t count; /* of the packets to the server, once it is armed */
  bool armed;
};

static enum net_verdict drop(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  struct dropper *dropper = ctx;
  (void)index;
  (void)data;
  (void)len;
  if (!dropper->armed || direction != NET_TO_SERVER || !dropper->count) return NET_PASS;
  dropper->count--;
  return NET_DROP;
}

/* The header's packet is lost, the reset's arrives, and the header is sent again; or the other way round. */
static void test_reset_at_survives_the_loss_of_either_packet(void **state) {
  (void)state;
  for (int header_lost = 0; header_lost < 2; header_lost++) {
    struct world w;
    struct dropper dropper = {.count = 1};
    world_session(&w, "/wt");
    struct header header = header_of(&w, true);
    w.net.filter = drop;
    w.net.filter_ctx = &dropper;
    int64_t id = open_stream(&w, true);
    dropper.armed = header_lost;
    peer_send(w.peer, id, header.bytes, header.len + 3, false);
    if (header_lost) {
      NET_UNTIL(&w.net, 1000, !dropper.count);
    } else {
      NET_UNTIL(&w.net, 1000, find(&w, id));
    }
    dropper.armed = true;
    peer_reset_at(w.peer, id, CODE(9), header.len + 3, header.len + 3);
    NET_UNTIL(&w.net, 5000, was_reset(&w, id));
    assert_int_equal(dropper.count, 0);
    assert_reset(&w, id, CODE(9));
    assert_int_equal(find(&w, id)->rx_total, 3);
    NET_UNTIL(&w.net, 5000, peer_stream(w.peer, id)->closed);
    world_free(&w);
  }
}

static void test_reset_at_keeps_bytes_up_to_the_final_size(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct header header = header_of(&w, true);
  uint8_t data[9000];
  memset(data, 'x', sizeof(data));
  int64_t id = open_stream(&w, true);
  peer_reset_at(w.peer, id, CODE(1), header.len + sizeof(data), header.len + sizeof(data));
  peer_send(w.peer, id, header.bytes, header.len, false);
  for (size_t at = 0; at < sizeof(data); at += 1000) {
    peer_send(w.peer, id, data + at, 1000, false);
    net_run_for(&w.net, 50);
    assert_int_equal(find(&w, id)->rx_total, at + 1000);
    assert_int_equal(find(&w, id)->resets, at + 1000 == sizeof(data));
  }
  assert_reset(&w, id, CODE(1));
  world_free(&w);
}

/* --- Several frames for one stream --- */

static void test_reset_at_takes_the_smallest_reliable_size(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct header header = header_of(&w, true);
  int64_t id = open_stream(&w, true);
  peer_send(w.peer, id, header.bytes, header.len, false);
  peer_reset_at(w.peer, id, CODE(3), 1000, 900);
  net_run_for(&w.net, 50);
  peer_reset_at(w.peer, id, CODE(3), 1000, header.len + 3);
  peer_reset_at(w.peer, id, CODE(3), 1000, 500); /* larger: late, and of no meaning */
  net_run_for(&w.net, 50);
  assert_int_equal(find(&w, id)->resets, 0);
  peer_send(w.peer, id, "abc", 3, false);
  NET_UNTIL(&w.net, 1000, was_reset(&w, id));
  assert_reset(&w, id, CODE(3));
  world_free(&w);
}

static void test_reset_at_is_lowered_to_what_was_delivered(void **state) {
  (void)state;
  for (int plain = 0; plain < 2; plain++) {
    struct world w;
    world_session(&w, "/wt");
    struct header header = header_of(&w, true);
    int64_t id = open_stream(&w, true);
    peer_send(w.peer, id, header.bytes, header.len + 3, false);
    peer_reset_at(w.peer, id, CODE(3), 1000, 900);
    net_run_for(&w.net, 50);
    assert_int_equal(find(&w, id)->resets, 0);
    struct peer_reset_at lower = reset_of(id, CODE(3), 1000, header.len);
    lower.plain = plain;
    peer_queue_reset_at(w.peer, &lower, false);
    peer_flush(w.peer);
    NET_UNTIL(&w.net, 1000, was_reset(&w, id));
    assert_reset(&w, id, CODE(3));
    world_free(&w);
  }
}

static void test_reset_at_of_a_finished_or_reset_stream_does_nothing(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct header header = header_of(&w, true);
  int64_t ended = peer_wt_open(w.peer, true, w.id, "abc", 3, true);
  int64_t reset = send_and_reset(&w, true, HEADER_PACKET_FIRST, CODE(1), 3);
  int64_t half = send_and_reset(&w, false, HEADER_PACKET_FIRST, CODE(2), 3); /* its other direction is open */
  NET_UNTIL(&w.net, 1000, find(&w, ended) && find(&w, ended)->closes && was_reset(&w, reset) && was_reset(&w, half));
  peer_reset_at(w.peer, ended, CODE(1), header.len + 3, header.len + 3);
  peer_reset_at(w.peer, reset, CODE(1), header.len + 3, header.len);
  peer_reset_at(w.peer, half, CODE(2), header.len + 3, header.len);
  net_run_for(&w.net, 500);
  assert_false(w.peer->ended);
  assert_int_equal(find(&w, ended)->resets, 0);
  assert_int_equal(find(&w, reset)->resets, 1);
  assert_int_equal(find(&w, half)->resets, 1);
  world_free(&w);
}

static void test_reset_at_may_follow_a_fin(void **state) {
  (void)state;
  struct world w;
  struct dropper dropper = {.count = 1, .armed = false};
  world_session(&w, "/wt");
  w.net.filter = drop;
  w.net.filter_ctx = &dropper;
  struct header header = header_of(&w, true);
  int64_t id = open_stream(&w, true);
  peer_send(w.peer, id, header.bytes, header.len + 1, false);
  NET_UNTIL(&w.net, 1000, find(&w, id) && find(&w, id)->rx_total == 1);
  dropper.armed = true; /* "bc" and the FIN are late */
  peer_send(w.peer, id, header.bytes + header.len + 1, 2, true);
  NET_UNTIL(&w.net, 1000, !dropper.count);
  peer_reset_at(w.peer, id, CODE(1), header.len + 3, header.len + 1);
  NET_UNTIL(&w.net, 1000, was_reset(&w, id));
  assert_reset(&w, id, CODE(1));
  NET_UNTIL(&w.net, 5000, find(&w, id)->closes == 1 && peer_stream(w.peer, id)->closed);
  world_free(&w);
}

/* --- Errors --- */

static void expect_close(struct world *w, uint64_t code) {
  NET_UNTIL(&w->net, 1000, w->peer->ended);
  assert_true(w->peer->close_received);
  assert_false(w->peer->close_is_app);
  assert_int_equal(w->peer->close_code, code);
}

static void test_reset_at_beyond_its_final_size_closes_the_connection(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t id = peer_wt_open(w.peer, true, w.id, "abc", 3, false);
  peer_reset_at(w.peer, id, CODE(1), 6, 7);
  expect_close(&w, FRAME_ENCODING_ERROR);
  world_free(&w);
}

static void test_reset_at_must_not_change_code_or_final_size(void **state) {
  (void)state;
  for (int kept = 0; kept < 2; kept++) {
    for (int size = 0; size < 2; size++) {
      struct world w;
      world_session(&w, "/wt");
      struct header header = header_of(&w, false);
      int64_t id = peer_wt_open(w.peer, false, w.id, "abc", 3, false);
      peer_reset_at(w.peer, id, CODE(1), 100, kept ? 50 : header.len);
      net_run_for(&w.net, 100);
      assert_int_equal(find(&w, id)->resets, !kept);
      peer_reset_at(w.peer, id, CODE(size ? 1 : 2), size ? 99 : 100, header.len);
      expect_close(&w, size ? FINAL_SIZE_ERROR : STREAM_STATE_ERROR);
      world_free(&w);
    }
  }
}

static void test_reset_at_smaller_than_what_was_sent_closes_the_connection(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  struct header header = header_of(&w, true);
  int64_t id = open_stream(&w, true);
  peer_reset_at(w.peer, id, CODE(1), header.len + 1, header.len + 1);
  peer_send(w.peer, id, header.bytes, header.len + 3, false);
  expect_close(&w, FINAL_SIZE_ERROR);
  world_free(&w);
}

static void test_reset_at_beyond_flow_control_closes_the_connection(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  int64_t id = peer_wt_open(w.peer, true, w.id, "abc", 3, false);
  peer_reset_at(w.peer, id, CODE(1), UINT64_C(1) << 40, 4);
  expect_close(&w, FLOW_CONTROL_ERROR);
  world_free(&w);
}

static void test_reset_at_of_impossible_streams_closes_the_connection(void **state) {
  (void)state;
  const struct {
    int64_t id;
    uint64_t code;
  } cases[] = {
      {4 * 100000, STREAM_LIMIT_ERROR},     /* bidirectional, beyond the limit */
      {4 * 100000 + 2, STREAM_LIMIT_ERROR}, /* unidirectional */
      {4 * 100 + 1, STREAM_STATE_ERROR},    /* the server's, never opened */
      {3, PROTOCOL_VIOLATION},              /* the server's control stream: ngtcp2's choice of code */
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
    struct world w;
    world_session(&w, "/wt");
    peer_reset_at(w.peer, cases[i].id, CODE(1), 5, 5);
    expect_close(&w, cases[i].code);
    world_free(&w);
  }
}

/* --- Bytes that never come --- */

static void test_reset_at_whose_bytes_never_come_ends_the_connection(void **state) {
  (void)state;
  for (int seen = 0; seen < 2; seen++) {
    struct world w;
    world_session(&w, "/wt");
    struct header header = header_of(&w, true);
    int64_t id = open_stream(&w, true);
    if (seen) peer_send(w.peer, id, header.bytes, header.len, false);
    peer_reset_at(w.peer, id, CODE(1), 100, 50);
    uint64_t end = w.net.now + (WT__RESET_AT_TIMEOUT_MS - 1000) * NET_MS;
    while (w.net.now < end) {
      peer_ping(w.peer); /* the connection is not idle */
      net_run_for(&w.net, 5000 < (end - w.net.now) / NET_MS ? 5000 : (end - w.net.now) / NET_MS + 1);
    }
    assert_false(w.peer->ended);
    peer_ping(w.peer);
    net_run_for(&w.net, 2000);
    assert_true(w.peer->ended);
    assert_int_equal(w.peer->close_code, PROTOCOL_VIOLATION);
    world_free(&w);
  }
}

static void pause_streams(struct server *server, enum server_event event, struct server_session *session,
                          struct server_stream *stream) {
  (void)server;
  (void)session;
  if (event == SERVER_STREAM) wt_stream_pause(stream->stream);
}

/* The client may be done with the stream long before the application has read what it kept of it. */
static void test_reset_at_leaves_its_bytes_to_a_paused_application(void **state) {
  (void)state;
  static const uint8_t data[5000];
  for (int order = 0; order < 2; order++) {
    struct world w;
    world_init(&w, 1);
    w.server.hook = pause_streams;
    world_start(&w);
    w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
    struct header header = header_of(&w, true);
    int64_t id = open_stream(&w, true);
    size_t size = header.len + sizeof(data);
    if (order) peer_reset_at(w.peer, id, CODE(1), size, header.len + 2000);
    peer_queue(w.peer, id, header.bytes, header.len, false);
    peer_send(w.peer, id, data, sizeof(data), false);
    net_run_for(&w.net, 200);
    if (!order) peer_reset_at(w.peer, id, CODE(1), size, header.len + 2000);
    net_run_for(&w.net, 60000);
    assert_int_equal(find(&w, id)->resets, 0);
    assert_false(w.peer->ended);
    wt_stream_resume(find(&w, id)->stream);
    NET_UNTIL(&w.net, 1000, find(&w, id)->closes == 1);
    assert_reset(&w, id, CODE(1));
    assert_true(find(&w, id)->rx_total >= 2000);
    world_free(&w);
  }
}

static void test_reset_at_of_a_stopped_stream_needs_no_bytes(void **state) {
  (void)state;
  for (int stopped_first = 0; stopped_first < 2; stopped_first++) {
    struct world w;
    world_session(&w, "/wt");
    int64_t id = peer_wt_open(w.peer, true, w.id, "abc", 3, false);
    NET_UNTIL(&w.net, 1000, find(&w, id));
    if (!stopped_first) {
      peer_reset_at(w.peer, id, CODE(1), 100, 50);
      net_run_for(&w.net, 100);
    }
    assert_int_equal(wt_stream_stop_sending(find(&w, id)->stream, 5), 0);
    if (stopped_first) peer_reset_at(w.peer, id, CODE(1), 100, 50);
    NET_UNTIL(&w.net, 1000, find(&w, id)->closes == 1);
    world_free(&w);
  }
}

/* --- The connection changes in between --- */

static void test_reset_at_survives_key_updates(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  for (int i = 0; i < 5; i++) {
    struct header header = header_of(&w, true);
    int64_t id = open_stream(&w, true);
    peer_reset_at(w.peer, id, CODE(i), header.len + 3, header.len + 3);
    net_run_for(&w.net, 1000);
    peer_update_key(w.peer);
    peer_send(w.peer, id, header.bytes, header.len + 3, false);
    NET_UNTIL(&w.net, 1000, was_reset(&w, id));
    assert_reset(&w, id, CODE(i));
    net_run_for(&w.net, 1000);
  }
  world_free(&w);
}

static void test_reset_at_survives_a_migration(void **state) {
  (void)state;
  struct world w;
  world_session(&w, "/wt");
  for (unsigned i = 0; i < 3; i++) {
    struct header header = header_of(&w, true);
    int64_t id = open_stream(&w, true);
    peer_reset_at(w.peer, id, CODE(i), header.len + 3, header.len + 3);
    net_run_for(&w.net, 1000);
    peer_migrate(w.peer, 5 + i);
    peer_send(w.peer, id, header.bytes, header.len + 3, false);
    NET_UNTIL(&w.net, 1000, was_reset(&w, id));
    assert_reset(&w, id, CODE(i));
    net_run_for(&w.net, 1000);
    assert_false(w.peer->ended);
  }
  world_free(&w);
}

/* --- Unidirectional streams that are reset before anything else is heard of them --- */

static void test_reset_at_unseen_streams_give_their_credit_back(void **state) {
  (void)state;
  for (int plain = 0; plain < 2; plain++) {
    struct world w;
    world_session(&w, "/wt");
    for (int i = 0; i < 1000; i++) {
      int64_t id = peer_open_uni(w.peer);
      if (id < 0) {
        net_run_for(&w.net, 200);
        id = peer_open_uni(w.peer);
        assert_true(id >= 0);
      }
      struct peer_reset_at reset = reset_of(id, CODE(i), 0, 0);
      reset.plain = plain;
      peer_queue_reset_at(w.peer, &reset, false);
      peer_flush(w.peer);
    }
    net_run_for(&w.net, 1000);
    assert_int_equal(w.peer->raws_acked, 1000);
    assert_int_equal(ngtcp2_conn_get_streams_uni_left(w.peer->conn) > 200, 1);
    assert_null(w.server.streams);
    world_free(&w);
  }
}

/* --- Many --- */

/* Resets of `count` streams, shuffled with their headers over packets of a bad network. */
static void reset_many(uint64_t seed, size_t count, unsigned loss) {
  struct world w;
  size_t made = 0, updates = 0;
  world_init(&w, seed);
  world_start(&w);
  w.session = server_connect(&w.server, w.peer, "/wt", &w.id);
  for (int i = 0; i < 2; i++) {
    w.net.link[i].loss = loss;
    w.net.link[i].duplicate = 50;
    w.net.link[i].reorder = 300;
    w.net.link[i].reorder_by = 15 * NET_MS;
  }
  while (made < count) {
    bool uni = made % 3 != 0;
    struct header header = header_of(&w, uni);
    int64_t id = uni ? peer_open_uni(w.peer) : peer_open_bidi(w.peer);
    if (id < 0) {
      net_run_for(&w.net, 20);
      continue;
    }
    size_t kept = net_random(&w.net) % 4;
    struct peer_reset_at reset = reset_of(id, CODE(id), header.len + 3, header.len + kept);
    peer_queue_reset_at(w.peer, &reset, net_random(&w.net) % 2);
    if (net_random(&w.net) % 4 == 0) peer_flush(w.peer);
    peer_queue(w.peer, id, header.bytes, header.len + 3, false);
    if (net_random(&w.net) % 4 == 0) peer_flush(w.peer);
    if (net_random(&w.net) % 64 == 0) updates += !ngtcp2_conn_initiate_key_update(w.peer->conn, w.net.now);
    made++;
    for (struct server_stream *stream = w.server.streams; stream && made % 64 == 0; stream = stream->next) {
      if (stream->stream && !stream->uni && stream->resets && !stream->ended)
        stream->ended = wt_stream_end(stream->stream) == 0;
    }
  }
  peer_flush(w.peer);
  for (int i = 0; i < 200 && (w.peer->raws || !all_closed(&w)); i++) {
    net_run_for(&w.net, 100);
    for (struct server_stream *stream = w.server.streams; stream; stream = stream->next) {
      if (stream->stream && !stream->uni && stream->resets && !stream->ended)
        stream->ended = wt_stream_end(stream->stream) == 0;
    }
  }
  size_t seen = 0;
  for (const struct server_stream *stream = w.server.streams; stream; stream = stream->next) {
    seen++;
    assert_reset(&w, stream->id, CODE(stream->id));
    assert_int_equal(stream->closes, 1);
  }
  assert_int_equal(seen, count);
  net_run_for(&w.net, 1000);
  assert_true(ngtcp2_conn_get_streams_uni_left(w.peer->conn) >= 250);
  assert_true(updates > 0);
  print_message("seed %llu: %zu resets, %u per mille loss, %zu key updates: all told\n", (unsigned long long)seed, seen,
                loss, updates);
  world_free(&w);
}

static void test_reset_at_thousands_shuffled_on_a_bad_network(void **state) {
  (void)state;
  reset_many(1, 2000, 0);
  for (uint64_t seed = 2; seed < 6; seed++) reset_many(seed, 1000, 50);
  reset_many(6, 500, 200);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_reset_at_is_announced_under_both_numbers),
      cmocka_unit_test(test_reset_at_parameter_with_a_value_is_an_error),
      cmocka_unit_test(test_reset_at_in_every_order_reaches_its_session),
      cmocka_unit_test(test_reset_at_survives_the_loss_of_either_packet),
      cmocka_unit_test(test_reset_at_keeps_bytes_up_to_the_final_size),
      cmocka_unit_test(test_reset_at_takes_the_smallest_reliable_size),
      cmocka_unit_test(test_reset_at_is_lowered_to_what_was_delivered),
      cmocka_unit_test(test_reset_at_of_a_finished_or_reset_stream_does_nothing),
      cmocka_unit_test(test_reset_at_may_follow_a_fin),
      cmocka_unit_test(test_reset_at_beyond_its_final_size_closes_the_connection),
      cmocka_unit_test(test_reset_at_must_not_change_code_or_final_size),
      cmocka_unit_test(test_reset_at_smaller_than_what_was_sent_closes_the_connection),
      cmocka_unit_test(test_reset_at_beyond_flow_control_closes_the_connection),
      cmocka_unit_test(test_reset_at_of_impossible_streams_closes_the_connection),
      cmocka_unit_test(test_reset_at_whose_bytes_never_come_ends_the_connection),
      cmocka_unit_test(test_reset_at_leaves_its_bytes_to_a_paused_application),
      cmocka_unit_test(test_reset_at_of_a_stopped_stream_needs_no_bytes),
      cmocka_unit_test(test_reset_at_survives_key_updates),
      cmocka_unit_test(test_reset_at_survives_a_migration),
      cmocka_unit_test(test_reset_at_unseen_streams_give_their_credit_back),
      cmocka_unit_test(test_reset_at_thousands_shuffled_on_a_bad_network),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
