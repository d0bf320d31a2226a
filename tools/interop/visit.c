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
#include "visit.h"

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
  struct visit *visit;
  struct wanted *wanted; /* the bytes are this file; NULL: they are a request or a push */
  uint8_t *data;
  size_t len, size;
  bool received;
};

/* --- Saving --- */

static void visit_fail(struct visit *visit, const char *what, const char *why) {
  plan_fail(visit->plan, "%s/%s: %s", visit->name, what, why);
  visit->on_change(visit);
}

static void wanted_save(struct visit *visit, struct wanted *wanted, const uint8_t *data, size_t len) {
  if (wanted->saved) return; /* asked for twice */
  if (!file_save(visit->plan->downloads, visit->name, wanted->file, data, len)) {
    visit_fail(visit, wanted->file, strerror(errno));
    return;
  }
  wanted->saved = true;
  visit->on_change(visit);
}

/* The file that a PUSH means. Some peers name it without its folders. */
static struct wanted *wanted_find(const struct visit *visit, const char *name) {
  for (size_t i = 0; visit->endpoint && i < visit->endpoint->count; i++) {
    const char *file = visit->endpoint->files[i].file, *base = strrchr(file, '/');
    if (strcmp(file, name) == 0 || (base && strcmp(base + 1, name) == 0)) return &visit->endpoint->files[i];
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
static bool push_received(struct visit *visit, const uint8_t *data, size_t len) {
  char name[REQUEST_MAX];
  if (!has_prefix(data, len, "PUSH ")) return false;
  const uint8_t *end = memchr(data, '\n', len < REQUEST_MAX ? len : REQUEST_MAX);
  struct wanted *wanted = NULL;
  if (end && name_copy(name, data + 5, (size_t)(end - data) - 5)) wanted = wanted_find(visit, name);
  if (wanted)
    wanted_save(visit, wanted, end + 1, len - (size_t)(end + 1 - data));
  else
    fprintf(stderr, "%s: a PUSH that was not asked for\n", visit->name);
  return true;
}

/* --- Answering --- */

static void memory_free(const uint8_t *data, size_t len, void *user_data) {
  (void)len;
  (void)user_data;
  free((void *)(uintptr_t)data);
}

/* Sends all of `data`, which it takes, and ends the stream. */
static void stream_finish(struct visit *visit, wt_stream *stream, uint8_t *data, size_t len) {
  int error = len ? wt_stream_write_owned(stream, data, len, memory_free, NULL) : 0;
  if (error || len == 0) free(data);
  if (!error) error = wt_stream_end(stream);
  if (error) visit_fail(visit, "sending", wt_error_string(error));
}

static void stream_open(struct visit *visit, enum wt_stream_kind kind, uint8_t *data, size_t len,
                        struct wanted *wanted);

/* The file that a "GET name" asks for, behind "PUSH name\n" or `bare`; NULL, with a line on standard error. */
static uint8_t *request_read(struct visit *visit, const uint8_t *data, size_t len, bool bare, size_t *answer_len) {
  char name[REQUEST_MAX], head[REQUEST_MAX + 8] = "";
  uint8_t *answer = NULL;
  if (!has_prefix(data, len, "GET ") || !name_copy(name, data + 4, len - 4)) {
    fprintf(stderr, "%s: neither GET nor PUSH, or no file's name\n", visit->name);
    return NULL;
  }
  if (!bare) snprintf(head, sizeof head, "PUSH %s\n", name);
  answer = file_read(visit->plan->www, visit->name, name, head, answer_len);
  if (answer)
    visit->answered++;
  else
    fprintf(stderr, "%s/%s: %s\n", visit->name, name, strerror(errno));
  return answer;
}

static void push_queue(struct visit *visit, uint8_t *data, size_t len) {
  struct push *push = visit->push_count < PUSHES_MAX ? malloc(sizeof *push) : NULL;
  if (!push) { /* as good as lost on the way: it will be asked for again */
    free(data);
    return;
  }
  visit->push_count++;
  *push = (struct push){.data = data, .len = len};
  *visit->pushes_end = push;
  visit->pushes_end = &push->next;
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct visit *visit = user_data;
  size_t answer_len;
  (void)session;
  if (push_received(visit, data, len)) return;
  uint8_t *answer = request_read(visit, data, len, false, &answer_len);
  if (answer) push_queue(visit, answer, answer_len);
}

/* --- Streams --- */

static void reader_done(struct reader *reader, wt_stream *stream) {
  struct visit *visit = reader->visit;
  bool uni = wt_stream_kind(stream) == WT_UNIDIRECTIONAL;
  size_t len;
  reader->received = true;
  if (reader->wanted) {
    wanted_save(visit, reader->wanted, reader->data, reader->len);
    return;
  }
  if (uni && push_received(visit, reader->data, reader->len)) return;
  uint8_t *answer = request_read(visit, reader->data, reader->len, !uni, &len);
  if (answer && uni)
    stream_open(visit, WT_UNIDIRECTIONAL, answer, len, NULL);
  else if (answer)
    stream_finish(visit, stream, answer, len);
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
      visit_fail(reader->visit, "receiving", "more than there is memory for");
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
    visit_fail(reader->visit, reader->wanted->file, "the peer ended the stream before the file's end");
  free(reader->data);
  free(reader);
}

static bool stream_read(struct visit *visit, wt_stream *stream, struct wanted *wanted) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_close = on_stream_close};
  struct reader *reader = calloc(1, sizeof *reader);
  if (!reader) return false;
  reader->visit = visit;
  reader->wanted = wanted;
  wt_stream_set_callbacks(stream, &callbacks, reader);
  return true;
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  (void)session;
  if (!stream_read(user_data, stream, NULL)) wt_stream_stop_sending(stream, REFUSED_CODE);
}

static void send_queue(struct visit *visit, enum wt_stream_kind kind, uint8_t *data, size_t len,
                       struct wanted *wanted) {
  struct send *send = malloc(sizeof *send);
  if (!send) {
    free(data);
    visit_fail(visit, "sending", wt_error_string(WT_ERR_NOMEM));
    return;
  }
  *send = (struct send){.data = data, .len = len, .wanted = wanted};
  *visit->waiting_end[kind] = send;
  visit->waiting_end[kind] = &send->next;
}

/* Opens a stream for `data`, which it takes, now or once the peer allows it. `wanted` is to be read from it. */
static void stream_open(struct visit *visit, enum wt_stream_kind kind, uint8_t *data, size_t len,
                        struct wanted *wanted) {
  wt_stream *stream;
  int error = visit->waiting[kind]       ? WT_ERR_STREAM_LIMIT
              : kind == WT_BIDIRECTIONAL ? wt_session_open_bidi(visit->session, &stream)
                                         : wt_session_open_uni(visit->session, &stream);
  if (error == WT_ERR_STREAM_LIMIT) {
    send_queue(visit, kind, data, len, wanted);
  } else if (error) {
    free(data);
    visit_fail(visit, "opening a stream", wt_error_string(error));
  } else {
    if (wanted && !stream_read(visit, stream, wanted)) visit_fail(visit, wanted->file, wt_error_string(WT_ERR_NOMEM));
    stream_finish(visit, stream, data, len);
  }
}

/* Takes all that waits out and tries again: what the peer does not allow yet goes back into the line. */
static void on_stream_credit(wt_session *session, enum wt_stream_kind kind, void *user_data) {
  struct visit *visit = user_data;
  struct send *send = visit->waiting[kind], *next;
  (void)session;
  visit->waiting[kind] = NULL;
  visit->waiting_end[kind] = &visit->waiting[kind];
  for (; send; send = next) {
    next = send->next;
    stream_open(visit, kind, send->data, send->len, send->wanted);
    free(send);
  }
}

/* --- Requesting --- */

static void wanted_ask(struct visit *visit, struct wanted *wanted, uint64_t ms) {
  uint8_t *text = malloc(REQUEST_MAX);
  if (!text) {
    visit_fail(visit, wanted->file, wt_error_string(WT_ERR_NOMEM));
    return;
  }
  size_t len = (size_t)snprintf((char *)text, REQUEST_MAX, "GET %s", wanted->file);
  wanted->asked = true;
  wanted->asked_ms = ms;
  switch (visit->plan->way) {
    case WAY_UNI: stream_open(visit, WT_UNIDIRECTIONAL, text, len, NULL); break;
    case WAY_BIDI: stream_open(visit, WT_BIDIRECTIONAL, text, len, wanted); break;
    case WAY_DATAGRAM:
      wt_session_send_datagram(visit->session, text, len);
      free(text);
      break;
  }
}

static void push_send(struct visit *visit) {
  struct push *push = visit->pushes;
  int error = wt_session_send_datagram(visit->session, push->data, push->len);
  if (error) fprintf(stderr, "%s: a datagram of %zu bytes: %s\n", visit->name, push->len, wt_error_string(error));
  visit->pushes = push->next;
  visit->push_count--;
  if (!visit->pushes) visit->pushes_end = &visit->pushes;
  free(push->data);
  free(push);
}

void visit_tick(struct visit *visit, uint64_t ms) {
  if (!visit->session) return;
  if (visit->pushes) {
    push_send(visit);
    return;
  }
  if (visit->plan->task != TASK_FETCH || visit->plan->way != WAY_DATAGRAM || !visit->endpoint) return;
  for (size_t i = 0; i < visit->endpoint->count; i++) {
    struct wanted *wanted = &visit->endpoint->files[i];
    if (wanted->saved || (wanted->asked && ms - wanted->asked_ms < ASK_AGAIN_MS)) continue;
    wanted_ask(visit, wanted, ms);
    return;
  }
}

/* --- The session --- */

void visit_init(struct visit *visit, struct plan *plan, const char *name) {
  memset(visit, 0, sizeof *visit);
  visit->plan = plan;
  snprintf(visit->name, sizeof visit->name, "%s", name);
  visit->endpoint = plan_endpoint(plan, visit->name, strlen(visit->name));
  for (int kind = 0; kind < 2; kind++) visit->waiting_end[kind] = &visit->waiting[kind];
  visit->pushes_end = &visit->pushes;
}

void visit_begin(struct visit *visit, wt_session *session) {
  visit->session = session;
  fprintf(stderr, "session at /%s: draft %d, subprotocol '%s', peer %s\n", visit->name, wt_session_draft(session),
          wt_session_protocol(session), wt_session_peer_address(session));
  if (visit->plan->task != TASK_FETCH || visit->plan->way == WAY_DATAGRAM || !visit->endpoint) return;
  for (size_t i = 0; i < visit->endpoint->count && !visit->plan->failed; i++)
    wanted_ask(visit, &visit->endpoint->files[i], 0);
}

void visit_end(struct visit *visit) {
  visit->session = NULL;
  for (int kind = 0; kind < 2; kind++) {
    for (struct send *send = visit->waiting[kind], *next; send; send = next) {
      next = send->next;
      free(send->data);
      free(send);
    }
    visit->waiting[kind] = NULL;
    visit->waiting_end[kind] = &visit->waiting[kind];
  }
  for (struct push *push = visit->pushes, *next; push; push = next) {
    next = push->next;
    free(push->data);
    free(push);
  }
  visit->pushes = NULL;
  visit->push_count = 0;
  visit->pushes_end = &visit->pushes;
}

struct wt_session_callbacks visit_callbacks(void (*on_close)(wt_session *session, const struct wt_close_info *info,
                                                             void *user_data)) {
  return (struct wt_session_callbacks){
      .on_close = on_close,
      .on_stream = on_stream,
      .on_datagram = on_datagram,
      .on_stream_credit = on_stream_credit,
  };
}

void visit_note_protocol(struct visit *visit) {
  static const char name[] = "negotiated_protocol.txt";
  const char *protocol = wt_session_protocol(visit->session);
  if (!file_save(visit->plan->downloads, NULL, name, protocol, strlen(protocol)))
    visit_fail(visit, name, strerror(errno));
}
