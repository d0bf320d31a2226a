/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PROBE_REPORT_H
#define WEBTRANSPORT_TOOL_PROBE_REPORT_H

#include <jansson.h>

#include <webtransport/certificate.h>

#include "probe/probe_attempt.h"
#include "probe/verdict.h"

/*
 * The report of a probe is one JSON object. --json prints it as it is; else it is printed as text. Members that are not
 * known are null. The functions below add members and replace those of the same name.
 */

/* "addresses", "answer", "times_us.answer" and "session" of a dial that is over. */
void probe_add_dial(json_t *report, const struct probe_observation *observation);

/* "quic", "tls", "settings" and "times_us" of a connection; `info` NULL: they are null. */
void probe_add_connection(json_t *report, const struct wt_connection_info *info);

/* "session.max_datagram_size", which grows with the path's MTU. */
void probe_add_session(json_t *report, wt_session *session);

/* "session.closed": the server ended it. */
void probe_add_close(json_t *report, const struct wt_close_info *close);

/* "verdicts". */
void probe_add_verdicts(json_t *report, const struct verdict_facts *facts);

/* Returns an object that describes a failed dial. */
json_t *probe_error(int error, const char *message, const struct wt_dial_result *result);

/* Prints the report for people; `certificate` is NULL if none was shown. */
void probe_print(const json_t *report, const struct wt_certificate_info *certificate, int64_t now);

#endif
