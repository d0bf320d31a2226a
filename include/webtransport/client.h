/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_CLIENT_H
#define WEBTRANSPORT_CLIENT_H

#include <webtransport/certificate.h>
#include <webtransport/connection.h>
#include <webtransport/error.h>
#include <webtransport/log.h>
#include <webtransport/request.h>
#include <webtransport/server.h>
#include <webtransport/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A client: a loop, sockets, what it trusts, and its connections. */
typedef struct wt_client wt_client;

/** A session that was asked for, on its way. It lives until its `on_done`. */
typedef struct wt_dial wt_dial;

/** An HTTP/3 request of a client and the response to it (RFC 9114, section 4.1). It lives until its `on_close`. */
typedef struct wt_exchange wt_exchange;

/**
 * A client's configuration. `wt_client_config_default` fills it; change what you need. Zero means zero,
 * never "the default". docs/limits.md lists each bound with its reason.
 */
struct wt_client_config {
  size_t size; /**< set by `wt_client_config_default`; leave it */

  /** The loop to run on, which stays the caller's; NULL (the default) for a loop of its own. */
  struct uv_loop_s *loop;

  /** Where log lines go; NULL (the default) for standard error. */
  wt_log_callback log;
  void *log_user_data;
  enum wt_log_level log_level; /**< default WT_LOG_WARN */

  /* --- Whom to trust. By default: a chain to an authority that the system trusts, and the server's name. --- */

  /** PEM file of the authorities to trust instead of the system's; NULL (the default): the system's. Copied. */
  const char *ca_file;
  /**
   * SHA-256 of the leaf's DER, one or more: then only such certificates are accepted, by the rules of
   * `serverCertificateHashes` (W3C WebTransport): ECDSA P-256 or the like, valid now, and for at most 14 days in
   * all. The name is not checked. Copied. Default: none.
   */
  const uint8_t (*certificate_hashes)[32];
  size_t certificate_hash_count;
  /** Accept any certificate whatsoever: whoever is on the path can read and change everything. For tests alone. */
  bool dangerously_accept_any_certificate;

  /**
   * What the client shows to servers that ask for a certificate, with its chain; NULL (the default): nothing. The client
   * takes its own reference.
   */
  wt_certificate *certificate;

  /** Gets the secrets of every handshake; NULL (the default): nobody does. The environment's SSLKEYLOGFILE works beside it. */
  wt_key_log_callback key_log;
  void *key_log_user_data;

  /** Cipher suites and groups to offer, the best first, as in struct wt_server_config; NULL and 0: the defaults. Copied. */
  const char *const *cipher_suites;
  size_t cipher_suite_count;
  const char *const *groups;
  size_t group_count;

  /** Address to send from, "192.0.2.7:0"; NULL (the default): any of the machine's. Copied. */
  const char *bind;

  /* --- Time, in milliseconds. --- */
  /**
   * How long a connection may be without any packet; default 30,000; 0: this end sets no limit. The peer announces such
   * a time too: the lower one counts for both, but no less than three probe timeouts (RFC 9000, section 10.1).
   */
  uint64_t idle_timeout_ms;
  /**
   * A PING goes out this often while a session is open; default 15,000. It goes out sooner where half of the time that
   * counts (above) is less, so that silent sessions live on whatever the peer has announced. 0: never. A session in
   * which neither end says anything for that time is then lost, with a timeout.
   */
  uint64_t keep_alive_ms;
  uint64_t settings_timeout_ms;         /**< the server's SETTINGS after the handshake; default 5,000 */
  uint64_t early_timeout_ms;            /**< an early stream waits this long for its session; default 5,000 */
  uint64_t connection_attempt_delay_ms; /**< before the next address is tried beside (RFC 8305); default 250 */
  uint64_t resolution_delay_ms;         /**< IPv4 addresses wait this long for IPv6 ones; default 50 */
  uint64_t linger_ms;                   /**< a connection that nothing uses is closed after it; default 0: at once */

  bool session_tickets;  /**< resume TLS sessions within this client; no 0-RTT data is sent; default true */
  uint32_t quic_version; /**< of the first packet; default 0x00000001 */
  unsigned drafts;       /**< which drafts are spoken, of `enum wt_draft`; default WT_DRAFT_ALL; others for tests */
  /**
   * Have no session with a server of draft 15 or later that does not announce RESET_STREAM_AT, which the draft requires
   * (section 3.1): the dial fails with WT_ERR_SETTINGS. Default true. False takes such a server: streams that this end
   * resets, and their codes, arrive all the same; of a stream that the server resets at once, nothing may arrive.
   */
  bool require_reset_stream_at;

  /* --- Windows, as in struct wt_server_config. --- */
  uint64_t initial_max_data, max_data;               /**< default 1 MiB, 16 MiB */
  uint64_t initial_max_stream_data, max_stream_data; /**< default 256 KiB, 6 MiB */
  uint64_t max_streams_bidi, max_streams_uni;        /**< default 256, 256 */
  uint64_t wt_initial_max_data, wt_max_data;         /**< default 1 MiB, 16 MiB */
  uint64_t wt_max_streams_bidi, wt_max_streams_uni;  /**< default 100, 100 */

  /* --- Bounds. --- */
  size_t max_connections;             /**< at a time, attempts included; default 65,536 */
  size_t max_sessions_per_connection; /**< that pool; default 16 */
  size_t max_header_bytes;            /**< of an answer, as RFC 9114, section 4.2.2 counts; default 16 KiB */
  size_t max_stream_send_buffer;      /**< queued and unacknowledged, per stream or request; default 1 MiB */
  size_t max_datagrams_queued;        /**< outgoing, per connection; default 256 */
  size_t max_early_streams;           /**< streams that wait for their session, per connection; default 64 */
  size_t max_early_datagrams;         /**< likewise; default 64 */
};

/**
 * Fills the first `size` bytes of `*config` with the defaults above; `size` is sizeof(struct wt_client_config) of the header that
 * the caller was compiled with, so that a newer library does not write past it. Since 0.1.0.
 */
WT_API void wt_client_config_init(struct wt_client_config *config, size_t size);

/** `wt_client_config_init` with the right size: what a program in C calls. Since 0.1.0. */
static inline void wt_client_config_default(struct wt_client_config *config) {
  wt_client_config_init(config, sizeof(*config));
}

/**
 * Makes a client; `config` is copied, NULL stands for the defaults. `*client` is the caller's, to be freed with
 * `wt_client_free`. `message`, which may be NULL, gets a sentence about an error, naming the field or file at fault
 * (at most `message_size` bytes with its NUL), or "". After an error `*client` is NULL.
 *
 * Errors: WT_ERR_INVALID (a bound makes no sense), WT_ERR_FILE and WT_ERR_CERTIFICATE (`ca_file`), WT_ERR_ADDRESS
 * (`bind`), WT_ERR_TLS, WT_ERR_IO, WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_client_new(const struct wt_client_config *config, wt_client **client, char *message, size_t message_size);

/**
 * Runs the client's loop until nothing is left: no dial, session, exchange or connection. For a client with
 * a loop of its own; with the caller's loop, run that one. May be called again, for more.
 *
 * Errors: WT_ERR_STATE on a caller's loop, or inside a callback. Since 0.1.0.
 */
WT_API int wt_client_run(wt_client *client);

/*
 * A program whose loop is not libuv's drives a client with a loop of its own by these three, as a server by those of
 * server.h, which has an example.
 */

/** Returns a descriptor that is readable when `wt_client_turn` has something to do; else as `wt_server_fd`. Since 0.2.0. */
WT_API int wt_client_fd(wt_client *client);

/** Returns how long to wait for the descriptor; else as `wt_server_timeout_ms`. Since 0.2.0. */
WT_API int wt_client_timeout_ms(wt_client *client);

/**
 * Does what is ready and returns without waiting. Returns 1 when nothing is left: no dial, session, exchange or
 * connection; a dial that begins later goes on as usual. Returns 1 also if `wt_client_free` was called in a callback: the
 * client is freed then. Else 0.
 *
 * Errors: those of `wt_client_run`. Since 0.2.0.
 */
WT_API int wt_client_turn(wt_client *client);

/**
 * Ends everything now: each session is closed with code 0, each connection gets a CONNECTION_CLOSE right behind, every
 * handle its last callback, from the loop.
 * Dials that begin later go on as usual. Any thread, and signal handlers. Since 0.1.0.
 */
WT_API void wt_client_close(wt_client *client);

/**
 * Calls `function(client, argument)` on the loop's thread, soon, in order; those that wait when the client is freed
 * are made then. `wt_client_run` returns also when such calls alone are to come. Any thread.
 *
 * Errors: WT_ERR_NOMEM; WT_ERR_STATE once `wt_client_free` has begun. Since 0.1.0.
 */
WT_API int wt_client_post(wt_client *client, void (*function)(wt_client *client, void *argument), void *argument);

/** Frees a client, closing what is open first; else as `wt_server_free`. NULL is allowed. Since 0.1.0. */
WT_API void wt_client_free(wt_client *client);

/* --- Sessions --- */

/** How far a dial, or an exchange, came. */
enum wt_dial_stage {
  WT_STAGE_RESOLVE = 0,  /**< the name is looked up */
  WT_STAGE_CONNECT = 1,  /**< QUIC and TLS handshake */
  WT_STAGE_SETTINGS = 2, /**< waiting for the server's SETTINGS */
  WT_STAGE_REQUEST = 3,  /**< the request is to be sent, or was, and there is no answer yet */
  WT_STAGE_ANSWERED = 4, /**< the server answered */
};

/** Returns "resolve", "connect", "settings", "request" or "answered". Static string. Any thread. Since 0.1.0. */
WT_API const char *wt_dial_stage_name(enum wt_dial_stage stage);

/** How a dial ended. Pointers are borrowed until `on_done` returns. */
struct wt_dial_result {
  /** The session, which goes on; NULL: there is none. */
  wt_session *session;
  /**
   * 0 with a session. Else why there is none: WT_ERR_REJECTED (the server answered, with `status`, or reset the
   * request, with `wire_code`; a redirection is not followed), WT_ERR_NOT_FOUND (the name has no address),
   * WT_ERR_IO (no address could be reached at all), WT_ERR_TIMEOUT, WT_ERR_CERTIFICATE (the server's was refused),
   * WT_ERR_TLS (for one, the server refused the client's certificate, or requires one), WT_ERR_SETTINGS (the server does not offer what WebTransport needs: WT_REQUIREMENTS_NOT_MET),
   * WT_ERR_SUBPROTOCOL (none, or a wrong one: WT_ALPN_ERROR), WT_ERR_UNSUPPORTED (no common QUIC version),
   * WT_ERR_SESSION_LIMIT, WT_ERR_TOO_LARGE (the header of the answer: `max_header_bytes`; that of the
   * request: more than the server's SETTINGS allow), WT_ERR_PROTOCOL,
   * WT_ERR_CLOSED (cancelled, or the server closed the connection, or goes away), WT_ERR_NOMEM.
   */
  int error;
  enum wt_dial_stage stage; /**< the stage it had reached */
  int status;               /**< of the answer; 0: there was none */
  enum wt_party by;         /**< who ended it */
  uint64_t wire_code;       /**< where the wire carried an error code; 0: none */
  bool wire_is_h3;          /**< it is one of HTTP/3; else of QUIC */
  const char *message;      /**< a sentence that names what was wrong, for people; "" with a session */
};

/** What an application can be told about a dial. `on_done` is needed; all are called on the loop's thread. */
struct wt_dial_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_dial_callbacks): see "Structs that grow" in error.h */

  /**
   * With `optimistic` alone: the request was sent. `session` can open streams and send datagrams from now on;
   * none of its other callbacks comes before the answer. If the server refuses, `session` gets its `on_close`
   * before `on_done`, which then has none.
   */
  void (*on_asked)(wt_dial *dial, wt_session *session, void *user_data);

  /**
   * The dial is over. Called exactly once, the last call; the handle is then invalid. The session's own
   * callbacks come after it.
   */
  void (*on_done)(wt_dial *dial, const struct wt_dial_result *result, void *user_data);
};

/** What to ask for. Fill it with `wt_dial_options_default` first. All is copied. */
struct wt_dial_options {
  size_t size; /**< set by `wt_dial_options_default` */

  const struct wt_dial_callbacks *callbacks; /**< needed, with `on_done` */
  void *user_data;                           /**< what those get */

  const struct wt_session_callbacks *session_callbacks; /**< NULL (the default): none */
  void *session_user_data;                              /**< what those get */

  const char *origin; /**< the `origin` field; NULL (the default): none, as programs that are no browsers do */
  const struct wt_header
      *headers; /**< further fields; `host` is not allowed (`authority` says it), nor `origin` beside `origin` */
  size_t header_count;
  const char *const *protocols; /**< subprotocols to offer, best first (section 3.3) */
  size_t protocol_count;
  bool require_protocol; /**< without one of them there is to be no session; default false */

  uint64_t timeout_ms; /**< for all of it, from the name to the answer; default 10,000; 0: none */
  bool allow_pooling;  /**< may share a connection with others that allow it; default false */
  bool optimistic;     /**< make the session before the answer: see `on_asked`; default false */
};

/**
 * Fills the first `size` bytes of `*options` with the defaults; `size` is sizeof(struct wt_dial_options) of the header that
 * the caller was compiled with, so that a newer library does not write past it. Since 0.1.0.
 */
WT_API void wt_dial_options_init(struct wt_dial_options *options, size_t size);

/** `wt_dial_options_init` with the right size: what a program in C calls. Since 0.1.0. */
static inline void wt_dial_options_default(struct wt_dial_options *options) {
  wt_dial_options_init(options, sizeof(*options));
}

/**
 * Asks for a session at `url`, "https://host:port/path?query" (port 443 if none is given; a fragment is not sent).
 * The name is looked up off the loop, and the addresses of both families are tried by RFC 8305. Nothing is tried
 * again by itself, with one exception: with `allow_pooling` and without `optimistic`, a request that the server
 * rejects unseen (H3_REQUEST_REJECTED) on a connection that has other sessions is sent once more on a connection of
 * its own, since the server may allow no more sessions on that one. `*dial` lives until its `on_done`, which comes from
 * the loop, never from inside this call. May be called inside a callback.
 *
 * Errors: WT_ERR_ADDRESS (`url`; `wt_client_error` says what is wrong with it), WT_ERR_INVALID (no `on_done`, a
 * header field, a subprotocol, a `size`), WT_ERR_UNSUPPORTED (a `size`), WT_ERR_AGAIN (`max_connections`), WT_ERR_STATE (inside `wt_client_free`),
 * WT_ERR_NOMEM. No callback follows. Since 0.1.0.
 */
WT_API int wt_client_dial(wt_client *client, const char *url, const struct wt_dial_options *options, wt_dial **dial);

/** Gives up. `on_done` follows with WT_ERR_CLOSED, unless it is due for another reason. Any callback. Since 0.1.0. */
WT_API void wt_dial_cancel(wt_dial *dial);

/**
 * Returns the value of the answer's field called `name` (lower case), or NULL. Where it came more than once, the values are
 * joined as by `wt_request_header`; of `set-cookie` it is the first, walk them with `wt_dial_get_header_at`. In `on_done`; later
 * `wt_session_header` has it.
 * Joined since 0.2.0. Since 0.1.0.
 */
WT_API const char *wt_dial_header(const wt_dial *dial, const char *name);

/**
 * Gives the `index`th field of the answer, from 0, in `*header`; borrowed until `on_done` returns.
 *
 * Errors: WT_ERR_NOT_FOUND past the last. In `on_done`. Since 0.1.0.
 */
WT_API int wt_dial_get_header_at(const wt_dial *dial, size_t index, struct wt_header *header);

/**
 * Fills `*info` for the dial's connection, its own or one that it joined, also after a failure. WT_ERR_STATE: there
 * never was one. Since 0.1.0.
 */
WT_API int wt_dial_get_connection_info(const wt_dial *dial, struct wt_connection_info *info);

/** An address that was tried. Pointers are borrowed until `on_done` returns. */
struct wt_attempt {
  size_t size;         /**< set by the caller to sizeof(struct wt_attempt) */
  const char *address; /**< "192.0.2.1:4433" */
  uint64_t begun_us;   /**< since the dial began */
  uint64_t ended_us;   /**< likewise; when it was connected, failed or given up */
  int error;           /**< 0: connected; WT_ERR_CLOSED: given up, because another was faster */
  const char *message; /**< why it failed, or "" */
};

/**
 * Fills `*attempt` with the `index`th address tried, from 0. A dial that joined a connection which was there already
 * has tried none.
 *
 * Errors: WT_ERR_NOT_FOUND past the last, WT_ERR_INVALID. Since 0.1.0.
 */
WT_API int wt_dial_get_attempt(const wt_dial *dial, size_t index, struct wt_attempt *attempt);

/* --- Plain requests --- */

/** What an application can be told about an exchange. Any member may be NULL; else as `wt_request_callbacks`. */
struct wt_exchange_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_exchange_callbacks): see "Structs that grow" in error.h */

  /** The header of the response is in; never an interim (1xx) one. `wt_exchange_header` from now on. */
  void (*on_response)(wt_exchange *exchange, int status, void *user_data);

  /** Bytes of the response's body arrived; borrowed until it returns. `fin`: the last ones. Without it they are dropped. */
  void (*on_body)(wt_exchange *exchange, const uint8_t *data, size_t len, bool fin, void *user_data);

  /** There is room again; when this comes, see `on_writable` of `struct wt_stream_callbacks`. */
  void (*on_writable)(wt_exchange *exchange, void *user_data);

  /**
   * The exchange is over: the response is complete, and the request was sent or the server wanted no more of it.
   * `error` is 0 then; else as `wt_dial_result.error`, with a sentence. Called exactly once, the last call.
   */
  void (*on_close)(wt_exchange *exchange, int error, const char *message, void *user_data);
};

/** What to send. Fill it with `wt_exchange_options_default` first. All is copied. */
struct wt_exchange_options {
  size_t size;                                   /**< set by `wt_exchange_options_default` */
  const struct wt_exchange_callbacks *callbacks; /**< NULL (the default): none */
  void *user_data;                               /**< what those get */
  const char *method;                            /**< default "GET" */
  const struct wt_header *headers;
  size_t header_count;
  const void *body; /**< the whole body, sent with a content-length; NULL (the default): none */
  size_t body_len;
  bool has_body;       /**< the body follows with `wt_exchange_write` and `wt_exchange_end`; default false */
  uint64_t timeout_ms; /**< from the name to the header of the response; default 10,000; 0: none */
  bool allow_pooling;  /**< may share a connection with others that allow it; default true */
};

/**
 * Fills the first `size` bytes of `*options` with the defaults; `size` is sizeof(struct wt_exchange_options) of the
 * header that the caller was compiled with, so that a newer library does not write past it. Since 0.1.0.
 */
WT_API void wt_exchange_options_init(struct wt_exchange_options *options, size_t size);

/** `wt_exchange_options_init` with the right size: what a program in C calls. Since 0.1.0. */
static inline void wt_exchange_options_default(struct wt_exchange_options *options) {
  wt_exchange_options_init(options, sizeof(*options));
}

/**
 * Sends a request for `url`; else as `wt_client_dial`. `options` may be NULL: then the response goes unseen. CONNECT
 * is not for this function.
 *
 * Errors: those of `wt_client_dial`. Since 0.1.0.
 */
WT_API int wt_client_request(wt_client *client, const char *url, const struct wt_exchange_options *options,
                             wt_exchange **exchange);

/** Returns the status of the response; 0 before `on_response`. Any callback. Since 0.1.0. */
WT_API int wt_exchange_status(const wt_exchange *exchange);

/**
 * Returns the value of the response's field called `name` (lower case), or NULL. Where it came more than once, the values
 * are joined as by `wt_request_header`; of `set-cookie` it is the first, walk them with `wt_exchange_get_header_at`. Any
 * callback. Joined since 0.2.0. Since 0.1.0.
 */
WT_API const char *wt_exchange_header(const wt_exchange *exchange, const char *name);

/** Gives the `index`th field of the response, as `wt_dial_get_header_at`. Any callback. Since 0.1.0. */
WT_API int wt_exchange_get_header_at(const wt_exchange *exchange, size_t index, struct wt_header *header);

/** Queues bytes of the request's body, as `wt_request_write` does; also before it is connected. Since 0.1.0. */
WT_API int wt_exchange_write(wt_exchange *exchange, const void *data, size_t len, size_t *written);

/** Returns how many bytes `wt_exchange_write` would take now; else as `wt_request_writable`. Since 0.2.0. */
WT_API size_t wt_exchange_writable(wt_exchange *exchange);

/** Ends the request's body. Errors: WT_ERR_STATE, WT_ERR_CLOSED. Since 0.1.0. */
WT_API int wt_exchange_end(wt_exchange *exchange);

/** Stops calls of `on_body`; the server is held back by flow control. Since 0.1.0. */
WT_API void wt_exchange_pause(wt_exchange *exchange);

/** Undoes `wt_exchange_pause`; kept bytes arrive soon, not from inside this call. Since 0.1.0. */
WT_API void wt_exchange_resume(wt_exchange *exchange);

/** Gives up (H3_REQUEST_CANCELLED). `on_close` follows with WT_ERR_CLOSED. Any callback. Since 0.1.0. */
WT_API void wt_exchange_cancel(wt_exchange *exchange);

/** Returns the pointer given in the options. Any callback. Since 0.1.0. */
WT_API void *wt_exchange_user_data(const wt_exchange *exchange);

/** As `wt_dial_get_connection_info`. Since 0.1.0. */
WT_API int wt_exchange_get_connection_info(const wt_exchange *exchange, struct wt_connection_info *info);

/* --- The client --- */

/** Counts of a client. */
struct wt_client_stats {
  size_t size; /**< set by the caller to sizeof(struct wt_client_stats) */
  uint64_t connections_open, connections_total;
  uint64_t sessions_open, sessions_total;
  uint64_t packets_received, packets_sent;
  uint64_t bytes_received, bytes_sent; /**< UDP payloads */
};

/** Fills `*stats`. Errors: WT_ERR_INVALID if `stats->size` is smaller than any version's. Since 0.1.0. */
WT_API int wt_client_get_stats(const wt_client *client, struct wt_client_stats *stats);

/** Returns a sentence about the last error of a call on `client`; "" if there was none. Since 0.1.0. */
WT_API const char *wt_client_error(const wt_client *client);

#ifdef __cplusplus
}
#endif

#endif
