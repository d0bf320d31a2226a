/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_REQUEST_H
#define WEBTRANSPORT_REQUEST_H

#include <webtransport/connection.h>
#include <webtransport/error.h>
#include <webtransport/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * An HTTP/3 request that a client sent: an ordinary one, or the Extended CONNECT that asks for a
 * WebTransport session. It lives until its `on_close`, or, once upgraded, until `wt_upgrade` returns.
 */
typedef struct wt_request wt_request;

/**
 * What an application can be told about a request after its handler was called. Any member may be
 * NULL. All are called on the loop's thread, never from inside a call that the application makes.
 */
struct wt_request_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_request_callbacks): see "Structs that grow" in error.h */

  /**
   * Bytes of the request's body arrived; borrowed until the callback returns. `fin`: the last ones. Without this member
   * they are dropped, and the client is asked to stop once the answer is complete.
   */
  void (*on_body)(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data);

  /** There is room again; when this comes, see `on_writable` of `struct wt_stream_callbacks`. */
  void (*on_writable)(wt_request *request, void *user_data);

  /**
   * The request is over. `error` is 0 when the answer was acknowledged, WT_ERR_CLOSED when the client
   * or the connection went away first, WT_ERR_TIMEOUT when the client took nothing of the answer, or sent nothing of
   * the body, for the time that the server's configuration allows. Called exactly once, the last call; the handle is
   * then invalid.
   */
  void (*on_close)(wt_request *request, int error, void *user_data);
};

/**
 * Sets the callbacks, copied, and the pointer they get. Until then a body waits. With `on_body`, a client that sent
 * `expect: 100-continue` gets its 100 soon, if the request is not paused and nothing was answered yet.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED because of `callbacks->size`; nothing has changed then. A result since
 * 0.2.0. Since 0.1.0.
 */
WT_API int wt_request_set_callbacks(wt_request *request, const struct wt_request_callbacks *callbacks, void *user_data);

/** Returns the pointer the callbacks get, or NULL. Since 0.1.0. */
WT_API void *wt_request_user_data(const wt_request *request);

/** Returns the method: "GET", "CONNECT". Lives as long as the request. Since 0.1.0. */
WT_API const char *wt_request_method(const wt_request *request);

/** Returns the path without its query, as sent (still percent-encoded): "/a%20b". Since 0.1.0. */
WT_API const char *wt_request_path(const wt_request *request);

/** Returns what follows the first '?' of the path, or "". Since 0.1.0. */
WT_API const char *wt_request_query(const wt_request *request);

/**
 * Looks for `name` in the query and copies its percent-decoded value to `value`, NUL-terminated.
 *
 * Errors: WT_ERR_NOT_FOUND; WT_ERR_TOO_LARGE if it does not fit into `size` bytes; WT_ERR_INVALID if
 * the encoding is broken. Since 0.1.0.
 */
WT_API int wt_request_get_query_value(const wt_request *request, const char *name, char *value, size_t size);

/**
 * Copies name and value of the `index`th parameter of the query, counted from 0, to `name` and `value`, percent-decoded
 * and NUL-terminated. A parameter without '=' has the value "". Both are "" after an error.
 *
 * Errors: WT_ERR_NOT_FOUND, there are no more; WT_ERR_TOO_LARGE, one of them does not fit into its `size` bytes, and
 * WT_ERR_INVALID, its encoding is broken: there may be more behind it. May be called inside a callback. Since 0.2.0.
 */
WT_API int wt_request_get_query_at(const wt_request *request, size_t index, char *name, size_t name_size, char *value,
                                   size_t value_size);

/** Returns the authority: "example.com:443". Since 0.1.0. */
WT_API const char *wt_request_authority(const wt_request *request);

/** Returns the `:protocol` of an Extended CONNECT (RFC 9220), or "". Since 0.1.0. */
WT_API const char *wt_request_protocol(const wt_request *request);

/**
 * Returns the value of the header field called `name` (lower case), or NULL if there is none. Where it came more than once,
 * the values are joined: those of `cookie` with "; " (RFC 9114, section 4.2.1), others with ", " (RFC 9110, section 5.3).
 * Lives as long as the request. Joined since 0.2.0. Since 0.1.0.
 */
WT_API const char *wt_request_header(const wt_request *request, const char *name);

/**
 * Gives the `index`th field of the request as it came, counted from 0, pseudo-header fields such as ":path" among them, to
 * `*header`. Name and value live as long as the request. To walk all fields, count up until it fails.
 *
 * Errors: WT_ERR_NOT_FOUND, there are no more. May be called inside a callback. Since 0.2.0.
 */
WT_API int wt_request_get_header_at(const wt_request *request, size_t index, struct wt_header *header);

/** Returns the `origin` header field, or NULL. Since 0.1.0. */
WT_API const char *wt_request_origin(const wt_request *request);

/** Returns the client's address as "192.0.2.1:4433" or "[2001:db8::1]:4433". Since 0.1.0. */
WT_API const char *wt_request_peer_address(const wt_request *request);

/**
 * Gives the `index`th certificate that the client showed, as `wt_session_get_peer_certificate` in connection.h; see
 * `client_certificates` of struct wt_server_config. Since 0.2.0.
 */
WT_API int wt_request_get_peer_certificate(const wt_request *request, size_t index, const void **der, size_t *len);

/**
 * Fills `*info` for the connection of the request, as `wt_session_get_connection_info`: whether the client's certificate
 * was verified, for one. Errors: WT_ERR_INVALID if `info->size` is smaller than any version's. Since 0.2.0.
 */
WT_API int wt_request_get_connection_info(const wt_request *request, struct wt_connection_info *info);

/** Says whether this is an Extended CONNECT for "webtransport" or "webtransport-h3". Since 0.1.0. */
WT_API bool wt_request_is_webtransport(const wt_request *request);

/**
 * Answers completely: a status from 200 to 599, `header_count` fields of `headers`, and `len` bytes
 * of `body`, all copied. A `content-length` is added. A HEAD request gets the fields alone. The
 * rest of the request's body, if any, is refused. May be called inside a callback or later.
 *
 * A WebTransport request cannot be answered with a 2xx in this way: that is what `wt_upgrade` does. A
 * handler that does not speak WebTransport answers it with 405 (section 3.2).
 *
 * Errors: WT_ERR_STATE if already answered; WT_ERR_CLOSED if the client is gone; WT_ERR_INVALID for a
 * status or a field that may not be sent; WT_ERR_TOO_LARGE if the client's SETTINGS leave no room for the fields;
 * WT_ERR_NOMEM. Nothing was sent after an error. Since 0.1.0.
 */
WT_API int wt_request_respond(wt_request *request, int status, const struct wt_header *headers, size_t header_count,
                              const void *body, size_t len);

/**
 * Begins an answer whose body follows with `wt_request_write` and `wt_request_end`; else as
 * `wt_request_respond`. No `content-length` is added. A client that waits for a 100 may have been sent it before an
 * error. Since 0.1.0.
 */
WT_API int wt_request_begin(wt_request *request, int status, const struct wt_header *headers, size_t header_count);

/**
 * Sends an interim answer before the answer itself: a status of 100, or from 102 to 199, and `header_count` fields of
 * `headers`, all copied. 103 with `link` fields is an early hint (RFC 8297). It may be called several times, up to 32
 * for a request, inside a callback or later; it is no answer, so one has to follow. Old clients may take no notice of
 * it.
 *
 * There is no need to call this for `expect: 100-continue`: 100 is sent once `on_body` is set and the request is not
 * paused, unless the answer, or part of the body, came first (RFC 9110, section 10.1.1). So an application that begins
 * its answer before it has the body calls `wt_request_set_callbacks` before `wt_request_begin`. A request that expects
 * something else is answered with 417, and does not reach its handler.
 *
 * Errors: WT_ERR_STATE if already answered, or after 32; WT_ERR_CLOSED if the client is gone; WT_ERR_INVALID for
 * another status, for a field that may not be sent (`content-length` among them), and for a CONNECT request, so also
 * one for a WebTransport session: Chromium gives it up at any interim answer. WT_ERR_NOMEM. Nothing was sent after an
 * error. Since 0.2.0.
 */
WT_API int wt_request_inform(wt_request *request, int status, const struct wt_header *headers, size_t header_count);

/**
 * Queues up to `len` bytes of the answer's body, copied; `*written` says how many were taken. Where it
 * is less than `len`, or there is no room left, `on_writable` follows. `written` may be NULL.
 *
 * Errors: WT_ERR_STATE before `wt_request_begin` or after the end; WT_ERR_CLOSED; WT_ERR_INVALID without `data`;
 * WT_ERR_NOMEM.
 * Since 0.1.0.
 */
WT_API int wt_request_write(wt_request *request, const void *data, size_t len, size_t *written);

/**
 * Returns how many bytes `wt_request_write` would take now. Where it is 0, `on_writable` follows once there is room; but it
 * is 0 also before `wt_request_begin`, after the end, and when the client is gone. May be called inside a callback.
 * Since 0.2.0.
 */
WT_API size_t wt_request_writable(wt_request *request);

/**
 * Queues `len` bytes of the answer's body without copying them, as `wt_stream_write_owned` does: `data` stays the
 * library's until it calls `release(data, len, user_data)`, never from inside this call. All are taken or none. To
 * a HEAD request nothing is sent, and `release` follows soon.
 *
 * Errors: WT_ERR_AGAIN if the queue is at its bound (`on_writable` follows); WT_ERR_INVALID without data or `release`;
 * else as `wt_request_write`. After an error `release` is not called. Since 0.1.0.
 */
WT_API int wt_request_write_owned(wt_request *request, const void *data, size_t len, wt_release_callback release,
                                  void *user_data);

/** Ends the answer's body. Errors: WT_ERR_STATE, WT_ERR_CLOSED. Since 0.1.0. */
WT_API int wt_request_end(wt_request *request);

/**
 * Closes the whole connection that `request` came on, as `wt_session_close_connection` does. A request that was not answered
 * needs no answer any more; `on_close` follows for it, too, if it has callbacks. May be called inside a callback.
 *
 * Errors: WT_ERR_INVALID. Since 0.2.0.
 */
WT_API int wt_request_close_connection(wt_request *request, uint64_t wire_code, const char *reason, size_t reason_len);

/** Stops calls of `on_body`; the client is held back by flow control. Since 0.1.0. */
WT_API void wt_request_pause(wt_request *request);

/** Undoes `wt_request_pause`; kept bytes arrive soon, not from inside this call. Since 0.1.0. */
WT_API void wt_request_resume(wt_request *request);

/**
 * Answers GET or HEAD with the file `path` (percent-encoded, as in a URL) below the folder
 * `directory`: its media type, ETag, Last-Modified, conditional requests and one byte range
 * (RFC 9110, sections 13 and 14). "index.html" stands in for a path that ends in '/'. Nothing outside
 * the folder is ever served: "..", encoded or not, and symbolic links that lead out give 404. Other
 * methods give 405. The library answers in every case, also where it returns an error.
 *
 * A file that may not be read gives 404, too. Where the system refuses to open one for a reason that will pass (no more
 * descriptors, no memory) the answer is 503 with `retry-after`, for other reasons 500; both are logged with the reason.
 *
 * Errors: WT_ERR_STATE if already answered; WT_ERR_CLOSED; WT_ERR_NOT_FOUND after answering 404; WT_ERR_FILE after
 * answering 503 or 500; WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_request_serve_file(wt_request *request, const char *directory, const char *path);

/** How `wt_upgrade` is to accept a session. Fill it with `wt_upgrade_options_default` first. */
struct wt_upgrade_options {
  size_t size; /**< set by `wt_upgrade_options_default` */

  const struct wt_session_callbacks *callbacks; /**< copied by `wt_upgrade`; NULL (the default): none */
  void *user_data;                              /**< what the callbacks get */

  /**
   * The subprotocols this resource speaks. The first of the client's list that is among them is
   * chosen (section 3.3). Default: none, and then none is chosen.
   */
  const char *const *protocols;
  size_t protocol_count;
  /** Fail with WT_ERR_SUBPROTOCOL when none is in common. Default: false. */
  bool require_protocol;

  /** Further header fields of the answer. Default: none. Copied. */
  const struct wt_header *headers;
  size_t header_count;

  /**
   * The status of the answer, from 200 to 299; any of them accepts the session (section 3.2). Default: 200. 204 is for
   * clients that are known to take it: some HTTP/3 libraries allow no bytes behind it, and so no close of the session.
   */
  int status;
};

/**
 * Fills the first `size` bytes of `*options` with the defaults; `size` is sizeof(struct wt_upgrade_options) of the
 * header that the caller was compiled with, so that a newer library does not write past it. Since 0.1.0.
 */
WT_API void wt_upgrade_options_init(struct wt_upgrade_options *options, size_t size);

/** `wt_upgrade_options_init` with the right size: what a program in C calls. Since 0.1.0. */
static inline void wt_upgrade_options_default(struct wt_upgrade_options *options) {
  wt_upgrade_options_init(options, sizeof(*options));
}

/**
 * Accepts the WebTransport session that `request` asks for (section 3.2): checks that it is such a
 * request, that the client's SETTINGS and transport parameters allow it, that its origin is allowed
 * (`check_origin` of the server, same-origin by default) and that the connection may have another
 * session; chooses the subprotocol; answers 200, or what `status` says. `options` may be NULL for the defaults. `*session`
 * lives until its `on_close`; `request` is gone when this returns 0, but `wt_session_path` and `wt_session_header` still
 * have what it said.
 *
 * After an error nothing was sent, there is no session, and `request` can still be answered: `wt_upgrade_status` gives a
 * status, `wt_request_error` the details. One case is different: after WT_ERR_NOMEM the connection may end, and an answer
 * then fails with WT_ERR_CLOSED.
 *
 * Errors: WT_ERR_NOT_WEBTRANSPORT, WT_ERR_SETTINGS, WT_ERR_ORIGIN (answer 403), WT_ERR_SESSION_LIMIT (answer 429),
 * WT_ERR_SUBPROTOCOL, WT_ERR_STATE if already answered, WT_ERR_CLOSED if the client is gone, WT_ERR_TOO_LARGE if the
 * client's SETTINGS leave no room for the fields, WT_ERR_INVALID for another `status` and for a field that may not be
 * sent, WT_ERR_NOMEM; WT_ERR_INVALID or WT_ERR_UNSUPPORTED because of a `size`, too. May be called in the handler, or
 * later. Since 0.1.0.
 */
WT_API int wt_upgrade(wt_request *request, const struct wt_upgrade_options *options, wt_session **session);

/**
 * Returns a sentence about the last error of a call on `request`: "the client's SETTINGS lack
 * SETTINGS_H3_DATAGRAM". "" if there was none. Lives until the next call on `request`. Since 0.1.0.
 */
WT_API const char *wt_request_error(const wt_request *request);

/** Returns the status that suits `error` of a failed `wt_upgrade`: 403, 429, 400 or 500. Since 0.1.0. */
WT_API int wt_upgrade_status(int error);

#ifdef __cplusplus
}
#endif

#endif
