/* SPDX-License-Identifier: MIT */
/*
 * The files that the companion serves: those of --www, or the page that the build put into the tool (www.h). Over
 * HTTP/3 the library serves --www (`wt_request_serve_file`). This file is for HTTP/1.1, and it tells a path without a
 * file (404) from a path with a file but without sessions (405).
 *
 * No file outside the folder is served. The path is resolved with all its links (realpath) and must then be below the
 * folder. The resolved path, which has no links, is opened.
 */
#include "serve/pages.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "www.h"

static const struct {
  const char *ending;
  const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".mjs", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".webp", "image/webp"},
    {".gif", "image/gif"},
    {".ico", "image/vnd.microsoft.icon"},
    {".mp4", "video/mp4"},
    {".pdf", "application/pdf"},
    {".woff2", "font/woff2"},
    {".wasm", "application/wasm"},
};

static const char *type_of(const char *path) {
  const char *dot = strrchr(path, '.');
  for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
    if (!strcasecmp(dot, types[i].ending)) return types[i].type;
  return "application/octet-stream";
}

static bool path_with_index(const char *path, char out[PATH_MAX]) {
  size_t len = strlen(path);
  if (!len || path[0] != '/') return false;
  int written = snprintf(out, PATH_MAX, "%s%s", path, path[len - 1] == '/' ? "index.html" : "");
  return written > 0 && written < PATH_MAX;
}

static bool page_find_built_in(const char *path, struct page *page) {
  for (size_t i = 0; i < www_file_count; i++) {
    if (strcmp(www_files[i].path, path)) continue;
    *page = (struct page){.type = www_files[i].type, .data = www_files[i].data, .fd = -1, .len = www_files[i].len};
    return true;
  }
  errno = ENOENT;
  return false;
}

/* Makes `page_find` report that there is no such file, though there is one that we do not serve. */
static bool page_refuse(int fd) {
  if (fd >= 0) close(fd);
  errno = ENOENT;
  return false;
}

static bool page_find_file(const char *directory, const char *path, struct page *page) {
  char joined[2 * PATH_MAX], root[PATH_MAX], file[PATH_MAX];
  struct stat info;
  snprintf(joined, sizeof joined, "%.*s%s", PATH_MAX - 1, directory, path);
  if (!realpath(directory, root) || !realpath(joined, file)) return false;
  size_t root_len = strlen(root);
  if (root_len > 1 && (strncmp(file, root, root_len) || file[root_len] != '/')) return page_refuse(-1);
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return false;
  if (fstat(fd, &info) || !S_ISREG(info.st_mode)) return page_refuse(fd);
  *page = (struct page){.type = type_of(path), .fd = fd, .len = (uint64_t)info.st_size};
  return true;
}

bool page_find(const char *directory, const char *path, struct page *page) {
  char whole[PATH_MAX];
  if (!path_with_index(path, whole)) return page_refuse(-1);
  return directory ? page_find_file(directory, whole, page) : page_find_built_in(whole, page);
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c |= 0x20;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int page_percent_byte(const char *text) {
  int high = hex_digit(text[1]);
  int low = high < 0 ? -1 : hex_digit(text[2]);
  return low < 0 ? -1 : high << 4 | low;
}

/* Undoes percent-encoding. False: it is broken or has a NUL. */
static bool path_decode(const char *encoded, char out[PATH_MAX]) {
  size_t len = 0;
  for (; *encoded; encoded++) {
    char c = *encoded;
    if (c == '%') {
      int byte = page_percent_byte(encoded);
      if (byte <= 0) return false;
      c = (char)byte;
      encoded += 2;
    }
    if (len + 1 >= PATH_MAX) return false;
    out[len++] = c;
  }
  out[len] = 0;
  return true;
}

bool page_is_withheld(int os_error) {
  return os_error == EMFILE || os_error == ENFILE || os_error == ENOMEM || os_error == EINTR;
}

bool page_exists(const char *directory, const char *encoded_path) {
  char path[PATH_MAX];
  struct page page;
  if (!path_decode(encoded_path, path)) return false;
  if (!page_find(directory, path, &page)) return page_is_withheld(errno);
  page_close(&page);
  return true;
}

void page_close(struct page *page) {
  if (page->fd >= 0) close(page->fd);
  page->fd = -1;
}
