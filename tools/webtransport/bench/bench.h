/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_BENCH_H
#define WEBTRANSPORT_TOOL_BENCH_H

/*
 * The parts of `webtransport bench`, from the bottom up. Each file uses only those above it.
 *
 *   bench_usage.c      processor time and memory of a process
 *   bench_result.c     faults, and how results are added up
 *   bench_schedule.c   when the workers begin and end
 *   bench_slot.c       which operations are in flight, and what is counted
 *   bench_session.c    a session, from the dial to its end
 *   bench_setup.c, bench_download.c, bench_echo.c, bench_streams.c, bench_datagram.c, bench_tick.c, bench_fan_out.c and
 *   bench_fan_receive.c   the workloads
 *   bench_worker.c     a thread with a loop and a client: phases, pace, the end
 *   bench_options.c    the options, and which of them exclude each other
 *   bench_report.c     the results, as text and as JSON
 *   bench_command.c    the command: starts the workers, tells them when to begin, shows progress
 *
 * A worker shares nothing with the others but the schedule, and of fan-out a few atomic counts, so nothing is locked while
 * operations run. Results are added up when the threads have ended.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "command.h"
#include "bench/histogram.h"
#include "bench/tick_distance.h"
#include "common/client_settings.h"
#include "common/clock.h"

enum {
  BENCH_WORKERS_MAX = 64,
  BENCH_URL_SIZE = 2048,
  BENCH_MESSAGE_SIZE = 384,
  BENCH_PHASE_STEP = 7919, /* bytes between where two streams begin in the pattern: prime, so they coincide late */
};

/* The options that a workload uses. Other options are refused with it. */
enum {
  TAKES_STREAMS = 1,
  TAKES_SIZE = 2,
  TAKES_OUTSTANDING = 4,
  TAKES_RATE = 8,
  TAKES_COUNT = 16,
  TAKES_RESUME = 32,
  TAKES_HZ = 64,
  TAKES_PUBLISHERS = 128,
  TAKES_DELIVERY = 256,
};

/* How subscribers of fan-out get messages: as enum wt_delivery. */
enum bench_delivery {
  BENCH_DELIVERY_DATAGRAM,
  BENCH_DELIVERY_STREAMS,
  BENCH_DELIVERY_STREAM,
};

struct workload;

struct bench_settings {
  struct client_settings client; /* first */
  const struct workload *workload;
  uint64_t sessions, streams, size, outstanding, count, workers, dials;
  uint64_t duration_ns, warmup_ns, patience_ns;
  uint64_t hz;         /* of tick: datagrams of a player a second, and ticks */
  uint64_t publishers; /* of fan-out: sessions that publish */
  enum bench_delivery delivery;
  uint64_t rate;  /* operations a second, of all workers together; 0: as fast as answers come */
  uint64_t watch; /* process id of the server to watch; 0: none */
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

/* What the players of tick saw within the measured time. */
struct bench_ticks {
  uint64_t sent, received;   /* datagrams of the players, of the server */
  uint64_t moves_lost, lost; /* likewise */
  struct tick_distances distances;
};

/* What subscribers of fan-out saw, of messages that were published within the measured time. */
struct bench_fan_out {
  uint64_t published; /* messages */
  uint64_t lost;      /* deliveries that did not come */
  uint64_t overtaken; /* deliveries that came after a later message of the same publisher */
  uint64_t again;     /* deliveries that had come before */
};

struct bench_result {
  uint64_t operations;                 /* begun within the measured time, and finished */
  uint64_t bytes_sent, bytes_received; /* payload within the measured time */
  uint64_t unfinished;                 /* operations that the end of the run interrupted */
  uint64_t datagrams_lost, datagrams_late;
  uint64_t sessions_opened, sessions_resumed, sessions_open_at_end;
  uint64_t packets_sent, packets_received, connections;
  uint64_t last_ns; /* when the last counted operation finished */
  uint64_t faults[FAULT_COUNT];
  char messages[FAULT_COUNT][BENCH_MESSAGE_SIZE]; /* the first of each kind */
  int dial_error;                                 /* error of the first dial that failed */
  struct histogram latency, setup;
  struct bench_ticks ticks;
  struct bench_fan_out fan_out;
};

enum bench_phase {
  PHASE_CONNECTING, /* sessions are opened */
  PHASE_WAITING,    /* until the other workers are ready */
  PHASE_RUNNING,
  PHASE_DRAINING, /* no operation begins any more */
  PHASE_CLOSING,  /* sessions are closed */
  PHASE_LEAVING,  /* connections are closed */
};

struct bench_worker;
struct bench_session;

/* A place where operations follow each other: a stream that stays open, or a session. */
struct bench_slot {
  struct bench_session *session;
  size_t index;       /* among the worker's slots */
  uint64_t limit;     /* operations in flight */
  uint64_t in_flight; /* begun and not finished */
  uint64_t pending;   /* with a rate: due and not begun */
  uint64_t turn;      /* with a rate: how many have begun */
  uint64_t since;     /* time of the last progress */
  unsigned failures;  /* failures in a row */
  bool dead;
};

struct bench_session {
  struct bench_worker *worker;
  size_t index;
  wt_dial *dial;
  wt_session *session;
  void *state;                   /* belongs to the workload */
  size_t first_slot, slot_count; /* among the worker's slots */
  uint64_t dialed_at;
  bool settled; /* open and prepared, or failed: the run does not wait for it */
  bool closing; /* we end it, as planned */
};

struct bench_machine; /* private to bench_worker.c */

struct bench_worker {
  const struct bench_settings *settings;
  struct bench_schedule *schedule;
  struct bench_worker *all; /* the workers; this is all[index] */
  struct fan_board *board;  /* of fan-out */
  struct fan_worker *fan;   /* likewise */
  /* Enters the next phase if it is time. To be called when a count below has changed; it is in bench_worker.c. */
  void (*check)(struct bench_worker *worker);
  size_t index;
  struct bench_machine *machine;
  wt_client *client;
  enum bench_phase phase;
  uint64_t from, until; /* the measured time */
  uint64_t base;        /* with a rate: when operation 0 is due */
  double period;        /* with a rate: nanoseconds between two operations of this worker */
  uint64_t phase_since;
  uint64_t budget;    /* operations that may still begin; UINT64_MAX: no bound */
  uint64_t in_flight; /* operations of all slots */
  uint64_t waiting;   /* operations of all slots that are due and have not begun */
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
  const char *path; /* used if the URL has none */
  unsigned takes;
  uint64_t default_size, min_size, max_size;
  bool connects_first;                   /* sessions are opened before the run, and stay open */
  bool one_way;                          /* an operation is over when it has begun; nothing answers it */
  bool one_way_paced;                    /* this is so with a rate only */
  bool endless;                          /* operations may be so long that the end of the run interrupts them */
  struct wt_session_callbacks callbacks; /* on_close is added */
  bool (*make)(
      struct bench_worker *worker); /* a worker's state, before its sessions; false: out of memory; may be NULL */
  void (*free)(struct bench_worker *worker); /* frees it; may be NULL */
  size_t (*state_size)(const struct bench_settings *settings);
  bool (*prepare)(struct bench_session *session);         /* adds its slots; false: out of memory */
  void (*release)(struct bench_session *session);         /* frees what `prepare` made besides the state; may be NULL */
  void (*opened)(struct bench_session *session);          /* calls session_settle, at once or later; may be NULL */
  void (*refused)(struct bench_session *session);         /* the dial failed; may be NULL */
  void (*closed)(struct bench_session *session);          /* may be NULL */
  bool (*issue)(struct bench_slot *slot, uint64_t start); /* false: not now; a callback calls slot_pump later */
  void (*expire)(struct bench_session *session, uint64_t now); /* called now and then; may be NULL */
  void (*woken)(struct bench_worker *worker);                  /* `worker_wake` was called; may be NULL */
  bool (*drained)(struct bench_worker *worker); /* no operation is under way: is the run over? May be NULL */
  void (*finish)(struct bench_worker *worker);  /* the run is over, sessions are still open; may be NULL */
};

extern const struct workload setup_workload, idle_workload;
extern const struct workload download_workload, upload_workload;
extern const struct workload echo_workload, stream_echo_workload, datagram_echo_workload, tick_workload,
    fan_out_workload;

/* --- bench_options.c --- */
extern const struct option_spec bench_options[];
void bench_settings_default(struct bench_settings *settings);
/* Checks which options belong together, and sets defaults. False: a message was printed. */
bool bench_settings_finish(struct bench_settings *settings, const struct command *command);

/* As --delivery and the server call it. */
const char *bench_delivery_name(enum bench_delivery delivery);

/* --- bench_schedule.c --- */
struct bench_schedule {
  pthread_mutex_t lock;   /* protects all below */
  pthread_cond_t changed; /* a worker has reported, or the user wants the end */
  size_t ready, finished; /* workers that have reported so */
  bool known, stop;       /* `from` and `until` are set; the user wants the end */
  uint64_t from, until;   /* the measured time */
};

void schedule_init(struct bench_schedule *schedule);
void schedule_free(struct bench_schedule *schedule);
/* A worker's sessions are settled; it waits for the run. */
void schedule_ready(struct bench_schedule *schedule);
/* A worker's run is over; it closes its sessions. */
void schedule_finished(struct bench_schedule *schedule);
/* Returns whether the measured time is set, and gives it. `*stop`: the user wants the end. */
bool schedule_window(struct bench_schedule *schedule, uint64_t *from, uint64_t *until, bool *stop);

/* --- bench_result.c --- */
/* Counts a fault, and keeps the message of the first of its kind. */
void result_fault(struct bench_result *result, enum bench_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Adds the results of a worker. */
void result_merge(struct bench_result *total, const struct bench_result *part);

/* --- bench_worker.c --- */
bool worker_start(struct bench_worker *worker, char *message, size_t size);
void worker_wake(struct bench_worker *worker); /* any thread */
void worker_join(struct bench_worker *worker);

/* --- bench_session.c --- */
bool sessions_make(struct bench_worker *worker);
void sessions_free(struct bench_worker *worker);
/* Dials more sessions, up to the number that may be dialed at a time. */
void sessions_dial(struct bench_worker *worker);
/* Dials. False: the dial could not begin, which was counted as a fault. Else the workload's `opened` or `refused`
 * follows. */
bool session_dial(struct bench_session *session, const char *url);
/* The run does not wait for this session any more. */
void session_settle(struct bench_session *session);
/* Closes the session, as planned. */
void session_close(struct bench_session *session);
/* Counts a fault that ends all operations of the session, and closes it. */
void session_fail(struct bench_session *session, enum bench_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A stream of the session was refused or reset. Does nothing if the session has ended, which is counted elsewhere. */
void session_stream_failed(struct bench_session *session, const struct wt_stream_error *error);

/* --- bench_slot.c --- */
/* Adds the slot to its session's worker. False: out of memory. */
bool slot_add(struct bench_session *session, struct bench_slot *slot, uint64_t limit);
/* When an operation of the worker is due, with a rate. */
uint64_t slot_due(const struct bench_worker *worker, uint64_t operation);
/* Begins as many operations as the slot may have in flight. */
void slot_pump(struct bench_slot *slot);
/* Counts a finished operation that began at `start`. */
void slot_record(struct bench_slot *slot, uint64_t start, uint64_t now);
/* Counts an operation without a latency. Returns whether `now` is within the measured time. */
bool slot_count(struct bench_slot *slot, uint64_t now);
/* One operation is no longer in flight. */
void slot_release(struct bench_slot *slot, uint64_t now);
/* The operation was a dial, which failed: begins another, or gives the slot up after some failures in a row. */
void slot_refused(struct bench_slot *slot);
/* Gives the slot up: no operation begins in it any more. */
void slot_kill(struct bench_slot *slot);
/* Count bytes if `now` is within the measured time. */
void slot_sent(struct bench_slot *slot, uint64_t now, uint64_t bytes);
void slot_received(struct bench_slot *slot, uint64_t now, uint64_t bytes);

/* --- bench_usage.c --- */
struct bench_usage {
  double user, system;        /* seconds */
  uint64_t resident, highest; /* bytes of memory now, and at most; only for a watched process */
};

/* Reads the usage of process `pid`, or of this process if `pid` is 0. False: there is no such process. */
bool usage_read(uint64_t pid, struct bench_usage *usage);

/* --- bench_report.c --- */
struct bench_outcome {
  struct bench_result *total;
  double seconds;        /* length of the measured time */
  double answer_seconds; /* until the last counted answer, if that came later: an overloaded server is late */
  bool interrupted;
  struct bench_usage own, server;
  bool has_server;
  int status;
};

/* False: out of memory. */
bool report_bench(const struct bench_settings *settings, const struct bench_outcome *outcome);

#endif
