/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_BENCH_H
#define WEBTRANSPORT_TOOL_BENCH_H

/*
 * The parts of `webtransport bench`.
 *
 *   bench_command.c   the command: starts the workers, tells them when to begin, shows progress
 *   bench_options.c   its options, and which of them go together
 *   bench_worker.c    a thread with a loop and a client: phases, pace, the end
 *   bench_session.c   a session's way from the dial to its end
 *   bench_slot.c      what may be in flight, what is counted
 *   bench_setup.c, bench_download.c, bench_echo.c, bench_streams.c, bench_datagram.c   the workloads
 *   bench_report.c    the results, as text and as JSON
 *
 * Each worker has everything for itself; nothing is locked or shared while operations run, and results are
 * added up when the threads have ended.
 */

#include <stdatomic.h>

#include "common/clock.h"
#include "command.h"
#include "common/client_settings.h"
#include "bench/histogram.h"

enum {
  BENCH_WORKERS_MAX = 64,
  BENCH_URL_SIZE = 2048,
  BENCH_MESSAGE_SIZE = 384,
  BENCH_PHASE_STEP = 7919, /* bytes between where two streams begin in the pattern: prime, so they coincide late */
};

/* What a workload makes use of; other options are refused with it. */
enum {
  TAKES_STREAMS = 1,
  TAKES_SIZE = 2,
  TAKES_OUTSTANDING = 4,
  TAKES_RATE = 8,
  TAKES_COUNT = 16,
  TAKES_RESUME = 32,
};

struct workload;

struct bench_settings {
  struct client_settings client; /* first */
  const struct workload *workload;
  uint64_t sessions, streams, size, outstanding, count, workers, dials;
  uint64_t duration_ns, warmup_ns, patience_ns;
  uint64_t rate;  /* operations a second, of all workers; 0: as fast as answers come */
  uint64_t watch; /* process id of the server; 0: none */
  bool resume, pooled, json;
  unsigned given; /* TAKES_ bits of the options that were used */
  bool duration_given, patience_given;
  char url[BENCH_URL_SIZE]; /* with the workload's path */
};

/* Kinds of failure: name, what it means. Any of them makes the exit status nonzero. */
#define BENCH_FAULTS(X)                                                \
  X(DIAL, "dial", "sessions that could not be opened")                 \
  X(LOST, "lost", "sessions that ended before their time")             \
  X(STREAM, "stream", "streams that were refused, reset or cut short") \
  X(MISMATCH, "mismatch", "answers that were not what had been sent")  \
  X(STALLED, "stalled", "operations without an answer in time")        \
  X(INTERNAL, "internal", "calls of the library that failed")

enum bench_fault {
#define BENCH_FAULT_ENUM(name, word, help) FAULT_##name,
  BENCH_FAULTS(BENCH_FAULT_ENUM)
#undef BENCH_FAULT_ENUM
  FAULT_COUNT
};

struct bench_result {
  uint64_t operations;                 /* begun within the measured time, and finished */
  uint64_t bytes_sent, bytes_received; /* of applications, within the measured time */
  uint64_t unfinished;                 /* operations that the end of the run cut off */
  uint64_t datagrams_lost, datagrams_late;
  uint64_t sessions_opened, sessions_resumed, sessions_open_at_end;
  uint64_t packets_sent, packets_received, connections;
  uint64_t last_ns; /* when the last counted operation finished */
  uint64_t faults[FAULT_COUNT];
  char messages[FAULT_COUNT][BENCH_MESSAGE_SIZE]; /* of the first of each kind */
  int dial_error;                                 /* of the first dial that failed */
  struct histogram latency, setup;
};

enum bench_phase {
  PHASE_CONNECTING, /* sessions are opened */
  PHASE_WAITING,    /* for the other workers */
  PHASE_RUNNING,
  PHASE_DRAINING, /* nothing new is begun */
  PHASE_CLOSING,  /* sessions are closed */
  PHASE_LEAVING,  /* connections are closed */
};

struct bench_worker;
struct bench_session;

/* A place where operations happen one after another: a standing stream, or a session. */
struct bench_slot {
  struct bench_session *session;
  size_t index;       /* among the worker's */
  uint64_t limit;     /* operations in flight */
  uint64_t in_flight; /* begun and not finished */
  uint64_t pending;   /* with a rate: due and not begun */
  uint64_t turn;      /* with a rate: how many were begun */
  uint64_t since;     /* of the last progress */
  unsigned failures;  /* in a row */
  bool dead;
};

struct bench_session {
  struct bench_worker *worker;
  size_t index;
  wt_dial *dial;
  wt_session *session;
  void *state;                   /* the workload's */
  size_t first_slot, slot_count; /* among the worker's */
  uint64_t dialed_at;
  bool settled; /* open and prepared, or failed: the run need not wait for it */
  bool closing; /* its end is wanted */
};

struct bench_machine; /* of bench_worker.c */

struct bench_worker {
  const struct bench_settings *settings;
  struct bench *bench;
  size_t index;
  struct bench_machine *machine;
  wt_client *client;
  enum bench_phase phase;
  uint64_t from, until; /* the measured time */
  uint64_t phase_since;
  uint64_t budget;    /* operations to begin or to schedule; UINT64_MAX: no bound */
  uint64_t in_flight; /* of all slots */
  uint64_t waiting;   /* pending of all slots */
  size_t alive;       /* slots that are not dead */
  struct bench_session *sessions;
  size_t session_count, next_dial, dialing, settled, open;
  struct bench_slot **slots;
  size_t slot_count, slot_room;
  struct bench_result result;
  _Atomic uint64_t live_sessions, live_operations, live_bytes; /* for the progress line */
};

/* A kind of load. */
struct workload {
  const char *name;
  const char *path; /* where the URL has none */
  unsigned takes;
  uint64_t default_size, min_size, max_size;
  bool connects_first;                   /* sessions are opened before the run, and stay */
  bool endless;                          /* operations may be so long that the end of the run has to cut them */
  struct wt_session_callbacks callbacks; /* on_close is added */
  size_t (*state_size)(const struct bench_settings *settings);
  bool (*prepare)(struct bench_session *session);         /* makes its slots; false: out of memory */
  void (*release)(struct bench_session *session);         /* frees what `prepare` made beside the state; may be NULL */
  void (*opened)(struct bench_session *session);          /* calls session_settle, at once or later; may be NULL */
  void (*refused)(struct bench_session *session);         /* the dial failed; may be NULL */
  void (*closed)(struct bench_session *session);          /* may be NULL */
  bool (*issue)(struct bench_slot *slot, uint64_t start); /* false: not now; a callback calls slot_pump later */
  void (*expire)(struct bench_session *session, uint64_t now); /* now and then; may be NULL */
};

extern const struct workload setup_workload, idle_workload;
extern const struct workload download_workload, upload_workload;
extern const struct workload echo_workload, stream_echo_workload, datagram_echo_workload;

/* --- bench_options.c --- */
extern const struct option_spec bench_options[];
void bench_settings_default(struct bench_settings *settings);
/* Checks what belongs together, fills in what was left out. False: a message was printed. */
bool bench_settings_finish(struct bench_settings *settings, const struct command *command);

/* --- bench_command.c --- */
struct bench;
/* The worker's sessions are settled; it waits for the run. Its run is over: it closes its sessions. */
void bench_ready(struct bench *bench);
void bench_finished(struct bench *bench);
/* The measured time, once it is known; false before. `*stop`: the user wants the end. */
bool bench_window(struct bench *bench, uint64_t *from, uint64_t *until, bool *stop);

/* --- bench_worker.c --- */
bool worker_start(struct bench_worker *worker, char *message, size_t size);
void worker_wake(struct bench_worker *worker); /* any thread */
void worker_join(struct bench_worker *worker);
/* Goes on to another phase if it is time for that. */
void worker_check(struct bench_worker *worker);
void worker_fault(struct bench_worker *worker, enum bench_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* When the operation `turn` of the slot is due. */
uint64_t worker_due(const struct bench_worker *worker, uint64_t operation);

/* --- bench_session.c --- */
bool sessions_make(struct bench_worker *worker);
void sessions_free(struct bench_worker *worker);
/* Opens as many as may be on their way at a time. */
void sessions_dial(struct bench_worker *worker);
/* False: it could not even begin, which has been counted. Else `opened` or `refused` of the workload follows. */
bool session_dial(struct bench_session *session, const char *url);
/* The run need not wait for it any more. */
void session_settle(struct bench_session *session);
/* Ends it, as planned. */
void session_close(struct bench_session *session);
/* Something went wrong that ends all of its operations. */
void session_fail(struct bench_session *session, enum bench_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A stream of it was refused or reset. If its session ended, that is told by the session itself. */
void session_stream_failed(struct bench_session *session, const struct wt_stream_error *error);

/* --- bench_slot.c --- */
/* Adds the slot to its session's worker. False: out of memory. */
bool slot_add(struct bench_session *session, struct bench_slot *slot, uint64_t limit);
/* Begins as many operations as may be. */
void slot_pump(struct bench_slot *slot);
/* Counts an operation that was begun at `start`. */
void slot_record(struct bench_slot *slot, uint64_t start, uint64_t now);
/* An operation is not in flight any more. */
void slot_release(struct bench_slot *slot, uint64_t now);
/* The dial that was its operation failed: another, or after some in a row the end. */
void slot_refused(struct bench_slot *slot);
/* Nothing more can happen in it. */
void slot_kill(struct bench_slot *slot);
/* Counts bytes if now is within the measured time. */
void slot_sent(struct bench_slot *slot, uint64_t now, uint64_t bytes);
void slot_received(struct bench_slot *slot, uint64_t now, uint64_t bytes);

/* --- bench_report.c --- */
struct bench_usage {
  double user, system;        /* seconds */
  uint64_t resident, highest; /* bytes; of a watched process */
};

struct bench_outcome {
  struct bench_result *total;
  double seconds; /* measured */
  double
      answer_seconds; /* until the last counted answer, if that came later: an overloaded server is behind its rate */
  bool interrupted;
  struct bench_usage own, server;
  bool has_server;
  int status;
};

/* Fills `*usage` from the kernel: of process `pid`, or of this one (0). False: there is no such process. */
bool usage_read(uint64_t pid, struct bench_usage *usage);
/* Adds the results of a worker. */
void result_merge(struct bench_result *total, const struct bench_result *part);
/* False: out of memory. */
bool report_bench(const struct bench_settings *settings, const struct bench_outcome *outcome);

#endif
