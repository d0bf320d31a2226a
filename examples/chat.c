/* SPDX-License-Identifier: MIT */
/*
 * chat: rooms in which pages talk to each other. examples/chat/ has the page.
 *
 * A member opens a session at https://HOST:PORT/chat/ROOM?name=NAME and on it one bidirectional stream, which keeps
 * the order of what is said. Lines of UTF-8 go both ways on it, each ended by a newline; fields are separated by tabs.
 *
 *     member to server   TEXT                    at most 1,000 bytes, without control characters
 *     server to member   say TIME NAME TEXT      TIME in seconds since 1970; first what was said before, then the rest
 *                        here NAME               is in the room already; the member's own name comes last
 *                        join NAME, left NAME    from then on
 *
 * A datagram "typing" goes on to the others as "typing NAME": if it is lost, nobody misses it. Whoever has to go is
 * told with a code and a reason: `enum farewell`.
 *
 * The idea: the queue that the library keeps for each stream is the only one. A line fits into it whole, or its reader
 * is too slow and leaves the room. So nobody waits for anybody, and no member costs more than QUEUE_SIZE. A room goes
 * with its last member, and what was said with it.
 *
 * It is not a service: nobody has to prove a name, and nothing limits how much a member says.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <webtransport/webtransport.h>

enum {
  ROOM_SIZE = 33, /* names, with their NUL */
  NAME_SIZE = 33,
  TEXT_MAX = 1000,
  LINE_SIZE = TEXT_MAX + NAME_SIZE + 32, /* "say", a time, tabs, newline */
  ROOMS_MAX = 100,
  MEMBERS_MAX = 50, /* of a room */
  HISTORY_MAX = 50, /* lines of a room */
  QUEUE_SIZE = 128 * 1024,
  SAID_AT_ONCE = 4096, /* bytes that a member may have on the way: not so many that they fill its own queue */
};
static_assert(QUEUE_SIZE > HISTORY_MAX * LINE_SIZE + MEMBERS_MAX * (NAME_SIZE + 8),
              "whoever comes is not too slow yet");

/* Codes that sessions are closed with, which the page knows too. */
enum farewell {
  BYE,
  BAD_NAME,
  NAME_TAKEN,
  ROOM_FULL,
  NO_ROOM,
  BAD_LINE,
  TOO_SLOW,
  STOPPING,
};

static const char *const farewells[] = {
    [BYE] = "bye",
    [BAD_NAME] = "a name has 1 to 32 bytes, and no control characters",
    [NAME_TAKEN] = "somebody in this room has that name",
    [ROOM_FULL] = "this room is full",
    [NO_ROOM] = "there is no room for another room",
    [BAD_LINE] = "a line has at most 1,000 bytes, and no control characters",
    [TOO_SLOW] = "too slow to keep up with the room",
    [STOPPING] = "the server stops",
};

struct room {
  struct room *next;
  char name[ROOM_SIZE];
  struct member *members;
  size_t member_count;
  char history[HISTORY_MAX][LINE_SIZE]; /* a ring */
  size_t said;                          /* lines ever said */
};

struct chat {
  struct room *rooms;
  size_t room_count;
  const char *origin;
};

struct member {
  struct chat *chat;
  wt_session *session;
  wt_stream *stream; /* NULL before it is open, and once it is over */
  struct room *room; /* NULL before that, and after */
  struct member *next;
  char room_name[ROOM_SIZE];
  char name[NAME_SIZE];
  char text[TEXT_MAX + 1]; /* of the line that is arriving */
  size_t text_len;
};

static bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

/* --- Members and rooms. --- */

/* Does nothing if the member is going already. */
static void member_dismiss(struct member *member, enum farewell why) {
  wt_session_close(member->session, why, farewells[why], strlen(farewells[why]));
}

static void member_send(struct member *member, const char *line) {
  size_t len = strlen(line), written;
  if (!member->stream) return;
  if (wt_stream_writable(member->stream) < len || wt_stream_write(member->stream, line, len, &written) != 0)
    member_dismiss(member, TOO_SLOW);
}

static void room_send(struct room *room, const struct member *except, const char *line) {
  for (struct member *member = room->members; member; member = member->next)
    if (member != except) member_send(member, line);
}

/* Finds the room or makes it. NULL: there are too many. */
static struct room *room_get(struct chat *chat, const char *name) {
  struct room *room = chat->rooms;
  while (room && strcmp(room->name, name) != 0) room = room->next;
  if (room || chat->room_count == ROOMS_MAX) return room;
  room = calloc(1, sizeof(*room));
  if (!room) return NULL;
  snprintf(room->name, sizeof(room->name), "%s", name);
  room->next = chat->rooms;
  chat->rooms = room;
  chat->room_count++;
  return room;
}

static void room_free(struct chat *chat, struct room *room) {
  struct room **at = &chat->rooms;
  while (*at != room) at = &(*at)->next;
  *at = room->next;
  chat->room_count--;
  free(room);
}

static bool room_has(const struct room *room, const char *name) {
  for (const struct member *member = room->members; member; member = member->next)
    if (!strcmp(member->name, name)) return true;
  return false;
}

/* Tells a newcomer what was said, and who is here. */
static void member_greet(struct member *member) {
  const struct room *room = member->room;
  char line[LINE_SIZE];
  for (size_t i = room->said < HISTORY_MAX ? 0 : room->said - HISTORY_MAX; i < room->said; i++)
    member_send(member, room->history[i % HISTORY_MAX]);
  for (const struct member *other = room->members; other; other = other->next) {
    if (other == member) continue;
    snprintf(line, sizeof(line), "here\t%s\n", other->name);
    member_send(member, line);
  }
  snprintf(line, sizeof(line), "here\t%s\n", member->name);
  member_send(member, line);
}

static bool name_is_good(const char *name) {
  for (const char *at = name; *at; at++)
    if (is_control((unsigned char)*at)) return false;
  return *name != '\0';
}

/* Refusals are the end of a session, not of its request: a page is told nothing of why there was no session. */
static bool member_may_join(struct member *member, const struct room *room) {
  if (!name_is_good(member->name)) {
    member_dismiss(member, BAD_NAME);
  } else if (!room) {
    member_dismiss(member, NO_ROOM);
  } else if (room->member_count == MEMBERS_MAX) {
    member_dismiss(member, ROOM_FULL);
  } else if (room_has(room, member->name)) {
    member_dismiss(member, NAME_TAKEN);
  } else {
    return true;
  }
  return false;
}

static void member_join(struct member *member) {
  struct room *room = room_get(member->chat, member->room_name);
  char line[LINE_SIZE];
  if (member_may_join(member, room)) {
    member->room = room;
    member->next = room->members;
    room->members = member;
    room->member_count++;
    member_greet(member);
    snprintf(line, sizeof(line), "join\t%s\n", member->name);
    room_send(room, member, line);
  } else if (room && !room->members) {
    room_free(member->chat, room);
  }
}

static void member_leave(struct member *member) {
  struct room *room = member->room;
  struct member **at = &room->members;
  char line[LINE_SIZE];
  while (*at != member) at = &(*at)->next;
  *at = member->next;
  room->member_count--;
  snprintf(line, sizeof(line), "left\t%s\n", member->name);
  room_send(room, member, line);
  if (!room->members) room_free(member->chat, room);
  member->room = NULL;
}

static void member_say(struct member *member) {
  struct room *room = member->room;
  char *line = room->history[room->said % HISTORY_MAX];
  if (member->text_len == 0) return;
  member->text[member->text_len] = '\0';
  member->text_len = 0;
  snprintf(line, LINE_SIZE, "say\t%lld\t%s\t%s\n", (long long)time(NULL), member->name, member->text);
  room->said++;
  room_send(room, NULL, line);
}

/* --- What the library tells. --- */

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct member *member = user_data;
  if (!member->room) return; /* not let in, and not gone yet */
  for (size_t i = 0; i < len; i++) {
    if (data[i] == '\n') {
      member_say(member);
    } else if (is_control(data[i]) || member->text_len == TEXT_MAX) {
      member_dismiss(member, BAD_LINE);
      return;
    } else {
      member->text[member->text_len++] = (char)data[i];
    }
  }
  if (!fin) return;
  member_say(member);
  member_leave(member);
  wt_stream_end(stream); /* the session ends with it, when all has arrived */
}

static void on_broken(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  (void)stream;
  (void)error;
  member_dismiss(user_data, BYE);
}

static void on_stream_close(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct member *member = user_data;
  (void)stream;
  (void)error;
  member->stream = NULL;
  member_dismiss(member, BYE);
}

/* The first stream makes a member of whoever opened it. There is no second one. */
static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  const struct wt_stream_callbacks callbacks = {
      .on_data = on_data, .on_reset = on_broken, .on_stop_sending = on_broken, .on_close = on_stream_close};
  struct member *member = user_data;
  (void)session;
  if (member->stream || wt_stream_kind(stream) == WT_UNIDIRECTIONAL) {
    wt_stream_stop_sending(stream, 0);
    if (wt_stream_kind(stream) == WT_BIDIRECTIONAL) wt_stream_reset(stream, 0);
    return;
  }
  wt_stream_set_callbacks(stream, &callbacks, member);
  member->stream = stream;
  member_join(member);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  struct member *member = user_data;
  char typing[NAME_SIZE + 8];
  (void)session;
  if (!member->room || len != 6 || memcmp(data, "typing", 6) != 0) return;
  int typing_len = snprintf(typing, sizeof(typing), "typing\t%s", member->name);
  for (struct member *other = member->room->members; other; other = other->next)
    if (other != member) wt_session_send_datagram(other->session, typing, (size_t)typing_len);
}

static void on_drain(wt_session *session, void *user_data) {
  (void)session;
  member_dismiss(user_data, STOPPING);
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct member *member = user_data;
  (void)session;
  printf("%s: somebody left: %s, by %s\n", member->room_name,
         info->code < sizeof(farewells) / sizeof(farewells[0]) ? farewells[info->code] : "a code of its own",
         wt_party_name(info->by));
  if (member->room) member_leave(member);
  free(member);
}

/* --- Requests. --- */

/* Pages of one origin may come, and programs that are no browsers, which send none. */
static bool check_origin(const wt_request *request, void *user_data) {
  const struct chat *chat = user_data;
  const char *origin = wt_request_origin(request);
  return !origin || !strcmp(origin, chat->origin);
}

static bool room_name_is_good(const char *name) {
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return len > 0 && len < ROOM_SIZE && name[len] == '\0';
}

static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {
      .on_stream = on_stream, .on_datagram = on_datagram, .on_drain = on_drain, .on_close = on_close};
  const char *room_name = wt_request_path(request) + strlen("/chat/");
  struct wt_upgrade_options options;
  struct member *member = NULL;
  if (!room_name_is_good(room_name)) {
    wt_request_respond(request, 404, NULL, 0, NULL, 0);
    return;
  }
  member = calloc(1, sizeof(*member));
  if (!member) {
    wt_request_respond(request, 500, NULL, 0, NULL, 0);
    return;
  }
  member->chat = user_data;
  snprintf(member->room_name, sizeof(member->room_name), "%s", room_name);
  if (wt_request_get_query_value(request, "name", member->name, sizeof(member->name)) != 0) member->name[0] = '\0';
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  options.user_data = member;
  int error = wt_upgrade(request, &options, &member->session);
  if (error) {
    fprintf(stderr, "upgrading failed: %s\n", wt_request_error(request));
    wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
    free(member);
  }
}

/* --- The program. --- */

static wt_server *signalled;

static void on_signal(int number) {
  (void)number;
  wt_server_shutdown(signalled, 3000);
}

/* Loads the certificate, or makes one that pages accept by its hash. */
static int certificate_get(const char *cert_file, const char *key_file, wt_certificate **certificate) {
  char message[256] = "";
  int error = cert_file ? wt_certificate_load(cert_file, key_file, certificate, message, sizeof(message))
                        : wt_certificate_generate(NULL, 0, 13, certificate);
  if (error) fprintf(stderr, "%s\n", *message ? message : wt_error_string(error));
  return error;
}

/* Says how to come in. What follows the '#' is for the page alone: no server gets to see it. */
static void print_way(const wt_server *server, const wt_certificate *certificate, const char *origin) {
  char address[64] = "";
  uint8_t hash[32];
  wt_server_get_address(server, 0, address, sizeof(address));
  wt_certificate_get_sha256(certificate, hash);
  printf("The page can come from any web server at %s, for example:\n\n"
         "  python3 -m http.server --bind localhost --directory examples/chat 8000\n\n"
         "Open it twice, here:\n\n  %s/#server=https://localhost%s&hash=",
         origin, origin, strrchr(address, ':'));
  for (size_t i = 0; i < sizeof(hash); i++) printf("%02x", hash[i]);
  printf("\n\n");
  fflush(stdout);
}

static int usage(const char *program) {
  fprintf(stderr, "usage: %s [-l ADDRESS:PORT] [-o ORIGIN-OF-THE-PAGE] [-c CERTIFICATE -k KEY]\n", program);
  return 2;
}

int main(int argc, char **argv) {
  struct chat chat = {.origin = "http://localhost:8000"};
  const char *address = "localhost:4433", *cert_file = NULL, *key_file = NULL;
  const struct sigaction action = {.sa_handler = on_signal};
  struct wt_server_config config;
  wt_certificate *certificate = NULL;
  for (int option; (option = getopt(argc, argv, "l:o:c:k:")) != -1;) {
    switch (option) {
      case 'l': address = optarg; break;
      case 'o': chat.origin = optarg; break;
      case 'c': cert_file = optarg; break;
      case 'k': key_file = optarg; break;
      default: return usage(argv[0]);
    }
  }
  if (optind != argc || !cert_file != !key_file) return usage(argv[0]);
  if (certificate_get(cert_file, key_file, &certificate) != 0) return 1;
  wt_server_config_default(&config);
  config.listen = &address;
  config.listen_count = 1;
  config.check_origin = check_origin;
  config.check_origin_user_data = &chat;
  config.max_stream_send_buffer = QUEUE_SIZE;
  config.initial_max_stream_data = config.max_stream_data = SAID_AT_ONCE;
  if (wt_server_new(&config, &signalled, NULL, 0) != 0) return 1;
  wt_server_add_certificate(signalled, certificate);
  wt_server_handle(signalled, "/chat/", on_request, &chat);
  int error = wt_server_start(signalled);
  if (!error) {
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    print_way(signalled, certificate, chat.origin);
    wt_server_run(signalled);
  } else {
    fprintf(stderr, "%s\n", wt_server_error(signalled));
  }
  wt_server_free(signalled);
  wt_certificate_free(certificate);
  return error ? 1 : 0;
}
