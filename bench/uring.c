/* SPDX-License-Identifier: MIT */
/*
 * What the ways into the kernel cost for small UDP packets: an echo server without QUIC, which is what remains of
 * net/udp.c and the event loop when everything else is taken away. A process of its own, on another core, is the load.
 *
 *   uring --mode epoll|mmsg|uring|uring-epoll [--flows N] [--rate N | --window N] [--packet N] [--seconds N]
 *         [--turn N] [--core N] [--peer-core N]
 *
 *   epoll         epoll_wait, one recvmmsg for what is there, one sendmsg for each answer: net/udp.c below libuv
 *   mmsg          the same, with one sendmmsg for the answers of a turn
 *   uring         one io_uring_enter a turn: a multishot recvmsg into registered buffers, and a sendmsg for each answer
 *   uring-epoll   the same, where the ring is a descriptor in epoll, as it would have to be below libuv
 *
 * The load is `--rate` packets a second at a steady pace, or as many as go with `--window` of them under way. Each flow
 * has an address of its own in 127/8, so that the server sees as many peers with one socket at the load. What QUIC must
 * know of a packet is read and written as in net/udp.c: the own address and the ECN bits, as control messages.
 *
 * `--turn N` is the most packets that a turn takes. With `--turn 1 --window 64` each packet has a turn of its own, as with a
 * steady load, but the server never sleeps: what is left is what the calls cost.
 *
 * The ring needs Linux 6.1 (IORING_SETUP_DEFER_TASKRUN). Sends have MSG_DONTWAIT: they are done when they are submitted, so
 * nothing has to tell that their buffers are free again. Prints one line of JSON: the server's processor time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <liburing.h>
#include <netinet/udp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  BATCH = 16,        /* messages in a recvmmsg, as WT__UDP_MESSAGES */
  RECV_MAX = 65536,  /* a message that the kernel joined fits, as in net/udp.c */
  CONTROL = 128,     /* room for a packet's control messages */
  BUFFERS = 64,      /* of the ring: a power of two */
  SLOTS = 256,       /* answers in one turn of the ring */
  ENTRIES = 512,     /* of the ring's queues */
  PACKET_MAX = 1500, /* of an answer */
  TURN_MS = 3000,    /* a turn's time limit, as the timers of a server set it; then the load is gone */
  LOAD_BATCH = 64,
};

/* Datagrams of one byte are the load's signals: the measured time begins, or is over. */
enum {
  SIGNAL_BEGIN = 'b',
  SIGNAL_END = 'e',
};

struct answer {
  struct sockaddr_in to;
  struct iovec part;
  struct msghdr header;
  uint8_t data[PACKET_MAX];
  union {
    char room[CONTROL];
    struct cmsghdr align;
  } control;
};

struct server {
  const struct mode *mode;
  int fd, epoll;
  unsigned answers; /* of this turn */
  unsigned turn;    /* the most packets of a turn */
  bool over;
  uint64_t packets, turns;
  struct rusage before, after;
  struct answer slots[SLOTS];
  struct mmsghdr out[SLOTS];
  /* recvmmsg */
  struct mmsghdr in[BATCH];
  struct iovec parts[BATCH];
  struct sockaddr_in from[BATCH];
  char controls[BATCH][CONTROL];
  uint8_t *data; /* BATCH or BUFFERS pieces of RECV_MAX */
  /* the ring */
  struct io_uring ring;
  struct io_uring_buf_ring *buffers;
  struct msghdr shape; /* of what the multishot recvmsg writes into a buffer */
};

struct mode {
  const char *name;
  void (*make)(struct server *server);
  void (*turn)(struct server *server);
};

struct load {
  struct sockaddr_in server;
  unsigned flows, window, packet;
  double rate, seconds;
  int core, peer_core;
};

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void require(bool good, const char *what) {
  if (!good) die(what);
}

static void core_pin(int core) {
  cpu_set_t set;
  if (core < 0) return;
  CPU_ZERO(&set);
  CPU_SET((size_t)core, &set);
  if (sched_setaffinity(0, sizeof set, &set)) die("sched_setaffinity");
}

/* --- The server: what a packet is answered with. --- */

static void control_add(struct msghdr *header, int type, const void *data, size_t len) {
  struct cmsghdr *control = (struct cmsghdr *)(void *)((char *)header->msg_control + header->msg_controllen);
  *control = (struct cmsghdr){.cmsg_level = IPPROTO_IP, .cmsg_type = type, .cmsg_len = CMSG_LEN(len)};
  memcpy(CMSG_DATA(control), data, len);
  header->msg_controllen += CMSG_SPACE(len);
}

/* The own address and the ECN bits of what arrived, as net/udp.c reads them. */
static void controls_read(struct msghdr *header, struct in_pktinfo *local, int *ecn) {
  for (struct cmsghdr *it = CMSG_FIRSTHDR(header); it; it = CMSG_NXTHDR(header, it)) {
    if (it->cmsg_level != IPPROTO_IP) continue;
    if (it->cmsg_type == IP_PKTINFO) memcpy(local, CMSG_DATA(it), sizeof *local);
    if (it->cmsg_type == IP_TOS) *ecn = *CMSG_DATA(it) & 3;
  }
}

/* Whether it was a packet, which then has an answer in the next slot. */
static bool packet_take(struct server *server, struct msghdr *header, const uint8_t *data, size_t len) {
  struct answer *answer = &server->slots[server->answers % SLOTS];
  struct in_pktinfo local = {0};
  int ecn = 0;
  if (len == 1) {
    if (getrusage(RUSAGE_SELF, data[0] == SIGNAL_BEGIN ? &server->before : &server->after)) die("getrusage");
    if (data[0] == SIGNAL_BEGIN) server->packets = server->turns = 0;
    server->over = data[0] == SIGNAL_END;
    return false;
  }
  controls_read(header, &local, &ecn);
  server->packets++;
  server->answers++;
  memcpy(&answer->to, header->msg_name, sizeof answer->to);
  memcpy(answer->data, data, len);
  answer->part = (struct iovec){.iov_base = answer->data, .iov_len = len};
  answer->header = (struct msghdr){.msg_name = &answer->to,
                                   .msg_namelen = sizeof answer->to,
                                   .msg_iov = &answer->part,
                                   .msg_iovlen = 1,
                                   .msg_control = answer->control.room};
  struct in_pktinfo out = {.ipi_spec_dst = local.ipi_addr};
  control_add(&answer->header, IP_PKTINFO, &out, sizeof out);
  if (ecn) control_add(&answer->header, IP_TOS, &ecn, sizeof ecn);
  return true;
}

/* --- epoll, mmsg --- */

static void epoll_add(struct server *server, int fd) {
  struct epoll_event event = {.events = EPOLLIN};
  server->epoll = epoll_create1(EPOLL_CLOEXEC);
  require(server->epoll >= 0 && !epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event), "epoll");
}

static void epoll_turn_wait(struct server *server) {
  struct epoll_event events[8];
  int count = epoll_wait(server->epoll, events, 8, TURN_MS);
  if (count == 0) errno = ETIME;
  require(count > 0 || errno == EINTR, "epoll_wait"); /* a ring interrupts the call when it has something */
}

static void calls_make(struct server *server) { epoll_add(server, server->fd); }

/* One call. Whether there may be more for this turn. */
static bool packets_receive(struct server *server) {
  unsigned room = server->turn - server->answers;
  for (size_t i = 0; i < BATCH; i++) {
    server->parts[i] = (struct iovec){.iov_base = server->data + i * RECV_MAX, .iov_len = RECV_MAX};
    server->in[i].msg_hdr = (struct msghdr){.msg_name = &server->from[i],
                                            .msg_namelen = sizeof server->from[i],
                                            .msg_iov = &server->parts[i],
                                            .msg_iovlen = 1,
                                            .msg_control = server->controls[i],
                                            .msg_controllen = CONTROL};
  }
  int count = recvmmsg(server->fd, server->in, room < BATCH ? room : BATCH, MSG_DONTWAIT, NULL);
  require(count >= 0 || errno == EAGAIN, "recvmmsg");
  for (int i = 0; i < count; i++)
    packet_take(server, &server->in[i].msg_hdr, server->data + (size_t)i * RECV_MAX, server->in[i].msg_len);
  return count == BATCH && server->answers < server->turn;
}

static void epoll_turn(struct server *server) {
  epoll_turn_wait(server);
  while (packets_receive(server)) continue;
  for (unsigned i = 0; i < server->answers; i++)
    require(sendmsg(server->fd, &server->slots[i].header, MSG_NOSIGNAL) >= 0, "sendmsg");
  server->answers = 0;
}

static void mmsg_turn(struct server *server) {
  epoll_turn_wait(server);
  while (packets_receive(server)) continue;
  for (unsigned i = 0; i < server->answers; i++) server->out[i].msg_hdr = server->slots[i].header;
  for (unsigned at = 0; at < server->answers;) {
    int sent = sendmmsg(server->fd, server->out + at, server->answers - at, MSG_NOSIGNAL);
    require(sent > 0, "sendmmsg");
    at += (unsigned)sent;
  }
  server->answers = 0;
}

/* --- uring, uring-epoll --- */

static void receive_submit(struct server *server) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(&server->ring);
  require(sqe != NULL, "io_uring_get_sqe");
  io_uring_prep_recvmsg_multishot(sqe, 0, &server->shape, 0);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
  sqe->buf_group = 0;
  sqe->user_data = 1;
}

static void buffer_give(struct server *server, unsigned index) {
  io_uring_buf_ring_add(server->buffers, server->data + (size_t)index * RECV_MAX, RECV_MAX, (unsigned short)index,
                        io_uring_buf_ring_mask(BUFFERS), 0);
  io_uring_buf_ring_advance(server->buffers, 1);
}

/* `deferred`: the kernel's part is done in io_uring_enter alone, and the descriptor of the ring does not wake epoll. */
static void ring_open(struct server *server, bool deferred) {
  struct io_uring_params params = {.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_SUBMIT_ALL};
  params.flags |= deferred ? IORING_SETUP_DEFER_TASKRUN : IORING_SETUP_COOP_TASKRUN;
  errno = -io_uring_queue_init_params(ENTRIES, &server->ring, &params);
  require(errno == 0, "io_uring_queue_init_params (Linux 6.1 is needed)");
  server->buffers =
      mmap(NULL, BUFFERS * sizeof(struct io_uring_buf), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(server->buffers != MAP_FAILED, "mmap");
  struct io_uring_buf_reg group = {.ring_addr = (uintptr_t)server->buffers, .ring_entries = BUFFERS};
  errno = -io_uring_register_buf_ring(&server->ring, &group, 0);
  require(errno == 0, "io_uring_register_buf_ring");
  io_uring_buf_ring_init(server->buffers);
  for (unsigned i = 0; i < BUFFERS; i++) buffer_give(server, i);
  errno = -io_uring_register_files(&server->ring, &server->fd, 1);
  require(errno == 0, "io_uring_register_files");
  server->shape = (struct msghdr){.msg_namelen = sizeof(struct sockaddr_in), .msg_controllen = CONTROL};
  receive_submit(server);
}

static void ring_make(struct server *server) { ring_open(server, true); }

static void ring_epoll_make(struct server *server) {
  ring_open(server, false);
  epoll_add(server, server->ring.ring_fd);
  require(io_uring_submit(&server->ring) >= 0, "io_uring_submit");
}

/* A packet in one of the registered buffers: first a record of lengths, then address, control messages and payload. */
static bool buffer_take(struct server *server, uint8_t *buffer, int len) {
  struct io_uring_recvmsg_out *out = io_uring_recvmsg_validate(buffer, len, &server->shape);
  require(out != NULL, "io_uring_recvmsg_validate");
  struct msghdr header = {.msg_name = io_uring_recvmsg_name(out),
                          .msg_namelen = out->namelen,
                          .msg_control = (uint8_t *)io_uring_recvmsg_name(out) + server->shape.msg_namelen,
                          .msg_controllen = out->controllen};
  return packet_take(server, &header, io_uring_recvmsg_payload(out, &server->shape), out->payloadlen);
}

static void answer_submit(struct server *server) {
  struct io_uring_sqe *sqe = io_uring_get_sqe(&server->ring);
  require(sqe != NULL, "io_uring_get_sqe");
  io_uring_prep_sendmsg(sqe, 0, &server->slots[(server->answers - 1) % SLOTS].header, MSG_NOSIGNAL | MSG_DONTWAIT);
  sqe->flags |= IOSQE_FIXED_FILE | IOSQE_CQE_SKIP_SUCCESS;
  sqe->user_data = 2;
}

/* What is complete. A send completes only if it failed. */
static void completions_take(struct server *server) {
  struct io_uring_cqe *cqe;
  unsigned head, seen = 0;
  bool again = false;
  io_uring_for_each_cqe(&server->ring, head, cqe) {
    if (seen == server->turn) break;
    seen++;
    errno = cqe->res < 0 ? -cqe->res : 0;
    require(cqe->user_data == 1 && (errno == 0 || errno == ENOBUFS), "io_uring");
    if (!(cqe->flags & IORING_CQE_F_MORE)) again = true;
    if (errno) continue;
    unsigned index = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
    if (buffer_take(server, server->data + (size_t)index * RECV_MAX, cqe->res)) answer_submit(server);
    buffer_give(server, index);
  }
  io_uring_cq_advance(&server->ring, seen);
  if (again) receive_submit(server);
}

static void ring_turn(struct server *server) {
  struct __kernel_timespec limit = {.tv_sec = TURN_MS / 1000};
  struct io_uring_cqe *cqe;
  int error = io_uring_submit_and_wait_timeout(&server->ring, &cqe, 1, &limit, NULL);
  errno = error < 0 ? -error : 0;
  require(errno == 0, "io_uring_submit_and_wait_timeout");
  server->answers = 0;
  completions_take(server);
}

static void ring_epoll_turn(struct server *server) {
  epoll_turn_wait(server);
  server->answers = 0;
  completions_take(server);
  require(io_uring_submit(&server->ring) >= 0, "io_uring_submit");
}

static const struct mode modes[] = {
    {"epoll", calls_make, epoll_turn},
    {"mmsg", calls_make, mmsg_turn},
    {"uring", ring_make, ring_turn},
    {"uring-epoll", ring_epoll_make, ring_epoll_turn},
};

static const struct mode *mode_find(const char *name) {
  for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++)
    if (!strcmp(modes[i].name, name)) return &modes[i];
  return NULL;
}

/* --- The load. --- */

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void sleep_until(double when) {
  struct timespec time = {.tv_sec = (time_t)when};
  time.tv_nsec = (long)((when - (double)time.tv_sec) * 1e9);
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR) continue;
}

/* Sends `count` packets, each of the next flow. A flow is an address of its own to send from. */
static void flows_send(int fd, struct load *load, uint64_t first, unsigned count) {
  static uint8_t data[PACKET_MAX];
  struct mmsghdr messages[LOAD_BATCH] = {0};
  struct iovec part = {.iov_base = data, .iov_len = load->packet};
  union {
    char room[CMSG_SPACE(sizeof(struct in_pktinfo))];
    struct cmsghdr align;
  } controls[LOAD_BATCH];
  for (unsigned i = 0; i < count; i++) {
    uint32_t flow = (uint32_t)((first + i) % load->flows);
    struct in_pktinfo from = {.ipi_spec_dst.s_addr = htonl((127U << 24) + (1U << 16) + flow + 1)};
    messages[i].msg_hdr = (struct msghdr){.msg_name = &load->server,
                                          .msg_namelen = sizeof load->server,
                                          .msg_iov = &part,
                                          .msg_iovlen = 1,
                                          .msg_control = controls[i].room};
    control_add(&messages[i].msg_hdr, IP_PKTINFO, &from, sizeof from);
  }
  require(sendmmsg(fd, messages, count, 0) == (int)count, "sendmmsg");
}

/* How many answers there are; waits for one if `flags` has no MSG_DONTWAIT. */
static unsigned answers_count(int fd, int flags) {
  static uint8_t data[LOAD_BATCH][PACKET_MAX];
  struct mmsghdr messages[LOAD_BATCH] = {0};
  struct iovec parts[LOAD_BATCH];
  for (size_t i = 0; i < LOAD_BATCH; i++) {
    parts[i] = (struct iovec){.iov_base = data[i], .iov_len = sizeof data[i]};
    messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
  }
  int count = recvmmsg(fd, messages, LOAD_BATCH, flags, NULL);
  require(count >= 0 || errno == EAGAIN, "recvmmsg");
  return count < 0 ? 0 : (unsigned)count;
}

/* Steady: returns how many packets had no answer. */
static uint64_t steady_run(int fd, struct load *load) {
  uint64_t sent = 0, arrived = 0, count = (uint64_t)(load->rate * load->seconds);
  double begin = now();
  for (; sent < count; sent++) {
    sleep_until(begin + (double)sent / load->rate);
    flows_send(fd, load, sent, 1);
    arrived += answers_count(fd, MSG_DONTWAIT);
  }
  sleep_until(now() + 0.01);
  for (unsigned more; (more = answers_count(fd, MSG_DONTWAIT));) arrived += more;
  return sent - arrived;
}

static uint64_t window_run(int fd, struct load *load) {
  uint64_t sent = 0, arrived = 0;
  double end = now() + load->seconds;
  while (now() < end) {
    unsigned room = load->window - (unsigned)(sent - arrived);
    flows_send(fd, load, sent, room);
    sent += room;
    arrived += answers_count(fd, MSG_WAITFORONE);
  }
  while (arrived < sent) arrived += answers_count(fd, MSG_WAITFORONE);
  return 0;
}

static void signal_send(int fd, const struct load *load, char byte) {
  ssize_t sent = sendto(fd, &byte, 1, 0, (const struct sockaddr *)&load->server, sizeof load->server);
  require(sent == 1, "sendto");
}

static void load_run(int fd, struct load *load) {
  struct load warm_up = *load;
  warm_up.seconds = 0.5;
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) die("prctl");
  uint64_t (*run)(int, struct load *) = load->rate > 0 ? steady_run : window_run;
  core_pin(load->peer_core);
  run(fd, &warm_up);
  signal_send(fd, load, SIGNAL_BEGIN);
  uint64_t lost = run(fd, load);
  signal_send(fd, load, SIGNAL_END);
  if (lost) fprintf(stderr, "uring: %llu packets had no answer\n", (unsigned long long)lost);
  _exit(lost > 0);
}

/* --- Both. --- */

static int socket_bound(in_addr_t at, struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;
  socklen_t len = sizeof *address;
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(at)};
  if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) ||
      getsockname(fd, (struct sockaddr *)address, &len))
    die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
  return fd;
}

static void server_socket(struct server *server, struct sockaddr_in *address) {
  static const int names[] = {IP_PKTINFO, IP_RECVTOS};
  int on = 1;
  server->fd = socket_bound(INADDR_LOOPBACK, address);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    require(!setsockopt(server->fd, IPPROTO_IP, names[i], &on, sizeof on), "setsockopt");
  setsockopt(server->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static void report(const struct server *server) {
  double user = seconds(server->after.ru_utime) - seconds(server->before.ru_utime);
  double system = seconds(server->after.ru_stime) - seconds(server->before.ru_stime);
  double packets = (double)server->packets;
  printf("{\"mode\": \"%s\", \"packets\": %.0f, \"turns\": %llu, \"us_a_packet\": %.3f, \"user\": %.3f, "
         "\"system\": %.3f}\n",
         server->mode->name, packets, (unsigned long long)server->turns, (user + system) / packets * 1e6,
         user / packets * 1e6, system / packets * 1e6);
}

static int server_run(struct server *server, struct load *load) {
  struct sockaddr_in theirs;
  int status, peer = socket_bound(INADDR_ANY, &theirs);
  server_socket(server, &load->server);
  server->data = mmap(NULL, (size_t)BUFFERS * RECV_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  require(server->data != MAP_FAILED, "mmap");
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) load_run(peer, load);
  core_pin(load->core);
  server->mode->make(server);
  while (!server->over) {
    server->mode->turn(server);
    server->turns++;
  }
  require(waitpid(child, &status, 0) == child, "waitpid");
  report(server);
  return status != 0;
}

static bool options_read(struct server *server, struct load *load, int argc, char **argv) {
  static const struct option options[] = {
      {"mode", required_argument, NULL, 'm'},      {"flows", required_argument, NULL, 'f'},
      {"rate", required_argument, NULL, 'r'},      {"window", required_argument, NULL, 'w'},
      {"packet", required_argument, NULL, 'p'},    {"seconds", required_argument, NULL, 's'},
      {"turn", required_argument, NULL, 't'},      {"core", required_argument, NULL, 'C'},
      {"peer-core", required_argument, NULL, 'P'}, {0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'm') server->mode = mode_find(optarg);
    if (option == 'f') load->flows = (unsigned)strtoul(optarg, NULL, 10);
    if (option == 'r') load->rate = strtod(optarg, NULL);
    if (option == 'w') load->window = (unsigned)strtoul(optarg, NULL, 10);
    if (option == 'p') load->packet = (unsigned)strtoul(optarg, NULL, 10);
    if (option == 's') load->seconds = strtod(optarg, NULL);
    if (option == 't') server->turn = (unsigned)strtoul(optarg, NULL, 10);
    if (option == 'C') load->core = atoi(optarg);
    if (option == 'P') load->peer_core = atoi(optarg);
    if (option == '?') return false;
  }
  if (load->window) load->rate = 0;
  return server->mode && server->turn > 0 && server->turn <= SLOTS && load->packet > 1 && load->packet <= PACKET_MAX &&
         load->window <= LOAD_BATCH && load->flows > 0 && load->flows <= 65000;
}

int main(int argc, char **argv) {
  static struct server server = {.turn = SLOTS};
  struct load load = {.flows = 1000, .packet = 140, .rate = 10000, .seconds = 3, .core = -1, .peer_core = -1};
  if (!options_read(&server, &load, argc, argv)) {
    fprintf(stderr, "usage: uring --mode epoll|mmsg|uring|uring-epoll [--flows N] [--rate N | --window N] [--packet N]"
                    " [--seconds N] [--turn N] [--core N] [--peer-core N]\n");
    return 2;
  }
  return server_run(&server, &load);
}
