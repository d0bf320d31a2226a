/* SPDX-License-Identifier: MIT */

/*
 * Runs a program in a sandbox that refuses system calls:
 *
 *     refuse recvmmsg=ENOSYS sendmmsg=EPERM setsockopt:17:104=EPERM -- program argument...
 *
 * With numbers behind the name a call is refused only if its second and third argument are those: for setsockopt and
 * getsockopt they are level and option. With `@` and a number it is refused only if that is its first argument: for socket
 * that is the family. The rule is a seccomp filter, which the program inherits: what it sees is what
 * a container shows it.
 */

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  RULES_MAX = 24,
  RULE_STEPS = 7
};

struct name {
  const char *name;
  long number;
};

static const struct name calls[] = {
    {"accept4", SYS_accept4},
    {"clone3", SYS_clone3},
    {"connect", SYS_connect},
    {"epoll_create1", SYS_epoll_create1},
    {"epoll_ctl", SYS_epoll_ctl},
    {"epoll_pwait", SYS_epoll_pwait},
    {"eventfd2", SYS_eventfd2},
    {"getrandom", SYS_getrandom},
    {"getsockname", SYS_getsockname},
    {"getsockopt", SYS_getsockopt},
    {"io_uring_setup", SYS_io_uring_setup},
    {"openat2", SYS_openat2},
    {"pread64", SYS_pread64},
    {"recvmmsg", SYS_recvmmsg},
    {"recvmsg", SYS_recvmsg},
    {"sendmmsg", SYS_sendmmsg},
    {"sendmsg", SYS_sendmsg},
    {"setsockopt", SYS_setsockopt},
    {"socket", SYS_socket},
    {"timerfd_create", SYS_timerfd_create},
    {"timerfd_settime", SYS_timerfd_settime},
    {NULL, 0},
};

static const struct name errors[] = {
    {"EACCES", EACCES},
    {"EAFNOSUPPORT", EAFNOSUPPORT},
    {"EAGAIN", EAGAIN},
    {"EINVAL", EINVAL},
    {"EIO", EIO},
    {"EMFILE", EMFILE},
    {"ENOBUFS", ENOBUFS},
    {"ENOMEM", ENOMEM},
    {"ENOSYS", ENOSYS},
    {"EOPNOTSUPP", EOPNOTSUPP},
    {"ENOPROTOOPT", ENOPROTOOPT},
    {"EPERM", EPERM},
    {"ENETUNREACH", ENETUNREACH},
    {"EINTR", EINTR},
    {NULL, 0},
};

static struct sock_filter program[RULES_MAX * RULE_STEPS + 4];
static unsigned short program_len;

static void add(struct sock_filter step) { program[program_len++] = step; }

static long number_of(const struct name *names, const char *text, size_t len) {
  for (const struct name *it = names; it->name; it++) {
    if (strlen(it->name) == len && memcmp(it->name, text, len) == 0) return it->number;
  }
  (void)fprintf(stderr, "refuse: what is '%.*s'?\n", (int)len, text);
  exit(2);
}

/* Goes to the next rule unless the word at `offset` is `value`; `left` steps of this rule follow. */
static void add_test(size_t offset, unsigned value, unsigned char left) {
  add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)offset));
  add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, left));
}

static void add_rule(const char *rule) {
  const char *equals = strchr(rule, '='), *colon = strpbrk(rule, ":@");
  bool first = colon && *colon == '@';
  if (!equals || program_len / RULE_STEPS >= RULES_MAX) exit(2);
  long call = number_of(calls, rule, (size_t)((colon ? colon : equals) - rule));
  unsigned error = (unsigned)number_of(errors, equals + 1, strlen(equals + 1));
  unsigned second = 0, third = 0;
  if (first && sscanf(colon, "@%u", &second) != 1) exit(2);
  if (colon && !first && sscanf(colon, ":%u:%u", &second, &third) != 2) exit(2);
  add_test(offsetof(struct seccomp_data, nr), (unsigned)call, first ? 3 : colon ? 5 : 1);
  /* The lower half of an argument comes first on every machine that Debian's ngtcp2 runs on but s390x. */
  if (first) add_test(offsetof(struct seccomp_data, args[0]), second, 1);
  if (colon && !first) add_test(offsetof(struct seccomp_data, args[1]), second, 3);
  if (colon && !first) add_test(offsetof(struct seccomp_data, args[2]), third, 1);
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error));
}

int main(int argc, char **argv) {
  int at = 1;
  for (; at < argc && strcmp(argv[at], "--") != 0; at++) add_rule(argv[at]);
  if (at + 1 >= argc) {
    (void)fprintf(stderr, "usage: refuse CALL[:LEVEL:OPTION|@FIRST]=ERRNO... -- program argument...\n");
    return 2;
  }
  add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  struct sock_fprog all = {.len = program_len, .filter = program};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all)) {
    perror("refuse: seccomp");
    return 2;
  }
  execvp(argv[at + 1], argv + at + 1);
  perror("refuse: execvp");
  return 2;
}
