/* SPDX-License-Identifier: MIT */

/*
 * What a server has counted, as metrics: `wt_server_write_metrics`. One list says how each member of `struct
 * wt_server_stats` is called there. Names have base units (seconds, bytes) at their end. metrics_text.c writes the lines.
 */

#include <stddef.h>

#include "base/clock.h"
#include "core/ending.h"
#include "core/measures.h"
#include "net/config.h"
#include "net/metrics_text.h"
#include "net/server_state.h"

/* Member, name, kind, unit, meaning. */
#define COUNTS(X)                                                                                                      \
  X(connections_open, "connections_open", GAUGE, "", "Connections that are open")                                      \
  X(connections_total, "connections", COUNTER, "", "Connections since the start")                                      \
  X(connections_refused, "connections_refused", COUNTER, "", "Connections refused because others were open")           \
  X(sessions_open, "sessions_open", GAUGE, "", "WebTransport sessions that are open")                                  \
  X(sessions_total, "sessions", COUNTER, "", "WebTransport sessions since the start")                                  \
  X(requests_total, "requests", COUNTER, "", "HTTP/3 requests since the start, also for sessions")                     \
  X(handshakes_open, "handshakes_open", GAUGE, "", "Handshakes that are not finished")                                 \
  X(handshakes_evicted, "handshakes_evicted", COUNTER, "", "Unfinished handshakes that gave way to new ones")          \
  X(handshakes_dropped, "handshakes_dropped", COUNTER, "",                                                             \
    "Handshakes dropped because those of an address gave way too often")                                               \
  X(packets_received, "packets_received", COUNTER, "", "UDP datagrams received")                                       \
  X(packets_sent, "packets_sent", COUNTER, "", "UDP datagrams sent")                                                   \
  X(bytes_received, "received_bytes", COUNTER, "bytes", "UDP payload received")                                        \
  X(bytes_sent, "sent_bytes", COUNTER, "bytes", "UDP payload sent")                                                    \
  X(packets_handed_over, "packets_handed_over", COUNTER, "", "Packets that the socket of another worker received")     \
  X(packets_dropped, "packets_dropped", COUNTER, "", "Such packets dropped because too many of them waited")           \
  X(memory_used, "memory_used_bytes", GAUGE, "bytes", "Memory that connections hold")                                  \
  X(memory_refused_connections, "memory_refused_connections", COUNTER, "",                                             \
    "Connections refused because memory was full")                                                                     \
  X(memory_refused_requests, "memory_refused_requests", COUNTER, "", "Requests refused because memory was full")       \
  X(memory_refused_packets, "memory_refused_packets", COUNTER, "", "Packets refused because memory was full")          \
  X(memory_closed_connections, "memory_closed_connections", COUNTER, "", "Connections closed because of their memory") \
  X(streams_given_up, "streams_given_up", COUNTER, "", "Streams given up because the client did not move them")        \
  X(datagrams_sent, "datagrams_sent", COUNTER, "", "Datagrams of sessions sent")                                       \
  X(datagrams_dropped, "datagrams_dropped", COUNTER, "", "Datagrams of sessions dropped because too many waited")      \
  X(datagrams_expired, "datagrams_expired", COUNTER, "", "Datagrams of sessions dropped because they waited too long") \
  X(long_turns, "long_turns", COUNTER, "", "Turns of the loop of more than 10 ms")                                     \
  X(packets_put_off, "packets_put_off", COUNTER, "", "Packets put off because their connection took long")             \
  X(packets_cut_off, "packets_cut_off", COUNTER, "", "Packets dropped because too many were put off")                  \
  X(turns, "turns", COUNTER, "", "Turns of the loop")                                                                  \
  X(turns_idle, "turns_idle", COUNTER, "", "Turns of the loop in which no packet came or went")                        \
  X(timers_set, "timers_set", COUNTER, "", "Times that the timer of the kernel was set")                               \
  X(timers_fired, "timers_fired", COUNTER, "", "Turns of the loop that a timer began")                                 \
  X(packets_sent_ack, "packets_sent_ack", COUNTER, "", "UDP datagrams sent with nothing but an acknowledgement")       \
  X(packets_sent_probe, "packets_sent_probe", COUNTER, "", "UDP datagrams sent only to be acknowledged")               \
  X(takeover_packets_out, "takeover_packets_out", COUNTER, "", "Packets handed to an older process")                   \
  X(takeover_packets_in, "takeover_packets_in", COUNTER, "", "Packets that a newer process handed over")               \
  X(takeover_packets_dropped, "takeover_packets_dropped", COUNTER, "", "Packets lost on the way between processes")

/* Members in microseconds. */
#define TIMES(X)                                                                                          \
  X(longest_datagram_delay_us, "longest_datagram_delay_seconds", "Longest wait of a datagram to be sent") \
  X(longest_turn_us, "longest_turn_seconds", "Longest turn of the loop")                                  \
  X(current_turn_us, "current_turn_seconds", "Longest turn that goes on now; seconds: a worker hangs")    \
  X(longest_visit_us, "longest_visit_seconds", "Longest time that one connection took in a turn")

static void counts_write(struct wt__metrics_text *text, const struct wt_server_stats *stats) {
#define COUNT_WRITE(member, name, kind, unit, help)               \
  wt__metrics_family(text, name, WT__METRICS_##kind, unit, help); \
  wt__metrics_sample(text, NULL, 0, stats->member);
  COUNTS(COUNT_WRITE)
#undef COUNT_WRITE
#define TIME_WRITE(member, name, help)                                \
  wt__metrics_family(text, name, WT__METRICS_GAUGE, "seconds", help); \
  wt__metrics_sample_ns(text, NULL, 0, stats->member *WT__NS_PER_US);
  TIMES(TIME_WRITE)
#undef TIME_WRITE
}

static void congestion_write(struct wt__metrics_text *text, const struct wt_server_stats *stats) {
  const struct wt__metrics_label label = {"algorithm", wt_congestion_control_name(stats->congestion_control)};
  wt__metrics_family(text, "congestion_control", WT__METRICS_GAUGE, "", "What decides how fast the server sends");
  wt__metrics_sample(text, &label, 1, 1);
}

/* --- What bounds the server, and how long it goes on --- */

static void gauge_write(struct wt__metrics_text *text, const char *name, const char *unit, uint64_t value,
                        const char *help) {
  wt__metrics_family(text, name, WT__METRICS_GAUGE, unit, help);
  wt__metrics_sample(text, NULL, 0, value);
}

static void bounds_write(struct wt__metrics_text *text, const wt_server *server) {
  int64_t end = atomic_load_explicit(&server->certificate_expires_at, memory_order_relaxed);
  gauge_write(text, "connections_limit", "", server->config.max_connections, "Connections that may be open");
  gauge_write(text, "memory_limit_bytes", "bytes", server->config.max_memory,
              "Memory that connections may hold; 0: no limit");
  gauge_write(text, "draining", "", atomic_load_explicit(&server->draining, memory_order_relaxed),
              "1 once the server has been told to end");
  gauge_write(text, "certificate_expires_at_seconds", "seconds", end > 0 ? (uint64_t)end : 0,
              "End of the validity of the certificate that expires first, since 1970");
}

/* --- What workers measure --- */

/* `offset` is that of a histogram in `struct wt__measures`. */
static void histogram_write(struct wt__metrics_text *text, const wt_server *server, size_t offset, const char *name,
                            const char *help) {
  const struct wt__histogram *histograms[WT__WORKERS_MAX];
  for (unsigned i = 0; i < server->worker_count; i++) {
    histograms[i] = (const void *)((const char *)&server->workers[i].measures + offset);
  }
  wt__metrics_family(text, name, WT__METRICS_HISTOGRAM, "seconds", help);
  wt__metrics_histogram(text, histograms, server->worker_count);
}

static void histograms_write(struct wt__metrics_text *text, const wt_server *server) {
  histogram_write(text, server, offsetof(struct wt__measures, handshake), "handshake_duration_seconds",
                  "Time from a client's first packet to the end of its handshake");
  histogram_write(text, server, offsetof(struct wt__measures, accept), "session_accept_duration_seconds",
                  "Time from the request for a session to the answer, also if it was refused");
  histogram_write(text, server, offsetof(struct wt__measures, session), "session_duration_seconds",
                  "Time from a session's beginning to its end");
  histogram_write(text, server, offsetof(struct wt__measures, round_trip), "connection_round_trip_seconds",
                  "Smoothed round-trip time at the end of a connection");
}

static uint64_t answers_of(const wt_server *server, unsigned class) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < server->worker_count; i++) {
    sum += atomic_load_explicit(&server->workers[i].measures.answers[class], memory_order_relaxed);
  }
  return sum;
}

static void answers_write(struct wt__metrics_text *text, const wt_server *server) {
  static const char *const classes[] = {"2xx", "3xx", "4xx", "5xx"};
  wt__metrics_family(text, "responses", WT__METRICS_COUNTER, "",
                     "Requests that got an answer, also those for sessions, by the class of its status");
  for (unsigned i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
    const struct wt__metrics_label label = {"class", classes[i]};
    wt__metrics_sample(text, &label, 1, answers_of(server, i + 2));
  }
}

static const struct {
  int draft;
  const char *name;
} drafts[] = {{2, "02"}, {7, "07"}, {13, "13"}, {15, "15"}};
#define DRAFTS (sizeof(drafts) / sizeof(*drafts))

static uint64_t accepted_of(const wt_server *server, int draft, int browser) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < server->worker_count; i++) {
    sum += atomic_load_explicit(&server->workers[i].measures.accepted[draft][browser], memory_order_relaxed);
  }
  return sum;
}

static void accepted_write(struct wt__metrics_text *text, const wt_server *server) {
  static const char *const browsers[] = {[WT__BROWSER_NONE] = "none",
                                         [WT__BROWSER_CHROMIUM] = "chromium",
                                         [WT__BROWSER_FIREFOX] = "firefox",
                                         [WT__BROWSER_SAFARI] = "safari",
                                         [WT__BROWSER_OTHER] = "other"};
  wt__metrics_family(text, "sessions_accepted", WT__METRICS_COUNTER, "",
                     "Sessions accepted, by draft, and by the family of browsers that the client seems to be of");
  for (size_t i = 0; i < DRAFTS; i++) {
    for (int browser = 0; browser < WT__BROWSER_COUNT; browser++) {
      const struct wt__metrics_label labels[] = {{"draft", drafts[i].name}, {"browser", browsers[browser]}};
      wt__metrics_sample(text, labels, 2, accepted_of(server, drafts[i].draft, browser));
    }
  }
}

static uint64_t ended_of(const wt_server *server, int draft, enum wt_cause cause) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < server->worker_count; i++) {
    sum += atomic_load_explicit(&server->workers[i].measures.ended[draft][cause], memory_order_relaxed);
  }
  return sum;
}

/* All that there can be, also those that are 0, so that the first one is a change that a reader sees. */
static void ended_write(struct wt__metrics_text *text, const wt_server *server) {
  wt__metrics_family(text, "sessions_ended", WT__METRICS_COUNTER, "",
                     "Sessions that ended, by cause, by who ended them, and by the draft that they spoke");
  for (size_t i = 0; i < DRAFTS; i++) {
    for (int cause = 0; cause < WT__MEASURES_CAUSES; cause++) {
      const struct wt__metrics_label labels[] = {
          {"cause", wt_cause_name((enum wt_cause)cause)},
          {"by", wt_party_name(wt__cause_party((enum wt_cause)cause))},
          {"draft", drafts[i].name},
      };
      wt__metrics_sample(text, labels, 3, ended_of(server, drafts[i].draft, (enum wt_cause)cause));
    }
  }
}

static void routes_write(struct wt__metrics_text *text, const struct wt__routes *routes) {
  wt__metrics_family(text, "route_requests", WT__METRICS_COUNTER, "",
                     "Requests that came to a route, also for sessions");
  for (size_t i = 0; i < routes->len; i++) {
    const struct wt__metrics_label label = {"route", routes->routes[i].pattern};
    wt__metrics_sample(text, &label, 1,
                       atomic_load_explicit(&routes->routes[i].counts->requests, memory_order_relaxed));
  }
  wt__metrics_family(text, "route_sessions", WT__METRICS_COUNTER, "", "Sessions that a route accepted");
  for (size_t i = 0; i < routes->len; i++) {
    const struct wt__metrics_label label = {"route", routes->routes[i].pattern};
    wt__metrics_sample(text, &label, 1,
                       atomic_load_explicit(&routes->routes[i].counts->sessions, memory_order_relaxed));
  }
}

int wt_server_write_metrics(const wt_server *server, enum wt_metrics_format format, wt_metrics_write_callback write,
                            void *user_data) {
  struct wt_server_stats stats = {.size = sizeof(stats)};
  if (!write || (format != WT_METRICS_OPENMETRICS && format != WT_METRICS_PROMETHEUS)) return WT_ERR_INVALID;
  int error = wt_server_get_stats(server, &stats);
  if (error) return error;
  struct wt__metrics_text text = {.format = format, .write = write, .user_data = user_data};
  congestion_write(&text, &stats);
  counts_write(&text, &stats);
  bounds_write(&text, server);
  accepted_write(&text, server);
  ended_write(&text, server);
  answers_write(&text, server);
  routes_write(&text, &server->routes);
  histograms_write(&text, server);
  wt__metrics_end(&text);
  return 0;
}

const char *wt_metrics_content_type(enum wt_metrics_format format) {
  return format == WT_METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                          : "text/plain; version=0.0.4; charset=utf-8";
}
