"""Kills the collector in a storm of alerts and counts what a webhook gets.

    notify_kill.py COLLECTOR DIRECTORY ROUNDS ALERTS

Every alert is a group of its own. In the first half of the rounds alerts begin to fire, in the second half they end.
scripts/notify-kill.sh starts it.
"""

import http.client
import http.server
import json
import os
import pathlib
import random
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

# How long the webhook takes, so that some messages are always on their way.
SLOW_S = 0.05
# What was answered so short before a kill may not have been noted: that takes an fsync.
DOUBT_S = 1
# Messages that are on their way at once, and as many that are being noted.
MOST_IN_DOUBT = 64
CONFIG = """
route: {{receiver: hook, group_by: ['...'], group_wait: 100ms, group_interval: 1s, repeat_interval: 24h}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}"}}]
"""


class Webhook(http.server.BaseHTTPRequestHandler):
    """Notes when each alert was told to fire or to have ended, and when that was answered."""

    protocol_version = "HTTP/1.1"
    told, lock = {}, threading.Lock()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        # Of a dead sender: it was on its way, and waited in the socket until after the kill.
        came = [time.monotonic(), None, self.sender_is_gone()]
        with self.lock:
            for alert in body["alerts"]:
                key = (alert["labels"]["n"], alert["status"])
                self.told.setdefault(key, []).append(came)
        time.sleep(SLOW_S)
        came[1] = time.monotonic()
        try:
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
        except OSError:
            pass  # Whoever asked is dead.

    def sender_is_gone(self):
        try:
            return self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size, daemon_threads = 256, True

    def handle_error(self, *_):
        pass


class Collector:
    def __init__(self, program, directory, port):
        self.command = [program, "--config", str(directory / "collector.yaml"), "--data", str(directory / "data"),
                        "--listen", f"127.0.0.1:{port}", "--listen-grpc", "127.0.0.1:0"]
        self.out, self.starts = directory / "out", 0
        self.environment = {**os.environ, "NARROWS_ADMIN_PASSWORD": "x", "NARROWS_LOG": "error"}

    def start(self):
        with open(self.out, "w") as out:
            self.process = subprocess.Popen(self.command, stdout=out, env=self.environment)
        self.starts += 1
        end = time.monotonic() + 60
        while "listening on grpc" not in self.out.read_text():
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"start {self.starts} failed")
            time.sleep(0.01)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Poster(threading.Thread):
    """Posts batches, each until it is answered 200: what was not answered was not accepted."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.url, self.batches, self.lock, self.refused = url, [], threading.Lock(), None

    def run(self):
        while True:
            with self.lock:
                batch = self.batches[0] if self.batches else None
            if batch is None:
                time.sleep(0.02)
                continue
            request = urllib.request.Request(self.url, json.dumps(batch).encode(), {"content-type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=10):
                    pass
            except urllib.error.HTTPError as error:
                self.refused = f"{error.code}: {error.read().decode()}"
                return
            except (OSError, http.client.HTTPException):
                time.sleep(0.02)
                continue
            with self.lock:
                self.batches.pop(0)

    def add(self, batches):
        with self.lock:
            self.batches.extend(batches)

    def is_done(self):
        with self.lock:
            return not self.batches


def time_of(at):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def batches_of(numbers, begun, ends):
    alerts = [
        {"labels": {"alertname": "Storm", "n": str(n)}, "startsAt": time_of(begun), "endsAt": time_of(ends)}
        for n in numbers
    ]
    return [alerts[at:at + 100] for at in range(0, len(alerts), 100)]


def wait_for(status, count, seconds):
    end, before = time.monotonic() + seconds, -1
    while time.monotonic() < end:
        with Webhook.lock:
            told = sum(1 for _, its in Webhook.told if its == status)
        if told >= count:
            return
        if told != before:
            before, end = told, time.monotonic() + seconds
        time.sleep(0.2)


def judge(status, count, kills):
    """Alerts that nobody was told of, alerts that were told twice, and those of them that no kill excuses."""
    with Webhook.lock:
        told = {n: list(times) for (n, its), times in Webhook.told.items() if its == status}
    lost = count - len(told)
    doubled, unexcused, of_kill = 0, 0, {}
    for times in told.values():
        for first, second in zip(times, times[1:]):
            doubled += 1
            answered = first[1] or float("inf")
            excuse = next((kill for kill in kills if first[0] <= kill <= second[0] and kill <= answered + DOUBT_S), None)
            if excuse is None and first[2]:
                excuse = max((kill for kill in kills if kill <= first[0]), default=None)
            if excuse is None:
                print(f"told twice for no reason: {first} {second}, kills {[kill for kill in kills if first[0] - 3 < kill < second[0] + 1]}")
            if excuse is None:
                unexcused += 1
            else:
                of_kill[excuse] = of_kill.get(excuse, 0) + 1
    worst = max(of_kill.values(), default=0)
    print(f"{status}: {count} alerts, {lost} lost, {doubled} told twice, all on their way at a kill but {unexcused}; at most {worst} at one")
    return lost == 0 and unexcused == 0 and worst <= MOST_IN_DOUBT


def main():
    program, directory, rounds, count = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    rng = random.Random(seed)
    print(f"{rounds} kills in a storm of {count} alerts, seed {seed}")
    hook = Server(("127.0.0.1", 0), Webhook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()
    (directory / "am.yml").write_text(CONFIG.format(url=f"http://127.0.0.1:{hook.server_port}/"))
    (directory / "collector.yaml").write_text("own_metrics: false\nalertmanager_config: am.yml\n")
    port = 20000 + os.getpid() % 20000
    collector = Collector(program, directory, port)
    poster = Poster(f"http://127.0.0.1:{port}/alertmanager/api/v2/alerts")
    poster.start()
    begun, kills, good = int(time.time()), [], True
    for status, of_rounds in (("firing", rounds - rounds // 2), ("resolved", rounds // 2)):
        numbers, parts = list(range(count)), max(1, of_rounds)
        for part in range(parts):
            share = numbers[part * count // parts:(part + 1) * count // parts]
            poster.add(batches_of(share, begun, begun + 86400 if status == "firing" else time.time()))
            collector.start()
            time.sleep(rng.uniform(0.05, 0.7))
            collector.kill()
            kills.append(time.monotonic())
        collector.start()
        while not poster.is_done():
            if poster.refused or not poster.is_alive():
                raise SystemExit(f"the collector refused alerts: {poster.refused}")
            time.sleep(0.05)
        wait_for(status, count, 60)
        # What would be told twice for no reason, is told now.
        time.sleep(3)
        collector.kill()
        kills.append(time.monotonic())
        good = judge(status, count, kills) and good
    if not good:
        raise SystemExit("alerts were lost, or told twice for no reason")


main()
