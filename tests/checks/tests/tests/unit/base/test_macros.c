static void test_good(void **state) { assert_true(*state); }
