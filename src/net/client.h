/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_CLIENT_H
#define WT_NET_CLIENT_H

/*
 * A client from within.
 *
 *   client.c      the calls of the application on the client, the loop's turns, the end
 *   dial.c        sessions that are asked for
 *   fetch.c       plain requests
 *   pending.c     what those two have in common: how they come to a connection, and how long that may take
 *   connector.c   from a name to a connection: lookups and the race of the addresses
 *   connection.c  a QUIC connection: an attempt of a reach, later one that is asked
 *
 *     wt_client_dial, wt_client_request
 *          |
 *          v
 *        asker ---- allows pooling, and there is a connection to host:port ----+
 *          |                                                                   |
 *          v                                                                   v
 *        reach --> lookups --> race --> attempts --> the first connected --> connection --> request --> answer
 *
 * Nothing of this calls the application from inside its calls: those put an asker on `failed` or a reach on `todo`,
 * and the next pass goes on.
 */

#include <stdatomic.h>

#include <webtransport/client.h>

#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "h3/client.h"
#include "net/bounds.h"
#include "net/client_config.h"
#include "net/driver.h"
#include "net/post.h"
#include "net/race.h"
#include "net/resolve.h"
#include "net/snapshot.h"
#include "wire/url.h"

/* Something of a client that wants to be called at a time. It is in `timers` from its beginning to its end. */
struct wt__timer {
  struct wt__heap_node node; /* UINT64_MAX: not set */
  void (*due)(struct wt__timer *timer, uint64_t now);
};

struct wt_client {
  struct wt_client_config config;
  struct wt__log log;
  struct wt__driver driver;
  struct wt__tls_client *tls;
  struct wt__h3_counters counters;
  struct wt__resolver resolver;
  struct wt__posts posts, session_posts;
  struct wt__socket sockets[2]; /* at most one a family */
  size_t socket_count;

  struct wt__list askers;              /* dials and exchanges that are not over */
  struct wt__list failed;              /* of those: to be told so */
  struct wt__list reaches;             /* under way */
  struct wt__list todo;                /* of those: something has happened */
  struct wt__list connections;         /* attempts included */
  size_t connections_len, reaches_due; /* those, and reaches whose first attempt is to come */
  struct wt__heap timers;

  _Atomic unsigned asked; /* by another thread or a signal handler: to close */
  bool in_run, free_after_run;
  bool freeing;
  char error[512];
};

/* Why there is no session or response. */
#define WT__FAILURE_MAX 512
struct wt__failure {
  int error; /* 0: there is none */
  enum wt_party by;
  uint64_t wire_code;
  bool wire_is_h3;
  char message[WT__FAILURE_MAX];
};
void wt__failure_set(struct wt__failure *failure, int error, enum wt_party by, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What the end of a connection means to those that used it. */
void wt__failure_of_end(struct wt__failure *failure, const struct wt__h3_end *end);

/* --- client.c --- */
/* Notes a sentence for `wt_client_error`; returns `error`. */
int wt__client_fail(wt_client *client, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Reads a URL; notes what is wrong with it. WT_ERR_ADDRESS, WT_ERR_NOMEM; WT_ERR_STATE while the client is freed. */
int wt__client_url(wt_client *client, const char *text, struct wt__url *url);
/* Keeps the loop running, or not, after something began or ended. */
void wt__client_hold(wt_client *client);
uint64_t wt__client_now(wt_client *client);
int wt__timer_init(wt_client *client, struct wt__timer *timer, void (*due)(struct wt__timer *timer, uint64_t now));
void wt__timer_set(wt_client *client, struct wt__timer *timer, uint64_t at);
void wt__timer_free(wt_client *client, struct wt__timer *timer);

/* --- pending.c --- */

struct wt__asker;
struct wt__connection;
struct wt__reach;

struct wt__asker_kind {
  bool is_session;
  /* The connection's handshake is done: ask, unless it has to wait for the server's SETTINGS. */
  void (*connected)(struct wt__asker *asker);
  /* The connection's SETTINGS are in and allow WebTransport. */
  void (*ready)(struct wt__asker *asker);
  /* Whether a request is on its way already, so that its end will be told by h3; it is to be given up. */
  bool (*give_up)(struct wt__asker *asker);
  /* Tells the application of `asker->failure`, and frees it. */
  void (*tell)(struct wt__asker *asker);
};

struct wt__asker {
  wt_client *client;
  const struct wt__asker_kind *kind;
  struct wt__link link;   /* in `askers` */
  struct wt__link failed; /* in `failed` */
  struct wt__link wait;   /* in the list of `reach`, or of `connection` */
  struct wt__url url;
  struct wt__reach *reach;           /* that it took part in, kept for `wt_dial_attempt`; NULL: none */
  struct wt__connection *connection; /* that it was given, while that lives */
  struct wt__snapshot *info;         /* of the last connection, if it is not there any more; NULL: none */
  struct wt__timer timer;
  uint64_t begun, timeout_ms;
  bool pooling;
  enum wt_dial_stage stage;
  struct wt__failure failure;
};

#define WT__ASKER_OF(l, member) WT__CONTAINER_OF(l, struct wt__asker, member)

/* Begins; `url` becomes the asker's, also after an error. WT_ERR_AGAIN, WT_ERR_NOMEM. */
int wt__asker_init(struct wt__asker *asker, wt_client *client, const struct wt__asker_kind *kind, struct wt__url *url,
                   uint64_t timeout_ms, bool pooling);
void wt__asker_free(struct wt__asker *asker);
/* It is over. The first failure counts; `tell` follows, from the loop. */
void wt__asker_fail(struct wt__asker *asker, const struct wt__failure *failure);
/* Gives up at the application's wish. */
void wt__asker_cancel(struct wt__asker *asker, const char *message);
/* The answer is in: no more timeout. */
void wt__asker_answered(struct wt__asker *asker);
/* Its connection cannot be shared: it gets one of its own. */
void wt__asker_move(struct wt__asker *asker);
/* Tells those that have failed. */
void wt__askers_run(wt_client *client);
/* "host:port" of its URL. */
void wt__asker_where(const struct wt__asker *asker, char *text, size_t size);
#define WT__WHERE_MAX (WT__URL_HOST_MAX + 16)

/* --- connector.c --- */

/* An address that was tried. */
struct wt__attempt {
  struct wt__connection *connection; /* NULL: over */
  char address[WT__ADDRESS_TEXT_MAX];
  uint64_t begun, ended;
  int error;
  char message[WT__FAILURE_MAX];
};

#define WT__ATTEMPTS_MAX (2 * WT__ADDRESSES_MAX)

struct wt__reach {
  wt_client *client;
  struct wt__link link;    /* in `reaches`; not once it is over */
  struct wt__link todo;    /* in `todo` */
  struct wt__list waiting; /* askers */
  size_t refs;             /* askers, of those that have their answer too */
  char where[WT__WHERE_MAX];
  char host[WT__URL_HOST_MAX];
  uint16_t port;
  bool is_v6, pooling;
  struct wt__timer timer;
  struct wt__race race;
  struct wt__lookup *lookups[2]; /* by enum wt__race_family */
  int lookup_error;
  bool begun, no_memory;
  bool due; /* counted in `reaches_due` */
  uint64_t begun_at;
  struct wt__attempt *attempts[WT__ATTEMPTS_MAX];
  size_t attempt_count;
  struct wt__snapshot *info; /* of the last connection that failed; NULL: none */
};

/* Finds one that `asker` may join, or makes one. WT_ERR_AGAIN, WT_ERR_NOMEM. */
int wt__reach_join(struct wt__asker *asker);
/* The asker does not wait any more. Without any, the reach is given up. */
void wt__reach_leave(struct wt__asker *asker);
/* Drops the asker's reference. */
void wt__reach_release(struct wt__asker *asker);
/* Goes on where something has happened. */
void wt__reaches_run(wt_client *client);
/* Of the connection: its attempt is over, one way or the other. */
void wt__reach_won(struct wt__reach *reach, struct wt__attempt *attempt);
void wt__reach_lost(struct wt__reach *reach, struct wt__attempt *attempt, const struct wt__failure *failure);
/* Keeps what is known of an attempt's connection, for those that ask when it is gone. */
void wt__reach_keep_info(struct wt__reach *reach, const struct wt__connection *connection);
/* What it is doing, for a sentence about a timeout. */
void wt__reach_describe_timeout(const struct wt__reach *reach, const char *time, struct wt__failure *failure);

/* --- connection.c --- */

struct wt__connection {
  wt_client *client;
  struct wt__link link;
  struct wt__h3_conn *h3;
  struct wt__reach *reach; /* whose attempt it is; NULL: it won, or was given up */
  struct wt__attempt *attempt;
  struct wt__address remote;
  struct wt__list askers; /* that were given it */
  char where[WT__WHERE_MAX];
  bool pooling, connected, ready, closing;
  bool unused; /* h3 has nothing on it */
  struct wt__timer linger;
};

#define WT__CONNECTION_OF(l) WT__CONTAINER_OF(l, struct wt__connection, link)

/* Begins a connection as an attempt of `reach`; on an error `failure` says why. */
int wt__connection_begin(struct wt__reach *reach, struct wt__attempt *attempt, const struct wt__address *remote,
                         struct wt__failure *failure);
/* Ends it; its askers are told by h3. */
void wt__connection_close(struct wt__connection *connection);
/* One that `asker` may share, or NULL. */
struct wt__connection *wt__connection_find(const struct wt__asker *asker);
/* It is given to `asker`. */
void wt__connection_give(struct wt__connection *connection, struct wt__asker *asker);
/* The asker does not use it, or not any more. */
void wt__connection_leave(struct wt__asker *asker);
/* Errors that the network tells about packets of `socket`. */
void wt__connections_errors(wt_client *client, struct wt__socket *socket);
/* What is known of the connection at present. NULL: out of memory. */
struct wt__snapshot *wt__connection_snapshot(const struct wt__connection *connection);
/* Fills `*info` from the connection, or what is left of it. WT_ERR_STATE, WT_ERR_INVALID. */
int wt__asker_get_info(const struct wt__asker *asker, struct wt_connection_info *info);

#endif
