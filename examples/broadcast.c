/* SPDX-License-Identifier: MIT */
/*
 * broadcast: whatever a session at /broadcast sends goes to all other sessions there. A datagram goes on as a datagram.
 * A stream goes on as a unidirectional stream to each session that is there when it begins, while it is still arriving;
 * its end and its reset go on, too. docs/guide/fan-out.md explains it.
 *
 * The slowest receiver holds nobody back. Each copy of a stream has a queue of QUEUE_SIZE bytes, which the library keeps.
 * A receiver whose queue is full loses that stream: it is reset with TOO_SLOW. Everything else goes on.
 *
 * Bytes are not copied for each receiver: all queues share one buffer, which counts its users.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webtransport/webtransport.h>

enum {
  QUEUE_SIZE = 128 * 1024, /* bytes of one stream that wait for one receiver */
  COPIES_MAX = 32,         /* streams on their way to one receiver: with QUEUE_SIZE, what a slow one costs at most */
  SHARE_MIN = 256,         /* fewer bytes are copied: the library puts small pieces together */
  TOO_SLOW = 1,            /* code of a copy that was given up: its receiver was too slow */
  LOST = 2,                /* code of a copy whose sender has gone */
};

struct member {
  struct member *next;
  wt_session *session;
  size_t copies; /* on their way to it */
};

/* A stream that arrives, and its copies. */
struct source {
  struct copy *copies;
};

struct copy {
  struct copy *next;
  struct source *source; /* NULL once nothing more comes from there */
  struct member *to;
  wt_stream *stream;
};

/* Bytes that several queues refer to. */
struct shared {
  size_t users;
  uint8_t bytes[];
};

static struct member *members;

static void shared_release(const uint8_t *data, size_t len, void *user_data) {
  struct shared *shared = user_data;
  (void)data, (void)len;
  if (--shared->users == 0) free(shared);
}

static struct shared *shared_new(const uint8_t *data, size_t len) {
  struct shared *shared = malloc(sizeof(*shared) + len);
  if (!shared) return NULL;
  shared->users = 1;
  memcpy(shared->bytes, data, len);
  return shared;
}

static void copy_detach(struct copy *copy) {
  if (!copy->source) return;
  struct copy **at = &copy->source->copies;
  while (*at != copy) at = &(*at)->next;
  *at = copy->next;
  copy->source = NULL;
}

static void on_copy_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct copy *copy = user_data;
  (void)stream, (void)error;
  copy_detach(copy);
  copy->to->copies--; /* a session's streams end before it does */
  free(copy);
}

/* A receiver that has no room for another stream goes without it. */
static void copy_open(struct source *source, struct member *to) {
  static const struct wt_stream_callbacks callbacks = {.on_close = on_copy_close};
  struct copy *copy = to->copies < COPIES_MAX ? calloc(1, sizeof(*copy)) : NULL;
  if (!copy || wt_session_open_uni(to->session, &copy->stream) != 0) {
    free(copy);
    return;
  }
  wt_stream_set_callbacks(copy->stream, &callbacks, copy);
  copy->to = to;
  copy->source = source;
  copy->next = source->copies;
  source->copies = copy;
  to->copies++;
}

/* False: there is no room, or the receiver wants no more. */
static bool copy_write(struct copy *copy, const uint8_t *data, size_t len, struct shared *shared) {
  size_t written;
  if (!shared) return wt_stream_write(copy->stream, data, len, &written) == 0 && written == len;
  if (wt_stream_write_owned(copy->stream, shared->bytes, len, shared_release, shared) != 0) return false;
  shared->users++;
  return true;
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct source *source = user_data;
  struct shared *shared = len >= SHARE_MIN ? shared_new(data, len) : NULL;
  (void)stream;
  for (struct copy *copy = source->copies, *next; copy; copy = next) {
    next = copy->next;
    if (len > 0 && !copy_write(copy, data, len, shared)) {
      fprintf(stderr, "stream %lld: dropped for a receiver that is too slow\n", (long long)wt_stream_id(stream));
      wt_stream_reset(copy->stream, TOO_SLOW);
      copy_detach(copy);
    } else if (fin) {
      wt_stream_end(copy->stream);
      copy_detach(copy);
    }
  }
  if (shared) shared_release(data, len, shared);
}

/* After an orderly end there are no copies left here. Else the sender reset the stream, or has gone. */
static void on_source_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct source *source = user_data;
  (void)stream;
  while (source->copies) {
    wt_stream_reset(source->copies->stream, error && error->has_code && !error->session_gone ? error->code : LOST);
    copy_detach(source->copies);
  }
  free(source);
}

static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data, .on_close = on_source_close};
  struct source *source = calloc(1, sizeof(*source));
  (void)session;
  if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_end(stream); /* there is no answer */
  if (!source) {
    wt_stream_stop_sending(stream, TOO_SLOW);
    return;
  }
  wt_stream_set_callbacks(stream, &callbacks, source);
  for (struct member *to = members; to; to = to->next)
    if (to != user_data) copy_open(source, to);
}

/* The library keeps the queue: max_datagrams_queued for a connection. When it is full, the oldest goes. */
static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)session;
  for (struct member *to = members; to; to = to->next)
    if (to != user_data) wt_session_send_datagram(to->session, data, len);
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct member **at = &members;
  (void)session, (void)info;
  while (*at != user_data) at = &(*at)->next;
  *at = (*at)->next;
  free(user_data);
}

static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {
      .on_stream = on_stream, .on_datagram = on_datagram, .on_close = on_close};
  struct member *member = calloc(1, sizeof(*member));
  struct wt_upgrade_options options;
  (void)user_data;
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  options.user_data = member;
  int error = member ? wt_upgrade(request, &options, &member->session) : WT_ERR_NOMEM;
  if (error) {
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
    free(member);
    return;
  }
  member->next = members;
  members = member;
  fprintf(stderr, "a session has come\n");
}

int main(int argc, char **argv) {
  struct wt_server_config config;
  wt_server *server;
  char address[32];
  if (argc < 3) return fprintf(stderr, "usage: %s CERTIFICATE KEY [PORT]\n", argv[0]), 2;
  snprintf(address, sizeof(address), "localhost:%s", argc > 3 ? argv[3] : "4433");
  wt_server_config_default(&config);
  config.listen = (const char *const[]){address};
  config.log_level = WT_LOG_INFO;
  config.max_stream_send_buffer = QUEUE_SIZE;
  if (wt_server_new(&config, &server, NULL, 0) != 0) return 1; /* the log says why */
  wt_server_handle(server, "/broadcast", on_request, NULL);
  int error = wt_server_listen_and_serve_tls(server, argv[1], argv[2]);
  wt_server_free(server);
  return error ? 1 : 0;
}
