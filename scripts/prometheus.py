"""Runs a real Prometheus and our agent on the same targets and holds our answers against Prometheus' own.

    prometheus.py AGENT DIRECTORY HTTP GRPC

AGENT is the agent's binary, DIRECTORY an empty place, HTTP the collector's URL, GRPC its other port. The collector's
admin has the password NARROWS_ADMIN_PASSWORD, the tenant `default` (for Prometheus' remote write) the token
NARROWS_INGEST_TOKEN, the tenant `agent` the one in DIRECTORY/agent-token. scripts/prometheus.sh starts it all.
"""

import base64
import http.server
import json
import math
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import prometheus_cases as cases

# How long data is collected before and after the exporter is started anew, and after it has ended for good.
FIRST_S, SECOND_S, LAST_S = 14, 28, 4
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ["{node}"]}}]
  - job_name: made
    static_configs: [{{targets: ["{made}"]}}]
  - job_name: prometheus
    static_configs: [{{targets: ["{prometheus}"]}}]
remote_write:
  - url: {http}/api/v1/write
    basic_auth: {{username: prometheus, password: {token}}}
    queue_config: {{max_shards: 1, batch_send_deadline: 500ms}}
    metadata_config: {{send_interval: 5s}}
"""
AGENT_CONFIG = """
data: "{directory}/agent"
status: {status}
inputs:
  otlp: {{enabled: false}}
  scrape: {{config_file: "{directory}/prometheus.yml"}}
output: {{collector: "http://{grpc}", token_file: "{directory}/agent-token"}}
"""
# Numbers at the ends of what there is, texts with everything in them, buckets; {n} counts this client's scrapes.
MADE = r"""# HELP made_number Numbers \\ and \n ends.
# TYPE made_number gauge
made_number{{which="nan"}} NaN
made_number{{which="inf"}} +Inf
made_number{{which="less"}} -Inf
made_number{{which="zero"}} -0
made_number{{which="tiny"}} 5e-324
made_number{{which="small"}} 0.000000123
made_number{{which="huge"}} 1.7976931348623157e308
made_number{{which="large"}} 1.5e21
made_number{{which="whole"}} 9007199254740993
made_number{{which="",empty=""}} 0.1
made_text_info{{text="a\"b\\\\c\nd ü 漢 🦀 {{}}=,#"}} 1
# TYPE made_events_total counter
made_events_total {n}
# TYPE made_seconds histogram
made_seconds_bucket{{le="0.5"}} {n}
made_seconds_bucket{{le="1"}} {twice}
made_seconds_bucket{{le="+Inf"}} {thrice}
made_seconds_sum {n}
made_seconds_count {thrice}
"""
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print(f"FAILED {what}"[:2000], flush=True)
    return bool(holds)


class Server:
    """Prometheus' API somewhere."""

    def __init__(self, url, password=None, tenant=None):
        self.url, self.headers = url, {}
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        if password is not None:
            login = base64.b64encode(f"admin:{password}".encode()).decode()
            self.headers = {"Authorization": f"Basic {login}", "X-Scope-OrgID": tenant}

    def ask(self, path, parameters=(), method="POST", prefix="/api/v1/"):
        """The status and the whole answer."""
        encoded, url = urllib.parse.urlencode(dict(parameters), doseq=True), self.url + prefix + path
        body = encoded.encode() if method == "POST" else None
        if method == "GET" and encoded:
            url += "?" + encoded
        # Only Prometheus' own paths take forms.
        kind = {"Content-Type": "application/json"} if path.startswith("narrows/") else {}
        request = urllib.request.Request(url, data=body, headers={**self.headers, **kind}, method=method)
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, {"error": text}

    def query(self, expression, at):
        """The result of an instant query, or the error's text."""
        return _result(self.ask("query", {"query": expression, "time": f"{at:.3f}"}))

    def range(self, expression, start, end, step):
        parameters = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": step}
        return _result(self.ask("query_range", parameters))


def _result(answer):
    status, body = answer
    return body["data"]["result"] if status == 200 else f"{status} {body.get('error')}"


class Made(http.server.BaseHTTPRequestHandler):
    """An exporter of our own; each of its clients has counters of its own."""

    scrapes = {}
    begins = math.inf

    def do_GET(self):
        who = self.headers.get("User-Agent", "").split("/")[0]
        n = self.scrapes[who] = self.scrapes.get(who, 0) + 1
        body = MADE.format(n=n, twice=2 * n, thrice=3 * n)
        if time.time() > self.begins:
            late = self.scrapes[who, "late"] = self.scrapes.get((who, "late"), -0.2) + 1
            body += f"# TYPE made_late_total counter\nmade_late_total {late:.1f}\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        """Nothing is told of requests."""


class Children:
    """Programs that end with this one."""

    def __init__(self):
        self.running = {}

    def start(self, name, directory, command):
        # The token in the environment is Prometheus'; the agent has one of its own.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("NARROWS_")}
        output = (directory / f"{name}.out").open("a", encoding="utf-8")
        self.running[name] = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)

    def stop(self, name, how=signal.SIGTERM):
        child = self.running.pop(name)
        child.send_signal(how)
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()

    def stop_all(self):
        for name in list(self.running):
            self.stop(name)


def free_addresses(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return addresses


def until(seconds, what, holds):
    """Waits for something, for so long at most."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            sys.exit(f"error: {what} did not happen within {seconds} s")
        time.sleep(0.2)
    return found


def numbers_agree(theirs, ours):
    if theirs == ours:
        return True
    return math.isclose(float(theirs), float(ours), rel_tol=1e-9, abs_tol=1e-12)


def by_labels(result):
    return {json.dumps(one["metric"], sort_keys=True): one for one in result}


def difference(theirs, ours, ordered=False):
    """What two results differ in, or None."""
    if isinstance(theirs, str) or isinstance(ours, str):
        return None if theirs == ours else f"Prometheus: {str(theirs)[:300]}, ours: {str(ours)[:300]}"
    if theirs and not isinstance(theirs[0], dict):
        theirs, ours = ([{"metric": {}, "value": one}] for one in (theirs, ours))
    if ordered and [one["metric"] for one in theirs] != [one["metric"] for one in ours]:
        return f"another order: {[one['metric'] for one in theirs]}, ours: {[one['metric'] for one in ours]}"
    left, right = by_labels(theirs), by_labels(ours)
    if left.keys() != right.keys():
        return f"only Prometheus: {sorted(left.keys() - right.keys())[:3]}, only ours: {sorted(right.keys() - left.keys())[:3]}"
    for labels, one in left.items():
        a = one.get("values") or [one["value"]]
        b = right[labels].get("values") or [right[labels]["value"]]
        if [at for at, _ in a] != [at for at, _ in b]:
            return f"{labels}: other times: {len(a)} and ours {len(b)}"
        for (at, x), (_, y) in zip(a, b, strict=True):
            if not numbers_agree(x, y):
                return f"{labels} at {at}: {x}, ours {y}"
    return None


def off_the_grid(prometheus, near):
    """The fraction of a second that is farthest from every sample of the last minute."""
    samples = prometheus.query("up[60s]", near)
    fractions = sorted({round(at * 1000) % 1000 for one in samples for at, _ in one["values"]})
    gaps = [(after - before, before) for before, after in zip(fractions, [*fractions[1:], fractions[0] + 1000], strict=True)]
    gap, before = max(gaps)
    if gap < 50:
        sys.exit(f"error: scrapes are too irregular for times between them: {fractions}")
    return (before + gap / 2) % 1000 / 1000


def compare_expressions(prometheus, ours, times, last):
    """How many expressions agree at all times and over a range."""
    agree = 0
    for written in cases.EXPRESSIONS:
        expression = written.replace("{instant}", f"{times[0]:.3f}")
        ordered = written.startswith(cases.ORDERED)
        differences = []
        for at in [*times, last]:
            theirs = prometheus.query(expression, at)
            differences.append(difference(theirs, ours.query(expression, at), ordered))
            if not theirs and at != last and written not in cases.MAY_BE_EMPTY:
                differences.append("nothing to compare: the answer is empty")
        # From after every counter of Prometheus itself began: see the known differences.
        theirs, got = (server.range(expression, times[0] - 14, last, "3") for server in (prometheus, ours))
        differences.append(difference(theirs, got))
        found = [one for one in differences if one]
        agree += check(not found, f"{expression}: {found[:2]}")
    return agree


def compare_samples(prometheus, ours, at):
    """Every sample of the last half minute, bit for bit as text."""
    samples = 0
    for job in ("node", "made", "prometheus"):
        theirs, got = (server.query(f'{{job="{job}"}}[30s]', at) for server in (prometheus, ours))
        for one in theirs:
            # The one thing that remote write does not carry: see the known differences.
            one["values"] = [[when, "0" if value == "-0" else value] for when, value in one["values"]]
        left, right = by_labels(theirs), by_labels(got)
        unlike = [(name, one["values"], right.get(name)) for name, one in left.items() if one != right.get(name)]
        check(left.keys() == right.keys() and not unlike, f"samples of {job}: {str(unlike[:1])[:1500]}")
        samples += sum(len(one["values"]) for one in theirs)
    return samples


def known_differences(prometheus, ours, instant, late):
    times = [at for at, _ in prometheus.query('up{job="prometheus"}[30s]', instant)[0]["values"]]
    on_grid, range_ms = times[-1], round((times[-1] - times[-11]) * 1000)

    def said(server, query, at):
        result = server.query(query, at)
        if isinstance(result, str):
            return result
        return [f"{one['metric'].get('__name__', '')} {one['value'][1]}".strip() for one in result]

    held, listed = 0, cases.known_differences(instant, on_grid, range_ms, late)
    for what, query, at, holds in listed:
        theirs, got = said(prometheus, query, at), said(ours, query, at)
        held += check(holds(theirs, got), f"{what}: {query}: Prometheus: {theirs}, ours: {got}")
    return f"{held}/{len(listed)}"


def normal(metric):
    """A series as the agent writes it: bounds of buckets and quantiles have one spelling, as in Prometheus 3."""
    out = dict(metric)
    for label in ("le", "quantile"):
        if label in out and math.isfinite(float(out[label])) and "e" not in out[label] and "." not in out[label]:
            out[label] += ".0"
    return json.dumps(out, sort_keys=True)


def compare_agent(prometheus, agent, at):
    """The series that both scraped, their values as far as they can be compared; the number of series of each."""
    # The collector itself tells of its agents with `up{job="agent"}`.
    everything = '{__name__=~".+",job!="agent"}'

    def series(server, query, time_s):
        return {normal(one["metric"]): float(one["value"][1]) for one in server.query(query, time_s)}

    theirs, ours = series(prometheus, everything, at), series(agent, everything, at)
    raw = {json.dumps(one["metric"], sort_keys=True) for one in agent.query(everything, at)}
    check(raw == set(ours), "the agent spells bounds otherwise than Prometheus 3")
    # What was there for one of them only while the other had not yet looked.
    around = [{name for when in (-3, 3) for name in series(server, everything, at + when)} for server in (prometheus, agent)]
    missing = theirs.keys() - ours.keys() - around[1]
    extra = ours.keys() - theirs.keys() - around[0]
    check(not missing and not extra, f"series of the agent's scrape: missing: {list(missing)[:5]}, more: {list(extra)[:5]}")
    unequal = compare_values(prometheus, agent, at)
    check(not unequal, f"values of the agent's scrape: {unequal[:5]}")
    for rule in ('up{job!="agent"}', 'scrape_samples_scraped{job="node"}', 'scrape_samples_post_metric_relabeling{job="node"}'):
        left, right = series(prometheus, rule, at), series(agent, rule, at)
        check(left and left == right, f"{rule}: {left}, the agent: {right}")
    return len(theirs.keys() & ours.keys()), len(theirs)


def windows(server, at):
    """The lowest and the highest value of each series in the 12 s before."""
    found = {}
    for one in server.query('{job=~"node|prometheus|made"}[12s]', at):
        values = [float(value) for _, value in one["values"]]
        found[normal(one["metric"])] = (min(values), max(values))
    return found


def compare_values(prometheus, agent, at):
    """Series that stand still and are not the same at both; counters of which the agent has what Prometheus cannot have seen."""
    theirs, ours = windows(prometheus, at + 3), windows(agent, at)
    wrong = []
    for name in theirs.keys() & ours.keys():
        (low, high), (least, most), metric = theirs[name], ours[name], json.loads(name)
        counts = metric["__name__"].endswith(("_total", "_count", "_sum", "_bucket"))
        if counts and metric["job"] == "made" or metric["__name__"].startswith(cases.SELF_SEEN):
            # Each client has its own; or it is the other one at work that is seen.
            continue
        still = repr(low) == repr(high) and repr(least) == repr(most)
        if (still and repr(low) != repr(least)) or (counts and not low <= most <= high):
            wrong.append((name, low, high, least, most))
    return wrong


def promtool(prometheus, ours_url, instant):
    """What promtool prints of Prometheus and of us, with the login in the URL."""
    start, end = f"{instant - 10:.3f}", f"{instant:.3f}"
    commands = [
        (["instant", f"--time={end}"], ["rate(node_cpu_seconds_total[10s])"]),
        (["range", f"--start={start}", f"--end={end}", "--step=2s"], ["sum by (mode) (node_cpu_seconds_total)"]),
        (["series", "--match=node_load1", "--match=up", f"--start={start}", f"--end={end}"], []),
        (["labels", f"--start={start}", f"--end={end}"], ["mode"]),
    ]
    passed = 0
    for options, rest in commands:
        said = []
        for url in (prometheus.url, ours_url):
            command = ["promtool", "query", options[0], *options[1:], url, *rest]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
            said.append((ran.returncode, sorted(line.strip() for line in ran.stdout.splitlines()), ran.stderr[:300]))
        theirs, ours = said
        same = theirs[0] == ours[0] == 0 and len(theirs[1]) == len(ours[1]) > 0 and theirs[1] == ours[1]
        passed += check(same, f"promtool query {options[0]}: Prometheus: {str(theirs)[:400]}, ours: {str(ours)[:400]}")
    return f"{passed}/{len(commands)}"


def probe(ours, start, end):
    passed = asked = 0
    for path, parameters, methods, expected, holds in cases.probes(start, end):
        for method in methods:
            for prefix in ("/api/v1/", "/prometheus/api/v1/"):
                asked += 1
                status, answer = ours.ask(path, parameters, method, prefix)
                said = f"{method} {prefix}{path} {parameters}: {status} {str(answer)[:300]}"
                passed += check(shaped(status, answer, expected, holds), said)
    return f"{passed}/{asked}"


def shaped(status, answer, expected, holds):
    if status != expected or answer.get("status") != ("success" if expected == 200 else "error"):
        return False
    try:
        return holds(answer["data"] if expected == 200 else answer)
    except (KeyError, IndexError, TypeError) as error:
        print(f"{error!r}")
        return False


def exercise(prometheus, seconds):
    """Requests of several kinds, so that Prometheus' own histograms and counters have something to say."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        prometheus.query("count({__name__=~'.+'})", time.time())
        prometheus.ask("labels", {}, "GET")
        prometheus.query("rate(", time.time())
        time.sleep(0.4)


def http_server():
    """Starts the exporter of our own; its address."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def collect(children, directory, addresses, url, grpc, agent):
    """Starts everything and lets it run; the end of the time in which all was well, and the end of all."""
    node, address, status = addresses
    token = os.environ["NARROWS_INGEST_TOKEN"]
    made = http_server()
    config = CONFIG.format(node=node, made=made, prometheus=address, http=url, token=token)
    (directory / "prometheus.yml").write_text(config, encoding="utf-8")
    config = AGENT_CONFIG.format(directory=directory, status=status, grpc=grpc)
    (directory / "agent.yaml").write_text(config, encoding="utf-8")
    exporter = ["prometheus-node-exporter", f"--web.listen-address={node}", "--log.level=error", "--no-collector.systemd"]
    children.start("exporter", directory, exporter)
    children.start("prometheus", directory, [
        "prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/tsdb",
        f"--web.listen-address={address}", "--log.level=warn", "--enable-feature=exemplar-storage"])
    children.start("agent", directory, [agent, "--config", f"{directory}/agent.yaml"])
    prometheus = Server(f"http://{address}")

    def ready():
        try:
            return len(prometheus.query("up == 1", time.time())) == 3
        except OSError:
            return False
    until(30, "the first scrapes of Prometheus", ready)
    exercise(prometheus, FIRST_S)
    # Its counters begin anew.
    children.stop("exporter", signal.SIGKILL)
    children.start("exporter", directory, exporter)
    Made.begins = time.time() + 3
    exercise(prometheus, SECOND_S)
    well = math.floor(time.time()) - 1
    children.stop("exporter", signal.SIGKILL)
    time.sleep(LAST_S)
    return prometheus, well, math.floor(time.time())


def main():
    agent, directory, url, grpc = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    password, children, begun = os.environ["NARROWS_ADMIN_PASSWORD"], Children(), time.time()
    ours, scraped = Server(url, password, "default"), Server(url, password, "agent")
    try:
        prometheus, well, last = collect(children, directory, free_addresses(3), url, grpc, agent)
        for server, whose in ((ours, "Prometheus'"), (scraped, "the agent's")):
            until(20, f"the arrival of {whose} last samples",
                  lambda server=server: len(server.query(f"timestamp(up{{job!='agent'}}) > {last}", time.time())) == 3)
        fraction = off_the_grid(prometheus, well)
        instant, last = well - 5 + fraction, last - 1 + fraction
        samples = compare_samples(prometheus, ours, instant)
        agree = compare_expressions(prometheus, ours, [instant, instant - 9], last)
        status, sealed = ours.ask("narrows/admin/seal?merge=true")
        check(status == 200, f"seal: {sealed}")
        agree = min(agree, compare_expressions(prometheus, ours, [instant], last))
        samples = min(samples, compare_samples(prometheus, ours, instant))
        differences = known_differences(prometheus, ours, instant, math.floor(Made.begins) + 7 + fraction)
        same, of = compare_agent(prometheus, scraped, instant - 4)
        login = f"admin:{urllib.parse.quote(password, safe='')}"
        tool = promtool(prometheus, url.replace("http://", f"http://{login}@"), instant)
        probed = probe(ours, begun, math.floor(time.time()))
    except BaseException:
        for output in directory.glob("*.out"):
            print(f"--- {output.name}\n{output.read_text(encoding='utf-8')[-2000:]}", file=sys.stderr)
        raise
    finally:
        children.stop_all()
    total = len(cases.EXPRESSIONS)
    print(f"prometheus: {agree}/{total} expressions agree, {samples} samples equal, known differences {differences}, "
          f"agent: {same} series of {of}, promtool {tool}, probes {probed} ({time.time() - begun:.0f} s)")
    sys.exit(1 if failures or total < 60 else 0)


main()
