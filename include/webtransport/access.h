/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_ACCESS_H
#define WEBTRANSPORT_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/request.h>
#include <webtransport/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @file
 * What an access log is written from: one call at the end of each session and of each request that became none.
 */

/**
 * A session that has ended, or a request that became none. Texts are as the client has sent them: escape them, and note that
 * `query` may have a secret. All pointers are borrowed until the callback returns. Since 0.4.0.
 */
struct wt_access_record {
  size_t size; /**< of the struct in the library; a newer one has more members at its end */

  const wt_session *session;         /**< the session that has ended; NULL: a request that became none */
  const struct wt_close_info *close; /**< how it ended; NULL without `session` */
  const wt_request *request;         /**< NULL with `session` */

  bool is_webtransport; /**< the client asked for a session */
  bool handled; /**< a handler was called; false: the library has answered (400, 404, 431, 503), or reset the stream */
  const char *connection;                        /**< as `connection_id` of struct wt_connection_info */
  const char *peer_address;                      /**< as `peer_address` of struct wt_connection_info */
  const char *method, *path, *query, *authority; /**< "" if there is none, or the header section could not be read */
  const char *origin, *user_agent;               /**< NULL: the client sent none */
  const char *route; /**< the pattern of `wt_server_handle` whose handler was called; NULL: none */
  int status;        /**< of the answer; 0: the client got none */
  /**
   * Without `session`: 0 if the client has the whole answer; WT_ERR_CLOSED if one of both gave it up; WT_ERR_TIMEOUT if the
   * client did not move it.
   */
  int error;
  uint64_t wire_code;      /**< without `session`, the HTTP/3 code that this end has reset the stream with; 0: none */
  uint64_t duration_us;    /**< from the header section of the request to the end */
  uint64_t bytes_received; /**< of bodies and streams, without headers and datagrams */
  uint64_t bytes_sent;     /**< likewise; given to QUIC, which need not have delivered all */
  unsigned worker;         /**< of the server, from 0 */
};

/**
 * Gets each session and each request at its end, after the `on_close` of its own: `access` of struct wt_server_config. The
 * functions that ask a session or a request may be called on those of the record, as in `on_close`; nothing else may be.
 *
 * Called on the thread of the connection's worker, so with several workers several threads may call it at the same time. Do not
 * block in it: all connections of the worker wait. Since 0.4.0.
 */
typedef void (*wt_access_callback)(const struct wt_access_record *record, void *user_data);

#ifdef __cplusplus
}
#endif

#endif
