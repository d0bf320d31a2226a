/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_EXCHANGE_REQUEST_H
#define WT_H3_EXCHANGE_REQUEST_H

/* The request of an exchange. See exchange_request.c. */

#include <webtransport/client.h>

struct wt__exchange_options;

/* WT_ERR_INVALID: something other than a header field is wrong. */
int wt__exchange_options_check(const struct wt__exchange_options *options);
/* Copies the fields into `exchange->request`. WT_ERR_INVALID, WT_ERR_TOO_LARGE, WT_ERR_NOMEM. */
int wt__exchange_write_request(wt_exchange *exchange, const struct wt__exchange_options *options);
/* Gives the request to nghttp3. WT_ERR_NOMEM, WT_ERR_TOO_LARGE, WT_ERR_CLOSED. An error of nghttp3 ends the
 * connection. */
int wt__exchange_submit(wt_exchange *exchange);

#endif
