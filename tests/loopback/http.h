/* SPDX-License-Identifier: MIT */
#ifndef LOOPBACK_HTTP_H
#define LOOPBACK_HTTP_H

/*
 * HTTP/3 and WebTransport in bytes, for the scripted peer: frames to send, answers to take apart.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"

/* A growing array of bytes, for frames. Zero-initialize it; free `data`. */
struct bytes {
  uint8_t *data;
  size_t len, cap;
};

void bytes_add(struct bytes *bytes, const void *data, size_t len);
void bytes_varint(struct bytes *bytes, uint64_t value);
void bytes_frame(struct bytes *bytes, uint64_t type, const void *payload, size_t len);
void bytes_free(struct bytes *bytes);
/* `len` bytes that tell from their position whether one is missing or twice there; `seed` tells streams apart. */
uint8_t *pattern_new(size_t len, uint64_t seed);
bool pattern_matches(const uint8_t *data, size_t len, size_t offset, uint64_t seed);

struct field {
  const char *name, *value;
};

/* A HEADERS frame, from QPACK's static table and literals alone. Ends at a field without a name. */
void http_headers(struct bytes *bytes, const struct field *fields);
/* The same with the dynamic table: `inserts` gets what belongs on the encoder stream (with the stream's type),
 * without which the peer cannot read the request on stream `id`. */
void http_headers_dynamic(struct bytes *bytes, struct bytes *inserts, int64_t id, const struct field *fields);

/* Opens a stream with a request. `fields` are added to the pseudo-header fields. Returns its id. */
int64_t http_request(struct peer *peer, const char *method, const char *path, const struct field *fields, bool fin);
/* The Extended CONNECT of a session: `:protocol` `protocol`, `origin` unless NULL. */
int64_t http_connect(struct peer *peer, const char *protocol, const char *path, const char *origin,
                     const struct field *fields);
/* The same on stream `id`, which is open already. */
void http_connect_on(struct peer *peer, int64_t id, const char *protocol, const char *path, const char *origin,
                     const struct field *fields);
/* `len` bytes in a DATA frame, on a request or CONNECT stream. */
void http_data(struct peer *peer, int64_t id, const void *data, size_t len, bool fin);

/* What came back on a request's stream so far. */
struct response {
  int status;         /* 0: no whole HEADERS frame yet */
  char fields[16384]; /* "name: value\n" for each */
  uint8_t *body;      /* all DATA frames together; NULL if empty */
  size_t body_len;
  bool malformed;
};

/* Takes apart what stream `id` holds; free with `response_free`. */
void http_response(struct peer *peer, int64_t id, struct response *response);
void response_free(struct response *response);
/* The status alone; 0: none yet. */
int http_status(struct peer *peer, int64_t id);
/* The value of the field `name`, into `value`; false if there is none. */
bool response_field(const struct response *response, const char *name, char *value, size_t size);

/* Opens a WebTransport stream for `session` and sends `data` behind its header. */
int64_t peer_wt_open(struct peer *peer, bool uni, int64_t session, const void *data, size_t len, bool fin);
/* Sends a datagram to `session`. */
void peer_wt_datagram(struct peer *peer, int64_t session, const void *data, size_t len);
/* The length of the header on a stream that the server opened; 0 if it is not whole or not for `session`. */
size_t peer_wt_header_len(const struct peer_stream *stream, int64_t session);

/* A capsule, whole, to be sent with `http_data`. */
void capsule(struct bytes *bytes, uint64_t type, const void *value, size_t len);
void capsule_close(struct bytes *bytes, uint32_t code, const char *reason);

/* The capsules that the server sent on a session's stream. */
struct capsules {
  bool closed, drained;
  uint32_t code;
  char reason[2048];
  size_t reason_len;
  size_t unknown;
};
void http_capsules(struct peer *peer, int64_t id, struct capsules *capsules);

#endif
