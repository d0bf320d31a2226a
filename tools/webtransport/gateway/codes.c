/* SPDX-License-Identifier: MIT */
/*
 * The gateway's codes, and which of them stands for an error of a socket. A client sees only the code, so errors that
 * need different actions of an operator have different codes: a port without a server, a host that is gone, a firewall
 * that answers nothing.
 */
#include "gateway/codes.h"

#include <errno.h>
#include <stddef.h>

const char *gateway_code_word(enum gateway_code code) {
  static const char *const words[] = {
#define CODE_WORD(name, value, word, reason) [value] = (word),
      GATEWAY_CODES(CODE_WORD)
#undef CODE_WORD
  };
  return (size_t)code < CODE_COUNT ? words[code] : "unknown";
}

const char *gateway_code_reason(enum gateway_code code) {
  static const char *const reasons[] = {
#define CODE_REASON(name, value, word, reason) [value] = (reason),
      GATEWAY_CODES(CODE_REASON)
#undef CODE_REASON
  };
  return (size_t)code < CODE_COUNT ? reasons[code] : "";
}

enum gateway_code gateway_code_of_connect(int error) {
  switch (error) {
    case ECONNREFUSED: return CODE_REFUSED;
    case ECONNRESET: return CODE_RESET;
    case ETIMEDOUT: return CODE_CONNECT_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL: /* no free port on this machine */ return CODE_FAILED;
    default: return CODE_UNREACHABLE;
  }
}

enum gateway_code gateway_code_of_connection(int error) {
  return error == ECONNRESET || error == EPIPE ? CODE_RESET : CODE_BROKEN;
}
