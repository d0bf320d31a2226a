static void test_bare(void **state) { (void)state; }
