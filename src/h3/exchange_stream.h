/* SPDX-License-Identifier: MIT */
#ifndef WT_H3_EXCHANGE_STREAM_H
#define WT_H3_EXCHANGE_STREAM_H

/* The stream of an exchange. See exchange_stream.c. */

#include "h3/role.h"

/* Of an exchange's stream. The owner is the exchange. */
extern const struct wt__role wt__role_exchange;

#endif
