/* SPDX-License-Identifier: MIT */
#ifndef WT_QUIC_TLS_SESSION_H
#define WT_QUIC_TLS_SESSION_H

/*
 * The inside of one connection's TLS, for the files that speak GnuTLS. It is the pointer that a session of GnuTLS keeps for
 * us (`gnutls_session_get_ptr`). GnuTLS's handles are pointers to structs, so they can be named here without its headers.
 */

#include "quic/derive.h"
#include "quic/tls.h"

#define WT__TLS_ERROR_MAX 192

struct gnutls_session_int;
struct gnutls_priority_st;
struct wt__cert_set;
struct wt__cert_select;
struct wt__client_auth;
struct wt__key_log;
struct wt__resumption_item;
struct wt__peer_chain;

struct wt__tls {
  struct gnutls_session_int *session; /* NULL: of a server whose handshake is over */
  struct ngtcp2_conn *conn;
  struct wt__packet_keys *keys;
  bool peer_has_reset_at;
  bool verifies;                        /* of a client: it judges the server's certificate */
  uint8_t alert;                        /* that ends the handshake, in place of the TLS library's; 0: there is none */
  const struct wt__client_auth *auth;   /* of a server */
  const struct wt__cert_select *select; /* of a server */
  wt_certificate *selected;             /* of a server: what `select` gave; NULL: nothing */
  bool select_asked;
  unsigned ticket_lifetime_s;  /* of a server */
  bool has_ticket_key;         /* likewise: GnuTLS has one for this session */
  struct wt__peer_chain *peer; /* of a server: what the client showed; NULL: nothing */
  struct wt__cert_set *set;    /* of a server */
  const struct wt__key_log *log;
  void (*key_log)(void);         /* GnuTLS's own function for the key log, of another type */
  struct wt__secret exporter;    /* of a server */
  struct wt__tls_info info;      /* while `session` is NULL */
  struct wt__tls_client *client; /* of a client */
  char *server_name;             /* of a server: what the client asks for, if GnuTLS is not to see it; or NULL */
  const uint8_t *hello_params;   /* of a server: in the ClientHello that is being read, or NULL: the parameters, */
  const uint8_t *hello_name;     /* and the name that GnuTLS is not to see */
  char *error;                   /* WT__TLS_ERROR_MAX bytes: why the server's certificate, or its name, was refused */
  bool peer_showed;              /* it has shown a certificate on this connection, good or not */
  const char *resumption_key;    /* where tickets go; NULL: nowhere */
  unsigned tickets;              /* that went there */
  struct wt__resumption_item *ticket; /* that was offered, until the server answers; NULL: none */
  int64_t trusted_until;              /* end of the accepted certificate's validity, seconds since 1970-01-01 UTC */
};

/* Makes `tls` ready for its handshake with what both roles need: priorities, credentials, ALPN, the callbacks that hand
 * secrets and handshake bytes to ngtcp2, and the transport parameters (tls_handshake_gnutls.c). 0 or an error of GnuTLS. */
int wt__tls_handshake_configure(struct wt__tls *tls, struct gnutls_priority_st *priorities, void *credentials);

#endif
