/* SPDX-License-Identifier: MIT */
/*
 * A worker: a thread with a loop, a client of its own on it, and its share of the sessions.
 *
 *     connecting --> waiting --> running --> draining --> closing --> leaving --> the thread ends
 *         |             |           |            |            |           \ connections
 *         |             |           |            |            \ sessions
 *         |             |           |            \ until all is answered, or for --patience
 *         |             |           \ until the time is over, or all operations have begun
 *         |             \ for the other workers, so that all begin together
 *         \ for the sessions, if the workload wants them beforehand
 *
 * A tick every 20 ms ends phases that depend on time, and now and then looks for operations without an answer. With
 * --rate, a timerfd tells when operations are due, because libuv's timers have only milliseconds. The worker makes the
 * loop and lends it to the client, because these two timers need a loop of their own program.
 */
#include "bench/bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <uv.h>

#include "common/clock.h"

enum {
  TICK_MS = 20,
  SCAN_MS = 200,
  CLOSING_MS = 5000,
  LEAVING_MS = 2000,
  LINGER_MS = 5000,  /* how long a shared connection waits for the next session */
  PACE_BURST = 4096, /* operations begun before the loop sends packets again */
};

struct bench_machine {
  uv_loop_t loop;
  uv_async_t wake;
  uv_timer_t tick;
  uv_poll_t pace;
  int pace_fd;
  pthread_t thread;
  uint64_t next_scan;
  uint64_t scheduled; /* operations that have been due */
};

static void worker_check(struct bench_worker *worker);

/* --- The pace. --- */

static void pace_set(struct bench_worker *worker) {
  struct bench_machine *machine = worker->machine;
  uint64_t at = slot_due(worker, machine->scheduled);
  struct itimerspec spec = {.it_value = clock_timespec(at)};
  timerfd_settime(machine->pace_fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

static void pace_run(struct bench_worker *worker) {
  struct bench_machine *machine = worker->machine;
  uint64_t now = clock_ns();
  for (int i = 0; i < PACE_BURST && worker->budget > 0 && worker->phase == PHASE_RUNNING; i++) {
    uint64_t due = slot_due(worker, machine->scheduled);
    if (due > now || due >= worker->until) break;
    struct bench_slot *slot = worker->slots[machine->scheduled++ % worker->slot_count];
    if (worker->budget != UINT64_MAX && due >= worker->from) worker->budget--;
    if (slot->dead) {
      worker->result.unfinished++;
      continue;
    }
    slot->pending++;
    worker->waiting++;
    slot_pump(slot);
  }
  if (worker->phase == PHASE_RUNNING) pace_set(worker);
  worker_check(worker);
}

static void pace_on_poll(uv_poll_t *handle, int status, int events) {
  struct bench_worker *worker = handle->data;
  uint64_t expirations;
  (void)status;
  (void)events;
  while (read(worker->machine->pace_fd, &expirations, sizeof expirations) < 0 && errno == EINTR) continue;
  if (worker->phase == PHASE_RUNNING) pace_run(worker);
}

static void pace_start(struct bench_worker *worker) {
  const struct bench_settings *settings = worker->settings;
  double apart = (double)NS_PER_S / (double)settings->rate; /* between the operations of all workers */
  worker->period = apart * (double)settings->workers;
  worker->base = clock_ns() + (uint64_t)(apart * (double)worker->index);
  pace_run(worker);
}

/* --- Phases. --- */

static void phase_enter(struct bench_worker *worker, enum bench_phase phase) {
  worker->phase = phase;
  worker->phase_since = clock_ns();
}

static bool phase_lasts(const struct bench_worker *worker, uint64_t ns) {
  return clock_ns() - worker->phase_since >= ns;
}

static void run_begin(struct bench_worker *worker) {
  phase_enter(worker, PHASE_RUNNING);
  if (worker->settings->rate && worker->slot_count) {
    pace_start(worker);
    return;
  }
  for (size_t i = 0; i < worker->slot_count; i++) slot_pump(worker->slots[i]);
  worker_check(worker);
}

static void close_begin(struct bench_worker *worker) {
  struct bench_result *result = &worker->result;
  if (worker->phase >= PHASE_CLOSING) return;
  if (worker->settings->workload->finish) worker->settings->workload->finish(worker);
  phase_enter(worker, PHASE_CLOSING);
  result->sessions_open_at_end = worker->open;
  if (worker->slot_count == 0) result->operations = worker->open;
  /* An endless operation is meant to be interrupted. */
  if (!worker->settings->workload->endless || worker->settings->count)
    result->unfinished += worker->in_flight + worker->waiting;
  schedule_finished(worker->schedule);
  for (size_t i = 0; i < worker->session_count; i++) session_close(&worker->sessions[i]);
}

/* --patience is over: operations that are still in flight have stalled. */
static void drain_give_up(struct bench_worker *worker) {
  if (worker->waiting == 0 && worker->in_flight)
    result_fault(&worker->result, FAULT_STALLED, "%llu operations had no answer when the time for them was over",
                 (unsigned long long)worker->in_flight);
  close_begin(worker);
}

static void worker_follow_schedule(struct bench_worker *worker) {
  uint64_t from, until;
  bool stop, known = schedule_window(worker->schedule, &from, &until, &stop);
  if (stop) {
    if (clock_ns() < worker->until) worker->until = clock_ns();
    close_begin(worker);
  } else if (known && worker->phase == PHASE_WAITING) {
    worker->from = from;
    worker->until = until;
    run_begin(worker);
  }
}

static bool is_drained(struct bench_worker *worker) {
  bool (*drained)(struct bench_worker *) = worker->settings->workload->drained;
  return !drained || drained(worker);
}

static void worker_check(struct bench_worker *worker) {
  bool cut = worker->settings->workload->endless && !worker->settings->count;
  switch (worker->phase) {
    case PHASE_CONNECTING:
      if (worker->settled < worker->session_count) return;
      phase_enter(worker, PHASE_WAITING);
      schedule_ready(worker->schedule);
      return;
    case PHASE_WAITING: worker_follow_schedule(worker); return;
    case PHASE_RUNNING:
      if (worker->budget > 0 && (worker->slot_count ? worker->alive : worker->open) > 0) return;
      phase_enter(worker, PHASE_DRAINING);
      /* fall through */
    case PHASE_DRAINING:
      if (cut || (worker->in_flight + worker->waiting == 0 && is_drained(worker))) close_begin(worker);
      return;
    case PHASE_CLOSING:
      if (worker->open + worker->dialing == 0) phase_enter(worker, PHASE_LEAVING);
      return;
    case PHASE_LEAVING: return;
  }
}

/* --- Time. --- */

/* Looks for sessions and operations without an answer. */
static void worker_scan(struct bench_worker *worker, uint64_t now) {
  const struct workload *workload = worker->settings->workload;
  uint64_t patience = worker->settings->patience_ns;
  for (size_t i = 0; i < worker->session_count; i++) {
    struct bench_session *session = &worker->sessions[i];
    if (worker->phase == PHASE_CONNECTING) {
      if (session->session && !session->settled && now > session->dialed_at + patience)
        session_fail(session, FAULT_STALLED, "the server did not allow %llu streams in time",
                     (unsigned long long)worker->settings->streams);
    } else if (workload->expire) {
      workload->expire(session, now);
    }
  }
  if (workload->expire || worker->phase < PHASE_RUNNING) return;
  for (size_t i = 0; i < worker->slot_count; i++) {
    struct bench_slot *slot = worker->slots[i];
    /* A dial has a timeout of its own. */
    if (slot->in_flight && !slot->session->dial && now > slot->since + patience)
      session_fail(slot->session, FAULT_STALLED, "no answer, and no other progress, for %llu ms",
                   (unsigned long long)(patience / NS_PER_MS));
  }
}

static void worker_leave(struct bench_worker *worker) {
  struct wt_client_stats stats = {.size = sizeof stats};
  wt_client_get_stats(worker->client, &stats);
  worker->result.connections = stats.connections_total;
  worker->result.packets_sent = stats.packets_sent;
  worker->result.packets_received = stats.packets_received;
  if (stats.connections_open && !worker->settings->pooled && !phase_lasts(worker, LEAVING_MS * NS_PER_MS)) return;
  uv_stop(&worker->machine->loop);
}

static void worker_on_wake(uv_async_t *handle) {
  struct bench_worker *worker = handle->data;
  worker_follow_schedule(worker);
  if (worker->settings->workload->woken) worker->settings->workload->woken(worker);
}

static void worker_on_tick(uv_timer_t *handle) {
  struct bench_worker *worker = handle->data;
  struct bench_machine *machine = worker->machine;
  uint64_t now = clock_ns();
  if (worker->phase <= PHASE_DRAINING && now >= machine->next_scan) {
    machine->next_scan = now + SCAN_MS * NS_PER_MS;
    worker_scan(worker, now);
  }
  if (worker->phase == PHASE_RUNNING && now >= worker->until) {
    if (worker->slot_count == 0) close_begin(worker);
    if (worker->phase == PHASE_RUNNING) phase_enter(worker, PHASE_DRAINING);
  }
  if (worker->phase == PHASE_DRAINING && phase_lasts(worker, worker->settings->patience_ns + SCAN_MS * NS_PER_MS))
    drain_give_up(worker);
  if (worker->phase == PHASE_CLOSING && phase_lasts(worker, CLOSING_MS * NS_PER_MS)) {
    wt_client_close(worker->client);
    phase_enter(worker, PHASE_LEAVING);
  }
  worker_check(worker);
  if (worker->phase == PHASE_LEAVING) worker_leave(worker);
}

/* --- The thread. --- */

static void *worker_run(void *argument) {
  struct bench_worker *worker = argument;
  struct bench_machine *machine = worker->machine;
  sessions_dial(worker);
  worker_check(worker);
  uv_run(&machine->loop, UV_RUN_DEFAULT);
  return NULL;
}

static bool client_make(struct bench_worker *worker, char *message, size_t size) {
  const struct bench_settings *settings = worker->settings;
  struct wt_client_config config;
  wt_client_config_default(&config);
  client_settings_configure(&settings->client, &config);
  config.loop = &worker->machine->loop;
  config.session_tickets = settings->resume;
  if (settings->pooled) config.linger_ms = LINGER_MS;
  if (config.max_connections < 2 * worker->session_count + 16) config.max_connections = 2 * worker->session_count + 16;
  if (config.max_datagrams_queued < settings->outstanding) config.max_datagrams_queued = settings->outstanding;
  /* Streams of a download: as many as were asked for, and those of HTTP/3. */
  if (config.max_streams_uni < settings->streams + 16) config.max_streams_uni = settings->streams + 16;
  if (config.wt_max_streams_uni < settings->streams) config.wt_max_streams_uni = settings->streams;
  return !wt_client_new(&config, &worker->client, message, size);
}

static bool pace_make(struct bench_worker *worker) {
  struct bench_machine *machine = worker->machine;
  if (!worker->settings->rate) return true;
  machine->pace_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  if (machine->pace_fd < 0) return false;
  if (uv_poll_init(&machine->loop, &machine->pace, machine->pace_fd)) return false;
  machine->pace.data = worker;
  return !uv_poll_start(&machine->pace, UV_READABLE, pace_on_poll);
}

bool worker_start(struct bench_worker *worker, char *message, size_t size) {
  struct bench_machine *machine = calloc(1, sizeof *machine);
  snprintf(message, size, "out of memory");
  worker->machine = machine;
  worker->check = worker_check;
  worker->from = worker->until = UINT64_MAX;
  worker->phase = PHASE_CONNECTING;
  if (!machine) return false;
  machine->pace_fd = -1;
  if (uv_loop_init(&machine->loop)) {
    free(machine);
    worker->machine = NULL;
    return false;
  }
  /* These two fail only without memory or descriptors. */
  bool good = !uv_async_init(&machine->loop, &machine->wake, worker_on_wake);
  uv_timer_init(&machine->loop, &machine->tick);
  machine->wake.data = machine->tick.data = worker;
  good = good && !uv_timer_start(&machine->tick, worker_on_tick, TICK_MS, TICK_MS);
  if (good && worker->settings->workload->make) good = worker->settings->workload->make(worker);
  if (!good || !pace_make(worker) || !sessions_make(worker)) return false;
  if (!client_make(worker, message, size)) return false;
  if (!pthread_create(&machine->thread, NULL, worker_run, worker)) return true;
  snprintf(message, size, "a thread could not be made");
  wt_client_free(worker->client);
  worker->client = NULL;
  return false;
}

void worker_wake(struct bench_worker *worker) { uv_async_send(&worker->machine->wake); }

static void handle_close(uv_handle_t *handle, void *argument) {
  (void)argument;
  if (!uv_is_closing(handle)) uv_close(handle, NULL);
}

void worker_join(struct bench_worker *worker) {
  struct bench_machine *machine = worker->machine;
  if (!machine) return;
  if (worker->client) {
    pthread_join(machine->thread, NULL);
    wt_client_free(worker->client);
  }
  uv_walk(&machine->loop, handle_close, NULL);
  uv_run(&machine->loop, UV_RUN_DEFAULT);
  uv_loop_close(&machine->loop);
  if (machine->pace_fd >= 0) close(machine->pace_fd);
  free(machine);
  worker->machine = NULL;
  sessions_free(worker);
  if (worker->settings->workload->free) worker->settings->workload->free(worker);
}
