/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_HTTP_H
#define WT_H3_HTTP_H

/* The border to nghttp3: bytes for it, and what it asks for. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

struct wt__h3_conn;

int wt__http_new(struct wt__h3_conn *conn);
/* Gives bytes of a stream to nghttp3. */
void wt__http_recv(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len, bool fin);
/* The same for a part of a field section that was reported as read when it came. */
void wt__http_recv_counted(struct wt__h3_conn *conn, int64_t id, const uint8_t *data, size_t len);
/* From now on everything that the peer sends on the stream is dropped. */
void wt__http_stop_reading(struct wt__h3_conn *conn, int64_t id);
/* Gives nghttp3 something to ask for: a body, or bytes of a CONNECT stream. */
void wt__http_resume(struct wt__h3_conn *conn, int64_t id);
extern const nghttp3_data_reader wt__http_body_reader;

#endif
