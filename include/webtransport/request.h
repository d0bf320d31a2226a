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
 * An HTTP/3 request from a client: an ordinary one, or the Extended CONNECT that asks for a WebTransport session. It
 * lives until its `on_close`; if `wt_upgrade` succeeds, until that returns.
 */
typedef struct wt_request wt_request;

/**
 * What an application hears about a request after its handler was called. Any member may be NULL. The library calls
 * them on the loop's thread, and never from inside a call that the application makes.
 */
struct wt_request_callbacks {
  size_t size; /**< 0, or sizeof(struct wt_request_callbacks): see "Structs that grow" in error.h */

  /**
   * Bytes of the request's body arrived. `data` is borrowed until the callback returns. `fin`: these are the last
   * bytes; `len` may then be 0. If this member is NULL, the bytes are dropped, and the client is asked to stop once the
   * answer is complete.
   */
  void (*on_body)(wt_request *request, const uint8_t *data, size_t len, bool fin, void *user_data);

  /**
   * There is room to write again. It is called after the same events as `on_writable` of struct wt_stream_callbacks.
   */
  void (*on_writable)(wt_request *request, void *user_data);

  /**
   * The request is over. `error` is 0 if the client acknowledged the answer; WT_ERR_CLOSED if the client or the
   * connection went away first; WT_ERR_TIMEOUT if the client did not take the answer, or did not send the body, within
   * `send_timeout_ms` or `body_timeout_ms` of the server's configuration. Called exactly once, as the last callback of
   * the request. The handle is invalid when it returns.
   */
  void (*on_close)(wt_request *request, int error, void *user_data);
};

/**
 * Sets the callbacks of `request`, which are copied, and the pointer that they get. NULL stands for no callbacks.
 * Before the first call the library keeps the body, as much as the flow-control window allows. If the client sent
 * `expect: 100-continue`, it gets 100 soon after `on_body` is set, unless the request is paused or answered. Any
 * callback.
 *
 * Errors: WT_ERR_INVALID or WT_ERR_UNSUPPORTED if `callbacks->size` is wrong (error.h, "Structs that grow"). Nothing
 * has changed then. Returns an error since 0.2.0. Since 0.1.0.
 */
WT_API int wt_request_set_callbacks(wt_request *request, const struct wt_request_callbacks *callbacks, void *user_data);

/** Returns the pointer that the callbacks of `request` get, or NULL. Any callback. Since 0.1.0. */
WT_API void *wt_request_user_data(const wt_request *request);

/** Returns the method: "GET", "CONNECT". Borrowed for as long as the request lives. Any callback. Since 0.1.0. */
WT_API const char *wt_request_method(const wt_request *request);

/**
 * Returns the path without the query, as it came (still percent-encoded): "/a%20b". "" for a CONNECT without a path.
 * Borrowed for as long as the request lives. Any callback. Since 0.1.0.
 */
WT_API const char *wt_request_path(const wt_request *request);

/**
 * Returns the query: what follows the first '?' of the path, as it came, or "". Borrowed for as long as the request
 * lives. Any callback. Since 0.1.0.
 */
WT_API const char *wt_request_query(const wt_request *request);

/**
 * Copies the value of the query's first parameter called `name` to `value`: percent-decoded and NUL-terminated, at most
 * `size` bytes with the NUL. A parameter without '=' has the value "". After an error `value` is "". Any callback. It
 * was `wt_request_query_value` before.
 *
 * Errors: WT_ERR_NOT_FOUND if there is no such parameter; WT_ERR_TOO_LARGE if the value does not fit; WT_ERR_INVALID if
 * its encoding is broken. Since 0.2.0.
 */
WT_API int wt_request_get_query_value(const wt_request *request, const char *name, char *value, size_t size);

/**
 * Copies name and value of the query's parameter number `index`, counted from 0, to `name` and `value`: percent-decoded
 * and NUL-terminated, at most `name_size` and `value_size` bytes with the NUL. A parameter without '=' has the value
 * "". After an error both are "". Any callback.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many parameters; WT_ERR_TOO_LARGE if name or value does not fit;
 * WT_ERR_INVALID if the encoding is broken. After the last two, there may be further parameters. Since 0.2.0.
 */
WT_API int wt_request_get_query_at(const wt_request *request, size_t index, char *name, size_t name_size, char *value,
                                   size_t value_size);

/**
 * Returns the authority, or the `host` field if there is none: "example.com:443". "" without both. Borrowed for as long
 * as the request lives. Any callback. Since 0.1.0.
 */
WT_API const char *wt_request_authority(const wt_request *request);

/**
 * Returns the `:protocol` of an Extended CONNECT (RFC 9220), or "". Borrowed for as long as the request lives. Any
 * callback. Since 0.1.0.
 */
WT_API const char *wt_request_protocol(const wt_request *request);

/**
 * Returns the value of the header field `name` (lower case), or NULL if there is no such field. If the field came more
 * than once, the values are joined: those of `cookie` with "; " (RFC 9114, section 4.2.1), others with ", " (RFC 9110,
 * section 5.3). Borrowed for as long as the request lives. Any callback. It joins since 0.2.0. Since 0.1.0.
 */
WT_API const char *wt_request_header(const wt_request *request, const char *name);

/**
 * Fills `*header` with the field number `index`, counted from 0, as it came. Pseudo-header fields such as ":path" are
 * included. To walk all fields, count up until this fails. Name and value are borrowed for as long as the request
 * lives. Any callback.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many fields. Since 0.2.0.
 */
WT_API int wt_request_get_header_at(const wt_request *request, size_t index, struct wt_header *header);

/**
 * Returns the `origin` header field (RFC 6454, section 7), or NULL. Borrowed for as long as the request lives. Any
 * callback. Since 0.1.0.
 */
WT_API const char *wt_request_origin(const wt_request *request);

/**
 * Returns the client's address as "192.0.2.1:4433" or "[2001:db8::1]:4433". Borrowed until the callback returns. Any
 * callback. Since 0.1.0.
 */
WT_API const char *wt_request_peer_address(const wt_request *request);

/**
 * Sets `*der` and `*len` to the certificate number `index`, counted from 0, that the client showed, as
 * `wt_session_get_peer_certificate` of connection.h does. Clients show certificates only if `client_certificates` of
 * the server's configuration asks for them. Any callback but `on_close`.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many certificates, or none; WT_ERR_CLOSED if the connection is closing.
 * Since 0.2.0.
 */
WT_API int wt_request_get_peer_certificate(const wt_request *request, size_t index, const void **der, size_t *len);

/**
 * Fills `*info` with facts about the connection of the request, as `wt_session_get_connection_info` does: for example,
 * whether the client's certificate was verified. Any callback.
 *
 * Errors: WT_ERR_INVALID if `info->size` is too small (error.h, "Structs that grow"). Since 0.2.0.
 */
WT_API int wt_request_get_connection_info(const wt_request *request, struct wt_connection_info *info);

/**
 * Returns whether the request asks for a WebTransport session: an Extended CONNECT with the protocol "webtransport" or
 * "webtransport-h3" (section 3.2). Any callback. Since 0.1.0.
 */
WT_API bool wt_request_is_webtransport(const wt_request *request);

/**
 * Copies the subprotocol number `index`, counted from 0, of those that the client offers (`wt-available-protocols`,
 * section 3.3), the best first, to `protocol`: NUL-terminated, at most `size` bytes with the NUL. A malformed list
 * counts as none. After an error `protocol` is "". A program that passes sessions on offers them to the next server;
 * others need not call this, because `wt_upgrade` chooses. Any callback, and later.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many; WT_ERR_TOO_LARGE if it does not fit; WT_ERR_INVALID if a pointer is
 * NULL or `size` is 0; WT_ERR_NOMEM. Since 0.3.0.
 */
WT_API int wt_request_get_protocol_at(const wt_request *request, size_t index, char *protocol, size_t size);

/**
 * Sends a whole answer: a status from 200 to 599, `header_count` fields of `headers`, and `len` bytes of `body`, all
 * copied. The library adds `content-length`. The answer to a HEAD request, and one with status 204 or 304, has no body.
 * If the request's body has not arrived yet, the client is asked to stop sending it. Any callback, and later.
 *
 * A WebTransport request cannot be answered with a 2xx here, because `wt_upgrade` does that. A handler that does not
 * offer WebTransport answers such a request with 405 (section 3.2).
 *
 * Errors: WT_ERR_STATE if the request was answered already; WT_ERR_CLOSED if the client or the connection is gone;
 * WT_ERR_INVALID for another status, a field that may not be sent, or a `body` or `headers` that is NULL with a length;
 * WT_ERR_TOO_LARGE if the fields are larger than the client's SETTINGS allow; WT_ERR_NOMEM, after which the connection
 * may end. After an error nothing was sent. `wt_request_error` has a sentence. Since 0.1.0.
 */
WT_API int wt_request_respond(wt_request *request, int status, const struct wt_header *headers, size_t header_count,
                              const void *body, size_t len);

/**
 * Begins an answer whose body follows with `wt_request_write` and `wt_request_end`. No `content-length` is added. All
 * else is as for `wt_request_respond`, and so are the errors, with one difference: after an error, a client that waits
 * for a 100 may have got it. Any callback, and later. Since 0.1.0.
 */
WT_API int wt_request_begin(wt_request *request, int status, const struct wt_header *headers, size_t header_count);

/**
 * Sends an interim answer before the final one (RFC 9110, section 15.2): a status of 100, or from 102 to 199, and
 * `header_count` fields of `headers`, all copied. 103 with `link` fields is an early hint (RFC 8297). A request may get
 * up to 32 of them; the final answer must still follow. Old clients may ignore them. Any callback, and later.
 *
 * The application need not call this for `expect: 100-continue`: the library sends 100 when `on_body` is set and the
 * request is not paused, unless the answer or part of the body came before (RFC 9110, section 10.1.1). So an
 * application that begins its answer before it has the body must call `wt_request_set_callbacks` before
 * `wt_request_begin`. A request that expects anything else is answered with 417 and does not reach its handler.
 *
 * Errors: WT_ERR_STATE if the request was answered already, or has had 32 interim answers; WT_ERR_CLOSED if the client
 * or the connection is gone; WT_ERR_INVALID for another status, for a field that may not be sent (`content-length` is
 * one), and for a CONNECT request, because Chromium gives up a session after any interim answer; WT_ERR_TOO_LARGE if
 * the fields are larger than the client's SETTINGS allow; WT_ERR_NOMEM, after which the connection may end. After an
 * error nothing was sent. Since 0.2.0.
 */
WT_API int wt_request_inform(wt_request *request, int status, const struct wt_header *headers, size_t header_count);

/**
 * Queues up to `len` bytes of the answer's body, which are copied. `*written` gets the number of bytes taken, from 0 to
 * `len`; `written` may be NULL. If not all bytes were taken, or the queue is full now, `on_writable` follows. If the
 * answer has no body (HEAD, 204, 304), all bytes are taken and dropped. Any callback, and later.
 *
 * Errors: WT_ERR_STATE before `wt_request_begin`, or after the end of the answer; WT_ERR_CLOSED if the client or the
 * connection is gone; WT_ERR_INVALID if `data` is NULL and `len` is not 0; WT_ERR_NOMEM. After an error nothing is
 * queued and `*written` is 0. Since 0.1.0.
 */
WT_API int wt_request_write(wt_request *request, const void *data, size_t len, size_t *written);

/**
 * Returns how many bytes `wt_request_write` would take now. If it returns 0 because the queue is full, `on_writable`
 * follows once there is room. It also returns 0 when writing would fail. Any callback, and later. Since 0.2.0.
 */
WT_API size_t wt_request_writable(wt_request *request);

/**
 * Queues `len` bytes of the answer's body without a copy, as `wt_stream_write_owned` does: the application must leave
 * `data` unchanged until the library calls `release(data, len, user_data)`, which it never does from inside this call.
 * It takes all bytes or none. If the answer has no body (HEAD, 204, 304), nothing is sent and `release` is called soon.
 * Any callback, and later.
 *
 * Errors: WT_ERR_AGAIN if the queue is full (`on_writable` follows); WT_ERR_INVALID if `data` or `release` is NULL or
 * `len` is 0; the other errors of `wt_request_write`. After an error `release` is not called. Since 0.1.0.
 */
WT_API int wt_request_write_owned(wt_request *request, const void *data, size_t len, wt_release_callback release,
                                  void *user_data);

/**
 * Ends the answer's body after the queued bytes. Any callback, and later.
 *
 * Errors: WT_ERR_STATE before `wt_request_begin`, or after the end of the answer; WT_ERR_CLOSED if the client or the
 * connection is gone. Since 0.1.0.
 */
WT_API int wt_request_end(wt_request *request);

/**
 * Ends the request now: what is queued of the answer is dropped, and the client gets a reset of both directions with
 * `wire_code`, an error code of HTTP/3 (RFC 9114, section 8.1), such as 0x0102 for H3_INTERNAL_ERROR. This is for an
 * answer that has begun and cannot be completed: a client must not take what it has for the whole. `on_close` follows
 * with WT_ERR_CLOSED. Any callback, and later.
 *
 * Errors: WT_ERR_INVALID if `request` is NULL, or `wire_code` is larger than 2^62 - 1; WT_ERR_CLOSED if the client or the
 * connection is gone, or the request was reset before. Since 0.3.0.
 */
WT_API int wt_request_reset(wt_request *request, uint64_t wire_code);

/**
 * Closes the whole connection of `request`, as `wt_session_close_connection` does. The application need not answer the
 * request any more. If it has callbacks, its `on_close` follows. Any callback, and later.
 *
 * Errors: WT_ERR_INVALID as for `wt_session_close_connection`. Since 0.2.0.
 */
WT_API int wt_request_close_connection(wt_request *request, uint64_t wire_code, const char *reason, size_t reason_len);

/** Stops calls of `on_body`. Flow control holds the client back. Any callback, and later. Since 0.1.0. */
WT_API void wt_request_pause(wt_request *request);

/**
 * Ends a pause of `wt_request_pause`. Kept bytes arrive in `on_body` soon, not from inside this call. Any callback, and
 * later. Since 0.1.0.
 */
WT_API void wt_request_resume(wt_request *request);

/**
 * Answers GET or HEAD with the file `path` (percent-encoded, as in a URL) below the folder `directory`. The answer has
 * the media type, ETag and Last-Modified; conditional requests and one byte range work (RFC 9110, sections 13 and 14).
 * If `path` ends in '/', "index.html" is served; the path of a folder without the '/' is redirected (301). Any
 * callback, and later.
 *
 * No file outside the folder is ever served: ".." (encoded or not) and symbolic links that lead out get 404, and so
 * does a file that the server may not read. Other methods get 405. If the system cannot open a file now (no
 * descriptors, no memory), the answer is 503 with `retry-after`; after other failures it is 500. Both are logged with
 * the reason.
 *
 * Errors: WT_ERR_STATE if the request was answered already; WT_ERR_CLOSED if the client or the connection is gone;
 * WT_ERR_NOT_FOUND if this answered 404; WT_ERR_FILE if this answered 503 or 500; WT_ERR_NOMEM and WT_ERR_TOO_LARGE if
 * no answer could be sent, and the request was reset. Since 0.1.0.
 */
WT_API int wt_request_serve_file(wt_request *request, const char *directory, const char *path);

/**
 * How `wt_upgrade` accepts a session. `wt_upgrade_options_default` fills it; then change what you need. Since 0.1.0.
 */
struct wt_upgrade_options {
  size_t size; /**< set by `wt_upgrade_options_default` */

  const struct wt_session_callbacks *callbacks; /**< of the session; copied; default NULL: none */
  void *user_data;                              /**< the pointer that the callbacks get */

  /**
   * The subprotocols that this resource speaks. The library chooses the first one of the client's list that is among
   * them (section 3.3). Default: none, and then none is chosen. Copied.
   */
  const char *const *protocols;
  size_t protocol_count; /**< how many `protocols` there are */
  /** Fail with WT_ERR_SUBPROTOCOL if client and server have no subprotocol in common. Default: false. */
  bool require_protocol;

  /** More header fields for the answer. Default: none. Copied. */
  const struct wt_header *headers;
  size_t header_count; /**< how many `headers` there are */

  /**
   * The status of the answer, from 200 to 299. Each of them accepts the session (section 3.2). Default: 200. Use 204
   * only if you know that the clients work with it: some HTTP/3 libraries allow no bytes after a 204, so the close of
   * the session fails. Since 0.2.0.
   */
  int status;
};

/**
 * Fills the first `size` bytes of `*options` with the defaults. `size` is sizeof(struct wt_upgrade_options) in the
 * headers that the caller was compiled with, so a newer library does not write too much. Any thread, any callback.
 * Since 0.1.0.
 */
WT_API void wt_upgrade_options_init(struct wt_upgrade_options *options, size_t size);

/** Calls `wt_upgrade_options_init` with the right size. Programs in C use this. Since 0.1.0. */
static inline void wt_upgrade_options_default(struct wt_upgrade_options *options) {
  wt_upgrade_options_init(options, sizeof(*options));
}

/**
 * Accepts the WebTransport session that `request` asks for (section 3.2). It checks that the request asks for a
 * session, that the client's SETTINGS and transport parameters allow one, that the origin is allowed (`check_origin` of
 * the configuration; same-origin by default), and that the connection may have one more session. Then it chooses the
 * subprotocol and answers with 200, or with `status` of the options. `options` may be NULL for the defaults. May be
 * called in the handler, or later.
 *
 * `*session` lives until its `on_close`; `session` may be NULL if the callbacks are enough. When this returns 0,
 * `request` does not exist any more; `wt_session_path` and `wt_session_header` still have its contents.
 *
 * After an error, `*session` is NULL, nothing was sent, and `request` can still be answered: `wt_upgrade_status` gives
 * a status, and `wt_request_error` a sentence. There is one exception: after WT_ERR_NOMEM the connection may end, and
 * answering then fails with WT_ERR_CLOSED.
 *
 * Errors: WT_ERR_NOT_WEBTRANSPORT if the request does not ask for a session; WT_ERR_SETTINGS if the client does not
 * offer what WebTransport needs, or its SETTINGS did not come in time; WT_ERR_ORIGIN (answer 403); WT_ERR_SESSION_LIMIT
 * if the connection has too many sessions, or gets new ones too fast (answer 429); WT_ERR_SUBPROTOCOL with
 * `require_protocol`; WT_ERR_STATE if the request was answered already; WT_ERR_CLOSED if the client or the connection
 * is gone; WT_ERR_TOO_LARGE if the fields are larger than the client's SETTINGS allow; WT_ERR_INVALID for another
 * `status`, a field that may not be sent, or a list that is NULL with a count; WT_ERR_INVALID or WT_ERR_UNSUPPORTED if a
 * `size` is wrong (error.h, "Structs that grow"); WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_upgrade(wt_request *request, const struct wt_upgrade_options *options, wt_session **session);

/**
 * Returns a sentence about the last error of a call on `request`: "the client's SETTINGS lack SETTINGS_H3_DATAGRAM". ""
 * if there was no error. Borrowed until the next call on `request`. Any callback. Since 0.1.0.
 */
WT_API const char *wt_request_error(const wt_request *request);

/**
 * Returns the status with which to answer after `wt_upgrade` failed with `error`: 403, 429, 400 or 500. Any thread, any
 * callback. Since 0.1.0.
 */
WT_API int wt_upgrade_status(int error);

#ifdef __cplusplus
}
#endif

#endif
