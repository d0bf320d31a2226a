/* SPDX-License-Identifier: MIT */

/* src/base/heap.c: the smallest key is on top, whatever moves. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include <webtransport/error.h>

#include "base/heap.h"
#include "base/mem.h"

#define NODES 200

/* Every node is where it thinks it is, and no child is smaller than its parent. */
static void check_heap(const struct wt__heap *heap) {
  for (size_t i = 0; i < heap->len; i++) {
    const struct wt__heap_place *place = &heap->places[heap->slots[i].place];
    assert_int_equal(place->slot, i);
    assert_int_equal(place->node->place, heap->slots[i].place);
    assert_int_equal(place->node->key, heap->slots[i].key);
    if (i) assert_true(heap->slots[(i - 1) / 2].key <= heap->slots[i].key);
  }
}

static void test_heap_empty_has_no_minimum(void **state) {
  (void)state;
  struct wt__heap heap;
  struct wt__heap_node node;
  wt__heap_init(&heap);
  wt__heap_node_init(&node);
  assert_null(wt__heap_min(&heap));
  wt__heap_remove(&heap, &node); /* in no heap: nothing */
  assert_int_equal(wt__heap_set(&heap, &node, 5), 0);
  assert_ptr_equal(wt__heap_min(&heap), &node);
  wt__heap_remove(&heap, &node);
  wt__heap_remove(&heap, &node);
  assert_null(wt__heap_min(&heap));
  wt__heap_free(&heap);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_heap_yields_keys_in_order(void **state) {
  (void)state;
  struct wt__heap heap;
  struct wt__heap_node nodes[NODES];
  uint64_t last = 0;
  wt__heap_init(&heap);
  for (size_t i = 0; i < NODES; i++) {
    wt__heap_node_init(&nodes[i]);
    assert_int_equal(wt__heap_set(&heap, &nodes[i], i == 0 ? UINT64_MAX : i * 7919 % 101), 0);
    check_heap(&heap);
  }
  for (size_t i = 0; i < NODES; i++) {
    struct wt__heap_node *min = wt__heap_min(&heap);
    assert_true(min->key >= last);
    last = min->key;
    wt__heap_remove(&heap, min);
    check_heap(&heap);
  }
  assert_true(last == UINT64_MAX);
  assert_null(wt__heap_min(&heap));
  wt__heap_free(&heap);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_heap_moves_and_removes_anywhere(void **state) {
  (void)state;
  struct wt__heap heap;
  struct wt__heap_node nodes[NODES];
  uint32_t seed = 3;
  wt__heap_init(&heap);
  for (size_t i = 0; i < NODES; i++) wt__heap_node_init(&nodes[i]);
  for (int step = 0; step < 20000; step++) {
    seed = seed * 1664525 + 1013904223;
    struct wt__heap_node *node = &nodes[(seed >> 8) % NODES];
    if (seed >> 30) {
      assert_int_equal(wt__heap_set(&heap, node, seed >> 12 & 0xff), 0);
    } else {
      wt__heap_remove(&heap, node);
      assert_true(node->place == SIZE_MAX);
    }
    check_heap(&heap);
    size_t in = 0;
    uint64_t min = UINT64_MAX;
    for (size_t i = 0; i < NODES; i++) {
      if (nodes[i].place == SIZE_MAX) continue;
      in++;
      if (nodes[i].key < min) min = nodes[i].key;
    }
    assert_int_equal(heap.len, in);
    if (in) assert_int_equal(wt__heap_min(&heap)->key, min);
  }
  wt__heap_free(&heap);
  assert_int_equal(wt__mem_live(), 0);
}

static void test_heap_survives_out_of_memory(void **state) {
  (void)state;
  struct wt__heap heap;
  struct wt__heap_node nodes[NODES];
  size_t failures = 0;
  wt__heap_init(&heap);
  for (size_t i = 0; i < NODES; i++) {
    wt__heap_node_init(&nodes[i]);
    wt__mem_fail_after(0);
    int rc = wt__heap_set(&heap, &nodes[i], i);
    if (rc) {
      assert_int_equal(rc, WT_ERR_NOMEM);
      assert_true(nodes[i].place == SIZE_MAX);
      assert_int_equal(heap.len, i);
      assert_int_equal(wt__heap_set(&heap, &nodes[i], i), 0);
      failures++;
    }
    assert_int_equal(wt__heap_set(&heap, &nodes[i], NODES - i), 0); /* changing a key needs no memory */
    wt__mem_fail_after(SIZE_MAX);
    check_heap(&heap);
  }
  assert_true(failures >= 4);
  wt__heap_free(&heap);
  assert_int_equal(wt__mem_live(), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_heap_empty_has_no_minimum),
      cmocka_unit_test(test_heap_yields_keys_in_order),
      cmocka_unit_test(test_heap_moves_and_removes_anywhere),
      cmocka_unit_test(test_heap_survives_out_of_memory),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
