/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVER_CERTIFICATE_H
#define WEBTRANSPORT_TOOL_SERVER_CERTIFICATE_H

#include <webtransport/certificate.h>

/* Loads the certificate from these files, or makes a self-signed one if they are NULL. */
int server_certificate_get(const char *cert_file, const char *key_file, const char *ocsp_file,
                           wt_certificate **certificate, char *message, size_t size);

#endif
