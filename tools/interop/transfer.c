/* SPDX-License-Identifier: MIT */
/*
 * The protocol of the runner's WebTransport cases, the same for both roles:
 *
 *   request                                 answer
 *   bidirectional stream, "GET f" FIN       on the same stream, the bytes of f, FIN
 *   unidirectional stream, "GET f" FIN      a new unidirectional stream, "PUSH f\n" and the bytes, FIN
 *   datagram "GET f"                        a datagram "PUSH f\n" and the bytes
 *
 * Streams go out all at once, or as soon as the peer allows another one. Datagrams do not: the runner's link drops
 * what its queue of 25 packets cannot hold, and nobody sends a datagram again but who asked for it. So each tick
 * sends one at most, whichever side it is for, and a request whose answer has not come is made again.
 */
#include "transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

enum {
  ASK_AGAIN_MS = 500, /* a round trip over a full queue takes 60 */
  REQUEST_MAX = 512,  /* of a GET or the first line of a PUSH */
  REFUSED_CODE = 1,
  PUSHES_MAX = 1024, /* answers that wait for their ticks, two seconds of them */
};

/* Bytes that wait for a stream to go out on. */
struct send {
  struct send *next;
  uint8_t *data;
  size_t len;
  struct wanted *wanted; /* what the answer on the same stream will be */
};

/* A datagram that waits for its tick. */
struct push {
  struct push *next;
  size_t len;
  uint8_t *data;
};

/* A stream that is read to its end. */
struct reader {
  struct transfer *transfer;
  struct wanted *wanted; /* the bytes are this file; NULL: they are a request or a push */
  uint8_t *data;
  size_t len, size;
  bool received;
};

/* --- Saving --- */

static void transfer_fail(struct transfer *transfer, const char *what, const char *why) {
  plan_fail(transfer->plan, "%s/%s: %s", transfer->name, what, why);
  transfer->on_change(transfer);
}

static void wanted_save(struct transfer *transfer, struct wanted *wanted, const uint8_t *data, size_t len) {
  if (wanted->saved) return; /* asked for twice */
  if (!file_save(transfer->plan->downloads, transfer->name, wanted->file, data, len)) {
    transfer_fail(transfer, wanted->file, strerror(errno));
    return;
  }
  wanted->saved = true;
  transfer->on_change(transfer);
}

/* The file that a PUSH means. Some peers name it without its folders. */
static struct wanted *wanted_find(const struct transfer *transfer, const char *name) {
  for (size_t i = 0; transfer->endpoint && i < transfer->endpoint->count; i++) {
    const char *file = transfer->endpoint->files[i].file, *base = strrchr(file, '/');
    if (strcmp(file, name) == 0 || (base && strcmp(base + 1, name) == 0)) return &transfer->endpoint->files[i];
  }
  return NULL;
}

/* Copies a name from the wire, without the white space that some write behind it. False: it is no name. */
static bool name_copy(char name[REQUEST_MAX], const uint8_t *data, size_t len) {
  while (len > 0 && data[len - 1] != 0 && strchr(" \t\r\n", data[len - 1])) len--;
  if (len == 0 || len >= REQUEST_MAX || memchr(data, 0, len)) return false;
  memcpy(name, data, len);
  name[len] = 0;
  return file_name_is_safe(name);
}

static bool has_prefix(const uint8_t *data, size_t len, const char *prefix) {
  return len >= strlen(prefix) && memcmp(data, prefix, strlen(prefix)) == 0;
}

/* Takes "PUSH name\n" and what follows; false if this is none. */
static bool push_received(struct transfer *transfer, const uint8_t *data, size_t len) {
  char name[REQUEST_MAX];
  if (!has_prefix(data, len, "PUSH ")) return false;
  const uint8_t *end = memchr(data, '\n', len < REQUEST_MAX ? len : REQUEST_MAX);
  struct wanted *wanted = NULL;
  if (end && name_copy(name, data + 5, (size_t)(end - data) - 5)) wanted = wanted_find(transfer, name);
  if (wanted)
    wanted_save(transfer, wanted, end + 1, len - (size_t)(end + 1 - data));
  else
    fprintf(stderr, "%s: a PUSH that was not asked for\n", transfer->name);
  return true;
}

/* --- Answering --- */

static void memory_free(const uint8_t *data, size_t len, void *user_data) {
  (void)len;
  (void)user_data;
  free((void *)(uintptr_t)data);
}

/* Sends all of `data`, which it takes, and ends the stream. */
static void stream_finish(struct transfer *transfer, wt_stream *stream, uint8_t *data, size_t len) {
  int error = len ? wt_stream_write_owned(stream, data, len, memory_free, NULL) : 0;
  if (error || len == 0) free(data);
  if (!error) error = wt_stream_end(stream);
  if (error) transfer_fail(transfer, "sending", wt_error_string(error));
}

static void stream_open(struct transfer *transfer, enum wt_stream_kind kind, uint8_t *data, size_t len,
                        struct wanted *wanted);

/* The file that a "GET name" asks for, behind "PUSH name\n" or `bare`; NULL, with a line on standard error. */
static uint8_t *request_read(struct transfer *transfer, const uint8_t *data, size_t len, bool bare,
                             size_t *answer_len) {
  char name[REQUEST_MAX], head[REQUEST_MAX + 8] = "";
  uint8_t *answer = NULL;
  if (!has_prefix(data, len, "GET ") || !name_copy(name, data + 4, len - 4)) {
    fprintf(stderr, "%s: neither GET nor PUSH, or no file's name\n", transfer->name);
    return NULL;
  }
  if (!bare) snprintf(head, sizeof head, "PUSH %s\n", name);
  answer = file_read(transfer->plan->www, transfer->name, name, head, answer_len);
  if (answer)
    transfer->answered++;
  else
    fprintf(stderr, "%s/%s: %s\n", transfer->name, name, strerror(errno));
  return answer;
}

static void push_queue(struct transfer *transfer, uint8_t *data, size_t len) {
  struct push *push = transfer->push_count < PUSHES_MAX ? malloc(sizeof *push) : NULL;
  if (!push) { /* as good as lost on the way: it will be asked for again */
    free(data);
    return;
  }
  transfer->push_count++;
  *push = (struct push){.data = data, .len = len};
  *transfer->pushes_end = push;
  transfer->pushes_end = &push->next;
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct transfer *transfer = user_data;
  size_t answer_len;
  (void)session;
  if (push_received(transfer, data, len)) return;
  uint8_t *answer = request_read(transfer, data, len, false, &answer_len);
  if (answer) push_queue(transfer, answer, answer_len);
}

/* --- Streams --- */

static void reader_done(struct reader *reader, wt_stream *stream) {
  struct transfer *transfer = reader->transfer;
  bool uni = wt_stream_kind(stream) == WT_UNIDIRECTIONAL;
  size_t len;
  reader->received = true;
  if (reader->wanted) {
    wanted_save(transfer, reader->wanted, reader->data, reader->len);
    return;
  }
  if (uni && push_received(transfer, reader->data, reader->len)) return;
  uint8_t *answer = request_read(transfer, reader->data, reader->len, !uni, &len);
  if (answer && uni)
    stream_open(transfer, WT_UNIDIRECTIONAL, answer, len, NULL);
  else if (answer)
    stream_finish(transfer, stream, answer, len);
  else if (!uni)
    wt_stream_reset(stream, REFUSED_CODE);
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct reader *reader = user_data;
  if (len > reader->size - reader->len) {
    size_t size = reader->size ? reader->size : 1024;
    while (size < reader->len + len) size *= 2;
    uint8_t *grown = size <= FILE_BYTES_MAX ? realloc(reader->data, size) : NULL;
    if (!grown) {
      wt_stream_stop_sending(stream, REFUSED_CODE);
      transfer_fail(reader->transfer, "receiving", "more than there is memory for");
      return;
    }
    reader->data = grown;
    reader->size = size;
  }
  if (len) memcpy(reader->data + reader->len, data, len);
  reader->len += len;
  if (fin) reader_done(reader, stream);
}

static void on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct reader *reader = user_data;
  (void)stream;
  if (!reader->received && reader->wanted && !(error && error->session_gone))
    transfer_fail(reader->transfer, reader->wanted->file, "the peer ended the stream before the file's end");
  free(reader->data);
  free(reader);
}

static bool stream_read(struct transfer *transfer, wt_stream *stream, struct wanted *wanted) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_close = on_stream_close};
  struct reader *reader = calloc(1, sizeof *reader);
  if (!reader) return false;
  reader->transfer = transfer;
  reader->wanted = wanted;
  wt_stream_set_callbacks(stream, &callbacks, reader);
  return true;
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  (void)session;
  if (!stream_read(user_data, stream, NULL)) wt_stream_stop_sending(stream, REFUSED_CODE);
}

static void send_queue(struct transfer *transfer, enum wt_stream_kind kind, uint8_t *data, size_t len,
                       struct wanted *wanted) {
  struct send *send = malloc(sizeof *send);
  if (!send) {
    free(data);
    transfer_fail(transfer, "sending", wt_error_string(WT_ERR_NOMEM));
    return;
  }
  *send = (struct send){.data = data, .len = len, .wanted = wanted};
  *transfer->waiting_end[kind] = send;
  transfer->waiting_end[kind] = &send->next;
}

/* Opens a stream for `data`, which it takes, now or once the peer allows it. `wanted` is to be read from it. */
static void stream_open(struct transfer *transfer, enum wt_stream_kind kind, uint8_t *data, size_t len,
                        struct wanted *wanted) {
  wt_stream *stream;
  int error = transfer->waiting[kind]    ? WT_ERR_STREAM_LIMIT
              : kind == WT_BIDIRECTIONAL ? wt_session_open_bidi(transfer->session, &stream)
                                         : wt_session_open_uni(transfer->session, &stream);
  if (error == WT_ERR_STREAM_LIMIT) {
    send_queue(transfer, kind, data, len, wanted);
  } else if (error) {
    free(data);
    transfer_fail(transfer, "opening a stream", wt_error_string(error));
  } else {
    if (wanted && !stream_read(transfer, stream, wanted))
      transfer_fail(transfer, wanted->file, wt_error_string(WT_ERR_NOMEM));
    stream_finish(transfer, stream, data, len);
  }
}

/* Takes all that waits out and tries again: what the peer does not allow yet goes back into the line. */
static void on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  struct transfer *transfer = user_data;
  struct send *send = transfer->waiting[kind], *next;
  (void)session;
  transfer->waiting[kind] = NULL;
  transfer->waiting_end[kind] = &transfer->waiting[kind];
  for (; send; send = next) {
    next = send->next;
    stream_open(transfer, kind, send->data, send->len, send->wanted);
    free(send);
  }
}

/* --- Requesting --- */

static void wanted_ask(struct transfer *transfer, struct wanted *wanted, uint64_t ms) {
  uint8_t *text = malloc(REQUEST_MAX);
  if (!text) {
    transfer_fail(transfer, wanted->file, wt_error_string(WT_ERR_NOMEM));
    return;
  }
  size_t len = (size_t)snprintf((char *)text, REQUEST_MAX, "GET %s", wanted->file);
  wanted->asked = true;
  wanted->asked_ms = ms;
  switch (transfer->plan->way) {
    case WAY_UNI: stream_open(transfer, WT_UNIDIRECTIONAL, text, len, NULL); break;
    case WAY_BIDI: stream_open(transfer, WT_BIDIRECTIONAL, text, len, wanted); break;
    case WAY_DATAGRAM:
      wt_session_send_datagram(transfer->session, text, len);
      free(text);
      break;
  }
}

static void push_send(struct transfer *transfer) {
  struct push *push = transfer->pushes;
  int error = wt_session_send_datagram(transfer->session, push->data, push->len);
  if (error) fprintf(stderr, "%s: a datagram of %zu bytes: %s\n", transfer->name, push->len, wt_error_string(error));
  transfer->pushes = push->next;
  transfer->push_count--;
  if (!transfer->pushes) transfer->pushes_end = &transfer->pushes;
  free(push->data);
  free(push);
}

void transfer_tick(struct transfer *transfer, uint64_t ms) {
  if (!transfer->session) return;
  if (transfer->pushes) {
    push_send(transfer);
    return;
  }
  if (transfer->plan->task != TASK_FETCH || transfer->plan->way != WAY_DATAGRAM || !transfer->endpoint) return;
  for (size_t i = 0; i < transfer->endpoint->count; i++) {
    struct wanted *wanted = &transfer->endpoint->files[i];
    if (wanted->saved || (wanted->asked && ms - wanted->asked_ms < ASK_AGAIN_MS)) continue;
    wanted_ask(transfer, wanted, ms);
    return;
  }
}

/* --- The session --- */

void transfer_init(struct transfer *transfer, struct plan *plan, const char *name) {
  memset(transfer, 0, sizeof *transfer);
  transfer->plan = plan;
  snprintf(transfer->name, sizeof transfer->name, "%s", name);
  transfer->endpoint = plan_endpoint(plan, transfer->name, strlen(transfer->name));
  for (int kind = 0; kind < 2; kind++) transfer->waiting_end[kind] = &transfer->waiting[kind];
  transfer->pushes_end = &transfer->pushes;
}

void transfer_begin(struct transfer *transfer, wt_session *session) {
  transfer->session = session;
  fprintf(stderr, "session at /%s: draft %d, subprotocol '%s', peer %s\n", transfer->name, wt_session_draft(session),
          wt_session_protocol(session), wt_session_peer_address(session));
  if (transfer->plan->task != TASK_FETCH || transfer->plan->way == WAY_DATAGRAM || !transfer->endpoint) return;
  for (size_t i = 0; i < transfer->endpoint->count && !transfer->plan->failed; i++)
    wanted_ask(transfer, &transfer->endpoint->files[i], 0);
}

void transfer_end(struct transfer *transfer) {
  transfer->session = NULL;
  for (int kind = 0; kind < 2; kind++) {
    for (struct send *send = transfer->waiting[kind], *next; send; send = next) {
      next = send->next;
      free(send->data);
      free(send);
    }
    transfer->waiting[kind] = NULL;
    transfer->waiting_end[kind] = &transfer->waiting[kind];
  }
  for (struct push *push = transfer->pushes, *next; push; push = next) {
    next = push->next;
    free(push->data);
    free(push);
  }
  transfer->pushes = NULL;
  transfer->push_count = 0;
  transfer->pushes_end = &transfer->pushes;
}

struct wt_session_callbacks transfer_callbacks(void (*on_close)(wt_session *session, const struct wt_close_info *info,
                                                                void *user_data)) {
  return (struct wt_session_callbacks){
      .on_close = on_close,
      .on_stream = on_stream,
      .on_datagram = on_datagram,
      .on_stream_credit = on_stream_credit,
  };
}

void transfer_note_protocol(struct transfer *transfer) {
  static const char name[] = "negotiated_protocol.txt";
  const char *protocol = wt_session_protocol(transfer->session);
  if (!file_save(transfer->plan->downloads, NULL, name, protocol, strlen(protocol)))
    transfer_fail(transfer, name, strerror(errno));
}
