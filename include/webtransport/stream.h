/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_STREAM_H
#define WEBTRANSPORT_STREAM_H

#include <webtransport/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A WebTransport session: see session.h. It lives from `wt_upgrade`, or a dial's `on_done`, to its `on_close`. */
typedef struct wt_session wt_session;

/** A WebTransport stream. Either side opens it, and it has one or two directions. It lives until its `on_close`. */
typedef struct wt_stream wt_stream;

/** The two kinds of WebTransport stream (sections 4.2 and 4.3). */
enum wt_stream_kind {
  WT_BIDIRECTIONAL = 0,  /**< both sides send */
  WT_UNIDIRECTIONAL = 1, /**< only the side that opened it sends */
};

/**
 * Why one direction of a stream, or the whole stream, ended early. Only the library makes this struct. Later versions
 * may add members at its end.
 */
struct wt_stream_error {
  enum wt_party by; /**< who ended it */
  /**
   * Whether `code` is set. It is false if no application code travelled on the wire: the connection or the session
   * ended without a code, or the peer used a code outside the application range (section 4.4).
   */
  bool has_code;
  bool session_gone;  /**< the stream ended because its session ended; `has_code` and `code` are those of the session */
  uint32_t code;      /**< the application's code, from 0 to 2^32-1; 0 without `has_code` */
  uint64_t wire_code; /**< the error code on the wire, of HTTP/3 or QUIC; 0 if there was none */
};

/**
 * What an application hears about a stream. Any member may be NULL. The library calls them on the loop's thread, and
 * never from inside a call that the application makes.
 */
struct wt_stream_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_stream_callbacks): see "Structs that grow" in error.h */

  /**
   * Bytes arrived, in order. `data` is borrowed: it points into the received packet and is valid until the callback
   * returns. `fin`: these are the last bytes; `len` may then be 0. When the callback returns, the bytes count as read,
   * and flow control lets the peer send more. `wt_stream_pause` stops that, and `wt_stream_unread` gives back bytes for
   * which the application has no room.
   *
   * If this member is NULL, the library drops the bytes that arrive and counts them as read, so the peer may go on
   * sending. Call `wt_stream_stop_sending` to make the peer stop.
   */
  void (*on_data)(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data);

  /**
   * There is room to write again. It is called after a write took fewer bytes than it was given, filled the queue to
   * its last byte or failed with WT_ERR_AGAIN, and after `wt_stream_writable` returned 0.
   */
  void (*on_writable)(wt_stream *stream, void *user_data);

  /**
   * The peer stopped sending before the end (RESET_STREAM). `on_data` is not called again. The other direction goes on.
   */
  void (*on_reset)(wt_stream *stream, const struct wt_stream_error *error, void *user_data);

  /** The peer stopped reading (STOP_SENDING). Writes fail from now on, and queued bytes are dropped. */
  void (*on_stop_sending)(wt_stream *stream, const struct wt_stream_error *error, void *user_data);

  /**
   * The stream has ended in both directions. `error` is NULL if it ended in order. If the peer took too few bytes
   * within `send_timeout_ms` of the server's configuration, the server ends the stream: `error->by` is then
   * WT_TRANSPORT and `error->wire_code` is 0x107 (H3_EXCESSIVE_LOAD). `error` is borrowed until the callback returns.
   * Called exactly once, as the last callback of the stream. The handle is invalid when it returns.
   */
  void (*on_close)(wt_stream *stream, const struct wt_stream_error *error, void *user_data);
};

/**
 * Gives bytes back that the application passed to `wt_stream_write_owned`, `wt_request_write_owned`: the library does
 * not need them any more, because the peer acknowledged them all or because the stream ended. Called exactly once for
 * each call that returned 0, on the loop's thread, never from inside a call that the application makes. `data`, `len`
 * and `user_data` are those of that call. Since 0.1.0.
 */
typedef void (*wt_release_callback)(const uint8_t *data, size_t len, void *user_data);

/**
 * Sets the callbacks of `stream`, which are copied, and the pointer that they get. NULL stands for no callbacks. Call
 * it in `on_stream` for a stream that the peer opened, unless the session has callbacks for all of its streams
 * (`wt_session_set_stream_callbacks`). Before the first call, the library keeps the bytes that arrive, as many as the
 * stream's flow-control window allows; this holds for streams of both sides. After it, the bytes go to `on_data`. Any
 * callback.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED if `callbacks->size` is wrong (error.h, "Structs that grow"). Nothing
 * has changed then. Returns an error since 0.2.0. Since 0.1.0.
 */
WT_API int wt_stream_set_callbacks(wt_stream *stream, const struct wt_stream_callbacks *callbacks, void *user_data);

/** Returns the pointer that the callbacks of `stream` get, or NULL. Any callback. Since 0.1.0. */
WT_API void *wt_stream_user_data(const wt_stream *stream);

/** Returns the session of `stream`. In the stream's `on_close` it still exists. Any callback. Since 0.1.0. */
WT_API wt_session *wt_stream_session(const wt_stream *stream);

/**
 * Returns the QUIC stream id (RFC 9000, section 2.1), which is unique on its connection. Any callback. Since 0.1.0.
 */
WT_API int64_t wt_stream_id(const wt_stream *stream);

/** Returns the kind of `stream`. It was `wt_stream_kind_of` before. Any callback. Since 0.2.0. */
WT_API enum wt_stream_kind wt_stream_kind(const wt_stream *stream);

/** Returns whether the peer opened `stream`. Any callback. Since 0.1.0. */
WT_API bool wt_stream_is_remote(const wt_stream *stream);

/**
 * Queues up to `len` bytes of `data`, which are copied. `*written` gets the number of bytes taken, from 0 to `len`: as
 * many as fit into `max_stream_send_buffer` of the configuration. `written` may be NULL. If not all bytes were taken,
 * or the queue is full now, `on_writable` follows. Any callback.
 *
 * Errors: WT_ERR_STATE after `wt_stream_end`, or if this side cannot send on `stream`; WT_ERR_CLOSED after
 * `wt_stream_reset`, after the peer's STOP_SENDING, or if the session has ended; WT_ERR_INVALID if `data` is NULL and
 * `len` is not 0; WT_ERR_NOMEM. After an error nothing is queued and `*written` is 0. Since 0.1.0.
 */
WT_API int wt_stream_write(wt_stream *stream, const void *data, size_t len, size_t *written);

/**
 * Queues `len` bytes of `data` without a copy: the application must leave `data` unchanged until the library calls
 * `release(data, len, user_data)`, which it never does from inside this call. It takes all bytes or none. A queue that
 * is not full takes any number of bytes. Any callback.
 *
 * Errors: WT_ERR_AGAIN if the queue is full (`on_writable` follows); WT_ERR_INVALID if `data` or `release` is NULL or
 * `len` is 0; the other errors of `wt_stream_write`. After an error `release` is not called. Since 0.1.0.
 */
WT_API int wt_stream_write_owned(wt_stream *stream, const void *data, size_t len, wt_release_callback release,
                                 void *user_data);

/**
 * Returns how many bytes `wt_stream_write` would take now. If it returns 0 because the queue is full, `on_writable`
 * follows once there is room. It also returns 0 when writing would fail. So this loop sends everything, if
 * `on_writable` runs it again:
 *
 *     while (left > 0 && (room = wt_stream_writable(stream)) > 0) {
 *       // wt_stream_write at most `room` bytes
 *     }
 *
 * Any callback. `stream` is not const since 0.2.0. Since 0.1.0.
 */
WT_API size_t wt_stream_writable(wt_stream *stream);

/**
 * Ends the sending direction in order: the peer gets a FIN after the queued bytes. Any callback.
 *
 * Errors: WT_ERR_STATE if it has ended already, or if this side cannot send on `stream`; WT_ERR_CLOSED after
 * `wt_stream_reset`, after the peer's STOP_SENDING, or if the session has ended. Since 0.1.0.
 */
WT_API int wt_stream_end(wt_stream *stream);

/**
 * Ends the sending direction at once (RESET_STREAM): queued bytes are dropped and the peer gets `code` (section 4.4).
 * The stream's header still reaches the peer, so that it knows the session. A second call does nothing, and neither
 * does a call after the peer acknowledged everything. Any callback.
 *
 * Errors: WT_ERR_STATE if this side cannot send on `stream`. Since 0.1.0.
 */
WT_API int wt_stream_reset(wt_stream *stream, uint32_t code);

/**
 * Ends the receiving direction: `on_data` is not called again, and the peer is asked with `code` to stop (STOP_SENDING,
 * section 4.4). It does nothing if everything was read already. Any callback.
 *
 * Errors: WT_ERR_STATE if the peer cannot send on `stream`. Since 0.1.0.
 */
WT_API int wt_stream_stop_sending(wt_stream *stream, uint32_t code);

/**
 * Ends both directions at once, as `wt_stream_reset` and `wt_stream_stop_sending` do. It leaves out a direction that
 * the stream does not have or that has ended. `on_close` follows, not from inside this call. Any callback. Since 0.2.0.
 */
WT_API void wt_stream_abort(wt_stream *stream, uint32_t code);

/**
 * Sets the order in which the streams of a session are sent (W3C WebTransport, send groups and send order). Groups take
 * turns. Within a group, the streams with the highest `send_order` go first: a stream with a lower one is sent only
 * when those above it have nothing to send or are held back by flow control. Streams with the same order take turns.
 * Each stream begins in group 0 with order 0. The peer does not learn of either number. A change counts at once, also
 * for bytes that are queued already. Any callback.
 *
 * Errors: WT_ERR_STATE if this side cannot send on `stream`; WT_ERR_CLOSED if the stream or its session has ended;
 * WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_stream_set_priority(wt_stream *stream, uint64_t group, int64_t send_order);

/**
 * Stops calls of `on_data`. The library keeps the bytes that arrive, and flow control holds the peer back when the
 * stream's window is full. Any callback. Since 0.1.0.
 */
WT_API void wt_stream_pause(wt_stream *stream);

/**
 * Gives back the last `len` bytes of the current `on_data` call, and pauses the stream. Only for use inside `on_data`.
 * After `wt_stream_resume` these bytes come again, before any others and with the same `fin`. They do not count as read
 * in the meantime, so flow control holds the peer back. With `len` 0, a `fin` alone is given back. To copy one stream
 * to another:
 *
 *     wt_stream_write(other, data, len, &written);
 *     if (written < len) wt_stream_unread(stream, len - written);   // and wt_stream_resume in on_writable of `other`
 *
 * Errors: WT_ERR_STATE outside `on_data`; WT_ERR_INVALID if `len` is larger than the `len` of `on_data`. Since 0.1.0.
 */
WT_API int wt_stream_unread(wt_stream *stream, size_t len);

/**
 * Ends a pause of `wt_stream_pause` or `wt_stream_unread`. Kept bytes arrive in `on_data` soon, not from inside this
 * call. Any callback. Since 0.1.0.
 */
WT_API void wt_stream_resume(wt_stream *stream);

#ifdef __cplusplus
}
#endif

#endif
