/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_BACKPLANE_REDIS_H
#define WEBTRANSPORT_BACKPLANE_REDIS_H

/*
 * A backplane (backplane.h) over Redis or Valkey, by PUBLISH and SUBSCRIBE. It is a library of its own: link
 * webtransport-redis too (`pkg-config --libs libwebtransport-redis`).
 *
 *     struct wt_broker_config config;
 *     struct wt_backplane *backplane;
 *     wt_backplane_redis_config_default(&config);
 *     config.url = "redis://localhost";
 *     if (wt_backplane_redis_new(&config, &backplane) == 0) wt_server_set_backplane(server, backplane);
 *
 * It uses two connections, on the loop of the server's worker 0, and no thread of its own. Name lookups use libuv's
 * threads.
 */

#include <webtransport/broker.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Fills the first `size` bytes of `*config` with the defaults of Redis, which broker.h lists. `size` is sizeof(struct
 * wt_broker_config) in the headers that the caller was compiled with, so a newer library does not write too much. Any
 * thread. Since 0.3.0.
 */
WT_API void wt_backplane_redis_config_init(struct wt_broker_config *config, size_t size);

/** Calls `wt_backplane_redis_config_init` with the right size. Programs in C use this. Since 0.3.0. */
static inline void wt_backplane_redis_config_default(struct wt_broker_config *config) {
  wt_backplane_redis_config_init(config, sizeof(*config));
}

/**
 * Makes a backplane. It connects when the server starts. Give it to a server, which then frees it; or call its `free`.
 * Any thread.
 *
 * Errors: WT_ERR_INVALID, WT_ERR_ADDRESS for the URL, WT_ERR_FILE or WT_ERR_TLS for the files, WT_ERR_UNSUPPORTED (a
 * program newer than the library), WT_ERR_NOMEM. `*backplane` is then NULL, and `wt_backplane_redis_error` has a
 * sentence. Since 0.3.0.
 */
WT_API int wt_backplane_redis_new(const struct wt_broker_config *config, struct wt_backplane **backplane);

/* --- Commands of your own. --- */

/** A value of a reply: its bytes, also those of a number, as text. `bytes` is NULL if Redis says nil. Since 0.3.0. */
struct wt_redis_value {
  const char *bytes; /**< with a NUL behind them */
  size_t len;        /**< bytes of `bytes`, without that NUL */
};

/** What became of a command. Since 0.3.0. */
struct wt_redis_reply {
  size_t size;       /**< sizeof(struct wt_redis_reply) of the library */
  const char *error; /**< NULL: it was done; else what Redis says against it, or that the connection was lost */
  const struct wt_redis_value *values; /**< of an array all of them, those of arrays inside it in their place */
  size_t count;                        /**< how many `values` there are */
};

/** A reply; it is borrowed until the callback returns. Since 0.3.0. */
typedef void (*wt_redis_reply_callback)(const struct wt_redis_reply *reply, void *user_data);

/**
 * Sends a command to Redis on the connection that publishes, for a history or a list of members beside the topics. Redis
 * does it before it gets what is published later. `words` has `count` words, 1 to 256, the command first; `lens` their lengths, or NULL
 * if they are texts. They are copied. `on_reply` is called exactly once, later, on the loop of worker 0; NULL: the
 * reply does not matter. If the connection is lost, nobody knows whether Redis has done it. It is not sent again.
 *
 * Do not send commands that wait (BLPOP), that have no single reply (SUBSCRIBE), or that change the connection (SELECT,
 * MULTI); a script does several things at once. A reply that is larger than `max_message_bytes` and 65,536 more ends the
 * connection. With `sharded`, keys need the hash tag of `prefix`. On the thread of worker 0, any callback.
 *
 * Errors: WT_ERR_AGAIN if Redis is not connected, or if 1,024 commands or 1 MiB of them wait for replies; WT_ERR_INVALID;
 * WT_ERR_NOMEM. Then `on_reply` is not called. Since 0.3.0.
 */
WT_API int wt_backplane_redis_command(struct wt_backplane *backplane, const char *const *words, const size_t *lens,
                                      size_t count, wt_redis_reply_callback on_reply, void *user_data);

/** Returns a sentence about the last error of `wt_backplane_redis_new` on this thread; "" if there was none. It never
 * shows a password. Since 0.3.0. */
WT_API const char *wt_backplane_redis_error(void);

#ifdef __cplusplus
}
#endif

#endif
