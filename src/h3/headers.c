/* SPDX-License-Identifier: MIT */
/*
 * The frames of a message, on the way of a request stream's bytes to nghttp3 (RFC 9114, sections 4.1 and 7.2).
 *
 *                      +-- other frames, and heads of frames ------------------------------> nghttp3
 *    request stream ---+
 *                      +-- a HEADERS frame's section, once it is whole --> wt__section_decode
 *                                                                            |
 *       fine: its fields go to the request, dial or exchange; the bytes then +-------------> nghttp3
 *       QPACK has to wait for inserts: it and all behind it are kept --------+
 *       malformed: the stream ends with H3_MESSAGE_ERROR --------------------+
 *       too large: a request is answered with 431, a response fails ---------+
 *
 * A session may be accepted with 204 (RFC 9110, section 9.3.6: any 2xx makes a tunnel), but nghttp3 allows no DATA after
 * that, whatever the method. So nghttp3 does not get the frames behind such an answer: the payload of DATA goes to the
 * session.
 *
 * Malformed is also a content that is not as long as the message says. nghttp3 would end the connection for that, and with
 * it sessions that have done nothing, so the lengths of DATA frames are added up here.
 *
 * After a section or a content was refused, nghttp3 gets nothing more of the stream; what still comes is dropped.
 *
 * Costs: a section that arrives in one packet is not copied. Others are kept, up to `max_header_bytes`. A frame that
 * announces more is refused at once: an encoder never needs more bytes for a field than we count for it. Kept bytes of a
 * section count as read, because a small window of the stream could otherwise keep the rest out. Bytes behind a section that
 * waits for QPACK do not count as read, so that the stream's window bounds them.
 *
 * Each section that is refused has cost us a decoding. A peer that sends them faster than a limit allows loses its
 * connection.
 */

#include "h3/headers.h"

#include <string.h>

#include "base/mem.h"
#include "h3/conn_state.h"
#include "h3/fields.h"
#include "h3/frames.h"
#include "h3/http.h"
#include "h3/message_form.h"
#include "h3/role.h"
#include "h3/section.h"
#include "h3/stalls.h"
#include "h3/streams.h"
#include "wire/error_code.h"

#define FRAME_DATA 0x00
#define FRAME_HEADERS 0x01
#define FRAME_KNOWN_MAX 0x0d /* of RFC 9114; those beyond are extensions */

/* --- What is kept --- */

static struct wt__headers_held *held_of(struct wt__h3_conn *conn, struct wt__h3_stream *record) {
  struct wt__headers_held *held = record->held;
  if (held) return held;
  held = wt__calloc(1, sizeof(*held));
  if (!held) return NULL;
  held->record = record;
  wt__link_init(&held->link);
  wt__buf_init(&held->section, conn->config->max_header_bytes);
  wt__buf_init(&held->behind, (size_t)conn->config->max_stream_data);
  held->section.gauge = held->behind.gauge = conn->mux.gauge;
  wt__gauge_add(conn->mux.gauge, sizeof(*held));
  record->held = held;
  return held;
}

void wt__headers_drop(struct wt__h3_conn *conn, struct wt__h3_stream *record) {
  struct wt__headers_held *held = record->held;
  if (!held) return;
  record->held = NULL;
  if (wt__link_linked(&held->link)) conn->blocked_section_count--;
  wt__list_remove(&held->link);
  if (held->behind.len > 0 && !conn->closing) conn->transport->consume(conn->ctx, record->id, held->behind.len);
  wt__buf_free(&held->section);
  wt__buf_free(&held->behind);
  wt__gauge_remove(conn->mux.gauge, sizeof(*held));
  wt__free(held);
}

/* --- Messages that cannot be used --- */

static bool peer_is_tolerated(struct wt__h3_conn *conn) {
  if (wt__rate_take(&conn->bad_section_rate, conn->now)) return true;
  WT__WARN_LIMITED(conn->config->log, wt__h3_log_limit(conn), conn->now,
                   WT__EVENT_OF("connection_abusive", WT__H3_CONNECTION(conn), WT__TEXT("reason", "header sections")),
                   "the connection from %s is closed: it keeps sending messages that are too large or malformed",
                   conn->peer_address);
  wt__h3_fail(conn, WT__H3_EXCESSIVE_LOAD, "too many messages that are too large or malformed");
  return false;
}

/* nghttp3 gets nothing more of the stream. */
static void message_refuse(struct wt__h3_conn *conn, struct wt__h3_stream *record, enum wt__section_result result) {
  record->reading = WT__H3_DISCARD;
  wt__headers_drop(conn, record);
  if (result == WT__SECTION_NO_MEMORY) {
    record->role->unreadable(record, WT_ERR_NOMEM);
  } else if (peer_is_tolerated(conn)) {
    if (result == WT__SECTION_MALFORMED) {
      record->role->malformed(record, WT__H3_MESSAGE_ERROR);
    } else {
      record->role->unreadable(record, WT_ERR_TOO_LARGE);
    }
  }
}

/* --- Sections --- */

/* The header section, one of an interim response before it, or trailers. */
static bool section_form_valid(const struct wt__h3_conn *conn, struct wt__h3_stream *record,
                               const struct wt__fields *fields) {
  struct wt__message_form form;
  if (record->message_begun) return wt__trailer_form(fields);
  bool valid = conn->client ? wt__response_form(fields, record->response_to, &form) : wt__request_form(fields, &form);
  if (!valid) return false;
  record->message_begun = !conn->client || form.status >= 200;
  record->content_left = form.content_length;
  return true;
}

static enum wt__section_result section_check(struct wt__h3_conn *conn, struct wt__h3_stream *record,
                                             const uint8_t *data, size_t len) {
  struct wt__fields *fields = record->message_begun ? NULL : record->role->fields(record), unused;
  enum wt__section_result result;
  int error;
  wt__fields_init(&unused, conn->config->max_header_bytes);
  if (!fields) fields = &unused;
  result = wt__section_decode(&conn->sections, data, len, fields, &error);
  if (result == WT__SECTION_DONE && !section_form_valid(conn, record, fields)) result = WT__SECTION_MALFORMED;
  wt__fields_free(&unused);
  if (result == WT__SECTION_BROKEN) wt__h3_fail_http(conn, error);
  return result;
}

static void stream_pass(struct wt__h3_conn *conn, const struct wt__h3_stream *record, const uint8_t *data, size_t len,
                        bool fin) {
  if ((len > 0 || fin) && !conn->closing) wt__http_recv(conn, record->id, data, len, fin);
}

/* The section was kept, and so has been counted as read. */
static void section_pass_held(struct wt__h3_conn *conn, struct wt__h3_stream *record) {
  struct wt__buf section = wt__buf_move(&record->held->section);
  wt__http_recv_counted(conn, record->id, wt__buf_head(&section), section.len);
  wt__buf_free(&section);
}

/* QPACK has to wait; `data` is the section, or NULL if it is kept already. */
static void section_block(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len) {
  struct wt__headers_held *held = held_of(conn, record);
  if (conn->blocked_section_count >= WT__QPACK_BLOCKED_STREAMS) {
    wt__h3_fail(conn, WT__QPACK_DECOMPRESSION_FAILED, "more streams wait for QPACK than our SETTINGS allow");
  } else if (!held || (data && wt__buf_append(&held->section, data, len) != 0)) {
    message_refuse(conn, record, WT__SECTION_NO_MEMORY);
  } else {
    wt__list_push_back(&conn->blocked_sections, &held->link);
    conn->blocked_section_count++;
  }
}

/* nghttp3 may not have the section now: keep or refuse it. It is in `data`, or already kept if that is NULL. */
static void section_withhold(struct wt__h3_conn *conn, struct wt__h3_stream *record, enum wt__section_result result,
                             const uint8_t *data, size_t len) {
  if (conn->closing) return;
  if (result == WT__SECTION_BLOCKED) {
    section_block(conn, record, data, len);
  } else {
    message_refuse(conn, record, result);
  }
}

/* The section that is kept is whole. True: nghttp3 has it. */
static bool section_release(struct wt__h3_conn *conn, struct wt__h3_stream *record) {
  const struct wt__buf *section = &record->held->section;
  enum wt__section_result result = section_check(conn, record, wt__buf_head(section), section->len);
  if (result != WT__SECTION_DONE) {
    section_withhold(conn, record, result, NULL, 0);
    return false;
  }
  section_pass_held(conn, record);
  return true;
}

/* --- A stream --- */

/* Bytes behind a section that waits or was refused. */
static void stream_recv_behind(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len,
                               bool fin) {
  if (record->reading == WT__H3_DISCARD) {
    if (len > 0) conn->transport->consume(conn->ctx, record->id, len);
    if (fin) record->role->recv_fin(record);
    return;
  }
  record->held->fin = fin;
  if (len > 0 && wt__buf_append(&record->held->behind, data, len) != 0) {
    conn->transport->consume(conn->ctx, record->id, len);
    message_refuse(conn, record, WT__SECTION_NO_MEMORY);
  }
}

static bool stream_waits(const struct wt__h3_stream *record) {
  return record->reading == WT__H3_DISCARD || (record->held && wt__link_linked(&record->held->link));
}

/* A part of a section, or all of one that cannot go on at once. It counts as read. */
static void section_keep(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len) {
  struct wt__headers_held *held = held_of(conn, record);
  if (!held || wt__buf_append(&held->section, data, len) != 0) {
    message_refuse(conn, record, WT__SECTION_NO_MEMORY);
  } else if (record->frames.left == 0 && section_release(conn, record)) {
    wt__headers_drop(conn, record);
  }
}

/* The bytes of a chunk, and how many of them are settled: nghttp3 has them, or must not have them. */
struct chunk {
  const uint8_t *data;
  size_t len, at, settled;
};

static void chunk_pass(struct wt__h3_conn *conn, const struct wt__h3_stream *record, struct chunk *chunk) {
  stream_pass(conn, record, chunk->data + chunk->settled, chunk->at - chunk->settled, false);
  chunk->settled = chunk->at;
}

/* nghttp3 gets what is before it, since it has to know a stream before it can answer on it. */
static void chunk_refuse(struct wt__h3_conn *conn, struct wt__h3_stream *record, struct chunk *chunk,
                         enum wt__section_result result) {
  chunk_pass(conn, record, chunk);
  if (!conn->closing) message_refuse(conn, record, result);
}

/* Content before a header section is left to nghttp3: it is a fault of the connection (RFC 9114, section 4.1). */
static void data_begun(struct wt__h3_conn *conn, struct wt__h3_stream *record, struct chunk *chunk) {
  if (!record->message_begun || record->content_left < 0) return;
  if (record->frames.left > (uint64_t)record->content_left) {
    chunk_refuse(conn, record, chunk, WT__SECTION_MALFORMED);
  } else {
    record->content_left -= (int64_t)record->frames.left;
  }
}

/* A frame's head is whole, and ends at `chunk->at`. */
static void frame_begun(struct wt__h3_conn *conn, struct wt__h3_stream *record, struct chunk *chunk, uint64_t type) {
  record->frame = type == FRAME_HEADERS ? WT__H3_FRAME_HEADERS : WT__H3_FRAME_OTHER;
  if (type == WT__SIGNAL_BIDI) {
    wt__h3_fail(conn, WT__H3_FRAME_ERROR, "a WT_STREAM signal in the middle of an HTTP/3 stream");
  } else if (type == FRAME_DATA) {
    data_begun(conn, record, chunk);
  } else if (type == FRAME_HEADERS && record->frames.left == 0 && !record->message_begun) {
    conn->transport->consume(conn->ctx, record->id, chunk->at - chunk->settled); /* not for nghttp3 */
    chunk->settled = chunk->at;
    message_refuse(conn, record, WT__SECTION_MALFORMED);
  } else if (type == FRAME_HEADERS && record->frames.left > conn->config->max_header_bytes) {
    chunk_refuse(conn, record, chunk, WT__SECTION_TOO_LARGE);
  }
}

/* `len` bytes of a section, at `chunk->at`. */
static void section_recv(struct wt__h3_conn *conn, struct wt__h3_stream *record, struct chunk *chunk, size_t len) {
  const uint8_t *data = chunk->data + chunk->at;
  bool whole = !record->held && record->frames.left == 0;
  enum wt__section_result result = WT__SECTION_DONE;
  if (whole) {
    result = section_check(conn, record, data, len);
    if (result == WT__SECTION_DONE) {
      /* A request goes to nghttp3 together with what is around it. But behind one of a response may be the next response's,
       * or a tunnel. */
      chunk->at += len;
      if (conn->client) chunk_pass(conn, record, chunk);
      return;
    }
  }
  chunk_pass(conn, record, chunk);
  chunk->at += len;
  chunk->settled = chunk->at;
  if (conn->closing) return;
  conn->transport->consume(conn->ctx, record->id, len);
  if (whole) {
    section_withhold(conn, record, result, data, len);
  } else {
    section_keep(conn, record, data, len);
  }
}

/* --- A tunnel --- */

static void tunnel_begun(struct wt__h3_conn *conn, struct wt__h3_stream *record, uint64_t type) {
  record->frame = type == FRAME_DATA ? WT__H3_FRAME_DATA : WT__H3_FRAME_OTHER;
  if (type == WT__SIGNAL_BIDI) {
    wt__h3_fail(conn, WT__H3_FRAME_ERROR, "a WT_STREAM signal in the middle of an HTTP/3 stream");
  } else if (type != FRAME_DATA && type <= FRAME_KNOWN_MAX) { /* RFC 9114, section 4.4 */
    wt__h3_fail(conn, WT__H3_FRAME_UNEXPECTED, "another frame than DATA on the stream of a session");
  }
}

static void tunnel_step(struct wt__h3_conn *conn, struct wt__h3_stream *record, struct chunk *chunk) {
  const uint8_t *data = chunk->data + chunk->at;
  uint64_t type = 0;
  size_t n;
  enum wt__frames_step step = wt__frames_step(&record->frames, data, chunk->len - chunk->at, &n, &type);
  chunk->at += n;
  chunk->settled = chunk->at;
  if (step == WT__FRAMES_PAYLOAD && record->frame == WT__H3_FRAME_DATA) {
    record->role->recv(record, data, n);
    return;
  }
  conn->transport->consume(conn->ctx, record->id, n);
  if (step == WT__FRAMES_BEGUN) tunnel_begun(conn, record, type);
}

/* --- Chunks --- */

static void stream_step(struct wt__h3_conn *conn, struct wt__h3_stream *record, struct chunk *chunk) {
  uint64_t type = 0;
  size_t n;
  enum wt__frames_step step =
      wt__frames_step(&record->frames, chunk->data + chunk->at, chunk->len - chunk->at, &n, &type);
  if (step == WT__FRAMES_PAYLOAD && record->frame == WT__H3_FRAME_HEADERS) {
    section_recv(conn, record, chunk, n);
    return;
  }
  chunk->at += n;
  if (step == WT__FRAMES_BEGUN) frame_begun(conn, record, chunk, type);
}

/* The stream ends, though more of the message is due. An end inside a frame is a fault of the connection, which nghttp3
 * finds. */
static void stream_end_early(struct wt__h3_conn *conn, struct wt__h3_stream *record, struct chunk *chunk) {
  if (!wt__frames_between(&record->frames)) return;
  if (record->message_begun && record->content_left > 0) {
    chunk_refuse(conn, record, chunk, WT__SECTION_MALFORMED);
  } else if (!record->message_begun && conn->client) { /* its owner has words for that */
    chunk_pass(conn, record, chunk);
    record->reading = WT__H3_DISCARD;
  }
}

void wt__headers_recv(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len,
                      bool fin) {
  struct chunk chunk = {.data = data, .len = len};
  while (chunk.at < len && !conn->closing && !stream_waits(record)) {
    if (record->reading == WT__H3_TUNNEL) {
      tunnel_step(conn, record, &chunk);
    } else {
      stream_step(conn, record, &chunk);
    }
  }
  if (fin && record->reading == WT__H3_TUNNEL && record->frames.left > 0) {
    wt__h3_fail(conn, WT__H3_FRAME_ERROR, "the stream of a session ends inside a frame");
  } else if (fin && record->reading != WT__H3_TUNNEL && !stream_waits(record)) {
    stream_end_early(conn, record, &chunk);
  }
  if (conn->closing) return;
  if (chunk.settled > 0) data += chunk.settled; /* without bytes there may be no `data` */
  len -= chunk.settled;
  if (stream_waits(record)) {
    stream_recv_behind(conn, record, data, len, fin);
  } else {
    stream_pass(conn, record, data, len, fin);
  }
}

/* --- The encoder stream --- */

static void stream_unblock(struct wt__h3_conn *conn, struct wt__h3_stream *record) {
  struct wt__headers_held *held = record->held;
  wt__list_remove(&held->link);
  conn->blocked_section_count--;
  if (!section_release(conn, record) || conn->closing || !record->held) return;
  struct wt__buf behind = wt__buf_move(&held->behind);
  bool fin = held->fin;
  wt__headers_drop(conn, record);
  wt__headers_recv(conn, record, wt__buf_head(&behind), behind.len, fin);
  wt__buf_free(&behind);
}

/* Sections that have to wait again go to the end of the list. */
static void sections_unblock(struct wt__h3_conn *conn) {
  for (size_t left = conn->blocked_section_count; left > 0 && !conn->closing; left--) {
    struct wt__link *first = wt__list_first(&conn->blocked_sections);
    if (!first) return;
    stream_unblock(conn, WT__CONTAINER_OF(first, struct wt__headers_held, link)->record);
  }
}

void wt__headers_recv_encoder(struct wt__h3_conn *conn, struct wt__h3_stream *record, const uint8_t *data, size_t len,
                              bool fin) {
  size_t skip = record->frames.left < len ? (size_t)record->frames.left : len; /* of the stream's type */
  int error = 0;
  record->frames.left -= skip;
  if (len > skip) error = wt__sections_recv_encoder(&conn->sections, data + skip, len - skip);
  wt__http_recv(conn, record->id, data, len, fin);
  if (conn->closing) return;
  if (error) {
    wt__h3_fail_http(conn, error); /* nghttp3 should have seen the same */
    return;
  }
  sections_unblock(conn);
}
