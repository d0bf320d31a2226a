/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_SESSION_H
#define WEBTRANSPORT_SESSION_H

#include <webtransport/error.h>
#include <webtransport/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How a session ended (section 6). Only the library makes this struct. Later versions may add members at its end. All
 * texts are borrowed until `on_close` returns.
 */
struct wt_close_info {
  enum wt_party by;   /**< who ended it */
  uint32_t code;      /**< the application's code; 0 without `has_code` */
  const char *reason; /**< the reason that came with the code: UTF-8, NUL-terminated, at most 1,024 bytes; "" if none */
  size_t reason_len;  /**< its length in bytes, without the NUL */
  bool clean;         /**< the CONNECT stream ended in order; false: it was reset, or the connection ended */
  uint64_t wire_code; /**< if not clean: the HTTP/3 or QUIC error code that ended the session */

  /* Since 0.2.0. */
  enum wt_cause cause; /**< what ended it, more exactly than `by` */
  bool connection;     /**< the whole connection ended; false: the session alone */
  bool
      wire_is_h3; /**< `wire_code` is an HTTP/3 error code or one of the peer's application; false: a QUIC error code */
  /**
   * If not clean: a sentence for people, or "". With WT_CAUSE_PEER it is the reason phrase of the peer's
   * CONNECTION_CLOSE, else it says what was wrong. UTF-8 without control characters, NUL-terminated, at most 1,024
   * bytes.
   */
  const char *message;
  /**
   * Whether the close carried a code, which may be 0. False: the peer ended the CONNECT stream without a code (a bare
   * FIN), or the end was not clean.
   */
  bool has_code;
};

/**
 * What an application hears about a session. Any member may be NULL. The library calls them on the loop's thread, and
 * never from inside a call that the application makes.
 */
struct wt_session_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_session_callbacks): see "Structs that grow" in error.h */

  /**
   * The peer opened a stream. Set its callbacks here with `wt_stream_set_callbacks`, unless
   * `wt_session_set_stream_callbacks` has set callbacks for all streams. If this member is NULL and there are no such
   * callbacks, the library refuses the peer's streams: it resets and stops them with code 0.
   */
  void (*on_stream)(wt_session *session, wt_stream *stream, void *user_data);

  /**
   * A datagram arrived. `data` is borrowed until the callback returns. If this member is NULL, datagrams are dropped.
   */
  void (*on_datagram)(wt_session *session, const uint8_t *data, size_t len, void *user_data);

  /** The peer allows more streams of `kind`. Called after an open failed with WT_ERR_STREAM_LIMIT. */
  void (*on_stream_credit)(wt_session *session, enum wt_stream_kind kind, void *user_data);

  /**
   * The session should end soon: the peer asked for it, or the server of this session shuts down. Called at most once.
   */
  void (*on_drain)(wt_session *session, void *user_data);

  /**
   * The session has ended, and `on_close` of each of its streams was called before. `info` is borrowed until the
   * callback returns. Called exactly once, as the last callback of the session. The handle is invalid when it returns.
   */
  void (*on_close)(wt_session *session, const struct wt_close_info *info, void *user_data);

  /**
   * `wt_session_max_datagram_size` is `size` bytes now: the path carries larger packets than before, or only smaller
   * ones. Queued datagrams that are too large now are dropped and counted in `datagrams_dropped_outgoing`.
   */
  void (*on_datagram_size)(wt_session *session, size_t size, void *user_data);
};

/** Counts since the session began. Bytes are bytes of the application, without headers. */
struct wt_session_stats {
  size_t size;                                 /**< the caller sets it to sizeof(struct wt_session_stats) */
  uint64_t bytes_sent, bytes_received;         /**< on streams */
  uint64_t streams_opened, streams_accepted;   /**< by this side, by the peer */
  uint64_t streams_open;                       /**< now */
  uint64_t datagrams_sent, datagrams_received; /**< by this side, by the peer */
  /** The queue was full (the oldest are dropped), or the path's packets became too small. */
  uint64_t datagrams_dropped_outgoing;
  uint64_t datagrams_dropped_incoming; /**< came before the session was accepted, beyond `max_early_datagrams` */
  uint64_t smoothed_rtt_us, rtt_variation_us, min_rtt_us; /**< of the connection, in microseconds */

  /* The following are of the connection, which other sessions and requests may share. There is no count of lost
   * packets, because the QUIC library does not give one. */
  uint64_t packets_sent, packets_received;                   /**< UDP datagrams */
  uint64_t connection_bytes_sent, connection_bytes_received; /**< UDP payloads, with QUIC's headers */
  uint64_t bytes_in_flight;                                  /**< sent, and neither acknowledged nor lost */
  uint64_t estimated_send_rate; /**< bits per second that congestion control allows now; 0: not known yet */

  /* The following are of the session again. Since 0.2.0. */
  /** Dropped because they were older than `wt_session_set_datagram_max_age` allows. */
  uint64_t datagrams_expired_outgoing;
  /**
   * How long datagrams waited in this side's queue before they left, in microseconds: an average in which the newest
   * counts an eighth, and the longest of all. Both are of datagrams that were sent; 0 before the first one. What a
   * datagram then waits in the network is not included.
   */
  uint64_t datagram_queue_delay_us, max_datagram_queue_delay_us;
};

/**
 * Replaces the callbacks of `session`, which are copied, and the pointer that they get. NULL stands for no callbacks.
 * Any callback.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED if `callbacks->size` is wrong (error.h, "Structs that grow"). Nothing
 * has changed then. Returns an error since 0.2.0. Since 0.1.0.
 */
WT_API int wt_session_set_callbacks(wt_session *session, const struct wt_session_callbacks *callbacks, void *user_data);

/**
 * Sets the callbacks that each stream of `session` begins with from now on, and the pointer that they get; the
 * callbacks are copied. This holds for streams of the peer and of this side. `on_stream` of the session may then be
 * NULL. In `on_stream`, before any other callback of the stream, `wt_stream_set_callbacks` can replace them for one
 * stream. NULL: streams begin without callbacks, as they do by default. To cover every stream of the session, call this
 * right after `wt_upgrade`, or in `on_done` of a dial (in `on_asked` of an optimistic dial). Any callback.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED if `callbacks->size` is wrong. Nothing has changed then. Since 0.2.0.
 */
WT_API int wt_session_set_stream_callbacks(wt_session *session, const struct wt_stream_callbacks *callbacks,
                                           void *user_data);

/** Returns the pointer that the callbacks of `session` get, or NULL. Any callback. Since 0.1.0. */
WT_API void *wt_session_user_data(const wt_session *session);

/** Returns the session id: the QUIC stream id of the CONNECT request. Any callback. Since 0.1.0. */
WT_API int64_t wt_session_id(const wt_session *session);

/**
 * Returns the path and query of the session's request: "/chat?room=7". Borrowed until `on_close` returns. Any callback.
 * Since 0.1.0.
 */
WT_API const char *wt_session_path(const wt_session *session);

/**
 * Returns the subprotocol that server and client agreed on (section 3.3), or "" if there is none. Borrowed until
 * `on_close` returns. Any callback. Since 0.1.0.
 */
WT_API const char *wt_session_protocol(const wt_session *session);

/**
 * A header field, both parts NUL-terminated. When the application sends one, its name is lower case (RFC 9114, section
 * 4.2), and both parts are copied. Since 0.1.0.
 */
struct wt_header {
  const char *name;  /**< in lower case */
  const char *value; /**< bytes as HTTP allows them in a field, without a line break */
};

/**
 * Returns the value of the header field `name` (lower case) in the peer's message, or NULL if there is no such field.
 * On a server, this message is the client's request; on a client, it is the server's answer, and NULL is returned
 * before the answer is here. If the field came more than once, the values are joined as `wt_request_header` joins them;
 * from `set-cookie` in an answer, the first value is returned. Pseudo-header fields are not found. Borrowed until
 * `on_close` returns. Any callback. Since 0.2.0.
 */
WT_API const char *wt_session_header(const wt_session *session, const char *name);

/**
 * Fills `*header` with the field number `index`, counted from 0, of the peer's message (see `wt_session_header`).
 * Fields come one by one as they arrived, those of a request with its pseudo-header fields. Name and value are borrowed
 * until `on_close` returns. Any callback.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many fields. Since 0.2.0.
 */
WT_API int wt_session_get_header_at(const wt_session *session, size_t index, struct wt_header *header);

/**
 * Returns the number of the draft that the SETTINGS of both sides chose: 2, 7, 13 or 15. Each number stands for the
 * drafts from it up to the next number. Any callback. Since 0.1.0.
 */
WT_API int wt_session_draft(const wt_session *session);

/**
 * Returns the peer's address as "192.0.2.1:4433" or "[2001:db8::1]:4433". Borrowed until the callback returns. Any
 * callback. Since 0.1.0.
 */
WT_API const char *wt_session_peer_address(const wt_session *session);

/**
 * Opens a bidirectional stream (section 4.3). `*stream` lives until its `on_close`. Its header is sent at once, so the
 * peer learns of the stream before the application writes. Any callback.
 *
 * Errors: WT_ERR_STREAM_LIMIT if the peer allows no more streams of this kind (`on_stream_credit` follows);
 * WT_ERR_CLOSED if the session or its connection has ended; WT_ERR_NOMEM. After an error `*stream` is NULL. Since
 * 0.1.0.
 */
WT_API int wt_session_open_bidi(wt_session *session, wt_stream **stream);

/**
 * Opens a unidirectional stream (section 4.2). All else is as for `wt_session_open_bidi`. Any callback. Since 0.1.0.
 */
WT_API int wt_session_open_uni(wt_session *session, wt_stream **stream);

/**
 * Queues a datagram of `len` bytes (section 4.5), which are copied. `len` may be 0, and `data` NULL then. A datagram
 * may get lost, and may arrive before an earlier one. Datagrams leave before bytes of streams, but while both wait,
 * streams get at least a quarter of what can be sent. If the queue of the connection is full (`max_datagrams_queued`),
 * the oldest datagram is dropped and counted in `datagrams_dropped_outgoing`; see also
 * `wt_session_set_datagram_max_age`. Any callback.
 *
 * Errors: WT_ERR_TOO_LARGE if `len` is more than `wt_session_max_datagram_size` returns now; WT_ERR_UNSUPPORTED if the
 * peer takes no datagrams; WT_ERR_INVALID if `data` is NULL and `len` is not 0; WT_ERR_CLOSED if the session has ended;
 * WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_session_send_datagram(wt_session *session, const void *data, size_t len);

/**
 * Sets for how many milliseconds a datagram of `session` may wait to be sent (W3C WebTransport, `outgoingMaxAge`). A
 * datagram that has waited longer is dropped instead, and counted in `datagrams_expired_outgoing`. This holds for
 * datagrams that wait already, too. 0, the default: there is no maximum, and only a full queue drops datagrams. A
 * value of more than 584 years counts as 0.
 *
 * The age of a datagram begins when the library next runs the connection, which is in the same turn of the loop. There
 * is no maximum for datagrams that arrive: they are given to `on_datagram` at once, and those that come before their
 * session wait for `early_timeout_ms` at most. Any callback. Since 0.2.0.
 */
WT_API void wt_session_set_datagram_max_age(wt_session *session, uint64_t ms);

/**
 * Returns the size in bytes of the largest datagram that can be sent now; 0 if the peer takes no datagrams. It may
 * change with the path; `on_datagram_size` is then called. Any callback. Since 0.1.0.
 */
WT_API size_t wt_session_max_datagram_size(const wt_session *session);

/**
 * Ends the session with a code and a reason for the peer's application (section 6). `reason` is UTF-8 of `reason_len`
 * bytes without a NUL, copied; NULL with 0 is allowed. If it is longer than 1,024 bytes, it is cut between two
 * characters. The session's streams end with WT_SESSION_GONE, and queued datagrams are dropped.
 *
 * From now on no callback of the session or of its streams comes, except `on_close` of each stream and then of the
 * session; they do not come from inside this call. What arrives in the meantime is dropped. If the session has ended
 * already, this does nothing and returns 0. Any callback.
 *
 * Errors: WT_ERR_INVALID if `reason` is not UTF-8, has a NUL, or is NULL with a length. It refuses a NUL since 0.2.0.
 * Since 0.1.0.
 */
WT_API int wt_session_close(wt_session *session, uint32_t code, const char *reason, size_t reason_len);

/**
 * Closes the whole connection of `session`, with all of its sessions and requests (CONNECTION_CLOSE, RFC 9000, section
 * 10.2). Use it for a peer that you do not want to talk to any more. Queued bytes are dropped.
 *
 * `wire_code` is an HTTP/3 error code, from 0 to 2^62-1: a code of RFC 9114, section 8.1, such as 0x100 (H3_NO_ERROR),
 * or a code of your own made with `wt_error_code_to_wire`. `reason` is UTF-8 of `reason_len` bytes without a NUL,
 * copied; NULL with 0 is allowed. If it is longer than 256 bytes, it is cut between two characters. The peer gets both.
 *
 * Each session that has not ended gets `on_close` with WT_CAUSE_LOCAL and `connection`, and each request gets
 * `on_close` with WT_ERR_CLOSED. They do not come from inside this call, and no other callback comes on this connection
 * any more. If the connection is closing already, this does nothing and returns 0. Any callback.
 *
 * Errors: WT_ERR_INVALID if `wire_code` is too large, or if `reason` is not UTF-8, has a NUL, or is NULL with a length.
 * Since 0.2.0.
 */
WT_API int wt_session_close_connection(wt_session *session, uint64_t wire_code, const char *reason, size_t reason_len);

/**
 * Asks the peer to end the session soon (WT_DRAIN_SESSION, section 4.7). The session itself goes on. A second call does
 * nothing. Any callback. Since 0.1.0.
 */
WT_API void wt_session_drain(wt_session *session);

/**
 * Writes `out_len` bytes of keying material to `out`, derived from the TLS secrets of the connection (section 4.8; RFC
 * 8446, section 7.5). Both sides get the same bytes. They differ for each session, label and context. `label` is
 * NUL-terminated and has 1 to 255 bytes; `context` has 0 to 255 bytes, and may be NULL with 0. Any callback but
 * `on_close`.
 *
 * Errors: WT_ERR_INVALID for other lengths, or if `out_len` is 0; WT_ERR_CLOSED if the session has ended; WT_ERR_STATE
 * before the handshake is done; WT_ERR_TLS if the TLS library refuses (`out_len` over 8,160). Since 0.1.0.
 */
WT_API int wt_session_export_keying_material(const wt_session *session, const char *label, const void *context,
                                             size_t context_len, void *out, size_t out_len);

/**
 * Fills `*stats`; the caller sets `stats->size` first. Any callback.
 *
 * Errors: WT_ERR_INVALID if `stats->size` is too small (error.h, "Structs that grow"). Since 0.1.0.
 */
WT_API int wt_session_get_stats(const wt_session *session, struct wt_session_stats *stats);

/**
 * Makes the session's thread call `function(session, argument)` soon. Any thread, any callback. On a server with
 * several workers, this is how a callback of one session writes to another session. Calls come in the order in which
 * they were posted. If this returned 0, `function` is called exactly once. If the session's `on_close` was called in
 * the meantime, `function` gets NULL as the session, so that it can free what `argument` points to.
 *
 * The caller must be sure that the session's `on_close` has not returned yet. On another thread this needs a lock that
 * `on_close` takes too. When the server or client is freed, it makes the calls that still wait.
 *
 * Errors: WT_ERR_INVALID if `session` or `function` is NULL; WT_ERR_NOMEM; WT_ERR_STATE if the server or client is
 * being freed. After an error `function` is not called. Since 0.1.0.
 */
WT_API int wt_session_post(wt_session *session, void (*function)(wt_session *session, void *argument), void *argument);

/**
 * Returns the number of the worker that the session belongs to, from 0 to `workers` - 1; 0 on a client. Any thread, if
 * the caller is sure that the session's `on_close` has not returned yet. Any callback. Since 0.1.0.
 */
WT_API unsigned wt_session_worker(const wt_session *session);

#ifdef __cplusplus
}
#endif

#endif
