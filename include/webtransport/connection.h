/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_CONNECTION_H
#define WEBTRANSPORT_CONNECTION_H

#include <webtransport/error.h>
#include <webtransport/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is known of the QUIC connection below a session or a client's request: for diagnosis. None of it is
 * needed to use a session.
 */

/** A setting of HTTP/3 as the peer sent it (RFC 9114, section 7.2.4), also one that this library does not know. */
struct wt_setting {
  uint64_t id;
  uint64_t value;
};

/** Transport parameters as the peer sent them, or their defaults (RFC 9000, section 18.2). */
struct wt_transport_parameters {
  uint64_t max_idle_timeout_ms;
  uint64_t max_udp_payload_size;
  uint64_t initial_max_data;
  uint64_t initial_max_stream_data_bidi_local, initial_max_stream_data_bidi_remote, initial_max_stream_data_uni;
  uint64_t initial_max_streams_bidi, initial_max_streams_uni;
  uint64_t max_datagram_frame_size; /**< RFC 9221; 0: none are taken */
  uint64_t ack_delay_exponent, max_ack_delay_ms;
  uint64_t active_connection_id_limit;
  bool disable_active_migration;
  bool grease_quic_bit; /**< RFC 9287 */
  bool reset_stream_at; /**< draft-ietf-quic-reliable-stream-reset */
};

/** A connection. Pointers are borrowed: they live until the callback, or the turn of the loop, ends. */
struct wt_connection_info {
  size_t size; /**< set by the caller to sizeof(struct wt_connection_info) */

  const char *peer_address, *local_address; /**< "192.0.2.1:4433" or "[2001:db8::1]:4433" */
  uint32_t quic_version;                    /**< 0x00000001, 0x6b3343cf */
  const char *tls_version;                  /**< "TLS1.3" */
  const char *cipher;                       /**< "AES-128-GCM" */
  const char *group;                        /**< of the key exchange: "X25519" */
  bool resumed;                             /**< by a session ticket */

  const uint8_t *certificate; /**< DER of the peer's leaf; NULL if it showed none: a server on a resumed session */
  size_t certificate_len;
  /** Whether `certificate` was verified: a server's as the client's configuration says, a client's by the authorities of
   * `client_ca_file`. Since 0.2.0. */
  bool certificate_verified;
  bool certificate_stapled; /**< the server gave a response of OCSP with it; of a client. Since 0.2.0 */

  bool has_parameters; /**< the peer's transport parameters are in */
  struct wt_transport_parameters parameters;
  bool has_settings; /**< the peer's SETTINGS are in */
  const struct wt_setting *settings;
  size_t setting_count;
  int draft; /**< that both sides' SETTINGS chose, as `wt_session_draft`; 0: none */

  /** Since the connection began, in microseconds; 0: not yet. Of a client: since its first packet. */
  uint64_t handshake_us, settings_us;
  uint64_t smoothed_rtt_us, min_rtt_us, rtt_variation_us;
  size_t max_udp_payload_size; /**< what the path was found to carry, in bytes */
};

/**
 * Fills `*info` for the connection of `session`. Any callback but `on_close`.
 *
 * Errors: WT_ERR_INVALID if `info->size` is smaller than any version's; WT_ERR_CLOSED. Since 0.1.0.
 */
WT_API int wt_session_get_connection_info(const wt_session *session, struct wt_connection_info *info);

/**
 * Gives the `index`th certificate that the peer showed in the handshake, counted from 0, to `*der` and `*len`: the leaf
 * first, then the rest of its chain. `wt_certificate_describe` reads it. It lives as long as the connection. On a server,
 * it is what the client showed, on the connection or on the one that a resumed session goes back to; whether the chain was
 * verified is `certificate_verified` of `wt_session_get_connection_info`. After an error they are NULL and 0.
 *
 * Errors: WT_ERR_NOT_FOUND past the last, also if the peer showed none; WT_ERR_CLOSED. Any callback but `on_close`. Since
 * 0.2.0.
 */
WT_API int wt_session_get_peer_certificate(const wt_session *session, size_t index, const void **der, size_t *len);

/**
 * Returns the name of the setting `id`, as the RFCs and drafts spell it: "SETTINGS_ENABLE_CONNECT_PROTOCOL";
 * NULL if it is not known. Static string. Any thread. Since 0.1.0.
 */
WT_API const char *wt_setting_name(uint64_t id);

#ifdef __cplusplus
}
#endif

#endif
