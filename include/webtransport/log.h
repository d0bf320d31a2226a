/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_LOG_H
#define WEBTRANSPORT_LOG_H

#include <webtransport/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How much is logged: `log_level` of a configuration. A line is written if its level is not higher than that. Since
 * 0.1.0.
 */
enum wt_log_level {
  WT_LOG_NONE = 0,
  WT_LOG_ERROR = 1, /**< the server or client cannot do its work */
  WT_LOG_WARN = 2,  /**< a peer or the configuration is at fault */
  WT_LOG_INFO = 3,  /**< each start, stop and session, and each connection that did not end in order */
  WT_LOG_DEBUG = 4, /**< each connection, request and stream too */
};

/**
 * Gets one line of the log, without a newline. `line` is borrowed until the function returns. `user_data` is
 * `log_user_data` of the configuration.
 *
 * The library calls it on the loop's thread. A server with several workers calls it on the thread of each, so several
 * calls may run at the same time. Any function of the library may write to the log, so a call may come from inside a
 * call that the application makes: call no function of the same server or client in it. Since 0.1.0.
 */
typedef void (*wt_log_callback)(enum wt_log_level level, const char *line, void *user_data);

#ifdef __cplusplus
}
#endif

#endif
