/* SPDX-License-Identifier: MIT */
/*
 * Two stacks, one taken over: see hostile.h.
 *
 * The hostile end's HTTP/3 is put aside after the handshake; seal.h says how its frames become packets.
 */

#include "hostile.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz.h"
#include "quic/conn.h"
#include "quic/current.h"
#include "quic/endpoint_state.h"
#include "seal.h"

#define MS UINT64_C(1000000)
#define QUEUE 512
#define PACKET_MAX SEAL_PACKET_MAX
#define STREAMS 16
#define MEMORY_MAX ((size_t)8 * 1024 * 1024) /* QUIC keeps more for each stream and packet */
#define REMAINS_END (11000 * MS)             /* no remains of a connection stay so long */

struct packet {
  size_t len;
  uint8_t data[PACKET_MAX];
};

/* Packets on their way to one end. What does not fit is lost. */
struct queue {
  size_t len;
  struct packet packets[QUEUE];
};

struct end {
  struct wt__endpoint *endpoint;
  struct wt__endpoint_config config;
  struct queue in;
  struct end *other;
};

struct hostile {
  bool client;        /* the victim */
  struct end ends[2]; /* the server's, the client's */
  struct end *victim, *attacker;
  struct wt__path paths[2]; /* as the server's end sees it, and the client's */
  struct wt__conn *conn;    /* the attacker's */
  struct wt__h3_conn *h3;   /* the attacker's, put aside */
  struct wt__h3_conn *client_h3;
  struct app *app;
  struct wt__routes routes[2];
  struct wt__h3_counters counters[2];
  uint64_t now;
  struct packet last;
  bool deaf, client_ended;
  int64_t live;
};

/* Made once: keys and certificates cost more than a handshake. */
static struct wt__tls_context *server_tls;
static struct wt__tls_client *client_tls;

static void tls_init(void) {
  static const char *const names[] = {"localhost"};
  const struct wt__tls_client_options options = {.verify = WT__VERIFY_NOTHING};
  wt_certificate *certificate = NULL;
  if (server_tls) return;
  FUZZ_CHECK(wt__tls_context_new(&server_tls, false) == 0);
  FUZZ_CHECK(wt_certificate_generate(names, 1, 13, &certificate) == 0);
  FUZZ_CHECK(wt__tls_context_set_certificates(server_tls, &certificate, 1) == 0);
  wt_certificate_free(certificate);
  FUZZ_CHECK(wt__tls_client_new(&client_tls, &options) == 0);
}

/* --- The network --- */

static int end_send(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                    size_t segment) {
  struct queue *queue = &((struct end *)ctx)->other->in;
  (void)path, (void)ecn;
  for (size_t at = 0; at < len && queue->len < QUEUE; at += segment) {
    struct packet *packet = &queue->packets[queue->len++];
    packet->len = len - at < segment ? len - at : segment;
    FUZZ_CHECK(packet->len <= PACKET_MAX);
    memcpy(packet->data, data + at, packet->len);
  }
  return 0;
}

static void path_init(struct wt__path *path, uint16_t local_port, uint16_t remote_port) {
  struct sockaddr_in *local = (struct sockaddr_in *)(void *)&path->local, *remote;
  remote = (struct sockaddr_in *)(void *)&path->remote;
  memset(path, 0, sizeof(*path));
  local->sin_family = remote->sin_family = AF_INET;
  local->sin_port = htons(local_port);
  remote->sin_port = htons(remote_port);
  local->sin_addr.s_addr = remote->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  path->local_len = path->remote_len = sizeof(*local);
}

static void end_receive(struct hostile *h, struct end *end, const uint8_t *data, size_t len) {
  /* A block of its own, so that AddressSanitizer sees a step beyond it. */
  uint8_t *copy = malloc(len + 1);
  FUZZ_CHECK(copy);
  if (len > 0) memcpy(copy, data, len);
  wt__endpoint_recv(end->endpoint, &h->paths[end == &h->ends[1]], 0, copy, len, h->now);
  free(copy);
}

/* One round of the handshake. */
static bool exchange(struct hostile *h) {
  bool any = false;
  for (int i = 0; i < 2; i++) {
    struct end *end = &h->ends[i];
    size_t count = end->in.len;
    any = any || count > 0;
    end->in.len = 0;
    for (size_t k = 0; k < count; k++) end_receive(h, end, end->in.packets[k].data, end->in.packets[k].len);
    wt__endpoint_run(end->endpoint, h->now);
  }
  h->now += MS;
  return any;
}

/* --- The victim and the other --- */

static void end_configure(struct hostile *h, int which, unsigned choice) {
  struct wt__endpoint_config *config = &h->ends[which].config;
  *config = (struct wt__endpoint_config){
      .tls = which == 0 ? server_tls : NULL,
      .send = end_send,
      .send_ctx = &h->ends[which],
      .idle_timeout_ms = 30000,
      .keep_alive_ms = 15000,
      .handshake_timeout_ms = 10000,
      .retry = WT_RETRY_NEVER,
      .max_connections = 4,
      .max_connections_per_address = 4,
      .initial_max_data = 64 * 1024,
      .max_data = 256 * 1024,
      .initial_max_stream_data = 16 * 1024,
      .max_stream_data = 64 * 1024,
      .max_streams_bidi = STREAMS,
      .max_streams_uni = STREAMS,
  };
  config->h3 = (struct wt__h3_config){
      .mux = {.max_stream_send_buffer = 8 * 1024,
              .max_datagrams_queued = 16,
              .max_early_streams = 8,
              .max_early_datagrams = 8,
              .early_timeout_ms = 500},
      .routes = &h->routes[which],
      .counters = &h->counters[which],
      .settings_timeout_ms = 500,
      .no_request_timeout_ms = 5000,
      .max_sessions_per_connection = 3,
      .max_header_bytes = 2048,
      .drafts = WT_DRAFT_ALL,
      .max_streams_bidi = STREAMS,
      .max_stream_data = 64 * 1024,
  };
  if (choice & 1) config->h3.mux.flow = (struct wt__flow_windows){{.data = 2000, .streams = {3, 3}}, .max_data = 8000};
}

static struct wt__conn *end_conn(const struct end *end) {
  struct wt__link *first = wt__list_first(&end->endpoint->conns);
  return first ? WT__CONTAINER_OF(first, struct wt__conn, link) : NULL;
}

static void on_client_end(const struct wt__h3_end *end, void *user_data) {
  struct hostile *h = user_data;
  FUZZ_CHECK(!h->client_ended && end->error != 0);
  FUZZ_CHECK(memchr(end->reason, '\0', sizeof(end->reason)));
  h->client_ended = true;
  h->client_h3 = NULL;
}

static bool shake_hands(struct hostile *h) {
  const struct wt__connect_options options = {
      .tls = client_tls, .server_name = "localhost", .callbacks = {.on_end = on_client_end}, .user_data = h};
  struct wt__conn *server, *client;
  if (wt__endpoint_connect(h->ends[1].endpoint, &h->paths[1], &options, h->now, &h->client_h3) != 0) return false;
  for (int i = 0; i < 20; i++) {
    bool any = exchange(h);
    server = end_conn(&h->ends[0]);
    client = end_conn(&h->ends[1]);
    if (!any && i > 2 && server && server->handshake_done && client && client->handshake_done) return true;
  }
  return false;
}

/* From here on the attacker's HTTP/3 hears and says nothing. Its ngtcp2 has to know the streams that are answered. */
static void take_over(struct hostile *h) {
  int64_t id;
  h->conn = end_conn(h->attacker);
  h->h3 = h->conn->h3;
  h->conn->h3 = NULL;
  for (int i = 0; i < STREAMS; i++) (void)ngtcp2_conn_open_bidi_stream(h->conn->quic, &id, NULL);
}

struct hostile *hostile_new(bool client, struct app *app, unsigned choice) {
  static struct hostile hostile;
  struct hostile *h = &hostile;
  tls_init();
  memset(h, 0, offsetof(struct hostile, ends));
  memset(&h->victim, 0, sizeof(*h) - offsetof(struct hostile, victim));
  wt__tls_random_seed(1);
  h->client = client;
  h->app = app;
  h->live = wt__mem_live();
  h->now = UINT64_C(1000000000);
  path_init(&h->paths[0], 4433, 50000);
  path_init(&h->paths[1], 50000, 4433);
  for (int i = 0; i < 2; i++) {
    wt__routes_init(&h->routes[i]);
    h->ends[i].in.len = 0;
    h->ends[i].other = &h->ends[1 - i];
    end_configure(h, i, choice);
    FUZZ_CHECK(wt__endpoint_new(&h->ends[i].endpoint, &h->ends[i].config) == 0);
  }
  h->victim = &h->ends[client];
  h->attacker = &h->ends[!client];
  if (!client) FUZZ_CHECK(wt__routes_set(&h->routes[0], "/", app_handle, app, NULL) == 0);
  FUZZ_CHECK(shake_hands(h));
  take_over(h);
  app->h3 = hostile_h3(h);
  return h;
}

/* Left to itself the victim comes to rest, and does not keep the loop from sleeping. */
static void check_rest(struct hostile *h) {
  for (int i = 0; i < 1000; i++) {
    if (wt__endpoint_expiry(h->victim->endpoint) > h->now) return;
    hostile_run(h, 0);
  }
  FUZZ_CHECK(false);
}

void hostile_free(struct hostile *h) {
  wt__mem_fail_after(SIZE_MAX);
  check_rest(h);
  wt__endpoint_close(h->victim->endpoint, h->now);
  h->now += REMAINS_END; /* the end that was sent lingers */
  wt__endpoint_run(h->victim->endpoint, h->now);
  FUZZ_CHECK(h->victim->endpoint->gauge.bytes == 0);
  h->conn->h3 = h->h3;
  wt__endpoint_free(h->victim->endpoint);
  h->app->ended = true;
  wt__endpoint_free(h->attacker->endpoint);
  FUZZ_CHECK(h->client_ended);
  for (int i = 0; i < 2; i++) {
    FUZZ_CHECK(h->counters[i].sessions_open == 0);
    wt__routes_free(&h->routes[i]);
  }
  FUZZ_CHECK(wt__mem_live() == h->live);
}

/* --- What the attacker does --- */

static void deliver(struct hostile *h) { end_receive(h, h->victim, h->last.data, h->last.len); }

void hostile_send(struct hostile *h, const uint8_t *frames, size_t len) {
  h->last.len = seal_frames(h->conn, frames, len, h->last.data, h->now);
  if (h->last.len > 0) deliver(h);
}

void hostile_repeat(struct hostile *h, size_t at, uint8_t flip) {
  if (h->last.len == 0) return;
  h->last.data[at % h->last.len] ^= flip;
  deliver(h);
}

void hostile_send_datagram(struct hostile *h, const uint8_t *data, size_t len) { end_receive(h, h->victim, data, len); }

void hostile_update_key(struct hostile *h) {
  wt__conn_set_current(h->conn);
  (void)ngtcp2_conn_initiate_key_update(h->conn->quic, h->now);
  wt__conn_set_current(NULL);
}

void hostile_migrate(struct hostile *h) {
  struct wt__path *path = &h->paths[h->client];
  struct sockaddr_in *remote = (struct sockaddr_in *)(void *)&path->remote;
  remote->sin_port = htons((uint16_t)(ntohs(remote->sin_port) + 1));
}

void hostile_listen(struct hostile *h, bool on) { h->deaf = !on; }

/* What the victim has sent. */
static void attacker_read(struct hostile *h) {
  struct queue *in = &h->attacker->in;
  for (size_t i = 0; i < in->len && !h->deaf; i++)
    (void)seal_hear(h->conn, in->packets[i].data, in->packets[i].len, h->now);
  in->len = 0;
}

/* --- The victim's turn --- */

void hostile_rotate(struct hostile *h, unsigned choice) {
  static const uint8_t key[WT__AES_KEY_LEN] = {1};
  struct wt_connection_ids ids;
  struct wt__cid_scheme scheme;
  char why[WT__CID_WHY_MAX];
  bool changed;
  if (h->client) return;
  wt_connection_ids_default(&ids, choice & 0x80 ? WT_CONNECTION_ID_UNROUTABLE : WT_CONNECTION_ID_QUIC_LB);
  if (ids.layout == WT_CONNECTION_ID_QUIC_LB) {
    ids.server_id = key;
    ids.server_id_len = 3;
    ids.config_id = choice % 7;
    ids.key = choice & 0x40 ? key : NULL;
    ids.key_len = ids.key ? sizeof(key) : 0;
  }
  FUZZ_CHECK(wt__cid_scheme_read(&scheme, &ids, 1, why, sizeof(why)) == 0);
  FUZZ_CHECK(wt__cid_shared_set(h->victim->endpoint->ids.shared, &scheme, &changed, why, sizeof(why)) == 0);
}

/* No more ids than ngtcp2 keeps, however the other end retires them. */
static void check_ids(const struct hostile *h) {
  const struct wt__conn *conn = end_conn(h->victim);
  size_t count = 0;
  if (!conn) return;
  WT__LIST_FOREACH(link, next, &conn->cids) count += WT__CONTAINER_OF(link, struct wt__cid, link)->issued;
  FUZZ_CHECK(count <= 8);
}

void hostile_run(struct hostile *h, uint64_t ms) {
  h->now += ms * MS;
  wt__endpoint_run(h->victim->endpoint, h->now);
  (void)wt__endpoint_expiry(h->victim->endpoint);
  FUZZ_CHECK(h->victim->endpoint->gauge.bytes <= MEMORY_MAX);
  check_ids(h);
  attacker_read(h);
  h->app->h3 = hostile_h3(h);
}

bool hostile_is_open(const struct hostile *h) { return hostile_h3(h) != NULL; }

struct wt__h3_conn *hostile_h3(const struct hostile *h) {
  const struct wt__conn *conn = end_conn(h->victim);
  return conn ? conn->h3 : NULL;
}

void hostile_shutdown(struct hostile *h) { wt__endpoint_shutdown(h->victim->endpoint, h->now); }
