/* SPDX-License-Identifier: MIT */

/*
 * An OCSP response beside a certificate: the authority's word that the certificate was not revoked (RFC 6960), which the
 * server hands over in the handshake ("stapled", RFC 8446, section 4.4.2.1), so that clients need not ask the authority.
 *
 * Somebody else fetches it, as a rule a timer with `openssl ocsp` or an ACME client, and puts it into a file. It is read with
 * the certificate and checked as far as a server can: that it is a response, about this certificate, good at present, and
 * that the certificate was not revoked. Clients verify the signature. When its time is over it is not handed out any more: a
 * certificate without a response is better than one with an old response, which clients refuse.
 */

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/ocsp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "quic/certificate.h"

#define MAX_RESPONSE_LEN 65536 /* bytes; they have one or two kilobytes */

struct staple {
  const char *cert_file, *ocsp_file;
  char *text;
  size_t size;
};

/* Writes the sentence and returns `error`. */
__attribute__((format(printf, 3, 4))) static int fail(const struct staple *staple, int error, const char *format, ...) {
  va_list args;
  if (!staple->text || !staple->size) return error;
  int len = snprintf(staple->text, staple->size, "OCSP file %s: ", staple->ocsp_file);
  if (len < 0 || (size_t)len >= staple->size) return error;
  va_start(args, format);
  (void)vsnprintf(staple->text + len, staple->size - (size_t)len, format, args);
  va_end(args);
  return error;
}

static int read_file(const struct staple *staple, gnutls_datum_t *data) {
  FILE *file = fopen(staple->ocsp_file, "rbe");
  if (!file) return fail(staple, WT_ERR_FILE, "%s", strerror(errno));
  data->data = wt__malloc(MAX_RESPONSE_LEN + 1);
  int error = data->data ? 0 : fail(staple, WT_ERR_NOMEM, "out of memory");
  if (!error) data->size = (unsigned)fread(data->data, 1, MAX_RESPONSE_LEN + 1, file);
  if (!error && ferror(file)) error = fail(staple, WT_ERR_FILE, "%s", strerror(errno));
  if (!error && data->size > MAX_RESPONSE_LEN)
    error = fail(staple, WT_ERR_FILE, "larger than %d bytes", MAX_RESPONSE_LEN);
  (void)fclose(file);
  return error;
}

static int check_time(const struct staple *staple, time_t from, time_t until) {
  time_t now = time(NULL);
  bool over = until != (time_t)-1 && now >= until;
  struct tm tm;
  char text[40] = "?";
  if (!over && now >= from) return 0;
  if (gmtime_r(over ? &until : &from, &tm)) (void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm);
  return fail(staple, WT_ERR_EXPIRED,
              over ? "the response is too old: it was good until %s" : "the response is good from %s on", text);
}

/* `*until`: when it is over; -1: it does not say. */
static int check_response(const struct staple *staple, gnutls_ocsp_resp_t response, const wt_certificate *certificate,
                          time_t *until) {
  unsigned status = 0;
  time_t from = 0, revoked;
  int error = gnutls_ocsp_resp_get_status(response);
  if (error != GNUTLS_OCSP_RESP_SUCCESSFUL) return fail(staple, WT_ERR_CERTIFICATE, "the responder gave no answer");
  if (gnutls_ocsp_resp_check_crt(response, 0, certificate->leaf))
    return fail(staple, WT_ERR_CERTIFICATE, "the response is about another certificate than that in %s",
                staple->cert_file);
  error = gnutls_ocsp_resp_get_single(response, 0, NULL, NULL, NULL, NULL, &status, &from, until, &revoked, NULL);
  if (error < 0) return fail(staple, WT_ERR_CERTIFICATE, "the response cannot be read (%s)", gnutls_strerror(error));
  if (status != GNUTLS_OCSP_CERT_GOOD)
    return fail(staple, WT_ERR_CERTIFICATE, "the certificate in %s %s", staple->cert_file,
                status == GNUTLS_OCSP_CERT_REVOKED ? "was revoked" : "is not known to the responder");
  return check_time(staple, from, *until);
}

/* Keeps the response as GnuTLS wants it, which has to be its own memory. */
static int keep(const struct staple *staple, gnutls_ocsp_resp_t response, wt_certificate *certificate, time_t until) {
  certificate->ocsp = wt__calloc(1, sizeof(*certificate->ocsp));
  if (!certificate->ocsp || gnutls_ocsp_resp_export(response, &certificate->ocsp->response))
    return fail(staple, WT_ERR_NOMEM, "out of memory");
  certificate->ocsp->exptime = until == (time_t)-1 ? 0 : until;
  certificate->ocsp_until = until == (time_t)-1 ? INT64_MAX : (int64_t)until;
  return 0;
}

static int parse(const struct staple *staple, const gnutls_datum_t *data, wt_certificate *certificate) {
  gnutls_ocsp_resp_t response;
  time_t until = (time_t)-1;
  if (gnutls_ocsp_resp_init(&response)) return fail(staple, WT_ERR_NOMEM, "out of memory");
  int status = gnutls_ocsp_resp_import(response, data);
  if (status) status = gnutls_ocsp_resp_import2(response, data, GNUTLS_X509_FMT_PEM);
  int error = status ? fail(staple, WT_ERR_CERTIFICATE, "is no OCSP response (%s)", gnutls_strerror(status))
                     : check_response(staple, response, certificate, &until);
  if (!error) error = keep(staple, response, certificate, until);
  gnutls_ocsp_resp_deinit(response);
  return error;
}

int wt_certificate_load_stapled(const char *cert_file, const char *key_file, const char *ocsp_file,
                                wt_certificate **certificate, char *message, size_t message_size) {
  const struct staple staple = {cert_file, ocsp_file, message, message_size};
  gnutls_datum_t data = {NULL, 0};
  wt_certificate *made = NULL;
  if (certificate) *certificate = NULL;
  /* NULL anywhere is one error, which loading reports. */
  int error =
      wt_certificate_load(cert_file, ocsp_file ? key_file : NULL, certificate ? &made : NULL, message, message_size);
  if (!error) error = read_file(&staple, &data);
  if (!error) error = parse(&staple, &data, made);
  wt__free(data.data);
  if (error)
    wt_certificate_free(made);
  else
    *certificate = made;
  return error;
}

const struct gnutls_ocsp_data_st *wt__certificate_staple(const wt_certificate *certificate) {
  return certificate->ocsp && (int64_t)time(NULL) < certificate->ocsp_until ? certificate->ocsp : NULL;
}

void wt__certificate_staple_free(wt_certificate *certificate) {
  if (certificate->ocsp) gnutls_free(certificate->ocsp->response.data);
  wt__free(certificate->ocsp);
}
