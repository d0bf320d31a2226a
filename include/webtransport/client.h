/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_CLIENT_H
#define WEBTRANSPORT_CLIENT_H

#include <webtransport/certificate.h>
#include <webtransport/connection.h>
#include <webtransport/error.h>
#include <webtransport/log.h>
#include <webtransport/qlog.h>
#include <webtransport/request.h>
#include <webtransport/server.h>
#include <webtransport/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A client: its loop, its sockets, the certificates that it trusts, and its connections. */
typedef struct wt_client wt_client;

/** An attempt to get a session. It lives until its `on_done`. */
typedef struct wt_dial wt_dial;

/** An HTTP/3 request of a client and the response to it (RFC 9114, section 4.1). It lives until its `on_close`. */
typedef struct wt_exchange wt_exchange;

/**
 * A client's configuration. `wt_client_config_default` fills it; then change what you need. Zero means zero, never "the
 * default". Times may be up to 4,294,967,295 ms. docs/limits.md lists each bound with its range and its reason. Since
 * 0.1.0.
 */
struct wt_client_config {
  size_t size; /**< set by `wt_client_config_default`; leave it */

  /** The loop to run on, which still belongs to the caller. NULL (the default): the client makes its own loop. */
  struct uv_loop_s *loop;

  /** Gets the log lines; see log.h. NULL (the default): they go to standard error. */
  wt_log_callback log;
  void *log_user_data;         /**< the pointer that `log` gets */
  enum wt_log_level log_level; /**< default WT_LOG_WARN */

  /* --- Which servers to trust. By default the certificate must have a chain to an authority that the system trusts,
   * and be valid for the server's name. --- */

  /** PEM file with the authorities to trust instead of the system's. NULL (the default): the system's. Copied. */
  const char *ca_file;
  /**
   * One or more SHA-256 hashes of the leaf's DER. If they are set, only these certificates are accepted, by the rules
   * of `serverCertificateHashes` (W3C WebTransport): the key is ECDSA P-256 or similar, and the certificate is valid
   * now and for at most 14 days in all. The name is not checked. Default: none. Copied.
   */
  const uint8_t (*certificate_hashes)[32];
  size_t certificate_hash_count; /**< how many `certificate_hashes` there are */
  /**
   * Accept any certificate. Whoever is on the path can then read and change everything. Only for tests. Default: false.
   */
  bool dangerously_accept_any_certificate;

  /**
   * The certificate, with its chain, that the client shows to servers that ask for one. NULL (the default): none. The
   * client takes its own reference. Since 0.2.0.
   */
  wt_certificate *certificate;

  /**
   * Gets the secrets of each handshake; NULL (the default): nothing does. The environment variable SSLKEYLOGFILE works
   * too. Since 0.2.0.
   */
  wt_key_log_callback key_log;
  void *key_log_user_data; /**< the pointer that `key_log` gets */

  /**
   * Cipher suites and groups to offer, the best first, by the names in struct wt_server_config. NULL with 0: the
   * defaults. Copied. Since 0.2.0.
   */
  const char *const *cipher_suites;
  size_t cipher_suite_count; /**< how many `cipher_suites` there are */
  const char *const *groups; /**< likewise, for the key exchange */
  size_t group_count;        /**< how many `groups` there are */

  /** Address to send from: "192.0.2.7:0". NULL (the default): the system chooses. Copied. */
  const char *bind;

  /* --- Time, in milliseconds. --- */
  /**
   * A connection ends if no packet arrives for this time; default 30,000; 0: this side sets no limit. The peer
   * announces such a time too. The lower one holds for both sides, but it is never less than three probe timeouts (RFC
   * 9000, section 10.1).
   */
  uint64_t idle_timeout_ms;
  /**
   * While a session is open, a PING is sent after this time without packets; default 15,000. If half of the idle time
   * that holds (see above) is shorter, the PING is sent after that, so a silent session lives whatever the peer
   * announced. 0: no PING is sent, and a session ends with a timeout if both sides are silent for the idle time.
   */
  uint64_t keep_alive_ms;
  uint64_t settings_timeout_ms; /**< wait this long for the server's SETTINGS after the handshake; default 5,000 */
  uint64_t early_timeout_ms;    /**< a stream that comes before its session waits this long for it; default 5,000 */
  /** Try the next address too after this time (RFC 8305, section 5); at least 10; default 250 */
  uint64_t connection_attempt_delay_ms;
  uint64_t resolution_delay_ms; /**< IPv4 addresses wait this long for IPv6 ones (RFC 8305, section 3); default 50 */
  uint64_t linger_ms;           /**< an unused connection is closed after this time; default 0: at once */

  bool session_tickets;  /**< resume TLS sessions of this client; 0-RTT data is never sent; default true */
  uint32_t quic_version; /**< of the first packet: 0x00000001 (the default) or 0x6b3343cf (RFC 9369) */
  unsigned drafts; /**< bits of `enum wt_draft` to speak; at least one; default WT_DRAFT_ALL; others are for tests */
  /**
   * Refuse a session with a server of draft 15 or later that does not announce RESET_STREAM_AT, which the draft
   * requires (section 3.1): the dial then fails with WT_ERR_SETTINGS. Default true. False accepts such a server: when
   * this side resets a stream, the server still learns of the stream and the code, but if the server resets a stream at
   * once, this side may not learn of it. Since 0.2.0.
   */
  bool require_reset_stream_at;

  /* --- Windows, streams and flow control of sessions, as in struct wt_server_config. --- */
  uint64_t initial_max_data, max_data;               /**< default 1 MiB, 16 MiB */
  uint64_t initial_max_stream_data, max_stream_data; /**< default 256 KiB, 6 MiB */
  uint64_t max_streams_bidi, max_streams_uni;        /**< default 256, 256 */
  uint64_t wt_initial_max_data, wt_max_data;         /**< default 1 MiB, 16 MiB */
  uint64_t wt_max_streams_bidi, wt_max_streams_uni;  /**< default 100, 100 */

  /* --- Bounds. --- */
  size_t max_connections;             /**< open at the same time, attempts included; at least 1; default 65,536 */
  size_t max_sessions_per_connection; /**< sessions that share a connection (`allow_pooling`); at least 1; default 16 */
  /** Of an answer: names, values and 32 for each field (RFC 9114, section 4.2.2); at least 1; default 16 KiB */
  size_t max_header_bytes;
  /** Bytes queued and not acknowledged, for each stream or request; at least 1; default 1 MiB */
  size_t max_stream_send_buffer;
  size_t max_datagrams_queued; /**< outgoing, for each connection; at least 1; default 256 */
  size_t max_early_streams;    /**< streams that wait for their session, for each connection; default 64 */
  size_t max_early_datagrams;  /**< datagrams that wait likewise; default 64 */

  /** How fast to send, as in struct wt_server_config; default WT_CONGESTION_CONTROL_CUBIC. A dial can prefer another:
   * see `congestion_control` of struct wt_dial_options. Since 0.2.0. */
  enum wt_congestion_control congestion_control;

  /** What `max_stream_send_buffer` grows to, as in struct wt_server_config; default 16 MiB. Since 0.2.0. */
  size_t max_stream_send_buffer_grown;

  /**
   * Gets the qlog of each connection, see qlog.h; NULL (the default): see `qlog_dir`. Since 0.3.0.
   */
  wt_qlog_callback qlog;
  void *qlog_user_data; /**< the pointer that `qlog` gets */
  /**
   * Without `qlog`: a folder that gets a file for each connection, CONNECTION_client.sqlog, which only the owner may read.
   * NULL (the default): the folder that the environment variable QLOGDIR names; without it, or with "", nothing is logged.
   * What cannot be written is logged once for each error, and connections go on. At most 1,024 files are open at a time;
   * more connections are not logged. Not for everyday use: it costs time and disk for each packet. Copied. Since 0.3.0.
   */
  const char *qlog_dir;
  uint64_t qlog_max_file_bytes; /**< of each file, whose last record then says so; at least 65,536; default 64 MiB */

  /**
   * Gets each line of the log as a record with typed fields, see log.h; NULL (the default): nobody does. Beside it, `log` gets
   * the text of the line if it is set. Standard error gets lines if both are NULL. `log_level` holds for both. Since 0.4.0.
   */
  wt_log_record_callback log_record;
  void *log_record_user_data; /**< passed to `log_record`; default: NULL. Since 0.4.0. */
};

/**
 * Fills the first `size` bytes of `*config` with the defaults. `size` is sizeof(struct wt_client_config) in the headers
 * that the caller was compiled with, so a newer library does not write too much. Any thread, any callback. Since 0.1.0.
 */
WT_API void wt_client_config_init(struct wt_client_config *config, size_t size);

/** Calls `wt_client_config_init` with the right size. Programs in C use this. Since 0.1.0. */
static inline void wt_client_config_default(struct wt_client_config *config) {
  wt_client_config_init(config, sizeof(*config));
}

/**
 * Makes a client. `config` is copied; NULL stands for the defaults. `*client` belongs to the caller, who frees it with
 * `wt_client_free`. `message` may be NULL; it gets a sentence about an error that names the member or the file at
 * fault, or "": at most `message_size` bytes with the NUL. After an error `*client` is NULL. Any callback.
 *
 * Errors: WT_ERR_INVALID if a member of `config` is out of its range, or `client` is NULL; WT_ERR_INVALID or
 * WT_ERR_UNSUPPORTED if `config->size` is wrong (error.h, "Structs that grow"); WT_ERR_FILE if no authority can be read
 * from `ca_file`, or from the system; WT_ERR_ADDRESS because of `bind`; WT_ERR_TLS; WT_ERR_IO if the system refuses;
 * WT_ERR_NOMEM. The order of the arguments since 0.2.0. Since 0.1.0.
 */
WT_API int wt_client_new(const struct wt_client_config *config, wt_client **client, char *message, size_t message_size);

/**
 * Runs the client's loop until nothing is left: no dial, session, exchange or connection. It may be called again for
 * more. Only for a client with its own loop; with a caller's loop, run that loop. Not inside a callback.
 *
 * Errors: WT_ERR_STATE on a caller's loop, or inside a callback; WT_ERR_IO if the loop cannot go on after a fork. Since
 * 0.1.0.
 */
WT_API int wt_client_run(wt_client *client);

/*
 * A program with another loop than libuv's drives the client itself with the following three functions. server.h has an
 * example, for a server.
 */

/**
 * Returns a descriptor that is readable when `wt_client_turn` has work, or an error: as `wt_server_fd`. Any callback.
 * Since 0.2.0.
 */
WT_API int wt_client_fd(wt_client *client);

/**
 * Returns how many milliseconds to wait for the descriptor at most: as `wt_server_timeout_ms`. Any callback. Since
 * 0.2.0.
 */
WT_API int wt_client_timeout_ms(wt_client *client);

/**
 * Does the work that is ready, makes callbacks, sends what can be sent, and returns without waiting. Returns 1 when
 * nothing is left: no dial, session, exchange or connection; a later dial makes more work. It also returns 1 when a
 * callback has called `wt_client_free`; the client does not exist any more then. Else it returns 0. Not inside a
 * callback.
 *
 * Errors: those of `wt_client_run`; WT_ERR_INVALID if `client` is NULL. Since 0.2.0.
 */
WT_API int wt_client_turn(wt_client *client);

/**
 * Ends everything now: each session is closed with code 0, each connection gets a CONNECTION_CLOSE, and each handle
 * gets its last callback. It happens in the loop; this returns at once. The client itself can dial again. Any thread,
 * any callback, and signal handlers. Since 0.1.0.
 */
WT_API void wt_client_close(wt_client *client);

/**
 * Makes the loop's thread call `function(client, argument)` soon. Calls come in the order in which they were posted.
 * When the client is freed, it makes the calls that still wait. `wt_client_run` does not wait for a posted call if
 * nothing else is left. Any thread, any callback; not in a signal handler.
 *
 * Errors: WT_ERR_INVALID if `client` or `function` is NULL; WT_ERR_NOMEM; WT_ERR_STATE after `wt_client_free` has
 * begun. After an error `function` is not called. Since 0.1.0.
 */
WT_API int wt_client_post(wt_client *client, void (*function)(wt_client *client, void *argument), void *argument);

/**
 * Frees a client, and its own loop with it. Sessions and connections that are open are closed first, and each handle
 * gets its last callback. All else is as for `wt_server_free`, also inside callbacks and on a caller's loop. NULL is
 * allowed. Since 0.1.0.
 */
WT_API void wt_client_free(wt_client *client);

/* --- Sessions --- */

/** How far a dial or an exchange came. Since 0.1.0. */
enum wt_dial_stage {
  WT_STAGE_RESOLVE = 0,  /**< looking up the name */
  WT_STAGE_CONNECT = 1,  /**< QUIC and TLS handshake */
  WT_STAGE_SETTINGS = 2, /**< waiting for the server's SETTINGS */
  WT_STAGE_REQUEST = 3,  /**< sending the request, or waiting for the answer */
  WT_STAGE_ANSWERED = 4, /**< the server answered */
};

/**
 * Returns "resolve", "connect", "settings", "request" or "answered". Static string. Any thread, any callback. Since
 * 0.1.0.
 */
WT_API const char *wt_dial_stage_name(enum wt_dial_stage stage);

/** How a dial ended. Only the library makes this struct. Texts are borrowed until `on_done` returns. Since 0.1.0. */
struct wt_dial_result {
  /** The session, which lives until its `on_close`; NULL if there is none. */
  wt_session *session;
  /**
   * 0 if there is a session. Else the reason:
   * WT_ERR_REJECTED: the server answered with `status`, or reset the request with `wire_code` (redirections are not
   *   followed);
   * WT_ERR_NOT_FOUND: the name has no address; WT_ERR_IO: no address can be reached; WT_ERR_TIMEOUT;
   * WT_ERR_CERTIFICATE: the client does not trust the server's certificate; WT_ERR_TLS: another TLS failure, for
   *   example because the server refused the client's certificate or requires one;
   * WT_ERR_UNSUPPORTED: no common QUIC version; WT_ERR_PROTOCOL: the server broke the protocol;
   * WT_ERR_SETTINGS: the server does not offer what WebTransport needs (WT_REQUIREMENTS_NOT_MET);
   * WT_ERR_SUBPROTOCOL: the server chose no subprotocol, or one that was not offered (WT_ALPN_ERROR);
   * WT_ERR_SESSION_LIMIT: the connection has as many sessions as the server allows;
   * WT_ERR_TOO_LARGE: the header of the answer exceeds `max_header_bytes`, or that of the request the server's
   *   SETTINGS;
   * WT_ERR_CLOSED: the dial was cancelled, or the server closed the connection or goes away; WT_ERR_NOMEM.
   */
  int error;
  enum wt_dial_stage stage; /**< how far it came */
  int status;               /**< of the answer; 0 if there was none */
  enum wt_party by;         /**< who ended it */
  uint64_t wire_code;       /**< the error code on the wire; 0 if there was none */
  bool wire_is_h3;          /**< `wire_code` is an HTTP/3 error code; false: a QUIC error code */
  const char *message;      /**< a sentence for people that says what was wrong; "" with a session */
};

/** What an application hears about a dial. `on_done` must be set. The library calls them on the loop's thread. */
struct wt_dial_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_dial_callbacks): see "Structs that grow" in error.h */

  /**
   * Only with `optimistic`: the request was sent. From now on `session` can open streams and send datagrams. No other
   * callback of the session comes before the answer. If the server refuses, `on_close` of the session is called before
   * `on_done`, whose result then has no session.
   */
  void (*on_asked)(wt_dial *dial, wt_session *session, void *user_data);

  /**
   * The dial is over. `result` is borrowed until the callback returns. Called exactly once, as the last callback of the
   * dial. The handle is invalid when it returns. Other callbacks of the session come after it.
   */
  void (*on_done)(wt_dial *dial, const struct wt_dial_result *result, void *user_data);
};

/** What a session is for: `congestionControl` of W3C WebTransport, section 6.8 (WebTransportOptions). */
enum wt_congestion_preference {
  WT_CONGESTION_DEFAULT = 0,     /**< as the client's `congestion_control` says */
  WT_CONGESTION_THROUGHPUT = 1,  /**< much at a time: BBR, at present */
  WT_CONGESTION_LOW_LATENCY = 2, /**< short queues: BBR, at present, which does not fill those of the path */
};

/** How to dial. `wt_dial_options_default` fills it; then change what you need. Everything is copied. Since 0.1.0. */
struct wt_dial_options {
  size_t size; /**< set by `wt_dial_options_default` */

  const struct wt_dial_callbacks *callbacks; /**< must be set, with `on_done` */
  void *user_data;                           /**< the pointer that they get */

  const struct wt_session_callbacks *session_callbacks; /**< NULL (the default): none */
  void *session_user_data;                              /**< the pointer that they get */

  const char *origin; /**< the `origin` field; NULL (the default): none, as usual for programs that are no browsers */
  /**
   * More header fields. `host` is not allowed, because the URL has it, and `origin` only if the member `origin` is
   * NULL.
   */
  const struct wt_header *headers;
  size_t header_count;          /**< how many `headers` there are */
  const char *const *protocols; /**< subprotocols to offer, best first (section 3.3) */
  size_t protocol_count;        /**< how many `protocols` there are */
  bool require_protocol;        /**< fail if the server chooses none of them; default false */
  /**
   * What this end's congestion control is to be good at; default WT_CONGESTION_DEFAULT. It holds where the dial makes a
   * connection. With `allow_pooling`, a connection that is shared, or that another dial has begun to make, keeps what it
   * has; `wt_session_get_connection_info` tells what that is. What the server sends is the server's choice. Since 0.2.0.
   */
  enum wt_congestion_preference congestion_control;

  uint64_t timeout_ms; /**< from the lookup of the name to the answer; default 10,000; 0: no limit */
  bool allow_pooling;  /**< may share a connection with dials and requests that allow it; default false */
  bool optimistic;     /**< make the session before the answer; see `on_asked`; default false */

  /**
   * The `:authority` of the request: "example.com" or "example.com:8443", without a user. NULL (the default): that of
   * the URL. The URL alone decides which server is asked, and for which name its certificate must be valid. For proxies
   * that pass the authority of their client on. Since 0.3.0.
   */
  const char *authority;
};

/**
 * Fills the first `size` bytes of `*options` with the defaults. `size` is sizeof(struct wt_dial_options) in the headers
 * that the caller was compiled with, so a newer library does not write too much. Any thread, any callback. Since 0.1.0.
 */
WT_API void wt_dial_options_init(struct wt_dial_options *options, size_t size);

/** Calls `wt_dial_options_init` with the right size. Programs in C use this. Since 0.1.0. */
static inline void wt_dial_options_default(struct wt_dial_options *options) {
  wt_dial_options_init(options, sizeof(*options));
}

/**
 * Asks the server at `url` for a session (section 3.2). `url` is "https://host:port/path?query"; the default port is
 * 443, and a fragment is not sent. The library looks up the name without blocking the loop, and tries addresses of both
 * families (RFC 8305). `*dial` lives until its `on_done`, which comes from the loop, never from inside this call;
 * `dial` may be NULL. Any callback.
 *
 * Nothing is tried twice, with one exception. With `allow_pooling` and without `optimistic`, the server may reject a
 * request without processing it (H3_REQUEST_REJECTED) on a connection with other sessions, because it allows no more
 * sessions there. This request is sent once more, on a connection of its own.
 *
 * Errors: WT_ERR_ADDRESS if `url` is not valid (`wt_client_error` says why); WT_ERR_INVALID if `on_done` is NULL, or a
 * header field, the origin, the authority, a subprotocol or `timeout_ms` is not valid; WT_ERR_INVALID or WT_ERR_UNSUPPORTED if a
 * `size` is wrong (error.h, "Structs that grow"); WT_ERR_AGAIN if there are `max_connections` already; WT_ERR_STATE
 * inside `wt_client_free`; WT_ERR_NOMEM. After an error `*dial` is NULL and no callback follows. Since 0.1.0.
 */
WT_API int wt_client_dial(wt_client *client, const char *url, const struct wt_dial_options *options, wt_dial **dial);

/**
 * Cancels a dial. `on_done` follows with WT_ERR_CLOSED, or with another result that was there before. NULL is allowed.
 * Any callback. Since 0.1.0.
 */
WT_API void wt_dial_cancel(wt_dial *dial);

/**
 * Returns the value of the answer's header field `name` (lower case), or NULL if there is no such field. If the field
 * came more than once, the values are joined as `wt_request_header` joins them, but from `set-cookie` the first value
 * is returned; walk all with `wt_dial_get_header_at`. Borrowed until `on_done` returns. Only in `on_done`; later use
 * `wt_session_header`. It joins since 0.2.0. Since 0.1.0.
 */
WT_API const char *wt_dial_header(const wt_dial *dial, const char *name);

/**
 * Fills `*header` with the answer's field number `index`, counted from 0. Name and value are borrowed until `on_done`
 * returns. Only in `on_done`. It was `wt_dial_header_at` before.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many fields, or there was no answer; WT_ERR_INVALID if a pointer is
 * NULL. Since 0.2.0.
 */
WT_API int wt_dial_get_header_at(const wt_dial *dial, size_t index, struct wt_header *header);

/**
 * Fills `*info` with facts about the dial's connection, its own or a shared one, also after a failure; the caller sets
 * `info->size` first. Any callback.
 *
 * Errors: WT_ERR_STATE if there was never a connection; WT_ERR_INVALID if `info->size` is too small (error.h, "Structs
 * that grow"). Since 0.1.0.
 */
WT_API int wt_dial_get_connection_info(const wt_dial *dial, struct wt_connection_info *info);

/** An address that a dial tried. Texts are borrowed until `on_done` returns. Since 0.1.0. */
struct wt_attempt {
  size_t size;         /**< the caller sets it to sizeof(struct wt_attempt) */
  const char *address; /**< "192.0.2.1:4433" */
  uint64_t begun_us;   /**< microseconds since the dial began */
  uint64_t ended_us;   /**< likewise; when it connected, failed or was given up */
  int error;           /**< 0: connected; WT_ERR_CLOSED: given up, because another address was faster */
  const char *message; /**< why it failed, or "" */
};

/**
 * Fills `*attempt` with the address number `index`, counted from 0, that the dial tried; the caller sets
 * `attempt->size` first. A dial that used an existing connection tried none. Any callback. It was `wt_dial_attempt`
 * before.
 *
 * Errors: WT_ERR_NOT_FOUND if there were not so many; WT_ERR_INVALID if `attempt->size` is too small (error.h, "Structs
 * that grow"). Since 0.2.0.
 */
WT_API int wt_dial_get_attempt(const wt_dial *dial, size_t index, struct wt_attempt *attempt);

/* --- Plain requests --- */

/**
 * What an application hears about an exchange. Any member may be NULL. The library calls them on the loop's thread, and
 * never from inside a call that the application makes.
 */
struct wt_exchange_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_exchange_callbacks): see "Structs that grow" in error.h */

  /**
   * The header of the response has arrived; an interim (1xx) response is not reported. `wt_exchange_header` works from
   * now on.
   */
  void (*on_response)(wt_exchange *exchange, int status, void *user_data);

  /**
   * Bytes of the response's body arrived. `data` is borrowed until the callback returns. `fin`: these are the last
   * bytes; `len` may then be 0. If this member is NULL, the bytes are dropped.
   */
  void (*on_body)(wt_exchange *exchange, const uint8_t *data, size_t len, bool fin, void *user_data);

  /**
   * There is room to write again. It is called after the same events as `on_writable` of struct wt_stream_callbacks.
   */
  void (*on_writable)(wt_exchange *exchange, void *user_data);

  /**
   * The exchange is over. `error` is 0 if the response is complete, and the request was sent completely or the server
   * wanted no more of it. Else `error` is one of `error` of struct wt_dial_result, and `message` is a sentence,
   * borrowed until the callback returns. Called exactly once, as the last callback of the exchange. The handle is
   * invalid when it returns.
   */
  void (*on_close)(wt_exchange *exchange, int error, const char *message, void *user_data);
};

/**
 * What to send. `wt_exchange_options_default` fills it; then change what you need. Everything is copied. Since 0.1.0.
 */
struct wt_exchange_options {
  size_t size;                                   /**< set by `wt_exchange_options_default` */
  const struct wt_exchange_callbacks *callbacks; /**< NULL (the default): none */
  void *user_data;                               /**< the pointer that they get */
  const char *method;                            /**< default "GET" */
  const struct wt_header *headers; /**< fields beside the pseudo-header fields; NULL (the default): none */
  size_t header_count;             /**< how many `headers` there are */
  const void *body;                /**< the whole body, sent with `content-length`; NULL (the default): none */
  size_t body_len;                 /**< bytes of `body` */
  bool has_body;       /**< the body follows with `wt_exchange_write` and `wt_exchange_end`; default false */
  uint64_t timeout_ms; /**< from the lookup of the name to the header of the response; default 10,000; 0: no limit */
  bool allow_pooling;  /**< may share a connection with dials and requests that allow it; default true */
};

/**
 * Fills the first `size` bytes of `*options` with the defaults. `size` is sizeof(struct wt_exchange_options) in the
 * headers that the caller was compiled with, so a newer library does not write too much. Any thread, any callback.
 * Since 0.1.0.
 */
WT_API void wt_exchange_options_init(struct wt_exchange_options *options, size_t size);

/** Calls `wt_exchange_options_init` with the right size. Programs in C use this. Since 0.1.0. */
static inline void wt_exchange_options_default(struct wt_exchange_options *options) {
  wt_exchange_options_init(options, sizeof(*options));
}

/**
 * Sends an HTTP/3 request to `url` (RFC 9114, section 4.1). `url` and the way to the server are as for
 * `wt_client_dial`. `options` may be NULL for a GET whose response nobody sees. The method must not be CONNECT.
 * `*exchange` lives until its `on_close`, which comes from the loop, never from inside this call; `exchange` may be
 * NULL. Any callback.
 *
 * Errors: those of `wt_client_dial`; WT_ERR_INVALID also for a method that is not valid, or a `body` together with
 * `has_body`. After an error `*exchange` is NULL and no callback follows. Since 0.1.0.
 */
WT_API int wt_client_request(wt_client *client, const char *url, const struct wt_exchange_options *options,
                             wt_exchange **exchange);

/** Returns the status of the response; 0 before `on_response`. Any callback. Since 0.1.0. */
WT_API int wt_exchange_status(const wt_exchange *exchange);

/**
 * Returns the value of the response's header field `name` (lower case), or NULL if there is no such field, or no
 * response yet. If the field came more than once, the values are joined as `wt_request_header` joins them, but from
 * `set-cookie` the first value is returned; walk all with `wt_exchange_get_header_at`. Borrowed until `on_close`
 * returns. Any callback. It joins since 0.2.0. Since 0.1.0.
 */
WT_API const char *wt_exchange_header(const wt_exchange *exchange, const char *name);

/**
 * Fills `*header` with the response's field number `index`, counted from 0. Name and value are borrowed until
 * `on_close` returns. Any callback. It was `wt_exchange_header_at` before.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many fields, or there is no response yet. Since 0.2.0.
 */
WT_API int wt_exchange_get_header_at(const wt_exchange *exchange, size_t index, struct wt_header *header);

/**
 * Queues up to `len` bytes of the request's body, which are copied; also before the connection is there. `*written`
 * gets the number of bytes taken, from 0 to `len`; `written` may be NULL. If not all bytes were taken, or the queue is
 * full now, `on_writable` follows. Any callback.
 *
 * Errors: WT_ERR_STATE without `has_body`, or after `wt_exchange_end`; WT_ERR_CLOSED if the exchange has failed or is
 * over, or the server wants no more of the body; WT_ERR_INVALID if `data` is NULL and `len` is not 0; WT_ERR_NOMEM.
 * After an error nothing is queued and `*written` is 0. Since 0.1.0.
 */
WT_API int wt_exchange_write(wt_exchange *exchange, const void *data, size_t len, size_t *written);

/**
 * Returns how many bytes `wt_exchange_write` would take now. If it returns 0 because the queue is full, `on_writable`
 * follows once there is room. It also returns 0 when writing would fail. Any callback. Since 0.2.0.
 */
WT_API size_t wt_exchange_writable(wt_exchange *exchange);

/**
 * Ends the request's body after the queued bytes. Any callback.
 *
 * Errors: WT_ERR_STATE without `has_body`, or after `wt_exchange_end`; WT_ERR_CLOSED if the exchange has failed or is
 * over, or the server wants no more of the body. Since 0.1.0.
 */
WT_API int wt_exchange_end(wt_exchange *exchange);

/** Stops calls of `on_body`. Flow control holds the server back. Any callback. Since 0.1.0. */
WT_API void wt_exchange_pause(wt_exchange *exchange);

/**
 * Ends a pause of `wt_exchange_pause`. Kept bytes arrive in `on_body` soon, not from inside this call. Any callback.
 * Since 0.1.0.
 */
WT_API void wt_exchange_resume(wt_exchange *exchange);

/**
 * Cancels an exchange (H3_REQUEST_CANCELLED). `on_close` follows with WT_ERR_CLOSED, or with another error that was
 * there before. Any callback. Since 0.1.0.
 */
WT_API void wt_exchange_cancel(wt_exchange *exchange);

/** Returns `user_data` of the options. Any callback. Since 0.1.0. */
WT_API void *wt_exchange_user_data(const wt_exchange *exchange);

/**
 * Fills `*info` with facts about the exchange's connection; as `wt_dial_get_connection_info`, with the same errors. Any
 * callback. Since 0.1.0.
 */
WT_API int wt_exchange_get_connection_info(const wt_exchange *exchange, struct wt_connection_info *info);

/* --- The client --- */

/** Counts of a client, since it was made unless a name says "open". Since 0.1.0. */
struct wt_client_stats {
  size_t size;                                  /**< the caller sets it to sizeof(struct wt_client_stats) */
  uint64_t connections_open, connections_total; /**< QUIC connections */
  uint64_t sessions_open, sessions_total;       /**< WebTransport sessions */
  uint64_t packets_received, packets_sent;      /**< UDP packets */
  uint64_t bytes_received, bytes_sent;          /**< UDP payloads */

  /* What messages cost; as in `struct wt_server_stats`. */
  uint64_t turns, turns_idle;        /**< how often the loop worked; how often without a packet */
  uint64_t timers_set, timers_fired; /**< how often the kernel's timer was set; how often a turn began with it */
  /** Of the packets sent: those with nothing but an acknowledgement, and those that only ask for one. */
  uint64_t packets_sent_ack, packets_sent_probe;
};

/**
 * Fills `*stats`; the caller sets `stats->size` first. Any callback.
 *
 * Errors: WT_ERR_INVALID if `stats->size` is too small (error.h, "Structs that grow"). Since 0.1.0.
 */
WT_API int wt_client_get_stats(const wt_client *client, struct wt_client_stats *stats);

/**
 * Returns a sentence about the last error of a function on `client`; "" if there was none. Borrowed until the next
 * function on `client` fails. Any callback. Since 0.1.0.
 */
WT_API const char *wt_client_error(const wt_client *client);

#ifdef __cplusplus
}
#endif

#endif
