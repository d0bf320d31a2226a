/* SPDX-License-Identifier: MIT */
/*
 * The server's certificate: from the user's files, or made in memory. The latter is valid for as long as browsers
 * accept certificates by hash: the W3C API allows 14 days, and a day is left for clocks that are wrong.
 */
#include "common/server_certificate.h"

#include <stdio.h>
#include <sys/stat.h>

#include "common/tool_log.h"

enum {
  GENERATED_DAYS = 13
};

/* Only a warning: the key works. */
static void key_mode_check(const char *key_file) {
  struct stat info;
  if (stat(key_file, &info) || !(info.st_mode & (S_IROTH | S_IWOTH))) return;
  log_line(WT_LOG_WARN, "key file %s: every user of this machine can %s it; 'chmod o-rwx' takes that away", key_file,
           info.st_mode & S_IROTH ? "read" : "write");
}

int server_certificate_get(const char *cert_file, const char *key_file, const char *ocsp_file,
                           wt_certificate **certificate, char *message, size_t size) {
  if (cert_file) {
    key_mode_check(key_file);
    if (ocsp_file) return wt_certificate_load_stapled(cert_file, key_file, ocsp_file, certificate, message, size);
    return wt_certificate_load(cert_file, key_file, certificate, message, size);
  }
  int error = wt_certificate_generate(NULL, 0, GENERATED_DAYS, certificate);
  if (error) snprintf(message, size, "cannot make a certificate: %s", wt_error_string(error));
  return error;
}
