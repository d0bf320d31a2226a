/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_BACKPLANE_NATS_H
#define WEBTRANSPORT_BACKPLANE_NATS_H

/*
 * A backplane (backplane.h) over NATS, by its plain publish and subscribe. It is a library of its own: link
 * webtransport-nats too (`pkg-config --libs libwebtransport-nats`).
 *
 *     struct wt_backplane_nats_config config;
 *     struct wt_backplane *backplane;
 *     wt_backplane_nats_config_default(&config, sizeof(config));
 *     config.url = "nats://localhost";
 *     if (wt_backplane_nats_new(&config, &backplane) == 0) wt_server_set_backplane(server, backplane);
 *
 * It uses one connection, on the loop of the server's worker 0. To connect, which nats.c does by calls that wait, it takes
 * a thread of libuv's pool. nats.c has four threads of its own for all connections of a process: for timers, for its
 * callbacks, for garbage, and one that hands over messages, which the backplane passes on to the loop. nats.c also makes
 * the process ignore SIGPIPE. docs/guide/backplanes.md says what may be lost, and when.
 */

#include <webtransport/backplane.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The configuration. `wt_backplane_nats_config_default` fills it; then change what you need. Zero means zero. Texts are
 * copied. Since 0.3.0.
 */
struct wt_backplane_nats_config {
  size_t size; /**< set by `wt_backplane_nats_config_default`; leave it */

  /**
   * "nats://user:password@host:port", or "tls://" for TLS. User, password and port (default 4222) are optional; a user
   * without a password is a token. Special characters in user and password are percent-encoded. Several URLs with
   * commas between are tried in turn. Default "nats://localhost". The library shows user and password nowhere.
   */
  const char *url;
  const char *username;         /**< instead of the URL's; NULL (the default): that of the URL */
  const char *password;         /**< likewise; it keeps the secret out of the URL */
  const char *credentials_file; /**< file with a JWT and its seed, as NATS accounts use it; NULL (the default): none */

  /** Stands before each topic in its subject: words of letters, digits, '-' and '_' with dots between, up to 255 bytes.
   * Default "wt". Servers with different ones do not see each other. A server subscribes to subjects "PREFIX.t.TOPIC" and
   * "PREFIX.e.SERVER". */
  const char *prefix;

  /* --- TLS. --- */
  const char *ca_file;                     /**< PEM file of the authorities; NULL (the default): those of the system */
  const char *certificate_file, *key_file; /**< PEM files, if the broker asks for a certificate; NULL: none */

  /* --- Time, in milliseconds. --- */
  uint64_t reconnect_min_ms; /**< the first wait before a connection is tried again; at least 1; default 50 */
  uint64_t reconnect_max_ms; /**< the wait doubles up to this one; up to 3,600,000; default 500 */
  /** After the broker was lost and is back, messages wait so long, so that the other servers have subscribed again when
   * they are sent; up to 3,600,000; 0: they are sent at once; default 500, as `reconnect_max_ms` of all servers. */
  uint64_t resend_delay_ms;
  uint64_t timeout_ms; /**< for connecting, and for each answer; 10 to 3,600,000; default 2,000 */

  /* --- Bounds. --- */
  size_t max_queue_bytes;   /**< messages that wait for the broker or its answer; default 16 MiB. Beyond it, messages
                                 are dropped and counted. */
  size_t max_message_bytes; /**< of one message; 1 to 268,435,456; default 1,000,000. A NATS server takes 1 MiB unless
                                 it is told otherwise. */
  size_t max_topics;        /**< subscribed at the same time; at least 1; default 65,536 */

  wt_backplane_event_callback on_event; /**< NULL (the default): nobody is told; the log is */
  void *user_data;
};

/**
 * Fills the first `size` bytes of `*config` with the defaults above. `size` is sizeof(struct wt_backplane_nats_config)
 * of the program. Any thread. Since 0.3.0.
 */
WT_API void wt_backplane_nats_config_default(struct wt_backplane_nats_config *config, size_t size);

/**
 * Makes a backplane. It connects when the server starts. Give it to a server, which then frees it; or call its `free`.
 * Any thread.
 *
 * Errors: WT_ERR_INVALID, WT_ERR_ADDRESS for the URL, WT_ERR_FILE or WT_ERR_TLS for the files, WT_ERR_UNSUPPORTED (a
 * program newer than the library), WT_ERR_NOMEM. `*backplane` is then NULL, and `wt_backplane_nats_error` has a
 * sentence. Since 0.3.0.
 */
WT_API int wt_backplane_nats_new(const struct wt_backplane_nats_config *config, struct wt_backplane **backplane);

/** Returns a sentence about the last error of `wt_backplane_nats_new` on this thread; "" if there was none. It never
 * shows a password. Since 0.3.0. */
WT_API const char *wt_backplane_nats_error(void);

#ifdef __cplusplus
}
#endif

#endif
