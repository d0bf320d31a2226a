/* SPDX-License-Identifier: MIT */
/*
 * The answer to a request: status, fields, body.
 *
 * nghttp3 copies the header section at once. The body waits in the request's send queue. `wt__answer_read` gives nghttp3
 * bytes of it when QUIC has room, and they stay in the queue until the client has acknowledged them, because neither nghttp3
 * nor QUIC copies them.
 *
 * A file is read into the queue piece by piece at that moment, and only as far as the client's flow control lets us send.
 * So a client that asks for many files and takes none costs no memory for their bytes.
 *
 * interim.c decides when there is an interim answer. Here it is only sent: it is a header section without a body.
 */

#include "h3/answer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/usdt.h"
#include "h3/body.h"
#include "h3/conn_state.h"
#include "h3/fields.h"
#include "h3/file_body.h"
#include "h3/header_check.h"
#include "h3/http.h"
#include "h3/interim.h"
#include "h3/request.h"
#include "h3/stalls.h"
#include "wire/error_code.h"
#include "wire/field.h"

#define FILE_PIECE (64 * 1024)
#define FILE_PIECE_SMALL (4 * 1024) /* for each, where FILES_UNSENT bytes of a connection's files are not sent yet */
#define FILES_UNSENT (256 * 1024)
#define NV_ON_STACK 24
#define DECIMAL_MAX 24

/* --- The header section --- */

static int headers_check(wt_request *request, const struct wt_header *headers, size_t count, bool has_length) {
  if (count > 0 && !headers) return wt__request_error(request, WT_ERR_INVALID, "the header fields are missing");
  for (size_t i = 0; i < count; i++) {
    if (!wt__header_valid(&headers[i]) || (has_length && strcmp(headers[i].name, "content-length") == 0)) {
      return wt__request_error(request, WT_ERR_INVALID, "a header field is not allowed in an answer");
    }
  }
  return 0;
}

static int status_check(wt_request *request, int status) {
  if (status < 200 || status > 599) {
    return wt__request_error(request, WT_ERR_INVALID, "the status of an answer is from 200 to 599");
  }
  if (request->is_webtransport && status < 300) {
    return wt__request_error(request, WT_ERR_INVALID, "a session is accepted with wt_upgrade, not with a 2xx answer");
  }
  return 0;
}

int wt__answer_check(wt_request *request) {
  if (!request) return WT_ERR_INVALID;
  if (request->conn->closing || request->ended != WT__REQUEST_OPEN) {
    return wt__request_error(request, WT_ERR_CLOSED, "the client or the connection is gone");
  }
  if (request->answered) return wt__request_error(request, WT_ERR_STATE, "the request has been answered already");
  return 0;
}

enum head_kind {
  HEAD_INTERIM,  /* a 1xx */
  HEAD_ALONE,    /* ends the stream */
  HEAD_WITH_BODY /* a body follows */
};

/* Gives the fields to nghttp3, which copies them. A failure for want of memory leaves it half done, and ends
 * the connection. */
static int submit_fields(wt_request *request, const nghttp3_nv *nv, size_t count, enum head_kind kind) {
  struct wt__h3_conn *conn = request->conn;
  if (!wt__h3_peer_takes(conn, nv, count)) {
    return wt__request_error(request, WT_ERR_TOO_LARGE,
                             "the header fields are larger than the client's SETTINGS allow");
  }
  int error = kind == HEAD_INTERIM
                  ? nghttp3_conn_submit_info(wt__h3_http(conn), request->id, nv, count)
                  : nghttp3_conn_submit_response(wt__h3_http(conn), request->id, nv, count,
                                                 kind == HEAD_WITH_BODY ? &wt__http_body_reader : NULL);
  if (error == NGHTTP3_ERR_STREAM_NOT_FOUND) return wt__request_error(request, WT_ERR_CLOSED, "the client is gone");
  if (error) {
    wt__h3_fail_http(conn, error);
    return wt__request_error(request, WT_ERR_NOMEM, "out of memory");
  }
  return 0;
}

static int head_submit(wt_request *request, int status, const struct wt_header *headers, size_t header_count,
                       const uint64_t *length, enum head_kind kind) {
  nghttp3_nv on_stack[NV_ON_STACK], *nv = on_stack;
  char status_text[DECIMAL_MAX], length_text[DECIMAL_MAX];
  size_t count = 0;
  int error = headers_check(request, headers, header_count, length != NULL || kind == HEAD_INTERIM);
  if (error) return error;
  if (header_count + 2 > NV_ON_STACK && !(nv = wt__calloc(header_count + 2, sizeof(*nv)))) {
    return wt__request_error(request, WT_ERR_NOMEM, "out of memory");
  }
  snprintf(status_text, sizeof(status_text), "%d", status);
  nv[count++] = wt__fields_nv(":status", status_text);
  if (length) {
    snprintf(length_text, sizeof(length_text), "%llu", (unsigned long long)*length);
    nv[count++] = wt__fields_nv("content-length", length_text);
  }
  for (size_t i = 0; i < header_count; i++) nv[count++] = wt__fields_nv(headers[i].name, headers[i].value);
  error = submit_fields(request, nv, count, kind);
  if (nv != on_stack) wt__free(nv);
  return error;
}

int wt__answer_inform(wt_request *request, int status, const struct wt_header *headers, size_t header_count) {
  return head_submit(request, status, headers, header_count, NULL, HEAD_INTERIM);
}

int wt__answer_submit(wt_request *request, int status, const struct wt_header *headers, size_t header_count,
                      const uint64_t *length, bool with_body) {
  int error = head_submit(request, status, headers, header_count, length, with_body ? HEAD_WITH_BODY : HEAD_ALONE);
  if (error) return error;
  request->answered = true;
  request->status = (uint16_t)status;
  if (request->conn->config->mux.measures) wt__measures_answer(request->conn->config->mux.measures, status);
  if (request->is_webtransport) wt__request_set_due(request); /* it is measured then */
  wt__stalls_watch_answer(request);
  if (request->is_webtransport && status >= 300) {
    WT__USDT(session_refuse, request->conn, request->id, request->path, status);
    wt__mux_session_refused(&request->conn->mux, request->id);
  }
  wt__h3_wake(request->conn);
  return 0;
}

/* --- Whole answers --- */

static bool status_has_body(int status) { return status != 204 && status != 304; }

int wt_request_respond(wt_request *request, int status, const struct wt_header *headers, size_t header_count,
                       const void *body, size_t len) {
  const uint64_t length = len;
  int error = wt__answer_check(request);
  if (!error) error = status_check(request, status);
  if (error) return error;
  bool with_body = len > 0 && !request->is_head && status_has_body(status);
  if (len > 0 && !body) return wt__request_error(request, WT_ERR_INVALID, "the body is missing");
  if (with_body && wt__body_out_put(&request->out, body, len, &request->conn->released) != 0) {
    return wt__request_error(request, WT_ERR_NOMEM, "out of memory");
  }
  request->out.queue.fin = true;
  error =
      wt__answer_submit(request, status, headers, header_count, status_has_body(status) ? &length : NULL, with_body);
  if (error) {
    wt__sendq_drop(&request->out.queue, &request->conn->released);
    wt__sendq_reset(&request->out.queue);
    return error;
  }
  request->out.ended = true;
  wt__request_refuse_body(request);
  return 0;
}

static const char *status_text(int status) {
  switch (status) {
    case 301: return "Moved Permanently";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 412: return "Precondition Failed";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

int wt__answer_status(wt_request *request, int status, const struct wt_header *headers, size_t header_count) {
  struct wt_header all[8] = {{"content-type", "text/plain; charset=utf-8"}};
  char body[64];
  int len = snprintf(body, sizeof(body), "%d %s\n", status, status_text(status));
  size_t count = 1;
  for (size_t i = 0; i < header_count && count < sizeof(all) / sizeof(all[0]); i++) all[count++] = headers[i];
  return wt_request_respond(request, status, all, count, body, (size_t)len);
}

/* --- Answers in pieces --- */

int wt_request_begin(wt_request *request, int status, const struct wt_header *headers, size_t header_count) {
  int error = wt__answer_check(request);
  if (error) return error;
  bool no_body = request->is_head || !status_has_body(status);
  error = status_check(request, status);
  if (!error) error = headers_check(request, headers, header_count, false);
  if (!error) wt__interim_continue(request);
  if (!error) error = wt__answer_submit(request, status, headers, header_count, NULL, !no_body);
  if (!error) request->no_body = no_body;
  return error;
}

static int answer_check_begun(wt_request *request) {
  if (!request) return WT_ERR_INVALID;
  if (request->conn->closing || request->ended != WT__REQUEST_OPEN) {
    return wt__request_error(request, WT_ERR_CLOSED, "the client or the connection is gone");
  }
  if (!request->answered || request->out.ended) {
    return wt__request_error(request, WT_ERR_STATE, "the answer has not begun, or has ended");
  }
  return 0;
}

int wt_request_write(wt_request *request, const void *data, size_t len, size_t *written) {
  size_t taken = 0;
  int error = answer_check_begun(request);
  if (written) *written = 0;
  if (error) return error;
  if (request->no_body) {
    taken = len;
  } else if (len > 0) {
    if (!data) return wt__request_error(request, WT_ERR_INVALID, "the data is missing");
    error = wt__sendq_append(&request->out.queue, data, len, false, &taken);
    if (error) return wt__request_error(request, error, "out of memory");
    wt__stalls_watch_answer(request);
    wt__http_resume(request->conn, request->id);
  }
  if (written) *written = taken;
  return 0;
}

size_t wt_request_writable(wt_request *request) {
  if (!request) return 0;
  bool open = !request->conn->closing && request->ended == WT__REQUEST_OPEN && request->answered && !request->out.ended;
  return open ? wt__sendq_ask_room(&request->out.queue) : 0;
}

int wt_request_write_owned(wt_request *request, const void *data, size_t len, wt_release_callback release,
                           void *user_data) {
  int error = answer_check_begun(request);
  if (error) return error;
  struct wt__sendq *queue = &request->out.queue;
  if (!data || len == 0 || !release) {
    return wt__request_error(request, WT_ERR_INVALID, "the data or the release function is missing");
  }
  error = wt__sendq_append_owned(queue, data, len, release, user_data);
  if (error) {
    return wt__request_error(request, error, error == WT_ERR_AGAIN ? "the queue is full" : "out of memory");
  }
  if (request->no_body) {
    wt__sendq_drop(queue, &request->conn->released);
    wt__h3_wake(request->conn);
  } else {
    wt__stalls_watch_answer(request);
    wt__http_resume(request->conn, request->id);
  }
  return 0;
}

int wt_request_end(wt_request *request) {
  int error = answer_check_begun(request);
  if (error) return error;
  request->out.ended = true;
  request->out.queue.fin = true;
  wt__stalls_watch_answer(request);
  if (!request->no_body) wt__http_resume(request->conn, request->id);
  /* Nobody would ever read the rest, and the stream would stay open for it. */
  if (!request->callbacks.on_body) wt__request_refuse_body(request);
  return 0;
}

/* --- Feeding nghttp3 --- */

void wt__answer_set_file(wt_request *request, struct wt__file_body *file) {
  request->file = file;
  request->out.ended = true;
}

/* How much of the file may be read now: no more than the peer lets us send, and less if much that was read is not sent
 * yet. 0: nothing; whoever makes room resumes the stream. */
static size_t file_room(wt_request *request) {
  struct wt__h3_conn *conn = request->conn;
  size_t most = conn->unsent < FILES_UNSENT ? FILE_PIECE : FILE_PIECE_SMALL, room = wt__sendq_room(&request->out.queue);
  uint64_t window = wt__h3_stream_room(conn, request->id), of_all = wt__h3_stream_room(conn, -1);
  if (of_all == 0 && !wt__link_linked(&request->blocked)) wt__list_push_back(&conn->blocked_files, &request->blocked);
  if (of_all < window) window = of_all;
  if (room < most) most = room;
  return window < most ? (size_t)window : most;
}

static void file_fail(wt_request *request, int os_error) {
  struct wt__h3_conn *conn = request->conn;
  wt__open_files_log(request, os_error, "the answer is reset");
  /* Not here: nghttp3 is about to hand out bytes that were queued before. */
  request->fail_pending = true;
  wt__request_set_due(request);
  wt__h3_wake(conn);
}

/* Reads one more piece of the file, if some of it can be sent. */
static void file_fill(wt_request *request) {
  struct wt__sendq *queue = &request->out.queue;
  uint64_t left = wt__file_body_left(request->file);
  size_t room = file_room(request);
  uint8_t *piece;
  ssize_t n;
  if (room == 0) return;
  if (left < room) room = (size_t)left;
  piece = wt__sendq_prepare(queue, room);
  n = piece ? wt__file_body_read(request->file, piece, room) : -1;
  if (n < 0) {
    file_fail(request, piece ? errno : ENOMEM);
    if (piece) wt__sendq_commit(queue, piece, 0);
    return;
  }
  wt__sendq_commit(queue, piece, (size_t)n);
  request->unsent += (uint64_t)n;
  request->conn->unsent += (uint64_t)n;
  if (wt__file_body_left(request->file) > 0) return;
  wt__file_body_free(request->file);
  request->file = NULL;
  queue->fin = true;
}

void wt__answers_resume_files(struct wt__h3_conn *conn) {
  struct wt__link *first;
  if (wt__h3_stream_room(conn, -1) == 0) return;
  while ((first = wt__list_first(&conn->blocked_files))) {
    wt__list_remove(first);
    wt__http_resume(conn, WT__CONTAINER_OF(first, struct wt_request, blocked)->id);
  }
}

nghttp3_ssize wt__answer_read(wt_request *request, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags) {
  if (request->ended == WT__REQUEST_ABORTED || request->fail_pending) return NGHTTP3_ERR_WOULDBLOCK;
  if (request->file) file_fill(request);
  nghttp3_ssize count = wt__body_read(&request->out.queue, vecs, max_vecs, flags);
  for (nghttp3_ssize i = 0; i < count; i++) request->body_sent += vecs[i].len;
  return count;
}

void wt__answer_acked(wt_request *request, uint64_t len) {
  if (request->ended == WT__REQUEST_ABORTED) return;
  if (wt__body_out_acked(&request->out, len, &request->conn->released)) wt__request_set_due(request);
  if (request->file) wt__http_resume(request->conn, request->id);
}
