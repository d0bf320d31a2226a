#include <string.h> /* EXPECT: a folder that is no layer */
