/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_KEY_LOG_H
#define WT_QUIC_KEY_LOG_H

/* The secrets of handshakes, for programs that decrypt packets. */

#include <webtransport/certificate.h>

struct wt__tls;

/* Who is told. */
struct wt__key_log {
  wt_key_log_callback function; /* NULL: nobody */
  void *user_data;
};

/* A new session: its secrets go to `tls->log`, and to the file of SSLKEYLOGFILE as ever. A server's session keeps the
 * exporter's secret, too. */
void wt__key_log_watch(struct wt__tls *tls);

#endif
