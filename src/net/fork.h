/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_FORK_H
#define WT_NET_FORK_H

/* Whether this process is a copy of the one in which something was made. */

/* From now on this process's forks are counted. Any number of times. */
void wt__forks_watch(void);
/* How many forks lie between the process that called `wt__forks_watch` first and this one. */
unsigned wt__forks(void);

#endif
