/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_LOOP_H
#define WT_NET_LOOP_H

/*
 * The event loop as a server sees it: sockets that are ready, a pass before the loop blocks, a time at which
 * to wake up, and a wake-up from outside. All of libuv's handles are here.
 *
 * Times are nanoseconds of the monotonic clock.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "net/udp.h"

#define WT__LOOP_PAUSE_MS 100 /* between two passes: what waits is then read before deadlines count */

struct wt__loop;

/* A socket with its handle. */
struct wt__socket {
  struct wt__udp udp;
  struct wt__loop *loop;
  uv_poll_t poll;
  uv_timer_t retry;
  bool polled;             /* the handles exist */
  bool want_write;         /* tell when it takes packets again */
  bool deaf, mute;         /* not polled for reading, for writing, until `retry` */
  bool held;               /* not polled for reading, because another process reads it */
  unsigned failures;       /* of reading, since it worked last */
  unsigned empties, fulls; /* events that said it could be read, or written, when it could not; likewise */
  struct wt__socket *next; /* in `sockets` of the loop */
};

/* All get `ctx` of `wt__loop_init`. */
struct wt__loop_callbacks {
  void (*on_wake)(void *ctx);
  void (*on_readable)(void *ctx, struct wt__socket *socket);
  void (*on_writable)(void *ctx, struct wt__socket *socket);
  /* Timers are due, and this thread did not run for a while: all that waits in the socket is to be read, before the pass takes
   * silence for the peers' fault. NULL: nothing is. */
  void (*on_pause)(void *ctx, struct wt__socket *socket);
  /* The network has an error of an earlier packet to tell; see `wt__udp_error`. NULL: it is forgotten. */
  void (*on_error)(void *ctx, struct wt__socket *socket);
  /* The socket cannot be read: `os_error`. The first time since it worked, and once more with `lasting` when many
   * tries have failed; it is then left alone. NULL: nobody wants to know. */
  void (*on_failing)(void *ctx, struct wt__socket *socket, int os_error, bool lasting);
  /* Before each time that the loop blocks. Returns when the next pass is due; UINT64_MAX: never. */
  uint64_t (*on_pass)(void *ctx);
  /* When the next pass is due by now: earlier than what `on_pass` returned, if something was asked for since. NULL: never
   * earlier. */
  uint64_t (*due)(void *ctx);
};

struct wt__loop {
  uv_loop_t *uv;
  uv_loop_t own;
  bool is_own, running;
  bool lazy, held;
  bool in_step;          /* the pass comes behind libuv's turn */
  struct wt__loop *next; /* on a caller's loop: of all servers and clients on callers' loops */
  uint64_t next_pass;    /* what `on_pass` returned */
  uint64_t passed_at;    /* when it was called; 0: it was not yet */
  struct wt__socket *sockets;
  const struct wt__loop_callbacks *callbacks;
  void *ctx;
  uv_async_t wake;
  uv_prepare_t prepare;
  uv_idle_t idle; /* active: do not block, another pass is due at once */
  uv_poll_t timer;
  int timer_fd;
  uint64_t timer_at;                 /* what the timer is set to; UINT64_MAX: nothing */
  uv_timer_t coarse;                 /* where there is no timer_fd */
  const char *why;                   /* of the error of init, start or add; static string, NULL: none is known */
  uint64_t timers_set, timers_fired; /* for statistics: calls that set timer_fd; turns that a timer began */
  unsigned forks;                    /* of the process, when it was made; see fork.h */
  unsigned handles_open;             /* libuv still knows them */
  uint64_t now;                      /* read once for each batch of events; 0: to be read */
  _Atomic uint64_t began;            /* when the turn's first event came; 0: it has not yet. Other threads may look */
};

/* On the caller's loop `uv`, or, if NULL, one of its own. WT_ERR_IO. */
int wt__loop_init(struct wt__loop *loop, uv_loop_t *uv, const struct wt__loop_callbacks *callbacks, void *ctx);
/* Before the start: its handles are not to keep the loop running; only `wt__loop_hold` does. */
/* Whether this process is a copy of the one that had it. */
bool wt__loop_is_copy(const struct wt__loop *loop);
/* The copy goes on with it, and the original does not. A caller's loop is the caller's to renew. Not while it runs, or
 * with `running`: the original has ended, so that nobody shares anything. WT_ERR_IO. */
int wt__loop_adopt(struct wt__loop *loop, bool running);
void wt__loop_set_lazy(struct wt__loop *loop);
/* Whether the loop is to go on running for the sake of this one, which is lazy. */
void wt__loop_hold(struct wt__loop *loop, bool on);
/* Begins to call `on_pass`. WT_ERR_IO; `wt__loop_stop` cleans up. */
int wt__loop_start(struct wt__loop *loop);
/* Begins to call `on_readable` for `socket`, which stays where it is until `wt__loop_free`. WT_ERR_IO. */
int wt__loop_add(struct wt__loop *loop, struct wt__socket *socket);
/* Whether `on_readable` is called for it from now on. It is, once it has been added. */
void wt__loop_hold_reading(struct wt__socket *socket, bool on);
void wt__loop_want_write(struct wt__socket *socket);
/* What came of reading: packets, or the errno. One that lasts must not keep the loop from blocking. */
void wt__loop_read(struct wt__socket *socket, int os_error);
/* Ends what the two began; the loop then no longer waits for anything of this server. Closes the socket. */
void wt__loop_remove(struct wt__socket *socket);
void wt__loop_stop(struct wt__loop *loop);
/* For net/sockets.c: counts a handle that was made. */
void wt__loop_opened(struct wt__loop *loop, uv_handle_t *handle);
/* After `wt__loop_stop`. Turns the loop until libuv has let go of every handle. */
void wt__loop_free(struct wt__loop *loop);

/* Calls `on_wake` soon. Any thread, and signal handlers. */
void wt__loop_wake(struct wt__loop *loop);
/* Waits for events once. False when nothing is left to wait for. */
bool wt__loop_turn(struct wt__loop *loop);

/* For programs that wait with something else than libuv; on an own loop. What is ready, then a pass. Never waits. */
void wt__loop_step(struct wt__loop *loop);
/* How long to wait for the descriptor until the next step, as poll(2) takes it: -1 for ever, 0 not at all. `due`: when
 * the owner knows of something to do. */
int wt__loop_timeout_ms(struct wt__loop *loop, uint64_t due);
/* Readable when a step has something to do. Another one after `wt__loop_adopt`. */
int wt__loop_fd(const struct wt__loop *loop);

uint64_t wt__loop_now(struct wt__loop *loop);
/* When the turn began: its first packet, call from outside, or pass; 0: the loop blocks. Any thread. */
uint64_t wt__loop_began(const struct wt__loop *loop);

#endif
