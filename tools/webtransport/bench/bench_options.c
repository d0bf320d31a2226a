/* SPDX-License-Identifier: MIT */
/*
 * The options of `webtransport bench`. An option that the workload does not use is refused, not ignored: a user must
 * not believe that it had an effect on the measurement.
 */
#include <stdio.h>
#include <string.h>

#include "bench/bench.h"
#include "common/clock.h"
#include "common/tick.h"
#include "common/values.h"

#define WORKLOADS "setup download upload echo stream-echo datagram-echo tick fan-out idle"

#define DELIVERIES "datagram streams stream"

static const char *const delivery_names[] = {"datagram", "streams", "stream", NULL}; /* by enum bench_delivery */

const char *bench_delivery_name(enum bench_delivery delivery) { return delivery_names[delivery]; }

enum {
  SESSIONS_MAX = 1000000,
  STREAMS_MAX = 100000,
  OUTSTANDING_MAX = 100000,
  PLACES_MAX = 100000000, /* sessions times streams times outstanding: 8 bytes each */
  DATAGRAM_PATIENCE_S = 1,
  PATIENCE_S = 10,
  PAIRS_MAX = 10000000, /* of a publisher and a subscriber: 16 bytes each */
};

static const struct workload *const workloads[] = {
    &setup_workload,       &download_workload,      &upload_workload, &echo_workload,    &idle_workload,
    &stream_echo_workload, &datagram_echo_workload, &tick_workload,   &fan_out_workload, NULL,
};

static bool number_set(void *target, uint64_t *number, uint64_t max, unsigned taken, const char *value, char *message,
                       size_t size) {
  ((struct bench_settings *)target)->given |= taken;
  return value_number(value, 1, max, number, message, size);
}

#define NUMBER_SETTER(field, max, taken)                                                                    \
  static bool set_##field(void *target, const char *value, char *message, size_t size) {                    \
    return number_set(target, &((struct bench_settings *)target)->field, max, taken, value, message, size); \
  }

NUMBER_SETTER(sessions, SESSIONS_MAX, 0)
NUMBER_SETTER(streams, STREAMS_MAX, TAKES_STREAMS)
NUMBER_SETTER(outstanding, OUTSTANDING_MAX, TAKES_OUTSTANDING)
NUMBER_SETTER(count, UINT64_C(1000000000000), TAKES_COUNT)
NUMBER_SETTER(workers, BENCH_WORKERS_MAX, 0)
NUMBER_SETTER(rate, 1000000000, TAKES_RATE)
NUMBER_SETTER(hz, TICK_HZ_MAX, TAKES_HZ)
NUMBER_SETTER(publishers, SESSIONS_MAX, TAKES_PUBLISHERS)
NUMBER_SETTER(dials, 10000, 0)
NUMBER_SETTER(watch, INT32_MAX, 0)

static bool set_workload(void *target, const char *value, char *message, size_t size) {
  for (size_t i = 0; workloads[i]; i++) {
    if (strcmp(workloads[i]->name, value)) continue;
    ((struct bench_settings *)target)->workload = workloads[i];
    return true;
  }
  return value_refuse(message, size, "there is no such workload");
}

static bool set_size(void *target, const char *value, char *message, size_t size) {
  struct bench_settings *settings = target;
  settings->given |= TAKES_SIZE;
  return value_size(value, 0, UINT64_C(1) << 40, &settings->size, message, size);
}

static bool set_duration(void *target, const char *value, char *message, size_t size) {
  struct bench_settings *settings = target;
  settings->duration_given = true;
  return value_time(value, NS_PER_MS, NS_PER_DAY, &settings->duration_ns, message, size);
}

static bool set_warmup(void *target, const char *value, char *message, size_t size) {
  return value_time(value, 0, NS_PER_HOUR, &((struct bench_settings *)target)->warmup_ns, message, size);
}

static bool set_patience(void *target, const char *value, char *message, size_t size) {
  struct bench_settings *settings = target;
  settings->patience_given = true;
  return value_time(value, NS_PER_MS, NS_PER_HOUR, &settings->patience_ns, message, size);
}

static bool set_delivery(void *target, const char *value, char *message, size_t size) {
  struct bench_settings *settings = target;
  settings->given |= TAKES_DELIVERY;
  for (int i = 0; delivery_names[i]; i++) {
    if (strcmp(delivery_names[i], value)) continue;
    settings->delivery = (enum bench_delivery)i;
    return true;
  }
  return value_refuse(message, size, "there is no such delivery");
}

static bool set_resume(void *target, const char *value, char *message, size_t size) {
  struct bench_settings *settings = target;
  (void)value, (void)message, (void)size;
  settings->given |= TAKES_RESUME;
  return settings->resume = true;
}

static bool set_pooled(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  return ((struct bench_settings *)target)->pooled = true;
}

static bool set_json(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  return ((struct bench_settings *)target)->json = true;
}

const struct option_spec bench_options[] = {
    {.name = "workload",
     .letter = 'w',
     .argument = "NAME",
     .kind = VALUE_WORD,
     .words = WORKLOADS,
     .fallback = "echo",
     .help = "What to do; see below.",
     .set = set_workload},
    {.name = "sessions",
     .letter = 'n',
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "1",
     .help = "Sessions in all; of setup, how many are on their way at a time.",
     .set = set_sessions},
    {.name = "streams",
     .letter = 's',
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "1",
     .help = "Streams of each session.",
     .set = set_streams},
    {.name = "size",
     .letter = 'b',
     .argument = "BYTES",
     .fallback = "100 of a message, none with setup, 60 of tick, 1T of a stream with --duration, 1M of one with --count",
     .help = "Bytes of a message, or of a stream of download and upload.",
     .set = set_size},
    {.name = "outstanding",
     .letter = 'O',
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "1, or 100 with --rate",
     .help = "Messages in flight at a time: on each stream of echo, in each session of stream-echo and datagram-echo.",
     .set = set_outstanding},
    {.name = "duration",
     .letter = 'd',
     .argument = "TIME",
     .fallback = "10s, without --count",
     .help = "How long to measure.",
     .set = set_duration},
    {.name = "count",
     .letter = 'c',
     .argument = "N",
     .kind = VALUE_NUMBER,
     .help = "Ends after this many operations.",
     .set = set_count},
    {.name = "warmup",
     .argument = "TIME",
     .fallback = "0",
     .help = "Runs the load for this long before it is measured.",
     .set = set_warmup},
    {.name = "workers",
     .letter = 'W',
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "1",
     .help = "Threads, each with a client of its own and its share of the sessions.",
     .set = set_workers},
    {.name = "rate",
     .letter = 'r',
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "the next operation begins when one is answered",
     .help =
         "Operations a second in all, begun at fixed times; latencies count from those, whether or not an operation "
         "could begin then.",
     .set = set_rate},
    {.name = "hz",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "60",
     .help = "Of tick: datagrams a second that each player sends, and that the server sends to each.",
     .set = set_hz},
    {.name = "publishers",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "one for each worker",
     .help = "Of fan-out: how many of the sessions publish. Each worker needs one.",
     .set = set_publishers},
    {.name = "delivery",
     .argument = "NAME",
     .kind = VALUE_WORD,
     .words = DELIVERIES,
     .fallback = "datagram",
     .help = "Of fan-out: how messages travel, as datagrams, each on a stream, or to subscribers all on one stream.",
     .set = set_delivery},
    {.name = "resume", .help = "Resumes TLS sessions, of setup.", .set = set_resume},
    {.name = "pooled", .help = "Lets sessions share connections.", .set = set_pooled},
    {.name = "dials",
     .argument = "N",
     .kind = VALUE_NUMBER,
     .fallback = "64",
     .help = "Sessions that are being opened at a time, before the load begins.",
     .set = set_dials},
    {.name = "patience",
     .argument = "TIME",
     .fallback = "10s, and 1s of datagrams",
     .help = "How long to wait for an answer. Later a datagram is lost, and another operation an error.",
     .set = set_patience},
    {.name = "watch",
     .argument = "PID",
     .kind = VALUE_NUMBER,
     .help = "Tells the processor time that this process, the server, takes while it is measured, and its memory.",
     .set = set_watch},
    {.name = "json", .letter = 'j', .help = "Prints the results as JSON.", .set = set_json},
    CLIENT_OPTIONS,
    {0},
};

void bench_settings_default(struct bench_settings *settings) {
  *settings = (struct bench_settings){
      .workload = &echo_workload,
      .sessions = 1,
      .streams = 1,
      .workers = 1,
      .dials = 64,
      .hz = TICK_HZ_DEFAULT,
  };
  client_settings_default(&settings->client);
}

static const struct {
  unsigned bit;
  const char *name;
} takes_names[] = {
    {TAKES_STREAMS, "streams"},
    {TAKES_SIZE, "size"},
    {TAKES_OUTSTANDING, "outstanding"},
    {TAKES_RATE, "rate"},
    {TAKES_COUNT, "count"},
    {TAKES_RESUME, "resume"},
    {TAKES_HZ, "hz"},
    {TAKES_PUBLISHERS, "publishers"},
    {TAKES_DELIVERY, "delivery"},
};

static bool takes_check(const struct bench_settings *settings, const struct command *command) {
  unsigned wrong = settings->given & ~settings->workload->takes;
  for (size_t i = 0; i < sizeof takes_names / sizeof takes_names[0]; i++) {
    if (!(wrong & takes_names[i].bit)) continue;
    options_complain(command, "--%s has no meaning for the workload %s", takes_names[i].name, settings->workload->name);
    return false;
  }
  return true;
}

static bool size_finish(struct bench_settings *settings, const struct command *command) {
  const struct workload *workload = settings->workload;
  if (!(workload->takes & TAKES_SIZE)) return true;
  if (!(settings->given & TAKES_SIZE))
    settings->size = workload->endless && settings->count ? 1 << 20 : workload->default_size;
  if (settings->size >= workload->min_size && settings->size <= workload->max_size) return true;
  options_complain(command, "--size: %s takes from %llu to %llu bytes", workload->name,
                   (unsigned long long)workload->min_size, (unsigned long long)workload->max_size);
  return false;
}

/* The server of tick has to know how often, and how large; that of fan-out, how to deliver. */
static bool query_finish(struct bench_settings *settings, size_t len) {
  size_t room = sizeof settings->url - len;
  char between = strchr(settings->url, '?') ? '&' : '?';
  int more = 0;
  if (settings->workload->takes & TAKES_HZ)
    more = snprintf(settings->url + len, room, "%chz=%llu&bytes=%llu", between, (unsigned long long)settings->hz,
                    (unsigned long long)settings->size);
  if (settings->workload->takes & TAKES_DELIVERY)
    more = snprintf(settings->url + len, room, "%cdelivery=%s", between, delivery_names[settings->delivery]);
  return more >= 0 && (size_t)more < room;
}

/* A URL without a path, or with "/" alone, gets the workload's. */
static bool url_finish(struct bench_settings *settings, const struct command *command) {
  const char *url = settings->client.url;
  const char *host = strstr(url, "://") + 3; /* it was checked: https:// */
  const char *path = host + strcspn(host, "/?#");
  int len = path[0] == 0 || !strcmp(path, "/") ? snprintf(settings->url, sizeof settings->url, "%.*s%s",
                                                          (int)(path - url), url, settings->workload->path)
                                               : snprintf(settings->url, sizeof settings->url, "%s", url);
  if (len >= 0 && (size_t)len < sizeof settings->url && query_finish(settings, (size_t)len)) return true;
  options_complain(command, "the URL is too long");
  return false;
}

static bool publishers_finish(struct bench_settings *settings, const struct command *command) {
  if (!(settings->workload->takes & TAKES_PUBLISHERS)) return true;
  if (!settings->publishers) settings->publishers = settings->workers;
  const char *wrong = NULL;
  if (settings->sessions < 2)
    wrong = "--sessions: fan-out needs two at least, one that publishes and one that gets it";
  else if (settings->publishers > settings->sessions)
    wrong = "--publishers: there are not as many sessions as that";
  else if (settings->publishers < settings->workers)
    wrong = "--publishers: each of the --workers needs one";
  else if (settings->publishers > PAIRS_MAX / settings->sessions)
    wrong = "--publishers and --sessions make more than 10,000,000 pairs";
  if (wrong) options_complain(command, "%s", wrong);
  return !wrong;
}

/* How long to wait for what may be lost, and for what may not. */
static uint64_t patience_default(const struct bench_settings *settings) {
  bool streams = settings->workload->takes & TAKES_DELIVERY && settings->delivery != BENCH_DELIVERY_DATAGRAM;
  return (settings->workload->expire && !streams ? DATAGRAM_PATIENCE_S : PATIENCE_S) * NS_PER_S;
}

bool bench_settings_finish(struct bench_settings *settings, const struct command *command) {
  const struct workload *workload = settings->workload;
  if (!takes_check(settings, command) || !size_finish(settings, command) || !url_finish(settings, command))
    return false;
  if (workload->takes & TAKES_HZ) settings->rate = settings->hz * settings->sessions;
  if (!settings->outstanding) settings->outstanding = settings->rate ? 100 : 1;
  if (!settings->duration_given && !settings->count) settings->duration_ns = 10 * NS_PER_S;
  if (!settings->patience_given) settings->patience_ns = patience_default(settings);
  if (settings->workers > settings->sessions) {
    options_complain(command, "--workers: there are not as many sessions as that");
    return false;
  }
  if (!publishers_finish(settings, command)) return false;
  if (settings->sessions > PLACES_MAX / settings->streams ||
      settings->sessions * settings->streams > PLACES_MAX / settings->outstanding) {
    options_complain(command, "--sessions, --streams and --outstanding make more than %d operations in flight",
                     PLACES_MAX);
    return false;
  }
  return true;
}
