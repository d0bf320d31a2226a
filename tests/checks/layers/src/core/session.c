#include "base/mem.h"
#include "wire/varint.h"
#include "h3/conn.h" /* EXPECT: up the layers, a file that is not there */
  #  include <ngtcp2/ngtcp2.h> /* EXPECT: spaces do not hide it */
#include HEADER /* EXPECT: a macro */
