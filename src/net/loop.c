/* SPDX-License-Identifier: MIT */

/*
 * One turn of the loop:
 *
 *     +--> prepare: the pass (run connections, send)
 *     |        |
 *     |        v
 *     |    block until a socket is ready, the timer fires, or another thread calls
 *     |        |
 *     |        v
 *     +--- sockets: datagrams go to their connections     wake: posts, shutdown
 *
 * So however many packets arrive at once, each connection is run once for all of them, and whatever the
 * application does in any callback, also in those of its own handles on the same loop, is sent before the
 * loop blocks.
 *
 * Most deadlines move back with each packet, long before they are due: for them a libuv timer does, which is the
 * timeout of the call that blocks, and costs no system call. It has a grain of a millisecond. QUIC paces packets in
 * far smaller steps, so a pass that is due soon has a timerfd in the poll set, which has nanoseconds. That is set again
 * only when the next pass is earlier than what it is set to: one needless wake-up is cheaper than a system call a
 * packet. A pass that is due at once needs neither: an active idle handle keeps the loop from blocking. Where the system
 * refuses timerfds (a sandbox), the libuv timer does all.
 *
 * A server and a client may share a caller's loop, and each may be called in a callback that the other one's pass makes: a
 * proxy does. libuv calls prepare handles one after the other, so that call may come after the pass that it needs. So
 * behind each pass those on the same loop are looked at, and one that is due earlier than it knew gets another pass
 * before the loop blocks.
 *
 * The wake handle lives as long as the server, so that other threads and signal handlers never meet a
 * closed one; it does not keep the loop running. A client's other handles do not either, except for the
 * prepare handle, and that one only while the client has something to do: a caller's loop then ends by itself.
 *
 * A program with another kind of loop drives an own loop from outside (`wt__loop_step`). A step never blocks, so its
 * pass comes last, behind the sockets, and one is enough:
 *
 *     step: sockets, timer, wake --> pass --> the program waits for the descriptor, or until `wt__loop_timeout_ms`
 *
 * Where this thread did not run for some time (the process was stopped, the machine slept or had others to run), the pass
 * first reads its sockets until they are empty. Deadlines are only then a sign that a peer was silent.
 *
 * libuv adds new handles to its poll set only when it polls. Its own timeout is 0 until it has, so the first step is
 * never missed.
 */

#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <webtransport/error.h>

#include "base/clock.h"
#include "net/fork.h"

#define COARSE_FROM (5 * WT__NS_PER_MS) /* deadlines that are so far away may be late by a millisecond */

static void handle_on_close(uv_handle_t *handle) {
  struct wt__loop *loop = handle->data;
  loop->handles_open--;
}

static int loop_opened(struct wt__loop *loop, int status) {
  if (status == 0) loop->handles_open++;
  if (status) loop->why = uv_strerror(status);
  return status ? WT_ERR_IO : 0;
}

void wt__loop_opened(struct wt__loop *loop, uv_handle_t *handle) {
  loop->handles_open++;
  if (loop->lazy) uv_unref(handle);
}

uint64_t wt__loop_began(const struct wt__loop *loop) {
  return atomic_load_explicit(&loop->began, memory_order_relaxed);
}

static void began_set(struct wt__loop *loop, uint64_t at) {
  atomic_store_explicit(&loop->began, at, memory_order_relaxed);
}

/* A turn begins with its first event. None does after the last one. */
static void loop_begin(struct wt__loop *loop) {
  if (loop->running && wt__loop_began(loop) == 0) began_set(loop, uv_hrtime());
}

uint64_t wt__loop_now(struct wt__loop *loop) {
  if (loop->now == 0) loop->now = uv_hrtime();
  if (loop->running && wt__loop_began(loop) == 0) began_set(loop, loop->now);
  return loop->now;
}

/* --- Time --- */

static void coarse_on_time(uv_timer_t *handle) {
  struct wt__loop *loop = handle->data;
  loop->timers_fired++;
}

/* libuv counts from the time that it has read last. */
static void coarse_set(struct wt__loop *loop, uint64_t at) {
  uint64_t now = wt__loop_now(loop), left = at > now ? at - now : 0;
  uv_update_time(loop->uv);
  uv_timer_start(&loop->coarse, coarse_on_time, left / WT__NS_PER_MS + 1, 0);
}

/* The timerfd has failed, or there is none: a call that is refused now will be refused again. */
static void timer_give_up(struct wt__loop *loop) {
  if (loop->timer_fd < 0) return;
  uv_close((uv_handle_t *)&loop->timer, handle_on_close);
  close(loop->timer_fd); /* uv_close has taken it out of the poll set */
  loop->timer_fd = -1;
}

static void timer_set(struct wt__loop *loop, uint64_t at) {
  struct itimerspec spec = {
      .it_value = {.tv_sec = (time_t)(at / WT__NS_PER_S), .tv_nsec = (long)(at % WT__NS_PER_S)},
  };
  if (loop->timer_fd >= 0 && timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL) == 0) {
    loop->timer_at = at;
    loop->timers_set++;
    return;
  }
  timer_give_up(loop);
  coarse_set(loop, at);
}

/* `at` has not come yet. */
static void loop_wait_until(struct wt__loop *loop, uint64_t at) {
  if (at == UINT64_MAX) {
    uv_timer_stop(&loop->coarse);
  } else if (loop->timer_fd < 0 || at - wt__loop_now(loop) >= COARSE_FROM) {
    coarse_set(loop, at);
  } else {
    uv_timer_stop(&loop->coarse);
    if (at < loop->timer_at) timer_set(loop, at);
  }
}

static void timer_on_poll(uv_poll_t *handle, int status, int events) {
  struct wt__loop *loop = handle->data;
  uint64_t expirations;
  ssize_t len = read(loop->timer_fd, &expirations, sizeof(expirations));
  (void)events;
  loop->timer_at = UINT64_MAX;
  loop->timers_fired++;
  /* One that stays readable would keep the loop from blocking. */
  if (status < 0 || (len < 0 && errno != EAGAIN && errno != EINTR)) timer_give_up(loop);
}

static void idle_on_turn(uv_idle_t *handle) { (void)handle; }

/* A process that was stopped, or a machine that was, finds all deadlines over at once. What the peers sent meanwhile may be in
 * the sockets, and an event reads only a part of it. */
static void loop_catch_up(struct wt__loop *loop) {
  uint64_t now = wt__loop_now(loop), since = loop->passed_at ? now - loop->passed_at : 0;
  loop->passed_at = now;
  if (!loop->callbacks->on_pause || since < WT__LOOP_PAUSE_MS * WT__NS_PER_MS || now < loop->next_pass) return;
  if (wt__loop_is_copy(loop)) return; /* the sockets are the original's */
  for (struct wt__socket *socket = loop->sockets; socket; socket = socket->next) {
    if (!socket->held) loop->callbacks->on_pause(loop->ctx, socket);
  }
}

static void loop_pass(struct wt__loop *loop) {
  loop->now = 0;
  loop_catch_up(loop);
  uint64_t next = loop->next_pass = loop->callbacks->on_pass(loop->ctx);
  if (!loop->running) return; /* the pass was the last one */
  if (next <= wt__loop_now(loop)) {
    uv_idle_start(&loop->idle, idle_on_turn);
  } else {
    uv_idle_stop(&loop->idle);
    loop_wait_until(loop, next);
  }
  loop->now = 0; /* it blocks now */
  began_set(loop, 0);
}

/* --- Several on one loop --- */

static pthread_mutex_t sharers_lock = PTHREAD_MUTEX_INITIALIZER;
static struct wt__loop *sharers; /* all on callers' loops; those on one loop belong to one thread */

static void sharers_add(struct wt__loop *loop) {
  pthread_mutex_lock(&sharers_lock);
  loop->next = sharers;
  sharers = loop;
  pthread_mutex_unlock(&sharers_lock);
}

static void sharers_remove(struct wt__loop *loop) {
  pthread_mutex_lock(&sharers_lock);
  struct wt__loop **at = &sharers;
  while (*at && *at != loop) at = &(*at)->next;
  if (*at) *at = loop->next;
  pthread_mutex_unlock(&sharers_lock);
}

/* Those on other loops belong to other threads: only their `uv` may be read. */
static void sharers_look(const struct wt__loop *loop) {
  pthread_mutex_lock(&sharers_lock);
  for (struct wt__loop *other = sharers; other; other = other->next) {
    if (other->uv != loop->uv || other == loop || !other->running || !other->callbacks->due) continue;
    if (other->callbacks->due(other->ctx) < other->next_pass) uv_idle_start(&other->idle, idle_on_turn);
  }
  pthread_mutex_unlock(&sharers_lock);
}

static void prepare_on_turn(uv_prepare_t *handle) {
  struct wt__loop *loop = handle->data;
  if (loop->in_step) return;
  loop_pass(loop);
  if (!loop->is_own) sharers_look(loop);
}

/* --- Handles of the loop --- */

static void wake_on_async(uv_async_t *handle) {
  struct wt__loop *loop = handle->data;
  loop_begin(loop);
  loop->callbacks->on_wake(loop->ctx);
}

/* libuv ends the process without a word where it cannot wait or read the clock, or add what it waits for. */
static int loop_probe(struct wt__loop *loop) {
  struct epoll_event event = {0};
  int poll_set = uv_backend_fd(loop->uv);
  if (uv_hrtime() == 0) {
    loop->why = "the clock cannot be read";
    return WT_ERR_IO;
  }
  /* Waiting takes nothing out of the set: events are told until they are dealt with. A set cannot be in itself. */
  bool added = epoll_ctl(poll_set, EPOLL_CTL_ADD, poll_set, &event) == 0 || errno == EINVAL;
  if (added && (epoll_pwait(poll_set, &event, 1, 0, NULL) >= 0 || errno == EINTR)) return 0;
  loop->why = uv_strerror(uv_translate_sys_error(errno));
  return WT_ERR_IO;
}

int wt__loop_init(struct wt__loop *loop, uv_loop_t *uv, const struct wt__loop_callbacks *callbacks, void *ctx) {
  memset(loop, 0, sizeof(*loop));
  wt__forks_watch();
  loop->forks = wt__forks();
  loop->callbacks = callbacks;
  loop->ctx = ctx;
  loop->timer_fd = -1;
  loop->is_own = !uv;
  loop->uv = uv ? uv : &loop->own;
  int status = loop->is_own ? uv_loop_init(&loop->own) : 0;
  if (status) {
    loop->why = uv_strerror(status);
    return WT_ERR_IO;
  }
  if (loop_probe(loop) || loop_opened(loop, uv_async_init(loop->uv, &loop->wake, wake_on_async))) {
    if (loop->is_own) uv_loop_close(&loop->own);
    return WT_ERR_IO;
  }
  loop->wake.data = loop;
  uv_unref((uv_handle_t *)&loop->wake);
  if (!loop->is_own) sharers_add(loop);
  return 0;
}

static void timer_start(struct wt__loop *loop) {
  loop->timer_at = UINT64_MAX;
  loop->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (loop->timer_fd < 0) return;
  if (uv_poll_init(loop->uv, &loop->timer, loop->timer_fd)) {
    close(loop->timer_fd);
    loop->timer_fd = -1;
    return;
  }
  loop->timer.data = loop;
  wt__loop_opened(loop, (uv_handle_t *)&loop->timer);
  if (uv_poll_start(&loop->timer, UV_READABLE, timer_on_poll)) timer_give_up(loop);
}

bool wt__loop_is_copy(const struct wt__loop *loop) { return loop->forks != wt__forks(); }

int wt__loop_adopt(struct wt__loop *loop, bool running) {
  if (!wt__loop_is_copy(loop)) return 0;
  loop->forks = wt__forks();
  int status = loop->is_own && !running ? uv_loop_fork(loop->uv) : 0;
  if (status) loop->why = uv_strerror(status);
  return status ? WT_ERR_IO : 0;
}

void wt__loop_set_lazy(struct wt__loop *loop) { loop->lazy = true; }

void wt__loop_hold(struct wt__loop *loop, bool on) {
  if (loop->held == on || !loop->running) return;
  loop->held = on;
  if (on) {
    uv_ref((uv_handle_t *)&loop->prepare);
  } else {
    uv_unref((uv_handle_t *)&loop->prepare);
  }
}

int wt__loop_start(struct wt__loop *loop) {
  /* These cannot fail in any version of libuv. */
  uv_prepare_init(loop->uv, &loop->prepare);
  uv_idle_init(loop->uv, &loop->idle);
  uv_timer_init(loop->uv, &loop->coarse);
  loop->prepare.data = loop->idle.data = loop->coarse.data = loop;
  loop->running = true;
  wt__loop_opened(loop, (uv_handle_t *)&loop->prepare);
  wt__loop_opened(loop, (uv_handle_t *)&loop->idle);
  wt__loop_opened(loop, (uv_handle_t *)&loop->coarse);
  uv_prepare_start(&loop->prepare, prepare_on_turn);
  timer_start(loop);
  return 0;
}

void wt__loop_stop(struct wt__loop *loop) {
  if (!loop->running) return;
  loop->running = false;
  began_set(loop, 0);
  uv_close((uv_handle_t *)&loop->prepare, handle_on_close);
  uv_close((uv_handle_t *)&loop->idle, handle_on_close);
  uv_close((uv_handle_t *)&loop->coarse, handle_on_close);
  timer_give_up(loop);
}

void wt__loop_free(struct wt__loop *loop) {
  if (!loop->is_own) sharers_remove(loop);
  uv_close((uv_handle_t *)&loop->wake, handle_on_close);
  while (loop->handles_open > 0) uv_run(loop->uv, UV_RUN_NOWAIT);
  if (loop->is_own) uv_loop_close(&loop->own);
}

void wt__loop_wake(struct wt__loop *loop) { uv_async_send(&loop->wake); }

bool wt__loop_turn(struct wt__loop *loop) { return uv_run(loop->uv, UV_RUN_ONCE) != 0; }

/* --- From outside --- */

/* libuv does nothing for a loop that is not kept running, such as that of a client with nothing to do. */
void wt__loop_step(struct wt__loop *loop) {
  loop->now = 0; /* calls of the application may have asked for the time long ago */
  began_set(loop, 0);
  loop->in_step = true;
  uv_ref((uv_handle_t *)&loop->wake);
  uv_run(loop->uv, UV_RUN_NOWAIT);
  uv_unref((uv_handle_t *)&loop->wake);
  loop->in_step = false;
  if (loop->running) loop_pass(loop);
}

/* In milliseconds, rounded up: a step that comes too early would do nothing. */
static int timeout_until(uint64_t at) {
  uint64_t now = uv_hrtime();
  if (at == UINT64_MAX) return -1;
  if (at <= now) return 0;
  uint64_t ms = (at - now - 1) / WT__NS_PER_MS + 1;
  return ms < INT_MAX ? (int)ms : INT_MAX;
}

int wt__loop_timeout_ms(struct wt__loop *loop, uint64_t due) {
  uv_update_time(loop->uv);
  uv_ref((uv_handle_t *)&loop->wake);
  int own = uv_backend_timeout(loop->uv);
  uv_unref((uv_handle_t *)&loop->wake);
  int ms = timeout_until(due);
  return ms < 0 || (own >= 0 && own < ms) ? own : ms;
}

int wt__loop_fd(const struct wt__loop *loop) { return uv_backend_fd(loop->uv); }
