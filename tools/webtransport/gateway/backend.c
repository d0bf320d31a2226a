/* SPDX-License-Identifier: MIT */
/* The list of the kinds of back ends. */
#include "gateway/backend.h"

#include <stddef.h>

const struct backend_kind *const backend_kinds[] = {
    &tcp_backend, &unix_backend, &udp_backend, &unixgram_backend, &https_backend, &http_backend, NULL,
};
