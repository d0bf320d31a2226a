/* SPDX-License-Identifier: MIT */

/*
 * The URL of a broker: what is read ends within its bounds, and a refusal has a reason.
 */

#include "fuzz.h"

#include <string.h>

#include "broker_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const struct wt__broker_schemes schemes = {.plain = "nats", .tls = "tls", .port = 4222};
  struct wt__broker_url url;
  const char *why = NULL;
  if (wt__broker_url_read(&url, &schemes, (const char *)data, size, &why) != 0) {
    FUZZ_CHECK(why && why[0]);
    return 0;
  }
  FUZZ_CHECK(url.port > 0 && strnlen(url.host, sizeof(url.host)) < sizeof(url.host) && url.host[0]);
  FUZZ_CHECK(strnlen(url.user, sizeof(url.user)) < sizeof(url.user));
  FUZZ_CHECK(strnlen(url.password, sizeof(url.password)) < sizeof(url.password));
  FUZZ_CHECK(strnlen(url.path, sizeof(url.path)) < sizeof(url.path));
  return 0;
}
