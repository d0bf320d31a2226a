#include "serve/hosts.h" /* EXPECT: a command */
