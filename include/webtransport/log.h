/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_LOG_H
#define WEBTRANSPORT_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <webtransport/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * How much is logged: `log_level` of a configuration. A line is written if its level is not higher than that. Since
 * 0.1.0.
 */
enum wt_log_level {
  WT_LOG_NONE = 0,  /**< nothing */
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

/** What a field of a log record holds. More may follow: skip a type that you do not know. Since 0.4.0. */
enum wt_log_type {
  WT_LOG_TEXT = 1,    /**< `text` */
  WT_LOG_INTEGER = 2, /**< `integer` */
  WT_LOG_BOOLEAN = 3, /**< `integer`, which is 0 or 1 */
};

/**
 * A field of a log record, such as the address of the peer. `text` is NULL unless the type is WT_LOG_TEXT. It may hold bytes of
 * a peer: control characters are replaced by '?', and a text of more than 255 bytes is cut and ends in "...". It need not be
 * UTF-8. Since 0.4.0.
 */
struct wt_log_field {
  const char *name;      /**< "peer": lower case letters and '_' */
  enum wt_log_type type; /**< which of the next two counts */
  const char *text;      /**< NULL unless the type is WT_LOG_TEXT */
  int64_t integer;       /**< a number, or 0 or 1; 0 with a text */
};

/**
 * A line of the log as data. Since 0.4.0.
 *
 * `event` says what has happened, by a name that stays the same from version to version, while the words of `message` may
 * change: alarms and counts go by `event`. The fields depend on the event, and their order means nothing.
 * docs/guide/diagnosis.md lists all events with their fields. A line about a connection has `connection`, its client's first
 * destination connection id in hexadecimal as in the name of its qlog, and `peer`, the address. One about a session has
 * `session`, the id of its CONNECT stream; one about a request has `request`, the id of its stream.
 */
struct wt_log_record {
  size_t size;             /**< of the struct in the library; a newer one has more members at its end */
  enum wt_log_level level; /**< WT_LOG_ERROR to WT_LOG_DEBUG */
  const char *event;       /**< "session_refused"; static string */
  const char *message;     /**< the line that `wt_log_callback` gets */
  uint64_t left_out;       /**< lines of this kind that were left out before this one, because they were too many */
  const struct wt_log_field *fields; /**< `field_count` of them */
  size_t field_count;                /**< may be 0 */
};

/**
 * Gets each line of the log as a record: `log_record` of a configuration. `user_data` is `log_record_user_data`. All that
 * `record` points to, but `event` and the names of fields, is borrowed until the function returns: copy what you keep. Nothing
 * is allocated for it, and lines that `log_level` or a limit leaves out cost no more than without it.
 *
 * The threads are those of `wt_log_callback`, and as there: call no function of the same server or client in it, and do not
 * block, because all connections of the thread wait until it returns. Since 0.4.0.
 */
typedef void (*wt_log_record_callback)(const struct wt_log_record *record, void *user_data);

#ifdef __cplusplus
}
#endif

#endif
