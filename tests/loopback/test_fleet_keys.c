/* SPDX-License-Identifier: MIT */
/*
 * Two servers with the secrets of a fleet: what one has given to a client, the other takes. One of them can take over the
 * other's address, as a balancer or a router would do it.
 */
#include "base/mem.h"
#include "client.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/info.h"
#include "quic/keys.h"
#include "world.h"

#define SERVER "localhost:4000"
#define SECOND UINT64_C(1000000000)
#define DAY (UINT64_C(20000) * 86400 * SECOND) /* some day, by the clocks of both machines */

static const uint8_t old_bytes[32] = "a secret that had its time, once",
                     now_bytes[32] = "the secret of the day, and night",
                     new_bytes[32] = "what comes when that one is gone",
                     odd_bytes[32] = "somebody else's secret, not ours";
static const struct wt__vec none = {NULL, 0}, old_secret = {old_bytes, 32}, now_secret = {now_bytes, 32},
                            new_secret = {new_bytes, 32}, odd_secret = {odd_bytes, 32};

struct machine {
  struct server server;
  int64_t clock; /* how far it is ahead, in nanoseconds */
};

struct fleet {
  struct net net;
  struct machine machines[2];
  struct client client;
  struct client_link *link;
  struct server_session *session; /* the client's end of the latest one */
  struct wt_connection_info info;
  unsigned retries, resets; /* Retry packets, and short packets without a connection, that went to the client */
  size_t reset_bytes;
  struct machine *swap; /* takes over as soon as there was a Retry */
  bool step;            /* sets the clock of both then */
};

static uint64_t time_of_day(void *ctx) {
  struct machine *machine = ctx;
  return DAY + machine->server.net->now + (uint64_t)machine->clock;
}

static struct machine *other(struct fleet *f, const struct machine *machine) {
  return machine == &f->machines[0] ? &f->machines[1] : &f->machines[0];
}

static enum net_verdict watch(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data, size_t len) {
  struct fleet *f = ctx;
  (void)index;
  if (direction == NET_TO_CLIENT && (data[0] & 0xf0) == 0xf0) f->retries++;
  if (direction == NET_TO_CLIENT && !(data[0] & 0x80)) {
    f->resets++;
    f->reset_bytes += len;
  }
  return NET_PASS;
}

static void fleet_init(struct fleet *f) {
  memset(f, 0, sizeof(*f));
  net_init(&f->net, 1);
  f->net.filter = watch;
  f->net.filter_ctx = f;
  for (int i = 0; i < 2; i++) {
    struct machine *machine = &f->machines[i];
    server_init(&machine->server, &f->net);
    machine->server.config.time_of_day = time_of_day;
    machine->server.config.time_of_day_ctx = machine;
    machine->server.address = net_address(i ? 100 : 0);
  }
  client_init(&f->client, &f->net, 1);
  f->client.connect.resumption_key = SERVER;
}

/* The secrets of one machine; those of length 0 are none. */
static void secrets_set(struct fleet *f, int index, struct wt__vec current, struct wt__vec previous,
                        struct wt__vec next) {
  const struct wt__vec secrets[] = {current, previous, next};
  server_set_secrets(&f->machines[index].server, secrets, 3);
}

static void fleet_start(struct fleet *f) {
  for (int i = 0; i < 2; i++) server_start(&f->machines[i].server);
  client_start(&f->client);
}

/* Both with one secret. */
static void fleet_same(struct fleet *f) {
  fleet_init(f);
  for (int i = 0; i < 2; i++) secrets_set(f, i, now_secret, none, none);
  fleet_start(f);
}

static void fleet_free(struct fleet *f) {
  client_free(&f->client);
  for (int i = 0; i < 2; i++) server_stop(&f->machines[i].server);
  for (int i = 1; i >= 0; i--) server_free(&f->machines[i].server);
  net_free(&f->net);
}

/* A connection with a session, to a machine. */
static void enter(struct fleet *f, int index) {
  struct sockaddr_in address = f->machines[index].server.node.address;
  f->link = client_connect(&f->client, &address, NULL);
  assert_non_null(f->link);
  NET_UNTIL(&f->net, 5000, f->link->ready || f->link->ends);
  assert_true(f->link->ready);
  f->session = client_session(&f->client, f->link, "/echo");
  f->info.size = sizeof(f->info);
  wt__h3_conn_get_info(f->link->h3, &f->info);
}

/* Likewise, which ends again; whether TLS was resumed. */
static bool visit(struct fleet *f, int index) {
  enter(f, index);
  net_run_for(&f->net, 100); /* what comes behind the handshake: tickets, tokens */
  wt__h3_conn_close(f->link->h3);
  NET_UNTIL(&f->net, 1000, f->link->ends && wt__list_empty(&f->machines[index].server.endpoint->conns));
  return f->info.resumed;
}

/* How many Retry packets a visit takes. */
static unsigned visit_retries(struct fleet *f, int index) {
  unsigned before = f->retries;
  (void)visit(f, index);
  return f->retries - before;
}

/* The machine is gone, and the other one has its address. */
static void take_over(struct fleet *f, int from) {
  struct server *gone = &f->machines[from].server, *heir = &f->machines[!from].server;
  heir->node.seen = heir->node.address = gone->node.address;
  server_stop(gone);
}

/* --- Session tickets --- */

static void test_fleet_keys_session_is_resumed_on_another_machine(void **state) {
  (void)state;
  struct fleet f;
  fleet_same(&f);
  assert_false(visit(&f, 0));
  assert_true(visit(&f, 1));
  assert_true(visit(&f, 1));
  assert_true(visit(&f, 0));
  assert_string_equal(f.info.tls_version, "TLS1.3");
  fleet_free(&f);
}

static void test_fleet_keys_without_a_secret_nothing_is_resumed_elsewhere(void **state) {
  (void)state;
  struct fleet f;
  for (int one_has = 0; one_has < 3; one_has++) {
    fleet_init(&f);
    if (one_has > 0) secrets_set(&f, 0, now_secret, none, none);
    if (one_has > 1) secrets_set(&f, 1, odd_secret, none, none);
    fleet_start(&f);
    assert_false(visit(&f, 0));
    assert_false(visit(&f, 1));
    fleet_free(&f);
  }
}

/* What each machine knows at each step of a rotation: 0 has been told already, 1 has not. */
static void test_fleet_keys_sessions_survive_a_rotation_in_any_order(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, old_secret, none, now_secret);
  fleet_start(&f);
  assert_false(visit(&f, 1));
  secrets_set(&f, 0, now_secret, old_secret, new_secret);
  assert_true(visit(&f, 0)); /* with a ticket of its previous secret */
  assert_true(visit(&f, 1));
  net_run_for(&f.net, 1000);
  assert_true(visit(&f, 0));
  secrets_set(&f, 1, now_secret, old_secret, new_secret);
  assert_true(visit(&f, 1));
  fleet_free(&f);
}

static void test_fleet_keys_ticket_of_the_next_secret_is_taken(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  secrets_set(&f, 0, now_secret, old_secret, new_secret);
  secrets_set(&f, 1, old_secret, none, now_secret);
  fleet_start(&f);
  assert_false(visit(&f, 0));
  assert_true(visit(&f, 1));
  assert_true(visit(&f, 0));
  fleet_free(&f);
}

static void test_fleet_keys_ticket_of_a_secret_that_is_gone_leads_to_a_full_handshake(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, old_secret, none, now_secret);
  fleet_start(&f);
  assert_false(visit(&f, 0));
  for (int i = 0; i < 2; i++) secrets_set(&f, i, now_secret, none, new_secret);
  assert_false(visit(&f, 1));
  assert_true(visit(&f, 0));
  fleet_free(&f);
}

/* Who came without a certificate must not come back with a ticket where one is required. */
static void test_fleet_keys_rules_for_clients_are_part_of_a_ticket(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  struct wt__tls_server_options options = {.client_certificates = WT_CLIENT_CERTIFICATES_ASK};
  assert_int_equal(wt__tls_context_configure(f.machines[1].server.tls, &options), 0);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, now_secret, none, none);
  fleet_start(&f);
  assert_false(visit(&f, 0));
  assert_false(visit(&f, 1));
  fleet_free(&f);
}

/* --- Address tokens --- */

static void test_fleet_keys_token_spares_a_retry_on_another_machine(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  for (int i = 0; i < 2; i++) {
    secrets_set(&f, i, now_secret, none, none);
    f.machines[i].server.config.retry = WT_RETRY_ALWAYS;
  }
  fleet_start(&f);
  assert_int_equal(visit_retries(&f, 0), 1);
  assert_int_equal(visit_retries(&f, 1), 0);
  struct sockaddr_in moved = net_address(7);
  net_rebind(&f.client.node, &moved);
  assert_int_equal(visit_retries(&f, 0), 1); /* it was the token of another address */
  fleet_free(&f);
}

static void test_fleet_keys_tokens_survive_a_rotation(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  for (int i = 0; i < 2; i++) {
    secrets_set(&f, i, old_secret, none, now_secret);
    f.machines[i].server.config.retry = WT_RETRY_ALWAYS;
  }
  fleet_start(&f);
  assert_int_equal(visit_retries(&f, 1), 1);
  secrets_set(&f, 0, now_secret, old_secret, new_secret);
  assert_int_equal(visit_retries(&f, 0), 0); /* of the previous secret */
  assert_int_equal(visit_retries(&f, 1), 0); /* of the next one */
  secrets_set(&f, 0, new_secret, none, none);
  assert_int_equal(visit_retries(&f, 0), 1); /* of one that is gone */
  fleet_free(&f);
}

/* The clocks of two machines differ by some seconds; a clock that is wrong by more gives nothing that lasts. */
static void test_fleet_keys_clocks_differ(void **state) {
  (void)state;
  static const struct {
    int64_t ahead; /* machine 0, in seconds */
    unsigned retries;
  } cases[] = {{3, 0}, {-3, 0}, {60, 1}, {-60, 0}, {-8 * 24 * 3600, 1}, {8 * 24 * 3600, 1}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    struct fleet f;
    fleet_init(&f);
    for (int j = 0; j < 2; j++) {
      secrets_set(&f, j, now_secret, none, none);
      f.machines[j].server.config.retry = WT_RETRY_ALWAYS;
    }
    f.machines[0].clock = cases[i].ahead * (int64_t)SECOND;
    fleet_start(&f);
    assert_int_equal(visit_retries(&f, 0), 1);
    assert_int_equal(visit_retries(&f, 1), cases[i].retries);
    fleet_free(&f);
  }
}

/* --- Retry --- */

/* Machine 0 has sent a Retry: from now on machine 1 has its address, or the clock is set. */
static enum net_verdict after_retry(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                    size_t len) {
  struct fleet *f = ctx;
  unsigned before = f->retries;
  watch(ctx, direction, index, data, len);
  if (f->retries == before) return NET_PASS;
  if (f->step) f->machines[0].clock += 3600 * (int64_t)SECOND;
  if (!f->swap) return NET_PASS;
  struct server *heir = &f->swap->server, *gone = &other(f, f->swap)->server;
  heir->node.address = heir->node.seen = gone->node.address;
  gone->node.address = gone->node.seen = net_address(200);
  return NET_PASS;
}

static void retry_begin(struct fleet *f, int64_t ahead) {
  fleet_init(f);
  for (int i = 0; i < 2; i++) {
    secrets_set(f, i, now_secret, none, none);
    f->machines[i].server.config.retry = WT_RETRY_ALWAYS;
  }
  f->net.filter = after_retry;
  f->machines[0].clock = ahead;
  fleet_start(f);
}

static void test_fleet_keys_retry_is_answered_to_another_machine(void **state) {
  (void)state;
  static const int ahead[] = {0, 4, -4};
  for (size_t i = 0; i < sizeof(ahead) / sizeof(ahead[0]); i++) {
    struct fleet f;
    retry_begin(&f, ahead[i] * (int64_t)SECOND);
    f.swap = &f.machines[1];
    enter(&f, 0);
    assert_int_equal(f.retries, 1);
    assert_false(wt__list_empty(&f.machines[1].server.endpoint->conns));
    assert_true(wt__list_empty(&f.machines[0].server.endpoint->conns));
    fleet_free(&f);
  }
}

/* A Retry whose token looks too old, or as if it came from the future, ends the attempt: RFC 9000, section 8.1.3. */
static void test_fleet_keys_retry_of_a_machine_with_a_wrong_clock_is_refused(void **state) {
  (void)state;
  for (int sign = -1; sign <= 1; sign += 2) {
    struct fleet f;
    retry_begin(&f, sign * 60 * (int64_t)SECOND);
    f.swap = &f.machines[1];
    struct sockaddr_in address = f.machines[0].server.node.address;
    struct client_link *link = client_connect(&f.client, &address, NULL);
    NET_UNTIL(&f.net, 5000, link->ends);
    assert_int_equal(link->end.wire_code, NGTCP2_INVALID_TOKEN);
    fleet_free(&f);
  }
}

static void test_fleet_keys_setting_the_clock_ends_no_handshake(void **state) {
  (void)state;
  for (int back = 0; back < 2; back++) {
    struct fleet f;
    retry_begin(&f, back ? -7200 * (int64_t)SECOND : 0);
    f.step = true;
    enter(&f, 0);
    assert_int_equal(f.retries, 1);
    fleet_free(&f);
  }
}

/* --- Stateless resets --- */

/* A session on machine 0, which ends without a word. Whether the client hears of it from machine 1, and how soon. */
static bool ends_at_once(struct fleet *f) {
  enter(f, 0);
  net_run_for(&f->net, 300);
  take_over(f, 0);
  f->resets = 0;
  uint64_t before = f->net.now;
  NET_UNTIL(&f->net, 60000, f->link->ends);
  return f->resets > 0 && f->net.now - before < 3 * SECOND;
}

/* The client has nothing to say but a PING from time to time. */
static void reset_init(struct fleet *f) {
  fleet_init(f);
  f->client.config.keep_alive_ms = 500;
}

static void test_fleet_keys_connection_of_a_dead_machine_is_reset_by_another(void **state) {
  (void)state;
  struct fleet f;
  reset_init(&f);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, now_secret, none, none);
  fleet_start(&f);
  assert_true(ends_at_once(&f));
  assert_int_equal(f.resets, 1);
  fleet_free(&f);
}

static void test_fleet_keys_resets_survive_a_rotation(void **state) {
  (void)state;
  static const uint8_t large_enough_for_three_resets[64];
  const struct wt__vec at[][3] = {
      {now_secret, old_secret, new_secret}, /* it died with the secret that was the current one when the client came */
      {old_secret, none, now_secret},       /* of a machine that was ahead */
      {new_secret, now_secret, none},
      {new_secret, old_secret, none}, /* nobody knows that secret any more */
  };
  for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
    struct fleet f;
    reset_init(&f);
    secrets_set(&f, 0, now_secret, none, none);
    secrets_set(&f, 1, now_secret, none, none);
    fleet_start(&f);
    enter(&f, 0);
    net_run_for(&f.net, 300);
    secrets_set(&f, 1, at[i][0], at[i][1], at[i][2]);
    take_over(&f, 0);
    uint64_t before = f.net.now;
    assert_int_equal(wt_session_send_datagram(f.session->session, large_enough_for_three_resets, 64), 0);
    NET_UNTIL(&f.net, 60000, f.link->ends);
    assert_int_equal(f.net.now - before < 5 * SECOND, i < 3);
    fleet_free(&f);
  }
}

/* The last bytes of what went to the client, each kind once. */
struct tokens {
  uint8_t seen[8][16];
  size_t count;
};

static enum net_verdict collect_tokens(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                       size_t len) {
  struct tokens *tokens = ctx;
  (void)index;
  if (direction != NET_TO_CLIENT) return NET_PASS;
  assert_true(len >= 21);
  for (size_t i = 0; i < tokens->count; i++)
    if (!memcmp(tokens->seen[i], data + len - 16, 16)) return NET_PASS;
  assert_true(tokens->count < 8);
  memcpy(tokens->seen[tokens->count++], data + len - 16, 16);
  return NET_PASS;
}

/* A PING has room for one reset; which of the secrets it is for is a matter of luck, and each has its turn. */
static void test_fleet_keys_resets_of_small_packets_take_turns(void **state) {
  (void)state;
  struct fleet f;
  struct tokens tokens = {.count = 0};
  fleet_init(&f);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, now_secret, old_secret, new_secret);
  fleet_start(&f);
  f.net.filter = collect_tokens;
  f.net.filter_ctx = &tokens;
  for (int i = 0; i < 100; i++) { /* one of the three is missing in 1 run of 10^17 */
    const uint8_t ping[30] = {0x40, 1, 2, 3};
    struct sockaddr_in to = f.machines[0].server.node.address;
    net_send(&f.net, &f.client.node, &f.client.node.address, &to, 0, ping, sizeof(ping));
    net_run_for(&f.net, 50);
  }
  assert_int_equal(tokens.count, 3);
  fleet_free(&f);
}

/* The ids of a connection that lives long are from before the rotation; its own machine still knows them. */
static void test_fleet_keys_rotation_leaves_connections_alone(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, old_secret, none, none);
  fleet_start(&f);
  enter(&f, 0);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, new_secret, none, none);
  net_run_for(&f.net, 120000);
  assert_int_equal(f.link->ends, 0);
  client_session(&f.client, f.link, "/echo");
  fleet_free(&f);
}

/* RFC 9000, section 10.3.3: what answers a packet is smaller than it, all of it together. */
static void test_fleet_keys_resets_are_smaller_than_their_cause(void **state) {
  (void)state;
  struct fleet f;
  fleet_init(&f);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, now_secret, old_secret, new_secret);
  fleet_start(&f);
  for (size_t len = 1; len < 200; len++) {
    uint8_t packet[200];
    for (size_t i = 0; i < len; i++) packet[i] = (uint8_t)net_random(&f.net);
    packet[0] = (uint8_t)((packet[0] & 0x3f) | 0x40);
    f.resets = 0;
    f.reset_bytes = 0;
    struct sockaddr_in to = f.machines[0].server.node.address;
    net_send(&f.net, &f.client.node, &f.client.node.address, &to, 0, packet, len);
    net_run_for(&f.net, 50);
    assert_true(f.reset_bytes < len);
    assert_int_equal(f.resets, len <= 21 ? 0 : len <= 42 ? 1 : len <= 63 ? 2 : 3);
  }
  fleet_free(&f);
}

static unsigned sent_by(const struct fleet *f) {
  struct wt__endpoint_stats stats[2];
  for (int i = 0; i < 2; i++) wt__endpoint_get_stats(f->machines[i].server.endpoint, &stats[i]);
  return (unsigned)(stats[0].packets_sent + stats[1].packets_sent);
}

/* A forged packet, as if one machine had sent it to the other, and nobody knows the id. */
static void test_fleet_keys_two_machines_do_not_play_resets_to_and_fro(void **state) {
  (void)state;
  struct fleet f;
  uint8_t packet[1200] = {0x40};
  fleet_init(&f);
  for (int i = 0; i < 2; i++) secrets_set(&f, i, now_secret, old_secret, new_secret);
  fleet_start(&f);
  struct sockaddr_in from = f.machines[0].server.node.address, to = f.machines[1].server.node.address;
  net_send(&f.net, &f.machines[0].server.node, &from, &to, 0, packet, sizeof(packet));
  net_run_for(&f.net, 60000);
  assert_in_range(sent_by(&f), 3, 3 + 3 + 6);
  fleet_free(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_fleet_keys_session_is_resumed_on_another_machine),
      cmocka_unit_test(test_fleet_keys_without_a_secret_nothing_is_resumed_elsewhere),
      cmocka_unit_test(test_fleet_keys_sessions_survive_a_rotation_in_any_order),
      cmocka_unit_test(test_fleet_keys_ticket_of_the_next_secret_is_taken),
      cmocka_unit_test(test_fleet_keys_ticket_of_a_secret_that_is_gone_leads_to_a_full_handshake),
      cmocka_unit_test(test_fleet_keys_rules_for_clients_are_part_of_a_ticket),
      cmocka_unit_test(test_fleet_keys_token_spares_a_retry_on_another_machine),
      cmocka_unit_test(test_fleet_keys_tokens_survive_a_rotation),
      cmocka_unit_test(test_fleet_keys_clocks_differ),
      cmocka_unit_test(test_fleet_keys_retry_is_answered_to_another_machine),
      cmocka_unit_test(test_fleet_keys_retry_of_a_machine_with_a_wrong_clock_is_refused),
      cmocka_unit_test(test_fleet_keys_setting_the_clock_ends_no_handshake),
      cmocka_unit_test(test_fleet_keys_connection_of_a_dead_machine_is_reset_by_another),
      cmocka_unit_test(test_fleet_keys_resets_survive_a_rotation),
      cmocka_unit_test(test_fleet_keys_resets_of_small_packets_take_turns),
      cmocka_unit_test(test_fleet_keys_rotation_leaves_connections_alone),
      cmocka_unit_test(test_fleet_keys_resets_are_smaller_than_their_cause),
      cmocka_unit_test(test_fleet_keys_two_machines_do_not_play_resets_to_and_fro),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
