/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_STREAM_H
#define WEBTRANSPORT_STREAM_H

#include <webtransport/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A WebTransport session: see session.h. It lives from `wt_upgrade` to its `on_close`. */
typedef struct wt_session wt_session;

/** A WebTransport stream, of either kind and by either side. It lives until its `on_close`. */
typedef struct wt_stream wt_stream;

/** The two kinds of WebTransport stream (draft-ietf-webtrans-http3, sections 4.2 and 4.3). */
enum wt_stream_kind {
  WT_BIDIRECTIONAL = 0,
  WT_UNIDIRECTIONAL = 1,
};

/**
 * How one direction of a stream, or the whole stream, ended before its time.
 *
 * `has_code` is false where the wire carried no WebTransport application code: the connection ended,
 * the session ended, or the peer used a code outside the application range (section 4.4). `wire_code`
 * is then still what the wire said, or 0.
 */
struct wt_stream_error {
  enum wt_party by;   /**< who did it */
  bool has_code;      /**< whether `code` means anything */
  bool session_gone;  /**< it ended because its session ended; `has_code` and `code` are then the session's */
  uint32_t code;      /**< the application's code, 0 to 2^32-1 */
  uint64_t wire_code; /**< the HTTP/3 error code it travelled as */
};

/**
 * What an application can be told about a stream. Any member may be NULL. All are called on the
 * loop's thread, never from inside a call that the application makes.
 */
struct wt_stream_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_stream_callbacks): see "Structs that grow" in error.h */

  /**
   * Bytes arrived, in order. `data` is borrowed until the callback returns and points into the
   * received packet. `fin` says that these are the last; `len` may then be 0. When the callback
   * returns, the bytes count as read and the peer may send more; to stop that, `wt_stream_pause`, and
   * `wt_stream_unread` for bytes that there was no room for.
   *
   * Without this member, bytes that arrive are dropped and count as read, so the peer may go on sending. To tell it to
   * stop, call `wt_stream_stop_sending`.
   */
  void (*on_data)(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data);

  /**
   * There is room again, after a write took less than all, filled the queue to the last byte, or returned WT_ERR_AGAIN, or
   * `wt_stream_writable` returned 0.
   */
  void (*on_writable)(wt_stream *stream, void *user_data);

  /** The peer gave up sending (RESET_STREAM). No further `on_data`. The other direction lives on. */
  void (*on_reset)(wt_stream *stream, const struct wt_stream_error *error, void *user_data);

  /** The peer gave up reading (STOP_SENDING). Writes fail from now on; what waited is dropped. */
  void (*on_stop_sending)(wt_stream *stream, const struct wt_stream_error *error, void *user_data);

  /**
   * The stream is over, in both directions. `error` is NULL after an orderly end; by WT_TRANSPORT with the wire code
   * 0x107 (H3_EXCESSIVE_LOAD) where a server gave it up, because the peer did not take its bytes. Called exactly
   * once, the last call for this stream; the handle is invalid when it returns.
   */
  void (*on_close)(wt_stream *stream, const struct wt_stream_error *error, void *user_data);
};

/**
 * Gives back bytes that `wt_stream_write_owned` was handed: all of them were acknowledged, or will
 * never be needed again. Called exactly once for each successful `wt_stream_write_owned`.
 */
typedef void (*wt_release_callback)(const uint8_t *data, size_t len, void *user_data);

/**
 * Sets the callbacks of `stream`, copied, and the pointer they get. NULL stands for none. For a stream that the peer
 * opened, call it in `on_stream`, unless the session has callbacks for all (`wt_session_set_stream_callbacks`). Until the
 * first call, arriving bytes wait (within the stream's flow-control window), also on streams that this end opened; after
 * it they go to `on_data`, or are dropped without one. May be called inside a callback.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED because of `callbacks->size`; nothing has changed then. A result since
 * 0.2.0. Since 0.1.0.
 */
WT_API int wt_stream_set_callbacks(wt_stream *stream, const struct wt_stream_callbacks *callbacks, void *user_data);

/** Returns the pointer given with `wt_stream_set_callbacks`, or NULL. Any callback. Since 0.1.0. */
WT_API void *wt_stream_user_data(const wt_stream *stream);

/** Returns the session that `stream` belongs to. Any callback. Since 0.1.0. */
WT_API wt_session *wt_stream_session(const wt_stream *stream);

/** Returns the QUIC stream id (RFC 9000, section 2.1), unique on its connection. Since 0.1.0. */
WT_API int64_t wt_stream_id(const wt_stream *stream);

/** Returns the kind of `stream`. Any callback. Since 0.1.0. */
WT_API enum wt_stream_kind wt_stream_kind(const wt_stream *stream);

/** Says whether the peer opened `stream`. Any callback. Since 0.1.0. */
WT_API bool wt_stream_is_remote(const wt_stream *stream);

/**
 * Queues up to `len` bytes of `data`, which are copied. `*written` says how many were taken: as many
 * as fit below `max_stream_send_buffer`, from 0 to `len`. Where it is less than `len`, or there is
 * no room left, `on_writable` follows. `written` may be NULL. May be called inside a callback.
 *
 * Errors: WT_ERR_STATE after `wt_stream_end`, or for a stream that cannot be written;
 * WT_ERR_CLOSED after a reset from here, STOP_SENDING from the peer, or the session's end;
 * WT_ERR_INVALID without `data`; WT_ERR_NOMEM. Nothing is queued on an error. Since 0.1.0.
 */
WT_API int wt_stream_write(wt_stream *stream, const void *data, size_t len, size_t *written);

/**
 * Queues `len` bytes of `data` without copying them: `data` stays the library's until it calls
 * `release(data, len, user_data)`, later and never from inside this call. All are taken or none. May be called inside a
 * callback.
 *
 * Errors: WT_ERR_AGAIN if the queue is at its bound (`on_writable` follows); WT_ERR_INVALID without data or `release`;
 * else as `wt_stream_write`. After an error `release` is not called. Since 0.1.0.
 */
WT_API int wt_stream_write_owned(wt_stream *stream, const void *data, size_t len, wt_release_callback release,
                                 void *user_data);

/**
 * Returns how many bytes `wt_stream_write` would take now. Where it is 0, `on_writable` follows once there is room; but it is
 * 0 also when the stream cannot be written. So this loop, begun again in `on_writable`, sends everything:
 *
 *     while (left > 0 && (room = wt_stream_writable(stream)) > 0) {
 *       // wt_stream_write at most `room` bytes
 *     }
 *
 * Any callback. Not for a const stream since 0.2.0. Since 0.1.0.
 */
WT_API size_t wt_stream_writable(wt_stream *stream);

/**
 * Ends the sending direction after what is queued (a FIN). May be called inside a callback.
 *
 * Errors: WT_ERR_STATE if already ended or not writable; WT_ERR_CLOSED after a reset. Since 0.1.0.
 */
WT_API int wt_stream_end(wt_stream *stream);

/**
 * Gives up sending: what is queued is dropped and the peer is told `code` (section 4.4; the stream's
 * header still reaches the peer, so that it knows whose stream it was). May be called inside a
 * callback; a second call, or one after everything was acknowledged, does nothing.
 *
 * Errors: WT_ERR_STATE for a stream that cannot be written. Since 0.1.0.
 */
WT_API int wt_stream_reset(wt_stream *stream, uint32_t code);

/**
 * Gives up reading: `on_data` is not called again and the peer is asked to stop, with `code`. May be
 * called inside a callback; does nothing if everything was read already.
 *
 * Errors: WT_ERR_STATE for a stream that cannot be read. Since 0.1.0.
 */
WT_API int wt_stream_stop_sending(wt_stream *stream, uint32_t code);

/**
 * Gives up both directions, as `wt_stream_reset` and `wt_stream_stop_sending` do, those that the stream has and that are not
 * over yet. `on_close` follows. May be called inside a callback. Since 0.2.0.
 */
WT_API void wt_stream_abort(wt_stream *stream, uint32_t code);

/**
 * Says in which order streams of a session are sent (W3C WebTransport, send groups and send order). Groups
 * take turns, as equals. Within a group the streams of the highest `send_order` go first, and nothing is sent
 * on a lower one while a higher one has bytes that flow control lets go; streams of the same order take
 * turns. Each stream begins in group 0 with order 0, so that all take turns. Neither number is told to the
 * peer. It may be changed at any time, and holds for bytes that wait already. May be called inside a callback.
 *
 * Errors: WT_ERR_STATE for a stream that cannot be written; WT_ERR_CLOSED; WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_stream_set_priority(wt_stream *stream, uint64_t group, int64_t send_order);

/**
 * Stops calls of `on_data`. Bytes that arrive are kept, and the peer may send only what its
 * flow-control window still allows: backpressure reaches it. Any callback. Since 0.1.0.
 */
WT_API void wt_stream_pause(wt_stream *stream);

/**
 * Inside `on_data` only: gives back the last `len` of its bytes, and pauses. After `wt_stream_resume` they
 * come again, before any others and with the same `fin`. They do not count as read meanwhile, so the peer
 * is held back. `fin` is given back with them, also with `len` 0: then it comes again alone. This is all that a stream
 * which is copied elsewhere needs:
 *
 *     wt_stream_write(other, data, len, &written);
 *     if (written < len) wt_stream_unread(stream, len - written);   // and resume in on_writable of `other`
 *
 * Errors: WT_ERR_STATE outside `on_data`; WT_ERR_INVALID if `len` is more than it was given. Since 0.1.0.
 */
WT_API int wt_stream_unread(wt_stream *stream, size_t len);

/**
 * Undoes `wt_stream_pause`. Bytes that were kept arrive in `on_data` soon, not from inside this call.
 * Any callback. Since 0.1.0.
 */
WT_API void wt_stream_resume(wt_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
