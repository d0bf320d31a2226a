/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOPIC_H
#define WEBTRANSPORT_TOPIC_H

#include <webtransport/error.h>
#include <webtransport/server.h>
#include <webtransport/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Topics: one message to many sessions, on all workers of a server. A session subscribes to a topic, which is a name of 1 to
 * 255 bytes. A message that is published there goes to each subscriber. A topic exists while it has a subscriber; nobody has
 * to make it. docs/guide/topics.md explains how to choose a delivery and a policy, and has a reader for browsers.
 *
 * The library keeps one copy of a message, however many sessions get it. What one thread publishes to a topic arrives at
 * each subscriber in that order, as far as its delivery keeps an order. A subscriber that is slow holds nobody up: its
 * subscription has a bound, and a policy that says what happens there.
 */

/** How a subscription gets its messages. Since 0.3.0. */
enum wt_delivery {
  /** Each message is a datagram: it may get lost, or overtake another. A message that does not fit is not delivered, and
   * counted in `too_large`. */
  WT_DELIVERY_DATAGRAM = 0,
  /** Each message is all there is on a unidirectional stream of its own. It arrives, but may overtake another. */
  WT_DELIVERY_STREAM_EACH = 1,
  /**
   * All messages are on one unidirectional stream, in order. Each has its length in front: 4 bytes, big-endian. The first
   * thing on the stream is the name of the topic in the same form, so that a client can tell several such streams apart.
   */
  WT_DELIVERY_STREAM = 2,
  /**
   * The application gets each message, in `on_message`, and passes it on to the session as it likes: on a stream that it uses
   * for other things too, or in another form. Messages come in order. Nothing waits, so there is no policy.
   */
  WT_DELIVERY_CALLBACK = 3,
};

/**
 * What happens to a subscription when one message more would exceed `max_messages` or `max_bytes`. Only messages that wait
 * can be dropped: of a message whose first byte was handed to QUIC, all bytes are sent. Since 0.3.0.
 */
enum wt_slow_policy {
  WT_SLOW_DROP_OLDEST = 0, /**< messages that wait longest are dropped, until there is room for the new one */
  WT_SLOW_DROP_NEWEST = 1, /**< the new message is dropped */
  WT_SLOW_LATEST = 2,      /**< only the latest message waits: a new one takes its place. `max_messages` counts as 1 */
  WT_SLOW_CLOSE = 3, /**< the session is closed with `close_code` and the reason "too slow for its subscription" */
};

/** Options of a subscription. `wt_subscribe_options_default` fills it; then change what you need. Since 0.3.0. */
struct wt_subscribe_options {
  size_t size; /**< set by `wt_subscribe_options_default`; leave it */

  enum wt_delivery delivery;  /**< default WT_DELIVERY_DATAGRAM */
  enum wt_slow_policy policy; /**< default WT_SLOW_DROP_OLDEST */
  size_t max_messages;        /**< messages that may wait: 1 to 65,536; default 256 */
  /**
   * Bytes of messages that may wait: at least 1; default 1 MiB. A message that is larger may wait alone. While the server's
   * memory is short (`max_memory`), no more than 64 KiB wait, or 16 KiB.
   */
  size_t max_bytes;
  uint32_t close_code; /**< for WT_SLOW_CLOSE; default 0 */

  /**
   * The library has ended the subscription, though the session goes on. This happens with WT_DELIVERY_STREAM only: the peer
   * stopped the stream (STOP_SENDING), or took too little within `send_timeout_ms`. Subscribing again is allowed. Not called
   * after `wt_session_unsubscribe`, and not when the session ends. `topic` is borrowed until the callback returns. NULL (the
   * default): nobody is told.
   */
  void (*on_end)(wt_session *session, const void *topic, size_t topic_len, void *user_data);
  void *user_data; /**< for `on_end` and `on_message` */

  /**
   * A message of WT_DELIVERY_CALLBACK, which needs this. `topic` and `data` are borrowed until the callback returns. It may do
   * anything with any session of its worker, also end this subscription and others.
   */
  void (*on_message)(wt_session *session, const void *topic, size_t topic_len, const uint8_t *data, size_t len,
                     void *user_data);
};

/**
 * Fills the first `size` bytes of `*options` with the defaults above. `size` is sizeof(struct wt_subscribe_options) in the
 * headers that the caller was compiled with. Any thread. Since 0.3.0.
 */
WT_API void wt_subscribe_options_init(struct wt_subscribe_options *options, size_t size);

/** Calls `wt_subscribe_options_init` with the right size. Programs in C use this. Since 0.3.0. */
static inline void wt_subscribe_options_default(struct wt_subscribe_options *options) {
  wt_subscribe_options_init(options, sizeof(*options));
}

/**
 * Subscribes `session`, which is one of a server, to the topic whose name has `topic_len` bytes, 1 to 255; any bytes, copied.
 * It gets the messages that are published from now on. `options` is copied; NULL stands for the defaults. The subscription
 * ends with `wt_session_unsubscribe`, or with the session.
 *
 * With WT_DELIVERY_STREAM, the stream opens now. If the peer allows no more streams at present, messages wait until it does,
 * within the bounds of the subscription; likewise those with WT_DELIVERY_STREAM_EACH. The application does not see these
 * streams, but they count in `streams_opened` and `streams_open`. Any callback.
 *
 * Errors: WT_ERR_STATE if the session is subscribed to this topic already: unsubscribe first to change options;
 * WT_ERR_AGAIN if `max_subscriptions_per_session` or `max_topics` is reached; WT_ERR_CLOSED if the session has ended;
 * WT_ERR_UNSUPPORTED for a client's session, with WT_DELIVERY_DATAGRAM also if the peer takes no datagrams;
 * WT_ERR_INVALID if `topic_len` or an option is out of its range; WT_ERR_INVALID or WT_ERR_UNSUPPORTED if `options->size` is
 * wrong (error.h, "Structs that grow"); WT_ERR_NOMEM. Since 0.3.0.
 */
WT_API int wt_session_subscribe(wt_session *session, const void *topic, size_t topic_len,
                                const struct wt_subscribe_options *options);

/**
 * Ends a subscription. Messages that wait for WT_DELIVERY_STREAM are still sent, and then the stream ends with a FIN.
 * Messages that wait for WT_DELIVERY_STREAM_EACH are dropped, without being counted, and the streams that were opened go
 * on. Queued datagrams are sent. `on_message` is not called any more. Any callback.
 *
 * Errors: WT_ERR_NOT_FOUND if the session is not subscribed to the topic; WT_ERR_INVALID. Since 0.3.0.
 */
WT_API int wt_session_unsubscribe(wt_session *session, const void *topic, size_t topic_len);

/**
 * Publishes a message: `len` bytes, which may be 0 (`data` may then be NULL), to all subscribers of the topic, except the
 * session `except`; NULL: to all. `data` is copied once for all of them. Without subscribers nothing happens, which costs
 * little. It never waits. Workers deliver the message in their next turn.
 *
 * A message that this returned 0 for may still be dropped by the policy of a subscription, or because memory runs out; both
 * are counted in `dropped` of the topic. Any thread, any callback; not in a signal handler. On another thread than its own,
 * the caller must be sure that `on_close` of `except` has not returned yet, and that the server is not being freed.
 *
 * Errors: WT_ERR_TOO_LARGE if `len` is more than `max_message`; WT_ERR_AGAIN if a worker with subscribers has more than
 * `max_backlog` bytes of messages that it did not come to deliver: publish more slowly; WT_ERR_INVALID if `server`, `topic` or
 * `data` is NULL, or `topic_len` is not 1 to 255; WT_ERR_NOMEM. After an error nobody gets the message. Since 0.3.0.
 */
WT_API int wt_server_publish(wt_server *server, const void *topic, size_t topic_len, const void *data, size_t len,
                             const wt_session *except);

/**
 * Returns the number of sessions that are subscribed to the topic now, on all workers. Any thread, any callback. Since
 * 0.3.0.
 */
WT_API size_t wt_server_subscribers(const wt_server *server, const void *topic, size_t topic_len);

/** Counts of a topic, or of all topics of a server. Since 0.3.0. */
struct wt_topic_stats {
  size_t size;          /**< the caller sets it to sizeof(struct wt_topic_stats) */
  uint64_t topics;      /**< that have subscribers now; 1 for a topic */
  uint64_t subscribers; /**< subscriptions now */
  uint64_t published;   /**< messages, published here, that had subscribers */
  /** Messages times their receivers: handed to QUIC, or to `on_message`. A datagram may be lost on its way. */
  uint64_t delivered;
  uint64_t
      dropped; /**< likewise: not delivered, by a policy, a full queue of datagrams, their age, or want of memory */
  uint64_t too_large; /**< likewise: not delivered, because the path carries no datagram of this size */
  uint64_t closed;    /**< sessions closed by WT_SLOW_CLOSE */
  /** Messages of other servers that were not delivered, because of `max_message`, `max_backlog` or want of memory. Only of
   * all topics together. */
  uint64_t refused;
};

/**
 * Fills `*stats` with the counts of a topic since it exists: it begins with its first subscriber and ends with its last one.
 * With `topic` NULL and `topic_len` 0, with those of all topics since the server's start. The caller sets `stats->size`
 * first. Any thread, any callback.
 *
 * Errors: WT_ERR_NOT_FOUND if the topic has no subscribers; WT_ERR_INVALID, also if `stats->size` is wrong. Since 0.3.0.
 */
WT_API int wt_server_get_topic_stats(const wt_server *server, const void *topic, size_t topic_len,
                                     struct wt_topic_stats *stats);

/** Counts of a subscription. Since 0.3.0. */
struct wt_subscription_stats {
  size_t size;                 /**< the caller sets it to sizeof(struct wt_subscription_stats) */
  uint64_t delivered;          /**< messages handed to QUIC, or to `on_message` */
  uint64_t dropped, too_large; /**< messages that were not: see `struct wt_topic_stats` */
  size_t waiting_messages;     /**< now */
  size_t waiting_bytes;        /**< now */
};

/**
 * Fills `*stats` with the counts of a subscription of `session`. The caller sets `stats->size` first. Any callback.
 *
 * Errors: WT_ERR_NOT_FOUND if the session is not subscribed to the topic; WT_ERR_INVALID, also if `stats->size` is wrong.
 * Since 0.3.0.
 */
WT_API int wt_session_get_subscription_stats(const wt_session *session, const void *topic, size_t topic_len,
                                             struct wt_subscription_stats *stats);

/** Bounds on topics of a server. `wt_topic_limits_default` fills it; then change what you need. Since 0.3.0. */
struct wt_topic_limits {
  size_t size; /**< set by `wt_topic_limits_default`; leave it */

  size_t max_topics;                    /**< with a subscriber at a time; 0: nobody may subscribe; default 65,536 */
  size_t max_subscriptions_per_session; /**< 0: nobody may subscribe; default 64 */
  size_t max_message;                   /**< bytes of a message: 1 to 16 MiB; default 1 MiB */
  /** Bytes of messages that wait until a worker comes to deliver them, for each worker: at least 1; default 16 MiB. Beyond
   * it `wt_server_publish` fails. A message counts with some 200 bytes more than it has. */
  size_t max_backlog;
};

/**
 * Fills the first `size` bytes of `*limits` with the defaults above. `size` is sizeof(struct wt_topic_limits) in the headers
 * that the caller was compiled with. Any thread. Since 0.3.0.
 */
WT_API void wt_topic_limits_init(struct wt_topic_limits *limits, size_t size);

/** Calls `wt_topic_limits_init` with the right size. Programs in C use this. Since 0.3.0. */
static inline void wt_topic_limits_default(struct wt_topic_limits *limits) {
  wt_topic_limits_init(limits, sizeof(*limits));
}

/**
 * Sets the bounds on topics of `server`, which are copied. Before `wt_server_start`, on the thread of worker 0.
 *
 * Errors: WT_ERR_STATE after the start; WT_ERR_INVALID if a bound is out of its range; WT_ERR_INVALID or WT_ERR_UNSUPPORTED
 * if `limits->size` is wrong (error.h, "Structs that grow"). `wt_server_error` has a sentence. Since 0.3.0.
 */
WT_API int wt_server_set_topic_limits(wt_server *server, const struct wt_topic_limits *limits);

/** What carries messages to other servers and back: see backplane.h. */
struct wt_backplane;

/**
 * Gives `server` its backplane: from `wt_server_start` on, what is published to a topic here goes to the subscribers of that
 * topic on other servers too, and the other way round. Sessions of this server get a message without the backplane, in the
 * same time. The server then owns the backplane, and frees it in `wt_server_free`. Before `wt_server_start`, on the thread of
 * worker 0.
 *
 * Errors: WT_ERR_STATE after the start, or if there is one already; WT_ERR_INVALID if `backplane->size` is too small, or a
 * function that it needs is NULL. After an error the backplane still belongs to the caller. `wt_server_error` has a sentence.
 * Since 0.3.0.
 */
WT_API int wt_server_set_backplane(wt_server *server, struct wt_backplane *backplane);

#ifdef __cplusplus
}
#endif

#endif
