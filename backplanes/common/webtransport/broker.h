/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_BROKER_H
#define WEBTRANSPORT_BROKER_H

/*
 * How a backplane reaches its broker: one configuration for every kind. backplane_redis.h and backplane_nats.h fill it with
 * their defaults and make backplanes from it. docs/guide/backplanes.md says what may be lost, and when.
 */

#include <webtransport/backplane.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * The configuration. `wt_backplane_redis_config_default` or `wt_backplane_nats_config_default` fills it; then change what
 * you need. Zero means zero. Texts are copied. Since 0.3.0.
 */
struct wt_broker_config {
  size_t size; /**< set by the `_default` function; leave it */

  /**
   * "redis://user:password@host:port/database" or "nats://user:password@host:port"; "rediss://" or "tls://" for TLS. User,
   * password, port (6379 or 4222) and database are optional; NATS takes a user without a password as a token. Special
   * characters in user and password are percent-encoded. Several URLs with commas between are tried in turn. Default
   * "redis://localhost" or "nats://localhost". The library shows user and password nowhere.
   */
  const char *url;
  const char *username; /**< instead of the URL's; NULL (the default): that of the URL */
  const char *password; /**< likewise; it keeps the secret out of the URL */

  /**
   * Stands before each topic in the name that the broker sees: up to 255 bytes. Servers with different ones do not see each
   * other. Redis: a channel is PREFIX and the topic; default "wt:". NATS: words of letters, digits, '-' and '_' with dots
   * between; a server subscribes to subjects "PREFIX.t.TOPIC" and "PREFIX.e.SERVER"; default "wt".
   */
  const char *prefix;

  /* --- What one kind has. The other one refuses it. --- */

  /**
   * Redis: use SPUBLISH and SSUBSCRIBE (Redis 7), so that a cluster does not carry each message to all of its nodes. All
   * topics then lie on the node that the hash tag in `prefix` names, as in "{wt}:", so `prefix` must have one. The
   * backplane follows the cluster to that node. Default false.
   */
  bool sharded;
  const char *credentials_file; /**< NATS: file with a JWT and its seed, as accounts use it; NULL (the default): none */

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
  void *user_data;                      /**< the pointer that `on_event` gets */
};

#ifdef __cplusplus
}
#endif

#endif
