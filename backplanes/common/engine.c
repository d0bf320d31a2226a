/* SPDX-License-Identifier: MIT */

/*
 * The states of a backplane: see engine.h.
 */

#include "engine_internal.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/sized.h"

/* Topics whose last number is remembered. */
#define NUMBERS_MAX 65536

static void state_set(struct wt__engine *engine, enum wt__engine_state state) {
  engine->state = state;
  uv_mutex_lock(&engine->lock);
  engine->stats.up = state == WT__ENGINE_UP;
  uv_mutex_unlock(&engine->lock);
}

void wt__engine_wake(struct wt__engine *engine) {
  if (engine->woken) return;
  engine->woken = true;
  uv_async_send(&engine->wake);
}

void wt__engine_poke(struct wt__engine *engine) {
  uv_mutex_lock(&engine->lock);
  wt__engine_wake(engine);
  uv_mutex_unlock(&engine->lock);
}

static void on_wake(uv_async_t *wake) {
  struct wt__engine *engine = wake->data;
  uv_mutex_lock(&engine->lock);
  engine->woken = false;
  uv_mutex_unlock(&engine->lock);
  wt__engine_subs_run(engine);
  wt__engine_pump(engine);
  if (engine->broker->woken) engine->broker->woken(engine);
  wt__engine_tell_drops(engine);
}

/* --- The end. --- */

static void on_handle_closed(uv_handle_t *handle) {
  struct wt__engine *engine = handle->data;
  if (--engine->handles == 0) engine->host->stopped(engine->host->user_data);
}

static void engine_finish(struct wt__engine *engine) {
  state_set(engine, WT__ENGINE_STOPPED);
  wt__engine_clear(engine);
  if (engine->broker->ended) engine->broker->ended(engine);
  uv_close((uv_handle_t *)&engine->wake, on_handle_closed);
  uv_close((uv_handle_t *)&engine->timer, on_handle_closed);
  uv_close((uv_handle_t *)&engine->drop_timer, on_handle_closed);
  uv_close((uv_handle_t *)&engine->hold_timer, on_handle_closed);
}

static void engine_close(struct wt__engine *engine) {
  state_set(engine, WT__ENGINE_CLOSING);
  uv_timer_stop(&engine->timer);
  uv_timer_stop(&engine->hold_timer);
  engine->is_holding = false;
  wt__engine_rewind(engine);
  engine->broker->close(engine);
}

static void engine_stop(struct wt_backplane *self) {
  struct wt__engine *engine = (struct wt__engine *)self;
  uv_mutex_lock(&engine->lock);
  engine->running = false;
  uv_mutex_unlock(&engine->lock);
  engine->stopping = true;
  if (wt__engine_is_open(engine)) {
    engine_close(engine);
  } else if (engine->state == WT__ENGINE_WAITING) {
    engine_finish(engine);
  }
}

/* --- Connecting. --- */

static void on_timer(uv_timer_t *timer);

/* Waits for answers, in two steps. After a standstill of this process one step is over at once, before the answer that lies
 * ready has been read; the second step is not. */
static void answer_expect(struct wt__engine *engine) {
  uint64_t half = engine->config.timeout_ms / 2;
  engine->steps = 0;
  uv_timer_start(&engine->timer, on_timer, half, half);
}

/* After one step without an answer. */
static void answer_missing(struct wt__engine *engine) {
  char reason[64];
  if (++engine->steps < 2) return;
  snprintf(reason, sizeof(reason), "no answer within %llu ms", (unsigned long long)engine->config.timeout_ms);
  wt__engine_lost(engine, reason);
}

static void engine_open(struct wt__engine *engine) {
  const struct wt__broker_url *url = &engine->urls[engine->url_next];
  engine->url_next = (engine->url_next + 1) % engine->url_count;
  state_set(engine, WT__ENGINE_OPENING);
  answer_expect(engine);
  engine->broker->open(engine, url);
}

void wt__engine_opened(struct wt__engine *engine) {
  if (engine->state != WT__ENGINE_OPENING) return;
  state_set(engine, WT__ENGINE_SYNCING);
  answer_expect(engine);
  wt__engine_subs_renew(engine);
  wt__engine_subs_run(engine);
  if (engine->state == WT__ENGINE_SYNCING) engine->broker->sync(engine);
}

static void on_hold_timer(uv_timer_t *timer) {
  struct wt__engine *engine = timer->data;
  engine->is_holding = false;
  wt__engine_pump(engine);
}

/* Keeps messages back until the other servers, which lost the broker too, have had the time to come back. */
static void hold_begin(struct wt__engine *engine) {
  engine->is_holding = engine->config.resend_delay_ms > 0;
  if (engine->is_holding) uv_timer_start(&engine->hold_timer, on_hold_timer, engine->config.resend_delay_ms, 0);
}

void wt__engine_synced(struct wt__engine *engine) {
  if (engine->state != WT__ENGINE_SYNCING) return;
  state_set(engine, WT__ENGINE_UP);
  answer_expect(engine);
  wt__backoff_reset(&engine->backoff);
  engine->url_next = (engine->url_next + engine->url_count - 1) % engine->url_count; /* this one works: it again */
  uv_mutex_lock(&engine->lock);
  engine->stats.connects++;
  bool gap = engine->told_down && engine->sub_count > 0;
  uv_mutex_unlock(&engine->lock);
  if (engine->told_down) hold_begin(engine);
  engine->told_down = false;
  wt__engine_log(engine, WT_LOG_INFO, "backplane: the broker is connected");
  wt__engine_tell(engine, WT_BACKPLANE_UP, 0, "the broker is connected");
  if (gap) wt__engine_tell_gap(engine, NULL, 0, 0);
  wt__engine_pump(engine);
}

void wt__engine_lost(struct wt__engine *engine, const char *reason) {
  char copy[256];
  if (!wt__engine_is_open(engine)) return;
  snprintf(copy, sizeof(copy), "%s", reason);
  engine_close(engine);
  wt__engine_log(engine, engine->told_down ? WT_LOG_DEBUG : WT_LOG_WARN, "backplane: the broker is not connected: %s",
                 copy);
  if (engine->told_down) return;
  engine->told_down = true;
  wt__engine_tell(engine, WT_BACKPLANE_DOWN, 0, copy);
}

void wt__engine_closed(struct wt__engine *engine) {
  uint32_t chance = 0;
  if (engine->state != WT__ENGINE_CLOSING) return;
  if (engine->stopping) {
    engine_finish(engine);
    return;
  }
  state_set(engine, WT__ENGINE_WAITING);
  uv_random(NULL, NULL, &chance, sizeof(chance), 0, NULL); /* without it, the wait is the longest one */
  uv_timer_start(&engine->timer, on_timer, wt__backoff_next(&engine->backoff, chance), 0);
}

static void on_timer(uv_timer_t *timer) {
  struct wt__engine *engine = timer->data;
  switch (engine->state) {
    case WT__ENGINE_WAITING: engine_open(engine); break;
    case WT__ENGINE_OPENING:
    case WT__ENGINE_SYNCING: answer_missing(engine); break;
    case WT__ENGINE_UP:
      if (engine->broker->ping(engine)) {
        engine->steps = 0;
      } else {
        answer_missing(engine);
      }
      break;
    default: break;
  }
}

static int engine_start(struct wt_backplane *self, const struct wt_backplane_host *host) {
  struct wt__engine *engine = (struct wt__engine *)self;
  if (engine->state != WT__ENGINE_NEW) return WT_ERR_STATE;
  if (uv_random(NULL, NULL, engine->publisher, sizeof(engine->publisher), 0, NULL) != 0) return WT_ERR_IO;
  if (uv_async_init(host->loop, &engine->wake, on_wake) != 0) return WT_ERR_IO;
  uv_timer_init(host->loop, &engine->timer);
  uv_timer_init(host->loop, &engine->drop_timer);
  uv_timer_init(host->loop, &engine->hold_timer);
  engine->wake.data = engine->timer.data = engine->drop_timer.data = engine->hold_timer.data = engine;
  engine->handles = 4;
  engine->host = host;
  uv_mutex_lock(&engine->lock);
  engine->running = true;
  uv_mutex_unlock(&engine->lock);
  state_set(engine, WT__ENGINE_WAITING);
  uv_timer_start(&engine->timer, on_timer, 0, 0);
  return 0;
}

/* --- The record. --- */

static int engine_get_stats(struct wt_backplane *self, struct wt_backplane_stats *stats) {
  struct wt__engine *engine = (struct wt__engine *)self;
  uv_mutex_lock(&engine->lock);
  engine->stats.subscriptions = engine->sub_count;
  int error = wt__sized_give(stats, &engine->stats, sizeof(engine->stats), sizeof(engine->stats));
  uv_mutex_unlock(&engine->lock);
  return error;
}

static void engine_destroy(struct wt_backplane *self) {
  struct wt__engine *engine = (struct wt__engine *)self;
  engine->broker->free(engine);
}

static void urls_free(struct wt__engine *engine) {
  if (engine->urls) wt__wipe(engine->urls, engine->url_count * sizeof(*engine->urls)); /* passwords */
  wt__free(engine->urls);
}

/* Reads a list of URLs. */
static int urls_read(struct wt__engine *engine, const struct wt__broker_schemes *schemes, const char *urls,
                     const char **why) {
  size_t count = 1;
  for (const char *at = urls; *at; at++) count += *at == ',';
  engine->urls = wt__calloc(count, sizeof(*engine->urls));
  if (!engine->urls) return WT_ERR_NOMEM;
  for (const char *at = urls; engine->url_count < count;) {
    size_t len = strcspn(at, ",");
    int error = wt__broker_url_read(&engine->urls[engine->url_count++], schemes, at, len, why);
    if (error) return error;
    at += len + 1;
  }
  return 0;
}

int wt__engine_init(struct wt__engine *engine, const struct wt__broker *broker, const struct wt_broker_config *config,
                    const char **why) {
  *engine = (struct wt__engine){.broker = broker, .config = *config, .prefix_len = strlen(config->prefix)};
  memcpy(engine->prefix, config->prefix, engine->prefix_len);
  engine->config.url = engine->config.username = engine->config.password = engine->config.prefix = NULL;
  engine->config.credentials_file = engine->config.ca_file = NULL;
  engine->config.certificate_file = engine->config.key_file = NULL;
  *why = "out of memory";
  int error = urls_read(engine, &broker->schemes, config->url, why);
  if (!error && uv_mutex_init(&engine->lock) != 0) error = WT_ERR_NOMEM;
  if (error) {
    urls_free(engine);
    return error;
  }
  engine->base = (struct wt_backplane){.size = sizeof(engine->base),
                                       .start = engine_start,
                                       .stop = engine_stop,
                                       .free = engine_destroy,
                                       .publish = wt__engine_publish,
                                       .subscribe = wt__engine_subscribe,
                                       .unsubscribe = wt__engine_unsubscribe,
                                       .get_stats = engine_get_stats};
  engine->backoff = (struct wt__backoff){.min_ms = config->reconnect_min_ms, .max_ms = config->reconnect_max_ms};
  wt__list_init(&engine->queue);
  wt__list_init(&engine->incoming);
  wt__list_init(&engine->all_subs);
  wt__list_init(&engine->changed_subs);
  wt__numbers_init(&engine->numbers, NUMBERS_MAX);
  engine->unsent = &engine->queue.head;
  return 0;
}

void wt__engine_free(struct wt__engine *engine) {
  wt__engine_clear(engine);
  wt__engine_subs_free(engine);
  wt__numbers_free(&engine->numbers);
  uv_mutex_destroy(&engine->lock);
  urls_free(engine);
}
