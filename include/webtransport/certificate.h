/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_CERTIFICATE_H
#define WEBTRANSPORT_CERTIFICATE_H

#include <webtransport/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A certificate chain with its private key, immutable and usable from any thread. */
typedef struct wt_certificate wt_certificate;

/**
 * Reads a PEM chain and its PEM key from files. `*certificate` is the caller's, to be freed with
 * `wt_certificate_free`. `message`, which may be NULL, gets a sentence that names the file at fault
 * (at most `message_size` bytes with its NUL), or "".
 *
 * The key file should be its owner's alone, or of a group that serves with it. If every user of the machine may read or
 * change it, the certificate is loaded all the same, and a server that it is given to says so in its log.
 *
 * Errors: WT_ERR_FILE (missing, unreadable), WT_ERR_CERTIFICATE, WT_ERR_KEY, WT_ERR_KEY_MISMATCH,
 * WT_ERR_EXPIRED (expired, or not valid yet), WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_certificate_load(const char *cert_file, const char *key_file, wt_certificate **certificate, char *message,
                               size_t message_size);

/**
 * As `wt_certificate_load`, with an OCSP response (RFC 6960), DER or PEM, that a server hands to clients with the
 * certificate. It has to be about the leaf, good at present, and say that the leaf was not revoked. When its time is over it
 * is not handed out any more: load certificate and response again before, and give them to `wt_server_set_certificates`.
 *
 * Errors: as above; WT_ERR_FILE, WT_ERR_CERTIFICATE and WT_ERR_EXPIRED also of `ocsp_file`. Since 0.2.0.
 */
WT_API int wt_certificate_load_stapled(const char *cert_file, const char *key_file, const char *ocsp_file,
                                       wt_certificate **certificate, char *message, size_t message_size);

/** Reads a PEM chain and its PEM key from memory, which is copied; else as `wt_certificate_load`. Since 0.1.0. */
WT_API int wt_certificate_parse(const void *cert_pem, size_t cert_len, const void *key_pem, size_t key_len,
                                wt_certificate **certificate, char *message, size_t message_size);

/**
 * Makes a self-signed certificate that browsers accept by its hash: P-256, valid for `days` days (1 to
 * 13) from an hour ago, for the DNS names or IP addresses `names` (`count` of them; NULL and 0 stand
 * for localhost, 127.0.0.1 and ::1). The key never leaves memory.
 *
 * Errors: WT_ERR_INVALID, WT_ERR_TLS, WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_certificate_generate(const char *const *names, size_t count, int days, wt_certificate **certificate);

/** Fills `hash` with the SHA-256 of the leaf's DER, as `serverCertificateHashes` wants it. Since 0.1.0. */
WT_API void wt_certificate_get_sha256(const wt_certificate *certificate, uint8_t hash[32]);

/** Returns the end of the leaf's validity, in seconds since 1970-01-01 UTC. Since 0.1.0. */
WT_API int64_t wt_certificate_expires_at(const wt_certificate *certificate);

/**
 * Says whether the leaf is for `name`: a DNS name, by the certificate's names and wildcards, or an IP address without
 * brackets. False for NULL and "". Any thread. Since 0.2.0.
 */
WT_API bool wt_certificate_matches(const wt_certificate *certificate, const char *name);

/**
 * Gives the chain and the key as PEM, NUL-terminated, to be freed with `wt_pem_free`. Either out parameter may be
 * NULL. Errors: WT_ERR_INVALID, WT_ERR_TLS, WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_certificate_export(const wt_certificate *certificate, char **cert_pem, char **key_pem);

/** Wipes and frees what `wt_certificate_export` gave. NULL is allowed. Since 0.1.0. */
WT_API void wt_pem_free(char *pem);

/** A certificate in words. */
struct wt_certificate_info {
  size_t size;                    /**< set by the caller to sizeof(struct wt_certificate_info) */
  char subject[256], issuer[256]; /**< RFC 4514, cut to their field */
  char names[1024];               /**< DNS names and IP addresses, separated by ", ", cut likewise */
  char key[64];                   /**< "ECDSA P-256", "RSA 2048" */
  char signature[64];             /**< "ECDSA-SHA256" */
  char serial[64];                /**< hexadecimal */
  int64_t not_before, not_after;  /**< seconds since 1970-01-01 UTC */
  uint8_t sha256[32];             /**< of the DER */
  bool self_signed;
  /** Why browsers would refuse it in `serverCertificateHashes`, whatever the time: "valid for more than 14 days"; "" if
   * they would take it while it is valid. Static string. */
  const char *hash_refusal;
};

/**
 * Reads the `index`th certificate, from 0, of `len` bytes of PEM or DER at `data`.
 *
 * Errors: WT_ERR_NOT_FOUND past the last; WT_ERR_CERTIFICATE; WT_ERR_INVALID if `info->size` is smaller than any
 * version's; WT_ERR_NOMEM. Any thread. Since 0.1.0.
 */
WT_API int wt_certificate_describe(const void *data, size_t len, size_t index, struct wt_certificate_info *info);

/** Drops the caller's reference; NULL is allowed. A server keeps its own. The key is wiped last. Since 0.1.0. */
WT_API void wt_certificate_free(wt_certificate *certificate);

/** Whether a server asks its clients for certificates (RFC 8446, section 4.3.2). Since 0.2.0. */
enum wt_client_certificates {
  WT_CLIENT_CERTIFICATES_NONE = 0,    /**< it does not ask */
  WT_CLIENT_CERTIFICATES_ASK = 1,     /**< it asks; a client without one is served too */
  WT_CLIENT_CERTIFICATES_REQUIRE = 2, /**< a client without one is refused */
};

/**
 * Chooses the certificate for a client that asks for `server_name` (SNI); NULL: it names none. Called once a handshake,
 * unless the session is resumed, on the thread of the worker that has the connection: with several workers, on several
 * threads at a time. The handshake waits for it, and so do the worker's other connections.
 *
 * Returns a reference, which becomes the server's: `return wt_certificate_ref(mine);`. So another thread may free its own
 * at any time. NULL: the server chooses among its own certificates, as without this function. Since 0.2.0.
 */
typedef wt_certificate *(*wt_select_certificate_callback)(const char *server_name, void *user_data);

/**
 * Gets a secret of a handshake as a line of the NSS key log format, without a newline: "LABEL CLIENT_RANDOM SECRET", for
 * programs such as Wireshark. Whoever has these lines can read the connection. `line` is borrowed until the function returns,
 * and wiped then. Called on the loop's thread; with several workers, on the thread of each, at the same time too. Since 0.2.0.
 */
typedef void (*wt_key_log_callback)(const char *line, void *user_data);

/** Takes a reference more, to be dropped with `wt_certificate_free`. Returns `certificate`; NULL for NULL. Any thread. Since
 * 0.2.0. */
WT_API wt_certificate *wt_certificate_ref(wt_certificate *certificate);

#ifdef __cplusplus
}
#endif

#endif
