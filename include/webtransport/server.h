/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_SERVER_H
#define WEBTRANSPORT_SERVER_H

#include <webtransport/certificate.h>
#include <webtransport/connection.h>
#include <webtransport/error.h>
#include <webtransport/fleet.h>
#include <webtransport/access.h>
#include <webtransport/log.h>
#include <webtransport/qlog.h>
#include <webtransport/request.h>
#include <webtransport/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How connection ids are made: fleet.h has its members. */
struct wt_connection_ids;

/** libuv's loop, declared here so that this header does not include libuv's. */
struct uv_loop_s;

/** An HTTP/3 server with WebTransport: UDP sockets, connections, routes and sessions, on one loop or several. */
typedef struct wt_server wt_server;

/**
 * Decides whether the WebTransport request `request` may come from its origin (section 3.2; `wt_request_origin`).
 * `wt_upgrade` calls it for each request, also for one without an `origin` field, on the request's thread. If it
 * returns false, `wt_upgrade` fails with WT_ERR_ORIGIN. `user_data` is `check_origin_user_data` of the configuration.
 * It must only read `request`. Since 0.1.0.
 */
typedef bool (*wt_check_origin_callback)(const wt_request *request, void *user_data);

/**
 * Handles a request: it answers at once, or keeps the request and answers later. See `wt_server_handle`, which takes
 * the `user_data`. Since 0.1.0.
 */
typedef void (*wt_handler_callback)(wt_request *request, void *user_data);

/** Drafts of WebTransport. Each bit stands for the drafts from its number up to the next number. Since 0.1.0. */
enum wt_draft {
  WT_DRAFT_02 = 1,   /**< what Chromium and Firefox speak */
  WT_DRAFT_07 = 2,   /**< what Safari speaks */
  WT_DRAFT_13 = 4,   /**< 13 and 14 */
  WT_DRAFT_15 = 8,   /**< 15 and 16 */
  WT_DRAFT_ALL = 15, /**< all of them */
};

/** When a client must prove its address first, which costs it a round trip (RFC 9000, section 8.1.2). Since 0.1.0. */
enum wt_retry {
  WT_RETRY_NEVER = 0,      /**< no client */
  WT_RETRY_UNDER_LOAD = 1, /**< if `retry_threshold` handshakes are unfinished, or a new one would evict another */
  WT_RETRY_ALWAYS = 2,     /**< each client without a token of an earlier connection */
};

/**
 * A server's configuration. `wt_server_config_default` fills it; then change what you need. Zero means zero, never "the
 * default". Times may be up to 4,294,967,295 ms. docs/limits.md lists each bound with its range and its reason. Since
 * 0.1.0.
 */
struct wt_server_config {
  size_t size; /**< set by `wt_server_config_default`; leave it */

  /**
   * Addresses to listen on, each "address:port": "[::]:4433", "127.0.0.1:0" (any free port), "localhost:4433" (each
   * address of the name). "[::]:port" includes all IPv4 addresses. Default: "[::]:443". Copied.
   */
  const char *const *listen;
  size_t listen_count; /**< number of addresses; default 1, so one address needs no count; 0 with `sockets` alone */

  /** The loop to run on, which still belongs to the caller. NULL (the default): the server makes its own loop. */
  struct uv_loop_s *loop;

  /**
   * Number of threads that serve: 1 (the default) to 256. Each thread has its own sockets, connections and sessions;
   * see "Threads" below. Worker 0 is the thread of the loop, which may be the caller's; the library makes the other
   * threads. The bounds below hold for all workers together.
   */
  unsigned workers;

  /** Decides on origins. NULL (the default) allows requests without an origin, and requests from the same origin. */
  wt_check_origin_callback check_origin;
  void *check_origin_user_data; /**< the pointer that `check_origin` gets */

  /** Gets the log lines; see log.h. NULL (the default): they go to standard error. */
  wt_log_callback log;
  void *log_user_data;         /**< the pointer that `log` gets */
  enum wt_log_level log_level; /**< default WT_LOG_WARN */

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
  uint64_t handshake_timeout_ms; /**< a handshake must be done after this time; at least 1; default 10,000 */
  /** A connection without a request or session is closed after this time; default 10,000; 0: never. Browsers send
   * nothing when a page closes its session. */
  uint64_t no_request_timeout_ms;
  uint64_t settings_timeout_ms; /**< a CONNECT waits this long for the client's SETTINGS; default 5,000 */
  uint64_t early_timeout_ms;    /**< a stream that comes before its session waits this long for it; default 5,000 */

  /**
   * How long the server waits for a client that began something and does not go on with it. 0: without limit. The
   * server may notice it up to a quarter of the time later.
   *
   * `header_timeout_ms` (default 30,000): from the first byte of a stream until the type of the stream is known, and
   * until the header section of a request is complete. Then the stream is reset with H3_REQUEST_REJECTED.
   *
   * `send_timeout_ms` (default 60,000): answers, and streams of sessions, that have bytes to send. In this time the
   * client must take at least `min_progress` bytes, or all bytes if there are fewer. `body_timeout_ms` (default
   * 60,000): likewise for request bodies, if `on_body` is set and the request is not paused. A request is then reset
   * with H3_REQUEST_CANCELLED, and its `on_close` gets WT_ERR_TIMEOUT. A stream is reset and stopped with
   * H3_EXCESSIVE_LOAD, and its `on_close` gets an error by WT_TRANSPORT with that wire code. Bytes that wait behind
   * other streams of the connection may wait longer, while those streams take enough for all.
   *
   * A stream or session that is only silent goes on. Set `body_timeout_ms` to 0 if clients keep a POST open to send an
   * event from time to time.
   */
  uint64_t header_timeout_ms, send_timeout_ms, body_timeout_ms;
  uint64_t min_progress; /**< in bytes; at least 1; default 1,024 */

  /* --- Address validation and connections. --- */
  enum wt_retry retry;    /**< default WT_RETRY_UNDER_LOAD */
  size_t retry_threshold; /**< number of unfinished handshakes; default 256 */
  size_t max_connections; /**< at least 1; default 65,536. Beyond it, a new handshake evicts the oldest unfinished
                                           one; if there is none, the new one is refused. */
  /**
   * Connections from one IPv4 address or IPv6 /64; at least 1; default 1,024. Unfinished handshakes count if they began
   * with one of our tokens, and are evicted likewise.
   */
  size_t max_connections_per_address;
  /**
   * Unfinished handshakes from one IPv4 address or IPv6 /64; at least 1; default 256. With round trips of 100 ms, this
   * admits 2,500 clients a second behind one NAT. A handshake counts if it began with one of our tokens (Retry,
   * NEW_TOKEN), because the token shows that the address belongs to the client. Beyond the bound, a new handshake
   * evicts the oldest one of the address: a quarter of the bound at once, then a quarter in each second. Further new
   * handshakes are dropped. If so many handshakes of an address began without a token, WT_RETRY_UNDER_LOAD asks this
   * address for one. With several workers, each worker may admit one more.
   */
  size_t max_handshakes_per_address;
  const uint8_t *reset_key; /**< 32 secret bytes that stay the same over restarts, so that peers of an earlier run get a
                                 stateless reset (RFC 9000, section 10.3); NULL (the default): random bytes. Copied. */
  size_t reset_key_len;     /**< 32, or 0 without a key */
  bool session_tickets;     /**< allow TLS resumption while the certificates stay the same; default true */
  unsigned drafts; /**< bits of `enum wt_draft` to announce; at least one. The highest that the client names too is
                                 used. Default WT_DRAFT_ALL; other values are for tests. */
  /**
   * Refuse a session to a client of draft 15 or later that does not announce RESET_STREAM_AT, as the draft requires
   * (section 3.1): `wt_upgrade` then fails with WT_ERR_SETTINGS. Default false, because there are such clients, and
   * they work: like browsers, they get a RESET_STREAM, after they have acknowledged the header of the stream. Since
   * 0.2.0.
   */
  bool require_reset_stream_at;

  /* --- TLS. --- */
  /**
   * Whether clients are asked for certificates; default WT_CLIENT_CERTIFICATES_NONE. `client_ca_file` is a PEM file
   * with the authorities. `wt_server_new` reads it, once. A client that shows a certificate is refused unless a chain
   * leads to one of the authorities, it is valid now, and it is made for TLS clients. `client_ca_file` may be NULL (the
   * default) with WT_CLIENT_CERTIFICATES_ASK: then any certificate is accepted, only the possession of its key is
   * verified, and the application must look at it (`wt_request_get_peer_certificate`).
   *
   * A refused client gets a TLS alert (certificate_required, unknown_ca, certificate_expired, ...), no handler is
   * called, and the log gets a warning. Browsers show no certificates for WebTransport sessions. Since 0.2.0.
   */
  enum wt_client_certificates client_certificates;
  const char *client_ca_file; /**< copied */

  /**
   * Chooses the certificate for a client's server name; NULL (the default): the server chooses among its own
   * certificates. It needs at least one of its own in any case. A connection with a chosen certificate gets no session
   * ticket. Since 0.2.0.
   */
  wt_select_certificate_callback select_certificate;
  void *select_certificate_user_data; /**< the pointer that `select_certificate` gets */

  /**
   * Gets the secrets of each handshake; NULL (the default): nothing does. The environment variable SSLKEYLOGFILE works
   * too. Since 0.2.0.
   */
  wt_key_log_callback key_log;
  void *key_log_user_data; /**< the pointer that `key_log` gets */

  /**
   * Cipher suites and key exchange groups, by their names in RFC 8446, the best first. The server's order holds, not
   * the client's. Suites: "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256". Groups:
   * "x25519", "secp256r1", "secp384r1", "secp521r1", "x448". NULL with 0 (the default): all three suites and the first
   * three groups, in the client's order. Initial packets always use AES-128-GCM. At most 16 names each, none twice.
   * Copied. Since 0.2.0.
   */
  const char *const *cipher_suites;
  size_t cipher_suite_count; /**< how many `cipher_suites` there are */
  const char *const *groups; /**< likewise, for the key exchange */
  size_t group_count;        /**< how many `groups` there are */

  /**
   * How long a session ticket is valid, in seconds: 1 to 604,800, the bound of RFC 8446, section 4.6.1; default 21,600
   * (6 hours). Since 0.2.0.
   */
  uint64_t ticket_lifetime_s;

  /* --- Windows (RFC 9000, section 4), in bytes. --- */
  uint64_t initial_max_data;        /**< at least 1,024; default 1 MiB; grows to `max_data` as the application reads */
  uint64_t max_data;                /**< default 16 MiB */
  uint64_t initial_max_stream_data; /**< at least 1,024; default 256 KiB; grows to `max_stream_data` */
  uint64_t max_stream_data;         /**< default 6 MiB */
  uint64_t max_streams_bidi;        /**< streams that the peer may have open on a connection; at least 1; default 256 */
  uint64_t max_streams_uni;         /**< likewise; at least 3, for HTTP/3; default 256 */

  /* --- Flow control of sessions (section 5), within the windows above. The server announces these limits to every
   * client. They hold for clients that announce limits too. All zero: no flow control, and from draft 15 on one session
   * on a connection. --- */
  uint64_t wt_initial_max_data; /**< bytes on all streams of a session; default 1 MiB; grows to `wt_max_data` */
  uint64_t wt_max_data;         /**< default 16 MiB */
  uint64_t wt_max_streams_bidi; /**< streams that the peer may have open in a session; default 100; 0: none, ever */
  uint64_t wt_max_streams_uni;  /**< likewise; default 100 */

  /* --- Bounds. --- */
  /**
   * Default 16; from draft 15 on 1 without session flow control. Clients of drafts 7 to 14 are told 1, but get as many:
   * a proxy puts the sessions of all its clients on one connection (docs/guide/proxies.md).
   */
  size_t max_sessions_per_connection;
  size_t max_header_bytes; /**< of a request: names, values and 32 for each field (RFC 9114, section 4.2.2); at least 1;
                                default 16 KiB. A larger one is answered with 431. */
  /** Bytes queued and not acknowledged, for each stream or answer; at least 1; default 1 MiB */
  size_t max_stream_send_buffer;
  size_t max_datagrams_queued; /**< outgoing, for each connection; at least 1; default 256 */
  size_t max_early_streams;    /**< streams that wait for their session, for each connection; default 64 */
  size_t max_early_datagrams;  /**< datagrams that wait likewise; default 64 */
  uint64_t max_session_rate;   /**< new sessions a second on a connection, after a first burst of this number or of
                                      `max_sessions_per_connection`; default 100; 0: no limit */

  /**
   * How many files answers may keep open, of all connections together and of one connection; each up to 1,000,000.
   * Beyond either bound, the file that was not read for the longest time is closed. It is opened again for the next
   * piece; if it has changed in the meantime, this answer is reset. 0: each file is opened for each piece. Default of
   * the first: half of what the process may open (RLIMIT_NOFILE) when `wt_server_config_default` is called, but at
   * least 16 and at most 4,096; the other half is left for sockets and the application. Default of the second: 32.
   */
  size_t max_open_files;
  size_t max_open_files_per_connection; /**< of one connection; default 32 */

  /**
   * How much memory all connections may use together, in bytes; at least 1 MiB; 0: no limit. Default: half of the
   * machine's memory. In a container, set it according to the container's limit.
   *
   * It includes what QUIC and HTTP/3 keep for each connection; bytes that arrived and were not read; bytes that
   * `wt_stream_write` and `wt_request_write` copied and that were not acknowledged; queued datagrams; connections,
   * sessions, streams and requests; and for the keys of each connection 12 KiB (40 KiB during its handshake). It does
   * not include the application's memory (also not that of `wt_stream_write_owned` and `wt_request_write_owned`), nor
   * what a server needs without connections.
   *
   * From half of it on, windows shrink to their initial sizes, and a stream queues no more than 64 KiB for sending.
   * From three quarters on, a stream queues no more than 16 KiB, new connections are refused (CONNECTION_REFUSED), and
   * new requests and sessions are answered with 503 without a call of their handler. A connection that uses more than
   * 16 KiB and more than its equal share gets no new window, and loses packets until it uses less, or others do.
   * Sessions go on. The log says when a border is crossed; it is crossed back when a sixteenth of the limit less is
   * used.
   *
   * If the memory is full for five seconds, the connections that use most, and more than their share, are closed with
   * H3_EXCESSIVE_LOAD until it is no longer full. Without regard to this limit, a connection is closed in the same way
   * if gaps between its packets make QUIC keep much more than the connection's window.
   */
  size_t max_memory;

  /**
   * How fast to send, on every connection: see `enum wt_congestion_control`. Default WT_CONGESTION_CONTROL_CUBIC, which
   * is fair to others on a path that loses packets by full queues alone. Since 0.2.0.
   */
  enum wt_congestion_control congestion_control;

  /**
   * What `max_stream_send_buffer` grows to, in bytes, while four times what is in flight is more than that; default
   * 16 MiB. Bytes that were sent behind a lost packet stay in the buffer until that packet has come again. Without room
   * for new bytes meanwhile, the connection is idle after each loss. Less than `max_stream_send_buffer`: it does not
   * grow. Since 0.2.0.
   */
  size_t max_stream_send_buffer_grown;

  /* --- More than one machine: fleet.h, docs/guide/fleet.md. --- */
  /**
   * What connection ids look like, so that a load balancer finds the server of a packet: see fleet.h. NULL (the default):
   * they are random. Copied. Since 0.3.0.
   */
  const struct wt_connection_ids *connection_ids;
  /**
   * Secrets that all machines of a fleet have in common: session tickets, address tokens and stateless resets of one
   * machine are good on the others. NULL (the default): random keys, which end with the process. Copied. A `reset_key`
   * beside it stays the key of stateless resets: it is the same on all machines, and never replaced. Since 0.3.0.
   */
  const struct wt_fleet_keys *fleet_keys;

  /* --- Sockets that somebody else has bound. --- */
  /**
   * UDP sockets to serve on beside the addresses of `listen`: bound ones, of IPv4, or of IPv6 alone (IPV6_V6ONLY). A service
   * manager can hand them over, so a process without rights gets a port below 1024, and packets wait in the socket during a
   * restart. `listen_count` may be 0 then. `wt_server_start` duplicates each descriptor, which has to be open then and stays
   * the caller's; it sets options of the socket, O_NONBLOCK among them. The array is copied. Default: none; at most 64.
   *
   * With several workers each gets a socket beside the given one, so the kernel must allow it: the given one was opened by the
   * same user. Such a server cannot have `wt_server_takeover` too. Since 0.3.0.
   */
  const int *sockets;
  size_t socket_count; /**< how many `sockets` there are */

  /* --- Diagnosis: docs/guide/diagnosis.md. --- */
  /**
   * Gets the qlog of each connection, see qlog.h; NULL (the default): see `qlog_dir`. Since 0.3.0.
   */
  wt_qlog_callback qlog;
  void *qlog_user_data; /**< the pointer that `qlog` gets */
  /**
   * Without `qlog`: a folder that gets a file for each connection, CONNECTION_server.sqlog, which only the owner may read.
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
  /**
   * Gets each session, and each request that became none, at its end, for an access log: see access.h. NULL (the default): nobody
   * does. Since 0.4.0.
   */
  wt_access_callback access;
  void *access_user_data; /**< passed to `access`; default: NULL. Since 0.4.0. */
};

/** Counts of a server, since its start unless a name says "open". Since 0.1.0. */
struct wt_server_stats {
  size_t size;                                  /**< the caller sets it to sizeof(struct wt_server_stats) */
  uint64_t connections_open, connections_total; /**< QUIC connections */
  uint64_t connections_refused;                 /**< because of `max_connections` or `max_connections_per_address` */
  uint64_t sessions_open, sessions_total;       /**< WebTransport sessions */
  uint64_t requests_total;                      /**< plain requests and those for sessions */
  uint64_t handshakes_open;                     /**< connections whose handshake is not done */
  uint64_t handshakes_evicted;                  /**< unfinished handshakes that a new one evicted */
  uint64_t handshakes_dropped;             /**< handshakes that did not begin, because their address evicts too many */
  uint64_t packets_received, packets_sent; /**< UDP packets */
  uint64_t bytes_received, bytes_sent;     /**< UDP payloads */
  uint64_t packets_handed_over;            /**< packets that the socket of another worker received */
  uint64_t packets_dropped;                /**< such packets that were dropped, because too many of them waited */
  uint64_t memory_used;                    /**< bytes now, counted as for `max_memory`, also without a limit */
  uint64_t memory_refused_connections;     /**< connections refused because of `max_memory` */
  uint64_t memory_refused_requests;   /**< requests, also for sessions, answered with 503 because of `max_memory` */
  uint64_t memory_refused_packets;    /**< packets dropped because their connection used more than its share */
  uint64_t memory_closed_connections; /**< connections closed because they used most, or far more than their window */
  uint64_t streams_given_up;          /**< streams and requests ended by `send_timeout_ms` and the times beside it */

  /*
   * How long a worker was busy without reading its sockets. If these times are long, a handler or callback of the
   * application is usually the cause: the library gives each connection a few milliseconds in a turn of the loop and
   * leaves the rest for the next turn, but it cannot interrupt a call. See docs/limits.md, "Time that one connection
   * may take".
   */
  uint64_t longest_turn_us;  /**< the longest turn in microseconds, from its first event to the end of its work */
  uint64_t long_turns;       /**< turns longer than 10 ms */
  uint64_t longest_visit_us; /**< the longest time that one connection took in a turn, in microseconds */
  uint64_t packets_put_off;  /**< packets handled in a later turn, because their connection had used up its time */
  uint64_t packets_cut_off;  /**< packets dropped, because too many of those waited */

  /*
   * What messages cost. A message that comes alone, and its answer, should take two turns (for the message, and for the
   * acknowledgement of the answer), one packet in each direction and no timer.
   */
  uint64_t turns;              /**< how often a worker woke up, worked and waited again */
  uint64_t turns_idle;         /**< turns in which no packet was received or sent */
  uint64_t timers_set;         /**< how often the kernel's timer was set, a system call each */
  uint64_t timers_fired;       /**< turns that began because a time had come */
  uint64_t packets_sent_ack;   /**< of the packets sent: those with nothing but an acknowledgement */
  uint64_t packets_sent_probe; /**< of the packets sent: those that only ask for one, such as keep-alives */

  enum wt_congestion_control congestion_control; /**< of its connections, as the configuration says. Since 0.2.0 */

  /* Datagrams of sessions, as in struct wt_session_stats. Since 0.2.0. */
  uint64_t datagrams_sent;            /**< handed to the connection */
  uint64_t datagrams_dropped;         /**< not sent: the queue was full, or the path's packets became too small */
  uint64_t datagrams_expired;         /**< not sent: they had waited longer than their session allows */
  uint64_t longest_datagram_delay_us; /**< the longest wait of one that was sent, in microseconds */

  /* Packets between processes, after a takeover (fleet.h). Since 0.3.0. */
  uint64_t takeover_packets_out;     /**< handed to an older process, which may know their connection */
  uint64_t takeover_packets_in;      /**< that the new process handed over to this one */
  uint64_t takeover_packets_dropped; /**< lost on the way, in either direction, because the other process is too slow */

  /**
   * How long the turns have taken that go on now, in microseconds: the longest of all workers. 0: all of them wait for
   * events. Seconds mean that a worker hangs in a handler or callback. The calling worker's own turn counts. Since 0.4.0.
   */
  uint64_t current_turn_us;
};

/*
 * Threads. A server with one worker (the default) belongs to the thread of its loop. That thread calls all handlers and
 * callbacks, and only it may call functions on the server and its handles, except `wt_server_post`,
 * `wt_server_shutdown`, `wt_server_close`, `wt_server_set_connection_ids`, `wt_server_set_fleet_keys`, `wt_session_post` and
 * `wt_session_worker`, which any thread may call. topic.h has more of these.
 *
 * With `workers` above 1, each worker is a thread with its own connections. A connection stays with its worker, also
 * when the client's address changes. The worker's thread calls the handler of a request and all callbacks of the
 * request, its session and its streams, and only this thread may call functions on them. For these handles, "the loop's
 * thread" means the thread of their worker. So the callbacks of one session need no lock for data of this session; data
 * that sessions share needs one. `wt_session_post` reaches a session of another worker. Functions on the server itself
 * (certificates, start, run, free) belong to the thread of worker 0, and `wt_server_post` reaches it. Set routes before
 * the start.
 */

/**
 * Fills the first `size` bytes of `*config` with the defaults above. `size` is sizeof(struct wt_server_config) in the
 * headers that the caller was compiled with, so a newer library does not write too much. Any thread. Since 0.1.0.
 */
WT_API void wt_server_config_init(struct wt_server_config *config, size_t size);

/** Calls `wt_server_config_init` with the right size. Programs in C use this. Since 0.1.0. */
static inline void wt_server_config_default(struct wt_server_config *config) {
  wt_server_config_init(config, sizeof(*config));
}

/**
 * Makes a server. `config` is copied; NULL stands for the defaults. `*server` belongs to the caller, who frees it with
 * `wt_server_free`. `message` may be NULL; it gets a sentence about an error that names the member at fault, or "": at
 * most `message_size` bytes with the NUL. The log gets the sentence too. After an error `*server` is NULL. Any
 * callback.
 *
 * Errors: WT_ERR_INVALID if a member of `config` is out of its range, or `server` is NULL; WT_ERR_INVALID or
 * WT_ERR_UNSUPPORTED if `config->size` is wrong (error.h, "Structs that grow"); WT_ERR_FILE if `client_ca_file` has no
 * certificate that can be read; WT_ERR_TLS; WT_ERR_IO if the system gives no loop; WT_ERR_NOMEM. The order of the
 * arguments, and `message`, since 0.2.0. Since 0.1.0.
 */
WT_API int wt_server_new(const struct wt_server_config *config, wt_server **server, char *message, size_t message_size);

/**
 * Makes the server call `handler` for requests whose path matches `pattern`. A pattern that ends in '/' matches all
 * paths that begin with it, any other pattern matches only itself. The longest matching pattern wins; without one the
 * answer is 404. The handler may answer at once, or keep the request and answer later. WebTransport requests come here
 * too, after the client's SETTINGS. A second call with the same pattern replaces the handler. `pattern` is copied;
 * `user_data` must stay valid until `wt_server_free`. Any callback of worker 0.
 *
 * Errors: WT_ERR_INVALID if `pattern` does not begin with '/', or `handler` is NULL; WT_ERR_STATE after the start of a
 * server with several workers; WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_server_handle(wt_server *server, const char *pattern, wt_handler_callback handler, void *user_data);

/**
 * Serves the files below the folder `directory` at `pattern`, which begins and ends with '/'. Each request is answered
 * as by `wt_request_serve_file`. Both texts are copied. Any callback of worker 0.
 *
 * Errors: as for `wt_server_handle`; WT_ERR_INVALID also if `directory` is NULL or "". Since 0.1.0.
 */
WT_API int wt_server_handle_files(wt_server *server, const char *pattern, const char *directory);

/**
 * Adds a certificate. The server takes its own reference. A client gets the certificate that matches its server name
 * (SNI), or the first one. Open connections keep theirs. Session tickets from before, with other certificates, are not
 * valid any more. Any callback of worker 0.
 *
 * Errors: WT_ERR_INVALID if `certificate` is NULL; WT_ERR_TLS; WT_ERR_NOMEM. After an error nothing has changed. Since
 * 0.1.0.
 */
WT_API int wt_server_add_certificate(wt_server *server, wt_certificate *certificate);

/**
 * Replaces all certificates of the server, for new handshakes, by the `count` certificates of `certificates`. The
 * server takes its own references. If they are the same certificates, loaded again, session tickets stay valid. All
 * else is as for `wt_server_add_certificate`. Any callback of worker 0.
 *
 * Errors: WT_ERR_INVALID if `count` is 0 or a certificate is NULL; WT_ERR_TLS; WT_ERR_NOMEM. After an error nothing has
 * changed. Since 0.1.0.
 */
WT_API int wt_server_set_certificates(wt_server *server, wt_certificate *const *certificates, size_t count);

/**
 * Opens the sockets. From now on the server serves whenever its loop runs; the threads of further workers begin to
 * serve. It does not wait. Any callback of the loop.
 *
 * Errors: WT_ERR_STATE without a certificate, or if the server was started before; WT_ERR_ADDRESS if an address of
 * `listen` is not valid; WT_ERR_IO if the system refuses, for example because a port is in use or there are no more
 * threads; WT_ERR_NOMEM. `wt_server_error` names the address. Since 0.1.0.
 */
WT_API int wt_server_start(wt_server *server);

/**
 * Runs the server's loop until the server has ended with all of its workers. Not inside a callback.
 *
 * Errors: WT_ERR_STATE if the server was not started, or runs already; WT_ERR_IO if the system does not let the server
 * read a socket any more, or the loop after a fork. `wt_server_error` and the log have the reason. Since 0.1.0.
 */
WT_API int wt_server_run(wt_server *server);

/*
 * A program with another loop than libuv's (poll, epoll, GLib, a game's loop) drives the server itself. It does this
 * after `wt_server_start` and instead of `wt_server_run`:
 *
 *     while (wt_server_turn(server) == 0) {
 *       // wait until wt_server_fd(server) is readable, but not longer than wt_server_timeout_ms(server)
 *     }
 *
 * These functions are for a server that has its own loop (`config.loop` is NULL). They belong to the thread that calls
 * `wt_server_turn`. With several workers that thread is worker 0; the other workers have their own threads as always.
 */

/**
 * Returns a descriptor that is readable (POLLIN) when `wt_server_turn` has work: packets, a time that has come, a call
 * from another thread. Only wait for it; it belongs to the server. It stays the same from `wt_server_new` to
 * `wt_server_free`. After a fork, the child must ask again. Any callback.
 *
 * Errors, which are negative as no descriptor is: WT_ERR_STATE on a caller's loop; WT_ERR_IO after a fork;
 * WT_ERR_INVALID if `server` is NULL. Since 0.2.0.
 */
WT_API int wt_server_fd(wt_server *server);

/**
 * Returns how many milliseconds to wait for the descriptor at most, as poll(2) takes it. 0: there is work now. -1:
 * there is no limit; also before the start, after the end, on a caller's loop, and for NULL. Ask each time before you
 * wait, because calls such as `wt_stream_write` change it. Any callback. Since 0.2.0.
 */
WT_API int wt_server_timeout_ms(wt_server *server);

/**
 * Does the work that is ready, makes callbacks, sends what can be sent, and returns without waiting. A call without
 * need does no harm. Returns 0 while the server goes on. Returns 1 when it has ended with all of its workers, or when a
 * callback has called `wt_server_free`. Not inside a callback.
 *
 * Errors: those of `wt_server_run`; WT_ERR_STATE also on a caller's loop; WT_ERR_INVALID if `server` is NULL. Since
 * 0.2.0.
 */
WT_API int wt_server_turn(wt_server *server);

/**
 * Loads the certificate and the key, starts the server, and runs it until it has ended. This is all that a small
 * program needs. Not inside a callback.
 *
 * Errors: those of `wt_certificate_load`, `wt_server_add_certificate`, `wt_server_start` and `wt_server_run`;
 * WT_ERR_INVALID if a file name is NULL. `wt_server_error` has a sentence. Since 0.1.0.
 */
WT_API int wt_server_listen_and_serve_tls(wt_server *server, const char *cert_file, const char *key_file);

/**
 * Copies the address number `index`, counted from 0, that the server listens on to `address`: "127.0.0.1:4433", at most
 * `size` bytes with the NUL. After an error `address` is "". Any callback of worker 0. It was `wt_server_address`
 * before.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many addresses, or the server was not started; WT_ERR_TOO_LARGE if it
 * does not fit; WT_ERR_INVALID if `address` is NULL. Since 0.2.0.
 */
WT_API int wt_server_get_address(const wt_server *server, size_t index, char *address, size_t size);

/**
 * Ends the server in order. It refuses new connections and sends GOAWAY (RFC 9114, section 5.2) and WT_DRAIN_SESSION
 * (section 4.7) on open connections. It closes when the last request and session has ended, or after `deadline_ms`
 * milliseconds. Sessions that are still open a second before the deadline are closed, with code 0 and the reason "the
 * server is shutting down"; if the deadline is less than two seconds, they are closed after half of it. Clients that
 * are connected then have 250 ms, within the deadline, to tell their applications. Returns at once. Any thread, any
 * callback, and signal handlers. Since 0.1.0.
 */
WT_API void wt_server_shutdown(wt_server *server, uint64_t deadline_ms);

/**
 * Ends the server now: each session is closed, with code 0 and the reason "the server is shutting down", and each
 * connection gets a CONNECTION_CLOSE. It happens in the loop; this returns at once. Any thread, any callback, and
 * signal handlers. Since 0.1.0.
 */
WT_API void wt_server_close(wt_server *server);

/**
 * Makes the thread of worker 0 call `function(server, argument)` soon. Calls come in the order in which they were
 * posted. When the server is freed, it makes the calls that still wait. Any thread, any callback; not in a signal
 * handler.
 *
 * Errors: WT_ERR_INVALID if `server` or `function` is NULL; WT_ERR_NOMEM; WT_ERR_STATE after `wt_server_free` has
 * begun. After an error `function` is not called. Since 0.1.0.
 */
WT_API int wt_server_post(wt_server *server, void (*function)(wt_server *server, void *argument), void *argument);

/**
 * Frees a server, and its own loop with it. If it is still running, it is closed first, and each handle gets its
 * `on_close`. NULL is allowed.
 *
 * Inside a callback of `wt_server_run` or `wt_server_turn`, this only closes the server, which is freed when that
 * function returns. Otherwise this waits for the threads of further workers, so do not call it in their callbacks. On a
 * caller's loop, this runs the loop without waiting until libuv has closed the server's handles: call it before you
 * close the loop, and not inside a callback of the loop. Since 0.1.0.
 */
WT_API void wt_server_free(wt_server *server);

/**
 * Fills `*stats` with the sums of all workers; the caller sets `stats->size` first. Any callback. On a server with
 * several workers, any thread may call it, and the counts are those at the end of each worker's latest turn.
 *
 * Errors: WT_ERR_INVALID if `stats->size` is too small (error.h, "Structs that grow"). Since 0.1.0.
 */
WT_API int wt_server_get_stats(const wt_server *server, struct wt_server_stats *stats);

/**
 * Returns a sentence about the last error of a function on `server`, which names the file or the address; "" if there
 * was none. Borrowed until the next function on `server` fails. Any callback of worker 0. Since 0.1.0.
 */
WT_API const char *wt_server_error(const wt_server *server);

/** Returns the server that `request` came to. Any callback. Since 0.1.0. */
WT_API wt_server *wt_request_server(const wt_request *request);

/** Returns the number of the worker that `request` came to, from 0 to `workers` - 1. Any callback. Since 0.1.0. */
WT_API unsigned wt_request_worker(const wt_request *request);

#ifdef __cplusplus
}
#endif

#endif
