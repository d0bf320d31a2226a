/* SPDX-License-Identifier: MIT */

/*
 * A system that lacks what a socket of ours would like to have: IPv6, one of the options, the joining of packets (GSO). For
 * each of them, and each errno that kernels, drivers and sandboxes answer with: what is needed is named, and without the rest
 * packets arrive all the same. The linker puts the functions below in place of the C library's (cmake/Tests.cmake).
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/udp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "net/listen.h"

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

/* What is refused, with the errno. */
static struct {
  int family, family_error;            /* socket() of that family */
  int level, option, option_error;     /* setsockopt */
  int joined_error, read_error;        /* a message that is several packets; getsockopt */
  unsigned option_calls, joined_calls; /* how often that was */
} lack;

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len);
int __real_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len);
ssize_t __real_sendmsg(int fd, const struct msghdr *header, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags);
int __real_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);
int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags);

static bool refuse(int error) {
  errno = error;
  return error != 0;
}

int __wrap_socket(int family, int type, int protocol) {
  bool refused = (lack.family == family || lack.family == AF_UNSPEC) && refuse(lack.family_error);
  return refused ? -1 : __real_socket(family, type, protocol);
}

int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t len) {
  bool refused = level == lack.level && option == lack.option && refuse(lack.option_error);
  if (refused) lack.option_calls++;
  return refused ? -1 : __real_setsockopt(fd, level, option, value, len);
}

int __wrap_getsockopt(int fd, int level, int option, void *value, socklen_t *len) {
  return refuse(lack.read_error) ? -1 : __real_getsockopt(fd, level, option, value, len);
}

static bool is_joined(const struct msghdr *header) {
  struct msghdr copy = *header;
  for (struct cmsghdr *it = CMSG_FIRSTHDR(&copy); it; it = CMSG_NXTHDR(&copy, it))
    if (it->cmsg_level == IPPROTO_UDP && it->cmsg_type == UDP_SEGMENT) return true;
  return false;
}

static bool joined_refused(const struct msghdr *header) {
  if (!lack.joined_error || !is_joined(header)) return false;
  lack.joined_calls++;
  return refuse(lack.joined_error);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *header, int flags) {
  return joined_refused(header) ? -1 : __real_sendmsg(fd, header, flags);
}

int __wrap_sendmmsg(int fd, struct mmsghdr *messages, unsigned count, int flags) {
  return count && joined_refused(&messages->msg_hdr) ? -1 : __real_sendmmsg(fd, messages, count, flags);
}

static int nothing_lacks(void **state) {
  (void)state;
  memset(&lack, 0, sizeof(lack));
  return 0;
}

/* --- Packets there and back --- */

enum {
  PACKET = 1000,
  PACKETS = 10
};

static void count_bytes(void *ctx, const struct wt__path *path, unsigned ecn, const uint8_t *data, size_t len) {
  (void)path, (void)ecn, (void)data;
  *(size_t *)ctx += len;
}

static void check_way(struct wt__udp *from, struct wt__udp *to) {
  static const uint8_t data[PACKETS * PACKET];
  struct wt__udp_batch *batch = wt__udp_batch_new();
  struct wt__path path = {.local = from->bound.storage,
                          .local_len = from->bound.len,
                          .remote = to->bound.storage,
                          .remote_len = to->bound.len,
                          .socket = from};
  size_t got = 0;
  assert_non_null(batch);
  assert_int_equal(wt__udp_send(from, &path, 0, data, sizeof(data), PACKET), 0);
  assert_int_equal(from->lost, 0);
  while (got < sizeof(data)) {
    struct pollfd wait = {.fd = to->fd, .events = POLLIN};
    assert_int_equal(poll(&wait, 1, 5000), 1);
    wt__udp_recv(to, batch, count_bytes, &got);
  }
  assert_int_equal(got, sizeof(data));
  wt__udp_batch_free(batch);
}

static int open_one(const char *address, struct wt__udp *udp, int *os_error) {
  struct wt__address addresses[WT__ADDRESSES_MAX];
  const char *why;
  size_t count;
  assert_int_equal(wt__address_parse(address, addresses, &count, &why), 0);
  memset(udp, 0, sizeof(*udp));
  return wt__udp_open(udp, &addresses[0], os_error);
}

/* Whether this machine has the family of the address at all. */
static bool is_here(const char *address) {
  struct wt__udp udp;
  int os_error;
  if (open_one(address, &udp, &os_error)) return false;
  wt__udp_close(&udp);
  return true;
}

static void check_both_ways(const char *address) {
  struct wt__udp a, b;
  int os_error = 0;
  assert_int_equal(open_one(address, &a, &os_error), 0);
  assert_int_equal(open_one(address, &b, &os_error), 0);
  check_way(&a, &b);
  check_way(&b, &a);
  check_way(&a, &b); /* with what the first time has taught */
  wt__udp_close(&a);
  wt__udp_close(&b);
}

/* --- Options --- */

static const int option_errors[] = {ENOPROTOOPT, EOPNOTSUPP, ENOSYS, EINVAL, EPERM, EACCES, EIO, ENOMEM, EDOM};

struct option {
  const char *address;
  int level, option;
  const char *required; /* how the refusal is named; NULL: it is done without */
};

static const struct option options[] = {
    {"127.0.0.1:0", IPPROTO_IP, IP_PKTINFO, "setsockopt IP_PKTINFO"},
    {"127.0.0.1:0", IPPROTO_IP, IP_RECVTOS, NULL},
    {"127.0.0.1:0", IPPROTO_IP, IP_MTU_DISCOVER, NULL},
    {"127.0.0.1:0", SOL_SOCKET, SO_RCVBUF, NULL},
    {"127.0.0.1:0", SOL_SOCKET, SO_SNDBUF, NULL},
    {"127.0.0.1:0", IPPROTO_UDP, UDP_GRO, NULL},
    {"[::1]:0", IPPROTO_IPV6, IPV6_V6ONLY, "setsockopt IPV6_V6ONLY"},
    {"[::1]:0", IPPROTO_IPV6, IPV6_RECVPKTINFO, "setsockopt IPV6_RECVPKTINFO"},
    {"[::1]:0", IPPROTO_IPV6, IPV6_RECVTCLASS, NULL},
    {"[::1]:0", IPPROTO_IPV6, IPV6_MTU_DISCOVER, NULL},
    {"[::1]:0", IPPROTO_IPV6, IPV6_DONTFRAG, NULL},
    {"[::1]:0", SOL_SOCKET, SO_RCVBUF, NULL},
    {"[::1]:0", SOL_SOCKET, SO_SNDBUF, NULL},
    {"[::1]:0", IPPROTO_UDP, UDP_GRO, NULL},
};

static void check_option(const struct option *it, int error) {
  struct wt__udp udp;
  int os_error = 0;
  lack.level = it->level;
  lack.option = it->option;
  lack.option_error = error;
  lack.option_calls = 0;
  if (!it->required) {
    check_both_ways(it->address);
  } else {
    assert_int_equal(open_one(it->address, &udp, &os_error), WT_ERR_IO);
    assert_int_equal(os_error, error);
    assert_string_equal(udp.refused, it->required);
  }
  assert_int_not_equal(lack.option_calls, 0);
}

static void test_poor_system_without_an_option(void **state) {
  for (size_t i = 0; i < LENGTH(options); i++) {
    nothing_lacks(state);
    if (!is_here(options[i].address)) continue;
    for (size_t j = 0; j < LENGTH(option_errors); j++) check_option(&options[i], option_errors[j]);
  }
}

static void test_poor_system_tells_no_option(void **state) {
  (void)state;
  lack.read_error = ENOPROTOOPT;
  check_both_ways("127.0.0.1:0");
}

/* --- Joined packets --- */

/* EIO: a driver without checksums. EINVAL: larger than the interface. EMSGSIZE: likewise, in some kernels. */
static const int joined_errors[] = {EIO,   EINVAL, EMSGSIZE, ENOPROTOOPT, EOPNOTSUPP, ENOSYS,
                                    EPERM, EACCES, EPROTO,   EFAULT,      ENXIO,      EBADMSG};
/* What passes: the next run is tried again. */
static const int joined_passing[] = {ENOMEM, ENOBUFS};

static void check_joined(int error, bool passing) {
  struct wt__udp a, b;
  int os_error;
  assert_int_equal(open_one("127.0.0.1:0", &a, &os_error), 0);
  assert_int_equal(open_one("127.0.0.1:0", &b, &os_error), 0);
  bool gso = a.gso;
  lack.joined_error = error;
  lack.joined_calls = 0;
  check_way(&a, &b);
  assert_int_equal(lack.joined_calls, gso);
  check_way(&a, &b);
  assert_int_equal(lack.joined_calls, passing ? 2 * gso : gso);
  assert_int_equal(a.gso, passing && gso);
  wt__udp_close(&a);
  wt__udp_close(&b);
}

static void test_poor_system_joins_no_packets(void **state) {
  for (size_t i = 0; i < LENGTH(joined_errors); i++) {
    nothing_lacks(state);
    check_joined(joined_errors[i], false);
  }
  for (size_t i = 0; i < LENGTH(joined_passing); i++) {
    nothing_lacks(state);
    check_joined(joined_passing[i], true);
  }
}

/* --- Families --- */

static const int family_errors[] = {EAFNOSUPPORT, EPFNOSUPPORT, EPROTONOSUPPORT, ESOCKTNOSUPPORT,
                                    EACCES,       EPERM,        ENOSYS,          EINVAL};
static const int resource_errors[] = {EMFILE, ENFILE, ENOMEM, ENOBUFS};
static const char *const both_families[] = {"[::]:0", "localhost:0"};

static void close_all(struct wt__udp *sockets, size_t count) {
  for (size_t i = 0; i < count; i++) wt__udp_close(&sockets[i]);
}

static void check_family(const char *text, int family, int error) {
  struct wt__udp sockets[WT__ADDRESSES_MAX];
  char message[256];
  size_t count;
  lack.family = family;
  lack.family_error = error;
  assert_int_equal(wt__listen_open(text, sockets, &count, message, sizeof(message)), 0);
  assert_int_equal(count, 1);
  assert_int_not_equal(sockets[0].family, family);
  assert_memory_equal(message, "not listening on ", strlen("not listening on "));
  assert_non_null(strstr(message, wt__os_error_text(error)));
  close_all(sockets, count);
}

static void test_poor_system_without_a_family(void **state) {
  bool v6 = is_here("[::1]:0");
  for (size_t i = 0; i < LENGTH(both_families) * LENGTH(family_errors); i++) {
    nothing_lacks(state);
    check_family(both_families[i % 2], AF_INET6, family_errors[i / 2]);
    if (v6) check_family(both_families[i % 2], AF_INET, family_errors[i / 2]);
  }
}

/* One address, or no family at all: there is nothing left to listen on. */
static void test_poor_system_without_the_only_family(void **state) {
  static const char *const texts[] = {"[::1]:0", "[::]:0", "localhost:0"};
  struct wt__udp sockets[WT__ADDRESSES_MAX];
  char message[256];
  size_t count;
  (void)state;
  for (size_t i = 0; i < LENGTH(texts); i++) {
    lack.family = i == 0 ? AF_INET6 : AF_UNSPEC;
    lack.family_error = EAFNOSUPPORT;
    assert_int_equal(wt__listen_open(texts[i], sockets, &count, message, sizeof(message)), WT_ERR_IO);
    assert_int_equal(count, 0);
    assert_memory_equal(message, "cannot listen on ", strlen("cannot listen on "));
    assert_non_null(strstr(message, "address family not supported"));
  }
}

/* That passes; a server that went on with half of its sockets would not notice. */
static void test_poor_system_short_of_resources(void **state) {
  struct wt__udp sockets[WT__ADDRESSES_MAX];
  char message[256];
  size_t count;
  for (size_t i = 0; i < LENGTH(resource_errors); i++) {
    nothing_lacks(state);
    lack.family = AF_INET6;
    lack.family_error = resource_errors[i];
    assert_int_equal(wt__listen_open("[::]:0", sockets, &count, message, sizeof(message)), WT_ERR_IO);
    assert_non_null(strstr(message, wt__os_error_text(resource_errors[i])));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup(test_poor_system_without_an_option, nothing_lacks),
      cmocka_unit_test_setup(test_poor_system_tells_no_option, nothing_lacks),
      cmocka_unit_test_setup(test_poor_system_joins_no_packets, nothing_lacks),
      cmocka_unit_test_setup(test_poor_system_without_a_family, nothing_lacks),
      cmocka_unit_test_setup(test_poor_system_without_the_only_family, nothing_lacks),
      cmocka_unit_test_setup(test_poor_system_short_of_resources, nothing_lacks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
