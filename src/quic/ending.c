/* SPDX-License-Identifier: MIT */

/*
 * Why a connection ended: the one place where what ngtcp2 says, what the peer's CONNECTION_CLOSE says and what this
 * library decided become a `struct wt__ending`, which applications, the client's dials and the log are told.
 *
 *   asked for by the application          LOCAL    H3_NO_ERROR
 *   CONNECTION_CLOSE of the peer          PEER     its code and reason phrase, of either kind
 *   refused or given up by this library   ERROR    our code and reason
 *   an error of ngtcp2 or TLS             ERROR    the QUIC code that is sent, ngtcp2's text
 *   idle, nothing acknowledged, handshake not done in time      TIMEOUT
 *   stateless reset, dropped              NETWORK
 */

#include "quic/ending.h"

#include <stdio.h>
#include <string.h>

#include "base/log_limit.h"
#include "base/mem.h"
#include "core/ending.h"
#include "quic/conn.h"
#include "quic/endpoint_state.h"
#include "quic/path.h"
#include "quic/rebinding.h"
#include "quic/tls.h"
#include "wire/error_code.h"
#include "wire/utf8.h"

#define PHRASE_MAX 1024 /* bytes of the peer's reason phrase that are shown; ngtcp2 keeps as many */

void wt__conn_ending_of_close(const struct wt__conn *conn, struct wt__ending *ending) {
  *ending = (struct wt__ending){
      .cause = conn->path_dead                 ? WT_CAUSE_TIMEOUT
               : conn->close_party == WT_LOCAL ? WT_CAUSE_LOCAL
                                               : WT_CAUSE_ERROR,
      .is_h3 = true,
      .wire_code = conn->close_code,
      .message = conn->close_reason ? conn->close_reason : "",
  };
}

/* The phrase is a stranger's. It is kept in the place of our own, which there is none of. */
static const char *conn_keep_phrase(struct wt__conn *conn, const ngtcp2_ccerr *peer) {
  size_t len = peer->reasonlen < PHRASE_MAX ? peer->reasonlen : PHRASE_MAX;
  char *phrase = len ? wt__malloc(len + 1) : NULL;
  if (!phrase) return "";
  (void)wt__utf8_show(phrase, len + 1, (const char *)peer->reason, len);
  wt__free(conn->close_reason);
  return conn->close_reason = phrase;
}

static void ending_of_peer(struct wt__conn *conn, struct wt__ending *ending) {
  const ngtcp2_ccerr *peer = ngtcp2_conn_get_ccerr(conn->quic);
  if (conn->stateless_reset) {
    ending->cause = WT_CAUSE_NETWORK;
    ending->message = WT__STATELESS_RESET_TEXT;
    return;
  }
  ending->cause = WT_CAUSE_PEER;
  ending->is_h3 = peer->type == NGTCP2_CCERR_TYPE_APPLICATION;
  ending->wire_code = peer->error_code;
  ending->message = conn_keep_phrase(conn, peer);
}

void wt__conn_ending_of(struct wt__conn *conn, int error, const ngtcp2_ccerr *sent, struct wt__ending *ending) {
  *ending = (struct wt__ending){.cause = WT_CAUSE_ERROR, .message = ""};
  switch (error) {
    case NGTCP2_ERR_DRAINING: ending_of_peer(conn, ending); break;
    case NGTCP2_ERR_IDLE_CLOSE:
      ending->cause = WT_CAUSE_TIMEOUT;
      ending->message = "nothing was heard of the peer for the idle timeout";
      break;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
      ending->cause = WT_CAUSE_TIMEOUT;
      ending->message = "the handshake took too long";
      break;
    case NGTCP2_ERR_CLOSING:
    case NGTCP2_ERR_DROP_CONN:
      ending->cause = WT_CAUSE_NETWORK;
      ending->message = ngtcp2_strerror(error);
      break;
    case NGTCP2_ERR_CRYPTO:
      ending->wire_code = sent ? sent->error_code : NGTCP2_NO_ERROR;
      ending->message = wt__tls_alert_name(ngtcp2_conn_get_tls_alert(conn->quic));
      break;
    default:
      ending->wire_code = sent ? sent->error_code : NGTCP2_NO_ERROR;
      ending->message = ngtcp2_strerror(error);
      break;
  }
}

/* --- The log --- */

/* Whether nobody needs to hear of it: an end that was asked for, or a handshake that came to nothing, unless it was the
 * peer who did not want it (a certificate that it refuses, for one). */
static bool ending_is_quiet(const struct wt__conn *conn, const struct wt__ending *ending) {
  if (ending->cause == WT_CAUSE_LOCAL || (!conn->handshake_done && ending->cause != WT_CAUSE_PEER)) return true;
  if (ending->cause == WT_CAUSE_TIMEOUT || ending->cause == WT_CAUSE_NETWORK) return false;
  return ending->wire_code == (ending->is_h3 ? (uint64_t)WT__H3_NO_ERROR : NGTCP2_NO_ERROR);
}

/* ", application code 0x1092", or nothing where there is no code. */
static const char *code_text(const struct wt__ending *ending, char *text, size_t size) {
  text[0] = '\0';
  if (ending->cause == WT_CAUSE_TIMEOUT || ending->cause == WT_CAUSE_NETWORK) return text;
  (void)snprintf(text, size, ", %s 0x%llx", ending->is_h3 ? "application code" : "QUIC code",
                 (unsigned long long)ending->wire_code);
  return text;
}

void wt__conn_log_ending(struct wt__conn *conn, const struct wt__ending *ending) {
  struct wt__endpoint *endpoint = conn->endpoint;
  const char *name = ending->is_h3 ? wt__wire_error_name(ending->wire_code) : NULL;
  char peer[WT__PEER_TEXT_MAX], code[64];
  bool quiet = !conn->quic || ending_is_quiet(conn, ending);
  bool coded = ending->cause != WT_CAUSE_TIMEOUT && ending->cause != WT_CAUSE_NETWORK;
  WT__LOG_LIMITED(
      endpoint->config.log, quiet ? NULL : &endpoint->ending_lines, endpoint->now, quiet ? WT_LOG_DEBUG : WT_LOG_INFO,
      WT__EVENT_OF("connection_ended", WT__CONNECTION(conn), WT__TEXT("cause", wt_cause_name(ending->cause)),
                   WT__INTEGER_IF(coded, "code", ending->wire_code),
                   WT__TEXT("code_of", !coded          ? NULL
                                       : ending->is_h3 ? "application"
                                                       : "quic"),
                   WT__TEXT("code_name", name), WT__TEXT("reason", *ending->message ? ending->message : NULL),
                   WT__BOOLEAN("handshake_done", conn->handshake_done)),
      "connection %s from %s: ends, by %s%s%s%s%s%s%s", conn->name, wt__conn_peer_text(conn, peer, sizeof(peer)),
      wt_cause_name(ending->cause), code_text(ending, code, sizeof(code)), name ? " " : "", name ? name : "",
      *ending->message ? ": " : "", ending->message, conn->handshake_done ? "" : ", before the handshake was done");
}
