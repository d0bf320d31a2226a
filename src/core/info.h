/* SPDX-License-Identifier: MIT */
#ifndef WT_CORE_INFO_H
#define WT_CORE_INFO_H

/* Connection information on its way to an application, which may be older than this library. */

#include <webtransport/connection.h>

#include "base/vec.h"

/* Copies of `all` what fits into `*info`, whose `size` the caller has set. WT_ERR_INVALID: less than any version's. */
int wt__info_copy(struct wt_connection_info *info, const struct wt_connection_info *all);

/* Gives `found`, or nothing after `error`. Returns `error`, or WT_ERR_INVALID without a place to give it to. */
int wt__info_give_certificate(int error, const struct wt__vec *found, const void **der, size_t *len);

#endif
