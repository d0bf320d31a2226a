/* SPDX-License-Identifier: MIT */

/*
 * A process that is forked, as by daemon(), goes on in a copy that has one thread, and whose epoll set, timers and
 * rings are those of the original. libuv can make its loop anew in the copy (uv_loop_fork); threads cannot be.
 *
 * So a number tells copies apart. Each loop keeps the one that it was made with (net/loop.c), and who runs it compares.
 * A number and not getpid, which is a system call, and this is looked at in each turn.
 */

#include "net/fork.h"

#include <pthread.h>

static unsigned forks; /* written while the process has one thread */
static pthread_once_t watched = PTHREAD_ONCE_INIT;

static void count_fork(void) { forks++; }

static void watch(void) { (void)pthread_atfork(NULL, NULL, count_fork); }

void wt__forks_watch(void) { (void)pthread_once(&watched, watch); }

unsigned wt__forks(void) { return forks; }
