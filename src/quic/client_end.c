/* SPDX-License-Identifier: MIT */

/*
 * Why a client has no connection. Before one is taken apart, an error and a sentence for people are put together from
 * what ngtcp2, TLS and the peer's CONNECTION_CLOSE say.
 */

#include <stdio.h>
#include <string.h>

#include "h3/client.h"
#include "quic/client.h"
#include "quic/conn.h"
#include "quic/ending.h"
#include "quic/tls.h"
#include "wire/error_code.h"
#include "wire/utf8.h"

/* RFC 8446, section 6 */
#define ALERT_BAD_CERTIFICATE 42
#define ALERT_ILLEGAL_PARAMETER 47
#define ALERT_UNKNOWN_CA 48
#define ALERT_CERTIFICATE_REQUIRED 116

static bool is_tls_alert(uint64_t code) { return code >= NGTCP2_CRYPTO_ERROR && code < NGTCP2_CRYPTO_ERROR + 0x100; }

/* Some TLS libraries refuse names with an underscore in this way; the alert alone tells nobody. */
static bool may_be_the_name(const struct wt__conn *conn, uint8_t alert) {
  const char *name = wt__tls_server_name(conn->tls);
  return alert == ALERT_ILLEGAL_PARAMETER && !conn->handshake_done && strchr(name, '_') != NULL;
}

/* What servers say when it is about the client's certificate (RFC 8446, section 6.2); "": it is not. A server judges it when
 * the handshake is done for the client. */
static const char *certificate_alert(const struct wt__conn *conn, uint8_t alert) {
  if (alert == ALERT_CERTIFICATE_REQUIRED) return "the server requires a certificate of the client: ";
  if (!conn->handshake_done || alert < ALERT_BAD_CERTIFICATE || alert > ALERT_UNKNOWN_CA) return "";
  return alert == ALERT_ILLEGAL_PARAMETER ? "" : "the server refuses the client's certificate: ";
}

static void explain_alert(const struct wt__conn *conn, struct wt__h3_end *end, uint8_t alert) {
  const char *about = certificate_alert(conn, alert);
  bool name = may_be_the_name(conn, alert);
  end->error = WT_ERR_TLS;
  (void)snprintf(end->reason, sizeof(end->reason), "%s%s%s%s",
                 *about ? about : "the server ended the handshake: ", wt__tls_alert_name(alert),
                 name ? "; maybe it takes no name with an underscore, such as " : "",
                 name ? wt__tls_server_name(conn->tls) : "");
}

/* The other end closed it, or forgot about it. */
static void explain_draining(struct wt__conn *conn, struct wt__h3_end *end) {
  const ngtcp2_ccerr *peer = ngtcp2_conn_get_ccerr(conn->quic);
  end->error = WT_ERR_CLOSED;
  end->is_h3 = peer->type == NGTCP2_CCERR_TYPE_APPLICATION;
  if (conn->stateless_reset) {
    (void)snprintf(end->reason, sizeof(end->reason), "%s", WT__STATELESS_RESET_TEXT);
  } else if (!end->is_h3 && is_tls_alert(peer->error_code)) {
    explain_alert(conn, end, (uint8_t)peer->error_code);
  } else {
    const char *reason = peer->reasonlen ? (const char *)peer->reason : "";
    (void)wt__utf8_show(end->reason, sizeof(end->reason), reason, peer->reasonlen);
  }
}

static void explain_crypto(struct wt__conn *conn, struct wt__h3_end *end) {
  const char *why = wt__tls_error(conn->tls);
  end->error = *why ? WT_ERR_CERTIFICATE : WT_ERR_TLS;
  if (*why) {
    (void)snprintf(end->reason, sizeof(end->reason), "%s", why);
  } else {
    (void)snprintf(end->reason, sizeof(end->reason), "the TLS handshake failed: %s",
                   wt__tls_alert_name(ngtcp2_conn_get_tls_alert(conn->quic)));
  }
}

/* This end closed it with a code of HTTP/3. */
static void explain_close(const struct wt__conn *conn, struct wt__h3_end *end) {
  end->is_h3 = true;
  end->error = conn->path_dead                                                        ? WT_ERR_TIMEOUT
               : conn->close_party == WT_LOCAL || conn->close_code == WT__H3_NO_ERROR ? WT_ERR_CLOSED
               : conn->close_code == WT__WT_REQUIREMENTS_NOT_MET                      ? WT_ERR_SETTINGS
               : conn->close_code == WT__H3_INTERNAL_ERROR                            ? WT_ERR_INTERNAL
                                                                                      : WT_ERR_PROTOCOL;
  (void)snprintf(end->reason, sizeof(end->reason), "%s", conn->close_reason ? conn->close_reason : "");
}

static void explain(struct wt__h3_end *end, int error, const char *reason) {
  end->error = error;
  (void)snprintf(end->reason, sizeof(end->reason), "%s", reason);
}

void wt__conn_client_explain(struct wt__conn *conn, int error) {
  struct wt__h3_end end = {.error = WT_ERR_CLOSED};
  if (!conn->h3) return;
  switch (error) {
    case 0: explain_close(conn, &end); break;
    case NGTCP2_ERR_DRAINING: explain_draining(conn, &end); break;
    case NGTCP2_ERR_CRYPTO: explain_crypto(conn, &end); break;
    case NGTCP2_ERR_IDLE_CLOSE: explain(&end, WT_ERR_TIMEOUT, "nothing was heard of the server any more"); break;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT: explain(&end, WT_ERR_TIMEOUT, "the handshake took too long"); break;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
      explain(&end, WT_ERR_UNSUPPORTED, "the server speaks neither version 1 nor version 2 of QUIC");
      break;
    case NGTCP2_ERR_NOMEM: explain(&end, WT_ERR_NOMEM, "out of memory"); break;
    default: explain(&end, WT_ERR_PROTOCOL, ngtcp2_strerror(error)); break;
  }
  wt__h3_conn_set_end(conn->h3, &end);
}
