/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_SESSION_H
#define WEBTRANSPORT_SESSION_H

#include <webtransport/error.h>
#include <webtransport/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How a session ended (draft-ietf-webtrans-http3, section 6). The library fills all of it; later versions add members
 * at its end.
 */
struct wt_close_info {
  enum wt_party by;   /**< who ended it */
  uint32_t code;      /**< the application's code; 0 if none was given: see `has_code` */
  const char *reason; /**< UTF-8, NUL-terminated, at most 1,024 bytes; borrowed; "" if none */
  size_t reason_len;  /**< its length in bytes, without the NUL */
  bool clean;         /**< the CONNECT stream ended in order; false: reset, or connection lost */
  uint64_t wire_code; /**< when not clean: the HTTP/3 or QUIC error code that ended it */

  /* Since 0.2.0. */
  enum wt_cause cause; /**< what ended it, finer than `by` */
  bool connection;     /**< the connection ended, and the session with it; false: the session alone */
  bool wire_is_h3;     /**< `wire_code` is the application's: of HTTP/3, or the peer's own; else it is one of QUIC */
  /**
   * When not clean: a sentence for people, or "". With WT_CAUSE_PEER it is the reason phrase of the peer's
   * CONNECTION_CLOSE, else it says what was wrong. UTF-8 without control characters, NUL-terminated, at most 1,024
   * bytes; borrowed.
   */
  const char *message;
  /** A code was given, perhaps 0; false: the peer ended the CONNECT stream without one (a FIN), or it was not clean. */
  bool has_code;
};

/**
 * What an application can be told about a session. Any member may be NULL. All are called on the
 * loop's thread, never from inside a call that the application makes.
 */
struct wt_session_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_session_callbacks): see "Structs that grow" in error.h */

  /**
   * The peer opened a stream. Give it callbacks here with `wt_stream_set_callbacks`, unless it has those of
   * `wt_session_set_stream_callbacks`. Without this member and without those, streams of the peer are refused with code 0.
   */
  void (*on_stream)(wt_session *session, wt_stream *stream, void *user_data);

  /** A datagram arrived. `data` is borrowed until the callback returns. Without this member it is dropped. */
  void (*on_datagram)(wt_session *session, const uint8_t *data, size_t len, void *user_data);

  /** After an open failed with WT_ERR_STREAM_LIMIT: the peer allows streams of `kind` again. */
  void (*on_stream_credit)(wt_session *session, enum wt_stream_kind kind, void *user_data);

  /** The peer, or this server's shutdown, asks for the session to be brought to an end soon. Once. */
  void (*on_drain)(wt_session *session, void *user_data);

  /**
   * The session is over; its streams have had their `on_close` already. Called exactly once, the
   * last call for this session; the handle is invalid when it returns.
   */
  void (*on_close)(wt_session *session, const struct wt_close_info *info, void *user_data);

  /**
   * `wt_session_max_datagram_size` has changed to `size` bytes: the path was found to carry larger packets, or carries
   * only smaller ones from now on. Datagrams that wait and are larger are dropped, and counted in
   * `datagrams_dropped_outgoing`.
   */
  void (*on_datagram_size)(wt_session *session, size_t size, void *user_data);
};

/** Counts since the session began. Bytes are those of applications, without headers. */
struct wt_session_stats {
  size_t size;                               /**< set by the caller to sizeof(struct wt_session_stats) */
  uint64_t bytes_sent, bytes_received;       /**< on streams */
  uint64_t streams_opened, streams_accepted; /**< by this end, by the peer */
  uint64_t streams_open;                     /**< at present */
  uint64_t datagrams_sent, datagrams_received;
  uint64_t datagrams_dropped_outgoing; /**< pushed out of a full queue, oldest first; or the path's packets
                                                               became too small */
  uint64_t datagrams_dropped_incoming; /**< came before the session was accepted, over the bound */
  uint64_t smoothed_rtt_us, rtt_variation_us, min_rtt_us; /**< of the connection, in microseconds */

  /* Of the connection too, which other sessions and requests may share. How many packets were lost is not
   * here: the QUIC library does not tell. */
  uint64_t packets_sent, packets_received;                   /**< UDP datagrams */
  uint64_t connection_bytes_sent, connection_bytes_received; /**< their payloads, headers of QUIC included */
  uint64_t bytes_in_flight;                                  /**< sent, not yet acknowledged or given up */
  uint64_t estimated_send_rate; /**< bits per second that congestion control allows at present; 0: not known */
};

/**
 * Replaces the callbacks of `session`, copied, and the pointer they get. NULL stands for none. Any callback.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED because of `callbacks->size`; nothing has changed then. A result since
 * 0.2.0. Since 0.1.0.
 */
WT_API int wt_session_set_callbacks(wt_session *session, const struct wt_session_callbacks *callbacks, void *user_data);

/**
 * Sets the callbacks, copied, with which streams of `session` begin from now on, those of the peer and its own, and the
 * pointer they get. `on_stream` is not needed then. `wt_stream_set_callbacks` changes them for one stream, in `on_stream` before
 * any of them is called. NULL: streams begin without, as ever. Called right after `wt_upgrade`, or in the `on_done` of a dial
 * (of an optimistic one: `on_asked`), it holds for every stream. Any callback.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED because of `callbacks->size`; nothing has changed then. Since 0.2.0.
 */
WT_API int wt_session_set_stream_callbacks(wt_session *session, const struct wt_stream_callbacks *callbacks,
                                           void *user_data);

/** Returns the pointer the callbacks get, or NULL. Any callback. Since 0.1.0. */
WT_API void *wt_session_user_data(const wt_session *session);

/** Returns the session id: the stream id of its CONNECT request. Any callback. Since 0.1.0. */
WT_API int64_t wt_session_id(const wt_session *session);

/** Returns the path and query that the session was asked for. Lives as long as the session. Since 0.1.0. */
WT_API const char *wt_session_path(const wt_session *session);

/**
 * Returns the subprotocol that was agreed on (section 3.3), or "" if none. Lives as long as the
 * session. Any callback. Since 0.1.0.
 */
WT_API const char *wt_session_protocol(const wt_session *session);

/** A header field. To send one: names are lower case (RFC 9114, section 4.2), and both are copied. */
struct wt_header {
  const char *name;
  const char *value;
};

/**
 * Returns the value of the header field called `name` (lower case) of the message by which the peer made the session, or
 * NULL: of a server's session that is the client's request, of a client's the server's answer (NULL before there is one).
 * Joined as by `wt_request_header`; of a client's, `set-cookie` is the first. Lives as long as the session. Any callback.
 * Since 0.2.0.
 */
WT_API const char *wt_session_header(const wt_session *session, const char *name);

/**
 * Gives the `index`th field of that message, as `wt_request_get_header_at` does of a request, and `wt_dial_get_header_at` of an answer.
 *
 * Errors: WT_ERR_NOT_FOUND, there are no more. Any callback. Since 0.2.0.
 */
WT_API int wt_session_get_header_at(const wt_session *session, size_t index, struct wt_header *header);

/**
 * Returns the number of the draft that both sides' SETTINGS chose: 2, 7, 13 or 15, each standing for
 * the drafts from it up to the next. Any callback. Since 0.1.0.
 */
WT_API int wt_session_draft(const wt_session *session);

/** Returns the peer's address as "192.0.2.1:4433" or "[2001:db8::1]:4433". Any callback. Since 0.1.0. */
WT_API const char *wt_session_peer_address(const wt_session *session);

/**
 * Opens a bidirectional stream (section 4.3). `*stream` lives until its `on_close`. The header leaves
 * at once, so that the peer learns of the stream before anything is written. May be called inside a
 * callback.
 *
 * Errors: WT_ERR_STREAM_LIMIT (`on_stream_credit` follows), WT_ERR_CLOSED, WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_session_open_bidi(wt_session *session, wt_stream **stream);

/** Opens a unidirectional stream (section 4.2); else as `wt_session_open_bidi`. Since 0.1.0. */
WT_API int wt_session_open_uni(wt_session *session, wt_stream **stream);

/**
 * Queues a datagram (section 4.5), copied. Datagrams may be lost and may overtake each other. When
 * the queue is full (`max_datagrams_queued`), the oldest one is dropped and counted. May be called
 * inside a callback.
 *
 * Errors: WT_ERR_TOO_LARGE if `len` is more than `wt_session_max_datagram_size` at present;
 * WT_ERR_UNSUPPORTED if the peer takes none; WT_ERR_CLOSED; WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_session_send_datagram(wt_session *session, const void *data, size_t len);

/**
 * Returns the largest datagram, in bytes, that would be accepted now; it may change with the path, and
 * `on_datagram_size` then tells. 0 if the peer takes none. Any callback. Since 0.1.0.
 */
WT_API size_t wt_session_max_datagram_size(const wt_session *session);

/**
 * Ends the session with a code and a reason for the peer's application (section 6). `reason` is
 * UTF-8 of `reason_len` bytes, copied; over 1,024 bytes it is cut at a character boundary. Streams
 * end with WT_SESSION_GONE; queued datagrams are dropped. No callback of the session or of its streams
 * comes from now on but `on_close`, each stream's and then the session's, not from inside this call:
 * what arrives meanwhile is dropped. May be called inside a callback; on an ended session it does nothing.
 *
 * Errors: WT_ERR_INVALID if `reason` is not UTF-8. Since 0.1.0.
 */
WT_API int wt_session_close(wt_session *session, uint32_t code, const char *reason, size_t reason_len);

/**
 * Closes the whole connection below `session`, with all of its sessions and requests (CONNECTION_CLOSE, RFC 9000, section
 * 10.2): for a peer that is not to be talked to any more. What is queued is dropped. `wire_code` is an error code of HTTP/3,
 * from 0 to 2^62-1: one of RFC 9114, section 8.1, such as 0x100 (H3_NO_ERROR), or one of your own by
 * `wt_error_code_to_wire`. `reason` is UTF-8 of `reason_len` bytes without NUL, copied; over 256 bytes it is cut at a
 * character boundary.
 *
 * Each session that had not ended has its `on_close` with WT_CAUSE_LOCAL and `connection`, and each request its `on_close`
 * with WT_ERR_CLOSED, not from inside this call; no other callback comes on the connection from now on. The peer is told both,
 * as WT_CAUSE_PEER. May be called inside a callback; on a connection that is closing already it does nothing.
 *
 * Errors: WT_ERR_INVALID. Since 0.2.0.
 */
WT_API int wt_session_close_connection(wt_session *session, uint64_t wire_code, const char *reason, size_t reason_len);

/**
 * Asks the peer to bring the session to an end soon (WT_DRAIN_SESSION, section 4.7); it goes on
 * meanwhile. A second call does nothing. May be called inside a callback. Since 0.1.0.
 */
WT_API void wt_session_drain(wt_session *session);

/**
 * Derives `out_len` bytes of keying material from the connection's TLS secrets, the same on both ends (section
 * 4.8; RFC 8446, section 7.5). They differ between sessions, labels and contexts. `label` has 1 to 255 bytes,
 * `context` up to 255; NULL with 0 stands for an empty one. Any callback but `on_close`.
 *
 * Errors: WT_ERR_INVALID for other lengths, WT_ERR_CLOSED, WT_ERR_STATE before the handshake is done,
 * WT_ERR_TLS if the library refuses (`out_len` over 8,160). Since 0.1.0.
 */
WT_API int wt_session_export_keying_material(const wt_session *session, const char *label, const void *context,
                                             size_t context_len, void *out, size_t out_len);

/**
 * Fills `*stats`, whose `size` the caller set.
 *
 * Errors: WT_ERR_INVALID if `stats->size` is smaller than any version's. Any callback. Since 0.1.0.
 */
WT_API int wt_session_get_stats(const wt_session *session, struct wt_session_stats *stats);

/**
 * Calls `function(session, argument)` on the session's thread, soon, from any thread: with several workers, this is how
 * one session's handler writes to another session. Calls come in order. Where this returned 0, `function` is called
 * exactly once: with NULL for the session if its `on_close` was called meanwhile, so that what `argument` points to can
 * be released.
 *
 * The caller has to know that the session's `on_close` has not returned: on another thread that takes a lock, or a list
 * behind one, which `on_close` takes too. Calls that wait when the server, or client, is freed are made then.
 *
 * Errors: WT_ERR_INVALID; WT_ERR_NOMEM; WT_ERR_STATE once the server or client is being freed. Since 0.1.0.
 */
WT_API int wt_session_post(wt_session *session, void (*function)(wt_session *session, void *argument), void *argument);

/**
 * Returns which worker of the server the session belongs to, from 0 to `workers` - 1; 0 for a client's. Any thread, as
 * long as the session is known to live. Since 0.1.0.
 */
WT_API unsigned wt_session_worker(const wt_session *session);

#ifdef __cplusplus
}
#endif

#endif
