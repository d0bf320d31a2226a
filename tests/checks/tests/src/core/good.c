/* A sample of scripts/check_tests.py. */
