/* SPDX-License-Identifier: MIT */

/*
 * The clients of the takeover test, on the library's public API.
 *
 *     takeover_client PORT SESSIONS NEW-A-SECOND CERTIFICATE-SHA-256
 *
 * SESSIONS sessions, each on a connection of its own, with a stream on which a message goes to https://127.0.0.1:PORT/echo
 * each second and comes back. Besides, NEW-A-SECOND sessions a second begin, send one message, wait for it, and close.
 *
 * Standard input has commands, a line each; its end lets all messages come back, closes all sessions, and ends the program:
 *
 *     more N      N more sessions that stay
 *     loose       from now on a process is killed: new sessions may fail
 *
 * Standard output has a line of JSON five times a second, and one with "end" at last. "by" counts the sessions that began,
 * by the subprotocol that the server chose, so that each server has a name. A session that stays and ends, a dial that
 * fails, and a message that does not come back or comes back wrong are "lost", "failed" and "wrong".
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>
#include <webtransport/webtransport.h>

#include "client_input.h"

#define NAMES 6
#define MESSAGE_LEN 64
#define SECOND_MS 1000
#define DIALS_AT_ONCE_MS 4 /* between the first dials */
#define DIAL_TIMEOUT_MS 60000
#define LAST_MS 30000 /* for the last messages to come back */
#define STATUS_MS 200

struct guest {
  uv_timer_t timer;
  struct guest *next;
  bool stays, waiting, closing, begun;
  unsigned name;
  wt_session *session;
  wt_stream *stream;
  uint64_t number, sent_at;
  size_t got;
};

static struct {
  uv_loop_t loop;
  uv_timer_t fresh_timer, status_timer, end_timer;
  struct client_input input;
  wt_client *client;
  struct guest *guests;
  char url[64];
  uint8_t hash[1][32];
  unsigned rate;
  uint64_t began, fresh_dialed;
  bool stopping, closing, loose;
  uint64_t staying, sessions, sent, back, waiting, lost, failed, failed_loose, wrong, by[NAMES], by_new[NAMES];
  uint32_t *times; /* microseconds */
  size_t times_len, times_cap;
} all;

static const char *const names[NAMES] = {"gen-1", "gen-2", "gen-3", "gen-4", "gen-5", "gen-6"};

static void die(const char *what) {
  fprintf(stderr, "takeover_client: %s\n", what);
  exit(1);
}

/* --- What is told --- */

static void time_note(uint64_t ns) {
  if (all.times_len == all.times_cap) {
    all.times_cap = all.times_cap ? all.times_cap * 2 : 4096;
    all.times = realloc(all.times, all.times_cap * sizeof(*all.times));
    if (!all.times) die("out of memory");
  }
  all.times[all.times_len++] = (uint32_t)(ns / 1000);
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static double percentile(double part) {
  if (all.times_len == 0) return 0;
  size_t at = (size_t)(part * (double)(all.times_len - 1));
  return all.times[at] / 1000.0;
}

static void counts_print(const char *kind, const uint64_t *counts) {
  printf("\"%s\": {", kind);
  for (size_t i = 0; i < NAMES; i++) printf("%s\"%s\": %" PRIu64, i ? ", " : "", names[i], counts[i]);
  printf("}, ");
}

static void status_print(bool end) {
  if (end) qsort(all.times, all.times_len, sizeof(*all.times), compare);
  printf("{");
  counts_print("by", all.by);
  counts_print("by_new", all.by_new);
  if (end) {
    printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"longest_ms\": %.3f, \"end\": true, ",
           percentile(0.5), percentile(0.99), percentile(0.999), percentile(1));
  }
  printf("\"staying\": %" PRIu64 ", \"sessions\": %" PRIu64 ", \"sent\": %" PRIu64 ", \"back\": %" PRIu64
         ", \"lost\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"failed_loose\": %" PRIu64 ", \"wrong\": %" PRIu64 "}\n",
         all.staying, all.sessions, all.sent, all.back, all.lost, all.failed, all.failed_loose, all.wrong);
  fflush(stdout);
}

static void on_status(uv_timer_t *timer) {
  (void)timer;
  status_print(false);
}

/* --- Messages --- */

static uint8_t pattern(uint64_t number, size_t at) { return (uint8_t)(number * 31 + at * 7 + (number >> 8)); }

static void message_send(struct guest *guest) {
  uint8_t message[MESSAGE_LEN];
  for (size_t i = 0; i < sizeof(message); i++) message[i] = pattern(guest->number, i);
  guest->got = 0;
  guest->waiting = true;
  guest->sent_at = uv_hrtime();
  all.sent++;
  all.waiting++;
  if (wt_stream_write(guest->stream, message, sizeof(message), NULL)) all.wrong++;
}

static void guest_close(struct guest *guest) {
  if (guest->closing || !guest->session) return;
  guest->closing = true;
  uv_timer_stop(&guest->timer);
  (void)wt_session_close(guest->session, 0, "", 0);
}

static void on_second(uv_timer_t *timer) {
  struct guest *guest = timer->data;
  if (guest->waiting || all.stopping || !guest->session) return; /* one that is late shows in its time */
  guest->number++;
  message_send(guest);
}

static void end_if_done(void);

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct guest *guest = user_data;
  (void)stream, (void)fin;
  for (size_t i = 0; i < len; i++) {
    if (guest->got == MESSAGE_LEN || data[i] != pattern(guest->number, guest->got)) {
      all.wrong++;
      return;
    }
    guest->got++;
  }
  if (guest->got < MESSAGE_LEN || !guest->waiting) return;
  guest->waiting = false;
  all.waiting--;
  all.back++;
  time_note(uv_hrtime() - guest->sent_at);
  if (!guest->stays) guest_close(guest);
  end_if_done();
}

/* --- Sessions --- */

static void guest_on_closed(uv_handle_t *handle) {
  struct guest *guest = handle->data, **at = &all.guests;
  while (*at != guest) at = &(*at)->next;
  *at = guest->next;
  free(guest);
}

static void guest_end(struct guest *guest) {
  if (guest->waiting) all.waiting--;
  if (guest->stays && guest->begun) all.staying--;
  all.sessions--;
  uv_close((uv_handle_t *)&guest->timer, guest_on_closed);
  end_if_done();
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct guest *guest = user_data;
  (void)session;
  guest->session = NULL;
  if (!guest->closing) {
    fprintf(stderr, "takeover_client: a session with %s ended: %s %s\n", names[guest->name], wt_cause_name(info->cause),
            info->message);
    if (guest->stays || !all.loose)
      all.lost++;
    else
      all.failed_loose++;
  }
  guest_end(guest);
}

static unsigned name_find(const char *name) {
  for (unsigned i = 0; i < NAMES; i++)
    if (!strcmp(names[i], name)) return i;
  die("a server without a name");
  return 0;
}

static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  static const struct wt_stream_callbacks callbacks = {.on_data = on_data};
  struct guest *guest = user_data;
  (void)dial;
  if (!result->session) {
    if (!all.loose) fprintf(stderr, "takeover_client: a dial failed: %s\n", result->message);
    if (all.loose)
      all.failed_loose++;
    else
      all.failed++;
    guest_end(guest);
    return;
  }
  guest->session = result->session;
  guest->begun = true;
  guest->name = name_find(wt_session_protocol(guest->session));
  all.by[guest->name] += guest->stays;
  all.by_new[guest->name] += !guest->stays;
  if (guest->stays) all.staying++;
  if (wt_session_open_bidi(guest->session, &guest->stream)) die("no stream");
  wt_stream_set_callbacks(guest->stream, &callbacks, guest);
  guest->number = (uint64_t)rand();
  message_send(guest);
  if (guest->stays) uv_timer_start(&guest->timer, on_second, SECOND_MS, SECOND_MS);
}

static void guest_dial(struct guest *guest) {
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks session_callbacks = {.on_close = on_close};
  struct wt_dial_options options;
  wt_dial *dial;
  wt_dial_options_default(&options);
  options.callbacks = &dial_callbacks;
  options.session_callbacks = &session_callbacks;
  options.user_data = options.session_user_data = guest;
  options.protocols = names;
  options.protocol_count = NAMES;
  options.timeout_ms = DIAL_TIMEOUT_MS;
  if (wt_client_dial(all.client, all.url, &options, &dial)) die(wt_client_error(all.client));
}

static void on_dial(uv_timer_t *timer) {
  struct guest *guest = timer->data;
  guest_dial(guest);
}

static void guest_new(bool stays, uint64_t in_ms) {
  struct guest *guest = calloc(1, sizeof(*guest));
  if (!guest) die("out of memory");
  guest->stays = stays;
  guest->next = all.guests;
  all.guests = guest;
  all.sessions++;
  uv_timer_init(&all.loop, &guest->timer);
  guest->timer.data = guest;
  uv_timer_start(&guest->timer, on_dial, in_ms, 0);
}

/* As many as are due by now: a timer may be late. */
static void on_fresh(uv_timer_t *timer) {
  uint64_t due = (uv_hrtime() - all.began) * all.rate / UINT64_C(1000000000);
  (void)timer;
  for (; all.fresh_dialed < due; all.fresh_dialed++) guest_new(false, 0);
}

/* --- Beginning and end --- */

static void on_end(uv_timer_t *timer) {
  (void)timer;
  all.wrong += all.waiting; /* they have not come back */
  all.closing = true;
  for (struct guest *guest = all.guests; guest; guest = guest->next) guest_close(guest);
  end_if_done();
}

static void on_over(uv_timer_t *timer) {
  uv_close((uv_handle_t *)timer, NULL);
  uv_close((uv_handle_t *)&all.status_timer, NULL);
  uv_close((uv_handle_t *)&all.fresh_timer, NULL);
  status_print(true);
  wt_client_free(all.client);
}

/* First all messages come back, then all sessions are closed. */
static void end_if_done(void) {
  if (!all.stopping) return;
  if (all.closing && all.sessions == 0) {
    uv_timer_start(&all.end_timer, on_over, 0, 0);
  } else if (!all.closing && all.waiting == 0) {
    uv_timer_start(&all.end_timer, on_end, 0, 0);
  }
}

static void all_stop(void) {
  all.stopping = true;
  uv_timer_stop(&all.fresh_timer);
  uv_timer_start(&all.end_timer, on_end, LAST_MS, 0);
  end_if_done();
}

static void command_run(const char *command) {
  unsigned count;
  if (sscanf(command, "more %u", &count) == 1) {
    for (unsigned i = 0; i < count; i++) guest_new(true, i * (uint64_t)DIALS_AT_ONCE_MS);
  } else if (!strcmp(command, "loose")) {
    all.loose = true;
  } else {
    die("an unknown command");
  }
}

int main(int argc, char **argv) {
  struct wt_client_config config;
  char message[256];
  if (argc != 5 || !hash_parse(argv[4], all.hash[0])) {
    fprintf(stderr, "usage: takeover_client PORT SESSIONS NEW-A-SECOND CERTIFICATE-SHA-256\n");
    return 2;
  }
  all.input.on_line = command_run;
  all.input.on_end = all_stop;
  if (uv_loop_init(&all.loop)) return 1;
  snprintf(all.url, sizeof(all.url), "https://127.0.0.1:%d/echo", atoi(argv[1]));
  wt_client_config_default(&config);
  config.loop = &all.loop;
  config.certificate_hashes = all.hash;
  config.certificate_hash_count = 1;
  if (wt_client_new(&config, &all.client, message, sizeof(message))) die(message);
  for (int i = 0; i < atoi(argv[2]); i++) guest_new(true, (uint64_t)i * DIALS_AT_ONCE_MS);
  all.rate = (unsigned)atoi(argv[3]);
  all.began = uv_hrtime();
  uv_timer_init(&all.loop, &all.fresh_timer);
  uv_timer_init(&all.loop, &all.status_timer);
  uv_timer_init(&all.loop, &all.end_timer);
  uv_timer_start(&all.fresh_timer, on_fresh, 5, 5);
  uv_timer_start(&all.status_timer, on_status, STATUS_MS, STATUS_MS);
  if (!client_input_start(&all.input, &all.loop)) return 1;
  uv_run(&all.loop, UV_RUN_DEFAULT);
  (void)uv_loop_close(&all.loop);
  free(all.times);
  return all.lost || all.failed || all.wrong ? 1 : 0;
}
