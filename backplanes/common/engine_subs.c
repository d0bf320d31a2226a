/* SPDX-License-Identifier: MIT */

/*
 * The topics that this server asks the broker for, and what arrives: see engine.h.
 *
 * Other threads say what they want; the loop's thread tells the broker, and it alone frees a record. So it may use the name
 * in a record without the lock.
 */

#include "engine_internal.h"

#include <string.h>

#include "base/mem.h"

struct sub {
  struct wt__name name; /* first: names.h */
  struct wt__link all, changed;
  bool wanted;              /* by the server */
  bool asked;               /* the broker was told; the loop's thread */
  uint64_t since;           /* the progress of the broker at which it is in force; the loop's thread */
  struct wt__tracks tracks; /* where its publishers are */
  char bytes[];
};

static struct sub *sub_new(struct wt__engine *engine, const char *topic, size_t len) {
  struct sub *sub = wt__calloc(1, sizeof(*sub) + len);
  if (!sub) return NULL;
  memcpy(sub->bytes, topic, len);
  sub->name = (struct wt__name){.bytes = sub->bytes, .len = len};
  wt__link_init(&sub->changed);
  if (!wt__names_add(&engine->subs, &sub->name)) {
    wt__free(sub);
    return NULL;
  }
  wt__list_push_back(&engine->all_subs, &sub->all);
  return sub;
}

static void sub_free(struct wt__engine *engine, struct sub *sub) {
  wt__names_remove(&engine->subs, &sub->name);
  wt__list_remove(&sub->all);
  wt__list_remove(&sub->changed);
  wt__tracks_free(&sub->tracks);
  wt__free(sub);
}

static void sub_change(struct wt__engine *engine, struct sub *sub) {
  if (!wt__link_linked(&sub->changed)) wt__list_push_back(&engine->changed_subs, &sub->changed);
}

/* With the lock held. */
static int sub_want(struct wt__engine *engine, const char *topic, size_t len) {
  if (len == 0 || len > WT__TOPIC_MAX) return WT_ERR_TOO_LARGE;
  struct sub *sub = wt__names_find(&engine->subs, topic, len);
  if (sub && sub->wanted) return 0;
  if (engine->sub_count >= engine->config.max_topics) return WT_ERR_AGAIN;
  if (!sub) sub = sub_new(engine, topic, len);
  if (!sub) return WT_ERR_NOMEM;
  sub->wanted = true;
  engine->sub_count++;
  sub_change(engine, sub);
  wt__engine_wake(engine);
  return 0;
}

int wt__engine_subscribe(struct wt_backplane *self, const char *topic, size_t topic_len) {
  struct wt__engine *engine = (struct wt__engine *)self;
  uv_mutex_lock(&engine->lock);
  int error = engine->running ? sub_want(engine, topic, topic_len) : WT_ERR_STATE;
  uv_mutex_unlock(&engine->lock);
  return error;
}

void wt__engine_unsubscribe(struct wt_backplane *self, const char *topic, size_t topic_len) {
  struct wt__engine *engine = (struct wt__engine *)self;
  uv_mutex_lock(&engine->lock);
  struct sub *sub = engine->running ? wt__names_find(&engine->subs, topic, topic_len) : NULL;
  if (sub && sub->wanted) {
    sub->wanted = false;
    engine->sub_count--;
    wt__tracks_free(&sub->tracks); /* what comes from now on is not missed */
    sub_change(engine, sub);
    wt__engine_wake(engine);
  }
  uv_mutex_unlock(&engine->lock);
}

/* Handles one topic that has changed; false: there is none. */
static bool changed_run(struct wt__engine *engine) {
  uv_mutex_lock(&engine->lock);
  struct wt__link *first = wt__list_first(&engine->changed_subs);
  struct sub *sub = first ? WT__CONTAINER_OF(first, struct sub, changed) : NULL;
  bool ask = false, end = false;
  if (sub) {
    wt__list_remove(first);
    ask = sub->wanted && !sub->asked;
    end = !sub->wanted && sub->asked;
    sub->asked = sub->wanted;
  }
  uv_mutex_unlock(&engine->lock);
  if (ask) sub->since = engine->broker->subscribe(engine, sub->bytes, sub->name.len);
  if (end) engine->broker->unsubscribe(engine, sub->bytes, sub->name.len);
  uv_mutex_lock(&engine->lock);
  if (sub && !sub->wanted && !sub->asked) sub_free(engine, sub);
  uv_mutex_unlock(&engine->lock);
  return sub != NULL;
}

void wt__engine_subs_run(struct wt__engine *engine) {
  while ((engine->state == WT__ENGINE_SYNCING || engine->state == WT__ENGINE_UP) && changed_run(engine)) {
  }
}

void wt__engine_subs_renew(struct wt__engine *engine) {
  engine->progress = 0;
  uv_mutex_lock(&engine->lock);
  WT__LIST_FOREACH(it, next, &engine->all_subs) {
    struct sub *sub = WT__CONTAINER_OF(it, struct sub, all);
    sub->asked = false;
    sub_change(engine, sub);
  }
  uv_mutex_unlock(&engine->lock);
}

void wt__engine_subs_free(struct wt__engine *engine) {
  WT__LIST_FOREACH(it, next, &engine->all_subs) { sub_free(engine, WT__CONTAINER_OF(it, struct sub, all)); }
}

/* Whether a message of another server is to be delivered; counts it, with the lock held. */
static bool message_judge(struct wt__engine *engine, struct sub *sub, const struct wt__envelope *envelope,
                          uint64_t *missed) {
  if (wt__tracks_take(&sub->tracks, envelope, missed) == WT__TRACK_REPEATED) {
    engine->stats.repeated++;
    return false;
  }
  engine->stats.received++;
  engine->stats.missed += *missed;
  return true;
}

void wt__engine_received(struct wt__engine *engine, const char *topic, size_t topic_len, const void *bytes,
                         size_t len) {
  struct wt__envelope envelope;
  uint64_t missed = 0;
  bool is_valid = wt__envelope_read(&envelope, bytes, len), deliver = false;
  if (is_valid && memcmp(envelope.publisher, engine->publisher, sizeof(envelope.publisher)) == 0) return;
  uv_mutex_lock(&engine->lock);
  if (!is_valid) engine->stats.invalid++;
  struct sub *sub = is_valid && engine->running ? wt__names_find(&engine->subs, topic, topic_len) : NULL;
  /* What comes from a subscription that has ended is not judged: what follows it is not missed. */
  if (sub && sub->wanted && sub->asked && engine->progress >= sub->since)
    deliver = message_judge(engine, sub, &envelope, &missed);
  uv_mutex_unlock(&engine->lock);
  if (missed > 0) wt__engine_tell_gap(engine, topic, topic_len, missed);
  if (deliver && !engine->stopping) {
    engine->host->deliver(engine->host->user_data, topic, topic_len, envelope.data, envelope.len);
  }
}
