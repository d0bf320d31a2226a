/* SPDX-License-Identifier: MIT */

/*
 * Messages on streams.
 *
 * WT_DELIVERY_STREAM: one stream, whose queue is kept short. It gets the next message when fewer than FEED bytes of it are
 * unsent, which is more than a packet takes, so the path stays busy. `on_sent` says so while packets are written, and
 * `on_writable` when the queue had no room because the peer acknowledges nothing.
 *
 * WT_DELIVERY_STREAM_EACH: a stream for each message, with a bound on streams that have unsent bytes. When one of them has
 * been sent, or the peer allows more streams, the next ones are opened in the next run of the connection.
 *
 * Small messages are copied into the stream's queue, where they share a chunk: the record of a reference is larger than they
 * are. For others the queue refers to the message.
 *
 * A stream of a message may live longer than its subscription. So it knows only the number of that, and finds it among those
 * of the session.
 */

#include <string.h>

#include "core/stream.h"
#include "core/stream_send.h"
#include "core/stream_state.h"
#include "core/subscription.h"

#define FEED 16384u   /* unsent bytes of a stream, beyond which it gets no further message */
#define BEGUN_MAX 32u /* streams of a subscription with unsent bytes */
#define COPY_MAX 256u /* bytes of a message that are copied: docs/guide/fan-out.md says the same of pieces */

/* --- A message to a stream's queue --- */

static void part_release(const uint8_t *data, size_t len, void *user_data) {
  (void)data, (void)len;
  wt__part_unref(user_data);
}

/* Adds `len` bytes of the message, all or none, whether there is room or not. WT_ERR_NOMEM. */
static int stream_put(wt_stream *stream, struct wt__part *part, const uint8_t *bytes, size_t len) {
  struct wt__sendq *queue = &stream->sending.queue;
  size_t taken = 0;
  if (len == 0) return 0;
  if (len <= COPY_MAX) {
    uint64_t end = queue->end;
    (void)wt__sendq_append(queue, bytes, len, true, &taken);
    if (taken == len) return 0;
    wt__sendq_drop_unsent(queue, end, &stream->mux->released); /* a part of a message would make the rest unreadable */
    return WT_ERR_NOMEM;
  }
  int error = wt__sendq_force_owned(queue, bytes, len, part_release, part);
  if (error == 0) wt__part_ref(part);
  return error;
}

static size_t stream_unsent(const wt_stream *stream) {
  return (size_t)(stream->sending.queue.end - stream->sending.queue.sent);
}

/* --- One stream for all --- */

static bool keeps_latest(const struct wt__subscription *sub) { return sub->options.policy == WT_SLOW_LATEST; }

/* Whether the stream takes one message more. If its queue is full, `on_writable` follows. */
static bool stream_takes(const struct wt__subscription *sub) {
  size_t unsent = stream_unsent(sub->stream);
  if (!wt__sending_is_writable(&sub->stream->sending)) return false;
  if (unsent >= (keeps_latest(sub) ? 1 : FEED)) return false;
  return wt__sendq_ask_room(&sub->stream->sending.queue) > 0;
}

static int standing_put(struct wt__subscription *sub, struct wt__part *part) {
  return stream_put(sub->stream, part, part->message->bytes, WT__MESSAGE_PREFIX + wt__part_len(part));
}

static int standing_begin(struct wt__subscription *sub, struct wt__part *part) {
  if (!sub->stream || !stream_takes(sub)) return WT_ERR_AGAIN;
  int error = standing_put(sub, part);
  if (error) return error;
  WT__SUBSCRIPTION_COUNT(sub, delivered);
  return 0;
}

static void standing_feed(struct wt__subscription *sub) {
  struct wt__part *part;
  while ((part = wt__part_ring_first(&sub->waiting)) && stream_takes(sub)) {
    if (standing_put(sub, part)) {
      WT__SUBSCRIPTION_COUNT(sub, dropped);
    } else {
      WT__SUBSCRIPTION_COUNT(sub, delivered);
    }
    wt__part_unref(wt__part_ring_take(&sub->waiting));
  }
}

static void standing_on_sent(wt_stream *stream) {
  struct wt__subscription *sub = stream->user_data;
  if (sub->waiting.len > 0) standing_feed(sub);
}

static void standing_on_writable(wt_stream *stream, void *user_data) {
  struct wt__subscription *sub = user_data;
  standing_feed(sub);
  wt__stream_make_ready(stream);
}

/* The peer, or its slowness, has ended the stream, and so the subscription. */
static void standing_ended(struct wt__subscription *sub) {
  struct wt_subscribe_options options = sub->options;
  wt_session *session = sub->session;
  uint8_t name[WT__TOPIC_NAME_MAX];
  size_t len = sub->topic->name_len;
  memcpy(name, sub->topic->name, len);
  wt__subscription_free(sub);
  if (options.on_end) options.on_end(session, name, len, options.user_data);
}

static void standing_on_stop(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream, (void)error;
  standing_ended(user_data);
}

static void standing_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct wt__subscription *sub = user_data;
  (void)stream, (void)error;
  standing_ended(sub);
}

/* The first thing on the stream is the topic's name. */
static int standing_greet(struct wt__subscription *sub) {
  uint8_t bytes[WT__MESSAGE_PREFIX + WT__TOPIC_NAME_MAX];
  size_t len = WT__MESSAGE_PREFIX + sub->topic->name_len, taken = 0;
  wt__message_write_prefix(bytes, sub->topic->name_len);
  memcpy(bytes + WT__MESSAGE_PREFIX, sub->topic->name, sub->topic->name_len);
  int error = wt__sendq_append(&sub->stream->sending.queue, bytes, len, true, &taken);
  return error || taken < len ? WT_ERR_NOMEM : 0;
}

/* Opens a stream that the application knows nothing about, and so hears of no credit for it. */
static int stream_open(wt_session *session, wt_stream **stream) {
  bool asked = session->wants_credit[WT_UNIDIRECTIONAL] && !session->credit_unasked;
  int error = wt__stream_open(session, true, stream);
  if (error == WT_ERR_STREAM_LIMIT) session->credit_unasked = !asked;
  return error;
}

int wt__subscription_open(struct wt__subscription *sub) {
  static const struct wt_stream_callbacks callbacks = {
      .on_writable = standing_on_writable, .on_stop_sending = standing_on_stop, .on_close = standing_on_close};
  int error = stream_open(sub->session, &sub->stream);
  if (error) return error;
  error = standing_greet(sub);
  if (error) {
    wt_stream *stream = sub->stream;
    sub->stream = NULL;
    stream->callbacks = (struct wt_stream_callbacks){0};
    (void)wt_stream_reset(stream, 0);
    return error;
  }
  sub->stream->callbacks = callbacks;
  sub->stream->user_data = sub;
  sub->stream->has_callbacks = true;
  sub->stream->on_sent = standing_on_sent;
  wt__stream_make_ready(sub->stream);
  return 0;
}

void wt__subscription_finish(struct wt__subscription *sub) {
  struct wt__part *part;
  if (!sub->stream || !wt__sending_is_writable(&sub->stream->sending)) return;
  while ((part = wt__part_ring_take(&sub->waiting))) {
    if (standing_put(sub, part)) {
      WT__SUBSCRIPTION_COUNT(sub, dropped);
    } else {
      WT__SUBSCRIPTION_COUNT(sub, delivered);
    }
    wt__part_unref(part);
  }
  (void)wt_stream_end(sub->stream);
}

/* --- A stream for each message --- */

static struct wt__subscription *subscription_of(const wt_stream *stream) {
  uint64_t id = (uint64_t)(uintptr_t)stream->user_data;
  WT__LIST_FOREACH(it, next, &stream->session->subscriptions) {
    struct wt__subscription *sub = WT__CONTAINER_OF(it, struct wt__subscription, in_session);
    if (sub->id == id) return sub;
  }
  return NULL;
}

/* All its bytes are sent, or it has ended. */
static void each_done(wt_stream *stream) {
  struct wt__subscription *sub = stream->user_data ? subscription_of(stream) : NULL;
  stream->user_data = NULL;
  if (!sub) return;
  sub->begun--;
  if (sub->waiting.len == 0) return;
  wt__session_todo(sub->session);
  sub->session->mux->transport->wake(sub->session->mux->ctx);
}

static void each_on_sent(wt_stream *stream) {
  if (!wt__sendq_pending(&stream->sending.queue)) each_done(stream);
}

static void each_on_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)error, (void)user_data;
  each_done(stream);
}

static int each_begin(struct wt__subscription *sub, struct wt__part *part) {
  static const struct wt_stream_callbacks callbacks = {.on_close = each_on_close};
  wt_stream *stream;
  if (sub->begun >= (keeps_latest(sub) ? 1 : BEGUN_MAX)) return WT_ERR_AGAIN;
  int error = stream_open(sub->session, &stream);
  if (error) return error == WT_ERR_STREAM_LIMIT ? WT_ERR_AGAIN : error;
  stream->callbacks = callbacks;
  stream->has_callbacks = true;
  stream->user_data = NULL;
  error = stream_put(stream, part, wt__part_payload(part), wt__part_len(part));
  if (error) {
    (void)wt_stream_reset(stream, 0);
    return error;
  }
  stream->user_data = (void *)(uintptr_t)sub->id;
  stream->on_sent = each_on_sent;
  sub->begun++;
  (void)wt_stream_end(stream);
  WT__SUBSCRIPTION_COUNT(sub, delivered);
  return 0;
}

static void each_feed(struct wt__subscription *sub) {
  struct wt__part *part;
  while ((part = wt__part_ring_first(&sub->waiting))) {
    int error = each_begin(sub, part);
    if (error == WT_ERR_AGAIN) return;
    if (error) WT__SUBSCRIPTION_COUNT(sub, dropped);
    wt__part_unref(wt__part_ring_take(&sub->waiting));
  }
}

/* --- Either --- */

int wt__subscription_begin(struct wt__subscription *sub, struct wt__part *part) {
  if (sub->options.delivery == WT_DELIVERY_STREAM_EACH) return each_begin(sub, part);
  int error = standing_begin(sub, part);
  if (error == 0) wt__stream_make_ready(sub->stream);
  return error;
}

void wt__subscription_feed(struct wt__subscription *sub) {
  if (sub->options.delivery == WT_DELIVERY_STREAM_EACH) {
    each_feed(sub);
    return;
  }
  if (!sub->stream && wt__subscription_open(sub)) return;
  standing_feed(sub);
  wt__stream_make_ready(sub->stream);
}

/* Whether it needs a stream that it does not have. */
static bool is_hungry(const struct wt__subscription *sub) {
  if (sub->options.delivery == WT_DELIVERY_STREAM_EACH) return sub->waiting.len > 0;
  return !sub->stream;
}

void wt__subscriptions_run(wt_session *session) {
  if (session->ended) return;
  WT__LIST_FOREACH(it, next, &session->hungry) {
    struct wt__subscription *sub = WT__CONTAINER_OF(it, struct wt__subscription, hungry);
    wt__subscription_feed(sub);
    if (!is_hungry(sub)) wt__list_remove(&sub->hungry);
  }
}
