/* SPDX-License-Identifier: MIT */
/*
 * Prints the report of `webtransport probe` as text: sections with a label and a value on each line. It reads the
 * object that --json prints, so both say the same. Control characters in the server's texts are escaped, so that the
 * terminal does not obey them.
 *
 * A section is left out if nothing in it is known. The first and the last section are always printed.
 */
#include "probe/probe_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cert/cert_show.h"
#include "common/help.h"
#include "common/visible_text.h"

enum {
  LABEL_WIDTH = 10,
  LONG_WIDTH = 36,
  TEXT_WIDTH = 98,
  VISIBLE_SIZE = 8192,
};

/* --- Values --- */

static const char *text_get(const json_t *json, const char *name) {
  const char *text = json_string_value(json_object_get(json, name));
  return text ? text : "";
}

static int64_t number_get(const json_t *json, const char *name) {
  return (int64_t)json_integer_value(json_object_get(json, name));
}

static bool is_true(const json_t *json, const char *name) { return json_is_true(json_object_get(json, name)); }

static bool is_known(const json_t *json, const char *name) {
  const json_t *value = json_object_get(json, name);
  return value && !json_is_null(value);
}

/* Writes a text of the server. */
static void visible_write(const char *text) {
  char visible[VISIBLE_SIZE];
  fputs(visible_text(text, visible, sizeof visible), stdout);
}

static void label_print(int width, const char *label) { printf("  %-*s  ", width, label); }

static void row_print(int width, const char *label, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* For texts of this program's own, and numbers. */
static void row_print(int width, const char *label, const char *format, ...) {
  va_list args;
  label_print(width, label);
  va_start(args, format);
  vprintf(format, args);
  va_end(args);
  putchar('\n');
}

/* For texts of the server. */
static void peer_print(int width, const char *label, const char *text) {
  label_print(width, label);
  visible_write(text);
  putchar('\n');
}

static void ms_print(const json_t *times, const char *name, const char *label, const char *remark) {
  if (is_known(times, name)) row_print(LABEL_WIDTH, label, "%.2f ms%s", (double)number_get(times, name) / 1000, remark);
}

/* --- Sections --- */

static void error_print(const json_t *error, const char *label) {
  label_print(LABEL_WIDTH, label);
  visible_write(text_get(error, "message"));
  const char *code = text_get(error, "wire_code");
  if (*text_get(error, "stage")) printf(" (stage: %s%s%s)", text_get(error, "stage"), *code ? ", code " : "", code);
  putchar('\n');
}

static void result_print(const json_t *report) {
  const json_t *session = json_object_get(report, "session");
  const bool unchecked = is_true(report, "unchecked");
  printf("Result\n");
  peer_print(LABEL_WIDTH, "URL", text_get(report, "url"));
  row_print(LABEL_WIDTH, "Session", "%s",
            !json_is_object(session) ? "no"
            : unchecked              ? "no, as the certificate was refused"
                                     : "yes");
  if (is_known(report, "error")) error_print(json_object_get(report, "error"), "Because");
  if (unchecked) {
    row_print(LABEL_WIDTH, "Unchecked", "what follows was seen on a connection whose certificate was not checked%s",
              json_is_object(session) ? ", with a session" : "");
    if (is_known(report, "unchecked_error")) error_print(json_object_get(report, "unchecked_error"), "");
  }
}

static void addresses_print(const json_t *list) {
  size_t index;
  const json_t *json;
  if (!json_array_size(list)) return;
  printf("\nAddresses\n");
  int width = LABEL_WIDTH;
  json_array_foreach(list, index, json) {
    const size_t len = strlen(text_get(json, "address"));
    if (len > (size_t)width) width = (int)len;
  }
  json_array_foreach(list, index, json) {
    label_print(width, text_get(json, "address"));
    printf("%.2f to %.2f ms: ", (double)number_get(json, "begun_us") / 1000,
           (double)number_get(json, "ended_us") / 1000);
    visible_write(is_known(json, "error") ? text_get(json, "message") : "connected");
    putchar('\n');
  }
}

static void quic_print(const json_t *report) {
  const json_t *quic = json_object_get(report, "quic");
  const json_t *session = json_object_get(report, "session");
  if (!json_is_object(quic)) return;
  const char *version = text_get(quic, "version");
  /* The path is searched step by step, for as long as the session lasts. */
  const bool watched = json_is_object(session) && !is_known(session, "closed");
  printf("\nQUIC\n");
  row_print(LABEL_WIDTH, "Version", "%s%s", version,
            !strcmp(version, "0x00000001")   ? " (1, RFC 9000)"
            : !strcmp(version, "0x6b3343cf") ? " (2, RFC 9369)"
                                             : "");
  row_print(LABEL_WIDTH, "From, to", "%s, %s", text_get(quic, "local_address"), text_get(quic, "peer_address"));
  if (is_known(quic, "path_mtu"))
    row_print(LABEL_WIDTH, "Path MTU", "%s%" PRId64 " bytes, of which UDP carries %" PRId64, watched ? "" : "at least ",
              number_get(quic, "path_mtu"), number_get(quic, "max_udp_payload_size"));
  row_print(LABEL_WIDTH, "Congestion", "%s, window of %" PRId64 " bytes", text_get(quic, "congestion_control"),
            number_get(quic, "congestion_window"));
  if (json_is_object(session))
    row_print(LABEL_WIDTH, "Datagrams", "up to %" PRId64 " bytes", number_get(session, "max_datagram_size"));
}

static void times_print(const json_t *times) {
  if (!is_known(times, "handshake") && !is_known(times, "min_rtt")) return;
  printf("\nTimes since the first packet\n");
  ms_print(times, "handshake", "Handshake", "");
  ms_print(times, "settings", "SETTINGS", "");
  ms_print(times, "answer", "Answer", "");
  if (!is_known(times, "min_rtt")) return;
  row_print(LABEL_WIDTH, "Round trip", "%.2f ms smoothed, %.2f ms at least, %.2f ms variation",
            (double)number_get(times, "smoothed_rtt") / 1000, (double)number_get(times, "min_rtt") / 1000,
            (double)number_get(times, "rtt_variation") / 1000);
}

static void tls_print(const json_t *tls) {
  if (!json_is_object(tls)) return;
  printf("\nTLS\n");
  row_print(LABEL_WIDTH, "Version", "%s", text_get(tls, "version"));
  row_print(LABEL_WIDTH, "Cipher", "%s", text_get(tls, "cipher"));
  row_print(LABEL_WIDTH, "Group", "%s", text_get(tls, "group"));
  if (is_true(tls, "ocsp_stapled")) row_print(LABEL_WIDTH, "OCSP", "a response came with the certificate");
  if (is_known(tls, "resumes"))
    row_print(LABEL_WIDTH, "Resumption", "a second connection %s",
              is_true(tls, "resumes") ? "resumes" : "does not resume");
}

static void judged_print(const json_t *judged, const char *label, const char *who, const char *file) {
  if (!json_is_object(judged)) return;
  label_print(LABEL_WIDTH, label);
  if (!is_known(judged, "accepted")) {
    printf("not judged%s", is_known(judged, "message") ? ": " : "");
  } else {
    printf("%s%s", is_true(judged, "accepted") ? "accepted by " : "refused by ", who);
    visible_write(file);
    if (is_known(judged, "message")) printf(": ");
  }
  visible_write(text_get(judged, "message"));
  putchar('\n');
}

static void certificate_print(const json_t *report, const struct wt_certificate_info *certificate, int64_t now) {
  const json_t *authorities = json_object_get(report, "authorities");
  const char *file = text_get(authorities, "file");
  if (!certificate) return;
  printf("\nCertificate\n");
  cert_print(certificate, now);
  judged_print(authorities, "CA", *file ? "those of " : "the system's authorities", file);
  judged_print(json_object_get(report, "given_hash"), "Given hash", "--insecure-hash", "");
}

static void parameters_print(const json_t *parameters) {
  const char *name;
  const json_t *value;
  if (!json_is_object(parameters)) return;
  printf("\nTransport parameters\n");
  json_object_foreach((json_t *)parameters, name, value) {
    if (json_is_integer(value))
      row_print(LONG_WIDTH, name, "%" PRId64, (int64_t)json_integer_value(value));
    else
      row_print(LONG_WIDTH, name, "%s", json_is_true(value) ? "yes" : "no");
  }
}

static void settings_print(const json_t *report) {
  const json_t *list = json_object_get(report, "settings");
  size_t index;
  const json_t *json;
  if (!json_is_array(list)) return;
  printf("\nSETTINGS\n");
  if (!json_array_size(list)) printf("  none\n");
  json_array_foreach(list, index, json) {
    const char *name = is_known(json, "name") ? text_get(json, "name") : is_true(json, "grease") ? "GREASE" : "unknown";
    printf("  %-*s  %-*s  %" PRId64 "\n", LABEL_WIDTH, text_get(json, "id"), LONG_WIDTH, name,
           number_get(json, "value"));
  }
  if (is_known(report, "draft"))
    printf("  They choose draft %02" PRId64 ".\n", number_get(report, "draft"));
  else
    printf("  They choose no draft.\n");
}

static void answer_print(const json_t *report) {
  const json_t *answer = json_object_get(report, "answer"), *session = json_object_get(report, "session");
  const json_t *closed = json_object_get(session, "closed"), *json;
  size_t index;
  if (!json_is_object(answer)) return;
  printf("\nAnswer\n");
  row_print(LABEL_WIDTH, "Status", "%" PRId64, number_get(answer, "status"));
  if (json_is_object(session))
    peer_print(LABEL_WIDTH, "Protocol", is_known(session, "subprotocol") ? text_get(session, "subprotocol") : "none");
  json_array_foreach(json_object_get(answer, "headers"), index, json) {
    label_print(LABEL_WIDTH, index ? "" : "Header");
    visible_write(text_get(json, "name"));
    printf(": ");
    visible_write(text_get(json, "value"));
    putchar('\n');
  }
  if (!json_is_object(closed)) return;
  label_print(LABEL_WIDTH, "Closed");
  if (!is_true(closed, "clean")) {
    printf("by %s, not in order, %s code %s: ", text_get(closed, "cause"),
           is_true(closed, "wire_is_h3") ? "the application's" : "QUIC's", text_get(closed, "wire_code"));
    visible_write(text_get(closed, "message"));
    putchar('\n');
    return;
  }
  printf("by %s, code %" PRId64 ", reason '", text_get(closed, "by"), number_get(closed, "code"));
  visible_write(text_get(closed, "reason"));
  printf("'\n");
}

/* --- Verdicts --- */

/* With a verdict that is already no, only what is broken matters. */
static void rule_print(const json_t *rule, bool decided) {
  char text[1024], visible[2 * sizeof text];
  const bool kept = is_true(rule, "kept"), known = is_known(rule, "kept"), required = is_true(rule, "required");
  const char *found = text_get(rule, "found");
  if ((kept && !*found) || ((kept || !known) && decided)) return;
  if (kept)
    snprintf(text, sizeof text, "%s", found);
  else
    snprintf(text, sizeof text, "%s%s%s%s", known ? "" : "not known whether ", text_get(rule, "sentence"),
             *found ? ": " : "", found);
  printf("    %-*s  %s", LABEL_WIDTH + 6, text_get(rule, "name"),
         known && !kept ? required ? "needs: " : "wants: " : "");
  const size_t column = LABEL_WIDTH + 12;
  help_wrap(stdout, visible_text(text, visible, sizeof visible), column, column, TEXT_WIDTH);
}

static void verdicts_print(const json_t *list) {
  size_t i, j;
  const json_t *verdict, *rule;
  printf("\nWould they connect?\n");
  json_array_foreach(list, i, verdict) {
    const bool known = is_known(verdict, "would_connect"), yes = is_true(verdict, "would_connect");
    char name[64];
    snprintf(name, sizeof name, "%s %s", text_get(verdict, "client"), text_get(verdict, "version"));
    row_print(20, name, "%s", !known ? "not known" : yes ? "yes" : "no");
    json_array_foreach(json_object_get(verdict, "rules"), j, rule) rule_print(rule, known && !yes);
  }
}

void probe_print(const json_t *report, const struct wt_certificate_info *certificate, int64_t now) {
  result_print(report);
  addresses_print(json_object_get(report, "addresses"));
  quic_print(report);
  times_print(json_object_get(report, "times_us"));
  tls_print(json_object_get(report, "tls"));
  certificate_print(report, certificate, now);
  parameters_print(json_object_get(json_object_get(report, "quic"), "transport_parameters"));
  settings_print(report);
  answer_print(report);
  verdicts_print(json_object_get(report, "verdicts"));
}
