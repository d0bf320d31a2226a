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
 * All errors that functions of this library return: name, value, text. `enum wt_error`, `wt_error_name` and
 * `wt_error_string` are made from this list. Values never change. Since 0.1.0.
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
 * Structs that grow. Some structs get new members in later versions: configurations, options, tables of callbacks, and
 * structs that a function fills. They begin with `size`, a number of bytes, so that a program and a library of
 * different versions work together. One rule holds for all of them:
 *
 * - `size` is sizeof the struct in the headers that the program was compiled with. For a configuration or options, the
 *   `_default` function sets it. For a struct that a function fills, the program sets it:
 *
 *       struct wt_session_stats stats = {.size = sizeof(stats)};
 *
 * - In a table of callbacks, `size` may be 0. The library then reads the members that the table had in 0.2.0. A program
 *   that uses a later member must set `size`.
 *
 *       static const struct wt_session_callbacks calls = {.on_datagram = on_datagram};
 *
 * - If `size` is smaller than the struct was in 0.2.0, the function fails with WT_ERR_INVALID.
 * - If the program is older than the library, members that the program does not know have their defaults, and the
 *   library does not write them.
 * - If the program is newer than the library, the library writes 0 to members that it does not know. If the program has
 *   set such a member, the function fails with WT_ERR_UNSUPPORTED.
 */

/** Error codes. `WT_ERROR_LIST` has the meaning of each. Since 0.1.0. */
enum wt_error {
  WT_OK = 0, /**< no error */
#define WT_ERROR_ENUM(name, value, text) WT_ERR_##name = (value),
  WT_ERROR_LIST(WT_ERROR_ENUM)
#undef WT_ERROR_ENUM
};

/**
 * Returns a text for people: "out of memory" for WT_ERR_NOMEM, "unknown error" for an unknown value. Never NULL. Static
 * string. Any thread, any callback. Since 0.1.0.
 */
WT_API const char *wt_error_string(int error);

/**
 * Returns the name of `error`, for logs: "WT_ERR_NOMEM", or "WT_ERR_UNKNOWN" for an unknown value. Never NULL. Static
 * string. Any thread, any callback. Since 0.1.0.
 */
WT_API const char *wt_error_name(int error);

/** Who ended something: a session, a stream, a dial. Since 0.1.0. */
enum wt_party {
  WT_LOCAL = 0,     /**< this application, by a call */
  WT_PEER = 1,      /**< the peer, by a message */
  WT_TRANSPORT = 2, /**< neither: the connection was lost or timed out, or this library closed it because of an error */
};

/**
 * What ended a session. It is more exact than `enum wt_party`: WT_CAUSE_LOCAL is WT_LOCAL, WT_CAUSE_PEER is WT_PEER,
 * and the others are WT_TRANSPORT. Since 0.2.0.
 */
enum wt_cause {
  WT_CAUSE_LOCAL = 0,   /**< this application, by a call: a close, a shutdown, the end of the server or client */
  WT_CAUSE_PEER = 1,    /**< the peer, by a message: a close, a reset, a CONNECTION_CLOSE */
  WT_CAUSE_ERROR = 2,   /**< this library: the peer broke the protocol or exceeded a bound, or memory ran out */
  WT_CAUSE_TIMEOUT = 3, /**< nothing arrived from the peer for too long */
  WT_CAUSE_NETWORK = 4, /**< the peer does not know the connection any more and sent a stateless reset */
};

/**
 * Returns "local", "peer", "local error", "timeout" or "network". Static string. Any thread, any callback. Since 0.2.0.
 */
WT_API const char *wt_cause_name(enum wt_cause cause);

/** Returns "local", "peer" or "transport". Static string. Any thread, any callback. Since 0.1.0. */
WT_API const char *wt_party_name(enum wt_party party);

/**
 * Returns the HTTP/3 error code that RESET_STREAM and STOP_SENDING carry for the application's `code` (section 4.4).
 * Structs with a `code` and a `wire_code` hold both. Any thread, any callback. Since 0.2.0.
 */
WT_API uint64_t wt_error_code_to_wire(uint32_t code);

/**
 * Returns whether the HTTP/3 error code `wire_code` stands for an application's code (section 4.4). If so, `*code` gets
 * that code, else 0. `code` may be NULL. Any thread, any callback. Since 0.2.0.
 */
WT_API bool wt_error_code_from_wire(uint64_t wire_code, uint32_t *code);

#ifdef __cplusplus
}
#endif

#endif
