/* SPDX-License-Identifier: MIT */
/*
 * webtransport bench: a load generator for WebTransport servers. This file is the command: it starts the workers, lets
 * them begin together, shows progress, and adds up their results.
 *
 * The measured time begins when the sessions of all workers are open and --warmup is over. Processor time, of this
 * process and of a watched server, is counted within the measured time only: opening ten thousand sessions does not
 * count.
 */
#include "bench/bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/fan_board.h"
#include "common/clock.h"
#include "common/pattern.h"
#include "common/signals.h"

struct bench {
  struct bench_settings settings;
  struct bench_worker workers[BENCH_WORKERS_MAX];
  size_t started;
  struct bench_schedule schedule;
  struct fan_board board; /* of fan-out */
  bool progress;          /* lines are shown */
  uint64_t shown_at, shown_operations, shown_bytes;
};

/* --- Signals. --- */

static void bench_on_signal(int signal, void *user_data) {
  struct bench *bench = user_data;
  pthread_mutex_lock(&bench->schedule.lock);
  bool again = bench->schedule.stop;
  bench->schedule.stop = true;
  pthread_cond_signal(&bench->schedule.changed);
  pthread_mutex_unlock(&bench->schedule.lock);
  if (again) _exit(128 + signal); /* the second signal: ends at once, without results */
  for (size_t i = 0; i < bench->started; i++) worker_wake(&bench->workers[i]);
}

/* --- Progress. --- */

static void progress_show(struct bench *bench, const char *phase) {
  uint64_t now = clock_ns(), sessions = 0, operations = 0, bytes = 0;
  if (!bench->progress || now < bench->shown_at + NS_PER_S) return;
  for (size_t i = 0; i < bench->started; i++) {
    sessions += atomic_load_explicit(&bench->workers[i].live_sessions, memory_order_relaxed);
    operations += atomic_load_explicit(&bench->workers[i].live_operations, memory_order_relaxed);
    bytes += atomic_load_explicit(&bench->workers[i].live_bytes, memory_order_relaxed);
  }
  double seconds = (double)(now - bench->shown_at) / 1e9;
  fprintf(stderr, "\r\033[K%s: %llu sessions opened, %llu operations, %.0f/s, %.1f MB/s", phase,
          (unsigned long long)sessions, (unsigned long long)operations,
          (double)(operations - bench->shown_operations) / seconds,
          (double)(bytes - bench->shown_bytes) / seconds / 1e6);
  bench->shown_at = now;
  bench->shown_operations = operations;
  bench->shown_bytes = bytes;
}

static void progress_end(struct bench *bench) {
  if (bench->progress) fprintf(stderr, "\r\033[K");
}

/* --- The run. --- */

/* Waits until `*number` has reached the number of workers, or until the time `at`. The caller holds the lock. */
static void bench_wait(struct bench *bench, const size_t *number, uint64_t at, const char *phase) {
  while (*number < bench->started && clock_ns() < at) {
    uint64_t wake = clock_ns() + NS_PER_S < at ? clock_ns() + NS_PER_S : at;
    struct timespec time = clock_timespec(wake);
    pthread_cond_timedwait(&bench->schedule.changed, &bench->schedule.lock, &time);
    progress_show(bench, phase);
  }
}

static void usage_since(struct bench_usage *now, const struct bench_usage *before) {
  now->user -= before->user;
  now->system -= before->system;
}

/* From the first dial to the last answer. */
static void bench_measure(struct bench *bench, struct bench_outcome *outcome) {
  const struct bench_settings *settings = &bench->settings;
  struct bench_usage own, server = {0};
  pthread_mutex_lock(&bench->schedule.lock);
  bench_wait(bench, &bench->schedule.ready, UINT64_MAX, "opening");
  bench->schedule.from = clock_ns() + settings->warmup_ns;
  bench->schedule.until = settings->duration_ns ? bench->schedule.from + settings->duration_ns : UINT64_MAX;
  bench->schedule.known = true;
  if (settings->warmup_ns) {
    for (size_t i = 0; i < bench->started; i++) worker_wake(&bench->workers[i]);
    bench_wait(bench, &bench->schedule.finished, bench->schedule.from, "warming up");
  }
  usage_read(0, &own);
  outcome->has_server = settings->watch && usage_read(settings->watch, &server);
  if (!settings->warmup_ns)
    for (size_t i = 0; i < bench->started; i++) worker_wake(&bench->workers[i]);
  bench_wait(bench, &bench->schedule.finished, UINT64_MAX, "running");
  uint64_t now = clock_ns();
  outcome->seconds = (double)((now < bench->schedule.until ? now : bench->schedule.until) - bench->schedule.from) / 1e9;
  if (now < bench->schedule.from) outcome->seconds = 0;
  outcome->interrupted = bench->schedule.stop;
  usage_read(0, &outcome->own);
  usage_since(&outcome->own, &own);
  outcome->has_server = outcome->has_server && usage_read(settings->watch, &outcome->server);
  usage_since(&outcome->server, &server);
  pthread_mutex_unlock(&bench->schedule.lock);
  progress_end(bench);
}

static int status_of(const struct bench_result *total) {
  const uint64_t *faults = total->faults;
  if (faults[FAULT_DIAL] && total->sessions_opened == 0) return exit_of_error(total->dial_error);
  if (faults[FAULT_MISMATCH] || faults[FAULT_STREAM] || faults[FAULT_INTERNAL]) return EXIT_FAILED;
  if (faults[FAULT_STALLED]) return EXIT_TIMEOUT;
  if (faults[FAULT_LOST]) return EXIT_CLOSED;
  return faults[FAULT_DIAL] ? exit_of_error(total->dial_error) : EXIT_DONE;
}

static void faults_print(const struct bench_result *total) {
  static const char *const help[] = {
#define FAULT_HELP(name, word, text) text,
      BENCH_FAULTS(FAULT_HELP)
#undef FAULT_HELP
  };
  for (int i = 0; i < FAULT_COUNT; i++)
    if (total->faults[i])
      fprintf(stderr, "webtransport bench: %s: %llu; the first: %s\n", help[i], (unsigned long long)total->faults[i],
              total->messages[i]);
}

static int bench_finish(struct bench *bench, struct bench_outcome *outcome) {
  const struct bench_settings *settings = &bench->settings;
  struct bench_result *total = outcome->total;
  for (size_t i = 0; i < bench->started; i++) result_merge(total, &bench->workers[i].result);
  /* With --count, the measured time ends with the last operation. */
  if (settings->count && total->last_ns > bench->schedule.from && total->last_ns < bench->schedule.until)
    outcome->seconds = (double)(total->last_ns - bench->schedule.from) / 1e9;
  outcome->answer_seconds = outcome->seconds;
  if (settings->rate && total->last_ns > bench->schedule.from + (uint64_t)(outcome->seconds * 1e9))
    outcome->answer_seconds = (double)(total->last_ns - bench->schedule.from) / 1e9;
  if (total->datagrams_lost && total->operations == 0 && !total->faults[FAULT_STALLED]++)
    snprintf(total->messages[FAULT_STALLED], BENCH_MESSAGE_SIZE, "not one datagram came back");
  outcome->status = status_of(total);
  faults_print(total);
  bool opened = total->sessions_opened > 0;
  if ((settings->json || opened) && !report_bench(settings, outcome)) return EXIT_FAILED;
  return outcome->status;
}

static bool board_make(struct bench *bench) {
  const struct bench_settings *settings = &bench->settings;
  if (!(settings->workload->takes & TAKES_PUBLISHERS)) return true;
  if (fan_board_init(&bench->board, (size_t)settings->publishers, settings->sessions, (size_t)settings->workers))
    return true;
  fprintf(stderr, "webtransport bench: out of memory\n");
  return false;
}

static bool workers_start(struct bench *bench) {
  const struct bench_settings *settings = &bench->settings;
  char message[512];
  size_t len;
  if (!board_make(bench)) return false;
  (void)pattern_bytes(0, 1, &len); /* makes the pattern, before there are threads that read it */
  for (size_t i = 0; i < settings->workers; i++) {
    struct bench_worker *worker = &bench->workers[i];
    uint64_t sessions = settings->sessions / settings->workers + (i < settings->sessions % settings->workers);
    uint64_t count = settings->count / settings->workers + (i < settings->count % settings->workers);
    worker->settings = settings;
    worker->schedule = &bench->schedule;
    worker->board = &bench->board;
    worker->all = bench->workers;
    worker->index = i;
    worker->session_count = (size_t)sessions;
    worker->budget = settings->count ? count : UINT64_MAX;
    bool good = worker_start(worker, message, sizeof message);
    if (good) {
      bench->started++;
      continue;
    }
    fprintf(stderr, "webtransport bench: %s\n", message);
    worker_join(worker);
    return false;
  }
  return true;
}

static int bench_execute(struct bench *bench) {
  struct bench_outcome outcome = {.total = calloc(1, sizeof *outcome.total)};
  struct signals signals;
  int status = EXIT_FAILED;
  signals_block(&signals, false);
  bool good = outcome.total && workers_start(bench);
  if (good) good = signals_start(&signals, bench_on_signal, bench);
  if (good) {
    bench_measure(bench, &outcome);
  } else {
    bench->schedule.stop = true;
    for (size_t i = 0; i < bench->started; i++) worker_wake(&bench->workers[i]);
  }
  signals_stop(&signals);
  for (size_t i = 0; i < bench->started; i++) worker_join(&bench->workers[i]);
  if (good) status = bench_finish(bench, &outcome);
  free(outcome.total);
  return status;
}

static int bench_run(const struct command *command, int argc, char **argv) {
  struct bench *bench = calloc(1, sizeof *bench);
  int status = EXIT_FAILED;
  if (!bench) {
    fprintf(stderr, "webtransport bench: out of memory\n");
    return EXIT_FAILED;
  }
  bench_settings_default(&bench->settings);
  schedule_init(&bench->schedule);
  bench->progress = isatty(STDERR_FILENO);
  switch (options_parse(command, argc, argv, &bench->settings)) {
    case OPTIONS_HELP: status = EXIT_DONE; break;
    case OPTIONS_WRONG: status = EXIT_USAGE; break;
    case OPTIONS_RUN:
      status = bench_settings_finish(&bench->settings, command) ? client_settings_load(&bench->settings.client, command)
                                                                : EXIT_USAGE;
      if (status == EXIT_DONE) status = bench_execute(bench);
      break;
  }
  client_settings_free(&bench->settings.client);
  schedule_free(&bench->schedule);
  fan_board_free(&bench->board);
  free(bench);
  return status;
}

static const struct operand_spec bench_operands[] = {CLIENT_OPERAND, {0}};

static const struct example_spec bench_examples[] = {
    {"webtransport bench --workload setup --sessions 8 https://localhost:4433", "Sessions a second."},
    {"webtransport bench --workload download --streams 100 https://localhost:4433", "Bytes a second."},
    {"webtransport bench --sessions 1000 --rate 10000 --workers 2 https://localhost:4433",
     "Latencies of 1,000 sessions with 10 messages a second each."},
    {"webtransport bench --workload tick --sessions 200 --watch PID https://localhost:4433",
     "200 players at 60 Hz: how far from the tick their datagrams come."},
    {"webtransport bench -w fan-out --sessions 1000 --rate 20 --watch PID https://localhost:4433",
     "20 messages a second to 1,000 subscribers: how late, and what each delivery costs the server."},
    {0},
};

const struct command bench_command = {
    .name = "bench",
    .summary = "Load a server and measure it",
    .details =
        "Workloads, and the path that each uses where the URL has none:\n"
        "setup opens and closes sessions (/echo); with --size, after a message on a stream that comes back.\n"
        "download reads unidirectional streams (/source?bytes=SIZE&streams=STREAMS).\n"
        "upload writes bidirectional streams, which the server answers with {\"bytes\":N} (/sink).\n"
        "echo sends messages on standing bidirectional streams, which come back (/echo).\n"
        "stream-echo sends each message on a stream of its own (/echo).\n"
        "datagram-echo sends them as datagrams (/echo).\n"
        "tick plays a game: sessions send and get datagrams, all from one timer (/tick?hz=HZ&bytes=SIZE).\n"
        "fan-out subscribes sessions to a topic, and some of them publish; an operation is a delivery "
        "(/topic/bench?delivery=DELIVERY).\n"
        "idle holds sessions open (/echo).\n"
        "\n"
        "What comes back is compared with what was sent. Any error makes the exit status nonzero; lost datagrams "
        "are none, as long as one came. Ctrl-C ends the run early and still prints the results.",
    .options = bench_options,
    .operands = bench_operands,
    .examples = bench_examples,
    .exits = EXITS_CLIENT,
    .run = bench_run,
};
