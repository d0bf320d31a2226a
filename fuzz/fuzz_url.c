/* SPDX-License-Identifier: MIT */

/*
 * URLs. What was read, put together again, is read as the same; nothing in it could end a header field; and a host
 * never holds what would make it another host.
 */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/url.h"

static void check_again(const struct wt__url *url) {
  size_t size = strlen(url->authority) + strlen(url->path) + 16;
  char *text = malloc(size);
  struct wt__url again;
  const char *why;
  if (!text) return;
  (void)snprintf(text, size, "https://%s%s", url->authority, url->path);
  if (strlen(text) <= WT__URL_MAX) { /* encoding may have made it longer */
    FUZZ_CHECK(wt__url_parse(&again, text, &why) == 0);
    FUZZ_CHECK(strcmp(again.host, url->host) == 0 && again.port == url->port && again.is_v6 == url->is_v6);
    FUZZ_CHECK(strcmp(again.authority, url->authority) == 0 && strcmp(again.path, url->path) == 0);
    wt__url_free(&again);
  }
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct wt__url url;
  const char *why = NULL;
  char *text = malloc(size + 1);
  if (!text) return 0;
  if (size) memcpy(text, data, size);
  text[size] = '\0';
  if (wt__url_parse(&url, text, &why) == 0) {
    FUZZ_CHECK(url.port != 0 && url.host[0] && url.path[0] == '/');
    FUZZ_CHECK(!strpbrk(url.host, "@/?#[]%\\ "));
    for (const char *at = url.path; *at; at++) FUZZ_CHECK(*at > 0x20 && *at < 0x7f && *at != '#');
    check_again(&url);
    wt__url_free(&url);
  } else {
    FUZZ_CHECK(why && *why);
  }
  free(text);
  return 0;
}
