/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_ANSWER_H
#define WT_H3_ANSWER_H

/* The answer to a request: status, fields, body. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <nghttp3/nghttp3.h>

#include <webtransport/request.h>

struct wt__h3_conn;
struct wt__file_body;

/* Whether `request` can be answered: 0, WT_ERR_STATE, WT_ERR_CLOSED. */
int wt__answer_check(wt_request *request);
/* Sends the header section. `length`: content-length to add, or NULL. `with_body`: the send queue or a
 * file follows. WT_ERR_INVALID, WT_ERR_CLOSED, WT_ERR_NOMEM. */
int wt__answer_submit(wt_request *request, int status, const struct wt_header *headers, size_t header_count,
                      const uint64_t *length, bool with_body);
/* An interim answer (1xx): its header section alone. The same errors; whoever calls wakes the connection. */
int wt__answer_inform(wt_request *request, int status, const struct wt_header *headers, size_t header_count);
/* A short answer of the library's own: "404 Not Found" and the like. `headers` may be NULL. */
int wt__answer_status(wt_request *request, int status, const struct wt_header *headers, size_t header_count);
/* Bytes for nghttp3's `read_data`; as `nghttp3_read_data_callback` returns. */
nghttp3_ssize wt__answer_read(wt_request *request, nghttp3_vec *vecs, size_t max_vecs, uint32_t *flags);
void wt__answer_acked(wt_request *request, uint64_t len);
/* The body is what `file` has left; it is the request's from now on. */
void wt__answer_set_file(wt_request *request, struct wt__file_body *file);
/* The connection's window may have grown: files that waited for it go on. */
void wt__answers_resume_files(struct wt__h3_conn *conn);

#endif
