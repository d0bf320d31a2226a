/* SPDX-License-Identifier: MIT */
/*
 * The fields of the message that made a session: of the request that a server accepted, or of the answer that accepted a
 * client's request.
 *
 * A request ends with its upgrade, and a dial with its answer, but applications ask for a cookie or a user agent later, too.
 * So the session keeps the fields. A request does not need them any more, so they are moved. From an answer they are copied,
 * since `on_done` may still walk those of the dial.
 *
 * core keeps the block without knowing what it is, and frees it with the session. `max_header_bytes` bounds it, as it did
 * the message, and the connection's gauge counts it.
 */

#include "h3/session_fields.h"

#include <string.h>

#include <webtransport/session.h>

#include "base/mem.h"

struct message {
  struct wt__fields fields;
  struct wt__gauge *gauge;
  const char *route; /* the pattern whose handler has accepted the session; NULL on a client */
  int status;        /* of the answer */
  bool all;          /* pseudo-header fields are walked, too */
};

static void message_free(void *kept) {
  struct message *message = kept;
  wt__fields_free(&message->fields);
  wt__gauge_remove(message->gauge, sizeof(*message));
  wt__free(message);
}

void *wt__session_fields_new(struct wt__gauge *gauge, bool all) {
  struct message *message = wt__calloc(1, sizeof(*message));
  if (!message) return NULL;
  wt__fields_init(&message->fields, 0);
  message->gauge = message->fields.gauge = gauge;
  message->all = all;
  wt__gauge_add(gauge, sizeof(*message));
  return message;
}

void wt__session_fields_free(void *kept) {
  if (kept) message_free(kept);
}

void wt__session_fields_move(void *kept, struct wt__fields *fields) {
  struct message *message = kept;
  wt__fields_move(&message->fields, fields);
}

void wt__session_fields_note(void *kept, const char *route, int status) {
  struct message *message = kept;
  message->route = route;
  message->status = status;
}

int wt__session_fields_copy(void *kept, const struct wt__fields *fields) {
  struct message *message = kept;
  return wt__fields_copy(&message->fields, fields);
}

void wt__session_fields_give(wt_session *session, void *kept) { wt__session_set_message(session, kept, message_free); }

/* --- The access log --- */

static const char *message_text(const struct message *message, const char *name) {
  const char *text = wt__fields_find(&message->fields, name, NULL);
  return text ? text : "";
}

void wt__session_fields_record(const wt_session *session, struct wt_access_record *record) {
  const struct message *message = wt__session_message(session);
  record->path = record->query = record->authority = "";
  if (!message) return;
  char *path = wt__fields_find(&message->fields, ":path", NULL), *mark = path ? strchr(path, '?') : NULL;
  if (path) record->path = path;
  if (mark) {
    *mark = '\0';
    record->query = mark + 1;
  }
  record->authority = message_text(message, ":authority");
  record->origin = wt_session_header(session, "origin");
  record->user_agent = wt_session_header(session, "user-agent");
  record->route = message->route;
  record->status = message->status;
}

void wt__session_fields_whole(const struct wt_access_record *record) {
  char *end = (char *)(uintptr_t)record->path + strlen(record->path);
  if (record->query == end + 1) *end = '?'; /* the query may be empty */
}

/* --- What the application calls --- */

const char *wt_session_header(const wt_session *session, const char *name) {
  const struct message *message = session ? wt__session_message(session) : NULL;
  return message ? wt__fields_header_value(&message->fields, name) : NULL;
}

int wt_session_get_header_at(const wt_session *session, size_t index, struct wt_header *header) {
  if (!session || !header) return WT_ERR_INVALID;
  const struct message *message = wt__session_message(session);
  return message ? wt__fields_at(&message->fields, index, message->all, header) : WT_ERR_NOT_FOUND;
}
