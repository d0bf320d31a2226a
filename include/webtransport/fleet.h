/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_FLEET_H
#define WEBTRANSPORT_FLEET_H

/* Servers on more than one machine, and in more than one process. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct wt_server wt_server; /* server.h */

/* --- Connection ids: how a load balancer finds the server of a packet. --- */

/*
 * A client sends each packet with a connection id that the server made. A balancer that reads the server out of it can
 * send the packet there without a table of connections, also when the client's address changes. Without `connection_ids`
 * in struct wt_server_config the ids are random. docs/guide/fleet.md, "Connection ids", says which layout is for which
 * balancer.
 */

/** What the connection ids of a server look like. Since 0.3.0. */
enum wt_connection_id_layout {
  /** Random bytes: for one machine, or a balancer that goes by addresses. */
  WT_CONNECTION_ID_RANDOM = 0,
  /** QUIC-LB (draft-ietf-quic-load-balancers): first octet, server id and nonce, encrypted if there is a key. */
  WT_CONNECTION_ID_QUIC_LB = 1,
  /**
   * QUIC-LB for a server that has no configuration yet: the first three bits are 0b111, and balancers go by addresses.
   * A client gets exactly one id and is told not to migrate (disable_active_migration).
   */
  WT_CONNECTION_ID_UNROUTABLE = 2,
  /** The Network Load Balancer of AWS: a random byte, then the 8 bytes of the server id in the clear. */
  WT_CONNECTION_ID_AWS_NLB = 3,
  /** Katran: a version in the first two bits, and the number of the host in the clear. */
  WT_CONNECTION_ID_KATRAN = 4,
};

/**
 * How a server makes its connection ids. `wt_connection_ids_default` fills it for a layout; then set the members of this
 * layout. The other layouts' members must stay as they are. Since 0.3.0.
 */
struct wt_connection_ids {
  size_t size;                         /**< set by `wt_connection_ids_default`; leave it */
  enum wt_connection_id_layout layout; /**< as given to `wt_connection_ids_default` */

  /**
   * Bytes of each id: 8 to 20; default 18, with WT_CONNECTION_ID_AWS_NLB 16. All ids of a server have one length, for as
   * long as the server lives: it is how packets are read. Bytes that the layout does not use are random. A server with
   * several workers needs the last byte for the number of the worker, behind all that the layout uses.
   */
  size_t length;

  /**
   * The server id, as the balancer knows it. WT_CONNECTION_ID_QUIC_LB: 1 to 15 bytes. WT_CONNECTION_ID_AWS_NLB: 8 bytes.
   * WT_CONNECTION_ID_KATRAN: the number of the host, big-endian, in 2, 3 or 4 bytes for version 1, 2 or 3. Otherwise NULL
   * with 0 (the default). Copied.
   */
  const uint8_t *server_id;
  size_t server_id_len; /**< bytes of `server_id` */

  /* --- WT_CONNECTION_ID_QUIC_LB --- */
  unsigned config_id; /**< the configuration's number, 0 (the default) to 6 */
  /**
   * Bytes of the nonce: 4 to 18; default 8. Server id and nonce have at most 19 bytes together. With a key, a nonce must
   * never come twice. From 8 bytes on it is random. A shorter one is a counter that begins at a random number; when all
   * numbers are used up, ids are made as with WT_CONNECTION_ID_UNROUTABLE, and the log says so. Another process with the
   * same server id and key, also one after a restart, begins at another number and may repeat some: then use 8 bytes.
   */
  size_t nonce_length;
  /**
   * 16 secret bytes that all servers and balancers share; NULL (the default) with 0: server id and nonce are in the clear,
   * so that observers can tell which server a client is connected to. Copied.
   */
  const uint8_t *key;
  size_t key_len;             /**< bytes of `key` */
  bool length_in_first_octet; /**< the first octet tells the length of the rest; default false: five random bits */

  /* --- WT_CONNECTION_ID_KATRAN --- */
  unsigned katran_version; /**< 1, 2 or 3; default 2 */
};

/**
 * Fills the first `size` bytes of `*ids` with the defaults of `layout`. `size` is sizeof(struct wt_connection_ids) in the
 * headers that the caller was compiled with. Any thread. Since 0.3.0.
 */
WT_API void wt_connection_ids_init(struct wt_connection_ids *ids, enum wt_connection_id_layout layout, size_t size);

/** Calls `wt_connection_ids_init` with the right size. Programs in C use this. Since 0.3.0. */
static inline void wt_connection_ids_default(struct wt_connection_ids *ids, enum wt_connection_id_layout layout) {
  wt_connection_ids_init(ids, layout, sizeof(*ids));
}

/**
 * Makes new connection ids as `ids` says from now on, on all workers; NULL: random ones. Open connections move to it: the
 * server gives each client ids of the new kind and asks it to retire the old ones (NEW_CONNECTION_ID with Retire Prior To,
 * RFC 9000, section 5.1.2). Packets with old ids are taken until the client has retired them, so give balancers the new
 * configuration first. After a change to WT_CONNECTION_ID_UNROUTABLE, open connections keep the ids that they have. The
 * same configuration again changes nothing.
 *
 * `message` may be NULL; it gets a sentence about an error that names the member at fault, or "": at most `message_size`
 * bytes with the NUL. Any thread, any callback, also before the start; not while the server is freed.
 *
 * Errors: WT_ERR_INVALID if a member of `ids` is out of its range, or `length` is not that of the server's ids, or `server`
 * is NULL; WT_ERR_INVALID or WT_ERR_UNSUPPORTED if `ids->size` is wrong (error.h, "Structs that grow"). After an error
 * nothing has changed. Since 0.3.0.
 */
WT_API int wt_server_set_connection_ids(wt_server *server, const struct wt_connection_ids *ids, char *message,
                                        size_t message_size);

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
  size_t current_len;     /**< bytes of `current` */
  /** Will be the current one. What another machine, which is ahead, has made with it is taken already. */
  const uint8_t *next;
  size_t next_len; /**< bytes of `next` */
  /** Was the current one. What was made with it is still taken. */
  const uint8_t *previous;
  size_t previous_len; /**< bytes of `previous` */

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

/* --- Takeover: a new process takes over from an old one. --- */

/*
 * A new process of the same program (a new binary, other options) gets the bound UDP sockets of the old one, and with them
 * all new connections. The old process keeps its own connections until they end. No packet is lost: what waits in the
 * sockets is read by the new process, and packets for the old process's connections are handed over to it. Packets reach
 * the right process whatever their connection ids look like, and the two processes may have different numbers of workers,
 * certificates and bounds. Three or more processes can be alive at once.
 *
 *     wt_server_new(&config, &server, ...);
 *     wt_server_takeover(server, "/run/example/takeover.sock", &options);   // asks the old process, if there is one
 *     ... certificates, routes, and all else that can fail ...
 *     wt_server_start(server);                                              // from here on, this process serves
 *     wt_server_run(server);                                                // returns when a next one has taken over,
 *                                                                           // and the last connection here has ended
 *
 * If the new process fails or ends before `wt_server_start` has returned, the old one goes on as if nothing had happened.
 * If it dies later, by whatever signal, the old process takes everything back, as long as it is alive. If it ends in order
 * (`wt_server_shutdown`), the old process keeps only its own connections and takes no new ones.
 *
 * Whoever may connect to the Unix socket gets the sockets, and with them all clients. So the file has mode 0600, and each
 * side accepts only a process of the same user, or of root. Put it in a folder that only this user can write to.
 */

/** What the old process does when another one has taken over. `wt_takeover_options_default` fills it. Since 0.3.0. */
struct wt_takeover_options {
  size_t size; /**< set by `wt_takeover_options_default`; leave it */

  /**
   * How long the connections of the old process may go on, in milliseconds, up to 4,294,967,295; default 3,600,000 (an
   * hour). A second before the end its sessions are closed, with code 0 and the reason "the server is shutting down", as
   * by `wt_server_shutdown`. The new process may hand over packets for as long.
   */
  uint64_t deadline_ms;

  /**
   * Whether the old process sends GOAWAY and WT_DRAIN_SESSION on its connections at once, so that clients move to the new
   * one; default false: sessions are left alone, and a connection gets GOAWAY when it has been idle for a second. Set it if
   * clients keep one connection for a long time and open all their sessions on it, as proxies do.
   */
  bool drain;

  /**
   * The new process serves now; this one has only its connections left. Release what the next process needs, such as
   * files that one process alone may write. Called on the thread of worker 0, outside of other callbacks. NULL: nobody
   * wants to know.
   */
  void (*on_taken)(wt_server *server, void *user_data);

  /** The new process has died, and this one serves again. Likewise. */
  void (*on_taken_back)(wt_server *server, void *user_data);

  void *user_data; /**< of both */
};

/** Fills the first `size` bytes of `*options` with the defaults; see `wt_server_config_init`. Any thread. Since 0.3.0. */
WT_API void wt_takeover_options_init(struct wt_takeover_options *options, size_t size);

/** Calls `wt_takeover_options_init` with the right size. Programs in C use this. Since 0.3.0. */
static inline void wt_takeover_options_default(struct wt_takeover_options *options) {
  wt_takeover_options_init(options, sizeof(*options));
}

/**
 * Makes the server take over from the process that listens at `path`, a Unix socket, if there is one; and listen there
 * itself from its start on, for the process that comes after it. Before `wt_server_start`, once. It waits for the old
 * process's answer, for 10 seconds at most.
 *
 * If nobody listens at `path`, nothing is taken over, and that is no error. A socket file whose process is gone is
 * replaced. `path` has 1 to 95 bytes; it and `options` are copied; NULL stands for the default options.
 *
 * What is taken over: the sockets of each address that `listen` names too. A port 0 in `listen` stands for the old
 * process's port of that address. Addresses that only the old process has stay with it: it reads them for its own
 * connections, and takes no new ones. Addresses that only the new one has are opened as always. Retry and address tokens,
 * and stateless resets, go on with the old process's keys, unless `fleet_keys` or `reset_key` gives some.
 *
 * Errors: WT_ERR_STATE if it was called before, or the server was started; WT_ERR_INVALID if `path` is NULL, empty or too
 * long, or a member of `options` is out of its range; WT_ERR_UNSUPPORTED for `options->size` (error.h, "Structs that
 * grow"); WT_ERR_FILE if there is another kind of file at `path`, or another user's process listens there; WT_ERR_REJECTED
 * if the old process refuses, for example because it is shutting down, or another takeover is under way; WT_ERR_TIMEOUT
 * if it does not answer; WT_ERR_PROTOCOL if its answer cannot be read; WT_ERR_IO; WT_ERR_NOMEM. `wt_server_error` has a
 * sentence. After an error the server is as before, and the old process goes on. After `wt_server_start` has failed, call it again.
 *
 * `wt_server_start` then fails also if the old process does not let go of its sockets within 10 seconds (WT_ERR_TIMEOUT),
 * or has changed its mind (WT_ERR_REJECTED).
 *
 * Any thread before the start, not inside a callback. Since 0.3.0.
 */
WT_API int wt_server_takeover(wt_server *server, const char *path, const struct wt_takeover_options *options);

/**
 * Adds a descriptor that a process which takes over gets as well, such as a listening TCP socket. `name` has 1 to 32
 * printable characters without blanks, and is copied; several descriptors may have the same name. `fd` stays the caller's,
 * and must stay open until the server is freed. At most 64. Any callback of worker 0.
 *
 * Errors: WT_ERR_STATE without `wt_server_takeover`; WT_ERR_INVALID if `name` is NULL or not as above, or `fd` is
 * negative; WT_ERR_TOO_LARGE if there are 64. Since 0.3.0.
 */
WT_API int wt_server_takeover_give(wt_server *server, const char *name, int fd);

/**
 * Returns a descriptor that the old process gave with this name, the first one that was not returned yet. It belongs to the
 * caller from then on. It has FD_CLOEXEC; other flags are shared with the old process. Those that nobody asked for are
 * closed by `wt_server_start`. Any callback of worker 0.
 *
 * Errors, which are negative as no descriptor is: WT_ERR_NOT_FOUND if there is none, or nothing was taken over;
 * WT_ERR_INVALID if a pointer is NULL. Since 0.3.0.
 */
WT_API int wt_server_takeover_receive(wt_server *server, const char *name);

#ifdef __cplusplus
}
#endif

#endif
