/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_ERROR_H
#define WEBTRANSPORT_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <webtransport/version.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Every error that a function of this library returns: name, value, text. Functions return 0 or one
 * of these; the list makes the enum, `wt_error_name` and `wt_error_string`. Values never change.
 */
#define WT_ERROR_LIST(X)                                                                      \
  X(NOMEM, -1, "out of memory")                                                               \
  X(INVALID, -2, "an argument is not valid")                                                  \
  X(STATE, -3, "the object is not in a state that allows this")                               \
  X(AGAIN, -4, "a bound is reached; try again after the matching callback")                   \
  X(CLOSED, -5, "the session, stream or request has ended")                                   \
  X(STREAM_LIMIT, -6, "the peer allows no further stream at present")                         \
  X(TOO_LARGE, -7, "larger than the peer or the path allows")                                 \
  X(UNSUPPORTED, -8, "the peer or this build does not support it")                            \
  X(NOT_FOUND, -9, "not found")                                                               \
  X(NOT_WEBTRANSPORT, -20, "the request does not ask for a WebTransport session")             \
  X(SETTINGS, -21, "the client's SETTINGS or transport parameters do not allow WebTransport") \
  X(ORIGIN, -22, "the origin of the request is not allowed")                                  \
  X(SESSION_LIMIT, -23, "the connection has as many sessions as are allowed")                 \
  X(SUBPROTOCOL, -24, "client and server have no subprotocol in common")                      \
  X(REJECTED, -25, "the server refused the request")                                          \
  X(FILE, -40, "a file cannot be read")                                                       \
  X(CERTIFICATE, -41, "not a usable certificate")                                             \
  X(KEY, -42, "not a usable private key")                                                     \
  X(KEY_MISMATCH, -43, "the private key does not belong to the certificate")                  \
  X(EXPIRED, -44, "the certificate is not valid at this time")                                \
  X(TLS, -45, "the TLS library failed")                                                       \
  X(ADDRESS, -50, "not a usable address")                                                     \
  X(IO, -51, "the operating system refused a network operation")                              \
  X(PROTOCOL, -60, "the peer broke the protocol")                                             \
  X(TIMEOUT, -61, "the time allowed has passed")                                              \
  X(INTERNAL, -99, "a bug in this library")

/*
 * Structs that grow. Configurations, options, tables of callbacks and the structs that calls fill begin with `size`, in
 * bytes, so that programs and libraries of different versions fit. One rule holds for all:
 *
 * - `size` is sizeof the struct, as the program was compiled. The `_default` function of a configuration or of options sets
 *   it; for a struct that a call fills, the program does: `struct wt_session_stats stats = {.size = sizeof(stats)};`.
 * - A table of callbacks may leave it 0: `static const struct wt_session_callbacks calls = {.on_datagram = on_datagram};`.
 *   It then has the members that it had in 0.2.0. Those that came later need the size.
 * - Less than the struct had in 0.2.0 is WT_ERR_INVALID.
 * - A program that is older than the library: members that it does not know have their defaults, and are not filled.
 * - A program that is newer: members that the library does not know are filled with 0, and where the program sets one,
 *   the call fails with WT_ERR_UNSUPPORTED.
 */

/** Error codes; see `WT_ERROR_LIST` for what each means. */
enum wt_error {
  WT_OK = 0,
#define WT_ERROR_ENUM(name, value, text) WT_ERR_##name = (value),
  WT_ERROR_LIST(WT_ERROR_ENUM)
#undef WT_ERROR_ENUM
};

/**
 * Returns the text for `error`, for people: "out of memory". Never NULL; an unknown value gives
 * "unknown error". Static string. Any thread, any time. Since 0.1.0.
 */
WT_API const char *wt_error_string(int error);

/**
 * Returns the name of `error`, for logs: "WT_ERR_NOMEM". Never NULL; an unknown value gives
 * "WT_ERR_UNKNOWN". Static string. Any thread, any time. Since 0.1.0.
 */
WT_API const char *wt_error_name(int error);

/** Who caused something to end. Every end that an application is told of says this. */
enum wt_party {
  WT_LOCAL = 0,     /**< this application, by a call */
  WT_PEER = 1,      /**< the other end, by a message of its own */
  WT_TRANSPORT = 2, /**< neither: connection lost, timed out, or closed for a protocol error */
};

/**
 * What ended a session, finer than `enum wt_party`, which follows from it: WT_CAUSE_LOCAL is WT_LOCAL, WT_CAUSE_PEER is
 * WT_PEER, the others are WT_TRANSPORT.
 */
enum wt_cause {
  WT_CAUSE_LOCAL = 0,   /**< this application, by a call: a close, a shutdown, the end of the server or client */
  WT_CAUSE_PEER = 1,    /**< the other end, by a message: a close, a reset, a CONNECTION_CLOSE */
  WT_CAUSE_ERROR = 2,   /**< this library: the peer broke the protocol or went over a bound, or memory ran out */
  WT_CAUSE_TIMEOUT = 3, /**< nothing was heard of the peer for too long */
  WT_CAUSE_NETWORK = 4, /**< the connection is gone without a word: the peer has lost it (stateless reset) */
};

/** Returns "local", "peer", "local error", "timeout" or "network". Static string. Any thread, any time. Since 0.2.0. */
WT_API const char *wt_cause_name(enum wt_cause cause);

/** Returns "local", "peer" or "transport". Static string. Any thread, any time. Since 0.1.0. */
WT_API const char *wt_party_name(enum wt_party party);

/**
 * Returns the error code of HTTP/3 as which an application's `code` travels in RESET_STREAM and STOP_SENDING (section 4.4):
 * what is `wire_code` beside it. Any thread, any time. Since 0.2.0.
 */
WT_API uint64_t wt_error_code_to_wire(uint32_t code);

/**
 * Says whether `wire_code` is in the range that is set apart for applications' codes and stands for one. `*code` gets that
 * one, else 0; `code` may be NULL. Any thread, any time. Since 0.2.0.
 */
WT_API bool wt_error_code_from_wire(uint64_t wire_code, uint32_t *code);

#ifdef __cplusplus
}
#endif

#endif
