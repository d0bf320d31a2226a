/* SPDX-License-Identifier: MIT */
/*
 * Exit statuses, so that a script can tell a host that is down from a certificate that has expired. There are more
 * errors of the library than statuses, so several errors share one. An error of this machine (no memory, no file, no
 * socket) is EXIT_FAILED.
 */
#include "common/exits.h"

#include <stddef.h>

#include <webtransport/error.h>

const struct exit_spec exit_specs[] = {
#define EXIT_ROW(name, value, help) {EXIT_##name, help},
    EXIT_LIST(EXIT_ROW)
#undef EXIT_ROW
        {0, NULL},
};

int exit_of_error(int error) {
  switch (error) {
    case WT_OK: return EXIT_DONE;
    case WT_ERR_INVALID:                    /* a header field, an origin or a subprotocol that wt_client_dial refused */
    case WT_ERR_ADDRESS: return EXIT_USAGE; /* the URL */
    case WT_ERR_NOT_FOUND:
    case WT_ERR_IO: return EXIT_UNREACHABLE;
    case WT_ERR_TIMEOUT: return EXIT_TIMEOUT;
    case WT_ERR_CERTIFICATE:
    case WT_ERR_EXPIRED:
    case WT_ERR_TLS: return EXIT_TLS;
    case WT_ERR_SETTINGS:
    case WT_ERR_UNSUPPORTED: return EXIT_NO_WEBTRANSPORT;
    case WT_ERR_REJECTED: return EXIT_REJECTED;
    case WT_ERR_SUBPROTOCOL: return EXIT_SUBPROTOCOL;
    case WT_ERR_CLOSED:
    case WT_ERR_PROTOCOL: return EXIT_CLOSED;
    default: return EXIT_FAILED;
  }
}
