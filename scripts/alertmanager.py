"""Runs Debian's Alertmanager and our collector on the same stream of alerts and compares what they tell.

    alertmanager.py COLLECTOR DIRECTORY

COLLECTOR is the collector's binary, DIRECTORY an empty place. scripts/alertmanager.sh starts it.
"""

import base64
import http.server
import json
import os
import pathlib
import random
import subprocess
import sys
import threading
import time
import urllib.request

STEPS = 200
# In so long both programs flush every group, and so long a slow machine may take.
STEP_S, LATEST_S = 0.6, 5
PASSWORD = "correct-horse"
CONFIG = """
route:
  receiver: default
  group_by: [alertname]
  group_wait: 250ms
  group_interval: 250ms
  repeat_interval: 1h
  routes:
    - receiver: team-a
      matchers: ['team="a"']
      group_by: [alertname, zone]
      continue: true
    - receiver: pages
      matchers: ['severity=~"page|critical"']
      group_by: [zone]
      group_interval: 200ms
    - receiver: nobody
      matchers: [severity="info"]
      group_by: ['...']
inhibit_rules:
  - source_matchers: [severity="critical"]
    target_matchers: [severity="warning"]
    equal: [zone]
  - source_matchers: [alertname="Zone"]
    target_matchers: ['alertname!="Zone"', severity="page"]
    equal: [zone, team]
receivers:
  - name: default
    webhook_configs: [{{url: "{url}/default", send_resolved: true}}]
  - name: team-a
    webhook_configs:
      - {{url: "{url}/team-a", send_resolved: true}}
      - {{url: "{url}/team-a-firing", send_resolved: false}}
  - name: pages
    webhook_configs: [{{url: "{url}/pages"}}]
  - name: nobody
"""
RULES = """
groups:
  - name: made
    rules:
      - alert: FromPrometheus
        expr: vector(1) > 0
        labels: {severity: warning}
        annotations: {summary: "it fires"}
"""
PROMETHEUS = """
global: {{evaluation_interval: 1s}}
rule_files: ["{directory}/rules.yml"]
alerting:
  alertmanagers:
    - path_prefix: /alertmanager
      static_configs: [{{targets: ["{collector}"]}}]
"""


class Webhook(http.server.BaseHTTPRequestHandler):
    """Keeps every message, by who sent it (the first part of the path)."""

    messages, lock = [], threading.Lock()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        _, program, hook = self.path.split("/", 2)
        with self.lock:
            self.messages.append((program, hook, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


def call(url, body=None, method=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json", **(headers or {})}, method=method)
    with urllib.request.urlopen(request, timeout=10) as response:
        text = response.read()
    return json.loads(text) if text else None


def until(what, test, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            found = test()
            if found:
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{what} did not happen within {seconds} s")


def rfc3339(at):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at)) + f".{int(at * 1000) % 1000:03d}Z"


class Program:
    """One of the two, by its API."""

    def __init__(self, api, headers):
        self.api, self.headers, self.silences = api, headers, {}

    def post(self, alerts):
        call(f"{self.api}/alerts", alerts, headers=self.headers)

    def silence(self, name, body):
        if name in self.silences:
            body = {**body, "id": self.silences[name]}
        self.silences[name] = call(f"{self.api}/silences", body, headers=self.headers)["silenceID"]

    def expire(self, name):
        call(f"{self.api}/silence/{self.silences[name]}", method="DELETE", headers=self.headers)

    def groups(self):
        """What is in each group and what becomes of it; the ids of silences are each program's own."""
        groups = {}
        for group in call(f"{self.api}/alerts/groups", headers=self.headers):
            key = (group["receiver"]["name"], tuple(sorted(group["labels"].items())))
            groups[key] = sorted(
                (
                    alert["fingerprint"],
                    alert["status"]["state"],
                    len(alert["status"]["silencedBy"]),
                    bool(alert["status"]["inhibitedBy"]),
                    tuple(sorted({receiver["name"] for receiver in alert["receivers"]})),
                    tuple(sorted(alert["annotations"].items())),
                )
                for alert in group["alerts"]
            )
        return groups

    def silence_states(self):
        found = call(f"{self.api}/silences", headers=self.headers)
        # Those of the steps; amtool's are ours alone.
        steps = [one for one in found if one["createdBy"] == "steps"]
        return sorted((one["status"]["state"], one["comment"], len(one["matchers"])) for one in steps)


def one_of_many(rng):
    return {
        "alertname": rng.choice(["Disk", "Load", "Zone"]),
        "zone": rng.choice("xyz"),
        "team": rng.choice("ab"),
        "host": f"h{rng.randrange(6)}",
        "severity": rng.choice(["page", "warning", "critical", "info", "notice"]),
    }


def silence_of(rng, comment):
    label, value = rng.choice([("host", "h1"), ("zone", "x"), ("alertname", "Load"), ("team", "b")])
    matchers = [{"name": label, "value": value, "isRegex": False, "isEqual": True}]
    if rng.random() < 0.5:
        matchers.append({"name": "severity", "value": "page|critical", "isRegex": True, "isEqual": rng.random() < 0.5})
    now = time.time()
    times = {"startsAt": rfc3339(now), "endsAt": rfc3339(now + 3600)}
    return {"matchers": matchers, "comment": comment, "createdBy": "steps", **times}


def step(rng, programs, firing, silences, number):
    """Does one thing to both; each as near to the other as can be."""
    kind = rng.random()
    if kind < 0.45 or not firing:
        alerts = [one_of_many(rng) for _ in range(rng.randrange(1, 4))]
        firing.update({json.dumps(labels, sort_keys=True): time.time() for labels in alerts})
        post(programs, alerts, firing, {"step": str(number)})
    elif kind < 0.75:
        ended = rng.sample(sorted(firing), min(len(firing), rng.randrange(1, 4)))
        post(programs, [json.loads(labels) for labels in ended], firing, {}, ends=time.time())
        for labels in ended:
            del firing[labels]
    elif kind < 0.88 or not silences:
        name = f"s{number}"
        body = silence_of(rng, name)
        for program in programs:
            program.silence(name, body)
        silences.append(name)
    else:
        name = silences.pop(rng.randrange(len(silences)))
        for program in programs:
            program.expire(name)


def post(programs, alerts, firing, annotations, ends=None):
    body = [
        {
            "labels": labels,
            "annotations": annotations,
            "startsAt": rfc3339(firing.get(json.dumps(labels, sort_keys=True), (ends or time.time()) - 0.1)),
            "endsAt": rfc3339(ends or time.time() + 3600),
            "generatorURL": "http://example.org/rule",
        }
        for labels in alerts
    ]
    for program in programs:
        program.post(body)


def told(program, since):
    """What each receiver believes of each group: who fires, as of its last message, and who ended since a message."""
    believed, messages = {}, 0
    with Webhook.lock:
        kept = list(Webhook.messages)
    for number, (sender, hook, body) in enumerate(kept):
        if sender != program:
            continue
        messages += 1
        fingerprints = {status: {one["fingerprint"] for one in body["alerts"] if one["status"] == status} for status in ("firing", "resolved")}
        _, ended = believed.get((hook, body["groupKey"]), (set(), set()))
        ended = ended | fingerprints["resolved"] if number >= since else set()
        believed[(hook, body["groupKey"])] = (fingerprints["firing"], ended)
    return believed, messages


def compare(what, theirs, ours):
    for key in sorted(set(theirs) | set(ours), key=str):
        if theirs.get(key) != ours.get(key):
            print(f"{what} {key}:\n  Alertmanager {theirs.get(key)}\n  collector    {ours.get(key)}", file=sys.stderr)
    raise SystemExit(f"{what}: the collector differs from Alertmanager")


def settle(step_number, since, theirs, ours):
    """Waits until both have told what there is to tell, and holds that and their groups against each other."""
    time.sleep(STEP_S)
    end = time.monotonic() + LATEST_S
    while True:
        messages = told("theirs", since)[0], told("ours", since)[0]
        groups = theirs.groups(), ours.groups()
        if messages[0] == messages[1] and groups[0] == groups[1]:
            break
        if time.monotonic() > end:
            compare(f"step {step_number}, messages" if messages[0] != messages[1] else f"step {step_number}, groups",
                    *(messages if messages[0] != messages[1] else groups))
        time.sleep(0.2)
    states = theirs.silence_states(), ours.silence_states()
    if states[0] != states[1]:
        raise SystemExit(f"step {step_number}, silences: Alertmanager {states[0]}, collector {states[1]}")


def side_by_side(theirs, ours):
    rng, programs, firing, silences = random.Random(7), (theirs, ours), {}, []
    for number in range(STEPS):
        with Webhook.lock:
            since = len(Webhook.messages)
        step(rng, programs, firing, silences, number)
        settle(number, since, theirs, ours)
    believed, count = told("ours", 0)
    print(f"{STEPS} steps: {len(believed)} groups were told {count} messages; after each step receivers believed the same,"
          " and groups and silences were the same")
    if count < STEPS / 2:
        raise SystemExit("so few messages show nothing")


def amtool(url, directory, *arguments):
    command = ["amtool", f"--alertmanager.url={url}", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"HOME": str(directory), "PATH": os.environ["PATH"]})
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def try_amtool(url, directory, ours):
    labels = {"alertname": "ForAmtool", "team": "z", "instance": "i1"}
    ours.post([{"labels": labels, "annotations": {"summary": "hello"}}])
    found = json.loads(amtool(url, directory, "alert", "query", "-o", "json", "alertname=ForAmtool"))
    assert [alert["labels"] for alert in found] == [labels], found
    added = amtool(url, directory, "silence", "add", "--comment=c", "--author=me", "--duration=1h", "alertname=ForAmtool", "instance=~i.*")
    silence = added.strip()
    found = json.loads(amtool(url, directory, "silence", "query", "-o", "json"))
    assert [one["id"] for one in found if one["status"]["state"] == "active"] == [silence], found
    assert "ForAmtool" not in amtool(url, directory, "alert", "query", "alertname=ForAmtool")
    assert "ForAmtool" in amtool(url, directory, "alert", "query", "--silenced", "alertname=ForAmtool")
    updated = amtool(url, directory, "silence", "update", "--duration=2h", "--comment=longer", silence)
    assert silence in updated, updated
    amtool(url, directory, "silence", "expire", silence)
    assert silence not in amtool(url, directory, "silence", "query", "-q")
    assert silence in amtool(url, directory, "silence", "query", "--expired", "-q")
    assert "ForAmtool" in amtool(url, directory, "alert", "query", "alertname=ForAmtool")
    assert "team-a" in amtool(url, directory, "config", "show")
    amtool(url, directory, "check-config", str(directory / "ours.yml"))
    print("amtool: alert query, silence add, query, update and expire, config show, check-config")


def try_prometheus(directory, collector, ours):
    (directory / "rules.yml").write_text(RULES)
    (directory / "prometheus.yml").write_text(PROMETHEUS.format(directory=directory, collector=collector))
    prometheus = subprocess.Popen(
        ["prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/tsdb",
         "--web.listen-address=127.0.0.1:0", "--log.level=error",
         # It knows its Alertmanagers 5 s after its start, and would send what it raised before in a minute.
         "--rules.alert.resend-delay=1s"],
        stdout=subprocess.DEVNULL,
    )
    try:
        def arrived():
            query = "filter=alertname%3D%22FromPrometheus%22"
            return call(f"{ours.api}/alerts?{query}", headers=ours.headers)

        found = until("an alert of Prometheus", arrived, 30)
        assert found[0]["annotations"] == {"summary": "it fires"} and found[0]["generatorURL"], found
    finally:
        prometheus.terminate()
        prometheus.wait(10)
    print("Prometheus: its alert is here")


def main():
    collector, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    hooks = f"http://127.0.0.1:{server.server_port}"
    for program in ("theirs", "ours"):
        (directory / f"{program}.yml").write_text(CONFIG.format(url=f"{hooks}/{program}"))
    (directory / "collector.yaml").write_text("own_metrics: false\nalertmanager_config: ours.yml\n")
    out = open(directory / "out", "w")
    port = 20000 + os.getpid() % 20000
    processes = [
        subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={directory}/theirs.yml", f"--storage.path={directory}/am",
             "--cluster.listen-address=", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error"],
            stdout=subprocess.DEVNULL,
        ),
        subprocess.Popen(
            [collector, "--config", str(directory / "collector.yaml"), "--data", str(directory / "data"),
             "--listen", "127.0.0.1:0", "--listen-grpc", "127.0.0.1:0"],
            stdout=out, env={**os.environ, "NARROWS_ADMIN_PASSWORD": PASSWORD, "NARROWS_LOG": "warn"},
        ),
    ]
    try:
        lines = until("the collector's start", lambda: [
            line for line in (directory / "out").read_text().splitlines() if line.startswith("listening on http")
        ], 60)
        address = lines[0].removeprefix("listening on http://")
        basic = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
        theirs = Program(f"http://127.0.0.1:{port}/api/v2", {})
        ours = Program(f"http://{address}/alertmanager/api/v2", {"authorization": f"Basic {basic}"})
        until("Alertmanager's start", lambda: call(f"{theirs.api}/status"), 30)
        try_amtool(f"http://admin:{PASSWORD}@{address}/alertmanager", directory, ours)
        ours.post([{"labels": {"alertname": "ForAmtool", "team": "z", "instance": "i1"}, "endsAt": rfc3339(time.time())}])
        time.sleep(4)
        with Webhook.lock:
            Webhook.messages.clear()
        side_by_side(theirs, ours)
        try_prometheus(directory, address, ours)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


main()
