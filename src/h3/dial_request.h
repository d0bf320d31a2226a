/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_DIAL_REQUEST_H
#define WT_H3_DIAL_REQUEST_H

/* A dial's request. See dial_request.c. */

struct wt__h3_dial;
struct wt__h3_dial_options;

/* Copies the fields of the request into `dial->request`, and the subprotocols into `dial->protocols`. WT_ERR_INVALID,
 * WT_ERR_TOO_LARGE, WT_ERR_NOMEM; what was copied is freed with the dial. */
int wt__dial_write_request(struct wt__h3_dial *dial, const struct wt__h3_dial_options *options);
/* Gives the request to nghttp3. 0, WT_ERR_TOO_LARGE, or an error of nghttp3. */
int wt__dial_submit(struct wt__h3_dial *dial, int draft);

#endif
