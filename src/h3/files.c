/* SPDX-License-Identifier: MIT */
/*
 * Static files over HTTP (RFC 9110): GET and HEAD, conditional requests, one byte range.
 *
 *   path --decode, no ".."--> relative path --open below the folder--> regular file
 *        --conditions (conditional.c)--> 304, 412 --Range--> 200, 206, 416
 *
 * The file's bytes are read when there is room to send them (answer.c), never all at once. What the answer
 * says about the file (size, tag, date) comes from the open descriptor, which file_body.c keeps, so a file that is
 * replaced while it is sent is sent to its end as it was.
 *
 * There are no listings of folders and no hidden rules: what lies in the folder is public.
 */

#include "h3/files.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "h3/answer.h"
#include "h3/conditional.h"
#include "h3/file_body.h"
#include "h3/file_open.h"
#include "h3/request.h"
#include "h3/routes.h"
#include "wire/error_code.h"
#include "wire/range.h"
#include "wire/target.h"

/* --- Media types --- */

const char *wt__files_media_type(const char *name) {
  static const struct {
    const char *ending, *type;
  } types[] = {
      {"html", "text/html; charset=utf-8"},
      {"htm", "text/html; charset=utf-8"},
      {"css", "text/css; charset=utf-8"},
      {"js", "text/javascript; charset=utf-8"},
      {"mjs", "text/javascript; charset=utf-8"},
      {"json", "application/json"},
      {"map", "application/json"},
      {"txt", "text/plain; charset=utf-8"},
      {"md", "text/markdown; charset=utf-8"},
      {"csv", "text/csv; charset=utf-8"},
      {"xml", "application/xml"},
      {"svg", "image/svg+xml"},
      {"png", "image/png"},
      {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},
      {"gif", "image/gif"},
      {"webp", "image/webp"},
      {"avif", "image/avif"},
      {"ico", "image/x-icon"},
      {"woff", "font/woff"},
      {"woff2", "font/woff2"},
      {"ttf", "font/ttf"},
      {"otf", "font/otf"},
      {"wasm", "application/wasm"},
      {"pdf", "application/pdf"},
      {"zip", "application/zip"},
      {"gz", "application/gzip"},
      {"mp3", "audio/mpeg"},
      {"ogg", "audio/ogg"},
      {"wav", "audio/wav"},
      {"mp4", "video/mp4"},
      {"webm", "video/webm"},
      {"mpd", "application/dash+xml"},
      {"m3u8", "application/vnd.apple.mpegurl"},
      {"webmanifest", "application/manifest+json"},
  };
  const char *slash = strrchr(name, '/');
  const char *dot = strrchr(slash ? slash : name, '.');
  if (dot) {
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
      if (strcasecmp(dot + 1, types[i].ending) == 0) return types[i].type;
    }
  }
  return "application/octet-stream";
}

/* --- One answer --- */

/* The part of a file that goes out, and how. */
struct file_answer {
  int status;
  uint64_t first, length;
  char range[64]; /* content-range, or "" */
};

static struct wt__conditions conditions_of(const wt_request *request) {
  return (struct wt__conditions){
      .if_match = wt_request_header(request, "if-match"),
      .if_none_match = wt_request_header(request, "if-none-match"),
      .if_modified_since = wt_request_header(request, "if-modified-since"),
      .if_unmodified_since = wt_request_header(request, "if-unmodified-since"),
      .if_range = wt_request_header(request, "if-range"),
  };
}

static struct file_answer answer_decide(const wt_request *request, uint64_t size,
                                        const struct wt__validators *validators) {
  const struct wt__conditions conditions = conditions_of(request);
  struct file_answer answer = {wt__conditions_check(&conditions, validators), 0, size, ""};
  const char *range = wt_request_header(request, "range");
  uint64_t first = 0, last = 0;
  if (answer.status != 200 || !range || request->is_head || !wt__conditions_allow_range(&conditions, validators)) {
    return answer;
  }
  switch (wt__range_read(range, size, &first, &last)) {
    case WT__RANGE_NONE: break;
    case WT__RANGE_ONE:
      answer.status = 206;
      answer.first = first;
      answer.length = last - first + 1;
      snprintf(answer.range, sizeof(answer.range), "bytes %llu-%llu/%llu", (unsigned long long)first,
               (unsigned long long)last, (unsigned long long)size);
      break;
    case WT__RANGE_UNSATISFIABLE:
      answer.status = 416;
      snprintf(answer.range, sizeof(answer.range), "bytes */%llu", (unsigned long long)size);
      break;
  }
  return answer;
}

/* A file that is open, and where it was found. */
struct file_found {
  int fd;
  struct stat info;
  const char *directory, *path;
};

/* Sends 200 and 206; takes the descriptor over. */
static int answer_send_body(wt_request *request, const struct file_found *found, const struct file_answer *answer,
                            const struct wt_header *headers, size_t count) {
  bool with_body = answer->length > 0 && !request->is_head;
  struct wt__file_body *file = NULL;
  if (with_body) {
    file = wt__file_body_new(request->conn, found->fd, &found->info, found->directory, found->path, answer->first,
                             answer->length);
  }
  if (!file) close(found->fd);
  if (!file && with_body) return wt__request_error(request, WT_ERR_NOMEM, "out of memory");
  int error = wt__answer_submit(request, answer->status, headers, count, &answer->length, with_body);
  if (error) {
    wt__file_body_free(file);
    return error;
  }
  request->out.ended = true;
  if (file) wt__answer_set_file(request, file);
  wt__request_refuse_body(request);
  return 0;
}

/* Takes the descriptor over. */
static int answer_file(wt_request *request, const struct file_found *found) {
  const struct stat *info = &found->info;
  struct wt__validators validators;
  struct file_answer answer;
  struct wt_header headers[8];
  char modified[WT__HTTP_DATE_MAX];
  size_t count = 0;
  wt__validators_init(&validators, (uint64_t)info->st_size, info->st_mtim.tv_sec, info->st_mtim.tv_nsec);
  answer = answer_decide(request, (uint64_t)info->st_size, &validators);
  wt__http_date_write(modified, validators.modified);
  headers[count++] = (struct wt_header){"etag", validators.etag};
  headers[count++] = (struct wt_header){"last-modified", modified};
  headers[count++] = (struct wt_header){"accept-ranges", "bytes"};
  if (answer.range[0]) headers[count++] = (struct wt_header){"content-range", answer.range};
  if (answer.status == 200 || answer.status == 206) {
    headers[count++] = (struct wt_header){"content-type", wt__files_media_type(found->path)};
    return answer_send_body(request, found, &answer, headers, count);
  }
  close(found->fd);
  if (answer.status == 304) return wt_request_respond(request, 304, headers, count, NULL, 0);
  return wt__answer_status(request, answer.status, headers, count);
}

/* To the same path with a slash behind it, so that relative links in its page work. A path that begins
 * with two slashes would name another host; one is left. */
static int answer_redirect(wt_request *request) {
  const char *path = wt_request_path(request), *query = wt_request_query(request);
  struct wt_header header = {"location", NULL};
  size_t size;
  char *location;
  while (path[0] == '/' && path[1] == '/') path++;
  size = strlen(path) + strlen(query) + 3;
  location = wt__malloc(size);
  if (!location) return wt__request_error(request, WT_ERR_NOMEM, "out of memory");
  snprintf(location, size, "%s/%s%s", path, *query ? "?" : "", query);
  header.value = location;
  int error = wt__answer_status(request, 301, &header, 1);
  wt__free(location);
  return error;
}

static int answer_not_found(wt_request *request) {
  int error = wt__answer_status(request, 404, NULL, 0);
  return error ? error : wt__request_error(request, WT_ERR_NOT_FOUND, "there is no such file");
}

/* The status for a file that `open` refused. A file that exists must not be called absent, since that may be cached,
 * also where the cause will have passed in a moment. */
static int status_of_refusal(int os_error) {
  switch (os_error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EINVAL: /* not a name for this file system */
    case ELOOP:
    case EXDEV: /* a way out of the folder */
    case ENXIO: /* a socket */
    case EACCES:
    case EPERM: return 404;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EAGAIN:
    case EINTR:
    case EBUSY:
    case ETXTBSY: return 503;
    default: return 500;
  }
}

static int answer_refusal(wt_request *request, int os_error) {
  static const struct wt_header headers[] = {{"retry-after", "10"}, {"cache-control", "no-store"}};
  int status = status_of_refusal(os_error);
  if (status != 404) {
    wt__open_files_log(request, os_error, status == 503 ? "answered with 503" : "answered with 500");
    int error =
        status == 503 ? wt__answer_status(request, 503, headers, 2) : wt__answer_status(request, 500, &headers[1], 1);
    return error ? error : wt__request_error(request, WT_ERR_FILE, "the file cannot be opened");
  }
  if (os_error == EACCES || os_error == EPERM) wt__open_files_log(request, os_error, "answered with 404");
  return answer_not_found(request);
}

static int answer_any(wt_request *request, const char *directory, const char *path) {
  static const struct wt_header allow = {"allow", "GET, HEAD"};
  char relative[PATH_MAX];
  struct file_found found = {.directory = directory, .path = relative};
  if (strcmp(request->method, "GET") != 0 && !request->is_head) return wt__answer_status(request, 405, &allow, 1);
  if (wt__target_file_path(path, relative, sizeof(relative)) < 0) return answer_not_found(request);
  found.fd = wt__open_files_open(request->conn, directory, relative, &found.info);
  if (found.fd < 0) return answer_refusal(request, errno);
  if (S_ISDIR(found.info.st_mode)) {
    size_t len = strlen(path);
    close(found.fd);
    return len > 0 && path[len - 1] != '/' ? answer_redirect(request) : answer_not_found(request);
  }
  return answer_file(request, &found);
}

int wt_request_serve_file(wt_request *request, const char *directory, const char *path) {
  int error = wt__answer_check(request);
  if (error) return error;
  if (!directory || !path) return wt__request_error(request, WT_ERR_INVALID, "the directory or the path is NULL");
  error = answer_any(request, directory, path);
  if (!request->answered) wt__request_abort(request, WT__H3_INTERNAL_ERROR); /* no memory to say more */
  return error;
}

/* --- Routes --- */

struct files_route {
  size_t prefix_len; /* of the pattern, without its last slash */
  char directory[];
};

static void files_handle(wt_request *request, void *user_data) {
  const struct files_route *route = user_data;
  (void)wt_request_serve_file(request, route->directory, wt_request_path(request) + route->prefix_len);
}

int wt__files_route(struct wt__routes *routes, const char *pattern, const char *directory) {
  struct files_route *route;
  size_t len = pattern ? strlen(pattern) : 0;
  if (len == 0 || pattern[len - 1] != '/' || !directory) return WT_ERR_INVALID;
  route = wt__malloc(sizeof(*route) + strlen(directory) + 1);
  if (!route) return WT_ERR_NOMEM;
  route->prefix_len = len - 1;
  memcpy(route->directory, directory, strlen(directory) + 1);
  int error = wt__routes_set(routes, pattern, files_handle, route, wt__free);
  if (error) wt__free(route);
  return error;
}
