/* SPDX-License-Identifier: MIT */
#ifndef WT_E2E_PAIR_H
#define WT_E2E_PAIR_H

/* A server and a client of ours on one loop, talking over UDP on the loopback addresses. WT_TEST_WORKERS in the
 * environment gives the server more workers: the first one is on that loop, the others on threads of their own. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include <webtransport/webtransport.h>

#define TURNS_MAX 10000000 /* of a loop that does not wait: more than anything here takes */

struct pair {
  uv_loop_t loop;
  wt_server *server;
  wt_client *client;
  wt_certificate *certificate;
  uint8_t hash[32];
  unsigned port;
  char url[128];                   /* "https://127.0.0.1:port/session" */
  bool stop;                       /* ends `pair_run` */
  atomic_size_t sessions;          /* that the server has now */
  pthread_mutex_t lock;            /* between workers that set: */
  struct wt_close_info last_close; /* at the server; without the reason's text */
  char last_reason[64];
  uv_timer_t pulse; /* with several workers: what happens on other threads is noticed at the next one */
};

/* How many workers a server is to have: WT_TEST_WORKERS, else one. */
unsigned pair_workers(void);

/*
 * The server has these paths:
 *   /session    a session; its streams and datagrams are echoed; speaks the subprotocols "chat" and "news"
 *   /mute       is never answered
 *   /gone       301 to /session
 *   /hello      "hello", with a header field x-test: yes
 *   /echo       the request's body
 *   others      404, with a header field x-why: nothing here
 * Its certificate is for "localhost", 127.0.0.1 and ::1; `names` may say others.
 */
struct pair_options {
  const char *listen; /* default "127.0.0.1:0" */
  const char *const *names;
  size_t name_count;
  wt_certificate *certificate; /* instead; its reference is taken */
  void (*configure)(struct wt_server_config *config);
};

void pair_open(struct pair *pair, const struct pair_options *options);
void pair_close(struct pair *pair);

/* A client's configuration that trusts the server's certificate by its hash. */
void pair_client_config(struct pair *pair, struct wt_client_config *config);
/* Makes `pair->client`; NULL: with the configuration above. */
void pair_client(struct pair *pair, const struct wt_client_config *config);

/* Runs the loop until `pair->stop`, and fails after a time that nothing here needs. */
void pair_run(struct pair *pair);
void pair_stop(struct pair *pair);

/* How a dial ended, with what was borrowed copied. */
struct dialed {
  struct pair *pair;
  wt_dial *dial;
  wt_session *session;
  int calls, error, status;
  enum wt_dial_stage stage;
  enum wt_party by;
  uint64_t wire_code;
  bool wire_is_h3;
  char message[512];
  char why[64];                   /* header field x-why */
  char location[64];              /* likewise */
  struct wt_connection_info info; /* its pointers are dead, but for the copies: */
  int info_error;
  char peer[64];
  size_t attempts;
  char attempt[4][80];
  int attempt_error[4];
  char attempt_message[4][256];
  int closes;
  struct wt_close_info close;
  char protocol[32];
};

/* Notes all of it in the `struct dialed` that is the user data of the dial and of the session. */
void dialed_options(struct dialed *dialed, struct pair *pair, struct wt_dial_options *options);
/* Dials and runs until `on_done`. `options` may be NULL. */
void dialed_run(struct dialed *dialed, struct pair *pair, const char *url, const struct wt_dial_options *options);

#endif
