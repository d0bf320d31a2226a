/* SPDX-License-Identifier: MIT */

/* src/h3/section.c: from QPACK's bytes to fields, and where decoding stops. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <webtransport/error.h>

#include "base/mem.h"
#include "h3/section.h"

#include "field_block.h"

#define MAX ((size_t)16 * 1024)

struct fixture {
  struct wt__sections sections;
  struct wt__fields fields;
  struct field_block block;
  int error;
};

static void begin(struct fixture *f) {
  wt__sections_init(&f->sections, nghttp3_mem_default());
  wt__fields_init(&f->fields, MAX);
  field_block_begin(&f->block);
  f->error = 0;
}

static void end(struct fixture *f) {
  wt__sections_free(&f->sections);
  wt__fields_free(&f->fields);
  assert_int_equal(wt__mem_live(), 0);
}

static enum wt__section_result decode(struct fixture *f) {
  wt__fields_free(&f->fields);
  wt__fields_init(&f->fields, MAX);
  return wt__section_decode(&f->sections, f->block.data, f->block.len, &f->fields, &f->error);
}

/* Inserts "x: vvv...", with a value of `len` bytes, into the dynamic table. */
static void insert(struct fixture *f, size_t len) {
  static struct field_block instructions;
  static char value[WT__QPACK_TABLE_CAPACITY];
  memset(value, 'v', len);
  instructions.len = 0;
  field_block_int(&instructions, 0x20, 5, WT__QPACK_TABLE_CAPACITY); /* Set Dynamic Table Capacity */
  field_block_int(&instructions, 0x40, 5, 1);                        /* Insert with Literal Name */
  field_block_bytes(&instructions, "x", 1);
  field_block_int(&instructions, 0x00, 7, len);
  field_block_bytes(&instructions, value, len);
  assert_int_equal(wt__sections_recv_encoder(&f->sections, instructions.data, instructions.len), 0);
}

/* A section of `count` references to the first entry. */
static void refer(struct fixture *f, size_t count) {
  f->block.len = 0;
  field_block_byte(&f->block, 2); /* Required Insert Count 1 */
  field_block_byte(&f->block, 0);
  for (size_t i = 0; i < count; i++) field_block_byte(&f->block, 0x80);
}

static void test_section_gives_fields_with_their_lengths(void **state) {
  (void)state;
  static struct fixture f;
  begin(&f);
  field_block_text(&f.block, ":path", "/");
  field_block_text(&f.block, "empty", "");
  assert_int_equal(decode(&f), WT__SECTION_DONE);
  assert_int_equal(f.fields.count, 2);
  assert_string_equal(wt__fields_find(&f.fields, ":path", NULL), "/");
  assert_string_equal(wt__fields_find(&f.fields, "empty", NULL), "");
  assert_null(f.sections.decoder); /* nothing to remember */
  end(&f);
}

/* nghttp3's connection drops such fields, so that the message seems to be without them. */
static void test_section_with_a_character_that_is_not_allowed_is_malformed(void **state) {
  (void)state;
  static const struct {
    const char *name;
    size_t name_len;
    const char *value;
    size_t value_len;
  } cases[] = {
      {"x", 1, "\0", 1},     {"x", 1, "a\0", 2},   {"x", 1, "\0a", 2}, {"x", 1, "a\x01", 2},    {"x", 1, "a\n", 2},
      {"x", 1, "a\r\nb", 4}, {"x", 1, "a ", 2},    {"x", 1, " a", 2},  {"x", 1, "\t", 1},       {"x", 1, " ", 1},
      {"x", 1, "\x7f", 1},   {"x", 1, "a\x1f", 2}, {"", 0, "a", 1},    {"a b", 3, "a", 1},      {"X", 1, "a", 1},
      {"x\0", 2, "a", 1},    {"x:", 2, "a", 1},    {":", 1, "a", 1},   {"\xc3\xbc", 2, "a", 1},
  };
  static struct fixture f;
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    begin(&f);
    field_block_text(&f.block, "before", "1");
    field_block_add(&f.block, cases[i].name, cases[i].name_len, cases[i].value, cases[i].value_len);
    field_block_text(&f.block, "behind", "1");
    assert_int_equal(decode(&f), WT__SECTION_MALFORMED);
    end(&f);
  }
}

static void test_section_decoding_stops_at_the_limit(void **state) {
  (void)state;
  static struct fixture f;
  begin(&f);
  insert(&f, 4000);
  refer(&f, 1000);
  assert_int_equal(decode(&f), WT__SECTION_TOO_LARGE);
  assert_int_equal(f.fields.count, 4);
  assert_true(f.fields.cost <= MAX);
  /* The decoder is none the worse for it. */
  refer(&f, 4);
  assert_int_equal(decode(&f), WT__SECTION_DONE);
  assert_int_equal(f.fields.count, 4);
  end(&f);
}

static void test_section_waits_for_inserts(void **state) {
  (void)state;
  static struct fixture f;
  begin(&f);
  refer(&f, 2);
  /* Without a table there is no such entry, and there never will be one: the capacity was not set. */
  insert(&f, 10);
  assert_int_equal(decode(&f), WT__SECTION_DONE);
  assert_int_equal(f.fields.count, 2);
  f.block.data[0] = 3; /* Required Insert Count 2 */
  assert_int_equal(decode(&f), WT__SECTION_BLOCKED);
  assert_int_equal(f.fields.count, 0);
  insert(&f, 20);
  assert_int_equal(decode(&f), WT__SECTION_DONE);
  assert_int_equal(strlen(wt__fields_find(&f.fields, "x", NULL)), 20);
  end(&f);
}

/* The decoder's answers are thrown away each time: there is no bound that they could come to. */
static void test_section_can_be_decoded_for_ever(void **state) {
  (void)state;
  static struct fixture f;
  begin(&f);
  insert(&f, 10);
  refer(&f, 1);
  for (unsigned i = 0; i < 10000; i++) {
    assert_int_equal(decode(&f), WT__SECTION_DONE);
    if (i % 100 == 0) insert(&f, 10);
    f.block.data[0] = (uint8_t)((i / 100 + 2) % 256 + 1);
  }
  end(&f);
}

static void test_section_that_is_cut_short_is_an_error_of_the_connection(void **state) {
  (void)state;
  static struct fixture f;
  size_t whole;
  begin(&f);
  insert(&f, 10);
  field_block_text(&f.block, "name", "value");
  whole = f.block.len;
  end(&f);
  for (size_t len = 1; len < whole; len++) {
    begin(&f);
    insert(&f, 10);
    field_block_text(&f.block, "name", "value");
    f.block.len = len;
    if (len == 2) { /* no field at all */
      assert_int_equal(decode(&f), WT__SECTION_DONE);
    } else {
      assert_int_equal(decode(&f), WT__SECTION_BROKEN);
      assert_int_equal(f.error, NGHTTP3_ERR_QPACK_DECOMPRESSION_FAILED);
    }
    end(&f);
  }
}

static void test_section_encoder_errors_are_told(void **state) {
  (void)state;
  static struct fixture f;
  const uint8_t too_much[] = {0x3f, 0xe2, 0x3f}; /* a capacity of 8,193 */
  begin(&f);
  assert_int_equal(wt__sections_recv_encoder(&f.sections, too_much, sizeof(too_much)),
                   NGHTTP3_ERR_QPACK_ENCODER_STREAM_ERROR);
  end(&f);
}

/* --- Without memory --- */

static size_t allocations_left;

static void *mem_malloc(size_t size, void *user_data) {
  (void)user_data;
  return allocations_left && allocations_left-- ? malloc(size) : NULL;
}

static void *mem_calloc(size_t count, size_t size, void *user_data) {
  (void)user_data;
  return allocations_left && allocations_left-- ? calloc(count, size) : NULL;
}

static void *mem_realloc(void *data, size_t size, void *user_data) {
  (void)user_data;
  return allocations_left && allocations_left-- ? realloc(data, size) : NULL;
}

static void mem_free(void *data, void *user_data) {
  (void)user_data;
  free(data);
}

/* Whichever allocation fails, the next try begins anew. */
static void test_section_decoder_can_be_made_again_after_a_failure(void **state) {
  static const nghttp3_mem mem = {NULL, mem_malloc, mem_free, mem_calloc, mem_realloc};
  static struct fixture f;
  size_t failures = 0;
  (void)state;
  for (size_t count = 0;; count++, failures++) {
    begin(&f);
    f.sections.mem = &mem;
    allocations_left = count;
    int error = wt__sections_recv_encoder(&f.sections, NULL, 0);
    if (error) assert_int_equal(error, NGHTTP3_ERR_NOMEM);
    allocations_left = SIZE_MAX;
    assert_int_equal(wt__sections_recv_encoder(&f.sections, NULL, 0), 0);
    insert(&f, 10);
    end(&f);
    if (!error) break;
  }
  assert_in_range(failures, 2, 100);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_section_gives_fields_with_their_lengths),
      cmocka_unit_test(test_section_with_a_character_that_is_not_allowed_is_malformed),
      cmocka_unit_test(test_section_decoding_stops_at_the_limit),
      cmocka_unit_test(test_section_waits_for_inserts),
      cmocka_unit_test(test_section_can_be_decoded_for_ever),
      cmocka_unit_test(test_section_that_is_cut_short_is_an_error_of_the_connection),
      cmocka_unit_test(test_section_encoder_errors_are_told),
      cmocka_unit_test(test_section_decoder_can_be_made_again_after_a_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
