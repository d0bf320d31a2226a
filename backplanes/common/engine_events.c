/* SPDX-License-Identifier: MIT */

/*
 * What the application and the log are told: see engine.h.
 */

#include "engine_internal.h"

#include <stdarg.h>
#include <stdio.h>

#define DROPS_EVERY_MS 1000

void wt__engine_log(struct wt__engine *engine, enum wt_log_level level, const char *format, ...) {
  char line[512];
  va_list arguments;
  if (!engine->host || !engine->host->log) return;
  va_start(arguments, format);
  vsnprintf(line, sizeof(line), format, arguments);
  va_end(arguments);
  engine->host->log(engine->host->user_data, level, line);
}

static void event_tell(struct wt__engine *engine, struct wt_backplane_event *event) {
  event->size = sizeof(*event);
  if (engine->config.on_event) engine->config.on_event(event, engine->config.user_data);
}

void wt__engine_tell(struct wt__engine *engine, enum wt_backplane_event_type type, uint64_t count, const char *reason) {
  struct wt_backplane_event event = {.type = type, .count = count, .reason = reason};
  event_tell(engine, &event);
}

void wt__engine_tell_gap(struct wt__engine *engine, const char *topic, size_t topic_len, uint64_t count) {
  struct wt_backplane_event event = {.type = WT_BACKPLANE_GAP,
                                     .topic = topic,
                                     .topic_len = topic_len,
                                     .count = count,
                                     .reason = "messages of another server did not arrive"};
  event_tell(engine, &event);
}

static void on_drop_timer(uv_timer_t *timer) { wt__engine_tell_drops(timer->data); }

void wt__engine_tell_drops(struct wt__engine *engine) {
  if (engine->stopping || uv_is_active((uv_handle_t *)&engine->drop_timer)) return;
  uv_mutex_lock(&engine->lock);
  uint64_t count = engine->dropped_untold;
  engine->dropped_untold = 0;
  uv_mutex_unlock(&engine->lock);
  if (count == 0) return;
  uv_timer_start(&engine->drop_timer, on_drop_timer, DROPS_EVERY_MS, 0);
  wt__engine_log(engine, WT_LOG_WARN, "backplane: %llu messages to other servers were dropped",
                 (unsigned long long)count);
  wt__engine_tell(engine, WT_BACKPLANE_DROPPED, count, "the queue for the broker is full, or the broker refused them");
}
