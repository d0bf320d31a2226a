/* SPDX-License-Identifier: MIT */

/*
 * A connection to Redis: see conn.h.
 */

#include "conn.h"

#include <stdio.h>
#include <string.h>

static void conn_fail(struct wt__redis_conn *conn, const char *reason) {
  if (!conn->is_closed) conn->calls->failed(conn, reason);
}

void wt__redis_conn_command(struct wt__redis_conn *conn, int count, const char **words, const size_t *lens) {
  char *text = NULL;
  long long len = redisFormatCommandArgv(&text, count, words, lens);
  if (len < 0) {
    conn_fail(conn, "out of memory");
    return;
  }
  wt__redis_stream_write(&conn->stream, text, (size_t)len);
  redisFreeCommand(text);
}

void wt__redis_conn_flush(struct wt__redis_conn *conn) { wt__redis_stream_flush(&conn->stream); }

/* --- Logging in. --- */

static void login_command(struct wt__redis_conn *conn, int count, const char **words) {
  size_t lens[3];
  for (int i = 0; i < count; i++) lens[i] = strlen(words[i]);
  wt__redis_conn_command(conn, count, words, lens);
  conn->login_replies++;
}

static void on_opened(struct wt__redis_stream *stream) {
  struct wt__redis_conn *conn = stream->owner;
  const struct wt__broker_url *url = stream->url;
  if (url->password[0] && url->user[0]) {
    login_command(conn, 3, (const char *[]){"AUTH", url->user, url->password});
  } else if (url->password[0]) {
    login_command(conn, 2, (const char *[]){"AUTH", url->password});
  }
  if (url->path[0]) login_command(conn, 2, (const char *[]){"SELECT", url->path});
  login_command(conn, 1, (const char *[]){"PING"});
  wt__redis_conn_flush(conn);
}

static void login_replied(struct wt__redis_conn *conn, const redisReply *reply) {
  char reason[256];
  if (reply->type == REDIS_REPLY_ERROR) {
    snprintf(reason, sizeof(reason), "the broker refuses: %s", reply->str);
    conn_fail(conn, reason);
  } else if (--conn->login_replies == 0) {
    conn->calls->ready(conn);
  }
}

/* --- Replies. --- */

/* Takes one reply out of the reader; false: there is none. */
static bool reply_take(struct wt__redis_conn *conn) {
  void *object = NULL;
  if (redisReaderGetReply(conn->reader, &object) != REDIS_OK) {
    conn_fail(conn, "the broker does not speak the protocol of Redis");
    return false;
  }
  if (!object) return false;
  if (conn->login_replies > 0) {
    login_replied(conn, object);
  } else {
    conn->calls->replied(conn, object);
  }
  freeReplyObject(object);
  return true;
}

static void on_received(struct wt__redis_stream *stream, const void *bytes, size_t len) {
  struct wt__redis_conn *conn = stream->owner;
  if (redisReaderFeed(conn->reader, bytes, len) != REDIS_OK) {
    conn_fail(conn, "out of memory");
    return;
  }
  while (!conn->is_closed && reply_take(conn)) {
  }
  if (!conn->is_closed && conn->reader->len - conn->reader->pos > conn->max_reply) {
    conn_fail(conn, "the broker sent too large a reply");
  }
}

static void on_failed(struct wt__redis_stream *stream, const char *reason) { conn_fail(stream->owner, reason); }

static void on_closed(struct wt__redis_stream *stream) {
  struct wt__redis_conn *conn = stream->owner;
  conn->is_open = false;
  conn->calls->closed(conn);
}

static const struct wt__redis_stream_calls stream_calls = {
    .opened = on_opened, .received = on_received, .failed = on_failed, .closed = on_closed};

void wt__redis_conn_open(struct wt__redis_conn *conn, uv_loop_t *loop, const struct wt__broker_url *url,
                         const struct wt__redis_tls_credentials *credentials, size_t max_reply,
                         const struct wt__redis_conn_calls *calls, void *owner) {
  if (conn->reader) redisReaderFree(conn->reader); /* of the connection before: it may have been in use until now */
  conn->reader = redisReaderCreate();
  conn->calls = calls;
  conn->owner = owner;
  conn->max_reply = max_reply;
  conn->login_replies = 0;
  conn->is_open = true;
  conn->is_closed = false;
  wt__redis_stream_open(&conn->stream, loop, url, credentials, &stream_calls, conn);
  if (!conn->reader) conn_fail(conn, "out of memory");
}

void wt__redis_conn_close(struct wt__redis_conn *conn) {
  if (!conn->is_open || conn->is_closed) return;
  conn->is_closed = true;
  wt__redis_stream_close(&conn->stream);
}
