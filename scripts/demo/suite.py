"""Runs of the demo suite against a shop that is open: faults, quiet, a deploy, more traffic.

A run is 90 s of what it is about and 60 s of recovery. Two things are noted side by side: what customers saw, from the
load's own figures, and what the collector said, from its verdicts. One JSON line per run; runs with a line are skipped.
"""

import argparse
import base64
import json
import os
import statistics
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BASELINE_S = 180
RUN_S = 90
RECOVERY_S = 60
# A verdict that comes later than so long after the symptom is late.
IN_TIME_S = 60
WINDOW_S = 10
KINDS = ("list", "view", "order")

# Whom a verdict has to name, by service or process, and the kinds that are right.
EXPECTED = {
    "cpu_hog": ({"catalog"}, {"cpu_saturation"}),
    "noisy_neighbour": ({"report-batch"}, {"noisy_neighbour"}),
    "lock": ({"checkout"}, {"lock_contention"}),
    "pool_exhaustion": ({"catalog"}, {"pool_exhaustion"}),
    "missing_index": ({"postgresql/shop", "postgresql", "catalog"}, {"slow_statement"}),
    "n_plus_one": ({"catalog"}, {"n_plus_one"}),
    "edge_latency": ({"checkout", "checkout→catalog"}, {"network_latency"}),
    "queue_backlog": ({"worker", "rabbitmq"}, {"queue_backlog"}),
    "no_consumer": ({"worker", "rabbitmq"}, {"queue_backlog"}),
}
ROLE = {
    "cpu_hog": "catalog", "pool_exhaustion": "catalog", "missing_index": "catalog", "n_plus_one": "catalog",
    "lock": "checkout", "queue_backlog": "worker", "no_consumer": "worker", "edge_latency": "proxy",
    "noisy_neighbour": "neighbour", "traffic": "load",
}


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request, timeout=30).read()


class Narrows:
    """The collector's verdicts."""

    def __init__(self, url, password):
        self.url = url
        login = base64.b64encode(f"admin:{password}".encode()).decode()
        self.headers = {"Authorization": f"Basic {login}"}

    def opened_since(self, since):
        """Verdicts that were opened since then and are not part of another; or why they are not known."""
        query = urllib.parse.urlencode({"state": "all", "since": int(since)})
        request = urllib.request.Request(f"{self.url}/api/v1/narrows/bottlenecks?{query}", headers=self.headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                kept = json.load(answer)["verdicts"]
        except (urllib.error.URLError, TimeoutError, ValueError, KeyError) as error:
            return [], f"{type(error).__name__}: {error}"
        return [one for one in kept if one["opened_s"] >= since and not one.get("merged_into")], None


def figures(path, begin, end):
    """The load's seconds in [begin, end)."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.endswith("\n")]
    return [line for line in lines if begin <= line["at"] < end]


def summary(seconds):
    """What customers saw: by kind the mean time per window, the share that failed, the oldest open order."""
    result = {}
    for kind in KINDS:
        count = sum(second[kind]["n"] for second in seconds if kind in second)
        total = sum(second[kind]["mean_ms"] * second[kind]["n"] for second in seconds if kind in second)
        result[kind] = round(total / count, 1) if count else None
    sent = sum(second["sent"] for second in seconds)
    result["failed"] = round(sum(second["failed"] for second in seconds) / sent, 4) if sent else 0
    result["order_age_s"] = round(statistics.median([second["order_age_s"] for second in seconds]), 1) if seconds else 0
    return result


def moved(before, now):
    """Which figures are worse by so much that a customer would say so: half as much again and 10 ms."""
    worse = []
    for kind in KINDS:
        if before[kind] and now[kind] and now[kind] > max(1.5 * before[kind], before[kind] + 10):
            worse.append(kind)
    if now["failed"] > before["failed"] + 0.02:
        worse.append("failed")
    if now["order_age_s"] > before["order_age_s"] + 5:
        worse.append("order_age_s")
    return worse


def symptom_at(path, before, begin, end):
    """The end of the first window in which a figure had moved."""
    at = begin + WINDOW_S
    while at <= end:
        if moved(before, summary(figures(path, at - WINDOW_S, at))):
            return at
        at += 1
    return None


def names(verdict):
    """What the culprit may be called."""
    entity = verdict["culprit"]["entity"]
    found = {entity.get("service"), entity.get("process"), entity.get("operation")}
    if entity.get("peer"):
        found.add(f'{entity.get("service")}→{entity["peer"]}')
        found.add(entity["peer"])
    return found - {None, ""}


class Suite:
    """The shop, the collector and what is written about them."""

    def __init__(self, args):
        self.args = args
        self.narrows = Narrows(args.url, os.environ["NARROWS_PASSWORD"])
        self.controls = dict(pair.split("=", 1) for pair in args.control)
        self.intensities = {name: float(value) for name, value in (pair.split("=", 1) for pair in args.intensity)}
        self.intensities["traffic"] = args.traffic
        self.deploys = 0

    def plan(self):
        """Quiet runs and changes stand between the faults, so that none comes always after the same."""
        runs = []
        quiet = 0
        for number in range(1, self.args.runs + 1):
            for index, fault in enumerate(EXPECTED):
                runs.append((f"{fault}#{number}", fault))
                if index % 2 == 1 and quiet < self.args.quiet:
                    quiet += 1
                    runs.append((f"quiet#{quiet}", "quiet"))
        runs.extend((f"quiet#{number}", "quiet") for number in range(quiet + 1, self.args.quiet + 1))
        runs.extend([("deploy#1", "deploy"), ("traffic#1", "traffic")])
        only = set(self.args.only.split())
        return [run for run in runs if not only or run[1] in only or run[0] in only]

    def switch(self, what, on):
        if what == "quiet" or (what == "deploy" and not on):
            return
        if what == "deploy":
            self.deploys += 1
            for role in ("catalog", "checkout"):
                post(f"{self.controls[role]}/deploy", {"version": f"1.0.{self.deploys}"})
            return
        body = {"name": what, "intensity": self.intensities[what] if on else 0}
        post(f"{self.controls[ROLE[what]]}/fault", body)

    def run(self, name, what):
        begun = time.time()
        before = summary(figures(self.args.figures, begun - 60, begun - 2))
        self.switch(what, True)
        try:
            said, problem = self.listen(begun, begun + RUN_S)
        finally:
            self.switch(what, False)
        ended = begun + RUN_S
        after, late_problem = self.listen(begun, ended + RECOVERY_S)
        now = summary(figures(self.args.figures, ended - 60, ended))
        symptom = symptom_at(self.args.figures, before, begun, ended)
        line = {
            "run": name, "what": what, "intensity": self.intensities.get(what), "begun": round(begun),
            "before": before, "now": now, "moved": moved(before, now) if what not in ("quiet", "deploy") else [],
            "symptom_s": symptom and round(symptom - begun), "problem": problem or late_problem,
            "said": said, "said_after": [one for one in after if one not in said],
        }
        line["verdict"] = judge(what, line)
        return line

    def listen(self, begun, until):
        """What is said about a run: each verdict whenever it says something else, with the seconds since the run began."""
        said, latest, problem = [], {}, None
        while time.time() < until:
            kept, problem = self.narrows.opened_since(begun)
            for one in kept:
                told = {"id": one["id"], **culprit(one["verdict"])}
                if latest.get(one["id"]) != told:
                    latest[one["id"]] = told
                    said.append({**told, "at_s": round(time.time() - begun)})
            wait(min(5, max(until - time.time(), 0)))
        return said, problem


def culprit(verdict):
    """Whom and what a verdict names; empty if nobody."""
    found = verdict.get("culprit")
    if not found:
        return {}
    return {"names": sorted(names(verdict)), "kind": found["kind"], "subkind": found.get("subkind")}


def judge(what, line):
    """right, late, wrong, silent, false; `no symptom` and `no symptom, false` where customers saw nothing."""
    named = [one for one in line["said"] + line["said_after"] if "kind" in one]
    if line["problem"]:
        return "not asked"
    if what not in EXPECTED:
        return "false" if named else "silent"
    if not line["moved"]:
        return "no symptom, false" if named else "no symptom"
    whom, kinds = EXPECTED[what]

    def is_right(one):
        return "kind" in one and bool(whom & set(one["names"])) and one["kind"] in kinds

    # What each verdict said last while the fault was there: a first guess may be mended, and a right one spoiled.
    last = {one["id"]: one for one in line["said"]}
    if not any(is_right(one) for one in last.values()):
        return "wrong" if named else "silent"
    first = next(one for one in line["said"] if is_right(one))
    return "right" if first["at_s"] - (line["symptom_s"] or 0) <= IN_TIME_S else "late"


def wait(seconds):
    """A sleep that ends when it should, however long the machine paused."""
    until = time.time() + seconds
    while (left := until - time.time()) > 0:
        time.sleep(min(left, 5))


def report(lines):
    by_verdict = {}
    for line in lines:
        by_verdict.setdefault(line["verdict"], []).append(line["run"])
    faults = [line for line in lines if line["what"] in EXPECTED]
    counted = [line for line in faults if line["moved"]]
    right = [line for line in counted if line["verdict"] == "right"]
    print(f"right: {len(right)} of {len(counted)} runs in which customers saw something; {len(faults)} faults in all")
    for verdict, runs in sorted(by_verdict.items()):
        print(f"  {verdict}: {len(runs)} ({', '.join(runs)})")


def main():
    parser = argparse.ArgumentParser()
    for name in ("url", "figures", "results", "only"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--runs", type=int, required=True)
    parser.add_argument("--quiet", type=int, required=True)
    parser.add_argument("--traffic", type=float, required=True)
    parser.add_argument("--control", nargs="+", required=True)
    parser.add_argument("--intensity", nargs="+", required=True)
    args = parser.parse_args()
    done = []
    if os.path.exists(args.results):
        with open(args.results, encoding="utf-8") as file:
            done = [json.loads(line) for line in file]
    suite = Suite(args)
    left = [run for run in suite.plan() if run[0] not in {line["run"] for line in done}]
    print(f"{len(done)} runs are done, {len(left)} are left: about {len(left) * (RUN_S + RECOVERY_S) // 60 + 3} minutes")
    if left:
        wait(BASELINE_S)
    for name, what in left:
        line = suite.run(name, what)
        with open(args.results, "a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        done.append(line)
        print(f"{name}: {line['verdict']}; customers: {', '.join(line['moved']) or 'nothing'}", flush=True)
    report(done)
    return 0


if __name__ == "__main__":
    sys.exit(main())
