/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_COMMAND_H
#define WT_BACKPLANES_COMMAND_H

/*
 * Commands of the application that wait for their replies. Each has its number among all commands of its connection, and the
 * server answers in order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hiredis.h>

#include "base/list.h"
#include "webtransport/backplane_redis.h"

struct wt__redis_commands {
  struct wt__list waiting; /* the oldest first */
  size_t count, bytes;
};

void wt__redis_commands_init(struct wt__redis_commands *commands);

/* Whether a command of `bytes` bytes is within the bounds. One may be larger, alone. */
bool wt__redis_commands_have_room(const struct wt__redis_commands *commands, size_t bytes);

/* False: out of memory. */
bool wt__redis_commands_add(struct wt__redis_commands *commands, uint64_t number, size_t bytes,
                            wt_redis_reply_callback on_reply, void *user_data);

/* Gives the reply with this number to whom it is for. False: it is not for one of these. */
bool wt__redis_commands_replied(struct wt__redis_commands *commands, uint64_t number, const redisReply *reply);

/* There will be no replies: tells all who wait now. */
void wt__redis_commands_fail(struct wt__redis_commands *commands, const char *why);

#endif
