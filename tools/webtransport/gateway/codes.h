/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_GATEWAY_CODES_H
#define WEBTRANSPORT_TOOL_GATEWAY_CODES_H

/*
 * The application error codes of the gateway, on streams that it resets or stops and on sessions that it closes. Each
 * is a name, a value, the word for logs and metrics, and the reason that a closed session gets. docs/guide/gateway.md
 * has the same list for users. A code never changes its meaning.
 */
#define GATEWAY_CODES(X)                                                                       \
  X(NONE, 0, "none", "")                                                                       \
  X(RESET, 1, "reset", "the back end reset the connection")                                    \
  X(REFUSED, 2, "refused", "the back end refused the connection")                              \
  X(UNREACHABLE, 3, "unreachable", "the back end cannot be reached, or its name is not known") \
  X(CONNECT_TIMEOUT, 4, "connect_timeout", "the back end did not answer in time")              \
  X(IDLE, 5, "idle", "nothing was sent for too long")                                          \
  X(LIFE, 6, "life", "the session is too old")                                                 \
  X(LIMIT, 7, "limit", "too many streams are open")                                            \
  X(UNSUPPORTED, 8, "unsupported", "the back end has no use for such a stream")                \
  X(CLIENT, 9, "client", "the client itself ended the other direction early")                  \
  X(FAILED, 10, "failed", "the gateway has no memory or no descriptors")                       \
  X(BROKEN, 11, "broken", "the connection to the back end broke")                              \
  X(EXPIRED, 12, "expired", "the token has expired")                                           \
  X(GONE, 13, "gone", "the other end of the session has vanished")

enum gateway_code {
#define CODE_ENUM(name, value, word, reason) CODE_##name = (value),
  GATEWAY_CODES(CODE_ENUM)
#undef CODE_ENUM
  CODE_COUNT
};

/* Returns the word for a code: "refused". */
const char *gateway_code_word(enum gateway_code code);

/* Returns the reason for a code: "the back end refused the connection". */
const char *gateway_code_reason(enum gateway_code code);

/* Returns the code for the `errno` of a failed connect. */
enum gateway_code gateway_code_of_connect(int error);

/* Returns the code for the `errno` of a connection that failed later. */
enum gateway_code gateway_code_of_connection(int error);

#endif
