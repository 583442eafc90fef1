"""How runs are judged: `python3 -m unittest discover scripts/demo`."""

import json
import os
import tempfile
import unittest

import suite

QUIET = {"list": 6.0, "view": 50.0, "order": 15.0, "failed": 0.0, "order_age_s": 0.1}


def said(at_s, names, kind, verdict="v1"):
    return {"id": verdict, "names": names, "kind": kind, "subkind": None, "at_s": at_s}


def line(moved, *told, after=(), problem=None):
    return {"moved": moved, "said": list(told), "said_after": list(after), "problem": problem, "symptom_s": 15}


class Judgement(unittest.TestCase):
    def test_runs(self):
        right = said(40, ["checkout", "POST /orders/{sku}"], "lock_contention")
        wrong = said(30, ["catalog"], "cpu_saturation")
        cases = [
            ("lock", line(["order"], right), "right"),
            ("lock", line(["order"], wrong, right), "right"),
            ("lock", line(["order"], right, {**wrong, "at_s": 60}), "wrong"),
            ("lock", line(["order"], wrong, {**right, "id": "v2"}), "right"),
            ("lock", line(["order"], {**right, "at_s": 76}), "late"),
            ("lock", line(["order"], {**right, "kind": "pool_exhaustion"}), "wrong"),
            ("lock", line(["order"], {"id": "v1", "at_s": 40}), "silent"),
            ("lock", line(["order"]), "silent"),
            ("lock", line(["order"], after=[right]), "wrong"),
            ("lock", line([]), "no symptom"),
            ("lock", line([], right), "no symptom, false"),
            ("lock", line(["order"], problem="HTTPError: 404"), "not asked"),
            ("quiet", line([]), "silent"),
            ("quiet", line([], after=[wrong]), "false"),
            ("traffic", line(["order"], wrong), "false"),
            ("edge_latency", line(["order"], said(20, ["catalog", "checkout", "checkout→catalog"], "network_latency")), "right"),
        ]
        for what, run, expected in cases:
            self.assertEqual(suite.judge(what, run), expected, (what, run))

    def test_what_moved(self):
        cases = [
            (QUIET, []),
            ({**QUIET, "order": 26.0}, ["order"]),
            ({**QUIET, "list": 15.9}, []),
            ({**QUIET, "view": 74.0}, []),
            ({**QUIET, "view": None, "failed": 1.0}, ["failed"]),
            ({**QUIET, "order_age_s": 30.0}, ["order_age_s"]),
        ]
        for now, expected in cases:
            self.assertEqual(suite.moved(QUIET, now), expected, now)

    def test_the_symptom_is_found_in_the_figures(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "figures.jsonl")
            with open(path, "w", encoding="utf-8") as file:
                for at in range(100, 160):
                    ms = 15.0 if at < 120 else 95.0
                    kinds = {"order": {"n": 9, "mean_ms": ms}, "list": {"n": 7, "mean_ms": 6.0}, "view": {"n": 13, "mean_ms": 50.0}}
                    file.write(json.dumps({"at": at, "sent": 29, "failed": 0, "order_age_s": 0.1, **kinds}) + "\n")
                file.write('{"at": 160, "se')
            self.assertEqual(len(suite.figures(path, 100, 200)), 60)
            # Two of ten seconds of 95 ms are 31 ms in the mean.
            self.assertEqual(suite.symptom_at(path, QUIET, 110, 160), 122)
            self.assertIsNone(suite.symptom_at(path, QUIET, 100, 120))


if __name__ == "__main__":
    unittest.main()
