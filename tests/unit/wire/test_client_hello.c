/* SPDX-License-Identifier: MIT */

/* src/wire/client_hello.c: server name and tickets in a ClientHello, and in the ones that are cut or lie about their lengths. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>

#include "wire/client_hello.h"

/* A session id of 2 bytes, 2 cipher suites, the extensions 43 (3 bytes), 0 (a name of another type, "ab_c", "x"), 57 (1). */
static const uint8_t whole[] = {
    3, 3, 0, 0,  0, 0,  0, 0, 0, 0,   0, 0, 0, 0,   0,   0,   0,   0, 0, 0,  0,   0,  0,  0, 0, 0,  0,
    0, 0, 0, 0,  0, 0,  0, 2, 9, 9,   0, 4, 1, 1,   1,   3,   1,   0, 0, 33, 0,   43, 0,  3, 2, 3,  4,
    0, 0, 0, 17, 0, 15, 7, 0, 1, '!', 0, 0, 4, 'a', 'b', '_', 'c', 0, 0, 1,  'x', 0,  57, 0, 1, 42,
};
static const struct wt__vec hello = {whole, sizeof(whole)};

static void test_client_hello_find_extension(void **state) {
  (void)state;
  struct wt__vec body;
  assert_true(wt__client_hello_find(hello, 43, &body));
  assert_int_equal(body.len, 3);
  assert_memory_equal(body.data, "\2\3\4", 3);
  assert_true(wt__client_hello_find(hello, 57, &body));
  assert_ptr_equal(body.data, whole + sizeof(whole) - 1);
  assert_int_equal(body.len, 1);
  assert_false(wt__client_hello_find(hello, 16, &body));
}

static void test_client_hello_server_name_is_the_first_dns_name(void **state) {
  (void)state;
  struct wt__vec body, name;
  assert_true(wt__client_hello_find(hello, WT__TLS_SERVER_NAME, &body));
  assert_true(wt__server_name_find(body, &name));
  assert_int_equal(name.len, 4);
  assert_memory_equal(name.data, "ab_c", 4);
  assert_int_equal(name.data[-3], 0);
}

/* Each prefix is a copy of its own, so that AddressSanitizer sees a byte that is read behind it. */
static void test_client_hello_cut_anywhere_has_no_more_than_it_has(void **state) {
  (void)state;
  struct wt__vec body, name;
  for (size_t len = 0; len < sizeof(whole); len++) {
    uint8_t *part = malloc(len ? len : 1);
    assert_non_null(part);
    memcpy(part, whole, len);
    struct wt__vec cut = {part, len};
    assert_false(wt__client_hello_find(cut, 57, &body)); /* the list of extensions is longer than what is there */
    if (len >= 59) {
      cut = (struct wt__vec){part + 58, len - 58};
      assert_false(wt__server_name_find(cut, &name) && name.data + name.len > part + len);
    }
    free(part);
  }
}

static void test_client_hello_false_lengths_have_no_name(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t len;
  } bodies[] = {
      {"", 0},
      {"\0", 1},
      {"\0\0", 2},        /* an empty list */
      {"\0\4\0\0\0", 5},  /* the list is longer than the body */
      {"\0\3\0\0\0", 5},  /* an empty name */
      {"\0\4\0\0\2a", 6}, /* the name is longer than the list */
      {"\0\4\0\xff\xff"
       "a",
       6},                /* by much */
      {"\0\2\0\0", 4},    /* half a length */
      {"\0\4\1\0\1a", 6}, /* no DNS name */
  };
  struct wt__vec name;
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
    assert_false(wt__server_name_find((struct wt__vec){(const uint8_t *)bodies[i].bytes, bodies[i].len}, &name));
}

static enum wt__server_name_kind kind_of(const char *name, size_t len) {
  return wt__server_name_kind((struct wt__vec){(const uint8_t *)name, len});
}

static void test_server_name_kinds(void **state) {
  (void)state;
  char longest[WT__TLS_SERVER_NAME_MAX + 1];
  assert_int_equal(kind_of("www.Example-1.test.", 19), WT__SERVER_NAME_PLAIN);
  assert_int_equal(kind_of("my_service", 10), WT__SERVER_NAME_UNDERSCORE);
  assert_int_equal(kind_of("_", 1), WT__SERVER_NAME_UNDERSCORE);
  assert_int_equal(kind_of("a b", 3), WT__SERVER_NAME_ODD);
  assert_int_equal(kind_of("a_\0", 3), WT__SERVER_NAME_ODD);
  assert_int_equal(kind_of("b\xc3\xbc"
                           "cher",
                           7),
                   WT__SERVER_NAME_ODD);
  assert_int_equal(kind_of("a/../b", 6), WT__SERVER_NAME_ODD);
  memset(longest, '_', sizeof(longest));
  assert_int_equal(kind_of(longest, WT__TLS_SERVER_NAME_MAX), WT__SERVER_NAME_UNDERSCORE);
  assert_int_equal(kind_of(longest, sizeof(longest)), WT__SERVER_NAME_ODD);
}

static void test_server_name_of_each_byte(void **state) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";
  (void)state;
  for (unsigned c = 0; c < 256; c++) {
    char name = (char)c;
    bool is_plain = c != 0 && strchr(plain, name);
    enum wt__server_name_kind other = name == '_' ? WT__SERVER_NAME_UNDERSCORE : WT__SERVER_NAME_ODD;
    assert_int_equal(kind_of(&name, 1), is_plain ? WT__SERVER_NAME_PLAIN : other);
  }
}

/* Two identities, "abc" and one that is empty, then the binders. */
static const uint8_t psk[] = {0, 15, 0, 3, 'a', 'b', 'c', 1, 2, 3, 4, 0, 0, 5, 6, 7, 8, 0, 3, 2, 9, 9};

static void test_psk_identities_one_after_the_other(void **state) {
  (void)state;
  struct wt__vec list = {psk, sizeof(psk)}, identity;
  bool begun = false;
  assert_true(wt__psk_identity_next(&list, &begun, &identity));
  assert_int_equal(identity.len, 3);
  assert_ptr_equal(identity.data, psk + 4);
  assert_true(wt__psk_identity_next(&list, &begun, &identity));
  assert_int_equal(identity.len, 0);
  assert_false(wt__psk_identity_next(&list, &begun, &identity));
}

/* The list says how long it is, so all of it has to be there; its last identity may be cut. */
static void test_psk_identities_cut_anywhere(void **state) {
  (void)state;
  for (size_t len = 0; len < sizeof(psk); len++) {
    uint8_t part[sizeof(psk)];
    memcpy(part, psk, len);
    struct wt__vec list = {part, len}, identity;
    bool begun = false;
    assert_int_equal(wt__psk_identity_next(&list, &begun, &identity), len >= 17);
  }
  for (uint8_t list_len = 0; list_len < 15; list_len++) {
    uint8_t part[sizeof(psk)];
    memcpy(part, psk, sizeof(psk));
    part[1] = list_len;
    struct wt__vec list = {part, sizeof(part)}, identity;
    bool begun = false;
    size_t found = 0;
    while (wt__psk_identity_next(&list, &begun, &identity)) found++;
    assert_int_equal(found, list_len >= 9);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_client_hello_find_extension),
      cmocka_unit_test(test_client_hello_server_name_is_the_first_dns_name),
      cmocka_unit_test(test_client_hello_cut_anywhere_has_no_more_than_it_has),
      cmocka_unit_test(test_client_hello_false_lengths_have_no_name),
      cmocka_unit_test(test_server_name_kinds),
      cmocka_unit_test(test_server_name_of_each_byte),
      cmocka_unit_test(test_psk_identities_one_after_the_other),
      cmocka_unit_test(test_psk_identities_cut_anywhere),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
