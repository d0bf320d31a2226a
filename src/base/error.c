/* SPDX-License-Identifier: MIT */

/*
 * Names and texts of the errors that functions of this library return.
 *
 * All three of enum, name and text come from WT_ERROR_LIST in the public header, so that none can be
 * forgotten. The functions take an int and not the enum, because that is what the library returns, and
 * never give NULL, because their result goes straight into printf.
 *
 * These are not the codes that travel: those of HTTP/3 and of applications are in wire/error_code.h.
 */

#include <webtransport/error.h>

const char *wt_error_string(int error) {
  switch (error) {
    case WT_OK: return "no error";
#define ERROR_TEXT(name, value, text) \
  case WT_ERR_##name: return text;
      WT_ERROR_LIST(ERROR_TEXT)
#undef ERROR_TEXT
  }
  return "unknown error";
}

const char *wt_error_name(int error) {
  switch (error) {
    case WT_OK: return "WT_OK";
#define ERROR_NAME(name, value, text) \
  case WT_ERR_##name: return "WT_ERR_" #name;
      WT_ERROR_LIST(ERROR_NAME)
#undef ERROR_NAME
  }
  return "WT_ERR_UNKNOWN";
}

const char *wt_cause_name(enum wt_cause cause) {
  switch (cause) {
    case WT_CAUSE_LOCAL: return "local";
    case WT_CAUSE_PEER: return "peer";
    case WT_CAUSE_TIMEOUT: return "timeout";
    case WT_CAUSE_NETWORK: return "network";
    case WT_CAUSE_ERROR: break;
  }
  return "local error";
}

const char *wt_party_name(enum wt_party party) {
  switch (party) {
    case WT_LOCAL: return "local";
    case WT_PEER: return "peer";
    case WT_TRANSPORT: break;
  }
  return "transport";
}
