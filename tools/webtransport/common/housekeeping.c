/* SPDX-License-Identifier: MIT */
/*
 * A thread for what happens beside the server: files that change, and the beats for a service manager's watchdog. A beat
 * is sent by the loop of worker 0, if no other worker has been in one turn for half the watchdog's time. So a loop that hangs
 * is noticed, whichever it is.
 */
#include "common/housekeeping.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <uv.h>

#include "common/clock.h"
#include "common/file_watch.h"
#include "common/tool_log.h"

struct housekeeping {
  struct housekeeping_config config;
  uv_loop_t loop;
  uv_thread_t thread;
  uv_async_t stop;
  uv_timer_t beat;
  struct file_watch *watch;
  atomic_bool waiting; /* a beat that the server's loop has not sent yet */
  bool asked_twice;    /* of the server's loop, as the next two */
  bool told;           /* that a worker hangs */
  bool stopped;        /* all that is left is a beat that waits */
};

static bool worker_hangs(const wt_server *server, const struct service *service) {
  struct wt_server_stats stats = {.size = sizeof stats};
  return wt_server_get_stats(server, &stats) == 0 && stats.current_turn_us > service->watchdog_us / 2;
}

static void hang_tell(struct housekeeping *housekeeping, bool hangs) {
  if (hangs != housekeeping->told)
    log_line(hangs ? WT_LOG_ERROR : WT_LOG_INFO,
             hangs ? "the loop of a worker hangs: the service manager's watchdog hears nothing until it goes on"
                   : "the loop that hung goes on");
  housekeeping->told = hangs;
}

/* On the server's loop. A long turn may also be this one, which is about to end: the next one tells. */
static void beat_send(wt_server *server, void *user_data) {
  struct housekeeping *housekeeping = user_data;
  if (housekeeping->stopped) {
    free(housekeeping);
    return;
  }
  bool hangs = worker_hangs(server, housekeeping->config.service);
  if (hangs && !housekeeping->asked_twice && wt_server_post(server, beat_send, housekeeping) == 0) {
    housekeeping->asked_twice = true;
    return;
  }
  housekeeping->asked_twice = false;
  hang_tell(housekeeping, hangs);
  if (!hangs) service_notify(housekeeping->config.service, "WATCHDOG=1");
  atomic_store(&housekeeping->waiting, false);
}

static void on_beat(uv_timer_t *timer) {
  struct housekeeping *housekeeping = timer->data;
  if (atomic_exchange(&housekeeping->waiting, true)) return;
  if (wt_server_post(housekeeping->config.server, beat_send, housekeeping)) atomic_store(&housekeeping->waiting, false);
}

static void on_files(void *user_data) {
  struct housekeeping *housekeeping = user_data;
  const struct housekeeping_config *config = &housekeeping->config;
  if (wt_server_post(config->server, config->files_changed, config->user_data))
    log_line(WT_LOG_ERROR, "files have changed, but are not read again: out of memory");
}

static void on_stop(uv_async_t *async) {
  struct housekeeping *housekeeping = async->data;
  file_watch_close(housekeeping->watch);
  uv_close((uv_handle_t *)&housekeeping->beat, NULL);
  uv_close((uv_handle_t *)&housekeeping->stop, NULL);
}

static void run(void *argument) { uv_run(&((struct housekeeping *)argument)->loop, UV_RUN_DEFAULT); }

static bool begin(struct housekeeping *housekeeping) {
  const struct housekeeping_config *config = &housekeeping->config;
  uint64_t half_ms = config->service->watchdog_us / 2 / (NS_PER_MS / NS_PER_US);
  housekeeping->watch = file_watch_new(&housekeeping->loop, config->files, config->file_count, on_files, housekeeping);
  if (!housekeeping->watch) return false;
  uv_timer_init(&housekeeping->loop, &housekeeping->beat); /* cannot fail */
  housekeeping->stop.data = housekeeping->beat.data = housekeeping;
  if (half_ms) uv_timer_start(&housekeeping->beat, on_beat, 0, half_ms);
  if (!uv_thread_create(&housekeeping->thread, run, housekeeping)) return true;
  on_stop(&housekeeping->stop);
  run(housekeeping);
  return false;
}

struct housekeeping *housekeeping_start(const struct housekeeping_config *config, char *message, size_t size) {
  struct housekeeping *housekeeping = calloc(1, sizeof *housekeeping);
  snprintf(message, size, "the system gives no further loop or thread");
  if (!housekeeping) return NULL;
  housekeeping->config = *config;
  if (uv_loop_init(&housekeeping->loop)) {
    free(housekeeping);
    return NULL;
  }
  int error = uv_async_init(&housekeeping->loop, &housekeeping->stop, on_stop);
  if (!error && begin(housekeeping)) return housekeeping;
  uv_loop_close(&housekeeping->loop);
  free(housekeeping);
  return NULL;
}

void housekeeping_stop(struct housekeeping *housekeeping) {
  if (!housekeeping) return;
  uv_async_send(&housekeeping->stop);
  uv_thread_join(&housekeeping->thread);
  uv_loop_close(&housekeeping->loop);
  housekeeping->stopped = true;
  if (!atomic_load(&housekeeping->waiting)) free(housekeeping); /* else `beat_send`, in `wt_server_free` at the latest */
}
