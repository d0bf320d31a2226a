/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_FLEET_H
#define WEBTRANSPORT_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/version.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wt_server wt_server; /* server.h */

/* --- Keys: what one machine gives to a client, another machine takes. --- */

/**
 * The secrets of a fleet, which are the same on all of its machines. `wt_fleet_keys_default` fills it; then set
 * `current` at least. docs/guide/fleet.md tells how to make, spread and replace them.
 *
 * Each machine derives the same keys from them. So with the same certificates, a TLS session is resumed on another
 * machine. A token of Retry or NEW_TOKEN is good on another machine, for the same client's address. And a packet for a
 * connection that ended with its machine gets a stateless reset from any other; see `own_resets` for where that must
 * not be.
 *
 * Each secret has 32 to 256 unpredictable bytes, or is NULL with length 0. Who knows one can read and forge all of
 * this: keep it like the key of a certificate. Since 0.3.0.
 */
struct wt_fleet_keys {
  size_t size; /**< set by `wt_fleet_keys_default`; leave it */

  const uint8_t *current; /**< what is made now is made with it; required */
  size_t current_len;
  /** Will be the current one. What another machine, which is ahead, has made with it is taken already. */
  const uint8_t *next;
  size_t next_len;
  /** Was the current one. What was made with it is still taken. */
  const uint8_t *previous;
  size_t previous_len;

  /**
   * Stateless resets are of this process alone, or of the configuration's `reset_key`, and do not follow from the
   * secrets. Default false. Set it where a packet can come to another machine while its connection still lives on the
   * first one: if clients reach each machine by an address of its own (DNS), or a balancer goes by addresses and not
   * by connection ids. Else anybody who sees a client's packet can send it to another machine, and learn the token
   * that ends the connection (RFC 9000, section 21.11).
   */
  bool own_resets;
};

/**
 * Fills the first `size` bytes of `*keys` with the defaults: no secrets. `size` is sizeof(struct wt_fleet_keys) in the
 * headers that the caller was compiled with. Any thread. Since 0.3.0.
 */
WT_API void wt_fleet_keys_init(struct wt_fleet_keys *keys, size_t size);

/** Calls `wt_fleet_keys_init` with the right size. Programs in C use this. Since 0.3.0. */
static inline void wt_fleet_keys_default(struct wt_fleet_keys *keys) { wt_fleet_keys_init(keys, sizeof(*keys)); }

/**
 * Replaces the secrets of a server, on all of its workers; also those that were random so far. Nothing happens to open
 * connections. `keys` is copied, and what the server keeps are keys derived from it. `message` may be NULL; it gets a
 * sentence about an error, or "": at most `message_size` bytes with the NUL.
 *
 * The rotation: each machine knows `next` before the first one makes it `current`, and keeps the old secret as
 * `previous` as long as tickets live (`ticket_lifetime_s`), which is 6 hours by default. A secret that is not named
 * any more is forgotten: its tickets lead to a full handshake, its tokens prove nothing, and connections that it gave
 * their reset tokens end by their idle timeout if their machine does.
 *
 * Once the server is started, any thread. Before, the thread that made it.
 *
 * Errors: WT_ERR_INVALID if there is no `current`, or a secret is too short or too long; WT_ERR_UNSUPPORTED if `*keys`
 * has members that this library does not know; WT_ERR_TLS; WT_ERR_NOMEM. After an error nothing has changed. Since
 * 0.3.0.
 */
WT_API int wt_server_set_fleet_keys(wt_server *server, const struct wt_fleet_keys *keys, char *message,
                                    size_t message_size);

#ifdef __cplusplus
}
#endif

#endif
