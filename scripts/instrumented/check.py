"""Asks the front for checkouts, then the collector for what became of them.

check.py FRONT AGENT_GRPC AGENT_HTTP RUST_EXAMPLE, with NARROWS_URL and NARROWS_PASSWORD in the environment.
"""

import base64
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

front, agent_grpc, agent_http, example = sys.argv[1:5]
url = os.environ["NARROWS_URL"]
login = base64.b64encode(f"admin:{os.environ['NARROWS_PASSWORD']}".encode()).decode()


def get(path, **parameters):
    query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
    request = urllib.request.Request(url + path + query, headers={"Authorization": f"Basic {login}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def fetch(address):
    try:
        with urllib.request.urlopen(address, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def until(what, limit_s, attempt):
    """What `attempt` answers, once that is something."""
    deadline = time.monotonic() + limit_s
    while True:
        found = attempt()
        if found:
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {limit_s} s: {what}")
        time.sleep(0.3)


def reachable():
    try:
        return fetch(f"{front}/ready") == 200
    except OSError:
        return False


def spans_of(view):
    """Rows of a trace's view as dictionaries."""
    columns = view["spans"]
    rows = []
    for row, span in enumerate(columns["id"]):
        rows.append(
            {
                "id": span,
                "parent": columns["parent"][row],
                "service": view["services"][columns["service"][row]],
                "name": view["names"][columns["name"][row]],
                "kind": columns["kind"][row],
                "status": columns["status"][row],
            }
        )
    return rows


def check_trace(trace_id, wanted):
    """The trace is whole: one root, nobody's parent is missing, the wanted (service, kind) are there."""
    view = get(f"/api/v1/narrows/traces/{trace_id}/view")
    rows = spans_of(view)
    roots = [row for row in rows if row["parent"] < 0]
    assert len(roots) == 1, f"{trace_id}: roots {roots}"
    assert not view["spans"]["orphan"], f"{trace_id}: orphans {view['spans']['orphan']}"
    have = {(row["service"], row["kind"]) for row in rows}
    assert wanted <= have, f"{trace_id}: {have}, not {wanted}"
    on_path = sum(end - start for _, start, end in view["critical_path"])
    assert on_path == view["spans"]["duration_ns"][rows.index(roots[0])], f"{trace_id}: the path does not tile the root"
    return rows


until("the front answers", 60, reachable)
statuses = [fetch(f"{front}/checkout/{cart}") for cart in [1, 2, 3, 4, 5, 6, 7, 8, 9, 13]]
assert statuses == [200] * 9 + [502], statuses

SERVER, CLIENT = 2, 3
WANTED = {("front", SERVER), ("front", CLIENT), ("cart", SERVER), ("cart", CLIENT)}


def checkouts():
    query = 'service:front kind:server name:"GET /checkout/<int:cart>"'
    found = get("/api/v1/narrows/traces/search", query=query, limit=50)["traces"]
    # The root, the database (connect counts with some versions), the call, and what the cart does.
    whole = [trace for trace in found if {"front", "cart"} <= {one["service"] for one in trace["services"]}]
    return found if len(found) == len(whole) == 10 and all(trace["spans"] >= 4 for trace in found) else None


found = until("ten checkouts with both services", 30, checkouts)
time.sleep(1)
for trace in found:
    failed = trace["errors"] > 0
    check_trace(trace["trace_id"], WANTED - {("cart", CLIENT)} if failed else WANTED)
failed = get("/api/v1/narrows/traces/search", query="service:cart status:error kind:server", limit=50)["traces"]
assert len(failed) == 1, failed
print("ok  Python and Node: 10 traces, whole, one of them failed where it failed")

jaeger = get("/jaeger/api/traces", service="front", limit=20)
assert len(jaeger["data"]) >= 10 and jaeger["errors"] is None, jaeger["errors"]
one = jaeger["data"][0]
assert {"traceID", "spans", "processes"} <= one.keys(), one.keys()
assert {"front", "cart"} <= set(get("/jaeger/api/services")["data"])
print("ok  Jaeger's API has them")


def edges():
    map_ = get("/api/v1/narrows/services/map")
    pairs = {(edge["client"], edge["server"], edge["type"]) for edge in map_["edges"]}
    databases = {(client, type_) for client, _, type_ in pairs}
    whole = ("front", "cart", "service") in pairs and {("front", "database"), ("cart", "database")} <= databases
    return pairs if whole else None


pairs = until("the map has the call and both databases", 60, edges)
print("ok  the map:", ", ".join(sorted(f"{client} → {server}" for client, server, _ in pairs)))

printed = subprocess.run([example, agent_grpc], check=True, capture_output=True, text=True, timeout=60)
trace_id = printed.stdout.strip()


def rust_trace():
    try:
        rows = spans_of(get(f"/api/v1/narrows/traces/{trace_id}/view"))
    except urllib.error.HTTPError as error:
        assert error.code == 404, error
        return None
    return rows if len(rows) == 3 else None


rows = until("the Rust exporter's trace", 20, rust_trace)
assert {row["service"] for row in rows} == {"rust-shop"}, rows
check_trace(trace_id, {("rust-shop", SERVER), ("rust-shop", CLIENT)})
print("ok  Rust: a trace of its OTLP exporter is whole")

trace_id, now_us = secrets.token_hex(16), int(time.time() * 1e6)
zipkin = [
    {
        "traceId": trace_id,
        "id": "000000000000000a",
        "name": "get /",
        "kind": "SERVER",
        "timestamp": now_us,
        "duration": 5000,
        "localEndpoint": {"serviceName": "zipkin-front"},
        "tags": {"http.method": "GET"},
    },
    {
        "traceId": trace_id,
        "parentId": "000000000000000a",
        "id": "000000000000000b",
        "name": "query",
        "kind": "CLIENT",
        "timestamp": now_us + 1000,
        "duration": 3000,
        "localEndpoint": {"serviceName": "zipkin-front"},
        "remoteEndpoint": {"serviceName": "mysql", "port": 3306},
    },
]
body = json.dumps(zipkin).encode()
request = urllib.request.Request(f"{agent_http}/api/v2/spans", body, {"Content-Type": "application/json"})
with urllib.request.urlopen(request, timeout=30) as answer:
    assert answer.status == 202, answer.status


def zipkin_trace():
    try:
        spans = get(f"/zipkin/api/v2/trace/{trace_id}")
        return spans if len(spans) == 2 else None
    except urllib.error.HTTPError as error:
        assert error.code == 404, error
        return None


spans = until("Zipkin's trace", 20, zipkin_trace)
assert {span["id"] for span in spans} == {"000000000000000a", "000000000000000b"}, spans
assert "zipkin-front" in get("/zipkin/api/v2/services")
print("ok  Zipkin: posted to the agent, read by its own API")
