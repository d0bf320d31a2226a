/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_UDP_CALLS_H
#define WT_NET_UDP_CALLS_H

/* Which system calls a socket may use, and what stands in for those it may not. */

#include <stdbool.h>
#include <sys/socket.h>

#include "net/udp.h"

/* Asks the system about a socket that was just opened. -1 with errno, and `udp->refused`: it cannot receive or send. */
int wt__udp_probe(struct wt__udp *udp);

/* Whether an errno may mean that the call itself is refused: another call may still do it. */
bool wt__call_refused(int os_error);
/* Whether such an errno means that the call will always be refused. */
bool wt__call_refused_for_good(int os_error);

/* As recvmmsg, by recvmsg. Returns how many messages were filled, or -1 with errno. */
int wt__udp_recv_single(int fd, struct mmsghdr *messages, int max);

#endif
