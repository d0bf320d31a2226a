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
 * told with a code and a reason.
 *
 * A room is a topic: lines are published there, and each member's subscription writes them to its stream. A line fits
 * into the queue of that stream whole, or its reader is too slow and leaves the room. So nobody waits for anybody, and no
 * member costs more than QUEUE_SIZE.
 *
 * With -r redis://... (or REDIS_URL), topics reach other servers, and Redis keeps each room's names and last lines: all
 * are one chat. While Redis is away, each goes on alone. A server that is killed leaves its names there for a day.
 * Without Redis, a room goes with its last member. Nobody has to prove a name, and may say as much as it likes.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <webtransport/webtransport.h>

enum {
  NAME_SIZE = 33, /* of rooms, too; with the NUL */
  TEXT_MAX = 1000,
  LINE_SIZE = TEXT_MAX + NAME_SIZE + 40, /* "say", a time, tabs, newline */
  ROOMS_MAX = 100,
  MEMBERS_MAX = 50, /* of a room */
  HISTORY_MAX = 50, /* lines of a room */
  QUEUE_SIZE = 128 * 1024,
  SAID_AT_ONCE = 4096, /* bytes that a member may have on the way: not so many that they fill its own queue */
};
_Static_assert(QUEUE_SIZE > HISTORY_MAX * LINE_SIZE + MEMBERS_MAX * (NAME_SIZE + 8), "newcomers are not too slow");

/* What this server knows of a room with a member here. Lines in its topic say what happens to it, on all servers. */
struct room {
  size_t members; /* here; none: it can become another room */
  bool is_known;  /* has Redis's part */
  char name[NAME_SIZE];
  char names[MEMBERS_MAX][NAME_SIZE];   /* of all servers; "": none */
  char history[HISTORY_MAX][LINE_SIZE]; /* a ring */
  size_t said;                          /* lines ever said */
};

static wt_server *server;
static struct room rooms[ROOMS_MAX];

struct member {
  wt_session *session; /* NULL once it has ended */
  wt_stream *stream;   /* NULL before it is open, and once it is over */
  struct room *room;   /* NULL before that, and after */
  bool asked, is_in;   /* Redis has yet to answer; is greeted and hears the others */
  size_t heard;        /* lines of the room's history */
  char room_name[NAME_SIZE], name[NAME_SIZE];
  char text[TEXT_MAX + 1]; /* of the line that is arriving */
  size_t text_len;
};

/* Finds the room or makes it. NULL: there are too many. */
static struct room *room_get(const char *name) {
  struct room *empty = NULL;
  for (struct room *room = rooms; room < rooms + ROOMS_MAX; room++) {
    if (room->members > 0 && !strcmp(room->name, name)) return room;
    if (room->members == 0) empty = room;
  }
  if (empty) memset(empty, 0, sizeof(*empty));
  if (empty) snprintf(empty->name, sizeof(empty->name), "%s", name);
  return empty;
}

/* The place of a name, or "" for a free one. NULL: there is none. */
static char *room_find(struct room *room, const char *name) {
  for (size_t i = 0; i < MEMBERS_MAX; i++)
    if (!strcmp(room->names[i], name)) return room->names[i];
  return NULL;
}

static void room_add(struct room *room, const char *name) {
  char *at = room_find(room, name) ? NULL : room_find(room, "");
  if (at) snprintf(at, NAME_SIZE, "%s", name);
}

static size_t room_oldest(const struct room *room) { return room->said < HISTORY_MAX ? 0 : room->said - HISTORY_MAX; }

/* Returns the number of the line. It becomes history, unless it was before: no two lines are the same. */
static size_t room_note(struct room *room, const char *line) {
  for (size_t i = room->said; i-- > room_oldest(room);)
    if (!strcmp(room->history[i % HISTORY_MAX], line)) return i;
  snprintf(room->history[room->said % HISTORY_MAX], LINE_SIZE, "%s", line);
  return room->said++;
}

/* --- Redis: lines and names of each room, which go a day after the last change. --- */

#ifdef CHAT_REDIS
#include <webtransport/backplane_redis.h>
static struct wt_backplane *redis; /* NULL: none */
#define LINES "'chat:lines:' .. KEYS[1]"
#define NAMES "'chat:names:' .. KEYS[1]"
static const char all[] = "return {redis.call('LRANGE', " LINES ", 0, -1), redis.call('SMEMBERS', " NAMES ")}";
static const char say[] = "redis.call('RPUSH', " LINES ", ARGV[1]) redis.call('LTRIM', " LINES ", -50, -1)"
                          "return redis.call('EXPIRE', " LINES ", 86400)";
static const char join[] = "redis.call('SADD', " NAMES ", ARGV[1]) return redis.call('EXPIRE', " NAMES ", 86400)";
static const char left[] = "return redis.call('SREM', " NAMES ", ARGV[1])";
static void member_let_in(struct member *member);

static bool redis_do(const char *script, struct member *member, const char *text, wt_redis_reply_callback done) {
  const char *words[] = {"EVAL", script, "1", member->room_name, text};
  return redis && wt_backplane_redis_command(redis, words, NULL, 5, done, member) == 0;
}

static void on_known(const struct wt_redis_reply *reply, void *user_data) {
  struct member *member = user_data;
  for (size_t i = 0; member->room && i < reply->count; i++)
    if (strchr(reply->values[i].bytes, '\t'))
      room_note(member->room, reply->values[i].bytes);
    else
      room_add(member->room, reply->values[i].bytes);
  member->asked = false;
  if (member->room) member_let_in(member);
  if (!member->session) free(member);
}

static bool redis_open(const char *url) {
  struct wt_broker_config config;
  wt_backplane_redis_config_default(&config);
  config.url = url;
  if (wt_backplane_redis_new(&config, &redis) != 0) fprintf(stderr, "%s\n", wt_backplane_redis_error());
  return redis && wt_server_set_backplane(server, redis) == 0;
}
#else
#define redis_do(...) false
#define redis_open(url) (fprintf(stderr, "built without Redis\n") < 0)
#endif

/* --- Members. --- */

static const char controls[] = "\1\2\3\4\5\6\7\b\t\n\v\f\r\16\17\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37\177";

static void member_dismiss(struct member *member, uint32_t code, const char *why) {
  wt_session_close(member->session, code, why, strlen(why));
}

static void member_send(struct member *member, const char *line) {
  size_t len = strlen(line), written;
  if (!member->stream) return;
  if (wt_stream_writable(member->stream) < len || wt_stream_write(member->stream, line, len, &written) != 0)
    member_dismiss(member, 6, "too slow to keep up with the room");
}

/* Tells the room, on all servers, that somebody came, left or spoke. */
static void member_tell(const struct member *member, const char *line, const wt_session *except) {
  wt_server_publish(server, member->room_name, strlen(member->room_name), line, strlen(line), except);
}

/* "here", "join", "left" or "typing" and a name, as a line. */
static const char *about(const char *what, const char *name) {
  static char line[NAME_SIZE + 8];
  snprintf(line, sizeof(line), "%s\t%s\n", what, name);
  return line;
}

/* A line in the room's topic, from here or from another server. */
static void on_message(wt_session *session, const void *topic, size_t topic_len, const uint8_t *data, size_t len,
                       void *user_data) {
  struct member *member = user_data;
  char line[LINE_SIZE], name[NAME_SIZE], *at;
  (void)topic, (void)topic_len;
  if (len >= sizeof(line) || !member->room) return;
  snprintf(line, sizeof(line), "%.*s", (int)len, (const char *)data);
  if (sscanf(line, "join\t%32[^\n]", name) == 1) room_add(member->room, name);
  if (sscanf(line, "left\t%32[^\n]", name) == 1 && (at = room_find(member->room, name))) *at = '\0';
  if (!strncmp(line, "say\t", 4)) {
    size_t number = room_note(member->room, line);
    if (number < member->heard) return; /* the greeting had it */
    member->heard = number + 1;
  }
  if (!member->is_in) return;
  if (!strncmp(line, "typing\t", 7))
    wt_session_send_datagram(session, data, len - 1); /* without the newline */
  else
    member_send(member, line);
}

/* The room is known: tells a newcomer what was said and who is here, and the others who has come. Refusals are the end of
 * a session: if there were none, a page would not be told why. */
static void member_let_in(struct member *member) {
  struct room *room = member->room;
  room->is_known = true;
  if (room_find(room, member->name)) {
    member_dismiss(member, 2, "somebody in this room has that name");
  } else if (!room_find(room, "")) {
    member_dismiss(member, 3, "this room is full");
  } else {
    for (size_t i = room_oldest(room); i < room->said; i++) member_send(member, room->history[i % HISTORY_MAX]);
    for (size_t i = 0; i < MEMBERS_MAX; i++)
      if (*room->names[i]) member_send(member, about("here", room->names[i]));
    member_send(member, about("here", member->name));
    member->heard = room->said;
    member->is_in = true;
    room_add(room, member->name);
    redis_do(join, member, member->name, NULL);
    member_tell(member, about("join", member->name), member->session);
    if (member->stream) wt_stream_resume(member->stream);
  }
}

static void member_enter(struct member *member) {
  struct room *room = room_get(member->room_name);
  struct wt_subscribe_options options;
  wt_subscribe_options_default(&options);
  options.delivery = WT_DELIVERY_CALLBACK;
  options.on_message = on_message;
  options.user_data = member;
  if (!*member->name || strpbrk(member->name, controls)) {
    member_dismiss(member, 1, "a name has 1 to 32 bytes, and no control characters");
  } else if (!room || wt_session_subscribe(member->session, room->name, strlen(room->name), &options) != 0) {
    member_dismiss(member, 4, "there is no room for another room");
  } else {
    member->room = room;
    room->members++;
    wt_stream_pause(member->stream);
    member->asked = !room->is_known && redis_do(all, member, "", on_known);
    if (!member->asked) member_let_in(member);
  }
}

static void member_leave(struct member *member) {
  member->room->members--;
  member->room = NULL;
  if (!member->is_in) return;
  redis_do(left, member, member->name, NULL);
  member_tell(member, about("left", member->name), member->session);
}

static void member_say(struct member *member) {
  struct timespec now;
  char line[LINE_SIZE];
  if (member->text_len == 0) return;
  clock_gettime(CLOCK_REALTIME, &now);
  snprintf(line, sizeof(line), "say\t%lld.%09ld\t%s\t%.*s\n", (long long)now.tv_sec, now.tv_nsec, member->name,
           (int)member->text_len, member->text);
  member->text_len = 0;
  redis_do(say, member, line, NULL);
  redis_do(join, member, member->name, NULL); /* it may have come while Redis was away */
  member_tell(member, line, NULL);
}

static void on_data(wt_stream *stream, const uint8_t *data, size_t len, bool fin, void *user_data) {
  struct member *member = user_data;
  if (!member->room) return; /* not let in, and not gone yet */
  for (size_t i = 0; i < len; i++) {
    if (data[i] == '\n') {
      member_say(member);
    } else if (strchr(controls, data[i]) || member->text_len == TEXT_MAX) {
      member_dismiss(member, 5, "a line has at most 1,000 bytes, and no control characters");
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

static void on_stream_end(wt_stream *stream, const struct wt_stream_error *error, void *user_data) {
  struct member *member = user_data;
  (void)stream, (void)error;
  member->stream = NULL;
  member_dismiss(member, 0, "bye");
}

/* The first stream makes a member of whoever opened it. There is no second one. */
static void on_stream(wt_session *session, wt_stream *stream, void *user_data) {
  const struct wt_stream_callbacks callbacks = {
      .on_data = on_data, .on_reset = on_stream_end, .on_stop_sending = on_stream_end, .on_close = on_stream_end};
  struct member *member = user_data;
  (void)session;
  if (member->stream || wt_stream_kind(stream) == WT_UNIDIRECTIONAL) {
    wt_stream_abort(stream, 0);
    return;
  }
  wt_stream_set_callbacks(stream, &callbacks, member);
  member->stream = stream;
  member_enter(member);
}

static void on_datagram(wt_session *session, const uint8_t *data, size_t len, void *user_data) {
  const struct member *member = user_data;
  if (member->is_in && member->room && len == 6 && !memcmp(data, "typing", 6))
    member_tell(member, about("typing", member->name), session);
}

static void on_drain(wt_session *session, void *user_data) {
  (void)session;
  member_dismiss(user_data, 7, "the server stops");
}

static void on_close(wt_session *session, const struct wt_close_info *info, void *user_data) {
  struct member *member = user_data;
  (void)session;
  printf("%s: somebody left: %s, by %s\n", member->room_name, info->reason, wt_party_name(info->by));
  member->session = NULL;
  if (member->room) member_leave(member);
  if (!member->asked) free(member); /* else when Redis has answered */
}

/* Pages of one origin may come, and programs that are no browsers, which send none. */
static bool check_origin(const wt_request *request, void *user_data) {
  const char *origin = wt_request_origin(request);
  return !origin || !strcmp(origin, user_data);
}

static bool room_name_is_good(const char *name) {
  size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");
  return len > 0 && len < NAME_SIZE && name[len] == '\0';
}

static void on_request(wt_request *request, void *user_data) {
  static const struct wt_session_callbacks callbacks = {
      .on_stream = on_stream, .on_datagram = on_datagram, .on_drain = on_drain, .on_close = on_close};
  const char *room_name = wt_request_path(request) + strlen("/chat/");
  struct wt_upgrade_options options;
  (void)user_data;
  if (!room_name_is_good(room_name)) {
    wt_request_respond(request, 404, NULL, 0, NULL, 0);
    return;
  }
  struct member *member = calloc(1, sizeof(*member));
  if (member) snprintf(member->room_name, sizeof(member->room_name), "%s", room_name);
  if (member) wt_request_get_query_value(request, "name", member->name, sizeof(member->name)); /* else it has none */
  wt_upgrade_options_default(&options);
  options.callbacks = &callbacks;
  options.user_data = member;
  int error = member ? wt_upgrade(request, &options, &member->session) : WT_ERR_NOMEM;
  if (!error) return;
  fprintf(stderr, "upgrading failed: %s\n", wt_request_error(request));
  wt_request_respond(request, wt_upgrade_status(error), NULL, 0, NULL, 0);
  free(member);
}

static void on_signal(int number) {
  (void)number;
  wt_server_shutdown(server, 3000);
}

/* Says how to come in. What follows the '#' is for the page alone: no server gets to see it. */
static void print_way(const wt_certificate *certificate, const char *origin) {
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

int main(int argc, char **argv) {
  const char *address = "localhost:4433", *origin = "http://localhost:8000", *url = getenv("REDIS_URL");
  const char *cert_file = NULL, *key_file = NULL;
  struct wt_server_config config;
  wt_certificate *certificate = NULL;
  char why[256] = "";
  int option, error;
  while ((option = getopt(argc, argv, "l:o:c:k:r:")) != -1) {
    switch (option) {
      case 'l': address = optarg; break;
      case 'o': origin = optarg; break;
      case 'c': cert_file = optarg; break;
      case 'k': key_file = optarg; break;
      case 'r': url = optarg; break;
      default: optind = argc + 1;
    }
  }
  if (optind != argc || !cert_file != !key_file)
    return fprintf(stderr, "usage: chat [-l ADDRESS:PORT] [-o PAGE'S-ORIGIN] [-c CERTIFICATE -k KEY] [-r REDIS-URL]\n"),
           2;
  error = cert_file ? wt_certificate_load(cert_file, key_file, &certificate, why, sizeof(why))
                    : wt_certificate_generate(NULL, 0, 13, &certificate); /* pages accept it by its hash */
  if (error) return fprintf(stderr, "%s\n", *why ? why : wt_error_string(error)), 1;
  wt_server_config_default(&config);
  config.listen = &address;
  config.check_origin = check_origin;
  config.check_origin_user_data = (void *)origin;
  config.max_stream_send_buffer = QUEUE_SIZE;
  config.initial_max_stream_data = config.max_stream_data = SAID_AT_ONCE;
  if (wt_server_new(&config, &server, NULL, 0) != 0) return 1; /* the log says why */
  wt_server_add_certificate(server, certificate);
  wt_server_handle(server, "/chat/", on_request, NULL);
  error = url && !redis_open(url) ? WT_ERR_ADDRESS : wt_server_start(server);
  if (!error) {
    signal(SIGINT, on_signal);
    signal(SIGTERM, on_signal);
    print_way(certificate, origin);
    wt_server_run(server);
  }
  wt_server_free(server);
  wt_certificate_free(certificate);
  return error ? 1 : 0;
}
