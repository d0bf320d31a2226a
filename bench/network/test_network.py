#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tests of the link's model (line.c, by ctypes) and of the figures."""
import ctypes
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import cell
import figures
import page

MS = 1_000_000
STEPS_MAX = 16


class Step(ctypes.Structure):
    _fields_ = [("at", ctypes.c_uint64), ("rate", ctypes.c_uint64)]


class Config(ctypes.Structure):
    _fields_ = [("steps", Step * STEPS_MAX), ("step_count", ctypes.c_size_t), ("delay", ctypes.c_uint64),
                ("queue_max", ctypes.c_uint64), ("loss", ctypes.c_uint32), ("reorder", ctypes.c_uint32),
                ("reorder_by", ctypes.c_uint64)]


class Line:
    """A struct line, of which only line.c knows what is in it."""

    library = None

    def __init__(self, seed=1, rate=8_000_000, **values):
        steps = values.pop("steps", [(0, rate)])
        config = Config(step_count=len(steps), **{"queue_max": 1 << 40, **values})
        for place, (at, bits) in enumerate(steps):
            config.steps[place] = Step(at, bits)
        self.memory = ctypes.create_string_buffer(4096)
        assert self.library.line_init(self.memory, ctypes.byref(config), ctypes.c_uint64(seed))

    def take(self, size, now):
        due = ctypes.c_uint64()
        taken = self.library.line_take(self.memory, ctypes.c_uint32(size), ctypes.c_uint64(now), ctypes.byref(due))
        return due.value if taken else None


class LineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        path = pathlib.Path(cls.folder.name, "line.so")
        subprocess.run(["cc", "-std=c17", "-shared", "-fPIC", "-o", path, HERE / "line.c"], check=True)
        Line.library = ctypes.CDLL(str(path))
        Line.library.line_init.restype = Line.library.line_take.restype = ctypes.c_bool

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_a_packet_takes_its_time_and_the_delay(self):
        line = Line(delay=5 * MS)
        self.assertEqual(line.take(1000, 0), 6 * MS)  # 1,000 bytes at 8 Mbit/s: 1 ms
        self.assertEqual(line.take(1000, 0), 7 * MS)  # behind the first
        self.assertEqual(line.take(1000, 100 * MS), 106 * MS)

    def test_a_full_queue_loses_what_comes(self):
        line = Line(queue_max=2000)
        self.assertEqual([line.take(1000, 0) for _ in range(4)], [MS, 2 * MS, 3 * MS, None])  # one is being sent
        self.assertEqual(line.take(1000, MS), 4 * MS)  # the second one is, now

    def test_a_rate_that_changes_counts_from_that_moment(self):
        line = Line(steps=[(0, 8_000_000), (10 * MS, 800_000), (100 * MS, 8_000_000)])
        self.assertEqual(line.take(1000, 0), MS)
        self.assertEqual(line.take(1000, 9 * MS + MS // 2), 10 * MS + 5 * MS)  # half of it at a tenth of the rate
        self.assertEqual(line.take(1000, 20 * MS), 30 * MS)
        self.assertEqual(line.take(1000, 100 * MS), 101 * MS)

    def test_chances_are_those_asked_for_and_a_seed_repeats_them(self):
        def lots(seed):
            line = Line(seed=seed, loss=10_000, reorder=50_000, reorder_by=7 * MS)
            return [line.take(1000, i * 10 * MS) for i in range(20_000)]
        found = lots(1)
        self.assertEqual(found, lots(1))
        self.assertNotEqual(found, lots(2))
        lost = sum(one is None for one in found)
        late = sum(one == i * 10 * MS + 8 * MS for i, one in enumerate(found))
        self.assertTrue(140 <= lost <= 260, lost)
        self.assertTrue(850 <= late <= 1150, late)

    def test_a_long_queue_grows(self):
        line = Line()
        self.assertEqual([line.take(1000, 0) for _ in range(5000)][-1], 5000 * MS)


class FiguresTest(unittest.TestCase):
    def test_spread_wants_all_runs(self):
        self.assertEqual(figures.spread([3, 1, 2]), (2, 1, 3))
        self.assertIsNone(figures.spread([3, None, 2]))
        self.assertIsNone(figures.spread([]))

    def test_percentile(self):
        self.assertEqual(figures.percentile(range(100), 0.95), 95)
        self.assertEqual(figures.percentile([7], 0.95), 7)
        self.assertIsNone(figures.percentile([], 0.5))

    def test_recovery_counts_round_trips_until_the_rate_is_used(self):
        condition = {"steps": [[1000, 1_000_000], [2000, 8_000_000]], "round_trip_ms": 100}
        full, tenth = 20_000, 2_000  # bytes in 20 ms
        visit = {"bin_ms": 20, "bins": [full] * 50 + [tenth] * 75 + [full] * 50}  # full again at 2.5 s
        self.assertAlmostEqual(figures.recovery(visit, condition), 5, delta=0.5)
        visit["bins"] = [full] * 50 + [tenth] * 200
        self.assertIsNone(figures.recovery(visit, condition))

    def test_share(self):
        own, other = {"bin_ms": 20, "bins": [9, 9, 1, 1]}, {"bin_ms": 20, "bins": [0, 0, 3, 3]}
        self.assertEqual(figures.share(own, other, 40), 0.25)

    def test_a_link_that_was_late_disqualifies_the_run(self):
        def run(late, refused=0):
            return {"link": {way: {"late_ms": {"p99": late}, "refused": refused} for way in ("up", "down")}}
        self.assertFalse(figures.is_disturbed(run(1), 5))
        self.assertTrue(figures.is_disturbed(run(6), 5))
        self.assertTrue(figures.is_disturbed(run(1, 1), 5))


class PageTest(unittest.TestCase):
    def test_the_generated_part_is_replaced(self):
        text = page.replace("# A\n\nby hand\n", "one")
        again = page.replace(text + "\nafter\n", "two")
        self.assertIn("by hand", again)
        self.assertIn("after", again)
        self.assertIn("two", again)
        self.assertNotIn("one", again)

    def test_the_best_is_bold(self):
        self.assertEqual(page.cell_text((1.5, 1.25, 2), 1.5), "**1.50** (1.25 to 2.00)")
        self.assertEqual(page.cell_text(None), "-")

    def test_the_link_is_told_of_its_condition(self):
        condition = {"rate": 8_000_000, "round_trip_ms": 100, "queue": 0.5, "loss": 0.1, "reorder": 0, "reorder_ms": 0,
                     "steps": [[5, 6]]}
        words = cell.link_words(condition, 3)
        self.assertEqual(words[words.index("--queue") + 1], "50000")
        self.assertEqual(words[words.index("--loss-ppm") + 1], "1000")
        self.assertEqual(words[words.index("--steps") + 1], "5:6")


if __name__ == "__main__":
    unittest.main()
