/* SPDX-License-Identifier: MIT */
/* From root to an ordinary user, once the ports are bound and the keys are read. */
#include "common/privileges.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
  NAME_SIZE = 64
};

struct identity {
  char name[NAME_SIZE];
  uid_t user;
  gid_t group;
};

static bool refuse(char *message, size_t size, const char *user, const char *why) {
  snprintf(message, size, "--user %s: %s", user, why);
  return false;
}

static bool identity_find(struct identity *identity, const char *text, char *message, size_t size) {
  const char *colon = strchr(text, ':');
  size_t len = colon ? (size_t)(colon - text) : strlen(text);
  if (len == 0 || len >= sizeof identity->name) return refuse(message, size, text, "this is no name of a user");
  memcpy(identity->name, text, len);
  identity->name[len] = 0;
  errno = 0;
  const struct passwd *user = getpwnam(identity->name);
  if (!user) return refuse(message, size, text, errno ? strerror(errno) : "there is no such user");
  identity->user = user->pw_uid;
  identity->group = user->pw_gid;
  if (!colon) return true;
  errno = 0;
  const struct group *group = getgrnam(colon + 1);
  if (!group) return refuse(message, size, text, errno ? strerror(errno) : "there is no such group");
  identity->group = group->gr_gid;
  return true;
}

static bool is_already(const struct identity *identity) {
  uid_t real_user, user, saved_user;
  gid_t real_group, group, saved_group;
  return !getresuid(&real_user, &user, &saved_user) && !getresgid(&real_group, &group, &saved_group) &&
         real_user == identity->user && user == identity->user && saved_user == identity->user &&
         real_group == identity->group && group == identity->group && saved_group == identity->group;
}

bool privileges_keep_down(void) { return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }

bool privileges_drop(const char *text, char *message, size_t size) {
  struct identity identity;
  if (!identity_find(&identity, text, message, size)) return false;
  if (is_already(&identity)) return true;
  if (initgroups(identity.name, identity.group) || setresgid(identity.group, identity.group, identity.group) ||
      setresuid(identity.user, identity.user, identity.user))
    return refuse(message, size, text, strerror(errno));
  if (identity.user != 0 && !setuid(0)) return refuse(message, size, text, "the rights of root came back");
  return true;
}

void privileges_give(int fd, const char *text) {
  struct identity identity;
  struct stat status;
  char message[256];
  if (geteuid() != 0 || fstat(fd, &status) || !S_ISREG(status.st_mode) || status.st_uid != 0) return;
  if (identity_find(&identity, text, message, sizeof message)) (void)!fchown(fd, identity.user, identity.group);
}
