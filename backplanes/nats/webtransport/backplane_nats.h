/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_BACKPLANE_NATS_H
#define WEBTRANSPORT_BACKPLANE_NATS_H

/*
 * A backplane (backplane.h) over NATS, by its plain publish and subscribe. It is a library of its own: link
 * webtransport-nats too (`pkg-config --libs libwebtransport-nats`).
 *
 *     struct wt_broker_config config;
 *     struct wt_backplane *backplane;
 *     wt_backplane_nats_config_default(&config);
 *     config.url = "nats://localhost";
 *     if (wt_backplane_nats_new(&config, &backplane) == 0) wt_server_set_backplane(server, backplane);
 *
 * It uses one connection, on the loop of the server's worker 0. To connect, which nats.c does by calls that wait, it takes
 * a thread of libuv's pool. nats.c has four threads of its own for all connections of a process: for timers, for its
 * callbacks, for garbage, and one that hands over messages, which the backplane passes on to the loop. nats.c also makes
 * the process ignore SIGPIPE.
 */

#include <webtransport/broker.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Fills the first `size` bytes of `*config` with the defaults of NATS, which broker.h lists. `size` is sizeof(struct
 * wt_broker_config) in the headers that the caller was compiled with, so a newer library does not write too much. Any
 * thread. Since 0.3.0.
 */
WT_API void wt_backplane_nats_config_init(struct wt_broker_config *config, size_t size);

/** Calls `wt_backplane_nats_config_init` with the right size. Programs in C use this. Since 0.3.0. */
static inline void wt_backplane_nats_config_default(struct wt_broker_config *config) {
  wt_backplane_nats_config_init(config, sizeof(*config));
}

/**
 * Makes a backplane. It connects when the server starts. Give it to a server, which then frees it; or call its `free`.
 * Any thread.
 *
 * Errors: WT_ERR_INVALID, WT_ERR_ADDRESS for the URL, WT_ERR_FILE or WT_ERR_TLS for the files, WT_ERR_UNSUPPORTED (a
 * program newer than the library), WT_ERR_NOMEM. `*backplane` is then NULL, and `wt_backplane_nats_error` has a
 * sentence. Since 0.3.0.
 */
WT_API int wt_backplane_nats_new(const struct wt_broker_config *config, struct wt_backplane **backplane);

/** Returns a sentence about the last error of `wt_backplane_nats_new` on this thread; "" if there was none. It never
 * shows a password. Since 0.3.0. */
WT_API const char *wt_backplane_nats_error(void);

#ifdef __cplusplus
}
#endif

#endif
