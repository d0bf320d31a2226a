/* SPDX-License-Identifier: MIT */

/*
 * A hostile client of a soak: it shakes hands with a real server as it should, and then sends frames by a script.
 *
 *     hostile_client PORT SEED SCRIPTS [closes]
 *
 * SCRIPTS is a folder with seeds of the fuzz target packets_server (fuzz/packets.c): streams, capsules, SETTINGS, resets,
 * connection ids, keys, datagrams, and bytes that are nothing. Again and again one of them is changed in some places and
 * played to 127.0.0.1:PORT, from an address of 127.66.0.0/16. This file puts a UDP socket in place of fuzz/hostile.c's two stacks in
 * memory. At the end of a script the connection is closed, or the client just goes away, unless it "closes". The end of standard input ends the
 * program; its last line counts what was done, in JSON.
 */

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "fuzz.h"
#include "hostile.h"
#include "packets.h"
#include "quic/endpoint_state.h"
#include "seal.h"

#define MS UINT64_C(1000000)
#define HANDSHAKE_MS 30000
#define WAIT_MAX_MS 20 /* the longest of a script's waits */
#define PAUSE_MS 50    /* between two scripts */
#define STREAMS 16
#define SCRIPTS_MAX 4096
#define SCRIPT_LEN_MAX 4096

struct hostile {
  int fd;
  struct wt__endpoint *endpoint;
  struct wt__endpoint_config config;
  struct wt__path path;
  struct wt__routes routes;
  struct wt__h3_counters counters;
  struct wt__conn *conn;
  struct wt__h3_conn *h3; /* put aside */
  bool deaf, over, client_ended, goes_away;
  uint8_t last[SEAL_PACKET_MAX];
  size_t last_len;
};

static struct {
  uint16_t port;
  bool closes;
  uint64_t random;
  struct wt__tls_client *tls;
  struct {
    uint8_t *data;
    size_t len;
  } scripts[SCRIPTS_MAX];
  size_t script_count;
  uint64_t plays, closed_by_server, packets, no_handshake;
} all;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 * MS + (uint64_t)now.tv_nsec;
}

/* xorshift: the same seed does the same. */
static uint64_t some(uint64_t count) {
  all.random ^= all.random << 13;
  all.random ^= all.random >> 7;
  all.random ^= all.random << 17;
  return all.random % count;
}

/* --- The socket --- */

static void socket_open(struct hostile *h) {
  struct sockaddr_in *local = (struct sockaddr_in *)(void *)&h->path.local;
  struct sockaddr_in *remote = (struct sockaddr_in *)(void *)&h->path.remote;
  if (h->fd >= 0) close(h->fd);
  h->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  local->sin_family = remote->sin_family = AF_INET;
  local->sin_addr.s_addr = htonl((127u << 24) + (66u << 16) + 1 + (uint32_t)some(60000));
  local->sin_port = 0;
  remote->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  remote->sin_port = htons(all.port);
  h->path.local_len = h->path.remote_len = sizeof(*local);
  if (h->fd < 0 || bind(h->fd, (struct sockaddr *)local, sizeof(*local)) ||
      connect(h->fd, (struct sockaddr *)remote, sizeof(*remote)) ||
      getsockname(h->fd, (struct sockaddr *)local, &h->path.local_len))
    die("socket");
}

static void socket_send(struct hostile *h, const uint8_t *data, size_t len) {
  if (send(h->fd, data, len, 0) >= 0) all.packets++; /* else it is lost, as packets are */
}

static int endpoint_send(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                         size_t segment) {
  (void)path, (void)ecn;
  for (size_t at = 0; at < len; at += segment) socket_send(ctx, data + at, len - at < segment ? len - at : segment);
  return 0;
}

static void socket_wait(const struct hostile *h, uint64_t ms) {
  struct pollfd item = {.fd = h->fd, .events = POLLIN};
  (void)poll(&item, 1, (int)ms);
}

/* --- The handshake --- */

static void on_end(const struct wt__h3_end *end, void *user_data) {
  struct hostile *h = user_data;
  (void)end;
  h->client_ended = true;
}

static void configure(struct hostile *h) {
  h->config = (struct wt__endpoint_config){
      .send = endpoint_send,
      .send_ctx = h,
      .idle_timeout_ms = 30000,
      .handshake_timeout_ms = HANDSHAKE_MS,
      .max_connections = 1,
      .max_connections_per_address = 1,
      .initial_max_data = 256 * 1024,
      .max_data = 256 * 1024,
      .initial_max_stream_data = 64 * 1024,
      .max_stream_data = 64 * 1024,
      .max_streams_bidi = STREAMS,
      .max_streams_uni = STREAMS,
  };
  h->config.h3 = (struct wt__h3_config){
      .mux = {.max_stream_send_buffer = 8 * 1024,
              .max_datagrams_queued = 16,
              .max_early_streams = 8,
              .max_early_datagrams = 8},
      .routes = &h->routes,
      .counters = &h->counters,
      .settings_timeout_ms = HANDSHAKE_MS,
      .no_request_timeout_ms = HANDSHAKE_MS,
      .max_sessions_per_connection = 1,
      .max_header_bytes = 2048,
      .drafts = WT_DRAFT_ALL,
      .max_streams_bidi = STREAMS,
      .max_stream_data = 64 * 1024,
  };
}

static bool shake_hands(struct hostile *h) {
  uint64_t until = now_ns() + HANDSHAKE_MS * MS;
  while (!h->client_ended && now_ns() < until) {
    struct wt__link *first;
    uint8_t packet[SEAL_PACKET_MAX];
    ssize_t len;
    wt__endpoint_run(h->endpoint, now_ns());
    first = wt__list_first(&h->endpoint->conns);
    h->conn = first ? WT__CONTAINER_OF(first, struct wt__conn, link) : NULL;
    if (h->conn && h->conn->handshake_done) return true;
    socket_wait(h, 10);
    while ((len = recv(h->fd, packet, sizeof(packet), 0)) >= 0)
      wt__endpoint_recv(h->endpoint, &h->path, 0, packet, (size_t)len, now_ns());
  }
  return false;
}

struct hostile *hostile_new(bool client, struct app *app, unsigned choice) {
  static struct hostile hostile;
  struct hostile *h = &hostile;
  const struct wt__connect_options options = {
      .tls = all.tls, .server_name = "localhost", .callbacks = {.on_end = on_end}, .user_data = h};
  struct wt__h3_conn *h3;
  int64_t id;
  (void)client, (void)choice, (void)app;
  memset(h, 0, sizeof(*h));
  h->fd = -1;
  h->goes_away = some(4) == 0 && !all.closes;
  socket_open(h);
  wt__routes_init(&h->routes);
  configure(h);
  FUZZ_CHECK(wt__endpoint_new(&h->endpoint, &h->config) == 0);
  FUZZ_CHECK(wt__endpoint_connect(h->endpoint, &h->path, &options, now_ns(), &h3) == 0);
  if (!shake_hands(h)) {
    all.no_handshake++;
    h->over = true;
    h->conn = NULL;
    return h;
  }
  h->h3 = h->conn->h3;
  h->conn->h3 = NULL;
  for (int i = 0; i < STREAMS; i++) (void)ngtcp2_conn_open_bidi_stream(h->conn->quic, &id, NULL);
  return h;
}

void hostile_free(struct hostile *h) {
  wt__mem_fail_after(SIZE_MAX);
  if (h->conn) {
    h->conn->h3 = h->h3;
    if (!h->goes_away) wt__endpoint_close(h->endpoint, now_ns());
  }
  wt__endpoint_free(h->endpoint);
  FUZZ_CHECK(h->client_ended);
  wt__routes_free(&h->routes);
  close(h->fd);
}

/* --- What the script does --- */

void hostile_send(struct hostile *h, const uint8_t *frames, size_t len) {
  wt__mem_fail_after(SIZE_MAX); /* the script means the victim's memory */
  if (h->over) return;
  h->last_len = seal_frames(h->conn, frames, len, h->last, now_ns());
  if (h->last_len > 0) socket_send(h, h->last, h->last_len);
}

void hostile_repeat(struct hostile *h, size_t at, uint8_t flip) {
  if (h->last_len == 0) return;
  h->last[at % h->last_len] ^= flip;
  socket_send(h, h->last, h->last_len);
}

void hostile_send_datagram(struct hostile *h, const uint8_t *data, size_t len) { socket_send(h, data, len); }

void hostile_update_key(struct hostile *h) {
  if (!h->over) (void)ngtcp2_conn_initiate_key_update(h->conn->quic, now_ns());
}

void hostile_migrate(struct hostile *h) { socket_open(h); }

void hostile_listen(struct hostile *h, bool on) { h->deaf = !on; }

void hostile_rotate(struct hostile *h, unsigned choice) { (void)h, (void)choice; }

void hostile_run(struct hostile *h, uint64_t ms) {
  uint8_t packet[65536];
  ssize_t len;
  wt__mem_fail_after(SIZE_MAX);
  if (h->over) return;
  if (ms > 0) socket_wait(h, ms < WAIT_MAX_MS ? ms : WAIT_MAX_MS);
  while ((len = recv(h->fd, packet, sizeof(packet), 0)) >= 0) {
    if (h->deaf) continue;
    int error = seal_hear(h->conn, packet, (size_t)len, now_ns());
    if (error != NGTCP2_ERR_DRAINING) continue;
    all.closed_by_server++;
    h->over = true;
    return;
  }
}

bool hostile_is_open(const struct hostile *h) { return !h->over; }

struct wt__h3_conn *hostile_h3(const struct hostile *h) {
  (void)h;
  return NULL;
}

void hostile_shutdown(struct hostile *h) { (void)h; }

/* --- Scripts --- */

static void script_load(const char *folder, const char *name) {
  char path[1024];
  static uint8_t data[SCRIPT_LEN_MAX];
  snprintf(path, sizeof(path), "%s/%s", folder, name);
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  size_t len = fread(data, 1, sizeof(data), file);
  fclose(file);
  if (len == 0 || all.script_count == SCRIPTS_MAX) return;
  all.scripts[all.script_count].data = malloc(len);
  if (!all.scripts[all.script_count].data) die("scripts");
  memcpy(all.scripts[all.script_count].data, data, len);
  all.scripts[all.script_count++].len = len;
}

static void scripts_load(const char *folder) {
  DIR *dir = opendir(folder);
  struct dirent *entry;
  if (!dir) die(folder);
  while ((entry = readdir(dir)))
    if (entry->d_name[0] != '.') script_load(folder, entry->d_name);
  closedir(dir);
}

/* The beginning of one script and the end of another, with some bytes changed. */
static size_t script_make(uint8_t *data) {
  size_t a = some(all.script_count), b = some(all.script_count);
  size_t len = all.scripts[a].len, tail = all.scripts[b].len;
  memcpy(data, all.scripts[a].data, len);
  if (some(2) == 0) {
    size_t from = some(tail);
    size_t keep = len > 17 ? 17 + some(len - 17) : len;
    if (tail - from > SCRIPT_LEN_MAX - keep) tail = from + SCRIPT_LEN_MAX - keep;
    memcpy(data + keep, all.scripts[b].data + from, tail - from);
    len = keep + tail - from;
  }
  for (uint64_t i = some(8); i > 0; i--) data[some(len)] = (uint8_t)some(256);
  return len;
}

static bool input_is_over(void) {
  struct pollfd item = {.fd = STDIN_FILENO, .events = POLLIN};
  return poll(&item, 1, PAUSE_MS) > 0;
}

int main(int argc, char **argv) {
  static uint8_t data[SCRIPT_LEN_MAX];
  const struct wt__tls_client_options options = {.verify = WT__VERIFY_NOTHING};
  if (argc < 4) {
    fprintf(stderr, "usage: hostile_client PORT SEED SCRIPTS [closes]\n");
    return 2;
  }
  all.port = (uint16_t)atoi(argv[1]);
  all.random = UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)strtoull(argv[2], NULL, 10);
  all.closes = argc > 4;
  scripts_load(argv[3]);
  if (all.script_count == 0 || wt__tls_client_new(&all.tls, &options)) return 1;
  while (!input_is_over()) {
    size_t len = script_make(data);
    all.plays++;
    packets_play(false, data, len);
  }
  printf("{\"scripts\": %" PRIu64 ", \"script_packets\": %" PRIu64 ", \"closed_by_server\": %" PRIu64
         ", \"no_handshake\": %" PRIu64 "}\n",
         all.plays, all.packets, all.closed_by_server, all.no_handshake);
  wt__tls_client_free(all.tls);
  for (size_t i = 0; i < all.script_count; i++) free(all.scripts[i].data);
  return 0;
}
