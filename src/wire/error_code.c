/* SPDX-License-Identifier: MIT */

/*
 * Application error codes inside the error-code space of HTTP/3 (draft section 4.4).
 *
 * An application's code has 32 bits. It travels in RESET_STREAM and STOP_SENDING as a code of HTTP/3's,
 * from a range reserved for that. The range has holes: every codepoint 0x1f * N + 0x21 is reserved to be
 * sent at random (RFC 9114, section 8.1), one in 31. So each run of 30 application codes is followed by
 * a codepoint that stands for none:
 *
 *     first + 0 .. 29   reserved   first + 31 .. 60   reserved   ...
 *     code    0 .. 29              code    30 .. 59
 *
 * which works out because `first` comes right behind a reserved codepoint.
 *
 * A code that came from outside of the range, or a reserved one, still resets the stream; it only means
 * nothing to the application.
 */

#include "wire/error_code.h"

#include <stddef.h>

#include <webtransport/error.h>

const char *wt__wire_error_name(uint64_t wire_code) {
  switch (wire_code) {
#define ERROR_CODE_NAME(name, value) \
  case value: return #name;
    WT__H3_ERROR_LIST(ERROR_CODE_NAME)
#undef ERROR_CODE_NAME
    default: return NULL;
  }
}

uint64_t wt__error_to_wire(uint32_t code) { return WT__APPLICATION_ERROR_FIRST + code + code / 0x1e; }

bool wt__error_from_wire(uint64_t wire_code, uint32_t *code) {
  if (wire_code < WT__APPLICATION_ERROR_FIRST || wire_code > WT__APPLICATION_ERROR_LAST) return false;
  if ((wire_code - 0x21) % 0x1f == 0) return false;
  uint64_t shifted = wire_code - WT__APPLICATION_ERROR_FIRST;
  *code = (uint32_t)(shifted - shifted / 0x1f);
  return true;
}

/* --- For applications --- */

uint64_t wt_error_code_to_wire(uint32_t code) { return wt__error_to_wire(code); }

bool wt_error_code_from_wire(uint64_t wire_code, uint32_t *code) {
  uint32_t found = 0;
  bool is_code = wt__error_from_wire(wire_code, &found);
  if (code) *code = found;
  return is_code;
}
