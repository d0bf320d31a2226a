/* SPDX-License-Identifier: MIT */
/*
 * webtransport connect: a session for a user at a terminal, or in a pipe. This file reads the options, opens the
 * session and reports how it ended. session_relay.c, relay_input.c and standard_io.c carry the bytes.
 *
 * There are three threads: the main one runs the client's loop, one reads standard input and writes standard output
 * (standard_io.c), one waits for signals. The first signal closes the session in order. A second signal, or one that
 * comes while only output is left to write, ends the program at once.
 *
 * Messages go to standard error, the server's bytes to standard output. The message about the end comes last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/clock.h"
#include "common/signals.h"
#include "common/tool_log.h"
#include "common/values.h"
#include "connect/session_relay.h"

enum {
  PATIENCE_MS = 1000, /* how long stuck output is waited for after a signal */
  MESSAGE_SIZE = 1024,
  REASON_MAX = 1024, /* draft section 6 */
};

struct connect {
  struct connect_settings settings;
  struct relay relay;
  struct signals signals;
  wt_client *client;
  wt_dial *dial;
  int error; /* of the dial */
  char message[MESSAGE_SIZE];
  atomic_uint interrupts;
  atomic_bool ended; /* the loop has ended; output may still be queued */
};

/* --- Signals: on the thread that waits for them, then on the loop's. --- */

static void interrupt_apply(wt_client *client, void *argument) {
  struct connect *connect = argument;
  (void)client;
  relay_close(&connect->relay);
  if (connect->dial) wt_dial_cancel(connect->dial);
}

static void connect_on_signal(int signal, void *user_data) {
  struct connect *connect = user_data;
  (void)signal;
  unsigned before = atomic_fetch_add(&connect->interrupts, 1);
  if (!before) (void)wt_client_post(connect->client, interrupt_apply, connect);
  if (before) wt_client_close(connect->client);
  if (before || atomic_load(&connect->ended)) io_abandon(&connect->relay.io);
}

/* --- The dial. --- */

static void connected_report(const struct connect *connect, const wt_session *session) {
  const char *protocol = wt_session_protocol(session);
  relay_say(&connect->relay, "connected to %s (%s), draft %d%s%s", connect->settings.client.url,
            wt_session_peer_address(session), wt_session_draft(session), *protocol ? ", subprotocol " : "", protocol);
  if (isatty(STDIN_FILENO) && connect->settings.carrier != CARRIER_NONE)
    relay_say(&connect->relay, "Ctrl-D ends the input, Ctrl-C the session");
}

static void connect_on_done(wt_dial *dial, const struct wt_dial_result *result, void *user_data) {
  struct connect *connect = user_data;
  (void)dial;
  connect->dial = NULL;
  connect->error = result->error;
  snprintf(connect->message, sizeof connect->message, "%s", result->message);
  if (!result->session) return;
  connected_report(connect, result->session);
  relay_begin(&connect->relay, result->session);
}

static bool client_make(struct connect *connect) {
  const struct connect_settings *settings = &connect->settings;
  struct wt_client_config config;
  wt_client_config_default(&config);
  config.log = log_library;
  config.log_level = settings->verbose ? WT_LOG_INFO : settings->quiet ? WT_LOG_ERROR : WT_LOG_WARN;
  client_settings_configure(&settings->client, &config);
  if (settings->client.accept_any)
    relay_complain("WARNING: the server's certificate is not checked; whoever is on the way can read and change "
                   "everything");
  int error = wt_client_new(&config, &connect->client, connect->message, sizeof connect->message);
  if (error && !connect->message[0]) snprintf(connect->message, sizeof connect->message, "%s", wt_error_string(error));
  return !error;
}

static bool dial_begin(struct connect *connect) {
  const struct client_settings *settings = &connect->settings.client;
  struct wt_dial_options options;
  wt_dial_options_default(&options);
  client_settings_dial_options(settings, &options);
  static const struct wt_dial_callbacks dial_callbacks = {.on_done = connect_on_done};
  options.callbacks = &dial_callbacks;
  options.user_data = connect;
  options.session_callbacks = &relay_session_callbacks;
  options.session_user_data = &connect->relay;
  options.require_protocol = settings->protocol_count > 0;
  connect->error = wt_client_dial(connect->client, settings->url, &options, &connect->dial);
  if (connect->error) snprintf(connect->message, sizeof connect->message, "%s", wt_client_error(connect->client));
  return !connect->error;
}

/* --- How it ended. --- */

/* Reports how a session ended that was not closed with a code. */
static void broken_report(const struct relay *relay) {
  const char *colon = relay->reason[0] ? ": " : "", *whose = relay->wire_is_h3 ? "application" : "QUIC";
  switch (relay->cause) {
    case WT_CAUSE_PEER:
      relay_complain("the server %s with the %s error 0x%" PRIx64 "%s%s",
                     relay->connection ? "closed the connection" : "reset the session", whose, relay->wire_code, colon,
                     relay->reason);
      return;
    case WT_CAUSE_ERROR:
      relay_complain("the %s was ended from here, with the %s error 0x%" PRIx64 "%s%s",
                     relay->connection ? "connection" : "session", whose, relay->wire_code, colon, relay->reason);
      return;
    case WT_CAUSE_TIMEOUT: relay_complain("the connection timed out%s%s", colon, relay->reason); return;
    default: relay_complain("the connection was lost%s%s", colon, relay->reason); return;
  }
}

/* The exit status and message for a session that the server or the network ended. */
static int closed_status(const struct relay *relay) {
  const char *colon = relay->reason[0] ? ": " : "";
  if (!relay->closed || relay->cause == WT_CAUSE_LOCAL) return EXIT_DONE;
  if (relay->clean && !relay->code) {
    relay_say(relay, "the server closed the session%s%s", colon, relay->reason);
    return EXIT_DONE;
  }
  if (relay->clean)
    relay_complain("the server closed the session with code %" PRIu32 "%s%s", relay->code, colon, relay->reason);
  else
    broken_report(relay);
  return EXIT_CLOSED;
}

static int connect_verdict(struct connect *connect, int output_error) {
  struct relay *relay = &connect->relay;
  bool interrupted = atomic_load(&connect->interrupts) > 0;
  if (connect->error) {
    relay_complain("%s", interrupted ? "interrupted" : connect->message);
    return interrupted ? EXIT_FAILED : exit_of_error(connect->error);
  }
  if (relay->dropped)
    relay_complain("%" PRIu64 " datagrams were dropped, because standard output was too slow", relay->dropped);
  if (output_error && output_error != EPIPE && !relay->failed && !interrupted)
    relay_complain("cannot write to standard output: %s", strerror(output_error));
  int status = closed_status(relay);
  if (status) return status;
  return relay->failed || (output_error && !interrupted) ? EXIT_FAILED : EXIT_DONE;
}

static int connect_run(struct connect *connect) {
  struct relay *relay = &connect->relay;
  const struct connect_settings *settings = &connect->settings;
  bool terminal = isatty(STDOUT_FILENO);
  relay->settings = settings;
  relay->printer.io = &relay->io;
  relay->printer.escape = terminal && !settings->binary;
  relay->printer.prefix =
      settings->prefix == PREFIX_ALWAYS || (settings->prefix == PREFIX_AUTO && relay->printer.escape);
  if (!client_make(connect)) {
    relay_complain("%s", connect->message);
    return EXIT_FAILED;
  }
  if (!io_start(&relay->io, connect->client, &relay_io_callbacks, relay) ||
      !signals_start(&connect->signals, connect_on_signal, connect)) {
    relay_complain("cannot make a thread: %s", strerror(errno));
    return EXIT_FAILED;
  }
  if (dial_begin(connect)) (void)wt_client_run(connect->client);
  atomic_store(&connect->ended, true);
  int output_error = io_finish(&relay->io, atomic_load(&connect->interrupts) ? PATIENCE_MS : -1);
  return connect_verdict(connect, output_error);
}

/* In this order: the signal thread uses all the rest, and wt_client_free may run callbacks. */
static void connect_end(struct connect *connect) {
  signals_stop(&connect->signals);
  (void)io_finish(&connect->relay.io, 0);
  wt_client_free(connect->client);
  io_free(&connect->relay.io);
  client_settings_free(&connect->settings.client);
}

static int connect_main(const struct command *command, int argc, char **argv) {
  static struct connect connect; /* large, and only one */
  client_settings_default(&connect.settings.client);
  enum options_outcome outcome = options_parse(command, argc, argv, &connect.settings);
  int status = outcome == OPTIONS_HELP ? EXIT_DONE : EXIT_USAGE;
  if (outcome == OPTIONS_RUN && connect.settings.binary && connect.settings.prefix == PREFIX_ALWAYS) {
    status = options_complain(command, "--binary and --prefix always exclude each other");
  } else if (outcome == OPTIONS_RUN && connect.settings.binary && connect.settings.messages != MESSAGES_NONE) {
    status = options_complain(command, "--binary and --messages exclude each other");
  } else if (outcome == OPTIONS_RUN && connect.settings.reset_given && connect.settings.carrier >= CARRIER_DATAGRAMS) {
    status = options_complain(command, "--reset needs a stream: it and %s exclude each other",
                              connect.settings.carrier == CARRIER_NONE ? "--receive-only" : "--datagrams");
  } else if (outcome == OPTIONS_RUN) {
    status = client_settings_load(&connect.settings.client, command);
  }
  if (outcome == OPTIONS_RUN && status == EXIT_DONE) {
    signals_block(&connect.signals, false);
    log_set_level(WT_LOG_DEBUG); /* the client is told how much */
    status = connect_run(&connect);
  }
  connect_end(&connect);
  return status;
}

/* --- The options. --- */

static bool carrier_set(struct connect_settings *settings, enum input_carrier carrier, char *message, size_t size) {
  if (settings->carrier_given)
    return value_refuse(message, size, "--uni, --datagrams and --receive-only exclude each other");
  settings->carrier_given = true;
  settings->carrier = carrier;
  return true;
}

static bool set_uni(void *target, const char *value, char *message, size_t size) {
  (void)value;
  return carrier_set(target, CARRIER_UNI, message, size);
}

static bool set_datagrams(void *target, const char *value, char *message, size_t size) {
  (void)value;
  return carrier_set(target, CARRIER_DATAGRAMS, message, size);
}

static bool set_receive_only(void *target, const char *value, char *message, size_t size) {
  (void)value;
  return carrier_set(target, CARRIER_NONE, message, size);
}

static bool set_binary(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct connect_settings *)target)->binary = true;
  return true;
}

static bool set_prefix(void *target, const char *value, char *message, size_t size) {
  return value_word(value, PREFIX_WORDS, &((struct connect_settings *)target)->prefix, message, size);
}

static bool set_messages(void *target, const char *value, char *message, size_t size) {
  return value_word(value, MESSAGES_WORDS, &((struct connect_settings *)target)->messages, message, size);
}

static bool set_wait(void *target, const char *value, char *message, size_t size) {
  struct connect_settings *settings = target;
  uint64_t ns;
  if (!value_time(value, 0, NS_PER_DAY, &ns, message, size)) return false;
  settings->wait_given = true;
  settings->wait_ms = (int64_t)clock_ms_up(ns);
  return true;
}

static bool code_set(uint32_t *code, const char *value, char *message, size_t size) {
  uint64_t number;
  if (!value_number(value, 0, UINT32_MAX, &number, message, size)) return false;
  *code = (uint32_t)number;
  return true;
}

static bool set_reset(void *target, const char *value, char *message, size_t size) {
  struct connect_settings *settings = target;
  settings->reset_given = true;
  return code_set(&settings->reset_code, value, message, size);
}

static bool set_stop(void *target, const char *value, char *message, size_t size) {
  struct connect_settings *settings = target;
  settings->stop_given = true;
  return code_set(&settings->stop_code, value, message, size);
}

static bool set_close_code(void *target, const char *value, char *message, size_t size) {
  return code_set(&((struct connect_settings *)target)->close_code, value, message, size);
}

static bool set_close_reason(void *target, const char *value, char *message, size_t size) {
  if (strlen(value) > REASON_MAX) return value_refuse(message, size, "a text of at most %d bytes", REASON_MAX);
  ((struct connect_settings *)target)->close_reason = value;
  return true;
}

static bool set_quiet(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct connect_settings *)target)->quiet = true;
  return true;
}

static bool set_verbose(void *target, const char *value, char *message, size_t size) {
  (void)value, (void)message, (void)size;
  ((struct connect_settings *)target)->verbose = true;
  return true;
}

static const struct option_spec connect_options[] = {
    CLIENT_OPTIONS,
    {.name = "uni", .letter = 'u', .help = "Sends the input on a unidirectional stream.", .set = set_uni},
    {.name = "datagrams",
     .letter = 'd',
     .help = "Sends each line of the input as a datagram, without its line end.",
     .set = set_datagrams},
    {.name = "receive-only",
     .letter = 'r',
     .help = "Reads no input and opens no stream; prints what arrives until the server ends the session.",
     .set = set_receive_only},
    {.name = "binary",
     .letter = 'b',
     .help =
         "Passes bytes on as they are, also to a terminal and around datagrams: no prefix, nothing escaped, no line "
         "end added. With --datagrams, each piece that is read becomes a datagram.",
     .set = set_binary},
    {.name = "prefix",
     .argument = "WHEN",
     .kind = VALUE_WORD,
     .words = PREFIX_WORDS,
     .fallback = "auto: if standard output is a terminal",
     .help = "Whether each printed line begins with where it came from: '[0 bidi]', '[15 uni <-]' for a stream of the "
             "server, '[datagram]'; auto, always or never.",
     .set = set_prefix},
    {.name = "messages",
     .letter = 'm',
     .argument = "FORM",
     .kind = VALUE_WORD,
     .words = MESSAGES_WORDS,
     .fallback = "none",
     .help =
         "Prints messages of topics on unidirectional streams, each on a line: streams, if each stream is a "
         "message; stream, if all are on one stream, with their length in front. As ?delivery= of /topic/NAME; none "
         "prints the bytes as they come. Datagrams need no option.",
     .set = set_messages},
    {.name = "wait",
     .letter = 'w',
     .argument = "TIME",
     .fallback = "1s with --uni and --datagrams, else until the server ends its side",
     .help = "Closes the session once nothing has arrived for TIME after the input was sent; 0 does not wait at all.",
     .set = set_wait},
    {.name = "reset",
     .argument = "CODE",
     .kind = VALUE_NUMBER,
     .fallback = "the stream is ended",
     .help = "Resets the stream with CODE at the end of the input, once all of it has been delivered.",
     .set = set_reset},
    {.name = "stop",
     .argument = "CODE",
     .kind = VALUE_NUMBER,
     .help = "Reads nothing of any stream: asks the server with CODE to stop sending on each (STOP_SENDING).",
     .set = set_stop},
    {.name = "close",
     .argument = "CODE",
     .kind = VALUE_NUMBER,
     .fallback = "0",
     .help = "Closes the session with CODE when all is done, and upon Ctrl-C.",
     .set = set_close_code},
    {.name = "reason",
     .argument = "TEXT",
     .help = "Closes the session with the reason TEXT, up to 1,024 bytes of UTF-8.",
     .set = set_close_reason},
    {.name = "quiet", .letter = 'q', .help = "Prints no messages but errors and warnings.", .set = set_quiet},
    {.name = "verbose", .letter = 'v', .help = "Tells also of each stream, and logs more.", .set = set_verbose},
    {0},
};

static const struct operand_spec connect_operands[] = {CLIENT_OPERAND, {0}};

static const struct example_spec connect_examples[] = {
    {"webtransport connect https://localhost:4433/echo", "By hand: each line goes out, each that arrives is printed."},
    {"echo hello | webtransport connect https://localhost:4433/echo", "Prints hello."},
    {"webtransport connect --datagrams --header 'authorization: Bearer abc' https://example.com/chat",
     "Lines as datagrams, with a header field."},
    {"echo hello | webtransport connect --reset 42 --close 7 --reason 'gave up' https://localhost:4433/echo",
     "A stream that is reset and a session that is closed with a code, to see what the server makes of them."},
    {"webtransport connect https://localhost:4433/topic/room",
     "A chat: start it in two terminals. Each line is a message to all others of the topic."},
    {"webtransport connect -m stream 'https://localhost:4433/topic/room?delivery=stream'",
     "Likewise, but in order, without losses on the network, and with longer lines."},
    {"webtransport connect -r -q 'https://localhost:4433/source?bytes=1M' > bytes", "Keeps what the server sends."},
    {0},
};

const struct command connect_command = {
    .name = "connect",
    .summary = "Opens a session: sends what is typed, prints what arrives",
    .details =
        "The input goes out on one bidirectional stream, its end as the end of the stream; the command then waits for "
        "the server's end of that stream and closes the session with code 0. What arrives on any stream and as "
        "datagrams goes to standard output, messages to standard error. On a terminal control characters that arrive "
        "are shown as \\x1b.\n"
        "\n"
        "Ctrl-C closes the session with code 0, or that of --close, and is not a failure; a second one ends at once. "
        "If the server resets "
        "the "
        "stream that the input goes to, or reads no more of it, the status is 1.",
    .options = connect_options,
    .operands = connect_operands,
    .examples = connect_examples,
    .exits = EXITS_CLIENT,
    .run = connect_main,
};
