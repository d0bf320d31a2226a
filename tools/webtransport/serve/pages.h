/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PAGES_H
#define WEBTRANSPORT_TOOL_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file to serve: `data`, or `fd`, which the caller closes by `page_close`. */
struct page {
  const char *type;
  const unsigned char *data; /* NULL if it is in `fd` */
  int fd;                    /* -1 if it is in `data` */
  uint64_t len;
};

/*
 * Finds the file for `path` (decoded: "/", "/app.js") in `directory`, or in the page built into the tool if that is
 * NULL. A path that ends in '/' stands for its index.html. False with errno: there is none, or it cannot be opened.
 */
bool page_find(const char *directory, const char *path, struct page *page);

/* Whether the reason for this errno may pass, such as too few descriptors: then the answer must not be 404. */
bool page_is_withheld(int os_error);

/* Whether there is a file for this path, which is percent-encoded. */
bool page_exists(const char *directory, const char *encoded_path);

/* Returns the byte for the "%2f" at `text`, or -1 if there is no percent-encoding. */
int page_percent_byte(const char *text);

/* Closes what `page_find` opened. */
void page_close(struct page *page);

/* The content security policy of every answer with a page. */
#define PAGE_SECURITY_POLICY                                                                                   \
  "default-src 'self'; img-src 'self' data:; connect-src 'self' https:; base-uri 'none'; form-action 'none'; " \
  "frame-ancestors 'none'"

#endif
