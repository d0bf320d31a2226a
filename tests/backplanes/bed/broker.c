/* SPDX-License-Identifier: MIT */

/*
 * A broker of a test: see broker.h.
 */

#include "broker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>
#include <cmocka.h>

int listener_new(uint16_t *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  assert_true(fd >= 0);
  assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
  assert_int_equal(listen(fd, 8), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
  *port = ntohs(address.sin_port);
  return fd;
}

/* Runs a program, with its output in `output`. */
static pid_t run(const char *output, char *const *words) {
  pid_t pid = fork();
  assert_true(pid >= 0);
  if (pid > 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  int fd = open(output, O_WRONLY | O_CREAT | O_APPEND, 0600);
  dup2(fd, 1);
  dup2(fd, 2);
  execvp(words[0], words);
  fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
  _exit(127);
}

/* Runs a command of the shell in the folder. */
static void shell(struct broker *broker, const char *format, ...) {
  char command[1024], line[1200], output[96];
  int status = 0;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(command, sizeof(command), format, arguments);
  va_end(arguments);
  snprintf(line, sizeof(line), "cd %s && %s", broker->folder, command);
  snprintf(output, sizeof(output), "%s/shell.log", broker->folder);
  pid_t pid = run(output, (char *[]){"sh", "-ec", line, NULL});
  assert_int_equal(waitpid(pid, &status, 0), pid);
  if (status != 0) fail_msg("failed: %s (%s)", command, output);
}

static void certificates_make(struct broker *broker) {
  snprintf(broker->ca_file, sizeof(broker->ca_file), "%s/ca.pem", broker->folder);
  shell(broker, "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca "
                "-keyout ca.key -out ca.pem");
  shell(broker, "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=broker -keyout key.pem "
                "-out request.pem");
  shell(broker, "printf 'subjectAltName=IP:127.0.0.1\\n' >extensions; openssl x509 -req -days 2 -in request.pem "
                "-CA ca.pem -CAkey ca.key -CAcreateserial -extfile extensions -out certificate.pem");
}

static void file_write(struct broker *broker, const char *name, const char *text) {
  char path[128];
  snprintf(path, sizeof(path), "%s/%s", broker->folder, name);
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  assert_int_equal(fclose(file), 0);
}

static void redis_configure(struct broker *broker) {
  char text[1024];
  int n = snprintf(text, sizeof(text), "bind 127.0.0.1\n%s %u\nsave \"\"\nappendonly no\ndir %s\n%s",
                   broker->tls ? "port 0\ntls-port" : "port", broker->port, broker->folder,
                   broker->has_password ? "user default off\nuser bus on >s3cr%t ~* &wt:* +@all\n" : "");
  if (broker->tls) {
    snprintf(text + n, sizeof(text) - (size_t)n,
             "tls-cert-file %s/certificate.pem\ntls-key-file %s/key.pem\ntls-ca-cert-file %s/ca.pem\n"
             "tls-auth-clients no\n",
             broker->folder, broker->folder, broker->folder);
  }
  file_write(broker, "broker.conf", text);
}

static void nats_configure(struct broker *broker) {
  char text[1024];
  int n = snprintf(text, sizeof(text), "listen: \"127.0.0.1:%u\"\n%s", broker->port,
                   broker->has_password ? "authorization { user: bus, password: \"s3cr%t\" }\n" : "");
  if (broker->tls) {
    snprintf(text + n, sizeof(text) - (size_t)n,
             "tls { cert_file: \"%s/certificate.pem\", key_file: \"%s/key.pem\" }\n", broker->folder, broker->folder);
  }
  file_write(broker, "broker.conf", text);
}

void broker_init(struct broker *broker, enum broker_kind kind, bool has_password, bool tls) {
  *broker = (struct broker){.kind = kind, .has_password = has_password, .tls = tls};
  strcpy(broker->folder, "/tmp/wt-broker-XXXXXX");
  assert_non_null(mkdtemp(broker->folder));
  close(listener_new(&broker->port));
  if (tls) certificates_make(broker);
  if (kind == BROKER_REDIS) {
    redis_configure(broker);
  } else {
    nats_configure(broker);
  }
}

void broker_start(struct broker *broker) {
  char path[128], output[128];
  snprintf(path, sizeof(path), "%s/broker.conf", broker->folder);
  snprintf(output, sizeof(output), "%s/broker.log", broker->folder);
  assert_int_equal(broker->pid, 0);
  if (broker->kind == BROKER_REDIS) {
    broker->pid = run(output, (char *[]){"redis-server", path, NULL});
  } else {
    broker->pid = run(output, (char *[]){"nats-server", "-c", path, NULL});
  }
}

void broker_signal(struct broker *broker, int signal) { assert_int_equal(kill(broker->pid, signal), 0); }

void broker_kill(struct broker *broker) {
  if (broker->pid == 0) return;
  kill(broker->pid, SIGKILL);
  waitpid(broker->pid, NULL, 0);
  broker->pid = 0;
}

void broker_free(struct broker *broker) {
  broker_kill(broker);
  shell(broker, "rm -rf %s", broker->folder);
}
