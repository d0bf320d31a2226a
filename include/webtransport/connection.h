/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_CONNECTION_H
#define WEBTRANSPORT_CONNECTION_H

#include <webtransport/error.h>
#include <webtransport/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Facts about the QUIC connection of a session, a request, a dial or an exchange, for diagnosis. No application needs
 * them to use a session.
 */

/**
 * What decides how fast a connection sends (RFC 9002, section 7). Each end decides for what it sends itself: the peer need
 * not know, and may use another.
 */
enum wt_congestion_control {
  WT_CONGESTION_CONTROL_CUBIC = 0, /**< RFC 9438: grows until a packet is lost, then falls to 7/10 */
  WT_CONGESTION_CONTROL_BBR =
      1, /**< BBR, version 2: measures the path's rate, and loses little speed by lost packets */
  WT_CONGESTION_CONTROL_RENO = 2, /**< RFC 9002, section 7.3: as CUBIC, but grows slower and falls to a half */
};

/** Returns "cubic", "bbr" or "reno"; "unknown" for what is none of them. Static string. Any thread. Since 0.2.0. */
WT_API const char *wt_congestion_control_name(enum wt_congestion_control algorithm);

/**
 * An HTTP/3 setting as the peer sent it (RFC 9114, section 7.2.4). Settings that this library does not know are
 * included. Since 0.1.0.
 */
struct wt_setting {
  uint64_t id;    /**< as IANA lists them: 0x08 is SETTINGS_ENABLE_CONNECT_PROTOCOL */
  uint64_t value; /**< what the peer sets it to */
};

/** The peer's transport parameters, or their defaults (RFC 9000, section 18.2). Since 0.1.0. */
struct wt_transport_parameters {
  uint64_t max_idle_timeout_ms;  /**< milliseconds; 0: the peer has no idle timeout */
  uint64_t max_udp_payload_size; /**< bytes */
  uint64_t initial_max_data;     /**< bytes on all streams, at first */
  /** Bytes on each stream, at first: on one that the peer opened, on one that this end opened, on one of this end alone. */
  uint64_t initial_max_stream_data_bidi_local, initial_max_stream_data_bidi_remote, initial_max_stream_data_uni;
  uint64_t initial_max_streams_bidi, initial_max_streams_uni; /**< streams that this end may open, at first */
  uint64_t max_datagram_frame_size;                           /**< bytes (RFC 9221); 0: the peer takes no datagrams */
  uint64_t ack_delay_exponent, max_ack_delay_ms; /**< how the peer counts its delays; the longest, in milliseconds */
  uint64_t active_connection_id_limit;           /**< connection ids that the peer keeps */
  bool disable_active_migration;                 /**< the peer asks not to be sent to from other addresses */
  bool grease_quic_bit;                          /**< RFC 9287 */
  bool reset_stream_at;                          /**< draft-ietf-quic-reliable-stream-reset */
};

/**
 * A connection. Pointers are borrowed until the current callback returns; outside callbacks, until the loop runs again.
 * Since 0.1.0.
 */
struct wt_connection_info {
  size_t size; /**< the caller sets it to sizeof(struct wt_connection_info) */

  const char *peer_address, *local_address; /**< "192.0.2.1:4433" or "[2001:db8::1]:4433" */
  uint32_t quic_version;                    /**< 0x00000001 (RFC 9000) or 0x6b3343cf (RFC 9369) */
  const char *tls_version;                  /**< "TLS1.3" */
  const char *cipher;                       /**< "AES-128-GCM" */
  const char *group;                        /**< of the key exchange: "X25519" */
  bool resumed;                             /**< the TLS session was resumed with a session ticket */

  const uint8_t *certificate; /**< DER of the peer's leaf; NULL if it showed none: a server on resumption */
  size_t certificate_len;     /**< bytes of `certificate` */
  /**
   * Whether `certificate` was verified: a server's certificate as the client's configuration says, a client's
   * certificate with the authorities of `client_ca_file`. Since 0.2.0.
   */
  bool certificate_verified;
  bool certificate_stapled; /**< on a client: the server sent an OCSP response with it. Since 0.2.0 */

  bool has_parameters;                       /**< the peer's transport parameters have arrived */
  struct wt_transport_parameters parameters; /**< what they say */
  bool has_settings;                         /**< the peer's SETTINGS have arrived */
  const struct wt_setting *settings;         /**< what they say, borrowed as the other members */
  size_t setting_count;                      /**< how many `settings` there are */
  int draft; /**< the draft that the SETTINGS of both sides chose, as `wt_session_draft`; 0: none */

  /**
   * When the handshake was done and when SETTINGS arrived, in microseconds since the connection began (on a client:
   * since its first packet). 0: not yet.
   */
  uint64_t handshake_us, settings_us;
  uint64_t smoothed_rtt_us, min_rtt_us, rtt_variation_us; /**< round-trip time (RFC 9002, section 5), microseconds */
  size_t max_udp_payload_size; /**< the largest UDP payload that the path carries, as far as known, in bytes */

  /* What this end may send, in bytes. Since 0.2.0. */
  enum wt_congestion_control congestion_control; /**< that the connection began with; it stays */
  uint64_t congestion_window;                    /**< sent and not acknowledged, at most */
  uint64_t bytes_in_flight;                      /**< sent, neither acknowledged nor given up */
  uint64_t slow_start_threshold;                 /**< of the window: where slow start ends; UINT64_MAX: not known yet */

  /**
   * The client's first destination connection id in hexadecimal: the name of the connection in log records and of its qlog.
   * Both ends have the same. Never NULL. Since 0.4.0.
   */
  const char *connection_id;
};

/**
 * Fills `*info` with facts about the connection of `session`; the caller sets `info->size` first. Any callback but
 * `on_close`.
 *
 * Errors: WT_ERR_INVALID if `info->size` is too small (error.h, "Structs that grow"); WT_ERR_CLOSED in `on_close` of
 * the session. Since 0.1.0.
 */
WT_API int wt_session_get_connection_info(const wt_session *session, struct wt_connection_info *info);

/**
 * Sets `*der` and `*len` to the certificate number `index`, counted from 0, that the peer showed in the handshake (RFC
 * 8446, section 4.4.2): first the leaf, then the rest of its chain. `wt_certificate_describe` reads it. `*der` is
 * borrowed and lives as long as the connection. On a resumed connection, a server gives the certificates of the
 * connection that was resumed. `certificate_verified` of struct wt_connection_info says whether the chain was verified.
 * After an error `*der` is NULL and `*len` is 0. Any callback but `on_close`.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many certificates, or none; WT_ERR_CLOSED in `on_close` of the session.
 * Since 0.2.0.
 */
WT_API int wt_session_get_peer_certificate(const wt_session *session, size_t index, const void **der, size_t *len);

/**
 * Returns the name of the HTTP/3 setting `id` as the RFCs and drafts spell it: "SETTINGS_ENABLE_CONNECT_PROTOCOL". NULL
 * if the library does not know it. Static string. Any thread, any callback. Since 0.1.0.
 */
WT_API const char *wt_setting_name(uint64_t id);

#ifdef __cplusplus
}
#endif

#endif
