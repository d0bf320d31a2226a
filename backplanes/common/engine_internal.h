/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_ENGINE_INTERNAL_H
#define WT_BACKPLANES_ENGINE_INTERNAL_H

/* What the files of the engine call of each other: engine.c (states), engine_queue.c (messages of this server),
 * engine_subs.c (topics and messages of others), engine_events.c (what the application is told). */

#include "engine.h"

/* Wakes the loop's thread; with `lock` held, while `running`. */
void wt__engine_wake(struct wt__engine *engine);

/* --- engine_queue.c --- */
int wt__engine_publish(struct wt_backplane *self, const char *topic, size_t topic_len, const uint8_t *data, size_t len);
/* Takes over what other threads have published; then sends what the window lets through. */
void wt__engine_pump(struct wt__engine *engine);
/* All that was not confirmed has to be sent again. */
void wt__engine_rewind(struct wt__engine *engine);
/* Frees what waits. */
void wt__engine_clear(struct wt__engine *engine);

/* --- engine_subs.c --- */
int wt__engine_subscribe(struct wt_backplane *self, const char *topic, size_t topic_len);
void wt__engine_unsubscribe(struct wt_backplane *self, const char *topic, size_t topic_len);
/* Tells the broker about the topics that have changed. */
void wt__engine_subs_run(struct wt__engine *engine);
/* A new connection knows of no topic: all have changed. */
void wt__engine_subs_renew(struct wt__engine *engine);
void wt__engine_subs_free(struct wt__engine *engine);

/* --- engine_events.c --- */
void wt__engine_tell(struct wt__engine *engine, enum wt_backplane_event_type type, uint64_t count, const char *reason);
void wt__engine_tell_gap(struct wt__engine *engine, const char *topic, size_t topic_len, uint64_t count);
/* Tells what was dropped, unless it did within a second; then later. */
void wt__engine_tell_drops(struct wt__engine *engine);

#endif
