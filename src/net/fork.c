/* SPDX-License-Identifier: MIT */

/*
 * After a fork, as by daemon(), the program goes on in a copy of the process. The copy has one thread, and its epoll set,
 * timers and rings still belong to the original. libuv can make its loop anew in the copy (uv_loop_fork); threads cannot be
 * made anew.
 *
 * So forks are counted, and the count tells copies apart. Each loop keeps the count at the time it was made (net/loop.c), and
 * compares it when it runs. getpid would do, too, but it is a system call, and this is compared in each turn.
 */

#include "net/fork.h"

#include <pthread.h>

static unsigned forks; /* written while the process has one thread */
static pthread_once_t watched = PTHREAD_ONCE_INIT;

static void count_fork(void) { forks++; }

static void watch(void) { (void)pthread_atfork(NULL, NULL, count_fork); }

void wt__forks_watch(void) { (void)pthread_once(&watched, watch); }

unsigned wt__forks(void) { return forks; }
