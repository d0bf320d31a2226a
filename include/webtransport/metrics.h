/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_METRICS_H
#define WEBTRANSPORT_METRICS_H

#include <webtransport/server.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The counts of a server as text for Prometheus and programs that read its format. All names begin with "webtransport_".
 * docs/guide/operations.md, "Metrics", lists them. The number of lines is bounded by the server's routes: no client can make
 * a new name or label.
 */

/** The two forms of the text, which differ in the lines about a metric. Since 0.3.0. */
enum wt_metrics_format {
  WT_METRICS_OPENMETRICS = 0, /**< OpenMetrics 1.0.0. The text ends with "# EOF" */
  WT_METRICS_PROMETHEUS = 1,  /**< Prometheus' older text format, 0.0.4, for readers that do not ask for the other */
};

/**
 * Gets a piece of the text: `len` bytes without a NUL, borrowed until the callback returns. A piece ends anywhere. Must not
 * call a function of the server. Since 0.3.0.
 */
typedef void (*wt_metrics_write_callback)(const char *text, size_t len, void *user_data);

/**
 * Writes the counts of all workers through `write`, which is called several times before this returns. Metrics of the
 * program go before this text, because WT_METRICS_OPENMETRICS ends with "# EOF". Allocates nothing. Any callback. On a
 * server with several workers, any thread may call it, as `wt_server_get_stats`.
 *
 * Errors: WT_ERR_INVALID if `write` is NULL or `format` is not valid. `write` is then not called. Since 0.3.0.
 */
WT_API int wt_server_write_metrics(const wt_server *server, enum wt_metrics_format format,
                                   wt_metrics_write_callback write, void *user_data);

/**
 * Returns the value of the content-type field for `format`. Never NULL. Static string. Any thread, any callback. Since
 * 0.3.0.
 */
WT_API const char *wt_metrics_content_type(enum wt_metrics_format format);

#ifdef __cplusplus
}
#endif

#endif
