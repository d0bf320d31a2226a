#include "wire/varint.h" /* EXPECT: internal */
#include <jansson.h> /* EXPECT: tools alone */
