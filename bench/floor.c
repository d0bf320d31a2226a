/* SPDX-License-Identifier: MIT */
/*
 * The floor under a bulk transfer over QUIC: only what cannot be left out, so that a server's cost can be read
 * as a share of it. For each packet the sender copies a payload behind a short header, seals it with
 * AES-128-GCM, makes the header protection's mask from a sample of it and puts that on; as many packets as one
 * system call takes go out with UDP segmentation offload. The other end, a process of its own on another core,
 * takes them in with UDP's receive offload and throws them away.
 *
 * What it is not: QUIC. There are no streams, no acknowledgements, no loss, no congestion control. The one
 * message backwards is a count of the bytes that arrived, by which the sender keeps a window, since packets
 * that the receiving socket has no room for would be dropped, and cheaply.
 *
 *   floor --cipher gnutls|libcrypto|ipsec-mb|none [--bytes N] [--packet N] [--core N] [--peer-core N]
 *
 * gnutls makes the calls that ngtcp2 makes with it; libcrypto is OpenSSL's; ipsec-mb is libIPSec_MB, the fastest
 * that the distribution has, if this was built with it; none leaves the encryption out. `--cipher list` prints
 * those that there are. Prints one line of JSON: the sender's processor time.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <netinet/udp.h>
#include <openssl/evp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef WT_HAVE_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif

enum {
  HEADER = 20, /* a short header: flags, a connection id of 16 bytes, a packet number of 3 */
  TAG = 16,
  SAMPLE_AT = HEADER + 1, /* the sample begins 4 bytes after the packet number's first */
  PACKET_MAX = 1500,
  BATCH_MAX = 64, /* of the kernel's segmentation */
  BATCH_BYTES = 65000,
  SOURCE_SIZE = 1 << 20, /* what is sent comes from here, round and round */
  WINDOW = 1 << 20,      /* bytes under way */
};

struct cipher;

struct floor {
  const struct cipher *cipher;
  uint64_t bytes;
  size_t packet;
  int core, peer_core;
  gnutls_aead_cipher_hd_t aead;
  gnutls_cipher_hd_t mask;
  EVP_CIPHER_CTX *evp_aead, *evp_mask;
#ifdef WT_HAVE_IPSEC_MB
  IMB_MGR *mb;
  _Alignas(64) struct gcm_key_data mb_key;
  _Alignas(16) uint8_t mb_encrypt[16 * 11], mb_decrypt[16 * 11];
#endif
  uint8_t source[SOURCE_SIZE];
  uint8_t out[BATCH_MAX * PACKET_MAX];
};

static const uint8_t secret[16] = "0123456789abcdef";

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void require(bool good, const char *what) {
  if (good) return;
  fprintf(stderr, "floor: %s failed\n", what);
  exit(1);
}

static void core_pin(int core) {
  cpu_set_t set;
  if (core < 0) return;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set)) die("sched_setaffinity");
}

/* --- The libraries. --- */

static void ciphers_make(struct floor *floor) {
  gnutls_datum_t key = {.data = (unsigned char *)secret, .size = sizeof secret};
  uint8_t zero[16] = {0};
  gnutls_datum_t start = {.data = zero, .size = sizeof zero};
  require(!gnutls_aead_cipher_init(&floor->aead, GNUTLS_CIPHER_AES_128_GCM, &key), "gnutls_aead_cipher_init");
  /* GnuTLS has no ECB: one block of CBC from zero is the same. */
  require(!gnutls_cipher_init(&floor->mask, GNUTLS_CIPHER_AES_128_CBC, &key, &start), "gnutls_cipher_init");
  floor->evp_aead = EVP_CIPHER_CTX_new();
  floor->evp_mask = EVP_CIPHER_CTX_new();
  require(floor->evp_aead && floor->evp_mask &&
              EVP_EncryptInit_ex(floor->evp_aead, EVP_aes_128_gcm(), NULL, secret, NULL) == 1 &&
              EVP_EncryptInit_ex(floor->evp_mask, EVP_aes_128_ecb(), NULL, secret, NULL) == 1,
          "EVP_EncryptInit_ex");
  EVP_CIPHER_CTX_set_padding(floor->evp_mask, 0);
}

static void seal_gnutls(struct floor *floor, uint8_t *packet, size_t len, const uint8_t nonce[12], uint8_t mask[16]) {
  uint8_t zero[16] = {0};
  size_t sealed = len + TAG;
  require(!gnutls_aead_cipher_encrypt(floor->aead, nonce, 12, packet, HEADER, TAG, packet + HEADER, len,
                                      packet + HEADER, &sealed),
          "gnutls_aead_cipher_encrypt");
  gnutls_cipher_set_iv(floor->mask, zero, sizeof zero);
  require(!gnutls_cipher_encrypt2(floor->mask, packet + SAMPLE_AT, 16, mask, 16), "gnutls_cipher_encrypt2");
}

static void seal_libcrypto(struct floor *floor, uint8_t *packet, size_t len, const uint8_t nonce[12],
                           uint8_t mask[16]) {
  int part;
  require(EVP_EncryptInit_ex(floor->evp_aead, NULL, NULL, NULL, nonce) == 1 &&
              EVP_EncryptUpdate(floor->evp_aead, NULL, &part, packet, HEADER) == 1 &&
              EVP_EncryptUpdate(floor->evp_aead, packet + HEADER, &part, packet + HEADER, (int)len) == 1 &&
              EVP_EncryptFinal_ex(floor->evp_aead, packet + HEADER + len, &part) == 1 &&
              EVP_CIPHER_CTX_ctrl(floor->evp_aead, EVP_CTRL_AEAD_GET_TAG, TAG, packet + HEADER + len) == 1 &&
              EVP_EncryptUpdate(floor->evp_mask, mask, &part, packet + SAMPLE_AT, 16) == 1,
          "libcrypto");
}

#ifdef WT_HAVE_IPSEC_MB
static void ipsec_mb_make(struct floor *floor) {
  floor->mb = alloc_mb_mgr(0);
  require(floor->mb != NULL, "alloc_mb_mgr");
  init_mb_mgr_auto(floor->mb, NULL);
  IMB_AES128_GCM_PRE(floor->mb, secret, &floor->mb_key);
  IMB_AES_KEYEXP_128(floor->mb, secret, floor->mb_encrypt, floor->mb_decrypt);
}

/* One block of CFB over zeros is the block of the start, encrypted. */
static void seal_ipsec_mb(struct floor *floor, uint8_t *packet, size_t len, const uint8_t nonce[12], uint8_t mask[16]) {
  static const uint8_t zero[16];
  struct gcm_context_data state;
  IMB_AES128_GCM_ENC(floor->mb, &floor->mb_key, &state, packet + HEADER, packet + HEADER, len, nonce, packet, HEADER,
                     packet + HEADER + len, TAG);
  IMB_AES128_CFB_ONE(floor->mb, mask, zero, packet + SAMPLE_AT, floor->mb_encrypt, 16);
}
#else
static void ipsec_mb_make(struct floor *floor) { (void)floor; }
#endif

static void seal_none(struct floor *floor, uint8_t *packet, size_t len, const uint8_t nonce[12], uint8_t mask[16]) {
  (void)floor, (void)packet, (void)len, (void)nonce, (void)mask;
}

static const struct cipher {
  const char *name;
  void (*seal)(struct floor *floor, uint8_t *packet, size_t len, const uint8_t nonce[12], uint8_t mask[16]);
} ciphers[] = {
    {"gnutls", seal_gnutls},
    {"libcrypto", seal_libcrypto},
#ifdef WT_HAVE_IPSEC_MB
    {"ipsec-mb", seal_ipsec_mb},
#endif
    {"none", seal_none},
};

enum {
  CIPHERS = sizeof ciphers / sizeof ciphers[0]
};

static const struct cipher *cipher_find(const char *name) {
  for (size_t i = 0; i < CIPHERS; i++)
    if (!strcmp(ciphers[i].name, name)) return &ciphers[i];
  return NULL;
}

/* --- The sender. --- */

static void packet_make(struct floor *floor, uint8_t *packet, uint64_t number, uint64_t at) {
  size_t len = floor->packet - HEADER - TAG;
  uint8_t nonce[12] = {0}, mask[16] = {0};
  memset(packet, 0x43, HEADER - 3);
  for (int i = 0; i < 3; i++) packet[HEADER - 3 + i] = (uint8_t)(number >> (8 * (2 - i)));
  memcpy(packet + HEADER, floor->source + at % (SOURCE_SIZE - PACKET_MAX), len);
  memcpy(nonce + 4, &number, sizeof number);
  floor->cipher->seal(floor, packet, len, nonce, mask);
  packet[0] ^= mask[0] & 0x1f;
  for (int i = 0; i < 3; i++) packet[HEADER - 3 + i] ^= mask[1 + i];
}

static void batch_send(int fd, uint8_t *data, size_t len, uint16_t segment) {
  struct iovec part = {.iov_base = data, .iov_len = len};
  union {
    char room[CMSG_SPACE(sizeof segment)];
    struct cmsghdr align;
  } control = {0};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_UDP;
  header->cmsg_type = UDP_SEGMENT;
  header->cmsg_len = CMSG_LEN(sizeof segment);
  memcpy(CMSG_DATA(header), &segment, sizeof segment);
  while (sendmsg(fd, &message, 0) < 0)
    if (errno != EINTR) die("sendmsg");
}

/* Waits until there is room under the window for more. */
static uint64_t window_wait(int fd, uint64_t sent, uint64_t arrived) {
  while (sent - arrived > WINDOW) {
    uint64_t told;
    if (recv(fd, &told, sizeof told, 0) != sizeof told) die("recv");
    if (told > arrived) arrived = told;
  }
  return arrived;
}

static void floor_send(struct floor *floor, int fd) {
  uint64_t sent = 0, arrived = 0, number = 0, payload = 0;
  size_t batch = BATCH_BYTES / floor->packet < BATCH_MAX ? BATCH_BYTES / floor->packet : BATCH_MAX;
  while (payload < floor->bytes) {
    arrived = window_wait(fd, sent, arrived);
    for (size_t i = 0; i < batch; i++) {
      packet_make(floor, floor->out + i * floor->packet, number++, payload);
      payload += floor->packet - HEADER - TAG;
    }
    batch_send(fd, floor->out, batch * floor->packet, (uint16_t)floor->packet);
    sent += batch * floor->packet;
  }
  floor->bytes = payload;
}

/* --- The other end. --- */

/* Until a datagram without anything in it. */
static void floor_receive(int fd) {
  static uint8_t room[1 << 16];
  uint64_t arrived = 0, told = 0;
  int on = 1;
  struct sockaddr_in from;
  socklen_t from_len = sizeof from;
  if (setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof on)) die("UDP_GRO");
  for (;;) {
    ssize_t len = recvfrom(fd, room, sizeof room, 0, (struct sockaddr *)&from, &from_len);
    if (len < 0) die("recvfrom");
    if (len == 0) return;
    arrived += (uint64_t)len;
    if (arrived - told < WINDOW / 4) continue;
    told = arrived;
    if (sendto(fd, &told, sizeof told, 0, (struct sockaddr *)&from, from_len) < 0) die("sendto");
  }
}

static int socket_bound(struct sockaddr_in *address) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;
  socklen_t len = sizeof *address;
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || bind(fd, (struct sockaddr *)address, sizeof *address) ||
      getsockname(fd, (struct sockaddr *)address, &len))
    die("socket");
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  return fd;
}

static double seconds(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec / 1e6; }

static void floor_run(struct floor *floor) {
  struct sockaddr_in ours, theirs;
  int fd = socket_bound(&ours), peer = socket_bound(&theirs);
  struct rusage before, after;
  pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    core_pin(floor->peer_core);
    floor_receive(peer);
    _exit(0);
  }
  core_pin(floor->core);
  if (connect(fd, (struct sockaddr *)&theirs, sizeof theirs)) die("connect");
  getrusage(RUSAGE_SELF, &before);
  floor_send(floor, fd);
  getrusage(RUSAGE_SELF, &after);
  if (send(fd, "", 0, 0) < 0 || waitpid(child, NULL, 0) < 0) die("waitpid");
  printf("{\"cipher\": \"%s\", \"bytes\": %llu, \"packet\": %zu, \"user_seconds\": %.6f, \"system_seconds\": %.6f, "
         "\"highest_resident_bytes\": %ld}\n",
         floor->cipher->name, (unsigned long long)floor->bytes, floor->packet,
         seconds(after.ru_utime) - seconds(before.ru_utime), seconds(after.ru_stime) - seconds(before.ru_stime),
         after.ru_maxrss * 1024);
}

static bool options_read(struct floor *floor, int argc, char **argv) {
  static const struct option options[] = {
      {"cipher", required_argument, NULL, 'c'},    {"bytes", required_argument, NULL, 'b'},
      {"packet", required_argument, NULL, 'p'},    {"core", required_argument, NULL, 'C'},
      {"peer-core", required_argument, NULL, 'P'}, {0},
  };
  int option;
  while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
    if (option == 'c')
      floor->cipher = cipher_find(optarg);
    else if (option == 'b')
      floor->bytes = strtoull(optarg, NULL, 10);
    else if (option == 'p')
      floor->packet = strtoul(optarg, NULL, 10);
    else if (option == 'C')
      floor->core = atoi(optarg);
    else if (option == 'P')
      floor->peer_core = atoi(optarg);
    else
      return false;
  }
  return floor->packet >= 100 && floor->packet <= PACKET_MAX && floor->cipher;
}

int main(int argc, char **argv) {
  static struct floor floor = {.cipher = &ciphers[0], .bytes = 1000000000, .packet = 1452, .core = -1, .peer_core = -1};
  if (argc == 3 && !strcmp(argv[1], "--cipher") && !strcmp(argv[2], "list")) {
    for (size_t i = 0; i < CIPHERS; i++) puts(ciphers[i].name);
    return 0;
  }
  if (!options_read(&floor, argc, argv)) {
    fprintf(
        stderr,
        "usage: floor [--cipher gnutls|libcrypto|ipsec-mb|none] [--bytes N] [--packet N] [--core N] [--peer-core N]\n");
    return 2;
  }
  for (size_t i = 0; i < sizeof floor.source; i++) floor.source[i] = (uint8_t)(i * 31 + (i >> 8));
  ciphers_make(&floor);
  ipsec_mb_make(&floor);
  floor_run(&floor);
  return 0;
}
