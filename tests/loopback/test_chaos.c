/* SPDX-License-Identifier: MIT */
/*
 * Anything in any order: a peer that opens, sends, resets and stops at random, with valid, cut, damaged and
 * senseless bytes, and a server whose callbacks call whatever they may. Nothing particular is expected to
 * come out, but the rules of the fixture hold whatever happens: each handle ends once, nothing is called
 * afterwards, no memory stays, and the sanitizers have nothing to say. The seed of a failing run is printed.
 */
#include "world.h"

#define SEEDS 60
#define STEPS 400

static uint64_t draw(struct world *w, uint64_t below) { return net_random(&w->net) % below; }

/* --- The server's part: a random call from inside a callback --- */

static void hook_chaos(struct server *server, enum server_event event, struct server_session *session,
                       struct server_stream *stream) {
  struct world *w = server->hook_ctx;
  static const uint8_t bytes[3000];
  wt_stream *handle = stream && event != SERVER_STREAM_CLOSE ? stream->stream : NULL;
  size_t written;
  int error;
  switch (draw(w, 40)) {
    case 0: (void)wt_session_close(session->session, (uint32_t)draw(w, 1000), "chaos", 5); break;
    case 1: wt_session_drain(session->session); break;
    case 2: (void)wt_session_send_datagram(session->session, bytes, draw(w, 1500)); break;
    case 3: (void)server_open(session, draw(w, 2), &error); break;
    case 4:
      if (handle) (void)wt_stream_reset(handle, 1);
      break;
    case 5:
      if (handle) (void)wt_stream_stop_sending(handle, 2);
      break;
    case 6:
      if (handle) (void)wt_stream_end(handle);
      break;
    case 7:
      if (handle) (void)wt_stream_write(handle, bytes, draw(w, sizeof(bytes)), &written);
      break;
    case 8:
      if (handle) wt_stream_pause(handle);
      break;
    case 9:
      if (handle) wt_stream_resume(handle);
      break;
    default: break;
  }
}

static void server_chaos(struct world *w) {
  for (struct server_stream *stream = w->server.streams; stream; stream = stream->next) {
    if (!stream->stream || draw(w, 4)) continue;
    size_t written;
    switch (draw(w, 6)) {
      case 0: (void)wt_stream_end(stream->stream); break;
      case 1: (void)wt_stream_reset(stream->stream, 3); break;
      case 2: (void)wt_stream_write(stream->stream, "outside", 7, &written); break;
      case 3: (void)wt_stream_stop_sending(stream->stream, 4); break;
      default: wt_stream_resume(stream->stream); break;
    }
  }
  for (struct server_request *request = w->server.requests; request; request = request->next) {
    if (!request->request || strcmp(request->path, "/later") != 0 || draw(w, 3)) continue;
    if (draw(w, 2))
      (void)server_upgrade(request);
    else
      (void)wt_request_respond(request->request, 403, NULL, 0, "no", 2);
  }
}

/* --- The peer's part --- */

/* Some bytes that could belong on a stream, then perhaps damaged or cut. */
static void bytes_draw(struct world *w, struct bytes *bytes, int64_t session, bool rude) {
  static const struct field connect[] = {{":method", "CONNECT"}, {":protocol", "webtransport"},
                                         {":scheme", "https"},   {":authority", "localhost:4000"},
                                         {":path", "/later"},    {NULL, NULL}};
  static const struct field get[] = {{":method", "GET"},
                                     {":scheme", "https"},
                                     {":authority", "localhost:4000"},
                                     {":path", "/source?bytes=5000"},
                                     {NULL, NULL}};
  uint8_t *noise = pattern_new(200, net_random(&w->net));
  struct bytes inner = {0};
  switch (draw(w, 12)) {
    case 0: http_headers(bytes, connect); break;
    case 1: http_headers(bytes, get); break;
    case 2: bytes_frame(bytes, draw(w, 0x10), noise, draw(w, 60)); break;
    case 3: bytes_frame(bytes, 0x1f * draw(w, 9) + 0x21, noise, draw(w, 60)); break;
    case 4:
    case 5:
      bytes_varint(bytes, draw(w, 2) ? 0x41 : 0x54);
      bytes_varint(bytes, (uint64_t)session);
      break;
    case 6:
      capsule(&inner, draw(w, 2) ? WT__CAPSULE_CLOSE_SESSION : WT__CAPSULE_DRAIN_SESSION, noise, draw(w, 50));
      break;
    case 7: capsule(&inner, UINT64_C(0x190b4d3d) + draw(w, 8), noise, 1 + draw(w, 8)); break;
    case 8: capsule_close(&inner, 5, "the end"); break;
    case 9: capsule(&inner, draw(w, 100), noise, draw(w, 100)); break;
    case 10: bytes_add(bytes, noise, draw(w, 200)); break;
    default: break;
  }
  if (inner.len && rude)
    bytes_frame(bytes, 0x00, inner.data, inner.len);
  else
    bytes_add(bytes, inner.data, inner.len);
  bytes_free(&inner);
  free(noise);
  if (bytes->len && draw(w, 8) == 0) bytes->data[draw(w, bytes->len)] ^= (uint8_t)(1 << draw(w, 8));
  if (bytes->len && draw(w, 8) == 0) bytes->len = draw(w, bytes->len);
}

/* A stream that is there, more or less. */
static int64_t id_draw(struct world *w) {
  return (int64_t)draw(w, 40) * 4 + (int64_t)(draw(w, 3) == 0 ? draw(w, 4) : 0);
}

/* Bytes straight onto HTTP/3's streams: most of it ends the connection, sooner or later. */
static void peer_be_rude(struct world *w, const struct bytes *bytes) {
  struct peer *peer = w->peer;
  int64_t id = draw(w, 2) ? peer_open_bidi(peer) : id_draw(w);
  if (draw(w, 4) == 0) id = peer_open_uni(peer);
  struct peer_stream *stream = peer_stream(peer, id);
  if (!stream || ((id & 1) && (id & 2)) || stream->tx_fin) return;
  if (id == peer->control && draw(w, 8)) return;
  peer_queue(peer, id, bytes->data, bytes->len, draw(w, 4) == 0);
}

static void peer_end_a_stream(struct world *w) {
  struct peer *peer = w->peer;
  int64_t id = id_draw(w);
  uint64_t code = draw(w, 2) ? wt__error_to_wire(9) : draw(w, 0x120);
  struct peer_stream *stream = peer_stream(peer, id);
  if (!stream || id == peer->control) return;
  bool bidi = !(id & 2), ours = !(id & 1);
  if (draw(w, 2) && (bidi || ours))
    peer_reset(peer, id, code);
  else if (bidi || !ours)
    peer_stop_sending(peer, id, code);
}

/* Goes on with a stream of WebTransport's, or ends it. */
static void peer_go_on(struct world *w, const struct bytes *bytes) {
  int64_t id = id_draw(w) | 2;
  struct peer_stream *stream = peer_stream(w->peer, id);
  if (!stream || (id & 1) || stream->tx_fin || id == w->peer->control) return;
  peer_queue(w->peer, id, bytes->data, bytes->len, draw(w, 5) == 0);
}

static void peer_chaos(struct world *w, bool rude) {
  struct peer *peer = w->peer;
  int64_t session = draw(w, 4) ? w->id : (int64_t)draw(w, 10) * 4;
  struct bytes bytes = {0};
  bytes_draw(w, &bytes, session, rude);
  switch (draw(w, 16)) {
    case 0:
      if (rude) peer_be_rude(w, &bytes);
      break;
    case 1:
    case 2:
    case 3:
    case 4: (void)peer_wt_open(peer, draw(w, 2), session, bytes.data, bytes.len, draw(w, 2)); break;
    case 5:
    case 6: peer_go_on(w, &bytes); break;
    case 7: peer_end_a_stream(w); break;
    case 8:
    case 9: peer_wt_datagram(peer, session, bytes.data, bytes.len); break;
    case 10: w->id = http_connect(peer, "webtransport", draw(w, 2) ? "/echo" : "/later", NULL, NULL); break;
    case 11:
      if (!peer_stream(peer, w->id)->tx_fin) http_data(peer, w->id, bytes.data, bytes.len, draw(w, 6) == 0);
      break;
    case 12:
      (void)http_request(peer, draw(w, 2) ? "GET" : "POST", draw(w, 2) ? "/post" : "/hello", NULL, draw(w, 2));
      break;
    default: server_chaos(w); break;
  }
  bytes_free(&bytes);
  if (draw(w, 2)) peer_flush(peer);
}

/* Whether the peer may open what the script could ask for. */
static bool peer_may_open(const struct world *w) {
  return ngtcp2_conn_get_streams_bidi_left(w->peer->conn) > 0 && ngtcp2_conn_get_streams_uni_left(w->peer->conn) > 0;
}

static void run_seed(uint64_t seed) {
  struct world w;
  world_init(&w, seed);
  w.server.hook = hook_chaos;
  w.server.hook_ctx = &w;
  w.options.max_streams_bidi = w.options.max_streams_uni = 8;
  w.server.config.h3.mux.max_early_streams = 4;
  w.server.config.h3.mux.max_stream_send_buffer = 4096;
  world_start(&w);
  net_run_for(&w.net, 100);
  w.id = http_connect(w.peer, "webtransport", "/echo", NULL, NULL);
  for (int i = 0; i < STEPS && !w.peer->ended; i++) {
    if (seed % 3 == 0) w.net.link[0].loss = w.net.link[1].loss = (unsigned)draw(&w, 300);
    if (peer_may_open(&w) && peer_stream(w.peer, w.id)) peer_chaos(&w, seed % 5 == 0);
    net_run_for(&w.net, draw(&w, 4) ? draw(&w, 30) : draw(&w, 1500));
  }
  w.net.link[0].loss = w.net.link[1].loss = 0;
  if (seed % 4 == 0) wt__endpoint_shutdown(w.server.endpoint, w.net.now);
  net_run_for(&w.net, 3000);
  if (seed % 4 == 1 && !w.peer->ended) peer_close(w.peer, WT__H3_NO_ERROR);
  if (seed % 4 == 2) wt__endpoint_close(w.server.endpoint, w.net.now);
  net_run_for(&w.net, 60000);
  struct wt__endpoint_stats stats;
  wt__endpoint_get_stats(w.server.endpoint, &stats);
  assert_int_equal(stats.connections_open, w.peer->ended ? 0 : 1); /* nothing stays but a living session */
  /* Whatever it was: the next client is served, unless the server is shutting down. */
  if (seed % 4 == 1 || seed % 4 == 3) {
    peer_free(w.peer);
    struct sockaddr_in address = server_address();
    struct peer_options options;
    peer_options_default(&options);
    options.address = 2;
    w.peer = peer_new(&w.net, &address, &options);
    NET_UNTIL(&w.net, 2000, w.peer->handshake_done);
    int64_t get = http_request(w.peer, "GET", "/hello", NULL, true);
    NET_UNTIL(&w.net, 2000, http_status(w.peer, get) == 200);
  }
  world_free(&w);
}

static void test_chaos_breaks_no_rule(void **state) {
  (void)state;
  const char *only = getenv("LOOPBACK_SEED");
  for (uint64_t seed = only ? strtoull(only, NULL, 10) : 1; seed <= SEEDS || only; seed++) {
    print_message("seed %llu\n", (unsigned long long)seed);
    run_seed(seed);
    if (only) break;
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_chaos_breaks_no_rule)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
