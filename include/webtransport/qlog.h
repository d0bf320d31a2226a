/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_QLOG_H
#define WEBTRANSPORT_QLOG_H

/**
 * @file
 * Records of what a connection did, in the qlog format (draft-ietf-quic-qlog-main-schema). Programs such as qvis show them;
 * docs/guide/diagnosis.md lists the events.
 */

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Gets one record of a connection's qlog: `len` bytes of `data`, which are borrowed until the function returns. The records
 * of a connection, one after the other, are a file in the format JSON-SEQ (RFC 7464): each begins with the byte 0x1e and
 * ends with a newline. The first record says what the log is about.
 *
 * `connection` is the client's first destination connection id, in hexadecimal: both ends use the same. It is borrowed.
 * `*log` is NULL at the first call for a connection, and then what the function has left there: a file of its own, say.
 * `last`: no call for this connection follows; `len` may be 0.
 *
 * Called on the thread of the connection's worker, in the middle of its work: it calls no function of the library but those
 * for errors and versions, and everything waits until it returns. With several workers, several threads may call it at the
 * same time, never for the same connection. Since 0.3.0.
 */
typedef void (*wt_qlog_callback)(const char *connection, void **log, const void *data, size_t len, bool last,
                                 void *user_data);

#ifdef __cplusplus
}
#endif

#endif
