/* SPDX-License-Identifier: MIT */
/*
 * What a client keeps of a server for its next connection, session tickets and address tokens, and what is known of a
 * connection for diagnosis: of both ends, resumed or not, also of one that came to nothing.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <time.h>
#include <unistd.h>

#include "authority.h"
#include "base/mem.h"
#include "client.h"
#include "h3/conn.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/info.h"
#include "quic/resumption.h"
#include "world.h"

#define SERVER "localhost:4000"

struct pair {
  struct net net;
  struct server server;
  struct client client;
  wt_certificate *certificate;
  uint8_t hash[1][32];
  struct wt_connection_info mine, theirs; /* of the last `visit`, without the pointers */
};

static void pair_init(struct pair *p) {
  memset(p, 0, sizeof(*p));
  assert_int_equal(wt_certificate_generate(NULL, 0, 10, &p->certificate), 0);
  wt_certificate_get_sha256(p->certificate, p->hash[0]);
  net_init(&p->net, 1);
  server_init(&p->server, &p->net);
  assert_int_equal(wt__tls_context_set_certificates(p->server.tls, &p->certificate, 1), 0);
  client_init(&p->client, &p->net, 1);
  p->client.connect.resumption_key = SERVER;
}

static void pair_start(struct pair *p) {
  server_start(&p->server);
  client_start(&p->client);
}

static void pair_free(struct pair *p) {
  client_free(&p->client);
  server_free(&p->server);
  net_free(&p->net);
  wt_certificate_free(p->certificate);
}

/* Another TLS context, with another key for tickets or none, as after a restart. The server is not running. */
static void server_new_tls(struct pair *p, wt_certificate *certificate, bool tickets) {
  wt__tls_context_free(p->server.tls);
  assert_int_equal(wt__tls_context_new(&p->server.tls, tickets), 0);
  assert_int_equal(wt__tls_context_set_certificates(p->server.tls, &certificate, 1), 0);
}

static const struct wt__resumption_key resumption_key = {SERVER " localhost", NGTCP2_PROTO_VER_V1};

/* The latest ticket in the client's memory, which has none any more. */
static struct wt__resumption_item *take_tickets(struct pair *p) {
  struct wt__resumption *store = wt__tls_client_resumption(p->client.tls);
  struct wt__resumption_item *latest = wt__resumption_take(store, &resumption_key, WT__RESUMPTION_TICKET, 0), *more;
  assert_non_null(latest);
  while ((more = wt__resumption_take(store, &resumption_key, WT__RESUMPTION_TICKET, 0))) wt__resumption_item_free(more);
  return latest;
}

static void put_ticket(struct pair *p, const void *data, size_t len, int64_t expires_at) {
  wt__resumption_put(wt__tls_client_resumption(p->client.tls), &resumption_key, WT__RESUMPTION_TICKET, data, len,
                     expires_at);
}

/* What the server knows of its youngest connection. */
static void server_info(struct pair *p, struct wt_connection_info *info) {
  struct wt__link *last = p->server.endpoint->conns.head.prev;
  assert_false(wt__list_empty(&p->server.endpoint->conns));
  info->size = sizeof(*info);
  wt__conn_get_info(WT__CONTAINER_OF(last, struct wt__conn, link), info);
}

static struct client_link *begin(struct pair *p) {
  struct sockaddr_in address = server_address();
  struct client_link *link = client_connect(&p->client, &address, NULL);
  assert_non_null(link);
  return link;
}

static void look(struct pair *p, struct client_link *link) {
  p->mine.size = sizeof(p->mine);
  wt__h3_conn_get_info(link->h3, &p->mine);
  server_info(p, &p->theirs);
  assert_int_equal(p->mine.resumed, p->theirs.resumed);
}

static void leave(struct pair *p, struct client_link *link) {
  net_run_for(&p->net, 100); /* what comes behind the handshake: tickets, tokens */
  wt__h3_conn_close(link->h3);
  NET_UNTIL(&p->net, 1000, link->ends && wt__list_empty(&p->server.endpoint->conns));
}

/* Connects, looks and leaves; whether the session was resumed. A session is had, too. */
static bool visit(struct pair *p) {
  struct client_link *link = begin(p);
  NET_UNTIL(&p->net, 5000, link->ready);
  client_session(&p->client, link, "/echo"); /* so the handshake is done at the server, too */
  look(p, link);
  leave(p, link);
  return p->mine.resumed;
}

/* --- Tickets --- */

static void test_resumption_second_connection_is_resumed(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_start(&p);
  assert_false(visit(&p));
  assert_non_null(p.mine.certificate);
  assert_null(p.theirs.certificate);
  for (int i = 0; i < 3; i++) { /* each brings the ticket for the next */
    assert_true(visit(&p));
    assert_null(p.mine.certificate);
    assert_string_equal(p.mine.tls_version, "TLS1.3");
    assert_string_equal(p.mine.group, "X25519");
  }
  pair_free(&p);
}

/* The hash was checked where the ticket came from; the certificate's end holds for what came of it. */
static void test_resumption_of_a_server_known_by_its_hash(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  p.client.tls_options =
      (struct wt__tls_client_options){.verify = WT__VERIFY_HASHES, .hashes = p.hash, .hash_count = 1};
  pair_start(&p);
  assert_false(visit(&p));
  assert_true(visit(&p));
  struct wt__resumption_item *item = take_tickets(&p);
  assert_int_equal(item->expires_at, wt_certificate_expires_at(p.certificate));
  put_ticket(&p, item->data, item->len, (int64_t)time(NULL) + 1000);
  assert_true(visit(&p));
  wt__resumption_item_free(take_tickets(&p));
  put_ticket(&p, item->data, item->len, (int64_t)time(NULL)); /* once the certificate has expired */
  assert_false(visit(&p));
  wt__resumption_item_free(item);
  pair_free(&p);
}

static void test_resumption_of_a_server_known_by_its_authority(void **state) {
  (void)state;
  struct pair p;
  char path[] = "/tmp/wt-resumption-XXXXXX", *pem = NULL;
  pair_init(&p);
  assert_int_equal(wt_certificate_export(p.certificate, &pem, NULL), 0);
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_int_equal(write(fd, pem, strlen(pem)), strlen(pem));
  close(fd);
  p.client.tls_options = (struct wt__tls_client_options){.verify = WT__VERIFY_CA, .ca_file = path};
  pair_start(&p);
  unlink(path);
  wt_pem_free(pem);
  assert_false(visit(&p));
  assert_true(visit(&p));
  /* The certificate has this name too, but nobody has looked whether it does. */
  p.client.connect.server_name = "127.0.0.1";
  assert_false(visit(&p));
  assert_true(visit(&p));
  pair_free(&p);
}

/* An authority in between may end before the leaf: the judgement ends with it. */
static void test_resumption_ends_with_the_whole_chain(void **state) {
  (void)state;
  struct pair p;
  char path[] = "/tmp/wt-resumption-XXXXXX";
  struct authority root = authority_issue("root", NULL, DAYS(30)), between = authority_issue("between", &root, DAYS(3));
  struct authority leaf = authority_leaf("localhost", &between, -60, DAYS(10), GNUTLS_KP_TLS_WWW_SERVER);
  wt_certificate *certificate = authority_chain(&leaf, &between);
  pair_init(&p);
  assert_int_equal(wt__tls_context_set_certificates(p.server.tls, &certificate, 1), 0);
  authority_file(&root, path);
  p.client.tls_options = (struct wt__tls_client_options){.verify = WT__VERIFY_CA, .ca_file = path};
  pair_start(&p);
  unlink(path);
  assert_false(visit(&p));
  assert_true(visit(&p));
  struct wt__resumption_item *item = take_tickets(&p);
  assert_int_equal(item->expires_at, gnutls_x509_crt_get_expiration_time(between.cert));
  wt__resumption_item_free(item);
  pair_free(&p);
  wt_certificate_free(certificate);
  authority_free(&leaf);
  authority_free(&between);
  authority_free(&root);
}

static void test_resumption_never_with_the_ticket_of_another(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_start(&p);
  assert_false(visit(&p));
  p.client.connect.resumption_key = "localhost:4001";
  assert_false(visit(&p));
  p.client.connect.resumption_key = SERVER;
  p.client.connect.server_name = "elsewhere.example";
  assert_false(visit(&p));
  p.client.connect.server_name = "localhost";
  p.client.connect.version = NGTCP2_PROTO_VER_V2;
  assert_false(visit(&p));
  assert_true(visit(&p));
  assert_int_equal(p.mine.quic_version, NGTCP2_PROTO_VER_V2);
  p.client.connect.version = 0;
  assert_true(visit(&p)); /* the first one's is still there */
  assert_int_equal(p.mine.quic_version, NGTCP2_PROTO_VER_V1);
  pair_free(&p);
}

static void test_resumption_uses_a_ticket_once(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  pair_start(&p);
  assert_false(visit(&p));
  struct wt__resumption_item *only = take_tickets(&p);
  put_ticket(&p, only->data, only->len, only->expires_at);
  wt__resumption_item_free(only);
  struct client_link *first = begin(&p), *second = begin(&p); /* one ticket, and two who want it */
  struct wt_connection_info info = {.size = sizeof(info)};
  NET_UNTIL(&p.net, 5000, first->ready && second->ready);
  wt__h3_conn_get_info(first->h3, &info);
  assert_true(info.resumed);
  wt__h3_conn_get_info(second->h3, &info);
  assert_false(info.resumed);
  pair_free(&p);
}

/* An attempt that nobody answered has used up nothing: neither the ticket nor the token. */
static void test_resumption_after_an_attempt_without_an_answer(void **state) {
  (void)state;
  struct pair p;
  struct sockaddr_in nobody = net_address(9);
  pair_init(&p);
  pair_start(&p);
  assert_false(visit(&p));
  struct wt__resumption *store = wt__tls_client_resumption(p.client.tls);
  struct wt__resumption_item *ticket = take_tickets(&p);
  put_ticket(&p, ticket->data, ticket->len, ticket->expires_at);
  wt__resumption_item_free(ticket);
  for (int i = 0; i < 2; i++) {
    struct client_link *link = client_connect(&p.client, &nobody, NULL);
    assert_non_null(link);
    net_run_for(&p.net, 500);
    wt__h3_conn_close(link->h3); /* from here on the next may have them */
    struct wt__resumption_item *token = wt__resumption_take(store, &resumption_key, WT__RESUMPTION_TOKEN, 0);
    assert_non_null(token);
    wt__resumption_give_back(store, &resumption_key, WT__RESUMPTION_TOKEN, token);
    NET_UNTIL(&p.net, 1000, link->ends);
  }
  assert_true(visit(&p));
  pair_free(&p);
}

static void test_resumption_keeps_nothing_without_a_key(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  p.client.connect.resumption_key = NULL;
  pair_start(&p);
  assert_false(visit(&p));
  assert_false(visit(&p));
  pair_free(&p);
}

static void test_resumption_without_tickets_of_the_server(void **state) {
  (void)state;
  struct pair p;
  pair_init(&p);
  server_new_tls(&p, p.certificate, false);
  pair_start(&p);
  assert_false(visit(&p));
  assert_false(visit(&p));
  pair_free(&p);
}

/* A ticket that the server cannot open, as after its restart, and one that is none at all. The certificate is then
 * judged as ever. */
static void test_resumption_refused_ends_in_a_full_handshake(void **state) {
  (void)state;
  struct pair p;
  wt_certificate *other = NULL;
  pair_init(&p);
  p.client.tls_options =
      (struct wt__tls_client_options){.verify = WT__VERIFY_HASHES, .hashes = p.hash, .hash_count = 1};
  pair_start(&p);
  assert_false(visit(&p));
  server_stop(&p.server);
  server_new_tls(&p, p.certificate, true);
  server_start(&p.server);
  assert_false(visit(&p));
  assert_non_null(p.mine.certificate);
  assert_true(visit(&p));
  wt__resumption_item_free(take_tickets(&p));
  put_ticket(&p, "no ticket", 9, INT64_MAX);
  assert_false(visit(&p));
  server_stop(&p.server); /* and now it has another certificate, too */
  assert_int_equal(wt_certificate_generate(NULL, 0, 10, &other), 0);
  server_new_tls(&p, other, true);
  wt_certificate_free(other);
  server_start(&p.server);
  struct client_link *link = begin(&p);
  NET_UNTIL(&p.net, 5000, link->ends);
  assert_int_equal(link->end.error, WT_ERR_CERTIFICATE);
  pair_free(&p);
}

static void serve_certificates(struct pair *p, wt_certificate *const *certificates, size_t count) {
  assert_int_equal(wt__tls_context_set_certificates(p->server.tls, certificates, count), 0);
}

/* A resumed session shows no certificate, so a ticket must not outlive the one that was shown. */
static void test_resumption_ends_when_certificates_are_exchanged(void **state) {
  (void)state;
  struct pair p;
  wt_certificate *both[2], *again = NULL;
  char *cert = NULL, *key = NULL;
  pair_init(&p);
  pair_start(&p);
  assert_false(visit(&p));
  assert_true(visit(&p));
  both[0] = p.certificate;
  assert_int_equal(wt_certificate_generate(NULL, 0, 10, &both[1]), 0);
  serve_certificates(&p, &both[1], 1);
  assert_false(visit(&p));
  assert_non_null(p.mine.certificate);
  assert_true(visit(&p));
  serve_certificates(&p, both, 2); /* one more is another set, too */
  assert_false(visit(&p));
  assert_true(visit(&p));
  /* The same ones, read again. */
  assert_int_equal(wt_certificate_export(both[1], &cert, &key), 0);
  assert_int_equal(wt_certificate_parse(cert, strlen(cert), key, strlen(key), &again, NULL, 0), 0);
  wt_pem_free(cert);
  wt_pem_free(key);
  wt_certificate_free(both[1]);
  both[1] = again;
  serve_certificates(&p, both, 2);
  assert_true(visit(&p));
  serve_certificates(&p, both, 1);
  assert_false(visit(&p));
  wt_certificate_free(both[1]);
  pair_free(&p);
}

/* --- Tokens --- */

struct retries {
  unsigned retries, tokens; /* Initials of the client that bear a token */
};

static enum net_verdict count_retries(void *ctx, enum net_direction direction, uint64_t index, uint8_t *data,
                                      size_t len) {
  struct retries *count = ctx;
  ngtcp2_pkt_hd hd;
  (void)index;
  if (direction == NET_TO_CLIENT) {
    if (len > 5 && (data[0] & 0xf0) == 0xf0 && data[4] == 1) count->retries++;
  } else if (!ngtcp2_accept(&hd, data, len) && hd.tokenlen > 0) {
    count->tokens++;
  }
  return NET_PASS;
}

/* A server that asks everyone to come back with a token. */
static void pair_start_counting(struct pair *p, struct retries *count) {
  pair_init(p);
  p->server.config.retry = WT_RETRY_ALWAYS;
  p->net.filter = count_retries;
  p->net.filter_ctx = count;
  pair_start(p);
}

static void test_resumption_token_saves_the_retry(void **state) {
  (void)state;
  struct pair p;
  struct retries count = {0};
  pair_start_counting(&p, &count);
  visit(&p);
  assert_int_equal(count.retries, 1);
  for (int i = 0; i < 3; i++) visit(&p);
  assert_int_equal(count.retries, 1);
  assert_true(count.tokens >= 4);
  p.client.connect.resumption_key = "localhost:4001"; /* another server's, so far as the client knows */
  visit(&p);
  assert_int_equal(count.retries, 2);
  p.client.connect.version = NGTCP2_PROTO_VER_V2;
  count.tokens = 0;
  p.server.endpoint->config.retry = WT_RETRY_NEVER;
  visit(&p);
  assert_int_equal(count.tokens, 0); /* those are of version 1 */
  visit(&p);
  assert_true(count.tokens > 0);
  pair_free(&p);
}

static void test_resumption_token_that_the_server_does_not_know_is_harmless(void **state) {
  (void)state;
  struct pair p;
  struct retries count = {0};
  pair_start_counting(&p, &count);
  visit(&p);
  server_stop(&p.server); /* with the key of its tokens */
  server_start(&p.server);
  visit(&p);
  assert_int_equal(count.retries, 2);
  visit(&p);
  assert_int_equal(count.retries, 2);
  pair_free(&p);
}

/* --- Out of memory --- */

static void test_resumption_connect_without_memory(void **state) {
  (void)state;
  struct pair p;
  struct sockaddr_in address = server_address();
  struct client_link *link = NULL;
  size_t failures = 0;
  pair_init(&p);
  pair_start(&p);
  visit(&p);
  struct wt__resumption_item *ticket = take_tickets(&p);
  for (; !link; failures++) {
    int error = 0;
    wt__resumption_item_free(
        wt__resumption_take(wt__tls_client_resumption(p.client.tls), &resumption_key, WT__RESUMPTION_TICKET, 0));
    put_ticket(&p, ticket->data, ticket->len, ticket->expires_at);
    int64_t live = wt__mem_live();
    wt__mem_fail_after(failures);
    link = client_connect(&p.client, &address, &error);
    wt__mem_fail_after(SIZE_MAX);
    assert_int_equal(error, link ? 0 : WT_ERR_NOMEM);
    if (!link) assert_true(wt__mem_live() <= live); /* the ticket may be gone with it */
  }
  assert_true(failures > 10);
  wt__resumption_item_free(ticket);
  client_session(&p.client, link, "/echo");
  look(&p, link);
  assert_true(p.mine.resumed);
  pair_free(&p);
}

/* --- What is known of a connection --- */

static void expect_parameters(const struct wt_connection_info *info, const struct wt__endpoint_config *peer) {
  const struct wt_transport_parameters *params = &info->parameters;
  assert_true(info->has_parameters);
  assert_int_equal(params->max_idle_timeout_ms, peer->idle_timeout_ms);
  assert_int_equal(params->initial_max_data, peer->initial_max_data);
  assert_int_equal(params->initial_max_stream_data_bidi_local, peer->initial_max_stream_data);
  assert_int_equal(params->initial_max_stream_data_bidi_remote, peer->initial_max_stream_data);
  assert_int_equal(params->initial_max_stream_data_uni, peer->initial_max_stream_data);
  assert_int_equal(params->initial_max_streams_bidi, peer->max_streams_bidi);
  assert_int_equal(params->initial_max_streams_uni, peer->max_streams_uni + 3);
  assert_int_equal(params->max_datagram_frame_size, 65535);
  assert_int_equal(params->ack_delay_exponent, 3);
  assert_int_equal(params->max_ack_delay_ms, 25);
  assert_int_equal(params->active_connection_id_limit, 4);
  assert_false(params->disable_active_migration);
  assert_true(params->reset_stream_at);
}

static void test_info_of_both_ends(void **state) {
  (void)state;
  struct pair p;
  struct wt_certificate_info leaf = {.size = sizeof(leaf)};
  pair_init(&p);
  p.client.config.idle_timeout_ms = 12345;
  p.client.config.initial_max_data = 777777;
  pair_start(&p);
  struct client_link *link = begin(&p);
  NET_UNTIL(&p.net, 5000, link->ready);
  net_run_for(&p.net, 2000);
  look(&p, link);
  expect_parameters(&p.mine, &p.server.config);
  expect_parameters(&p.theirs, &p.client.config);
  assert_string_equal(p.mine.peer_address, p.theirs.local_address);
  assert_string_equal(p.mine.local_address, p.theirs.peer_address);
  assert_string_equal(p.mine.local_address, "192.0.2.1:4001");
  assert_int_equal(p.mine.quic_version, NGTCP2_PROTO_VER_V1);
  assert_string_equal(p.mine.tls_version, "TLS1.3");
  assert_string_equal(p.mine.cipher, "AES-128-GCM");
  assert_string_equal(p.theirs.cipher, "AES-128-GCM");
  assert_string_equal(p.mine.group, "X25519");
  assert_false(p.mine.resumed);
  assert_int_equal(wt_certificate_describe(p.mine.certificate, p.mine.certificate_len, 0, &leaf), 0);
  assert_memory_equal(leaf.sha256, p.hash[0], 32);
  assert_in_range(p.mine.handshake_us, 20000, 60000); /* the network takes 10 ms each way */
  assert_in_range(p.theirs.handshake_us, 20000, 60000);
  assert_in_range(p.mine.settings_us, 20000, 60000);
  assert_in_range(p.mine.min_rtt_us, 20000, 30000);
  assert_in_range(p.mine.smoothed_rtt_us, 20000, 60000);
  assert_int_equal(p.mine.max_udp_payload_size, 1472); /* found out meanwhile: the largest that is tried */
  assert_int_equal(p.mine.draft, link->draft);
  assert_true(p.mine.has_settings && p.mine.setting_count > 3);
  pair_free(&p);
}

static void test_info_before_anything_has_come(void **state) {
  (void)state;
  struct pair p;
  struct wt_connection_info info = {.size = sizeof(info)};
  pair_init(&p);
  p.client.connect.version = NGTCP2_PROTO_VER_V2;
  pair_start(&p);
  struct client_link *link = begin(&p);
  wt__h3_conn_get_info(link->h3, &info);
  assert_int_equal(info.size, sizeof(info));
  assert_int_equal(info.quic_version, NGTCP2_PROTO_VER_V2);
  assert_string_equal(info.tls_version, "");
  assert_string_equal(info.local_address, "192.0.2.1:4001");
  assert_false(info.has_parameters || info.has_settings || info.resumed);
  assert_null(info.certificate);
  assert_int_equal(info.handshake_us + info.settings_us + info.min_rtt_us, 0);
  NET_UNTIL(&p.net, 5000, link->ready);
  pair_free(&p);
}

static struct wt_connection_info last_info;
static uint8_t last_hash[32];

static void look_at_reply(struct client *client, struct client_dial *dial) {
  struct wt_certificate_info leaf = {.size = sizeof(leaf)};
  (void)client;
  last_info.size = sizeof(last_info);
  wt__h3_conn_get_info(dial->link->h3, &last_info);
  if (!last_info.certificate) return;
  assert_int_equal(wt_certificate_describe(last_info.certificate, last_info.certificate_len, 0, &leaf), 0);
  memcpy(last_hash, leaf.sha256, sizeof(last_hash));
}

/* The certificate that was refused can be looked at when the dial fails. */
static void test_info_after_a_refused_certificate(void **state) {
  (void)state;
  struct pair p;
  uint8_t unknown[1][32] = {{0}};
  pair_init(&p);
  memset(last_hash, 0, sizeof(last_hash));
  p.client.on_reply = look_at_reply;
  p.client.tls_options =
      (struct wt__tls_client_options){.verify = WT__VERIFY_HASHES, .hashes = unknown, .hash_count = 1};
  pair_start(&p);
  struct client_link *link = begin(&p);
  struct client_dial *dial = client_dial(link, "/wt", NULL, NULL);
  NET_UNTIL(&p.net, 5000, link->ends);
  assert_int_equal(dial->error, WT_ERR_CERTIFICATE);
  assert_memory_equal(last_hash, p.hash[0], sizeof(last_hash));
  assert_true(last_info.has_parameters); /* they come before the certificate */
  assert_int_equal(last_info.handshake_us, 0);
  pair_free(&p);
}

static void test_info_of_unknown_quic_versions_there_is_none(void **state) {
  (void)state;
  static const uint32_t versions[] = {2, 0xff00001d, 0x1a2a3a4a};
  struct pair p;
  struct sockaddr_in address = server_address();
  pair_init(&p);
  pair_start(&p);
  for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
    int error = 0;
    p.client.connect.version = versions[i];
    assert_null(client_connect(&p.client, &address, &error));
    assert_int_equal(error, WT_ERR_INVALID);
  }
  pair_free(&p);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_resumption_second_connection_is_resumed),
      cmocka_unit_test(test_resumption_of_a_server_known_by_its_hash),
      cmocka_unit_test(test_resumption_of_a_server_known_by_its_authority),
      cmocka_unit_test(test_resumption_ends_with_the_whole_chain),
      cmocka_unit_test(test_resumption_never_with_the_ticket_of_another),
      cmocka_unit_test(test_resumption_uses_a_ticket_once),
      cmocka_unit_test(test_resumption_after_an_attempt_without_an_answer),
      cmocka_unit_test(test_resumption_keeps_nothing_without_a_key),
      cmocka_unit_test(test_resumption_without_tickets_of_the_server),
      cmocka_unit_test(test_resumption_refused_ends_in_a_full_handshake),
      cmocka_unit_test(test_resumption_ends_when_certificates_are_exchanged),
      cmocka_unit_test(test_resumption_token_saves_the_retry),
      cmocka_unit_test(test_resumption_token_that_the_server_does_not_know_is_harmless),
      cmocka_unit_test(test_resumption_connect_without_memory),
      cmocka_unit_test(test_info_of_both_ends),
      cmocka_unit_test(test_info_before_anything_has_come),
      cmocka_unit_test(test_info_after_a_refused_certificate),
      cmocka_unit_test(test_info_of_unknown_quic_versions_there_is_none),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
