/* SPDX-License-Identifier: MIT */
/*
 * The model of QUIC: see quic.h. A stream is closed when the peer's part has ended by FIN or reset and all that was sent
 * to it, or the reset, was acknowledged. A stream that the library has stopped gives it no more bytes, only its final
 * size, as ngtcp2 with reset_at_recv.c does.
 */

#include "quic.h"

#include <string.h>

#include "fuzz.h"
#include "wire/error_code.h"

#define PACKET 1200

void quic_init(struct quic *quic, bool client) {
  memset(quic, 0, sizeof(*quic));
  quic->client = client;
  quic->now = UINT64_C(1000000000);
  quic->allowed[0] = 3;
  quic->allowed[1] = 5;
  quic->datagram_max = PACKET;
  quic->stream_max = 16 * 1024;
  quic->sum.share = SIZE_MAX;
  wt__log_limit_init(&quic->sum.lines, 1, 10);
  quic->gauge.sum = &quic->sum;
}

static bool is_uni(int64_t id) { return (id & 2) != 0; }

bool quic_is_ours(const struct quic *quic, int64_t id) { return ((id & 1) == 0) == quic->client; }

struct quic_stream *quic_stream(struct quic *quic, int64_t id) {
  if (id < 0 || id / 4 >= QUIC_STREAMS) return NULL;
  return &quic->streams[id & 3][id / 4];
}

static bool can_receive(const struct quic *quic, int64_t id) { return !is_uni(id) || !quic_is_ours(quic, id); }
static bool can_send(const struct quic *quic, int64_t id) { return !is_uni(id) || quic_is_ours(quic, id); }

/* The stream of a frame of the peer's. NULL: there is none, or it is gone. */
static struct quic_stream *stream_of_peer(struct quic *quic, int64_t id) {
  struct quic_stream *stream = quic_stream(quic, id);
  if (quic->closed || stream == NULL || stream->closed) return NULL;
  if (!stream->open && quic_is_ours(quic, id)) return NULL;
  if (!stream->open) stream->max = quic->stream_max;
  stream->open = true;
  return stream;
}

/* --- What the library asks for --- */

static struct quic_stream *stream_of_library(struct quic *quic, int64_t id) {
  struct quic_stream *stream = quic_stream(quic, id);
  FUZZ_CHECK(stream && stream->open);
  return stream;
}

static int quic_open_stream(void *ctx, bool uni, int64_t *id) {
  struct quic *quic = ctx;
  if (quic->closed) return WT_ERR_CLOSED;
  if (quic->opened[uni] >= quic->allowed[uni] || quic->opened[uni] >= QUIC_STREAMS) return WT_ERR_STREAM_LIMIT;
  *id = (int64_t)(quic->opened[uni]++ * 4 + (uni ? 2 : 0) + (quic->client ? 0 : 1));
  quic_stream(quic, *id)->open = true;
  quic_stream(quic, *id)->max = quic->stream_max;
  return 0;
}

static void quic_reset_stream(void *ctx, int64_t id, uint64_t code) {
  struct quic_stream *stream = stream_of_library(ctx, id);
  (void)code;
  if (!stream->closed && can_send(ctx, id) && !stream->fin_acked) stream->reset_sent = true;
}

static bool quic_has_reset_at(void *ctx) { return ((struct quic *)ctx)->reset_at; }

static void quic_reset_stream_at(void *ctx, int64_t id, uint64_t code, uint64_t reliable_size, uint64_t final_size) {
  struct quic_stream *stream = stream_of_library(ctx, id);
  FUZZ_CHECK(((struct quic *)ctx)->reset_at && reliable_size <= final_size);
  FUZZ_CHECK(stream->closed || stream->reset_sent || final_size == stream->sent);
  quic_reset_stream(ctx, id, code);
}

static void quic_stop_sending(void *ctx, int64_t id, uint64_t code) {
  struct quic_stream *stream = stream_of_library(ctx, id);
  (void)code;
  FUZZ_CHECK(can_receive(ctx, id));
  stream->stopped = true;
}

static void quic_consume(void *ctx, int64_t id, uint64_t len) {
  struct quic *quic = ctx;
  struct quic_stream *stream = stream_of_library(quic, id);
  stream->consumed += len;
  quic->consumed += len;
  FUZZ_CHECK(stream->consumed <= stream->received);
}

static void quic_wake(void *ctx) { (void)ctx; }

static size_t quic_max_datagram_len(void *ctx) { return ((struct quic *)ctx)->datagram_max; }

static void quic_close_connection(void *ctx, uint64_t code, const char *reason) {
  struct quic *quic = ctx;
  FUZZ_CHECK(!quic->closed && reason);
  FUZZ_CHECK(wt__wire_error_name(code));
  quic->closed = true;
  quic->close_code = code;
}

static void quic_leave_connection(void *ctx, uint64_t code, const char *reason) {
  struct quic *quic = ctx;
  FUZZ_CHECK(!quic->closed && reason && code >> 62 == 0);
  quic->closed = true;
  quic->close_code = code;
}

static void quic_set_keep_alive(void *ctx, bool on) { (void)ctx, (void)on; }

static void quic_path_stats(void *ctx, struct wt__path_stats *stats) {
  (void)ctx;
  *stats = (struct wt__path_stats){.smoothed_rtt_us = 50000, .rtt_variation_us = 5000};
}

static struct wt__gauge *quic_gauge(void *ctx) { return &((struct quic *)ctx)->gauge; }

const struct wt_transport quic_transport = {
    .open_stream = quic_open_stream,
    .reset_stream = quic_reset_stream,
    .has_reset_at = quic_has_reset_at,
    .reset_stream_at = quic_reset_stream_at,
    .stop_sending = quic_stop_sending,
    .consume = quic_consume,
    .wake = quic_wake,
    .max_datagram_len = quic_max_datagram_len,
    .close_connection = quic_close_connection,
    .leave_connection = quic_leave_connection,
    .set_keep_alive = quic_set_keep_alive,
    .path_stats = quic_path_stats,
    .gauge = quic_gauge,
};

/* --- What the peer does --- */

static bool stream_is_read(const struct quic_stream *stream) { return stream->fin_received || stream->reset_received; }

void quic_recv(struct quic *quic, int64_t id, const uint8_t *data, size_t len, bool fin) {
  struct quic_stream *stream;
  uint8_t *copy;
  if (!can_receive(quic, id) || (stream = stream_of_peer(quic, id)) == NULL || stream_is_read(stream)) return;
  if (stream->received + len > stream->consumed + QUIC_STREAM_WINDOW) return;
  if (quic->received + len > quic->consumed + QUIC_WINDOW) return;
  stream->received += len;
  quic->received += len;
  stream->fin_received = fin;
  if (stream->stopped) {
    /* ngtcp2 gives the window back and tells nobody. */
    stream->consumed += len;
    quic->consumed += len;
    if (fin) wt__h3_conn_recv_final_size(quic->h3, id, stream->received);
    return;
  }
  /* A block of its own, so that AddressSanitizer sees a step beyond it. */
  copy = malloc(len + 1);
  FUZZ_CHECK(copy);
  if (len > 0) memcpy(copy, data, len);
  if (len > 0 || fin) wt__h3_conn_recv(quic->h3, id, len > 0 ? copy : NULL, len, fin, quic->now);
  memset(copy, 0xa5, len);
  free(copy);
}

void quic_recv_reset(struct quic *quic, int64_t id, uint64_t code, uint64_t more, bool reliable) {
  struct quic_stream *stream;
  if (!can_receive(quic, id) || (stream = stream_of_peer(quic, id)) == NULL || stream_is_read(stream)) return;
  stream->reset_received = true;
  if (reliable && stream->received > 0) wt__h3_conn_recv_promise(quic->h3, id, stream->received);
  wt__h3_conn_recv_reset(quic->h3, id, code, stream->received + more);
}

void quic_recv_stop_sending(struct quic *quic, int64_t id, uint64_t code) {
  struct quic_stream *stream;
  if (!can_send(quic, id) || (stream = stream_of_peer(quic, id)) == NULL) return;
  if (!stream->fin_acked) stream->reset_sent = true; /* QUIC answers by itself */
  wt__h3_conn_recv_stop_sending(quic->h3, id, code);
}

void quic_recv_ack(struct quic *quic, int64_t id, uint64_t len) {
  struct quic_stream *stream = quic_stream(quic, id);
  if (quic->closed || stream == NULL || !stream->open || stream->closed || !can_send(quic, id)) return;
  if (len > stream->sent - stream->acked) len = stream->sent - stream->acked;
  stream->acked += len;
  if (stream->acked == stream->sent) stream->fin_acked = stream->fin_sent;
  stream->reset_acked = stream->reset_sent;
  if (!stream->reset_sent && (len > 0 || stream->fin_acked)) wt__h3_conn_acked(quic->h3, id, stream->acked, quic->now);
}

void quic_recv_max_stream_data(struct quic *quic, int64_t id, uint64_t more) {
  struct quic_stream *stream;
  if (!can_send(quic, id) || (stream = stream_of_peer(quic, id)) == NULL) return;
  stream->max += more;
  wt__h3_conn_unblocked(quic->h3, id);
}

void quic_recv_max_streams(struct quic *quic, bool uni, uint64_t more) {
  if (quic->closed) return;
  quic->allowed[uni] += more;
  wt__h3_conn_streams_allowed(quic->h3, uni);
}

/* --- What the loop does --- */

static void send_take(struct quic *quic, struct quic_stream *stream, const struct wt__send *send, uint64_t room) {
  uint64_t max = send->alone ? UINT64_MAX : PACKET, total = 0, taken = 0;
  bool fin;
  if (max > room) max = room;
  if (max > stream->max - stream->sent) max = stream->max - stream->sent;
  for (size_t i = 0; i < send->count; i++) total += send->vecs[i].len;
  for (size_t i = 0; i < send->count && taken < max; i++) {
    size_t n = send->vecs[i].len < max - taken ? send->vecs[i].len : (size_t)(max - taken);
    for (size_t j = 0; j < n; j++) (void)*(const volatile uint8_t *)&send->vecs[i].data[j]; /* as encryption does */
    taken += n;
  }
  fin = send->fin && taken == total;
  stream->sent += taken;
  stream->fin_sent = fin;
  wt__h3_conn_sent(quic->h3, send->id, (size_t)taken, fin);
}

static void send_datagrams(struct quic *quic) {
  struct wt__vec datagram;
  for (size_t i = 0; i < 1000 && wt__h3_conn_next_datagram(quic->h3, &datagram); i++) {
    FUZZ_CHECK(datagram.len > 0 && datagram.data);
    wt__h3_conn_datagram_done(quic->h3, datagram.len <= quic->datagram_max);
  }
}

void quic_send(struct quic *quic, size_t packets, uint64_t room) {
  struct wt__send send;
  send_datagrams(quic);
  for (size_t i = 0; i < packets && room > 0 && !quic->closed && wt__h3_conn_next(quic->h3, &send, room); i++) {
    struct quic_stream *stream = stream_of_library(quic, send.id);
    FUZZ_CHECK(i < 100000);
    FUZZ_CHECK(can_send(quic, send.id) && send.count <= WT__SEND_VECS);
    uint64_t before = stream->sent;
    if (stream->closed || stream->reset_sent || stream->fin_sent) {
      wt__h3_conn_write_closed(quic->h3, send.id);
    } else if (send.count > 0 && stream->sent == stream->max) {
      wt__h3_conn_blocked(quic->h3, send.id);
    } else {
      send_take(quic, stream, &send, room);
    }
    room -= stream->sent - before < room ? stream->sent - before : room;
  }
}

static bool stream_is_over(const struct quic *quic, int64_t id, const struct quic_stream *stream) {
  if (can_receive(quic, id) && !stream_is_read(stream)) return false;
  return !can_send(quic, id) || stream->fin_acked || stream->reset_acked;
}

void quic_close_streams(struct quic *quic) {
  for (int64_t id = 0; id < 4 * QUIC_STREAMS && !quic->closed; id++) {
    struct quic_stream *stream = quic_stream(quic, id);
    if (!stream->open || stream->closed || !stream_is_over(quic, id, stream)) continue;
    stream->closed = true;
    wt__h3_conn_stream_closed(quic->h3, id, stream->reset_received || stream->reset_sent, WT__H3_REQUEST_CANCELLED);
  }
}
