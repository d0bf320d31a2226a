/* SPDX-License-Identifier: MIT */
#ifndef WT_BACKPLANES_BROKER_URL_H
#define WT_BACKPLANES_BROKER_URL_H

/* The URL of a broker, taken apart: "scheme://user:password@host:port/path". User, password and path are optional. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WT__BROKER_HOST_MAX 256
#define WT__BROKER_WORD_MAX 1024 /* of a user name or password, with the NUL */

struct wt__broker_url {
  bool tls;
  char host[WT__BROKER_HOST_MAX]; /* an IPv6 address without brackets */
  uint16_t port;
  char user[WT__BROKER_WORD_MAX], password[WT__BROKER_WORD_MAX]; /* percent-decoded; "": none */
  char path[64];                                                 /* what follows the slash; "": nothing */
};

/* The schemes of a kind of broker, and the port where the URL has none. */
struct wt__broker_schemes {
  const char *plain, *tls;
  uint16_t port;
};

/* Reads the `len` bytes of `text`. 0 or WT_ERR_ADDRESS; then `*why` is a sentence that shows nothing of the URL, because
 * a password may stand in it. */
int wt__broker_url_read(struct wt__broker_url *url, const struct wt__broker_schemes *schemes, const char *text,
                        size_t len, const char **why);

/* Puts a user name or password in place of that of the URL; NULL: leaves it. False: it is too long. */
bool wt__broker_word_set(char word[WT__BROKER_WORD_MAX], const char *text);

#endif
