/* SPDX-License-Identifier: MIT */
#ifndef WT_NET_METRICS_TEXT_H
#define WT_NET_METRICS_TEXT_H

/* Metrics as text: the lines of OpenMetrics and of Prometheus' older format. See metrics_text.c. */

#include <stddef.h>
#include <stdint.h>

#include <webtransport/metrics.h>

#include "base/histogram.h"

/* Gathers lines and gives them to the application in pieces. */
struct wt__metrics_text {
  enum wt_metrics_format format;
  wt_metrics_write_callback write;
  void *user_data;
  const char *name; /* of the family that `wt__metrics_family` began, without "webtransport_" */
  bool is_counter;
  size_t len;
  char piece[1024];
};

enum wt__metrics_kind {
  WT__METRICS_COUNTER,
  WT__METRICS_GAUGE,
  WT__METRICS_HISTOGRAM,
};

/* One label of a sample. */
struct wt__metrics_label {
  const char *name, *value;
};

/* Begins a family: its samples follow. `unit` is "" or the last word of `name`. Strings are borrowed until the next family. */
void wt__metrics_family(struct wt__metrics_text *text, const char *name, enum wt__metrics_kind kind, const char *unit,
                        const char *help);
/* A sample of a counter or gauge. */
void wt__metrics_sample(struct wt__metrics_text *text, const struct wt__metrics_label *labels, size_t label_count,
                        uint64_t value);
/* The same, with a value of so many nanoseconds, which is written in seconds. */
void wt__metrics_sample_ns(struct wt__metrics_text *text, const struct wt__metrics_label *labels, size_t label_count,
                           uint64_t ns);
/* The samples of a histogram: the sums of `count` equal ones. */
void wt__metrics_histogram(struct wt__metrics_text *text, const struct wt__histogram *const *histograms, size_t count);
/* Ends the text, and gives the application the rest. */
void wt__metrics_end(struct wt__metrics_text *text);

#endif
