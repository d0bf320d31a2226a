/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_WATCH_H
#define WEBTRANSPORT_TOOL_GATEWAY_WATCH_H

#include <stdbool.h>

struct uv_loop_s;

/* A socket that the loop watches. It belongs to the watch. */
struct watch;

/*
 * The socket is readable or writable, or something is wrong with it. In the last case it counts as both, and the call
 * that is made on it reports what is wrong.
 */
typedef void (*watch_callback)(bool readable, bool writable, void *user_data);

/* Watches `fd`, which has to be non-blocking, for nothing yet. NULL: out of memory or epoll refuses; `fd` is closed. */
struct watch *watch_new(struct uv_loop_s *loop, int fd, watch_callback callback, void *user_data);

/* Sets what to wait for. A broken connection is reported in any case, once. */
void watch_set(struct watch *watch, bool readable, bool writable);

int watch_fd(const struct watch *watch);

/* Ends the watch and closes its socket. No callback comes any more. NULL is allowed. */
void watch_close(struct watch *watch);

/* Likewise; the peer of a TCP connection gets a RST instead of a FIN. */
void watch_close_with_reset(struct watch *watch);

#endif
