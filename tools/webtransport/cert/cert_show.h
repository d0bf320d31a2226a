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

/* Makes a list of the names of a struct wt_certificate_info. */
json_t *cert_names_json(const char *names);

/* Why browsers would not take it by its hash at `now`; "" if they would. Lives as long as `*info`. */
const char *cert_refusal(const struct wt_certificate_info *info, int64_t now);

/* Adds what is known of a certificate to an object, or prints it, a line each. */
void cert_json(const struct wt_certificate_info *info, int64_t now, json_t *json);
void cert_print(const struct wt_certificate_info *info, int64_t now);

#endif
