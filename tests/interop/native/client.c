/* SPDX-License-Identifier: MIT */
/*
 * The client of the interop cases: what all cases share. A case is a list of steps (cases.c); each begins things
 * and counts them in `left`, and the next is taken when all of them have ended. A failure ends the program with
 * status 1 and a sentence; so does a step that takes longer than DEADLINE_MS.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

enum {
  DEADLINE_MS = 20000,
};

/* --- Steps --- */

static void run_end(struct run *run, int status) {
  if (run->over) return;
  run->over = true;
  run->closing = true;
  run->status = status;
  uv_timer_stop(&run->datagram_timer);
  /* After success the client has to end by itself, and all it has sent before. */
  if (status) wt_client_close(run->client);
}

void run_fail(struct run *run, const char *format, ...) {
  va_list arguments;
  if (run->over) return;
  va_start(arguments, format);
  fprintf(stderr, "%s, step %zu: ", run->play->name, run->step);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  run_end(run, 1);
}

static void run_advance(struct run *run) {
  while (!run->over && run->left == 0) {
    if (run->step == STEPS_MAX || !run->play->steps[run->step]) {
      run_end(run, 0);
      return;
    }
    run->left = 1; /* so that what ends at once does not advance */
    run->play->steps[run->step++](run);
    run->left--;
  }
}

void run_done(struct run *run) {
  if (run->over) return;
  run->left--;
  run_advance(run);
}

static void on_deadline(uv_timer_t *timer) {
  struct run *run = timer->data;
  if (run->over) {
    fprintf(stderr, "%s: the client did not end by itself\n", run->play->name);
    run->status = 1;
    wt_client_close(run->client);
  }
  run_fail(run, "timed out with %u things left", run->left);
}

/* --- Sessions --- */

struct run *lane_run(const struct lane *lane) {
  return lane->party->owner;
}

static void on_session_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct party *party = user_data;
  struct run *run = party->owner;
  bool awaited = party->session != NULL;
  (void)session;
  party_closed(party);
  run->close = *info;
  run->close.reason = NULL;
  snprintf(run->close_reason, sizeof run->close_reason, "%s", info->reason);
  if (run->over || !awaited) return;
  if (run->closing)
    run_done(run);
  else
    run_fail(run, "the session ended unasked, by %s, code %" PRIu32 " '%s', wire code %" PRIu64,
             wt_party_name(info->by), info->code, info->reason, info->wire_code);
}

static void on_session_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  const struct party *party = user_data;
  (void)session;
  datagram_arrived(party->owner, data, len);
}

static void on_dial_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct party *party = user_data;
  struct run *run = party->owner;
  (void)dial;
  if (run->over) return;
  if (run->expected_status) {
    if (result->session || result->status != run->expected_status)
      run_fail(run, "a session or another status than %d: %d, %s", run->expected_status, result->status,
               result->message);
  } else if (!result->session && !run->may_refuse) {
    run_fail(run, "no session: %s (status %d, stage %s)", result->message, result->status,
             wt_dial_stage_name(result->stage));
  }
  run->refused = result->session == NULL;
  party->session = result->session;
  if (result->session)
    snprintf(run->protocol_text, sizeof run->protocol_text, "%s", wt_session_protocol(result->session));
  run_done(run);
}

void run_dial(struct run *run, size_t index, const char *path, const char *const *protocols, size_t protocol_count,
              bool pooled, void (*accept)(struct lane *lane)) {
  struct wt_dial_options options;
  char url[512];
  wt_dial *dial;
  struct party *party = &run->parties[index];
  party_init(party, run, accept);
  wt_dial_options_default(&options);
  static const struct wt_dial_callbacks callbacks = {.on_done = on_dial_done};
  options.callbacks = &callbacks;
  options.user_data = party;
  static const struct wt_session_callbacks session_callbacks = {
      .on_stream = party_on_stream,
      .on_stream_credit = party_on_stream_credit,
      .on_datagram = on_session_datagram,
      .on_close = on_session_close,
  };
  options.session_callbacks = &session_callbacks;
  options.session_user_data = party;
  options.protocols = protocols;
  options.protocol_count = protocol_count;
  options.allow_pooling = pooled;
  snprintf(url, sizeof url, "%s%s", run->options->url, path);
  run->left++;
  int error = wt_client_dial(run->client, url, &options, &dial);
  if (error) run_fail(run, "dialling %s: %s, %s", url, wt_error_string(error), wt_client_error(run->client));
}

void run_close(struct run *run, size_t index, uint32_t code, const char *reason) {
  run->closing = true;
  run->left++;
  wt_session_close(run->parties[index].session, code, reason, strlen(reason));
}

/* --- The program --- */

static int run_play(struct run *run) {
  struct wt_client_config config;
  char message[256];
  uv_loop_init(&run->loop);
  uv_timer_init(&run->loop, &run->deadline);
  uv_timer_init(&run->loop, &run->datagram_timer);
  run->deadline.data = run->datagram_timer.data = run;
  wt_client_config_default(&config);
  config.loop = &run->loop;
  config.certificate_hashes = &run->options->hash;
  config.certificate_hash_count = 1;
  if (run->play->tiny) {
    config.wt_initial_max_data = config.wt_max_data = TINY_DATA;
    config.wt_max_streams_bidi = config.wt_max_streams_uni = TINY_STREAMS;
  }
  if (wt_client_new(&config, &run->client, message, sizeof message)) {
    fprintf(stderr, "%s\n", message);
    return 1;
  }
  uv_timer_start(&run->deadline, on_deadline, DEADLINE_MS, 0);
  uv_unref((uv_handle_t *)&run->deadline);
  run_advance(run);
  uv_run(&run->loop, UV_RUN_DEFAULT);
  uv_close((uv_handle_t *)&run->deadline, NULL);
  uv_close((uv_handle_t *)&run->datagram_timer, NULL);
  wt_client_free(run->client);
  uv_run(&run->loop, UV_RUN_DEFAULT);
  if (uv_loop_close(&run->loop)) {
    fprintf(stderr, "%s: handles are left on the loop\n", run->play->name);
    return 1;
  }
  if (!run->over) fprintf(stderr, "%s: the loop ended before the case did\n", run->play->name);
  return run->over ? run->status : 1;
}

int client_main(const struct options *options) {
  for (const struct play *play = plays; play->name; play++) {
    if (strcmp(play->name, options->case_name) != 0) continue;
    struct run *run = calloc(1, sizeof *run);
    if (!run) return 1;
    run->options = options;
    run->play = play;
    int status = run_play(run);
    free(run);
    return status;
  }
  fprintf(stderr, "no case is called '%s'\n", options->case_name);
  return 2;
}
