/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_CERT_SHOW_H
#define WEBTRANSPORT_TOOL_CERT_SHOW_H

#include <jansson.h>
#include <stdint.h>

#include <webtransport/certificate.h>

#include "command.h"

extern const struct command cert_show_command;

/* Writes "2026-12-05 10:00:00 UTC". */
void cert_time(int64_t seconds, char text[32]);

/* Makes a JSON list of the names of a struct wt_certificate_info. */
json_t *cert_names_json(const char *names);

/* Returns why browsers would not accept the certificate by its hash at `now`, or "". It lives as long as `*info`. */
const char *cert_refusal(const struct wt_certificate_info *info, int64_t now);

/* Adds the properties of a certificate to a JSON object, or prints them, one on a line. */
void cert_json(const struct wt_certificate_info *info, int64_t now, json_t *json);
void cert_print(const struct wt_certificate_info *info, int64_t now);

#endif
