/* SPDX-License-Identifier: MIT */
/* The client of the README. */

/* Says hello to an echo server on a stream and in a datagram, prints what comes back, and closes the session. */
#include <stdio.h>
#include <string.h>
#include <webtransport/webtransport.h>

#define WORDS "hello on a stream"
#define REASON "that was all"

/* The answer on the stream. Its end is the end of this visit. */
static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  (void)user_data;
  fwrite(data, 1, len, stdout);
  if (!fin) return;
  putchar('\n');
  wt_session_close(wt_stream_session(stream), 42, REASON, strlen(REASON));
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  (void)session;
  (void)user_data;
  printf("%.*s\n", (int)len, (const char *)data);
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  (void)session;
  printf("closed by %s: code %u, \"%s\"\n", wt_party_name(info->by), (unsigned)info->code, info->reason);
  *(bool *)user_data = info->clean;
}

/* There is a session, or a sentence that says why there is none. */
static void on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  const struct wt_stream_callbacks callbacks = {.on_data = on_data};
  static const char datagram[] = "hello in a datagram"; /* it may be lost, so nothing here waits for its answer */
  wt_stream *stream;
  size_t written;
  (void)dial;
  (void)user_data;
  if (!result->session) {
    fprintf(stderr, "no session: %s\n", result->message);
    return;
  }
  wt_session_send_datagram(result->session, datagram, strlen(datagram));
  if (wt_session_open_bidi(result->session, &stream) != 0) {
    wt_session_close(result->session, 1, "no stream", 9);
    return;
  }
  wt_stream_set_callbacks(stream, &callbacks, NULL);
  wt_stream_write(stream, WORDS, strlen(WORDS), &written); /* a few bytes always fit */
  wt_stream_end(stream);
}

static bool hash_parse(const char *hex, uint8_t hash[32]) {
  if (strlen(hex) != 64) return false;
  for (size_t i = 0; i < 32; i++)
    if (sscanf(hex + 2 * i, "%2hhx", &hash[i]) != 1) return false;
  return true;
}

int main(int argc, char **argv) {
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = on_done};
  static const struct wt_session_callbacks session_callbacks = {.on_datagram = on_datagram, .on_close = on_close};
  struct wt_client_config config;
  struct wt_dial_options options;
  wt_client *client;
  wt_dial *dial;
  uint8_t hash[1][32];
  char message[256];
  bool clean = false;
  if (argc < 2) return fprintf(stderr, "usage: %s URL [SHA-256 OF THE CERTIFICATE]\n", argv[0]), 2;
  wt_client_config_default(&config);
  if (argc > 2) {
    if (!hash_parse(argv[2], hash[0])) return fprintf(stderr, "a hash has 64 hexadecimal digits\n"), 2;
    config.certificate_hashes = hash;
    config.certificate_hash_count = 1;
  }
  if (wt_client_new(&config, &client, message, sizeof(message)) != 0) return fprintf(stderr, "%s\n", message), 1;
  wt_dial_options_default(&options);
  options.callbacks = &dial_callbacks;
  options.session_callbacks = &session_callbacks;
  options.session_user_data = &clean;
  if (wt_client_dial(client, argv[1], &options, &dial) == 0) {
    wt_client_run(client); /* until the session is closed, or there is none: nothing is left to do then */
  } else {
    fprintf(stderr, "%s\n", wt_client_error(client));
  }
  wt_client_free(client);
  return clean ? 0 : 1;
}
