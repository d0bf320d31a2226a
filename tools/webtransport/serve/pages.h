/* SPDX-License-Identifier: MIT */
#ifndef WEBTRANSPORT_TOOL_PAGES_H
#define WEBTRANSPORT_TOOL_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file to answer with: `data`, or `fd`, which is the caller's to close. */
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

/* Says whether that errno is of a reason that will pass: the page may be there, and must not be called absent. */
bool page_is_withheld(int os_error);

/* Says whether there is one; `path` is percent-encoded. */
bool page_exists(const char *directory, const char *encoded_path);

/* Returns the byte that the "%2f" at `text` stands for, or -1. */
int page_percent_byte(const char *text);

/* Closes what `page_find` opened. */
void page_close(struct page *page);

/* The fields that every answer with a page carries, beside its type. */
#define PAGE_SECURITY_POLICY                                                                                   \
  "default-src 'self'; img-src 'self' data:; connect-src 'self' https:; base-uri 'none'; form-action 'none'; " \
  "frame-ancestors 'none'"

#endif
