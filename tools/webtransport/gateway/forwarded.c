/* SPDX-License-Identifier: MIT */
/*
 * Which header fields go through the gateway, and what it says about the client.
 *
 * A back end believes `forwarded` and `x-forwarded-*`, so a client must not be able to write them. Some back ends take
 * "x_forwarded_for" for the same name; so '_' counts as '-' here. Fields of one connection (RFC 9110, section 7.6.1)
 * and those of WebTransport's own handshake end at the gateway, which has its own. `via` is added as section 7.6.3
 * asks, with the version by which the request came.
 *
 * Crumbs of cookies, which HTTP/3 may have in many fields, are joined: the number of fields is bounded.
 */
#include "gateway/forwarded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/host_port.h"

#define VIA "3 webtransport-gateway"

/* Of the connection, in both directions. */
static const char *const of_connection[] = {"connection",
                                            "keep-alive",
                                            "proxy-connection",
                                            "transfer-encoding",
                                            "upgrade",
                                            "te",
                                            "trailer",
                                            "http2-settings",
                                            "wt-available-protocols",
                                            "wt-protocol",
                                            "sec-webtransport-http3-draft",
                                            "sec-webtransport-http3-draft02",
                                            "capsule-protocol",
                                            "content-length",
                                            NULL};
/* Of the request alone. */
static const char *const of_request[] = {"host",   "expect", "alt-used", "early-data", "proxy-authorization",
                                         "cookie", "via",    NULL};
/* What tells who the client is. */
static const char *const of_proxies[] = {"forwarded", "x-real-ip", "x-client-ip", "true-client-ip", NULL};
/* Of the answer alone. `alt-svc` names another way to the back end itself. */
static const char *const of_answer[] = {"alt-svc", "proxy-authenticate", NULL};

/* Compares with a name that has no '_'. */
static bool name_is(const char *name, const char *known, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (known[i] != (name[i] == '_' ? '-' : name[i])) return false;
  return true;
}

static bool name_among(const char *name, const char *const *list) {
  for (; *list; list++)
    if (strlen(*list) == strlen(name) && name_is(name, *list, strlen(name))) return true;
  return false;
}

static bool tells_the_client(const char *name) {
  static const char prefix[] = "x-forwarded-";
  return name_among(name, of_proxies) ||
         (strlen(name) >= sizeof prefix - 1 && name_is(name, prefix, sizeof prefix - 1));
}

/* --- What the gateway says. --- */

/* Adds "old, new", or "new" alone. */
static bool list_continue(struct header_list *fields, const char *name, const char *old, const char *value) {
  if (!old || !old[0]) return header_list_set(fields, name, value);
  size_t size = strlen(old) + strlen(value) + 3;
  char *text = malloc(size);
  if (!text) return false;
  snprintf(text, size, "%s, %s", old, value);
  bool good = header_list_set(fields, name, text);
  free(text);
  return good;
}

/* Writes a quoted string (RFC 9110, section 5.6.4). */
static void quoted_write(FILE *out, const char *text) {
  fputc('"', out);
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') fputc('\\', out);
    fputc(*text, out);
  }
  fputc('"', out);
}

/* 'for="[2001:db8::1]";proto=https;host="example.com"', or NULL. The caller frees it. */
static char *forwarded_element(const char *address, const char *authority) {
  char *text = NULL;
  size_t len = 0;
  FILE *out = open_memstream(&text, &len);
  if (!out) return NULL;
  fprintf(out, strchr(address, ':') ? "for=\"[%s]\"" : "for=%s", address);
  fputs(";proto=https", out);
  if (authority[0]) {
    fputs(";host=", out);
    quoted_write(out, authority);
  }
  if (!fclose(out)) return text;
  free(text);
  return NULL;
}

/* The client's address without its port. */
static void client_address(const wt_request *request, struct host_port *address) {
  if (host_port_parse(wt_request_peer_address(request), address))
    snprintf(address->host, sizeof address->host, "unknown");
  char *zone = strchr(address->host, '%');
  if (zone) *zone = 0;
}

static bool who_add(const wt_request *request, bool trusted, struct header_list *fields) {
  struct host_port client;
  const char *authority = wt_request_authority(request);
  client_address(request, &client);
  char *element = forwarded_element(client.host, authority);
  bool good = element &&
              list_continue(fields, "forwarded", trusted ? wt_request_header(request, "forwarded") : NULL, element) &&
              list_continue(fields, "x-forwarded-for", trusted ? wt_request_header(request, "x-forwarded-for") : NULL,
                            client.host);
  free(element);
  if (good && !header_list_get(fields, "x-forwarded-proto"))
    good = header_list_add(fields, "x-forwarded-proto", "https");
  if (good && authority[0] && !header_list_get(fields, "x-forwarded-host"))
    good = header_list_add(fields, "x-forwarded-host", authority);
  return good && list_continue(fields, "via", wt_request_header(request, "via"), VIA);
}

/* --- What goes through. --- */

static bool request_passes(const char *name, bool trusted) {
  if (name[0] == ':' || name_among(name, of_connection) || name_among(name, of_request)) return false;
  return trusted || !tells_the_client(name);
}

bool forwarded_request(const wt_request *request, bool trusted, struct header_list *fields) {
  struct wt_header field;
  for (size_t i = 0; !wt_request_get_header_at(request, i, &field); i++)
    if (request_passes(field.name, trusted) && !header_list_add(fields, field.name, field.value)) return false;
  const char *cookie = wt_request_header(request, "cookie");
  if (cookie && !header_list_add(fields, "cookie", cookie)) return false;
  return who_add(request, trusted, fields);
}

bool forwarded_answer_passes(const char *name) {
  return name[0] != ':' && !name_among(name, of_connection) && !name_among(name, of_answer);
}
