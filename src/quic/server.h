/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_SERVER_H
#define WT_QUIC_SERVER_H

/* A server's connection, made for the first packet of a client. See server.c. */

#include <ngtcp2/ngtcp2.h>
#include <stddef.h>

#include "quic/path.h"
#include "quic/token.h"

struct wt__conn;
struct wt__endpoint;

/* What an acceptable first packet said. */
struct wt__accept {
  const ngtcp2_pkt_hd *hd;
  const struct wt__path *path;
  enum wt__token_verdict verdict;
  ngtcp2_cid odcid; /* the id that the client chose first */
  size_t turnover;  /* unfinished handshakes of an address that may give way at once */
};

/* Makes a connection, which has read no packet yet. WT_ERR_NOMEM, WT_ERR_TLS, WT_ERR_STATE (no certificate),
 * WT_ERR_INVALID. */
int wt__conn_new(struct wt__conn **conn, struct wt__endpoint *endpoint, const struct wt__accept *accept);

#endif
