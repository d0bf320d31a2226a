/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_RECORDER_H
#define WEBTRANSPORT_TOOL_RECORDER_H

#include <webtransport/metrics.h>
#include <webtransport/server.h>
#include <webtransport/session.h>

enum {
  RECORDER_SESSIONS = 256, /* ended sessions that are kept; about 2 KiB each */
  RECORDER_ENDS = 16,      /* resets, and as many stop-sendings, that are kept of a session */
};

/* A RESET_STREAM or STOP_SENDING of the peer. */
struct recorded_end {
  bool has_code;
  uint32_t code;
};

/* A session that has ended. Texts are cut to the size of their member. */
struct session_record {
  uint64_t n; /* 1 for the first session that ended */
  char path[256];
  char protocol[128];
  char peer[64];
  char reason[1025];
  char message[256]; /* the library's sentence, if the session was not closed */
  int draft;
  enum wt_party by;
  enum wt_cause cause;
  uint64_t wire_code;
  bool wire_is_h3;
  uint32_t code;
  bool clean;
  uint64_t bytes_in, bytes_out;
  uint64_t streams_in, streams_out; /* opened by the client, and by this server */
  uint64_t datagrams_in, datagrams_out;
  uint64_t datagrams_dropped, datagrams_expired; /* not sent: the queue was full, or they were too old */
  uint64_t datagram_queue_delay_us, max_datagram_queue_delay_us; /* of those that were sent */
  struct recorded_end resets[RECORDER_ENDS], stops[RECORDER_ENDS];
  uint64_t reset_count, stop_count; /* all, also those that are not kept */
};

/* The certificate in use, as the page and clients need it. */
struct certificate_record {
  uint8_t sha256[32];
  int64_t expires_at; /* seconds since 1970-01-01 UTC */
  bool generated;     /* made by this tool, so clients must know its hash */
};

struct recorder;

/* `queries`: the paths of sessions are kept with their queries, which often have tokens. NULL: out of memory. */
struct recorder *recorder_new(bool queries);
void recorder_free(struct recorder *recorder);

/* --- From the thread of a session's worker. --- */
void recorder_session_opened(struct recorder *recorder);
/* Gives `*record` its number and keeps a copy. */
void recorder_session_ended(struct recorder *recorder, struct session_record *record);

/* --- From any thread. --- */
void recorder_set_certificate(struct recorder *recorder, const struct certificate_record *certificate);
void recorder_get_certificate(struct recorder *recorder, struct certificate_record *certificate);

/*
 * Calls `on_record` for each kept session with n > `after`, oldest first. `*open` gets the number of open sessions.
 * Returns the number of the session that ended last. `on_record` runs under the lock and must not call the recorder.
 */
uint64_t recorder_sessions(struct recorder *recorder, uint64_t after, uint64_t *open,
                           void (*on_record)(const struct session_record *record, void *user_data), void *user_data);

/*
 * Asks the server's thread for its counts and waits for them. False: the server is ending, or its thread did not answer
 * within two seconds. Must not be called on the loop's thread.
 */
bool recorder_stats(struct recorder *recorder, wt_server *server, struct wt_server_stats *stats);
/* The same for the server's metrics, to be freed by the caller. NULL: as above, or out of memory. One thread may ask. */
char *recorder_metrics(struct recorder *recorder, wt_server *server, enum wt_metrics_format format);

/* The loop has ended: those who wait for counts, now or later, get none. */
void recorder_stop(struct recorder *recorder);

#endif
