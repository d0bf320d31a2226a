/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_DRIVER_H
#define WT_NET_DRIVER_H

/* What a server and a client have in common: a loop, whose sockets feed a QUIC endpoint and take its packets. */

#include <stdbool.h>

#include "base/log_limit.h"
#include "net/loop.h"
#include "net/udp.h"
#include "quic/endpoint.h"

/* How long turns of the loop take, from its first event to the end of the pass. */
struct wt__driver_turns {
  uint64_t longest;   /* nanoseconds */
  uint64_t long_ones; /* turns of more than 10 ms */
  uint64_t count;     /* all */
  uint64_t idle;      /* turns in which no packet came or went */
  uint64_t packets;   /* as of the end of the last turn */
};

struct wt__driver {
  struct wt__loop loop;
  struct wt__udp_batch *batch;
  struct wt__endpoint *endpoint;        /* NULL: closed */
  struct wt__endpoint_stats last_stats; /* once it is closed */
  struct wt__driver_turns turns;
  const struct wt__log *log;
  bool silent;                 /* the connections are another process's: nothing is sent */
  struct wt__log_limit losses; /* lines about packets that the system did not take or give */
};

/* Makes the endpoint; `config->send` and `send_ctx` are set here. WT_ERR_NOMEM, WT_ERR_TLS. */
int wt__driver_open(struct wt__driver *driver, struct wt__endpoint_config *config);
/* Frees it, keeping its counts. Nothing happens the second time. */
void wt__driver_close(struct wt__driver *driver);

/* For the callbacks of the loop: datagrams that arrived, a bounded number; and room for those to be sent. */
void wt__driver_receive(struct wt__driver *driver, struct wt__socket *socket);
/* All that wait, for `on_pause`. */
void wt__driver_receive_all(struct wt__driver *driver, struct wt__socket *socket);
void wt__driver_writable(struct wt__driver *driver);
/* A socket that cannot be read; see `on_failing`. Logs it; `text` gets the sentence. */
void wt__driver_failing(struct wt__driver *driver, struct wt__socket *socket, int os_error, bool lasting, char *text,
                        size_t size);
/* The endpoint's part of a pass at `now`, which was just read. Returns when the next one is due. */
uint64_t wt__driver_pass(struct wt__driver *driver, uint64_t now);

/* A time of the loop and `ms` milliseconds; UINT64_MAX if that is beyond all times. */
uint64_t wt__driver_deadline(uint64_t now, uint64_t ms);

void wt__driver_get_stats(const struct wt__driver *driver, struct wt__endpoint_stats *stats);

#endif
