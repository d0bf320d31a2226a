/* SPDX-License-Identifier: MIT */

/*
 * Connection ids that a balancer reads, on whole connections: every id that a client gets or uses says where it belongs,
 * and connections move to another configuration without losing a byte, whatever the network loses.
 */

#include "pair.h"
#include "quic/aes.h"
#include "quic/cid_issue.h"
#include "quic/cid_maker.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "wire/cid_layout.h"

#define KEY "0123456789abcdef"
#define IDS_MAX 4096

static const uint8_t server_id[] = {0x31, 0x44, 0x1a, 1, 2, 3, 4, 5};

/* The ids of packets with a short header that a client has sent. */
struct seen {
  size_t count, cid_len;
  uint8_t ids[IDS_MAX][WT__CID_MAX_LEN];
};

struct bed {
  struct world w;
  struct wt__cid_shared ids;
  struct seen seen;
};

static enum net_verdict note_ids(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  struct seen *seen = ctx;
  (void)index;
  if (direction != NET_TO_SERVER || data[0] & 0x80 || len <= seen->cid_len) return NET_PASS;
  memcpy(seen->ids[seen->count++ % IDS_MAX], data + 1, seen->cid_len);
  return NET_PASS;
}

static void scheme_of(struct wt__cid_scheme *scheme, const struct wt_connection_ids *ids) {
  char why[WT__CID_WHY_MAX] = "";
  if (wt__cid_scheme_read(scheme, ids, 1, why, sizeof(why))) fail_msg("%s", why);
}

static void bed_init(struct bed *bed, const struct wt_connection_ids *ids, uint64_t seed) {
  struct wt__cid_scheme scheme;
  memset(bed, 0, sizeof(*bed));
  world_init(&bed->w, seed);
  scheme_of(&scheme, ids);
  assert_int_equal(wt__cid_shared_init(&bed->ids, &scheme), 0);
  bed->w.server.config.ids = &bed->ids;
  bed->seen.cid_len = scheme.len;
  bed->w.net.filter = note_ids;
  bed->w.net.filter_ctx = &bed->seen;
}

static void bed_start(struct bed *bed) {
  struct world *w = &bed->w;
  world_start(w);
  w->session = server_connect(&w->server, w->peer, "/echo", &w->id);
}

static void bed_free(struct bed *bed) {
  world_free(&bed->w);
  wt__cid_shared_free(&bed->ids);
}

static struct wt__conn *conn_of(const struct server *server) {
  return WT__CONTAINER_OF(wt__list_first(&server->endpoint->conns), struct wt__conn, link);
}

/* Another configuration, as another thread would set it and wake the worker. */
static void change(struct server *server, struct net *net, struct wt__cid_shared *ids,
                   const struct wt_connection_ids *to) {
  struct wt__cid_scheme scheme;
  bool changed;
  char why[WT__CID_WHY_MAX] = "";
  scheme_of(&scheme, to);
  assert_int_equal(wt__cid_shared_set(ids, &scheme, &changed, why, sizeof(why)), 0);
  server->node.run(server->node.ctx, net->now);
}

static void lb_ids(struct wt_connection_ids *ids, unsigned config_id, bool encrypted) {
  wt_connection_ids_default(ids, WT_CONNECTION_ID_QUIC_LB);
  ids->config_id = config_id;
  ids->server_id = server_id;
  ids->server_id_len = sizeof(server_id);
  ids->nonce_length = 6;
  if (!encrypted) return;
  ids->key = (const uint8_t *)KEY;
  ids->key_len = 16;
}

/* Whether `id` is one of `ids`, as a balancer would decide. */
static bool is_of(const struct wt_connection_ids *ids, const uint8_t *id, size_t len) {
  struct wt__cid_scheme scheme;
  uint8_t found[WT__LB_SERVER_ID_MAX];
  struct wt__aes *aes = NULL;
  scheme_of(&scheme, ids);
  if (len != ids->length) return false;
  if (ids->layout == WT_CONNECTION_ID_UNROUTABLE) return id[0] == (7 << 5 | (len - 1));
  if (ids->layout == WT_CONNECTION_ID_KATRAN)
    return wt__katran_read((enum wt__katran)ids->katran_version, id, len) == scheme.katran_host;
  if (ids->layout == WT_CONNECTION_ID_RANDOM) return true;
  if (scheme.lb.encrypted) assert_int_equal(wt__aes_new(&aes, scheme.key), 0);
  const struct wt__lb_cipher cipher = {wt__aes_encrypt_block, wt__aes_decrypt_block, aes};
  int error = wt__lb_cid_read(&scheme.lb, &cipher, id, len, found);
  wt__aes_free(aes);
  return !error && !memcmp(found, ids->server_id, ids->server_id_len);
}

/* How many ids the client may use, and whether all of them are of `ids`. */
static unsigned check_issued(struct server *server, const struct wt_connection_ids *ids) {
  unsigned count = 0;
  WT__LIST_FOREACH(link, next, &conn_of(server)->cids) {
    const struct wt__cid *cid = WT__CONTAINER_OF(link, struct wt__cid, link);
    if (!cid->issued || cid->retired) continue;
    assert_true(is_of(ids, cid->data, cid->len));
    count++;
  }
  return count;
}

static bool has_moved(const struct server *server) {
  const struct wt__conn *conn = conn_of(server);
  return conn->cid_issue.retire_prior_to == 0 && conn->cid_issue.generation == server->endpoint->ids.generation;
}

/* All ids that the client has used since the `from`th packet are of `ids`. */
static void check_seen(const struct bed *bed, const struct wt_connection_ids *ids, size_t from) {
  assert_true(bed->seen.count > from && bed->seen.count <= IDS_MAX);
  for (size_t i = from; i < bed->seen.count; i++) assert_true(is_of(ids, bed->seen.ids[i], bed->seen.cid_len));
}

static void check_echo(struct world *w, uint64_t seed) {
  uint8_t *data = pattern_new(20000, seed);
  int64_t id = peer_wt_open(w->peer, false, w->id, data, 20000, true);
  NET_UNTIL(&w->net, 20000, peer_stream(w->peer, id)->fin);
  assert_true(world_received(w, id, 0, 20000, seed));
  free(data);
}

/* --- Layouts --- */

static void check_layout(const struct wt_connection_ids *ids, unsigned count) {
  static struct bed bed;
  bed_init(&bed, ids, 1);
  bed_start(&bed);
  check_echo(&bed.w, 1);
  assert_int_equal(check_issued(&bed.w.server, ids), count);
  check_seen(&bed, ids, 0);
  if (count > 1) peer_migrate(bed.w.peer, 2); /* takes another id */
  check_echo(&bed.w, 2);
  check_seen(&bed, ids, 0);
  bed_free(&bed);
}

static void test_ids_of_each_layout_say_the_server(void **state) {
  (void)state;
  struct wt_connection_ids ids;
  static const size_t lengths[][3] = {{1, 4, 8},   {3, 4, 8},   {3, 4, 20}, {8, 8, 17},
                                      {8, 10, 19}, {8, 11, 20}, {1, 18, 20}};
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_RANDOM);
  check_layout(&ids, 7);
  for (size_t i = 0; i < 2 * sizeof(lengths) / sizeof(*lengths); i++) {
    lb_ids(&ids, (unsigned)(i % 7), i % 2);
    ids.server_id_len = lengths[i / 2][0];
    ids.nonce_length = lengths[i / 2][1];
    ids.length = lengths[i / 2][2];
    ids.length_in_first_octet = i % 3 == 0;
    check_layout(&ids, 7);
  }
  for (unsigned version = 1; version <= 3; version++) {
    wt_connection_ids_default(&ids, WT_CONNECTION_ID_KATRAN);
    ids.katran_version = version;
    ids.server_id = server_id;
    ids.server_id_len = version + 1;
    check_layout(&ids, 7);
  }
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_AWS_NLB);
  ids.server_id = server_id;
  ids.server_id_len = sizeof(server_id);
  check_layout(&ids, 7);
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_UNROUTABLE);
  check_layout(&ids, 1);
}

/* A balancer sends the answer to a Retry where the Retry came from, by its id. */
static void test_ids_of_a_retry_say_the_server(void **state) {
  (void)state;
  static struct bed bed;
  struct wt_connection_ids ids;
  lb_ids(&ids, 3, true);
  bed_init(&bed, &ids, 1);
  bed.w.server.config.retry = WT_RETRY_ALWAYS;
  bed_start(&bed);
  assert_true(bed.w.peer->retry_received);
  check_echo(&bed.w, 1);
  bed_free(&bed);
}

static bool peer_may_migrate(struct peer *peer) {
  return !ngtcp2_conn_get_remote_transport_params(peer->conn)->disable_active_migration;
}

static void test_ids_without_a_configuration_are_single(void **state) {
  (void)state;
  static struct bed bed;
  struct wt_connection_ids ids;
  wt_connection_ids_default(&ids, WT_CONNECTION_ID_UNROUTABLE);
  bed_init(&bed, &ids, 1);
  bed_start(&bed);
  assert_false(peer_may_migrate(bed.w.peer));
  assert_int_equal(check_issued(&bed.w.server, &ids), 1);
  size_t before = bed.seen.count;
  lb_ids(&ids, 0, true); /* the configuration arrives */
  change(&bed.w.server, &bed.w.net, &bed.ids, &ids);
  NET_UNTIL(&bed.w.net, 5000, has_moved(&bed.w.server));
  check_echo(&bed.w, 1);
  assert_int_equal(check_issued(&bed.w.server, &ids), 7);
  assert_true(is_of(&ids, bed.seen.ids[bed.seen.count - 1], ids.length));
  assert_false(is_of(&ids, bed.seen.ids[before - 1], ids.length));
  bed_free(&bed);
}

/* --- Rotation --- */

static void rotate(struct bed *bed, struct wt_connection_ids *ids, unsigned config_id, bool encrypted) {
  lb_ids(ids, config_id, encrypted);
  change(&bed->w.server, &bed->w.net, &bed->ids, ids);
}

/* Two rotations while bytes flow over a network that loses, swaps and doubles packets. */
static void check_rotation(uint64_t limit, unsigned loss, uint64_t seed) {
  static struct bed bed;
  struct wt_connection_ids ids;
  struct world *w = &bed.w;
  lb_ids(&ids, 0, false);
  bed_init(&bed, &ids, seed);
  w->options.active_connection_id_limit = limit;
  bed_start(&bed);
  for (int i = 0; i < 2; i++) {
    w->net.link[i].loss = loss;
    w->net.link[i].duplicate = w->net.link[i].reorder = loss / 2;
    w->net.link[i].reorder_by = 15 * NET_MS;
  }
  uint8_t *data = pattern_new(300000, seed);
  int64_t id = peer_wt_open(w->peer, false, w->id, data, 300000, true);
  net_run_for(&w->net, seed % 50);
  rotate(&bed, &ids, 1, true);
  net_run_for(&w->net, seed % 3 ? 500 : 5); /* the second one also before the first is over */
  rotate(&bed, &ids, 2, true);
  NET_UNTIL(&w->net, 60000, has_moved(&w->server));
  NET_UNTIL(&w->net, 60000, peer_stream(w->peer, id)->fin);
  assert_true(world_received(w, id, 0, 300000, seed));
  net_run_for(&w->net, 3000); /* retired ids are removed, and replaced */
  size_t from = bed.seen.count;
  check_echo(w, seed);
  check_seen(&bed, &ids, from);
  uint64_t most = limit < 7 ? limit : 7;
  assert_true(check_issued(&w->server, &ids) <= most);
  NET_UNTIL(&w->net, 20000, check_issued(&w->server, &ids) == most);
  free(data);
  bed_free(&bed);
}

static void test_ids_move_to_another_configuration(void **state) {
  (void)state;
  for (uint64_t limit = 2; limit <= 8; limit++) check_rotation(limit, 0, limit);
}

static void test_ids_move_while_packets_are_lost(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 28; seed++) check_rotation(2 + seed % 7, 100, 100 + seed);
}

/* Whoever has nothing to say is moved, too: the server wakes up for it. */
static void test_ids_of_a_silent_client_move(void **state) {
  (void)state;
  static struct bed bed;
  struct wt_connection_ids ids;
  lb_ids(&ids, 0, false);
  bed_init(&bed, &ids, 1);
  bed_start(&bed);
  net_run_for(&bed.w.net, 3000);
  rotate(&bed, &ids, 1, true);
  NET_UNTIL(&bed.w.net, 200, has_moved(&bed.w.server));
  bed_free(&bed);
}

/* The same configuration again: not a packet. */
static void test_ids_stay_with_the_same_configuration(void **state) {
  (void)state;
  static struct bed bed;
  struct wt_connection_ids ids;
  lb_ids(&ids, 0, true);
  bed_init(&bed, &ids, 1);
  bed_start(&bed);
  net_run_for(&bed.w.net, 2000);
  uint64_t sent = bed.w.net.counts[NET_TO_CLIENT].sent;
  rotate(&bed, &ids, 0, true);
  net_run_for(&bed.w.net, 2000);
  assert_int_equal(bed.w.net.counts[NET_TO_CLIENT].sent, sent);
  bed_free(&bed);
}

/* A configuration that comes while a handshake is on its way. */
static void test_ids_move_after_the_handshake(void **state) {
  (void)state;
  for (uint64_t ms = 0; ms < 50; ms += 3) {
    static struct bed bed;
    struct wt_connection_ids ids;
    struct sockaddr_in address = server_address();
    lb_ids(&ids, 0, false);
    bed_init(&bed, &ids, ms);
    server_start(&bed.w.server);
    bed.w.peer = peer_new(&bed.w.net, &address, &bed.w.options);
    net_run_for(&bed.w.net, ms);
    rotate(&bed, &ids, 1, true);
    NET_UNTIL(&bed.w.net, 5000, bed.w.peer->handshake_confirmed);
    NET_UNTIL(&bed.w.net, 5000, has_moved(&bed.w.server));
    bed.w.session = server_connect(&bed.w.server, bed.w.peer, "/echo", &bed.w.id);
    check_echo(&bed.w, 1);
    (void)check_issued(&bed.w.server, &ids);
    bed_free(&bed);
  }
}

/* The client changes its address, and with it the id, while it is asked to give up all ids. */
static void test_ids_move_while_the_client_migrates(void **state) {
  (void)state;
  for (uint64_t ms = 0; ms < 60; ms += 3) {
    static struct bed bed;
    struct wt_connection_ids ids;
    lb_ids(&ids, 0, false);
    bed_init(&bed, &ids, ms);
    bed_start(&bed);
    peer_migrate(bed.w.peer, 2);
    net_run_for(&bed.w.net, ms);
    rotate(&bed, &ids, 1, true);
    check_echo(&bed.w, 1);
    NET_UNTIL(&bed.w.net, 5000, has_moved(&bed.w.server));
    (void)check_issued(&bed.w.server, &ids);
    bed_free(&bed);
  }
}

static enum net_verdict drop_short_headers(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                           size_t len) {
  unsigned *dropped = ctx;
  (void)index, (void)len;
  if (direction != NET_TO_SERVER || data[0] & 0x80) return NET_PASS;
  ++*dropped;
  return NET_DROP;
}

static void rebind(struct bed *bed, unsigned port) {
  struct sockaddr_in seen = net_address(1);
  seen.sin_port = htons((uint16_t)port);
  net_rebind(&bed->w.peer->node, &seen);
}

/* The client is asked to give up all ids. What it answers is lost, and its NAT gives it another port, so its first packet with
 * a new id comes from a new address, `ms` after the last change. A path that was left may still be being validated then. */
static void check_rotation_at_new_port(unsigned ms) {
  static struct bed bed;
  struct wt_connection_ids ids;
  struct net *net = &bed.w.net;
  unsigned dropped = 0;
  lb_ids(&ids, 0, false);
  bed_init(&bed, &ids, ms);
  bed_start(&bed);
  for (unsigned i = 1; i <= 4; i++) {
    rebind(&bed, 20000 + 2 * i);
    check_echo(&bed.w, i);
    net_run_for(net, ms);
    net->filter = drop_short_headers;
    net->filter_ctx = &dropped;
    rotate(&bed, &ids, i, true);
    NET_UNTIL(net, 5000, dropped >= i);
    rebind(&bed, 20001 + 2 * i);
    net->filter = note_ids;
    net->filter_ctx = &bed.seen;
    check_echo(&bed.w, 10 + i);
    NET_UNTIL(net, 5000, has_moved(&bed.w.server));
    (void)check_issued(&bed.w.server, &ids);
  }
  bed_free(&bed);
}

static void test_ids_move_while_the_port_changes(void **state) {
  (void)state;
  for (unsigned ms = 0; ms <= 4000; ms = 2 * ms + 10) check_rotation_at_new_port(ms);
}

/* Many rotations: the connection works for ever. */
static void test_ids_move_many_times(void **state) {
  (void)state;
  static struct bed bed;
  struct wt_connection_ids ids;
  lb_ids(&ids, 0, false);
  bed_init(&bed, &ids, 1);
  bed.w.options.active_connection_id_limit = 4;
  bed_start(&bed);
  for (unsigned i = 1; i <= 100; i++) {
    rotate(&bed, &ids, i % 7, i % 2);
    NET_UNTIL(&bed.w.net, 2000, has_moved(&bed.w.server));
    assert_true(check_issued(&bed.w.server, &ids) >= 1);
    check_echo(&bed.w, i);
    assert_true(is_of(&ids, bed.seen.ids[(bed.seen.count - 1) % IDS_MAX], ids.length));
  }
  assert_true(conn_of(&bed.w.server)->cid_issue.next > 300); /* beyond one byte of Retire Prior To */
  bed_free(&bed);
}

/* Beyond the one byte of Retire Prior To, with a network that loses packets. */
static void test_ids_move_late_while_packets_are_lost(void **state) {
  (void)state;
  for (uint64_t seed = 1; seed <= 12; seed++) {
    static struct bed bed;
    struct wt_connection_ids ids;
    struct world *w = &bed.w;
    lb_ids(&ids, 0, false);
    bed_init(&bed, &ids, seed);
    w->options.active_connection_id_limit = 2 + seed % 7;
    bed_start(&bed);
    for (unsigned i = 1; conn_of(&w->server)->cid_issue.next <= 63; i++) {
      rotate(&bed, &ids, i % 7, i % 2);
      NET_UNTIL(&w->net, 2000, has_moved(&w->server));
      net_run_for(&w->net, 300);
    }
    w->net.link[0].loss = w->net.link[1].loss = 150;
    w->net.link[0].reorder = w->net.link[1].reorder = 100;
    w->net.link[0].reorder_by = w->net.link[1].reorder_by = 15 * NET_MS;
    for (unsigned i = 0; i < 6; i++) {
      rotate(&bed, &ids, (ids.config_id + 1) % 7, true);
      check_echo(w, i);
      NET_UNTIL(&w->net, 60000, has_moved(&w->server));
      assert_true(check_issued(&w->server, &ids) >= 1);
    }
    bed_free(&bed);
  }
}

static bool got_hello(struct world *w) {
  int64_t id = http_request(w->peer, "GET", "/hello", NULL, true);
  net_run_for(&w->net, 500);
  return peer_stream(w->peer, id)->fin;
}

/* A client without DATAGRAM frames moves, too, as long as ngtcp2's frames have room. Then it keeps its ids. */
static void test_ids_of_a_client_without_datagrams(void **state) {
  (void)state;
  static struct bed bed;
  struct wt_connection_ids ids, last;
  lb_ids(&ids, 0, false);
  bed_init(&bed, &ids, 1);
  bed.w.options.max_datagram_frame_size = 0;
  bed.w.options.active_connection_id_limit = 4;
  world_start(&bed.w);
  for (unsigned i = 1; i <= 20; i++) {
    bool moves = conn_of(&bed.w.server)->cid_issue.next <= 63;
    rotate(&bed, &ids, i % 7, i % 2);
    if (moves) last = ids;
    assert_true(got_hello(&bed.w));
    NET_UNTIL(&bed.w.net, 3000, has_moved(&bed.w.server));
    assert_int_equal(check_issued(&bed.w.server, &last), 4);
  }
  assert_int_equal(conn_of(&bed.w.server)->cid_issue.next, 64);
  bed_free(&bed);
}

/* No configuration any more: what clients have stays. */
static void test_ids_stay_without_a_new_configuration(void **state) {
  (void)state;
  static struct bed bed;
  struct wt_connection_ids ids, none;
  lb_ids(&ids, 0, true);
  bed_init(&bed, &ids, 1);
  bed_start(&bed);
  wt_connection_ids_default(&none, WT_CONNECTION_ID_UNROUTABLE);
  change(&bed.w.server, &bed.w.net, &bed.ids, &none);
  check_echo(&bed.w, 1);
  assert_int_equal(check_issued(&bed.w.server, &ids), 7);
  check_seen(&bed, &ids, 0);
  bed_free(&bed);
}

/* Our own client moves as others do. */
static void test_ids_move_at_our_client(void **state) {
  (void)state;
  static struct pair p;
  static struct wt__cid_shared shared;
  struct wt__cid_scheme scheme;
  struct wt_connection_ids ids;
  lb_ids(&ids, 0, false);
  scheme_of(&scheme, &ids);
  memset(&p, 0, sizeof(p));
  assert_int_equal(wt__cid_shared_init(&shared, &scheme), 0);
  pair_init(&p);
  p.server.config.ids = &shared;
  pair_connect(&p);
  NET_UNTIL(&p.net, 5000, p.link->ready);
  for (unsigned i = 1; i < 5; i++) {
    lb_ids(&ids, i, i % 2);
    change(&p.server, &p.net, &shared, &ids);
    NET_UNTIL(&p.net, 3000, has_moved(&p.server));
    NET_UNTIL(&p.net, 1000, check_issued(&p.server, &ids) == 4);
  }
  pair_free(&p);
  wt__cid_shared_free(&shared);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_ids_of_each_layout_say_the_server),
      cmocka_unit_test(test_ids_of_a_retry_say_the_server),
      cmocka_unit_test(test_ids_without_a_configuration_are_single),
      cmocka_unit_test(test_ids_move_to_another_configuration),
      cmocka_unit_test(test_ids_move_while_packets_are_lost),
      cmocka_unit_test(test_ids_of_a_silent_client_move),
      cmocka_unit_test(test_ids_stay_with_the_same_configuration),
      cmocka_unit_test(test_ids_move_after_the_handshake),
      cmocka_unit_test(test_ids_move_while_the_client_migrates),
      cmocka_unit_test(test_ids_move_while_the_port_changes),
      cmocka_unit_test(test_ids_move_many_times),
      cmocka_unit_test(test_ids_move_late_while_packets_are_lost),
      cmocka_unit_test(test_ids_of_a_client_without_datagrams),
      cmocka_unit_test(test_ids_stay_without_a_new_configuration),
      cmocka_unit_test(test_ids_move_at_our_client),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
