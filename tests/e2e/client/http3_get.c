/* SPDX-License-Identifier: MIT */
/*
 * http3_get [OPTION VALUE]... URL FILE: one HTTP/3 request by libcurl, a client that is not ours and
 * that, unlike gtlsclient, can send header fields of the caller's choice: a range, a condition.
 * Prints the answer's header section on standard output and writes its body to FILE.
 *
 *   --range A-B    --header "NAME: VALUE"    --method NAME    --ca FILE (else nothing is verified)
 *   --resolve HOST:PORT:ADDRESS
 *   --post TEXT    --expect TEXT (posted too, with "expect: 100-continue": not one byte of it before the 100)
 *
 * libcurl built with GnuTLS has HTTP/3 in Debian 13 and in Debian 12's backports, while the curl
 * command there has not. It is opened at run time, since its development package and that of the
 * libcurl built with OpenSSL exclude each other. The numbers below are part of libcurl's ABI.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  OPT_WRITEDATA = 10001,
  OPT_URL = 10002,
  OPT_RANGE = 10007,
  OPT_HTTPHEADER = 10023,
  OPT_HEADERDATA = 10029,
  OPT_CUSTOMREQUEST = 10036,
  OPT_POSTFIELDS = 10015,
  OPT_RESOLVE = 10203,
  OPT_POST = 47,
  OPT_EXPECT_100_TIMEOUT_MS = 227,
  OPT_NOBODY = 44,
  OPT_SSL_VERIFYPEER = 64,
  OPT_CAINFO = 10065,
  OPT_SSL_VERIFYHOST = 81,
  OPT_HTTP_VERSION = 84,
  OPT_TIMEOUT = 13,
  HTTP_VERSION_3ONLY = 31,
  TIMEOUT_S = 60,
  NEVER_MS = 600000,
};

struct curl_functions {
  void *(*easy_init)(void);
  int (*easy_setopt)(void *easy, int option, ...);
  int (*easy_perform)(void *easy);
  const char *(*easy_strerror)(int error);
  void (*easy_cleanup)(void *easy);
  void *(*slist_append)(void *list, const char *text);
  const char *(*version)(void);
};

static void *function_find(void *library, const char *name) {
  void *function = dlsym(library, name);
  if (!function) {
    fprintf(stderr, "http3_get: libcurl has no %s\n", name);
    exit(3);
  }
  return function;
}

static void curl_open(struct curl_functions *curl) {
  const char *name = getenv("LIBCURL") ? getenv("LIBCURL") : "libcurl-gnutls.so.4";
  void *library = dlopen(name, RTLD_NOW);
  if (!library) {
    fprintf(stderr, "http3_get: %s\n", dlerror());
    exit(3);
  }
  *(void **)&curl->easy_init = function_find(library, "curl_easy_init");
  *(void **)&curl->easy_setopt = function_find(library, "curl_easy_setopt");
  *(void **)&curl->easy_perform = function_find(library, "curl_easy_perform");
  *(void **)&curl->easy_strerror = function_find(library, "curl_easy_strerror");
  *(void **)&curl->easy_cleanup = function_find(library, "curl_easy_cleanup");
  *(void **)&curl->slist_append = function_find(library, "curl_slist_append");
  *(void **)&curl->version = function_find(library, "curl_version");
}

static void option_apply(const struct curl_functions *curl, void *easy, const char *name, const char *value) {
  static void *headers;
  if (!strcmp(name, "--range")) {
    curl->easy_setopt(easy, OPT_RANGE, value);
  } else if (!strcmp(name, "--header")) {
    headers = curl->slist_append(headers, value);
    curl->easy_setopt(easy, OPT_HTTPHEADER, headers);
  } else if (!strcmp(name, "--method")) {
    curl->easy_setopt(easy, OPT_CUSTOMREQUEST, value);
    if (!strcmp(value, "HEAD")) curl->easy_setopt(easy, OPT_NOBODY, 1L);
  } else if (!strcmp(name, "--post") || !strcmp(name, "--expect")) {
    curl->easy_setopt(easy, OPT_POST, 1L);
    curl->easy_setopt(easy, OPT_POSTFIELDS, value);
    if (!strcmp(name, "--post")) return;
    headers = curl->slist_append(headers, "Expect: 100-continue");
    curl->easy_setopt(easy, OPT_HTTPHEADER, headers);
    curl->easy_setopt(easy, OPT_EXPECT_100_TIMEOUT_MS, (long)NEVER_MS);
  } else if (!strcmp(name, "--resolve")) {
    curl->easy_setopt(easy, OPT_RESOLVE, curl->slist_append(NULL, value));
  } else if (!strcmp(name, "--ca")) {
    curl->easy_setopt(easy, OPT_CAINFO, value);
    curl->easy_setopt(easy, OPT_SSL_VERIFYPEER, 1L);
    curl->easy_setopt(easy, OPT_SSL_VERIFYHOST, 2L);
  } else {
    fprintf(stderr, "http3_get: unknown option %s\n", name);
    exit(3);
  }
}

int main(int argc, char **argv) {
  struct curl_functions curl;
  curl_open(&curl);
  if (argc == 2 && !strcmp(argv[1], "--version")) {
    printf("%s\n", curl.version());
    return strstr(curl.version(), "nghttp3") ? 0 : 3;
  }
  void *easy = curl.easy_init();
  if (argc < 3 || argc % 2 == 0 || !easy) return 3;
  FILE *body = fopen(argv[argc - 1], "wb");
  if (!body) return 3;
  curl.easy_setopt(easy, OPT_SSL_VERIFYPEER, 0L);
  curl.easy_setopt(easy, OPT_SSL_VERIFYHOST, 0L);
  for (int i = 1; i + 2 < argc; i += 2) option_apply(&curl, easy, argv[i], argv[i + 1]);
  curl.easy_setopt(easy, OPT_URL, argv[argc - 2]);
  curl.easy_setopt(easy, OPT_HTTP_VERSION, (long)HTTP_VERSION_3ONLY);
  curl.easy_setopt(easy, OPT_TIMEOUT, (long)TIMEOUT_S);
  curl.easy_setopt(easy, OPT_HEADERDATA, stdout);
  curl.easy_setopt(easy, OPT_WRITEDATA, body);
  int error = curl.easy_perform(easy);
  if (error) fprintf(stderr, "http3_get: %s\n", curl.easy_strerror(error));
  curl.easy_cleanup(easy);
  return fclose(body) || error ? 1 : 0;
}
