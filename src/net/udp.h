/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_UDP_H
#define WT_NET_UDP_H

/* One UDP socket, in batches: many datagrams in a system call, in both directions. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"
#include "quic/endpoint.h"

#define WT__UDP_MESSAGES 16 /* in one recvmmsg */
#define WT__UDP_SOCKET_BUFFER (4 * 1024 * 1024)
#define WT__UDP_TRIES 4 /* in a row, of a call that fails: the error may be one of an earlier packet */

struct wt__udp {
  int fd; /* -1: closed */
  int family;
  bool gso;                                  /* the kernel cuts a batch into packets; false once it refused */
  bool no_recvmmsg, no_sendmmsg, no_sendmsg; /* the system refuses the call; see udp_calls.c */
  int recv_error;                            /* why the last wt__udp_recv got nothing; 0: it got something */
  int send_error;                            /* why packets were lost in wt__udp_send; 0: none were, or it was told */
  uint64_t lost;                             /* how many were, until it is told */
  const char *refused;                       /* the call of the opening that failed */
  struct wt__udp *stands_for;                /* its packets count as received by that one; NULL: by itself */
  struct wt__address bound;
};

/* Room for what one call receives. Large: one for all sockets of a loop. */
struct wt__udp_batch;
struct wt__udp_batch *wt__udp_batch_new(void);
void wt__udp_batch_free(struct wt__udp_batch *batch);

/* Opens a non-blocking socket bound to `address`. WT_ERR_IO; `*os_error` is then the errno, `udp->refused` the call. */
int wt__udp_open(struct wt__udp *udp, const struct wt__address *address, int *os_error);
/* Another socket bound to the address of `first`: the kernel shares packets out among them. */
int wt__udp_open_beside(struct wt__udp *udp, struct wt__udp *first, int *os_error);
/* A socket of another process of this program, open and bound, `fd`, which becomes `udp`'s. WT_ERR_IO, as above: then it is
 * the caller's. */
int wt__udp_adopt(struct wt__udp *udp, int fd, int *os_error);
/* A duplicate of `fd`, a bound socket that somebody else made: it gets the options that one of ours has. WT_ERR_IO, as above. */
int wt__udp_duplicate(struct wt__udp *udp, int fd, int *os_error);
void wt__udp_close(struct wt__udp *udp);

/* One datagram. `path->socket` is the `struct wt__udp`. All is borrowed until it returns. */
typedef void (*wt__udp_receive)(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len);

/*
 * Receives what one system call gives, up to WT__UDP_MESSAGES messages, each of which may be several
 * datagrams of one sender. Returns whether all messages were filled, so that there may be more. `udp->recv_error`
 * is EAGAIN where nothing was there, and another errno where nothing could be read.
 */
bool wt__udp_recv(struct wt__udp *udp, struct wt__udp_batch *batch, wt__udp_receive receive, void *ctx);

/* Sends `len` bytes as packets of `segment` bytes, the last one possibly shorter; see `wt__endpoint_send`.
 * Returns 0, also when packets were lost here, WT_ERR_AGAIN when none was taken, or WT_ERR_TOO_LARGE when the interface
 * takes none of `segment` bytes, which are lost. Losses that the path does not explain are left in `udp->lost` and
 * `send_error`. */
int wt__udp_send(struct wt__udp *udp, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len,
                 size_t segment);

/* Sends runs of packets, up to WT__MAX_RUNS, with one system call. Returns how many were taken, from the first on; the
 * next one is to be given to `wt__udp_send`, which can do without this call and tells what is wrong. */
size_t wt__udp_send_runs(struct wt__udp *udp, const struct wt__packet_run *runs, size_t count);

/* --- Clients (udp_client.c) --- */

/* From now on `wt__udp_error` tells what the network says about packets that were sent. */
void wt__udp_want_errors(struct wt__udp *udp);
/* The next such error: whom the packet was for, and an errno. False: there is none, or it could not be read, which
 * `udp->recv_error` then tells. */
bool wt__udp_error(struct wt__udp *udp, struct wt__address *remote, int *os_error);
/* What an errno means, for people: lower case, whatever the locale. Good until the thread's next call. */
const char *wt__os_error_text(int os_error);
/* From which address the kernel would send to `remote`; its port is not set. WT_ERR_IO: it knows no way there;
 * `*os_error` is then the errno. */
int wt__udp_source(const struct wt__address *remote, struct wt__address *local, int *os_error);

#endif
