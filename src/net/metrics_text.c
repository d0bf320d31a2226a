/* SPDX-License-Identifier: MIT */

/*
 * Metrics as text.
 *
 *     # HELP webtransport_received_bytes Bytes of UDP payload received.     of a family
 *     # TYPE webtransport_received_bytes counter
 *     # UNIT webtransport_received_bytes bytes
 *     webtransport_received_bytes_total 1200                                its samples
 *
 * In OpenMetrics a counter's family has no "_total", but its samples have. In Prometheus' older format, above, the family
 * would have it too. That format has no UNIT and no EOF: it takes both for comments, and they are left out.
 *
 * The application gets the text in pieces of about a kilobyte, so nothing is allocated, and a label may have any length.
 */

#include "net/metrics_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "wire/utf8.h"

static void text_flush(struct wt__metrics_text *text) {
  if (text->len) text->write(text->piece, text->len, text->user_data);
  text->len = 0;
}

static void text_char(struct wt__metrics_text *text, char c) {
  if (text->len == sizeof(text->piece)) text_flush(text);
  text->piece[text->len++] = c;
}

static void text_add(struct wt__metrics_text *text, const char *string) {
  for (; *string; string++) text_char(text, *string);
}

static void text_add_number(struct wt__metrics_text *text, uint64_t value) {
  char digits[24];
  snprintf(digits, sizeof(digits), "%" PRIu64, value);
  text_add(text, digits);
}

/* The length of the character that `s` begins with; 0: it is not UTF-8. */
static size_t character_len(const char *s) {
  size_t max = strnlen(s, 4);
  for (size_t len = 1; len <= max; len++) {
    if (wt__utf8_valid(s, len)) return len;
  }
  return 0;
}

static void text_add_escaped(struct wt__metrics_text *text, char c) {
  if (c == '\\' || c == '"' || c == '\n') text_char(text, '\\');
  text_char(text, c == '\n' ? 'n' : c);
}

/* The value of a label. Both formats want three characters escaped, and readers refuse the whole text for one byte that is
 * not UTF-8: it is written as in URLs. */
static void text_add_value(struct wt__metrics_text *text, const char *value) {
  while (*value) {
    size_t len = character_len(value);
    if (!len) {
      char hex[4];
      (void)snprintf(hex, sizeof(hex), "%%%02X", (unsigned)(unsigned char)*value++);
      text_add(text, hex);
    }
    for (; len; len--) text_add_escaped(text, *value++);
  }
}

static void text_add_name(struct wt__metrics_text *text, bool total) {
  text_add(text, "webtransport_");
  text_add(text, text->name);
  if (total) text_add(text, "_total");
}

/* "# TYPE name value" */
static void text_add_about(struct wt__metrics_text *text, const char *what, const char *value) {
  text_add(text, "# ");
  text_add(text, what);
  text_char(text, ' ');
  text_add_name(text, text->is_counter && text->format == WT_METRICS_PROMETHEUS);
  text_char(text, ' ');
  text_add(text, value);
}

void wt__metrics_family(struct wt__metrics_text *text, const char *name, enum wt__metrics_kind kind, const char *unit,
                        const char *help) {
  static const char *const kinds[] = {"counter\n", "gauge\n", "histogram\n"};
  text->name = name;
  text->is_counter = kind == WT__METRICS_COUNTER;
  text_add_about(text, "HELP", help);
  text_add(text, ".\n");
  text_add_about(text, "TYPE", kinds[kind]);
  if (!*unit || text->format != WT_METRICS_OPENMETRICS) return;
  text_add_about(text, "UNIT", unit);
  text_char(text, '\n');
}

static void text_add_labels(struct wt__metrics_text *text, const struct wt__metrics_label *labels, size_t count) {
  for (size_t i = 0; i < count; i++) {
    text_add(text, i ? "," : "{");
    text_add(text, labels[i].name);
    text_add(text, "=\"");
    text_add_value(text, labels[i].value);
    text_char(text, '"');
  }
  text_add(text, count ? "} " : " ");
}

static void text_add_seconds(struct wt__metrics_text *text, uint64_t ns) {
  char digits[40];
  int len = snprintf(digits, sizeof(digits), "%" PRIu64 ".%09" PRIu64, ns / WT__NS_PER_S, ns % WT__NS_PER_S);
  while (digits[len - 1] == '0' && digits[len - 2] != '.') digits[--len] = '\0';
  text_add(text, digits);
}

static void sample_begin(struct wt__metrics_text *text, const struct wt__metrics_label *labels, size_t label_count) {
  text_add_name(text, text->is_counter);
  text_add_labels(text, labels, label_count);
}

void wt__metrics_sample(struct wt__metrics_text *text, const struct wt__metrics_label *labels, size_t label_count,
                        uint64_t value) {
  sample_begin(text, labels, label_count);
  text_add_number(text, value);
  text_char(text, '\n');
}

void wt__metrics_sample_ns(struct wt__metrics_text *text, const struct wt__metrics_label *labels, size_t label_count,
                           uint64_t ns) {
  sample_begin(text, labels, label_count);
  text_add_seconds(text, ns);
  text_char(text, '\n');
}

static void bucket_add(struct wt__metrics_text *text, uint64_t bound, uint64_t value) {
  text_add_name(text, false);
  text_add(text, "_bucket{le=\"");
  if (bound == UINT64_MAX) {
    text_add(text, "+Inf");
  } else {
    text_add_seconds(text, bound);
  }
  text_add(text, "\"} ");
  text_add_number(text, value);
  text_char(text, '\n');
}

void wt__metrics_histogram(struct wt__metrics_text *text, const struct wt__histogram *const *histograms, size_t count) {
  uint64_t total = 0, sum = 0;
  for (size_t range = 0; range <= WT__HISTOGRAM_BOUNDS; range++) {
    for (size_t i = 0; i < count; i++) {
      total += atomic_load_explicit(&histograms[i]->counts[range], memory_order_relaxed);
    }
    bucket_add(text, range < WT__HISTOGRAM_BOUNDS ? histograms[0]->bounds[range] : UINT64_MAX, total);
  }
  for (size_t i = 0; i < count; i++) sum += atomic_load_explicit(&histograms[i]->sum, memory_order_relaxed);
  text_add_name(text, false);
  text_add(text, "_count ");
  text_add_number(text, total);
  text_char(text, '\n');
  text_add_name(text, false);
  text_add(text, "_sum ");
  text_add_seconds(text, sum);
  text_char(text, '\n');
}

void wt__metrics_end(struct wt__metrics_text *text) {
  if (text->format == WT_METRICS_OPENMETRICS) text_add(text, "# EOF\n");
  text_flush(text);
}
