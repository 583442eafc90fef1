"""Runs a real Prometheus and our agent on the same targets and holds our answers against Prometheus' own.

    prometheus.py AGENT DIRECTORY HTTP GRPC

AGENT is the agent's binary, DIRECTORY an empty place, HTTP the collector's URL, GRPC its other port. The collector's
admin has the password NARROWS_ADMIN_PASSWORD, the tenant `default` (for Prometheus' remote write) the token
NARROWS_INGEST_TOKEN, the tenant `agent` the one in DIRECTORY/agent-token. scripts/prometheus.sh starts it all.
"""

import base64
import json
import math
import os
import pathlib
import signal
import socket
import subprocess
import sys
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
        request = urllib.request.Request(url, data=body, headers=self.headers, method=method)
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
        start, end = times[0] - 20, last
        differences.append(difference(prometheus.range(expression, start, end, "3"), ours.range(expression, start, end, "3")))
        found = [one for one in differences if one]
        agree += check(not found, f"{expression}: {found[:2]}")
    return agree


def compare_samples(prometheus, ours, at):
    """Every sample of the last half minute, bit for bit as text."""
    samples = 0
    for job in ("node", "prometheus"):
        theirs, got = (server.query(f'{{job="{job}"}}[30s]', at) for server in (prometheus, ours))
        left, right = by_labels(theirs), by_labels(got)
        check(left == right, f"samples of {job}: {difference(theirs, got)}")
        samples += sum(len(one["values"]) for one in theirs)
    return samples


def known_differences(prometheus, ours, instant):
    times = [at for at, _ in prometheus.query('up{job="prometheus"}[30s]', instant)[0]["values"]]
    on_grid, range_ms = times[-1], round((times[-1] - times[-11]) * 1000)

    def said(server, query, at):
        result = server.query(query, at)
        return result if isinstance(result, str) else [one["value"][1] for one in result]

    held, listed = 0, cases.known_differences(instant, on_grid, range_ms)
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
    around = {name for server in (prometheus, agent) for when in (-3, 3) for name in series(server, everything, at + when)}
    lonely = {name for name in theirs.keys() ^ ours.keys() if name not in around}
    only = [name for name in theirs.keys() - ours.keys() if name not in series(agent, everything, at + 3)]
    check(not lonely and not only, f"series of the agent's scrape: not here: {only[:5]}, in one alone: {sorted(lonely)[:5]}")
    unequal = compare_values(prometheus, theirs, ours, at)
    check(not unequal, f"values of the agent's scrape: {unequal[:5]}")
    for rule in ('up{job!="agent"}', 'scrape_samples_scraped{job="node"}', 'scrape_samples_post_metric_relabeling{job="node"}'):
        left, right = series(prometheus, rule, at), series(agent, rule, at)
        check(left and left == right, f"{rule}: {left}, the agent: {right}")
    return len(theirs.keys() & ours.keys()), len(theirs)


def compare_values(prometheus, theirs, ours, at):
    """Series whose value of the agent is not one that Prometheus could have seen at that time."""
    bounds = {}
    for job in ("node", "prometheus"):
        for one in prometheus.query(f'{{job="{job}"}}[12s]', at + 3):
            values = [float(value) for _, value in one["values"]]
            bounds[normal(one["metric"])] = (min(values), max(values))
    unequal = []
    for name in theirs.keys() & ours.keys() & bounds.keys():
        low, high = bounds[name]
        metric = json.loads(name)["__name__"]
        grows = metric.endswith(("_total", "_count", "_sum", "_bucket"))
        if (low == high or grows) and not low <= ours[name] <= high and not math.isnan(low):
            unequal.append((name, low, ours[name], high))
    return unequal


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
                passed += check(shaped(status, answer, expected, holds), f"{method} {prefix}{path} {parameters}: {status} {str(answer)[:300]}")
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


def collect(children, directory, addresses, http, grpc, agent):
    """Starts everything and lets it run; the end of the time in which all was well, and the end of all."""
    node, address, status = addresses
    token = os.environ["NARROWS_INGEST_TOKEN"]
    (directory / "prometheus.yml").write_text(CONFIG.format(node=node, prometheus=address, http=http, token=token), encoding="utf-8")
    (directory / "agent.yaml").write_text(AGENT_CONFIG.format(directory=directory, status=status, grpc=grpc), encoding="utf-8")
    exporter = ["prometheus-node-exporter", f"--web.listen-address={node}", "--log.level=error", "--no-collector.systemd"]
    children.start("exporter", directory, exporter)
    children.start("prometheus", directory, [
        "prometheus", f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/tsdb",
        f"--web.listen-address={address}", "--log.level=warn", "--enable-feature=exemplar-storage"])
    children.start("agent", directory, [agent, "--config", f"{directory}/agent.yaml"])
    prometheus = Server(f"http://{address}")

    def ready():
        try:
            return len(prometheus.query("up == 1", time.time())) == 2
        except OSError:
            return False
    until(30, "the first scrapes of Prometheus", ready)
    exercise(prometheus, FIRST_S)
    # Its counters begin anew.
    children.stop("exporter", signal.SIGKILL)
    children.start("exporter", directory, exporter)
    exercise(prometheus, SECOND_S)
    well = math.floor(time.time()) - 1
    children.stop("exporter", signal.SIGKILL)
    time.sleep(LAST_S)
    return prometheus, well, math.floor(time.time())


def main():
    agent, directory, http, grpc = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    password, children, begun = os.environ["NARROWS_ADMIN_PASSWORD"], Children(), time.time()
    ours, scraped = Server(http, password, "default"), Server(http, password, "agent")
    try:
        prometheus, well, last = collect(children, directory, free_addresses(3), http, grpc, agent)
        for server, whose in ((ours, "Prometheus'"), (scraped, "the agent's")):
            until(20, f"the arrival of {whose} last samples",
                  lambda server=server: len(server.query(f"timestamp(up{{job!='agent'}}) > {last}", time.time())) == 2)
        fraction = off_the_grid(prometheus, well)
        instant, last = well - 1 + fraction, last - 1 + fraction
        samples = compare_samples(prometheus, ours, instant)
        agree = compare_expressions(prometheus, ours, [instant, instant - 9], last)
        status, sealed = ours.ask("narrows/admin/seal?merge=true")
        check(status == 200, f"seal: {sealed}")
        agree = min(agree, compare_expressions(prometheus, ours, [instant], last))
        samples = min(samples, compare_samples(prometheus, ours, instant))
        differences = known_differences(prometheus, ours, instant)
        same, of = compare_agent(prometheus, scraped, instant - 4)
        login = f"admin:{urllib.parse.quote(password, safe='')}"
        tool = promtool(prometheus, http.replace("http://", f"http://{login}@"), instant)
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
