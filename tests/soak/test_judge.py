#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The judgement of a soak on series that are known to leak, and on some that only look like it."""

import random
import unittest

from judge import LOAD, MIB, judge_load, judge_rest, slope, tau, windows

HOUR = 720  # readings


def noisy(level, noise, seed=1, count=HOUR):
    rng = random.Random(seed)
    return [level + rng.uniform(-noise, noise) for _ in range(count)]


def leaking(series, whole):
    """With `whole` more at the end."""
    return [value + whole * i / len(series) for i, value in enumerate(series)]


class Load(unittest.TestCase):
    def judge(self, values, kind="memory"):
        return judge_load("series", kind, values).passed

    def test_flat(self):
        self.assertTrue(self.judge(noisy(40 * MIB, 8 * MIB)))

    def test_leak_in_noise(self):
        for seed in range(20):
            self.assertFalse(self.judge(leaking(noisy(40 * MIB, 8 * MIB, seed), 18 * MIB)), seed)

    def test_leak_below_the_tolerance_passes(self):
        self.assertTrue(self.judge(leaking(noisy(40 * MIB, 1 * MIB), 3 * MIB)))

    def test_leak_in_steps(self):
        """A cache that doubles, for example, or a leak of rare events."""
        self.assertFalse(self.judge([40 * MIB + 6 * MIB * (i // 180) for i in range(HOUR)]))

    def test_odd_readings_at_the_end(self):
        """A burst of clients is no leak."""
        values = noisy(40 * MIB, MIB)
        values[-20:] = [90 * MIB] * 20
        self.assertTrue(self.judge(values))

    def test_load_that_wanders(self):
        values = [40 * MIB + 10 * MIB * (i // 72 % 2) for i in range(HOUR)]
        self.assertTrue(self.judge(values))

    def test_going_down(self):
        self.assertTrue(self.judge(leaking(noisy(80 * MIB, MIB), -30 * MIB)))

    def test_descriptors(self):
        self.assertTrue(self.judge(noisy(40, 6), "descriptors"))
        self.assertFalse(self.judge(leaking(noisy(40, 6), 20), "descriptors"))

    def test_short_runs(self):
        """A leak of 600 KiB a second, in a minute; and too few readings, which are told."""
        self.assertFalse(self.judge(leaking(noisy(10 * MIB, MIB, count=40), 24 * MIB), "heap"))
        self.assertIn("too few", judge_load("series", "heap", [1, 2, 3]).text)

    def test_one_of_ten_windows_changes_nothing(self):
        levels = [1.0] * 9 + [50.0]
        self.assertEqual(slope(levels), 0)
        self.assertLess(tau(levels), 0.5)
        self.assertEqual(tau([1, 2, 3, 4]), 1)
        self.assertEqual(tau([4, 3, 2, 1]), -1)

    def test_windows(self):
        self.assertEqual(windows([1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]), [1, 2, 3, 4])
        self.assertIsNone(windows([1] * 11))

    def test_tolerance_is_the_greater_one(self):
        self.assertEqual(LOAD["memory"].of(10 * MIB), 8 * MIB)
        self.assertEqual(LOAD["memory"].of(100 * MIB), 20 * MIB)


class Rest(unittest.TestCase):
    def test_heap(self):
        self.assertTrue(judge_rest("rest", "heap", 4.2 * MIB, 4.3 * MIB).passed)
        self.assertFalse(judge_rest("rest", "heap", 4.2 * MIB, 6 * MIB).passed)

    def test_descriptors_and_what_is_counted(self):
        self.assertTrue(judge_rest("rest", "descriptors", 25, 26).passed)
        self.assertFalse(judge_rest("rest", "descriptors", 25, 30).passed)
        self.assertFalse(judge_rest("rest", "counted", 0, 1).passed)

    def test_going_down(self):
        self.assertTrue(judge_rest("rest", "heap", 9 * MIB, 4 * MIB).passed)


if __name__ == "__main__":
    unittest.main()
