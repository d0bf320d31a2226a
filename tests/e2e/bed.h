/* SPDX-License-Identifier: MIT */
#ifndef WT_E2E_BED_H
#define WT_E2E_BED_H

/* A server with several workers on a thread of its own (worker 0) and theirs, and clients of ours on the caller's. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/server_state.h"
#include "pair.h"

#define WORKERS_MAX 4
#define ECHO_LEN 5000

/* The server has one path, /session: streams are echoed, a datagram is said to everybody ("heard"). Its handlers run on
 * several threads: they note what is wrong instead of asserting. */
struct bed {
  struct pair pair; /* the clients' half: loop, client, hash, url */
  wt_server *server;
  wt_certificate *certificate;
  pthread_t thread;
  bool in_thread;
  int run_error;
  pthread_t opener, runner;    /* the threads of `bed_open`, and of worker 0 once it runs */
  atomic_uint wrong_threads;   /* callbacks that came on another thread than the session's handler */
  atomic_uint signals_allowed; /* sessions on threads of the library that some signal could interrupt */
  atomic_uint accepted[WORKERS_MAX], closed, clean;

  pthread_mutex_t gate; /* where the end of a session waits, on other threads than the opener's */
  atomic_uint at_gate;  /* who came there */

  pthread_mutex_t room_lock;
  struct visitor *room;
  atomic_uint posted, made, made_late; /* calls of `wt_session_post`; those whose session had ended */
};

extern wt_certificate *bed_certificate; /* for the next server; NULL: it makes one */
extern const wt_server *bed_server;     /* the one that is open */
extern unsigned bed_number;             /* how many there have been: addresses come again */

void bed_config(struct wt_server_config *config, unsigned workers);
/* A server that has started; `unsteered`: as if the kernel could not go by connection ids. */
void bed_open(struct bed *bed, const struct wt_server_config *config, bool unsteered);
/* The same, with `wt_server_takeover` before the start. */
void bed_open_takeover(struct bed *bed, const struct wt_server_config *config, bool unsteered, const char *path,
                       const struct wt_takeover_options *options);
void bed_run(struct bed *bed);
/* The server has been told to end. */
void bed_join(struct bed *bed);
/* Ends what runs, and checks what was noted. */
void bed_close(struct bed *bed);
struct wt_server_stats bed_stats(const struct bed *bed);
unsigned bed_accepted(const struct bed *bed);
/* The newest session, at the server. On its thread. */
wt_session *bed_session(const struct bed *bed);

/* A session of a client, and a stream on it that is echoed. */
struct guest {
  struct dialed dialed;
  size_t *left; /* of all guests: what is not done */
  size_t got, heard;
  bool fin, wrong;
};

/* Dials once; its `on_done` says what comes then. */
void guest_dial(struct guest *guest, struct bed *bed, const char *url, size_t *left,
                void (*on_done)(wt_dial *dial, const struct wt_dial_result *result, void *user_data));
/* An `on_done`: a stream is echoed, and the guest is done. */
void guest_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data);
void guest_echo(struct guest *guest);
/* `count` of them, until all are done. To be freed. */
struct guest *guests_dial(struct bed *bed, size_t count, size_t *left);

#endif
