#include "wire/varint.h" /* EXPECT: internal */
