/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_SERVER_CERTIFICATE_H
#define WEBTRANSPORT_TOOL_SERVER_CERTIFICATE_H

#include <webtransport/certificate.h>

#include "serve/recorder.h"

/* Makes or loads the certificate: from the two files, or, where they are NULL, a self-signed one. */
int server_certificate_get(const char *cert_file, const char *key_file, const char *ocsp_file,
                           wt_certificate **certificate, char *message, size_t size);

/* Tells `recorder` about `certificate`. */
void server_certificate_record(struct recorder *recorder, const wt_certificate *certificate, bool generated);

#endif
