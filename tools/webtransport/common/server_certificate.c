/* SPDX-License-Identifier: MIT */
/*
 * The server's certificate: from the user's files, or made in memory. The latter is valid for as long as browsers
 * accept certificates by hash: the W3C API allows 14 days, and a day is left for clocks that are wrong.
 */
#include "common/server_certificate.h"

#include <stdio.h>

enum {
  GENERATED_DAYS = 13
};

int server_certificate_get(const char *cert_file, const char *key_file, const char *ocsp_file,
                           wt_certificate **certificate, char *message, size_t size) {
  if (cert_file) {
    if (ocsp_file) return wt_certificate_load_stapled(cert_file, key_file, ocsp_file, certificate, message, size);
    return wt_certificate_load(cert_file, key_file, certificate, message, size);
  }
  int error = wt_certificate_generate(NULL, 0, GENERATED_DAYS, certificate);
  if (error) snprintf(message, size, "cannot make a certificate: %s", wt_error_string(error));
  return error;
}
