/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_SERVER_H
#define WEBTRANSPORT_SERVER_H

#include <webtransport/certificate.h>
#include <webtransport/error.h>
#include <webtransport/log.h>
#include <webtransport/request.h>
#include <webtransport/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** libuv's loop; declared here so that this header needs none of libuv's. */
struct uv_loop_s;

/** An HTTP/3 server with WebTransport: UDP sockets, connections, routes and sessions, on one loop or several. */
typedef struct wt_server wt_server;

/**
 * Decides whether `request`, a WebTransport request, may come from its origin. Called by `wt_upgrade`
 * for every request, also without an `origin` field, on the request's thread. Returning false makes the
 * upgrade fail with WT_ERR_ORIGIN.
 */
typedef bool (*wt_check_origin_callback)(const wt_request *request, void *user_data);

/** Answers a request, at once or later; see `wt_server_handle`. */
typedef void (*wt_handler_callback)(wt_request *request, void *user_data);

/** Drafts of WebTransport, each bit standing for the drafts from its number up to the next. */
enum wt_draft {
  WT_DRAFT_02 = 1, /**< what Chromium and Firefox speak */
  WT_DRAFT_07 = 2,
  WT_DRAFT_13 = 4,
  WT_DRAFT_15 = 8,
  WT_DRAFT_ALL = 15,
};

/** When a client must prove its address first, at the cost of a round trip (RFC 9000, section 8.1.2). */
enum wt_retry {
  WT_RETRY_NEVER = 0,
  WT_RETRY_UNDER_LOAD = 1, /**< once `retry_threshold` handshakes are unfinished, or another would have to give way */
  WT_RETRY_ALWAYS = 2,
};

/**
 * A server's configuration. `wt_server_config_default` fills it; change what you need. Zero means
 * zero, never "the default". docs/limits.md lists each bound with its reason.
 */
struct wt_server_config {
  size_t size; /**< set by `wt_server_config_default`; leave it */

  /**
   * Addresses to listen on, "address:port" each: "[::]:4433", "127.0.0.1:0" (any free port),
   * "localhost:4433" (each address of the name). "[::]:port" listens on all IPv4 addresses too.
   * Default: "[::]:443". Copied.
   */
  const char *const *listen;
  size_t listen_count; /**< of `listen`; default 1, so that one address needs no count */

  /** The loop to run on, which stays the caller's; NULL (the default) for a loop of its own. */
  struct uv_loop_s *loop;

  /**
   * Threads that serve: 1 (the default) to 256. Each has sockets, connections and sessions of its own; see the section
   * on threads below. Worker 0 is the thread of the loop, which may be the caller's; the others are the library's. The
   * bounds below hold for all together.
   */
  unsigned workers;

  /** Decides on origins; NULL (the default) allows requests without an origin and same-origin ones. */
  wt_check_origin_callback check_origin;
  void *check_origin_user_data;

  /** Where log lines go; NULL (the default) for standard error. */
  wt_log_callback log;
  void *log_user_data;
  enum wt_log_level log_level; /**< default WT_LOG_WARN */

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
  uint64_t handshake_timeout_ms;  /**< default 10,000 */
  uint64_t no_request_timeout_ms; /**< connection without request or session; default 10,000; 0: none.
                                       Browsers fall silent when a page closes its session. */
  uint64_t settings_timeout_ms;   /**< a CONNECT waits this long for the SETTINGS; default 5,000 */
  uint64_t early_timeout_ms;      /**< an early stream waits this long for its session; default 5,000 */

  /**
   * How long the server waits for a client that does not move what it has begun. `header_timeout_ms`: from the first
   * byte of a stream until it is known what it is, and a request's header section is whole; default 30,000. Then the
   * stream is reset with H3_REQUEST_REJECTED.
   *
   * `send_timeout_ms`: answers and streams of sessions that have bytes to send, of which the client takes fewer than
   * `min_progress`, or than there are, in this time; default 60,000. `body_timeout_ms`: likewise, bodies of requests that
   * `on_body` waits for and has not paused; default 60,000. The request is reset with H3_REQUEST_CANCELLED, its
   * `on_close` gets WT_ERR_TIMEOUT. The stream is reset with H3_EXCESSIVE_LOAD and stopped; its `on_close` gets an error
   * by WT_TRANSPORT with that wire code. What waits behind other streams of its connection may wait longer, while these
   * take enough for all.
   *
   * Streams that are merely silent are left alone, and so are sessions. 0: never given up, as a server wants it whose
   * clients keep a POST open to send an event now and then (`body_timeout_ms`). Each is noticed a quarter of its time
   * later at the latest.
   */
  uint64_t header_timeout_ms, send_timeout_ms, body_timeout_ms;
  uint64_t min_progress; /**< bytes, at least 1; default 1,024 */

  /* --- Address validation and connections. --- */
  enum wt_retry retry;                /**< default WT_RETRY_UNDER_LOAD */
  size_t retry_threshold;             /**< unfinished handshakes; default 256 */
  size_t max_connections;             /**< at least 1; default 65,536. Beyond it the oldest unfinished handshake gives
                                           way to a new one; where there is none, the new one is refused. */
  size_t max_connections_per_address; /**< of one IPv4 address or IPv6 /64; at least 1; default 1,024. Unfinished
                                           handshakes that began with a token of ours count, and give way as above. */
  /**
   * Unfinished handshakes of one IPv4 address or IPv6 /64; at least 1; default 256: 2,500 clients a second behind a NAT,
   * at round trips of 100 ms. It counts those that began with a token of ours (Retry, or NEW_TOKEN), which shows that
   * the address is the client's. Beyond it the oldest one of the address gives way to a new one: a quarter of them at
   * once, and then a quarter a second; further new ones are dropped. So many without a token make WT_RETRY_UNDER_LOAD
   * ask that address for one. With several workers, each may let in one more.
   */
  size_t max_handshakes_per_address;
  const uint8_t *reset_key; /**< 32 secret bytes that outlive restarts, so that peers of an earlier run
                                        get a stateless reset; NULL (the default): random. Copied. */
  size_t reset_key_len;     /**< 32, or 0 without a key */
  bool session_tickets;     /**< TLS resumption, while the certificates stay the same; default true */
  unsigned drafts;          /**< which drafts are announced, of `enum wt_draft`; the highest that the
                                           client names too is spoken. Default WT_DRAFT_ALL; others for tests. */
  /**
   * Give no session to a client of draft 15 or later that does not announce RESET_STREAM_AT, as the draft asks (section
   * 3.1): `wt_upgrade` fails then with WT_ERR_SETTINGS. Default false: there are such clients, and they work. A reset
   * goes to them as RESET_STREAM, once the stream's header has been acknowledged, as to browsers.
   */
  bool require_reset_stream_at;

  /* --- TLS. --- */
  /**
   * Whether clients are asked for certificates; default WT_CLIENT_CERTIFICATES_NONE. `client_ca_file`: the authorities, as
   * PEM; it is read by `wt_server_new` and never again. A client that shows a certificate is then refused unless a chain
   * leads to one of them, it is valid now, and it is for clients of TLS. NULL, the default, is for
   * WT_CLIENT_CERTIFICATES_ASK alone: any certificate is taken, nothing but the possession of its key is verified, and the
   * application has to look at it (`wt_request_get_peer_certificate`).
   *
   * A refused client gets the alert of TLS (certificate_required, unknown_ca, certificate_expired, ...), and no handler is
   * called; the log has a warning. Browsers show no certificates in WebTransport sessions.
   */
  enum wt_client_certificates client_certificates;
  const char *client_ca_file; /**< copied */

  /** Chooses the certificate for a client's server name; NULL (the default): the server chooses among its own. The server
   * needs one of its own all the same. A connection with a chosen certificate gets no session ticket. */
  wt_select_certificate_callback select_certificate;
  void *select_certificate_user_data;

  /** Gets the secrets of every handshake; NULL (the default): nobody does. The environment's SSLKEYLOGFILE works beside it. */
  wt_key_log_callback key_log;
  void *key_log_user_data;

  /**
   * Cipher suites and groups of the key exchange, by their names in RFC 8446, the best first: the server's order counts, and
   * not the client's. Suites: "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256". Groups:
   * "x25519", "secp256r1", "secp384r1", "secp521r1", "x448". NULL and 0 (the default): all three suites, and the first three
   * groups, by the client's order. Initial packets use AES-128-GCM in any case. At most 16 names each, each once. Copied.
   */
  const char *const *cipher_suites;
  size_t cipher_suite_count;
  const char *const *groups;
  size_t group_count;

  /** How long a session ticket is good, in seconds: 1 to 604,800, which is the bound of RFC 8446; default 21,600 (6 hours). */
  uint64_t ticket_lifetime_s;

  /* --- Windows (RFC 9000, section 4), in bytes. --- */
  uint64_t initial_max_data;        /**< default 1 MiB; grows to `max_data` as it is read */
  uint64_t max_data;                /**< default 16 MiB */
  uint64_t initial_max_stream_data; /**< default 256 KiB; grows to `max_stream_data` */
  uint64_t max_stream_data;         /**< default 6 MiB */
  uint64_t max_streams_bidi;        /**< open at once by the peer on a connection; default 256 */
  uint64_t max_streams_uni;         /**< likewise; default 256 */

  /* --- Flow control of sessions (draft section 5), within the windows above. What is announced to every
   * client; in force where the client announces limits too. All zero: no flow control, and one session on a
   * connection from draft 15 on. --- */
  uint64_t wt_initial_max_data; /**< bytes on all streams of a session; default 1 MiB; grows to `wt_max_data` */
  uint64_t wt_max_data;         /**< default 16 MiB */
  uint64_t wt_max_streams_bidi; /**< open at once by the peer in a session; default 100; 0: never any */
  uint64_t wt_max_streams_uni;  /**< likewise; default 100 */

  /* --- Bounds. --- */
  size_t max_sessions_per_connection; /**< default 16; draft 15 and later without session flow control: 1. Drafts 7
                                           to 14 are told 1, and more are served: a proxy puts those of all its
                                           clients on one connection (docs/guide/proxies.md) */
  size_t max_header_bytes; /**< names, values and 32 each (RFC 9114, section 4.2.2); over it: 431; default 16 KiB */
  size_t max_stream_send_buffer; /**< queued and unacknowledged, per stream or answer; default 1 MiB */
  size_t max_datagrams_queued;   /**< outgoing, per connection; default 256 */
  size_t max_early_streams;      /**< streams that wait for their session, per connection; default 64 */
  size_t max_early_datagrams;    /**< likewise; default 64 */
  uint64_t max_session_rate;     /**< new sessions a second, on a connection, behind a burst of as many or of
                                      `max_sessions_per_connection`; default 100; 0: no limit */

  /**
   * How many descriptors answers with files keep open, of all connections together and of one. Over either bound the
   * file that was read least recently is closed; it is opened again for its next piece, which has to find it unchanged,
   * else that answer is reset. 0: none is kept, each is opened for each piece. Defaults: half of what the process may
   * open (RLIMIT_NOFILE) when `wt_server_config_default` is called, at least 16 and at most 4,096, so that the other half
   * is left for sockets and for the application; and 32. Up to 1,000,000.
   */
  size_t max_open_files;
  size_t max_open_files_per_connection;

  /**
   * What all connections may hold together, in bytes; at least 1 MiB. 0: no limit. Default: half of the machine's
   * memory. A container that may have less should say so here.
   *
   * It counts what QUIC and HTTP/3 hold for each connection; what came and was not read; what `wt_stream_write` and
   * `wt_request_write` copied and is not acknowledged; datagrams that wait; records of connections, sessions, streams
   * and requests; and 12 KiB for each connection's keys, 40 while its handshake lasts. It does not count what the
   * application holds, also by the calls that end in `_owned`, nor what a server needs without any connection.
   *
   * From half of it on, windows go back to their initial sizes and do not grow, and a stream takes no more than 64 KiB
   * to be sent. From three quarters on (16 KiB then), new connections are refused (CONNECTION_REFUSED), new requests
   * and sessions are answered with 503, without their handlers; and a connection that holds more than an equal part of
   * that, and 16 KiB, gets nothing back of its window, and loses packets until it holds less or the others do. Sessions
   * go on. Each border is logged when it is crossed; it is crossed back a sixteenth of the limit lower.
   *
   * If memory is full for five seconds, those connections that hold most, and more than their share, are closed with
   * H3_EXCESSIVE_LOAD, until it is not full any more. Apart from all that, a connection whose packets make QUIC hold
   * much more than its window, by gaps, is closed in the same way, also without a limit.
   */
  size_t max_memory;
};

/** Counts of a server. */
struct wt_server_stats {
  size_t size; /**< set by the caller to sizeof(struct wt_server_stats) */
  uint64_t connections_open, connections_total;
  uint64_t connections_refused; /**< because of `max_connections` or `max_connections_per_address` */
  uint64_t sessions_open, sessions_total;
  uint64_t requests_total;
  uint64_t handshakes_open;
  uint64_t handshakes_evicted; /**< unfinished ones that gave way to new ones */
  uint64_t handshakes_dropped; /**< that did not begin, because those of the address give way too often */
  uint64_t packets_received, packets_sent;
  uint64_t bytes_received, bytes_sent; /**< UDP payloads */
  uint64_t packets_handed_over;        /**< that another worker's socket received */
  uint64_t packets_dropped;            /**< likewise, beyond the bound on those that wait */
  uint64_t memory_used;                /**< bytes, as `max_memory` counts; also without a limit */
  uint64_t memory_refused_connections; /**< because of `max_memory` */
  uint64_t memory_refused_requests;    /**< likewise, for sessions too: answered with 503 */
  uint64_t memory_refused_packets;     /**< likewise: of connections that held more than their share */
  uint64_t
      memory_closed_connections; /**< likewise: those that held most; and those of single peers that held too much */
  uint64_t streams_given_up;     /**< because the client did not move them: `send_timeout_ms` and the like */

  /*
   * How long the loop of a worker was busy without a look at its sockets, since the start. What makes it long is, as a
   * rule, a handler or a callback of the application that takes its time: the library gives each connection a few
   * milliseconds a turn, and leaves what is left for the next turn, but it interrupts no call. See docs/limits.md,
   * "Time that one connection may take".
   */
  uint64_t longest_turn_us;  /**< microseconds of the longest turn, from its first event to the end of all work */
  uint64_t long_turns;       /**< turns of more than 10 ms */
  uint64_t longest_visit_us; /**< microseconds that one connection took in a turn, at most */
  uint64_t packets_put_off;  /**< handled later, because their connection had used up its time */
  uint64_t packets_cut_off;  /**< dropped, because too many of them waited */
};

/*
 * Threads. A server without `workers` is one thread's, that of its loop: all handlers and callbacks are called there,
 * and all calls are to be made there, except for `wt_server_post`, `wt_server_shutdown`, `wt_server_close` and
 * `wt_session_post`, which any thread may call.
 *
 * With `workers` above 1, each worker is a thread with connections of its own. A connection stays with its worker, also
 * when the client moves to another address. The handler of a request, and all callbacks of the request, of the session
 * it becomes, and of its streams, are called on the worker's thread; calls on those are to be made there. "The loop's
 * thread", where it is said of these, is the worker's. So the handlers of one session need no lock for what is the
 * session's alone, and those of different sessions need one for what they share; `wt_session_post` reaches another
 * session. Calls on the server itself (certificates, start, run, free) stay with the thread of worker 0, where
 * `wt_server_post` leads; routes are set before the start.
 */

/**
 * Fills the first `size` bytes of `*config` with the defaults above; `size` is sizeof(struct wt_server_config) of the
 * header that the caller was compiled with, so that a newer library does not write past it. Since 0.1.0.
 */
WT_API void wt_server_config_init(struct wt_server_config *config, size_t size);

/** `wt_server_config_init` with the right size: what a program in C calls. Since 0.1.0. */
static inline void wt_server_config_default(struct wt_server_config *config) {
  wt_server_config_init(config, sizeof(*config));
}

/**
 * Makes a server; `config` is copied, NULL stands for the defaults. `*server` is the caller's, to be freed with
 * `wt_server_free`. `message`, which may be NULL, gets a sentence about an error, naming the field at fault (at most
 * `message_size` bytes with its NUL), or ""; the log has it, too. After an error `*server` is NULL.
 *
 * Errors: WT_ERR_INVALID (a bound makes no sense), WT_ERR_UNSUPPORTED (a `size`), WT_ERR_FILE (`client_ca_file`),
 * WT_ERR_TLS, WT_ERR_NOMEM, WT_ERR_IO. `message` since 0.2.0. Since 0.1.0.
 */
WT_API int wt_server_new(const struct wt_server_config *config, wt_server **server, char *message, size_t message_size);

/**
 * Calls `handler` for requests whose path matches `pattern`: exactly, or, if `pattern` ends in '/',
 * any path below it; the longest pattern wins, and without one the answer is 404. The handler may
 * answer at once, or keep the request and answer later. WebTransport requests come here too, once
 * the client's SETTINGS are in. A second call with the same pattern replaces the first.
 *
 * Errors: WT_ERR_INVALID if `pattern` does not begin with '/'; WT_ERR_STATE after the start of a server with
 * several workers; WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_server_handle(wt_server *server, const char *pattern, wt_handler_callback handler, void *user_data);

/** Serves the files below `directory` at `pattern`, which ends in '/'; see `wt_request_serve_file`. Since 0.1.0. */
WT_API int wt_server_handle_files(wt_server *server, const char *pattern, const char *directory);

/**
 * Adds a certificate; the server takes its own reference. The one whose names fit the client's server
 * name (SNI) is used, else the first. Connections that are up keep theirs. Session tickets that were given out with
 * other certificates resume nothing any more.
 *
 * Errors: WT_ERR_TLS, WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_server_add_certificate(wt_server *server, wt_certificate *certificate);

/** Replaces all certificates by `count` of `certificates` for handshakes from now on; else as above. With the same ones,
 * loaded again, tickets stay good. Since 0.1.0. */
WT_API int wt_server_set_certificates(wt_server *server, wt_certificate *const *certificates, size_t count);

/**
 * Binds the sockets and begins to serve whenever the loop runs; the threads of further workers serve from
 * now on. Returns at once.
 *
 * Errors: WT_ERR_STATE without a certificate or if started already; WT_ERR_ADDRESS, WT_ERR_IO (port
 * taken, no more threads); `wt_server_error` names the address. Since 0.1.0.
 */
WT_API int wt_server_start(wt_server *server);

/** Runs the server's loop, worker 0, until the server has ended with all workers. Errors: WT_ERR_STATE if not started;
 * WT_ERR_IO if it ended because the system lets it read a socket no more, which `wt_server_error` and the log name.
 * Since 0.1.0. */
WT_API int wt_server_run(wt_server *server);

/*
 * A program whose loop is not libuv's (poll, epoll, GLib, a game's) drives the server itself, after `wt_server_start` and
 * in place of `wt_server_run`:
 *
 *     while (wt_server_turn(server) == 0) {
 *       // wait until wt_server_fd(server) is readable, but not longer than wt_server_timeout_ms(server)
 *     }
 *
 * These are for servers on a loop of their own (`config.loop` is NULL), and for the thread that calls `wt_server_turn`:
 * with several workers it is worker 0, the others have threads as ever.
 */

/**
 * Returns a descriptor that is readable (POLLIN) when `wt_server_turn` has something to do: packets, time that is up, a
 * call from another thread. Only wait for it; it is the server's, and the same from `wt_server_new` to `wt_server_free`.
 * A copy of the process (fork) has to ask again.
 *
 * Errors, which are negative as no descriptor is: WT_ERR_STATE on a caller's loop, WT_ERR_IO after a fork. Since 0.2.0.
 */
WT_API int wt_server_fd(wt_server *server);

/**
 * Returns how many milliseconds to wait for the descriptor at most, as poll(2) takes it: 0, there is something to do at
 * once; -1, no limit, also before the start and after the end. Ask each time before you wait: what you called since the
 * last turn, such as `wt_stream_write`, makes it 0. Since 0.2.0.
 */
WT_API int wt_server_timeout_ms(wt_server *server);

/**
 * Does what is ready, callbacks included, sends what there is to send, and returns without waiting. A call that comes too
 * early does no harm. Returns 0 while the server goes on, and 1 once it has ended with all workers, or was freed by
 * `wt_server_free` in a callback.
 *
 * Errors: those of `wt_server_run`; WT_ERR_STATE also on a caller's loop, or inside a callback. Since 0.2.0.
 */
WT_API int wt_server_turn(wt_server *server);

/**
 * Loads the certificate and key, starts, and runs until the server has ended: the whole of a small
 * program. Errors: those of `wt_certificate_load`, `wt_server_start` and `wt_server_run`. Since 0.1.0.
 */
WT_API int wt_server_listen_and_serve_tls(wt_server *server, const char *cert_file, const char *key_file);

/**
 * Copies the `index`th address that the server listens on, "127.0.0.1:4433", to `address`.
 *
 * Errors: WT_ERR_NOT_FOUND past the last; WT_ERR_TOO_LARGE if it does not fit. Since 0.1.0.
 */
WT_API int wt_server_get_address(const wt_server *server, size_t index, char *address, size_t size);

/**
 * Ends the server in order: no new connections, GOAWAY and WT_DRAIN_SESSION to those that are, and
 * when the last request and session has ended, or after `deadline_ms`, it closes. Sessions that are still there a
 * second before the deadline (where it is less than two: after half of it) are closed, with code 0 and the reason "the
 * server is shutting down". Where clients are still connected, they have 250 ms more within the deadline to tell their
 * applications. Returns at once.
 * May be called from any thread and from a signal handler. Since 0.1.0.
 */
WT_API void wt_server_shutdown(wt_server *server, uint64_t deadline_ms);

/**
 * Ends the server now: every session is closed, with code 0 and the reason as above, every connection gets a
 * CONNECTION_CLOSE right behind. As to threads, as above. Since 0.1.0.
 */
WT_API void wt_server_close(wt_server *server);

/**
 * Calls `function(server, argument)` on the loop's thread, that of worker 0, soon. This and the two above
 * are the only calls on a running server that other threads may make, beside `wt_server_get_stats` where
 * there are several workers. Calls come in order; those that wait when the server is freed are made then.
 *
 * Errors: WT_ERR_NOMEM; WT_ERR_STATE once `wt_server_free` has begun. Since 0.1.0.
 */
WT_API int wt_server_post(wt_server *server, void (*function)(wt_server *server, void *argument), void *argument);

/**
 * Frees an ended or never started server; an own loop is freed with it. A running one is closed
 * first, and every handle gets its `on_close`. NULL is allowed.
 *
 * A caller's loop is turned without blocking until it has let go of the server's handles, so free the
 * server before the loop is closed, and not from inside a callback of that loop. Inside a callback of
 * `wt_server_run` or `wt_server_turn` this closes, and the server is freed when that returns. The threads of further
 * workers have ended when this returns, so it is not for their callbacks. Since 0.1.0.
 */
WT_API void wt_server_free(wt_server *server);

/**
 * Fills `*stats`, summed over the workers. With several, any thread may ask, and the counts are those that each
 * worker had at the end of the latest turn of its loop.
 *
 * Errors: WT_ERR_INVALID if `stats->size` is smaller than any version's. Since 0.1.0.
 */
WT_API int wt_server_get_stats(const wt_server *server, struct wt_server_stats *stats);

/** Returns a sentence about the last error of a call on `server`, naming the file or address; "" if none.
 * Since 0.1.0. */
WT_API const char *wt_server_error(const wt_server *server);

/** Returns the server that `request` came to. Since 0.1.0. */
WT_API wt_server *wt_request_server(const wt_request *request);

/** Returns which worker of the server `request` came to, from 0 to `workers` - 1. Since 0.1.0. */
WT_API unsigned wt_request_worker(const wt_request *request);

#ifdef __cplusplus
}
#endif

#endif
