/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_ENGINE_H
#define WT_BACKPLANES_ENGINE_H

/*
 * What the backplanes have in common: the queue of messages that wait for the broker, the subscriptions, the numbers that
 * tell what was lost, and when to connect again. A kind of broker adds how to speak to it: a table of functions, struct
 * wt__broker, and the calls back that stand below it.
 *
 *                 open                    opened                  synced
 *     WAITING ------------> OPENING ------------> SYNCING ----------------> UP
 *        ^                     |                     |                      |
 *        |       closed        |        lost         |         lost         |
 *        +------- CLOSING <----+---------------------+----------------------+
 *
 * A message stays in the queue until the broker has confirmed it. After a loss all that stayed is sent again, in the same
 * order; receivers drop what they have already. So a message is lost only if the queue was full, or if a receiver was not
 * connected when the broker passed it on.
 *
 * Threads: publish, subscribe and unsubscribe come on any thread. They change what `lock` guards and wake the loop. All
 * else runs on the loop's thread. `lock` is never held while something is called that may call back.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include <webtransport/broker.h>

#include "backoff.h"
#include "base/list.h"
#include "broker_url.h"
#include "envelope.h"
#include "names.h"
#include "numbers.h"
#include "tracks.h"

/* Topics are no longer than this, so that each has a name that a broker takes. */
#define WT__TOPIC_MAX 1024
/* Bytes of messages that were handed to the broker and are not confirmed. */
#define WT__WINDOW_MAX (1024 * 1024)
#define WT__PREFIX_MAX 255 /* bytes of `prefix` */
#define WT__WHY_MAX 512    /* of a sentence about an error, with the NUL */

struct wt__engine;

/* A message of this server. */
struct wt__message {
  struct wt__link link;
  size_t topic_len, len;
  char bytes[]; /* the topic; then `len` bytes: envelope and payload */
};

static inline const char *wt__message_payload(const struct wt__message *message) {
  return message->bytes + message->topic_len;
}

/* A kind of broker: what it is called and how to speak to it. The functions from `open` to `ping` run on the loop's thread
 * and do not wait. One that fails later, or in itself, calls wt__engine_lost. */
struct wt__broker {
  size_t size; /* of the struct that begins with an engine */
  struct wt__broker_schemes schemes;
  const char *url, *prefix; /* the defaults */
  /* Takes what the engine does not from the configuration, and says what is wrong in it. 0, or WT_ERR_... with a sentence
   * in `why`; `free` is called then. */
  int (*set_up)(struct wt__engine *engine, const struct wt_broker_config *config, char why[WT__WHY_MAX]);

  void (*open)(struct wt__engine *engine, const struct wt__broker_url *url); /* then wt__engine_opened */
  void (*close)(struct wt__engine *engine);                                  /* then wt__engine_closed */
  /* Asks for a topic. Returns a number: what arrives belongs to this subscription, and not to an earlier one, once
   * wt__engine_progress has been called with that number or more. */
  uint64_t (*subscribe)(struct wt__engine *engine, const char *topic, size_t len);
  void (*unsubscribe)(struct wt__engine *engine, const char *topic, size_t len);
  void (*sync)(struct wt__engine *engine); /* asks whether what came before is in force; then wt__engine_synced */
  /* Sends a message, which is confirmed later. False: it never can be sent. */
  bool (*publish)(struct wt__engine *engine, const struct wt__message *message);
  void (*flush)(struct wt__engine *engine); /* what was published may go out */
  bool (*ping)(struct wt__engine *engine);  /* asks for an answer; false: the last question has none yet */
  void (*woken)(struct wt__engine *engine); /* after wt__engine_poke, at any state; NULL: nothing */
  void (*ended)(struct wt__engine *engine); /* there will be no connection any more; NULL: nothing */
  void (*free)(struct wt__engine *engine);  /* frees the engine and what contains it */
};

enum wt__engine_state {
  WT__ENGINE_NEW,
  WT__ENGINE_WAITING,
  WT__ENGINE_OPENING,
  WT__ENGINE_SYNCING,
  WT__ENGINE_UP,
  WT__ENGINE_CLOSING,
  WT__ENGINE_STOPPED,
};

struct wt__engine {
  struct wt_backplane base; /* first: what the server calls */
  const struct wt__broker *broker;
  struct wt_broker_config config; /* without its texts */
  char prefix[WT__PREFIX_MAX + 1];
  size_t prefix_len;
  struct wt__broker_url *urls; /* tried in turn */
  size_t url_count, url_next;

  const struct wt_backplane_host *host;
  uint8_t publisher[WT__PUBLISHER_LEN];
  uv_async_t wake;
  uv_timer_t timer;      /* of the state */
  uv_timer_t drop_timer; /* the next WT_BACKPLANE_DROPPED */
  uv_timer_t hold_timer; /* the end of `is_holding` */
  int handles;           /* of these four, not closed yet */

  /* --- The loop's thread. --- */
  enum wt__engine_state state;
  bool stopping, told_down;
  bool is_holding; /* the broker is back, but other servers may not have subscribed again yet */
  unsigned steps;  /* halves of `timeout_ms` without an answer */
  struct wt__backoff backoff;
  struct wt__list queue;   /* the oldest first */
  struct wt__link *unsent; /* the first one of the queue that was not sent; the list's head: none */
  size_t sent_count, sent_bytes;
  uint64_t progress; /* of the broker with subscriptions */

  /* --- Guarded by `lock`. --- */
  uv_mutex_t lock;
  bool running, woken;
  struct wt__list incoming; /* messages that are not in the queue yet */
  struct wt__numbers numbers;
  struct wt__names subs;
  struct wt__list all_subs, changed_subs;
  size_t sub_count; /* those that are wanted */
  uint64_t dropped_untold;
  struct wt_backplane_stats stats;
};

/* 0, WT_ERR_NOMEM or WT_ERR_ADDRESS with a sentence in `*why`. After an error nothing is to be freed. */
int wt__engine_init(struct wt__engine *engine, const struct wt__broker *broker, const struct wt_broker_config *config,
                    const char **why);
/* Frees what `wt__engine_init` made. Called by `broker->free`. */
void wt__engine_free(struct wt__engine *engine);

/* --- What a broker reports, on the loop's thread. --- */

void wt__engine_opened(struct wt__engine *engine);
void wt__engine_synced(struct wt__engine *engine);
/* The connection does not work, or does not any more. `reason` is for people and has no password. Nothing if it is known
 * already. Calls `broker->close`. */
void wt__engine_lost(struct wt__engine *engine, const char *reason);
/* Nothing of the connection is left. Also inside `broker->close`. */
void wt__engine_closed(struct wt__engine *engine);
/* The oldest `count` messages that were sent are with the broker. */
void wt__engine_confirmed(struct wt__engine *engine, size_t count);
/* The oldest message that was sent was refused. */
void wt__engine_refused(struct wt__engine *engine);
/* The broker has done what `subscribe` numbered so. The numbers begin again at 0 with each connection. */
static inline void wt__engine_progress(struct wt__engine *engine, uint64_t number) { engine->progress = number; }
/* A message to a topic; it may be our own. */
void wt__engine_received(struct wt__engine *engine, const char *topic, size_t topic_len, const void *bytes, size_t len);
/* Whether the connection is wanted still: asked after a call that may have reported a loss. */
static inline bool wt__engine_is_open(const struct wt__engine *engine) {
  return engine->state == WT__ENGINE_OPENING || engine->state == WT__ENGINE_SYNCING || engine->state == WT__ENGINE_UP;
}

/* The loop calls `broker->woken` soon. */
void wt__engine_poke(struct wt__engine *engine);

void wt__engine_log(struct wt__engine *engine, enum wt_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
