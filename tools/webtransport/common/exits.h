/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_EXITS_H
#define WEBTRANSPORT_TOOL_EXITS_H

/* Exit statuses of every command, by kind of failure. One list for the code, --help and the manual pages. */
#define EXIT_LIST(X)                                                                        \
  X(DONE, 0, "Done")                                                                        \
  X(FAILED, 1, "Failed, for a reason without a status of its own")                          \
  X(USAGE, 2, "Called wrongly: an option or operand is missing, unknown or malformed")      \
  X(UNREACHABLE, 3, "The host cannot be found or reached: no such name, refused, no route") \
  X(TIMEOUT, 4, "Timed out")                                                                \
  X(TLS, 5, "The server's certificate was refused, or TLS failed otherwise")                \
  X(NO_WEBTRANSPORT, 6, "The server does not offer WebTransport")                           \
  X(REJECTED, 7, "The server answered with a status other than 2xx")                        \
  X(SUBPROTOCOL, 8, "No subprotocol was agreed on")                                         \
  X(CLOSED, 9, "The server closed the session with a code other than 0, or the connection was lost")

enum {
#define EXIT_ENUM(name, value, help) EXIT_##name = (value),
  EXIT_LIST(EXIT_ENUM)
#undef EXIT_ENUM
};

#define EXIT_BIT(name) (1u << EXIT_##name)
#define EXITS_COMMON (EXIT_BIT(DONE) | EXIT_BIT(FAILED) | EXIT_BIT(USAGE))
#define EXITS_CLIENT                                                                                      \
  (EXITS_COMMON | EXIT_BIT(UNREACHABLE) | EXIT_BIT(TIMEOUT) | EXIT_BIT(TLS) | EXIT_BIT(NO_WEBTRANSPORT) | \
   EXIT_BIT(REJECTED) | EXIT_BIT(SUBPROTOCOL) | EXIT_BIT(CLOSED))

struct exit_spec {
  int status;
  const char *help; /* without a period */
};

/* The list above. A row without help ends it. */
extern const struct exit_spec exit_specs[];

/* Returns the status for the error of the library that ended a dial or a session. */
int exit_of_error(int error);

#endif
