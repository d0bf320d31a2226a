/* SPDX-License-Identifier: MIT */
/*
 * Datagrams (draft section 4.5, RFC 9297): those that wait to be sent, and those that came before their session.
 *
 * Each session has a queue, and sessions take turns by urgency. One bound holds for all queues of a connection
 * together. When it is reached, the session with most datagrams loses its oldest one. The oldest, because the newest
 * datagram is usually worth most. That session, because one session that sends too much must not cost the others their
 * datagrams.
 *
 * A session can give its datagrams a maximum age (W3C WebTransport, `outgoingMaxAge`). No timer watches them: those that
 * are too old are dropped when their queue is next looked at, before each packet. The application's calls do not know
 * the time, so the age of a datagram begins in the next run of the connection. Until then it is fresh; the fresh ones are
 * the last of their queue, so a count for each session says which they are.
 *
 * Datagrams that come before their session wait in a list of the connection. When the list is full, new ones are
 * dropped.
 */

#include "core/datagram.h"
#include "core/qlog_events.h"

#include <string.h>

#include "base/clock.h"
#include "base/pool.h"
#include "base/usdt.h"
#include "core/session.h"
#include "core/subscription.h"
#include "wire/datagram.h"
#include "wire/error_code.h"

struct datagram {
  struct wt__link link;
  wt_session *session; /* whose queue it is in; NULL for an early one */
  int64_t session_id;
  union {
    uint64_t queued_at; /* to be sent, unless it is fresh: when its age began */
    uint64_t deadline;  /* early: when it is dropped */
  };
  struct wt__part *part;          /* to be sent: the payload is that of a message; NULL: it is in `bytes` */
  struct wt__subscription *owner; /* if `owned` is linked: the subscription that the message came from */
  struct wt__link owned;          /* in its datagrams */
  bool fresh;                     /* its age has not begun */
  size_t len;                     /* of `bytes` */
  uint8_t bytes[];                /* to be sent: header and payload, or header; early: payload */
};

#define DATAGRAM_OF(l) WT__CONTAINER_OF(l, struct datagram, link)

static struct datagram *datagram_new(const struct wt__mux *mux, int64_t session_id, size_t len) {
  struct datagram *d = wt__pool_take(mux->config->pool, sizeof(*d) + len);
  if (!d) return NULL;
  memset(d, 0, sizeof(*d));
  d->session_id = session_id;
  d->len = len;
  wt__link_init(&d->link);
  wt__link_init(&d->owned);
  wt__gauge_add(mux->gauge, sizeof(*d) + len);
  return d;
}

static void datagram_free(const struct wt__mux *mux, struct datagram *d) {
  if (d->part) wt__part_unref(d->part);
  wt__gauge_remove(mux->gauge, sizeof(*d) + d->len);
  wt__pool_give(mux->config->pool, d, sizeof(*d) + d->len);
}

/* --- Sending --- */

static void datagram_disown(struct datagram *d) {
  if (!wt__link_linked(&d->owned)) return;
  wt__list_remove(&d->owned);
  d->owner->datagrams_len--;
  d->owner->datagram_bytes -= wt__part_len(d->part);
}

static void datagram_remove_out(struct datagram *d) {
  wt_session *session = d->session;
  struct wt__mux *mux = session->mux;
  datagram_disown(d);
  wt__list_remove(&d->link);
  mux->datagrams_out_len--;
  if (d->fresh) session->fresh_datagrams_len--;
  if (--session->datagrams_len == 0) {
    wt__list_remove(&session->datagram_turn);
    mux->datagram_sessions_len--;
  }
  datagram_free(mux, d);
}

static void datagram_add_out(wt_session *session, struct datagram *d) {
  struct wt__mux *mux = session->mux;
  d->session = session;
  d->fresh = true;
  wt__list_push_back(&session->datagrams, &d->link);
  session->fresh_datagrams_len++;
  if (!wt__link_linked(&session->fresh)) wt__list_push_back(&mux->fresh_sessions, &session->fresh);
  mux->datagrams_out_len++;
  if (session->datagrams_len++ == 0) {
    wt__ring_add(&mux->datagram_sessions, &session->datagram_turn, session->sched.urgency);
    mux->datagram_sessions_len++;
  }
}

static uint64_t datagram_age(const struct wt__mux *mux, const struct datagram *d) {
  return d->fresh || mux->now < d->queued_at ? 0 : mux->now - d->queued_at;
}

static bool datagram_is_too_old(const struct wt__mux *mux, const struct datagram *d) {
  return d->session->datagram_max_age && datagram_age(mux, d) > d->session->datagram_max_age;
}

/* What is counted for the session and the worker, and for the subscription that it came from. */

static void count_dropped(const struct datagram *d) {
  wt_session *session = d->session;
  struct wt__datagram_counts *counts = session->mux->config->datagrams;
  if (wt__link_linked(&d->owned)) WT__SUBSCRIPTION_COUNT(d->owner, dropped);
  session->stats.datagrams_dropped_outgoing++;
  if (counts) counts->dropped++;
}

static void count_expired(const struct datagram *d) {
  wt_session *session = d->session;
  struct wt__datagram_counts *counts = session->mux->config->datagrams;
  if (wt__link_linked(&d->owned)) WT__SUBSCRIPTION_COUNT(d->owner, dropped);
  session->stats.datagrams_expired_outgoing++;
  if (counts) counts->expired++;
}

/* `delay`: how long it has waited. The weight of the newest is that of a round trip (RFC 9002, section 5.3). */
static void count_sent(const struct datagram *d, uint64_t delay) {
  wt_session *session = d->session;
  struct wt__datagram_counts *counts = session->mux->config->datagrams;
  if (wt__link_linked(&d->owned)) WT__SUBSCRIPTION_COUNT(d->owner, delivered);
  if (session->stats.datagrams_sent++ == 0) session->datagram_delay = delay;
  session->datagram_delay = session->datagram_delay - session->datagram_delay / 8 + delay / 8;
  if (delay > session->datagram_delay_max) session->datagram_delay_max = delay;
  if (!counts) return;
  counts->sent++;
  if (delay > counts->longest_delay) counts->longest_delay = delay;
}

static void datagram_drop(struct datagram *d) {
  wt__qlog_datagram_dropped(d->session->mux, d->session_id, false, "queue_full");
  count_dropped(d);
  datagram_remove_out(d);
}

/* Drops the datagrams of `session` that are too old. */
static void datagrams_drop_old(wt_session *session) {
  struct wt__link *first;
  while ((first = wt__list_first(&session->datagrams)) && datagram_is_too_old(session->mux, DATAGRAM_OF(first))) {
    count_expired(DATAGRAM_OF(first));
    wt__qlog_datagram_dropped(session->mux, session->id, false, "too_old");
    datagram_remove_out(DATAGRAM_OF(first));
  }
}

void wt__datagrams_date(struct wt__mux *mux) {
  struct wt__link *first;
  while ((first = wt__list_first(&mux->fresh_sessions))) {
    wt_session *session = WT__CONTAINER_OF(first, struct wt_session, fresh);
    struct wt__link *last = session->datagrams.head.prev;
    wt__list_remove(first);
    for (; session->fresh_datagrams_len; session->fresh_datagrams_len--, last = last->prev) {
      DATAGRAM_OF(last)->queued_at = mux->now;
      DATAGRAM_OF(last)->fresh = false;
    }
  }
}

void wt_session_set_datagram_max_age(wt_session *session, uint64_t ms) {
  if (!session) return;
  session->datagram_max_age = ms > UINT64_MAX / WT__NS_PER_MS ? 0 : ms * WT__NS_PER_MS;
}

static wt_session *session_with_most_datagrams(struct wt__mux *mux) {
  wt_session *most = NULL;
  for (size_t i = 0; i < WT__URGENCIES; i++) {
    WT__LIST_FOREACH(it, next, &mux->datagram_sessions.levels[i]) {
      wt_session *session = WT__CONTAINER_OF(it, struct wt_session, datagram_turn);
      if (!most || session->datagrams_len > most->datagrams_len) most = session;
    }
  }
  return most;
}

/* The queues are full, and `session` adds a datagram: makes room. A session that has its share, or more, loses one of
 * its own datagrams. So a session that floods causes no search. */
static void datagrams_make_room(struct wt__mux *mux, wt_session *session) {
  size_t share = mux->datagrams_out_len / (mux->datagram_sessions_len + (session->datagrams_len == 0));
  wt_session *from = session;
  if (session->datagrams_len == 0 || session->datagrams_len < share) from = session_with_most_datagrams(mux);
  datagrams_drop_old(from);
  if (mux->datagrams_out_len < mux->config->max_datagrams_queued || from->datagrams_len == 0) return;
  datagram_drop(DATAGRAM_OF(wt__list_first(&from->datagrams)));
}

size_t wt_session_max_datagram_size(const wt_session *session) {
  if (!session) return 0;
  size_t max = session->mux->transport->max_datagram_len(session->mux->ctx);
  size_t header = wt__datagram_header_len(session->id);
  return max > header ? max - header : 0;
}

static void datagram_queue(wt_session *session, struct datagram *d) {
  struct wt__mux *mux = session->mux;
  if (mux->datagrams_out_len >= mux->config->max_datagrams_queued && mux->datagrams_out_len > 0) {
    datagrams_make_room(mux, session);
  }
  datagram_add_out(session, d);
  mux->transport->wake(mux->ctx);
}

int wt_session_send_datagram(wt_session *session, const void *data, size_t len) {
  if (!session || (len > 0 && !data)) return WT_ERR_INVALID;
  struct wt__mux *mux = session->mux;
  size_t header = wt__datagram_header_len(session->id), max;
  struct datagram *d;
  if (session->ended) return WT_ERR_CLOSED;
  max = mux->transport->max_datagram_len(mux->ctx);
  if (max == 0) return WT_ERR_UNSUPPORTED;
  if (max < header || len > max - header) return WT_ERR_TOO_LARGE;
  d = datagram_new(mux, session->id, header + len);
  if (!d) return WT_ERR_NOMEM;
  wt__datagram_header_write(d->bytes, session->id);
  if (len > 0) memcpy(d->bytes + header, data, len);
  datagram_queue(session, d);
  return 0;
}

int wt__datagram_send_part(struct wt__subscription *sub, struct wt__part *part) {
  wt_session *session = sub->session;
  size_t header = wt__datagram_header_len(session->id);
  struct datagram *d = datagram_new(session->mux, session->id, header);
  if (!d) return WT_ERR_NOMEM;
  wt__datagram_header_write(d->bytes, session->id);
  d->part = wt__part_ref(part);
  d->owner = sub;
  wt__list_push_back(&sub->datagrams, &d->owned);
  sub->datagrams_len++;
  sub->datagram_bytes += wt__part_len(part);
  datagram_queue(session, d);
  return 0;
}

void wt__datagram_drop_oldest_of(struct wt__subscription *sub) {
  datagram_drop(WT__CONTAINER_OF(wt__list_first(&sub->datagrams), struct datagram, owned));
}

static struct datagram *datagram_next(struct wt__mux *mux) {
  struct wt__link *turn = wt__ring_first(&mux->datagram_sessions);
  if (!turn) return NULL;
  return DATAGRAM_OF(wt__list_first(&WT__CONTAINER_OF(turn, struct wt_session, datagram_turn)->datagrams));
}

/* Header and shared payload behind each other, where they stay until the next one. */
static struct wt__vec datagram_join(const struct wt__mux *mux, const struct datagram *d) {
  uint8_t *scratch = mux->config->topics->scratch;
  size_t len = wt__part_len(d->part);
  memcpy(scratch, d->bytes, d->len);
  if (len > 0) memcpy(scratch + d->len, wt__part_payload(d->part), len);
  return (struct wt__vec){scratch, d->len + len};
}

bool wt__mux_next_datagram(struct wt__mux *mux, struct wt__vec *datagram) {
  struct datagram *d = mux->datagrams_out_len ? datagram_next(mux) : NULL; /* asked before each packet */
  while (d && datagram_is_too_old(mux, d)) {
    datagrams_drop_old(d->session);
    d = datagram_next(mux);
  }
  if (!d) return false;
  *datagram = d->part ? datagram_join(mux, d) : (struct wt__vec){d->bytes, d->len};
  return true;
}

void wt__mux_datagram_done(struct wt__mux *mux, bool sent) {
  struct datagram *d = datagram_next(mux);
  wt_session *session;
  if (!d) return;
  session = d->session;
  if (sent) {
    uint64_t delay = datagram_age(mux, d);
    WT__USDT(datagram_sent, mux->ctx, d->session_id, delay);
    count_sent(d, delay);
  } else {
    wt__qlog_datagram_dropped(mux, d->session_id, false, "not_sendable");
    count_dropped(d);
  }
  datagram_remove_out(d);
  if (session->datagrams_len == 0) return;
  wt__list_remove(&session->datagram_turn);
  wt__ring_add(&mux->datagram_sessions, &session->datagram_turn, session->sched.urgency);
}

void wt__mux_datagram_len_changed(struct wt__mux *mux) {
  WT__LIST_FOREACH(it, next, &mux->session_list) {
    wt_session *session = WT__CONTAINER_OF(it, struct wt_session, link);
    session->datagram_size_pending = true;
    wt__session_todo(session);
  }
}

void wt__datagram_size_run(wt_session *session) {
  if (!session->datagram_size_pending || session->ended) return;
  session->datagram_size_pending = false;
  if (!session->callbacks.on_datagram_size) return;
  session->callbacks.on_datagram_size(session, wt_session_max_datagram_size(session), session->user_data);
}

void wt__datagrams_drop_session(wt_session *session) {
  struct wt__link *first;
  while ((first = wt__list_first(&session->datagrams))) datagram_remove_out(DATAGRAM_OF(first));
  wt__list_remove(&session->fresh);
}

/* --- Receiving --- */

static void datagram_remove_early(struct wt__mux *mux, struct datagram *d) {
  wt__list_remove(&d->link);
  mux->early_datagrams_len--;
  datagram_free(mux, d);
}

static void datagram_keep_early(struct wt__mux *mux, int64_t session_id, const uint8_t *data, size_t len,
                                uint64_t now) {
  struct datagram *d = NULL;
  if (mux->early_datagrams_len < mux->config->max_early_datagrams) d = datagram_new(mux, session_id, len);
  if (!d) {
    mux->early_datagrams_dropped++;
    wt__qlog_datagram_dropped(mux, session_id, true, "queue_full");
    return;
  }
  d->deadline = now + mux->config->early_timeout_ms * WT__NS_PER_MS;
  if (len > 0) memcpy(d->bytes, data, len);
  wt__list_push_back(&mux->early_datagrams, &d->link);
  mux->early_datagrams_len++;
}

static void datagram_deliver(wt_session *session, const uint8_t *data, size_t len) {
  if (session->ended) return;
  session->stats.datagrams_received++;
  WT__USDT(datagram_received, session->mux->ctx, session->id, len);
  if (session->callbacks.on_datagram) session->callbacks.on_datagram(session, data, len, session->user_data);
}

void wt__mux_recv_datagram(struct wt__mux *mux, const uint8_t *data, size_t len, uint64_t now) {
  int64_t id;
  size_t header = wt__datagram_header_read(data, len, &id);
  wt_session *session;
  if (header == 0) {
    mux->transport->close_connection(mux->ctx, WT__H3_DATAGRAM_ERROR, "malformed HTTP datagram");
    return;
  }
  session = wt__map_get(&mux->sessions, (uint64_t)id);
  if (session && session->start == WT__SESSION_STARTED) {
    datagram_deliver(session, data + header, len - header);
  } else if (session || !wt__past_has_id(&mux->past, id)) {
    datagram_keep_early(mux, id, data + header, len - header, now);
  } else {
    wt__qlog_datagram_dropped(mux, id, true, "no_session");
  }
}

void wt__datagrams_deliver_early(struct wt__mux *mux, wt_session *session) {
  WT__LIST_FOREACH(it, next, &mux->early_datagrams) {
    struct datagram *d = DATAGRAM_OF(it);
    if (d->session_id != session->id) continue;
    datagram_deliver(session, d->bytes, d->len);
    datagram_remove_early(mux, d);
  }
  session->stats.datagrams_dropped_incoming = mux->early_datagrams_dropped;
}

void wt__datagrams_drop_early(struct wt__mux *mux, int64_t session_id) {
  WT__LIST_FOREACH(it, next, &mux->early_datagrams) {
    if (DATAGRAM_OF(it)->session_id == session_id) datagram_remove_early(mux, DATAGRAM_OF(it));
  }
}

void wt__datagrams_expire(struct wt__mux *mux, uint64_t now) {
  struct wt__link *first;
  while ((first = wt__list_first(&mux->early_datagrams)) && DATAGRAM_OF(first)->deadline <= now) {
    mux->early_datagrams_dropped++;
    wt__qlog_datagram_dropped(mux, DATAGRAM_OF(first)->session_id, true, "too_old");
    datagram_remove_early(mux, DATAGRAM_OF(first));
  }
}

uint64_t wt__datagrams_expiry(const struct wt__mux *mux) {
  struct wt__link *first = wt__list_first(&mux->early_datagrams);
  return first ? DATAGRAM_OF(first)->deadline : UINT64_MAX;
}

void wt__datagrams_free(struct wt__mux *mux) {
  struct wt__link *first;
  while ((first = wt__list_first(&mux->early_datagrams))) datagram_remove_early(mux, DATAGRAM_OF(first));
}
