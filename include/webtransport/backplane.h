/* SPDX-License-Identifier: MIT */
/*
 * A backplane carries the messages of topics between servers: it stands between the topics of a server (topic.h) and a
 * broker such as Redis or NATS. `wt_server_set_backplane` gives a server its backplane.
 *
 *     session --> topic of server A --> backplane of A --> broker --> backplane of B --> topic of server B --> sessions
 *
 * There are two in this project, each a library of its own: backplane_redis.h and backplane_nats.h. A program can write
 * another one with this header alone: it fills a `struct wt_backplane` with its functions.
 *
 * What the server does: it delivers to its own sessions itself, before and without the backplane. It counts how many of
 * its sessions subscribe to a topic, on all workers together, and calls `subscribe` when the first one does and
 * `unsubscribe` when the last one has left.
 *
 * What the backplane does: it must not give a server its own messages back, must deliver the messages of one publishing
 * server in the order of its `publish` calls for a topic, and none twice. It may lose messages; it then counts them.
 */
#ifndef WEBTRANSPORT_BACKPLANE_H
#define WEBTRANSPORT_BACKPLANE_H

#include <webtransport/error.h>
#include <webtransport/log.h>

#ifdef __cplusplus
extern "C" {
#endif

struct uv_loop_s;

/**
 * What a server gives to its backplane in `start`: borrowed, and valid until the backplane has called `stopped`. Since
 * 0.3.0.
 */
struct wt_backplane_host {
  size_t size;     /**< error.h, "Structs that grow"; the server sets it */
  void *user_data; /**< the first argument of the functions below */

  /** libuv's loop of the server's worker 0. A backplane may open handles on it; or it has threads of its own. */
  struct uv_loop_s *loop;

  /**
   * Delivers a message that another server published to the sessions of this server that subscribe to `topic`, and
   * does not publish it again. If there are none, it does nothing. A topic is 1 or more bytes of any value, without a
   * NUL at its end. All arguments are copied. Between the return of `start` and the call of `stopped`, on any thread;
   * not inside a function of the backplane other than `start` and `stop`. Messages of one thread keep their order.
   */
  void (*deliver)(void *user_data, const char *topic, size_t topic_len, const uint8_t *data, size_t len);

  /**
   * Writes a line to the server's log, if its `log_level` lets it. Write no passwords, and not one line for each
   * message. On any thread.
   */
  void (*log)(void *user_data, enum wt_log_level level, const char *line);

  /** Says that the backplane has done all that `stop` asks for. Exactly once; inside `stop` or later, on the thread of
   * the loop. */
  void (*stopped)(void *user_data);
};

/** What a backplane counts; all from its creation on. Since 0.3.0. */
struct wt_backplane_stats {
  size_t size;       /**< the caller sets it; error.h, "Structs that grow" */
  uint64_t up;       /**< 1 while the broker takes and sends messages, else 0 */
  uint64_t connects; /**< how often it came up */

  uint64_t published; /**< messages of this server that `publish` took */
  uint64_t sent;      /**< those of them that were handed to the broker */
  /** Messages of this server that other servers do not get: refused by `publish` because a bound was reached, too large,
   * or given up. */
  uint64_t dropped;
  uint64_t queued_bytes; /**< what waits for the broker now */

  uint64_t received; /**< messages of other servers that were delivered here */
  /** Messages of other servers to topics subscribed here that did not arrive. It is known when the next message of the
   * same server to the same topic arrives. */
  uint64_t missed;
  uint64_t repeated; /**< messages that arrived twice; the second one was not delivered */
  uint64_t invalid;  /**< what arrived and was no message of a backplane of this kind */

  uint64_t subscriptions; /**< topics subscribed now */
};

/** What a backplane tells the application. Since 0.3.0. */
enum wt_backplane_event_type {
  WT_BACKPLANE_UP = 1,   /**< the broker takes and sends messages: all topics are subscribed */
  WT_BACKPLANE_DOWN = 2, /**< it does not any more, or could not be reached; `reason` says why. It is tried again. */
  /**
   * Messages of other servers did not arrive. With a `topic`: `count` messages to it, exactly. Without one: the
   * connection was lost, so some of any topic may be missing; `count` is 0.
   */
  WT_BACKPLANE_GAP = 3,
  /** `count` messages of this server were dropped since the last such event (`dropped` of the statistics). At most one
   * such event a second. */
  WT_BACKPLANE_DROPPED = 4,
};

/** An event of a backplane. Borrowed until the callback returns. Since 0.3.0. */
struct wt_backplane_event {
  size_t size;                       /**< the backplane sets it; error.h, "Structs that grow" */
  enum wt_backplane_event_type type; /**< what happened */
  const char *topic;                 /**< WT_BACKPLANE_GAP: the topic, or NULL; else NULL */
  size_t topic_len;                  /**< bytes of `topic` */
  uint64_t count;                    /**< number of messages */
  const char *reason;                /**< a sentence for people; never NULL */
};

/** Gets the events of a backplane, on the thread of worker 0. It may call any function of the library. Since 0.3.0. */
typedef void (*wt_backplane_event_callback)(const struct wt_backplane_event *event, void *user_data);

/**
 * A backplane. An implementation begins a struct of its own with this one and finds that from `self`. All members but
 * `get_stats` are needed.
 *
 * The server calls `start` once, in `wt_server_start`; then `publish`, `subscribe` and `unsubscribe`; then `stop` once;
 * and `free` last. It calls `free` alone if the server was never started. `publish`, `subscribe`, `unsubscribe` and
 * `get_stats` are called on any thread, by several threads at the same time, and must return at once: they must not
 * wait for the broker, nor call functions of `host` but `log`. For one topic, the calls of `subscribe` and
 * `unsubscribe` alternate and do not overlap. Such a call that comes while or after `stop` runs must do nothing. Since
 * 0.3.0.
 */
struct wt_backplane {
  size_t size; /**< sizeof(struct wt_backplane); error.h, "Structs that grow" */

  /**
   * Begins to work for a server. It does not wait until the broker is reached. On the thread of `host->loop`. An error
   * ends `wt_server_start` with that error, and then only `free` is called.
   */
  int (*start)(struct wt_backplane *self, const struct wt_backplane_host *host);

  /**
   * Ends the work: it closes connections and handles on the loop, gives up messages that wait, and then calls
   * `host->stopped`. On the thread of the loop, which the server runs until then.
   */
  void (*stop)(struct wt_backplane *self);

  /** Frees the backplane. No other function runs at that time or is called after it. */
  void (*free)(struct wt_backplane *self);

  /**
   * Takes a message for all other servers that subscribe to `topic`. All arguments are copied. The server does not look
   * at errors: the backplane counts them, and tells the application.
   *
   * Errors: WT_ERR_AGAIN if a bound is reached; WT_ERR_TOO_LARGE; WT_ERR_NOMEM; WT_ERR_STATE before `start` or after
   * `stop`. The message is then dropped.
   */
  int (*publish)(struct wt_backplane *self, const char *topic, size_t topic_len, const uint8_t *data, size_t len);

  /**
   * Asks for the messages of `topic`, now and after each time that the broker was lost, until `unsubscribe`. `topic` is
   * copied. Errors: WT_ERR_NOMEM; WT_ERR_AGAIN if there are too many topics; WT_ERR_TOO_LARGE if the name is too long;
   * WT_ERR_STATE before `start` or after `stop`. After an error the server does not call `unsubscribe` for it.
   */
  int (*subscribe)(struct wt_backplane *self, const char *topic, size_t topic_len);

  /** Ends what `subscribe` began. */
  void (*unsubscribe)(struct wt_backplane *self, const char *topic, size_t topic_len);

  /** Fills `*stats`, whose `size` is set. NULL: the backplane counts nothing. */
  int (*get_stats)(struct wt_backplane *self, struct wt_backplane_stats *stats);
};

#ifdef __cplusplus
}
#endif

#endif
