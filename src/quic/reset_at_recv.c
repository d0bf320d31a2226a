/* SPDX-License-Identifier: MIT */

/*
 * The peer's RESET_STREAM_AT: "reset, but deliver the first n bytes" (draft-ietf-quic-reliable-stream-reset,
 * section 4). ngtcp2 knows RESET_STREAM alone, which drops whatever is missing. So each frame is looked at
 * while its packet is decrypted, and never reaches ngtcp2 as what it is:
 *
 *   all n bytes delivered      RESET_STREAM in its place, PADDING for the rest
 *   not yet                    PING and PADDING: the packet has to be acknowledged. We keep the reset.
 *   n beyond the final size    left as it is: an unknown frame, hence FRAME_ENCODING_ERROR as required
 *
 * Refusing packets until their bytes are there would be simpler, but two packets can wait for each other:
 * clients put many resets into one packet and the streams' first bytes into others.
 *
 * Kept resets are given to ngtcp2 in a packet of our own making once their bytes are delivered: RESET_STREAM
 * frames, and an unknown frame type behind them. ngtcp2 applies frame by frame, meets the unknown one and
 * returns NGTCP2_ERR_FRAME_ENCODING before it takes note of the packet: its number is not used up, nothing
 * is acknowledged, keys do not rotate. That one error is expected. The packet carries the newest number
 * plus 2^30, the connection id of the newest packet and the connection's present path, so it means no
 * migration; while it is read, decryption copies and header protection is nothing.
 *
 * Decryption also runs for duplicates, and for packets that ngtcp2 drops afterwards. All are the peer's, but
 * old ones come again: what is done here may be done twice. Ids that were open once are remembered, to tell
 * a stream that is closed from one that is yet to come; a record is only made for the latter, and within
 * the limit on streams, so that limit bounds the records. 0-RTT packets do not exist: the server refuses them.
 *
 * A FIN may come with the last byte of a stream whose reset is kept, and ngtcp2 may then close the stream before
 * anything can be given to it. The reset is told in place of the FIN: they say the same about the final size.
 *
 * The final size of a stream that was stopped by us is noted here as well, from the FIN: after our STOP_SENDING
 * ngtcp2 drops what comes and tells nobody how much it was. A reset says it otherwise.
 *
 * Packet numbers are read here, so their bound is, too: near the last one that there can be, ngtcp2 (1.11) has an
 * assertion that a short number of the peer's makes fail (`ngtcp2_pkt_adjust_pkt_num`). A peer that skips as far as
 * that wants nothing good; an honest one would have to send packets for centuries.
 *
 * Another fault is cured on the way. ngtcp2 (up to 1.22) never closes a unidirectional stream of which the
 * first it hears is a RESET_STREAM; its credit is then lost for good. So a plain RESET_STREAM for such a
 * stream is kept as well, and an empty STREAM frame stands before it in the packet of ours.
 */

#include "quic/reset_at.h"

#include <string.h>

#include "base/clock.h"
#include "base/gauge.h"
#include "base/idset.h"
#include "base/list.h"
#include "base/map.h"
#include "base/pool.h"
#include "h3/conn.h"
#include "quic/canary.h"
#include "quic/conn.h"
#include "quic/current.h"
#include "quic/endpoint_state.h"
#include "quic/idle.h"
#include "wire/quic_frame.h"
#include "wire/varint.h"

#define PACKET_ROOM 1200
#define FRAMES_MAX (1 + 8 + 1 + WT__FRAME_RESET_MAX) /* an empty STREAM frame and a reset */
#define TAG_LEN 16
#define UNKNOWN_FRAME 0x21
#define NUMBER_AHEAD (UINT64_C(1) << 30)
#define KEY_PHASE 0x04
#define NUMBER_MAX (UINT64_C(1) << 61) /* of a packet of the peer's; RFC 9000 allows twice that */

/* One stream that can be read, or whose reset is kept. */
struct record {
  int64_t id;
  bool open;    /* ngtcp2 has it */
  bool stopped; /* by us */
  bool reset;   /* ngtcp2 was given a reset */
  bool kept, injected;
  bool fin, final_told;
  uint64_t code;          /* if `kept` or `reset` */
  uint64_t final_size;    /* if `kept`, `reset` or `fin` */
  uint64_t reliable_size; /* if `kept`, or of a reset that ngtcp2 is about to be given */
  uint64_t since;
  uint64_t delivered;
  struct wt__link link;  /* in `kept` or `ready` */
  struct wt__link final; /* in `finals` */
};

/* What a record counts in the connection's gauge, with its place in the map. */
#define RECORD_SIZE (sizeof(struct record) + 32)

static struct record *record_of(struct wt__link *link) { return WT__CONTAINER_OF(link, struct record, link); }

static bool is_uni(int64_t id) { return (id & 2) != 0; }

static bool is_ours(const struct wt__conn *conn, int64_t id) {
  return ngtcp2_conn_is_local_stream(conn->quic, id) != 0;
}

static struct record *record_find(struct wt__conn *conn, int64_t id) {
  struct record *record = conn->reset_in.found;
  if (record && record->id == id) return record;
  record = wt__map_get(&conn->reset_in.streams, (uint64_t)id);
  if (record) conn->reset_in.found = record;
  return record;
}

static struct wt__pool *pool_of(const struct wt__conn *conn) { return conn->endpoint->config.h3.mux.pool; }

static struct record *record_add(struct wt__conn *conn, int64_t id) {
  struct record *record = wt__pool_take_zeroed(pool_of(conn), sizeof(*record));
  if (!record) return NULL;
  record->id = id;
  wt__link_init(&record->link);
  wt__link_init(&record->final);
  if (wt__map_set(&conn->reset_in.streams, (uint64_t)id, record)) {
    wt__pool_give(pool_of(conn), record, sizeof(*record));
    return NULL;
  }
  wt__gauge_add(&conn->gauge, RECORD_SIZE);
  return record;
}

/* It is in the map no longer. */
static void record_end(struct wt__conn *conn, struct record *record) {
  if (conn->reset_in.found == record) conn->reset_in.found = NULL;
  wt__list_remove(&record->link);
  wt__list_remove(&record->final);
  wt__gauge_remove(&conn->gauge, RECORD_SIZE);
  wt__pool_give(pool_of(conn), record, sizeof(*record));
}

static void record_drop(struct wt__conn *conn, struct record *record) {
  wt__map_remove(&conn->reset_in.streams, (uint64_t)record->id);
  record_end(conn, record);
}

static void record_free(uint64_t key, void *value, void *arg) {
  struct wt__conn *conn = arg;
  (void)key;
  wt__gauge_remove(&conn->gauge, RECORD_SIZE);
  wt__pool_give(pool_of(conn), value, sizeof(struct record));
}

static size_t ids_size(const struct wt__idset *ids) { return ids->cap * sizeof(*ids->ranges); }

void wt__reset_at_recv_init(struct wt__conn *conn, uint64_t max_bidi, uint64_t max_uni) {
  struct wt__reset_at_recv *in = &conn->reset_in;
  memset(in, 0, sizeof(*in));
  wt__map_init(&in->streams);
  for (int i = 0; i < 2; i++) wt__idset_init(&in->opened[i]);
  wt__list_init(&in->kept);
  wt__list_init(&in->ready);
  wt__list_init(&in->finals);
  in->max_streams[0] = max_bidi;
  in->max_streams[1] = max_uni;
}

void wt__reset_at_recv_free(struct wt__conn *conn) {
  struct wt__reset_at_recv *in = &conn->reset_in;
  wt__map_each(&in->streams, record_free, conn);
  wt__map_free(&in->streams);
  for (int i = 0; i < 2; i++) {
    wt__gauge_remove(&conn->gauge, ids_size(&in->opened[i]));
    wt__idset_free(&in->opened[i]);
  }
  wt__list_init(&in->kept);
  wt__list_init(&in->ready);
  wt__list_init(&in->finals);
}

/* --- Keeping --- */

static bool record_is_due(const struct record *record) {
  return !record->reliable_size || record->stopped || record->delivered >= record->reliable_size;
}

static void record_settle(struct wt__conn *conn, struct record *record) {
  wt__list_remove(&record->link);
  record->since = conn->endpoint->now;
  wt__list_push_back(record_is_due(record) ? &conn->reset_in.ready : &conn->reset_in.kept, &record->link);
}

static void record_let_go(struct wt__conn *conn, struct record *record) {
  record->kept = record->injected = false;
  wt__list_remove(&record->link);
  if (!record->open) record_drop(conn, record);
}

/* The first error counts. recv.c and run.c act upon it when ngtcp2 has returned. */
static void recv_error(struct wt__conn *conn, int error) {
  if (!conn->reset_in.error) conn->reset_in.error = error;
}

static void record_keep(struct wt__conn *conn, struct record *record, const struct wt__quic_frame *frame) {
  if (!record) record = record_add(conn, (int64_t)frame->id);
  if (!record) {
    recv_error(conn, NGTCP2_ERR_NOMEM);
    return;
  }
  if (record->kept && frame->reliable_size >= record->reliable_size) return; /* it may only get smaller */
  record->kept = true;
  record->code = frame->code;
  record->final_size = frame->final_size;
  record->reliable_size = frame->reliable_size;
  record_settle(conn, record);
}

/* --- Judging frames --- */

void wt__reset_at_recv_packet(struct wt__conn *conn, const uint8_t *header, size_t len) {
  struct wt__reset_at_recv *in = &conn->reset_in;
  size_t number_len = (size_t)(header[0] & 3) + 1;
  if (len < 1 + number_len || len - 1 - number_len > sizeof(in->dcid.data)) return;
  uint64_t number = 0, window = UINT64_C(1) << (8 * number_len);
  for (size_t i = len - number_len; i < len; i++) number = number << 8 | header[i];
  /* RFC 9000, appendix A.3 */
  uint64_t expected = in->has_header ? in->packet_number + 1 : 0;
  number |= expected & ~(window - 1);
  if (number + window / 2 <= expected) {
    number += window;
  } else if (number > expected + window / 2 && number >= window) {
    number -= window;
  }
  if (in->has_header && number <= in->packet_number) return;
  if (number > NUMBER_MAX) recv_error(conn, NGTCP2_ERR_PROTO);
  in->has_header = true;
  in->packet_number = number;
  in->first_byte = header[0];
  in->dcid.datalen = len - 1 - number_len;
  memcpy(in->dcid.data, header + 1, in->dcid.datalen);
}

/* Whether the stream is or was open, or will never be: ngtcp2 can then be told at once. */
static bool is_settled(const struct wt__conn *conn, int64_t id) {
  if (is_ours(conn, id)) return true;
  uint64_t ordinal = (uint64_t)id >> 2;
  return ordinal >= conn->reset_in.max_streams[is_uni(id)] ||
         wt__idset_has(&conn->reset_in.opened[is_uni(id)], ordinal);
}

/* Section 4.2: neither the code nor the final size may change. */
static bool record_agrees(struct wt__conn *conn, const struct record *record, const struct wt__quic_frame *frame) {
  if (!record || !(record->kept || (record->reset && frame->type == WT__FRAME_RESET_STREAM_AT))) return true;
  if (record->final_size != frame->final_size) recv_error(conn, NGTCP2_ERR_FINAL_SIZE);
  if (record->code != frame->code) recv_error(conn, NGTCP2_ERR_STREAM_STATE);
  return record->final_size == frame->final_size && record->code == frame->code;
}

enum wt__frame_fate wt__reset_at_recv_judge(struct wt__conn *conn, const struct wt__quic_frame *frame) {
  if (!wt__canary()->reset_at_in) return WT__FRAME_KEEP; /* nothing could be given to ngtcp2 later */
  struct record *record = record_find(conn, (int64_t)frame->id);
  if (frame->type == WT__FRAME_RESET_STREAM_AT && frame->reliable_size > frame->final_size) return WT__FRAME_KEEP;
  if (!record_agrees(conn, record, frame)) return WT__FRAME_AS_PING;
  if (record && record->open) {
    /* A plain RESET_STREAM is one with a Reliable Size of 0. */
    if (record->reset || record->stopped || record->delivered >= frame->reliable_size) {
      if (!record->kept || frame->reliable_size < record->reliable_size) record->reliable_size = frame->reliable_size;
      return WT__FRAME_AS_RESET;
    }
  } else if (is_settled(conn, (int64_t)frame->id) || (!frame->reliable_size && !is_uni((int64_t)frame->id))) {
    return WT__FRAME_AS_RESET;
  }
  record_keep(conn, record, frame);
  return WT__FRAME_AS_PING;
}

/* --- Final sizes --- */

static void record_settle_final(struct wt__conn *conn, struct record *record) {
  if (!record->fin || !record->stopped || record->final_told || wt__link_linked(&record->final)) return;
  wt__list_push_back(&conn->reset_in.finals, &record->final);
}

/* A record for a stream that is yet to be opened: by this very frame. */
void wt__reset_at_recv_seen_fin(struct wt__conn *conn, int64_t id, uint64_t final_size) {
  struct record *record = record_find(conn, id);
  if (!record && is_settled(conn, id)) return;
  if (!record) record = record_add(conn, id);
  if (!record) {
    recv_error(conn, NGTCP2_ERR_NOMEM);
    return;
  }
  if (record->fin || record->kept || record->reset) return;
  record->fin = true;
  record->final_size = final_size;
  record_settle_final(conn, record);
}

/* ngtcp2 (1.22) counts frames that change nothing, and ends a connection with more than 330 a second and 10,000 in all. The
 * FIN behind each RESET_STREAM_AT of a peer like us (reset_at_send.c) would be one. */
bool wt__reset_at_recv_fin_is_late(struct wt__conn *conn, const struct wt__quic_frame *frame) {
  int64_t id = (int64_t)frame->id;
  if (frame->data_len || is_ours(conn, id)) return false;
  const struct record *record = record_find(conn, id);
  if (!record) return wt__idset_has(&conn->reset_in.opened[is_uni(id)], (uint64_t)id >> 2);
  return record->open && record->reset && record->final_size == frame->offset;
}

void wt__reset_at_recv_tell_finals(struct wt__conn *conn) {
  struct wt__link *link;
  while ((link = wt__list_first(&conn->reset_in.finals))) {
    struct record *record = WT__CONTAINER_OF(link, struct record, final);
    wt__list_remove(link);
    record->final_told = true;
    if (conn->h3) wt__h3_conn_recv_final_size(conn->h3, record->id, record->final_size);
  }
}

/* --- What becomes of streams --- */

int wt__reset_at_recv_opened(struct wt__conn *conn, int64_t id) {
  struct record *record = record_find(conn, id);
  if (!record) record = record_add(conn, id);
  if (!record) return WT_ERR_NOMEM;
  record->open = true;
  if (is_ours(conn, id)) return 0;
  struct wt__idset *ids = &conn->reset_in.opened[is_uni(id)];
  wt__gauge_remove(&conn->gauge, ids_size(ids));
  int error = wt__idset_add(ids, (uint64_t)id >> 2);
  wt__gauge_add(&conn->gauge, ids_size(ids));
  return error;
}

void wt__reset_at_recv_data(struct wt__conn *conn, int64_t id, uint64_t offset, size_t len) {
  struct record *record = record_find(conn, id);
  if (!record) return;
  record->delivered = offset + len;
  if (record->kept && len) record_settle(conn, record);
}

bool wt__reset_at_recv_fin(struct wt__conn *conn, int64_t id, uint64_t *code, uint64_t *final_size) {
  struct record *record = record_find(conn, id);
  if (!record || !record->kept || record->final_size != record->delivered) return false;
  *code = record->code;
  *final_size = record->final_size;
  record->reset = true;
  record_let_go(conn, record);
  return true;
}

void wt__reset_at_recv_stopped(struct wt__conn *conn, int64_t id) {
  struct record *record = record_find(conn, id);
  if (!record) return;
  record->stopped = true;
  if (record->kept) record_settle(conn, record);
  record_settle_final(conn, record);
}

uint64_t wt__reset_at_recv_reset(struct wt__conn *conn, int64_t id, uint64_t code, uint64_t final_size) {
  struct record *record = record_find(conn, id);
  if (!record) return 0;
  uint64_t reliable_size = record->reliable_size;
  record->reset = true;
  record->code = code;
  record->final_size = final_size;
  if (record->kept) record_let_go(conn, record);
  return reliable_size;
}

void wt__reset_at_recv_closed(struct wt__conn *conn, int64_t id) {
  struct record *record = wt__map_remove(&conn->reset_in.streams, (uint64_t)id);
  if (record) record_end(conn, record);
  if (!is_ours(conn, id)) conn->reset_in.max_streams[is_uni(id)]++;
}

/* --- Giving resets to ngtcp2 --- */

static size_t write_number(uint8_t *dst, uint64_t number) {
  for (int i = 0; i < 4; i++) dst[i] = (uint8_t)(number >> (24 - 8 * i));
  return 4;
}

/* The resets that are due, as many as fit, as a packet in the clear. */
static size_t inject_write(struct wt__reset_at_recv *in, uint8_t *packet) {
  size_t len = 0;
  packet[len++] = (uint8_t)(0x40 | (in->first_byte & KEY_PHASE) | 3);
  memcpy(packet + len, in->dcid.data, in->dcid.datalen);
  len += in->dcid.datalen;
  len += write_number(packet + len, in->packet_number + NUMBER_AHEAD);
  WT__LIST_FOREACH(link, next, &in->ready) {
    struct record *record = record_of(link);
    record->injected = len + FRAMES_MAX + 1 + TAG_LEN <= PACKET_ROOM;
    if (!record->injected) continue; /* nor does any that follows fit */
    if (!record->open && is_uni(record->id)) {
      packet[len++] = WT__FRAME_STREAM | 0x02; /* with a length, which is 0 */
      len += wt__varint_write(packet + len, (uint64_t)record->id);
      packet[len++] = 0;
    }
    struct wt__quic_frame frame = {.type = WT__FRAME_RESET_STREAM,
                                   .id = (uint64_t)record->id,
                                   .code = record->code,
                                   .final_size = record->final_size};
    len += wt__quic_frame_write_reset(packet + len, &frame);
  }
  packet[len++] = UNKNOWN_FRAME;
  memset(packet + len, 0, TAG_LEN);
  return len + TAG_LEN;
}

static int inject_read(struct wt__conn *conn, const uint8_t *packet, size_t len) {
  ngtcp2_path path = *ngtcp2_conn_get_path(conn->quic);
  ngtcp2_pkt_info info = {0};
  conn->reset_in.injecting = true;
  wt__conn_set_current(conn);
  int error = ngtcp2_conn_read_pkt(conn->quic, &path, &info, packet, len, conn->endpoint->now);
  wt__conn_set_current(NULL);
  conn->reset_in.injecting = false;
  return error;
}

/* Those that ngtcp2 took note of were let go by its callbacks. A reset that it ignored, since the stream was
 * reset or closed already, has no further use. */
static void inject_sweep(struct wt__conn *conn) {
  struct wt__link *link;
  while ((link = wt__list_first(&conn->reset_in.ready)) && record_of(link)->injected)
    record_let_go(conn, record_of(link));
}

int wt__reset_at_recv_inject(struct wt__conn *conn) {
  struct wt__reset_at_recv *in = &conn->reset_in;
  uint8_t packet[PACKET_ROOM];
  while (!wt__list_empty(&in->ready) && in->has_header && ngtcp2_conn_get_handshake_completed(conn->quic)) {
    size_t len = inject_write(in, packet);
    int error = inject_read(conn, packet, len);
    if (!error) { /* not opened: keys have changed since the newest packet */
      packet[0] ^= KEY_PHASE;
      error = inject_read(conn, packet, len);
    }
    if (error && error != NGTCP2_ERR_FRAME_ENCODING) return error;
    if (!error) break; /* its connection id was retired: the next packet brings another one */
    inject_sweep(conn);
  }
  return 0;
}

/* --- Time --- */

/* A peer that may be silent for longer without being given up may also take longer to repeat lost bytes. */
static uint64_t kept_timeout(const struct wt__conn *conn) {
  uint64_t idle = wt__conn_idle_timeout(conn), least = WT__RESET_AT_TIMEOUT_MS * WT__NS_PER_MS;
  return idle != UINT64_MAX && idle > least ? idle : least;
}

uint64_t wt__reset_at_recv_expiry(const struct wt__conn *conn) {
  struct wt__link *first = wt__list_first(&conn->reset_in.kept);
  return first ? record_of(first)->since + kept_timeout(conn) : UINT64_MAX;
}

int wt__reset_at_recv_expire(const struct wt__conn *conn) {
  return wt__reset_at_recv_expiry(conn) <= conn->endpoint->now ? NGTCP2_ERR_PROTO : 0;
}
