/* SPDX-License-Identifier: MIT */
/*
 * What each kind of frame can make a server hold, on one connection. A peer sends as many of a kind as it likes, and
 * hears nothing of what is answered. Each kind has its bound here; what docs/limits.md says of a connection is above all
 * of them.
 */
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "world.h"

#define KIB 1024

struct flood {
  struct world world;
  struct peer *peer;
  struct wt__conn *conn;
  struct bytes frames;
  size_t before, most;
  uint64_t sent_before, sent; /* bytes of UDP payload */
};

static struct wt__conn *only_conn(struct world *w) {
  struct wt__link *link = wt__list_first(&w->server.endpoint->conns);
  return link ? WT__CONTAINER_OF(link, struct wt__conn, link) : NULL;
}

static void flood_note(struct flood *f) {
  const struct wt__conn *conn = only_conn(&f->world);
  if (!conn) return;
  size_t held = wt__gauge_total(&conn->gauge);
  if (held > f->before && held - f->before > f->most) f->most = held - f->before;
  f->sent = conn->bytes_received - f->sent_before;
}

static void flood_wait(struct flood *f, uint64_t ms) {
  uint64_t until = f->world.net.now + ms * NET_MS;
  while (net_step(&f->world.net, until)) flood_note(f);
}

/* A packet of what was added, once it is enough for one. */
static void flood_flush(struct flood *f, bool now) {
  if (f->frames.len < 1000 && !(now && f->frames.len)) return;
  peer_queue_frames(f->peer, f->frames.data, f->frames.len);
  f->frames.len = 0;
  peer_flush(f->peer);
  flood_wait(f, 3);
}

/* A frame of a type and up to three varints. */
static void flood_add(struct flood *f, uint64_t type, size_t count, uint64_t a, uint64_t b, uint64_t c) {
  const uint64_t values[] = {a, b, c};
  bytes_varint(&f->frames, type);
  for (size_t i = 0; i < count; i++) bytes_varint(&f->frames, values[i]);
  flood_flush(f, false);
}

static void flood_begin(struct flood *f, const char *path) {
  memset(f, 0, sizeof(*f));
  world_init(&f->world, 1);
  f->world.server.frugal = true;
  world_start(&f->world);
  f->world.session = server_connect(&f->world.server, f->world.peer, path, &f->world.id);
  net_run_for(&f->world.net, 1000);
  f->peer = f->world.peer;
  f->peer->deaf = true;
  f->before = wt__gauge_total(&only_conn(&f->world)->gauge);
  f->sent_before = only_conn(&f->world)->bytes_received;
}

static void flood_end(struct flood *f, const char *what, size_t bound) {
  flood_flush(f, true);
  flood_wait(f, 500);
  print_message("count: %s: %llu bytes sent, at most %zu KiB held, %.1f for each byte%s\n", what,
                (unsigned long long)f->sent, f->most / KIB, (double)f->most / (double)(f->sent ? f->sent : 1),
                f->peer->ended ? "; closed" : "");
  if (f->most > bound) fail_msg("%s: %zu bytes are held", what, f->most);
  bytes_free(&f->frames);
  world_free(&f->world);
}

/* --- Frames that are answered, or kept --- */

static void test_costs_of_ping(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (int i = 0; i < 100000; i++) flood_add(&f, 0x01, 0, 0, 0, 0);
  flood_end(&f, "PING", 64 * KIB);
}

static void test_costs_of_path_challenges(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (int i = 0; i < 20000; i++) {
    bytes_varint(&f.frames, 0x1a);
    bytes_add(&f.frames, "12345678", 8);
    flood_flush(&f, false);
  }
  flood_end(&f, "PATH_CHALLENGE", 64 * KIB);
}

static void test_costs_of_connection_ids(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t i = 8; i < 500 && !f.peer->ended; i++) {
    uint8_t id[25] = {8, (uint8_t)i, (uint8_t)(i >> 8), 1, 2, 3, 4, 5, 6, (uint8_t)i, (uint8_t)(i >> 8)};
    bytes_varint(&f.frames, 0x18);
    bytes_varint(&f.frames, i);
    bytes_varint(&f.frames, i);
    bytes_add(&f.frames, id, sizeof(id));
    flood_flush(&f, true);
    flood_wait(&f, 30);
  }
  flood_end(&f, "NEW_CONNECTION_ID", 128 * KIB);
}

static void test_costs_of_retired_connection_ids(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t i = 1; i < 300 && !f.peer->ended; i++) {
    flood_add(&f, 0x19, 1, i, 0, 0);
    flood_flush(&f, true);
    flood_wait(&f, 30);
  }
  flood_end(&f, "RETIRE_CONNECTION_ID", 64 * KIB);
}

static void test_costs_of_blocked_frames(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t i = 0; i < 20000; i++) {
    flood_add(&f, 0x14, 1, i, 0, 0);
    flood_add(&f, 0x16, 1, i % 200, 0, 0);
    flood_add(&f, 0x17, 1, i % 200, 0, 0);
  }
  flood_end(&f, "DATA_BLOCKED, STREAMS_BLOCKED", 64 * KIB);
}

/* Every second packet number: ranges to be acknowledged. */
static enum net_verdict drop_every_second(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                          size_t len) {
  (void)ctx;
  (void)data;
  (void)len;
  return direction == NET_TO_SERVER && index % 2 ? NET_DROP : NET_PASS;
}

static void test_costs_of_packet_numbers_left_out(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  f.world.net.filter = drop_every_second;
  for (int i = 0; i < 3000; i++) {
    peer_ping(f.peer);
    flood_wait(&f, 2);
  }
  f.world.net.filter = NULL;
  flood_end(&f, "every second packet number", 64 * KIB);
}

/* CRYPTO data behind a gap, after the handshake. */
static void test_costs_of_crypto_gaps(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t at = 1001; at < 60000 && !f.peer->ended; at += 2) {
    bytes_varint(&f.frames, 0x06);
    bytes_varint(&f.frames, at);
    bytes_add(&f.frames, "\x01x", 2);
    flood_flush(&f, false);
  }
  flood_end(&f, "CRYPTO with gaps", 1024 * KIB);
}

/* --- Streams --- */

static void test_costs_of_windows_of_streams_to_come(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t id = 4; id < 4 * 255; id += 4) flood_add(&f, 0x11, 2, id, 1 << 20, 0);
  flood_end(&f, "MAX_STREAM_DATA of 254 streams to come", 512 * KIB);
}

static void test_costs_of_empty_streams(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t id = 4; id < 4 * 255; id += 4) {
    flood_add(&f, 0x0a, 2, id, 0, 0);
    flood_add(&f, 0x0a, 2, id + 2, 0, 0);
  }
  flood_end(&f, "508 empty STREAM frames", 1024 * KIB);
}

static void test_costs_of_the_last_stream(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  flood_add(&f, 0x0a, 2, 4 * 254, 0, 0);
  flood_end(&f, "the last stream of 255", 64 * KIB);
}

static void test_costs_of_every_second_stream(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t id = 4; id < 4 * 255; id += 8) flood_add(&f, 0x0a, 2, id, 0, 0);
  flood_end(&f, "every second stream of 255", 512 * KIB);
}

/* Streams that end as they begin, in rounds, so that the limit on streams grows. */
static void flood_streams(struct flood *f, void (*add)(struct flood *f, uint64_t id)) {
  uint64_t id = 4;
  for (int rounds = 0; rounds < 100; rounds++) {
    for (int i = 0; i < 100; i++, id += 4) add(f, id);
    flood_flush(f, true);
    flood_wait(f, 50);
  }
}

static void add_reset(struct flood *f, uint64_t id) { flood_add(f, 0x04, 3, id, 0, 0); }

static void test_costs_of_resets(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  flood_streams(&f, add_reset);
  flood_end(&f, "RESET_STREAM of 10,000 streams, whose other side stays open", 1024 * KIB);
}

static void add_reset_and_stop(struct flood *f, uint64_t id) {
  flood_add(f, 0x04, 3, id, 0, 0);
  flood_add(f, 0x05, 2, id, 0, 0);
}

static void test_costs_of_resets_and_stops(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  flood_streams(&f, add_reset_and_stop);
  flood_end(&f, "RESET_STREAM and STOP_SENDING of 10,000 streams", 512 * KIB);
}

static void add_uni_reset(struct flood *f, uint64_t id) { flood_add(f, 0x04, 3, id + 14, 0, 0); }

static void test_costs_of_resets_of_one_way_streams(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  flood_streams(&f, add_uni_reset);
  flood_end(&f, "RESET_STREAM of 10,000 one-way streams", 512 * KIB);
}

static void add_stop(struct flood *f, uint64_t id) {
  if (id < 4 * 255) flood_add(f, 0x05, 2, id, 7, 0);
}

static void test_costs_of_stops(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  flood_streams(&f, add_stop);
  flood_end(&f, "STOP_SENDING of 254 streams", 512 * KIB);
}

/* --- Datagrams --- */

static void flood_datagrams(struct flood *f, uint64_t quarter) {
  for (int i = 0; i < 20000; i++) {
    bytes_varint(&f->frames, 0x31);
    bytes_varint(&f->frames, 2 + (quarter > 63));
    bytes_varint(&f->frames, quarter);
    bytes_add(&f->frames, "x", 1);
    flood_flush(f, false);
  }
}

static void test_costs_of_early_datagrams(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  flood_datagrams(&f, 40);
  flood_end(&f, "datagrams for a session to come", 64 * KIB);
}

static void test_costs_of_echoed_datagrams(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/echo");
  flood_datagrams(&f, 0);
  flood_end(&f, "datagrams that are echoed", 512 * KIB);
}

/* --- Requests --- */

static void test_costs_of_requests_without_an_end(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t id = 4; id < 4 * 255; id += 4) {
    bytes_varint(&f.frames, 0x0a);
    bytes_varint(&f.frames, id);
    bytes_varint(&f.frames, 3);
    bytes_add(&f.frames, "\x01\x40\xff", 3); /* HEADERS of 255 bytes, of which none comes */
    flood_flush(&f, false);
  }
  flood_end(&f, "254 HEADERS frames without their end", 1024 * KIB);
}

/* References of a byte to the longest entry of QPACK's static table. */
static void test_costs_of_referred_fields(void **state) {
  struct flood f;
  (void)state;
  flood_begin(&f, "/wt");
  for (uint64_t id = 4; id < 4 * 255 && !f.peer->ended; id += 4) {
    struct bytes section = {0}, frame = {0};
    bytes_add(&section, "\x00\x00\xd1\xd7\x51\x06/later\x50\x01x", 2 + 2 + 8 + 3); /* GET, https */
    for (int i = 0; i < 150; i++) bytes_add(&section, "\xff\x16", 2);              /* 85: content-security-policy */
    bytes_frame(&frame, 0x01, section.data, section.len);
    bytes_varint(&f.frames, 0x0a);
    bytes_varint(&f.frames, id);
    bytes_varint(&f.frames, frame.len);
    bytes_add(&f.frames, frame.data, frame.len);
    flood_flush(&f, true);
    bytes_free(&section);
    bytes_free(&frame);
  }
  flood_end(&f, "254 requests of references to the static table", 7 * 1024 * KIB);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_costs_of_ping),
      cmocka_unit_test(test_costs_of_path_challenges),
      cmocka_unit_test(test_costs_of_connection_ids),
      cmocka_unit_test(test_costs_of_retired_connection_ids),
      cmocka_unit_test(test_costs_of_blocked_frames),
      cmocka_unit_test(test_costs_of_packet_numbers_left_out),
      cmocka_unit_test(test_costs_of_crypto_gaps),
      cmocka_unit_test(test_costs_of_windows_of_streams_to_come),
      cmocka_unit_test(test_costs_of_empty_streams),
      cmocka_unit_test(test_costs_of_the_last_stream),
      cmocka_unit_test(test_costs_of_every_second_stream),
      cmocka_unit_test(test_costs_of_resets),
      cmocka_unit_test(test_costs_of_resets_and_stops),
      cmocka_unit_test(test_costs_of_resets_of_one_way_streams),
      cmocka_unit_test(test_costs_of_stops),
      cmocka_unit_test(test_costs_of_early_datagrams),
      cmocka_unit_test(test_costs_of_echoed_datagrams),
      cmocka_unit_test(test_costs_of_requests_without_an_end),
      cmocka_unit_test(test_costs_of_referred_fields),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
