/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_CERTIFICATE_H
#define WEBTRANSPORT_CERTIFICATE_H

#include <webtransport/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A certificate chain with its private key. It does not change, and any thread may use it. It counts references:
 * `wt_certificate_ref` adds one, `wt_certificate_free` drops one.
 */
typedef struct wt_certificate wt_certificate;

/**
 * Reads a certificate chain and its private key from PEM files, the leaf first. `*certificate` belongs to the caller,
 * who frees it with `wt_certificate_free`. `message` may be NULL; it gets a sentence about an error that names the
 * file, or "": at most `message_size` bytes with the NUL. Any thread, any callback; it waits for the disk.
 *
 * Only the owner of the key file, or a group that serves with it, should be able to read it. If every user of the
 * machine may read or change it, the certificate is loaded all the same, and a server that gets it writes a warning to
 * its log.
 *
 * Errors: WT_ERR_FILE if a file is missing, cannot be read or is too large; WT_ERR_CERTIFICATE and WT_ERR_KEY if a file
 * holds no usable certificate or key, such as an encrypted key; WT_ERR_KEY_MISMATCH; WT_ERR_EXPIRED if the leaf has
 * expired or is not valid yet; WT_ERR_TLS; WT_ERR_NOMEM. After an error `*certificate` is NULL. Since 0.1.0.
 */
WT_API int wt_certificate_load(const char *cert_file, const char *key_file, wt_certificate **certificate, char *message,
                               size_t message_size);

/**
 * Does the same as `wt_certificate_load`, and reads an OCSP response (RFC 6960) from `ocsp_file`, which is DER or PEM.
 * A server sends the response to clients with the certificate (RFC 8446, section 4.4.2.1). The response must be about
 * the leaf, be valid now, and say that the leaf was not revoked. When it expires, the server stops sending it: before
 * that, load certificate and response again and pass them to `wt_server_set_certificates`.
 *
 * Errors: those of `wt_certificate_load`. WT_ERR_FILE, WT_ERR_CERTIFICATE and WT_ERR_EXPIRED may also be about
 * `ocsp_file`; `message` says so. Since 0.2.0.
 */
WT_API int wt_certificate_load_stapled(const char *cert_file, const char *key_file, const char *ocsp_file,
                                       wt_certificate **certificate, char *message, size_t message_size);

/**
 * Reads a certificate chain and its key from PEM in memory, which is copied; NULL with 0 is an empty text. All else is
 * as for `wt_certificate_load`, but it does not return WT_ERR_FILE. Any thread, any callback. Since 0.1.0.
 */
WT_API int wt_certificate_parse(const void *cert_pem, size_t cert_len, const void *key_pem, size_t key_len,
                                wt_certificate **certificate, char *message, size_t message_size);

/**
 * Makes a self-signed certificate that browsers accept by its hash (`serverCertificateHashes` of W3C WebTransport). Its
 * key is an ECDSA P-256 key that never leaves memory. It is valid from an hour ago for `days` days, from 1 to 13.
 * `names` has `count` DNS names or IP addresses, 1 to 64; NULL with 0 stands for localhost, 127.0.0.1 and ::1.
 * `*certificate` belongs to the caller, who frees it with `wt_certificate_free`. Any thread, any callback.
 *
 * Errors: WT_ERR_INVALID if `days`, `count` or a name is not valid; WT_ERR_TLS; WT_ERR_NOMEM. After an error
 * `*certificate` is NULL. Since 0.1.0.
 */
WT_API int wt_certificate_generate(const char *const *names, size_t count, int days, wt_certificate **certificate);

/**
 * Fills `hash` with the SHA-256 of the leaf's DER: the value for `serverCertificateHashes`. Any thread, any callback.
 * It was `wt_certificate_sha256` before. Since 0.2.0.
 */
WT_API void wt_certificate_get_sha256(const wt_certificate *certificate, uint8_t hash[32]);

/** Returns when the leaf expires, in seconds since 1970-01-01 UTC. Any thread, any callback. Since 0.1.0. */
WT_API int64_t wt_certificate_expires_at(const wt_certificate *certificate);

/**
 * Returns whether the leaf is valid for `name` (RFC 9110, section 4.3.4): a DNS name, which may match a wildcard, or an
 * IP address without brackets. It is false for NULL and "". Any thread, any callback. Since 0.2.0.
 */
WT_API bool wt_certificate_matches(const wt_certificate *certificate, const char *name);

/**
 * Makes PEM texts of the chain and of the key. Each is NUL-terminated and belongs to the caller, who frees it with
 * `wt_pem_free`. Either out parameter may be NULL. Any thread, any callback.
 *
 * Errors: WT_ERR_INVALID if `certificate` is NULL; WT_ERR_TLS; WT_ERR_NOMEM. After an error both are NULL. Since 0.1.0.
 */
WT_API int wt_certificate_export(const wt_certificate *certificate, char **cert_pem, char **key_pem);

/** Wipes and frees a text of `wt_certificate_export`. NULL is allowed. Any thread, any callback. Since 0.1.0. */
WT_API void wt_pem_free(char *pem);

/** The contents of a certificate. Since 0.1.0. */
struct wt_certificate_info {
  size_t size;                    /**< the caller sets it to sizeof(struct wt_certificate_info) */
  char subject[256], issuer[256]; /**< as RFC 4514 writes them, cut to the size of the member */
  char names[1024];               /**< DNS names and IP addresses with ", " between them, cut in the same way */
  char key[64];                   /**< "ECDSA P-256", "RSA 2048" */
  char signature[64];             /**< "ECDSA-SHA256" */
  char serial[64];                /**< hexadecimal */
  int64_t not_before, not_after;  /**< seconds since 1970-01-01 UTC */
  uint8_t sha256[32];             /**< SHA-256 of the DER */
  bool self_signed;               /**< its key signed it: subject and issuer are the same */
  /**
   * Why browsers refuse it in `serverCertificateHashes` at any time: "valid for more than 14 days". "" if they accept
   * it while it is valid. Static string.
   */
  const char *hash_refusal;
};

/**
 * Fills `*info` with the contents of certificate number `index`, counted from 0, of `len` bytes of PEM or DER at
 * `data`. The caller sets `info->size` first. Nothing in `*info` points into `data`. Any thread, any callback.
 *
 * Errors: WT_ERR_NOT_FOUND if there are not so many certificates; WT_ERR_CERTIFICATE if the bytes are no certificate;
 * WT_ERR_INVALID if `info->size` is too small (error.h, "Structs that grow"), or if `data` is NULL with a length;
 * WT_ERR_NOMEM. Since 0.1.0.
 */
WT_API int wt_certificate_describe(const void *data, size_t len, size_t index, struct wt_certificate_info *info);

/**
 * Drops one reference. The last one wipes the key and frees the certificate. Servers and clients keep references of
 * their own. NULL is allowed. Any thread, any callback. Since 0.1.0.
 */
WT_API void wt_certificate_free(wt_certificate *certificate);

/** Whether a server asks its clients for certificates (RFC 8446, section 4.3.2). Since 0.2.0. */
enum wt_client_certificates {
  WT_CLIENT_CERTIFICATES_NONE = 0,    /**< it does not ask */
  WT_CLIENT_CERTIFICATES_ASK = 1,     /**< it asks, and serves clients without one too */
  WT_CLIENT_CERTIFICATES_REQUIRE = 2, /**< it asks, and refuses clients without one */
};

/**
 * Chooses the certificate for a client that asks for `server_name` (SNI, RFC 6066, section 3); NULL if the client names
 * none. Called once in each handshake that is not a resumption, on the thread of the connection's worker; on a server
 * with several workers, several threads may call it at the same time. The handshake and the worker's other connections
 * wait for it.
 *
 * It returns a reference, which then belongs to the server: `return wt_certificate_ref(mine);`. So another thread may
 * free its own reference at any time. If it returns NULL, the server chooses among its own certificates. Since 0.2.0.
 */
typedef wt_certificate *(*wt_select_certificate_callback)(const char *server_name, void *user_data);

/**
 * Gets a secret of a handshake as one line of the NSS key log format, without a newline: "LABEL CLIENT_RANDOM SECRET".
 * Programs such as Wireshark read this format. Whoever has these lines can read the connection. `line` is borrowed
 * until the function returns, and is wiped then. Called on the loop's thread. A server with several workers calls it on
 * the thread of each, so several calls may run at the same time. Since 0.2.0.
 */
typedef void (*wt_key_log_callback)(const char *line, void *user_data);

/**
 * Adds a reference, which `wt_certificate_free` drops. Returns `certificate`; NULL for NULL. Any thread, any callback.
 * Since 0.2.0.
 */
WT_API wt_certificate *wt_certificate_ref(wt_certificate *certificate);

#ifdef __cplusplus
}
#endif

#endif
