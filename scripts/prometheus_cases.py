"""What scripts/prometheus.py asks Prometheus and us: expressions, known differences, what clients probe."""

HTTP = "prometheus_http_request_duration_seconds"

# For how long the range reaches over the counter that began late.
LATE_S = 6

# Each is asked at several times that lie between two scrapes, and over a range.
EXPRESSIONS = [
    # Selectors.
    "up",
    'node_cpu_seconds_total{mode=~"user|system",cpu!="1"}',
    '{__name__=~"node_memory_(MemTotal|MemFree|Cached)_bytes"}',
    '{job="node",__name__!~"node_.*"}',
    "node_load1 offset 7s",
    "node_load1 offset -3s",
    "node_time_seconds @ {instant}",
    "rate(node_cpu_seconds_total[9s] @ end() offset 2s)",
    # Rates and trends.
    "rate(node_cpu_seconds_total[15s])",
    "irate(node_cpu_seconds_total[15s])",
    "increase(prometheus_http_requests_total[12s])",
    "delta(node_memory_MemFree_bytes[15s])",
    "idelta(node_memory_MemFree_bytes[15s])",
    "deriv(node_memory_MemAvailable_bytes[15s])",
    "predict_linear(node_memory_MemAvailable_bytes[20s], 3600)",
    "rate(promhttp_metric_handler_requests_total[30s])",
    "resets(process_cpu_seconds_total[40s])",
    "changes(node_memory_MemFree_bytes[20s])",
    # Over time.
    "avg_over_time(go_goroutines[20s])",
    'min_over_time({__name__=~"go_memstats_.*_bytes"}[12s])',
    "max_over_time(node_memory_MemFree_bytes[20s])",
    "sum_over_time(node_load1[15s])",
    "count_over_time({job=~\".+\"}[10s])",
    "stddev_over_time(go_memstats_heap_alloc_bytes[20s])",
    "stdvar_over_time(go_goroutines[20s])",
    "quantile_over_time(0.9, go_memstats_heap_alloc_bytes[20s])",
    "last_over_time(node_filesystem_files[10s])",
    "present_over_time(node_uname_info[10s])",
    'absent_over_time(no_such_metric{job="node"}[10s])',
    # Aggregations.
    "sum by (mode) (rate(node_cpu_seconds_total[10s]))",
    "avg without (cpu, instance) (node_cpu_seconds_total)",
    "topk(3, go_memstats_heap_alloc_bytes + on (job) group_right () up)",
    "bottomk by (job) (2, {__name__=~\"go_memstats_.*_bytes_total|process_resident_memory_bytes\"})",
    "quantile by (job) (0.75, {__name__=~\"go_.*\"})",
    'count_values("size", node_filesystem_readonly)',
    'stddev({job="node",__name__=~"node_memory_.*_bytes"})',
    "group by (handler) (prometheus_http_requests_total)",
    "count by (job) ({__name__=~\".+\"})",
    "max by (job) (process_start_time_seconds)",
    # Binary operators.
    "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "node_memory_MemFree_bytes / ignoring (x) node_memory_MemTotal_bytes * 100 > 0.5",
    "rate(node_cpu_seconds_total[10s]) / ignoring (mode) group_left () sum without (mode) (rate(node_cpu_seconds_total[10s]))",
    'node_load1 * on (instance) group_left (nodename, release) node_uname_info',
    "go_goroutines > bool 20",
    "node_load1 < node_load5 or node_load5 <= node_load1",
    'up unless on (job) prometheus_build_info',
    'process_open_fds and on (job) (up == 1)',
    "-node_load1 ^ 2 % 3 + 2 ^ 3 ^ 0.5",
    "(node_load1 atan2 node_load5) + 0",
    # Histograms and summaries.
    f"histogram_quantile(0.9, sum by (le, handler) (rate({HTTP}_bucket[15s])))",
    f"histogram_quantile(0.5, {HTTP}_bucket)",
    f"rate({HTTP}_sum[15s]) / rate({HTTP}_count[15s])",
    'go_gc_duration_seconds{quantile="0.5"}',
    # Labels, times, mathematics.
    'label_replace(up, "port", "$2", "instance", "(.*):(.*)")',
    'label_join(node_uname_info, "who", "/", "nodename", "machine")',
    "absent(node_load1)",
    'sort_desc(node_filesystem_size_bytes{mountpoint="/"} / 1024)',
    "clamp(clamp_min(clamp_max(node_load15, 100), -1), 0, 3) + round(node_load1, 0.05) + sgn(node_load5)",
    "ln(go_goroutines) + log2(go_goroutines) + sqrt(go_goroutines) + exp(go_goroutines / 100) + ceil(go_goroutines / 7)",
    "time() - timestamp(up)",
    "hour() + minute() * 60 + day_of_week(vector(time())) + days_in_month() + scalar(count(up))",
    "sum by (job) (day_of_year(process_start_time_seconds))",
    # What exporters seldom say: see `Made` in prometheus.py.
    'made_number',
    "made_number * 2 > -1e300",
    'label_replace(made_text_info, "copy", "<$1>", "text", "(?s)(.*)")',
    "rate(made_events_total[8s])",
    "histogram_quantile(0.75, rate(made_seconds_bucket[10s]))",
]
# These have nothing to say while all is well, or only once the exporter has gone.
MAY_BE_EMPTY = {"absent(node_load1)", "node_load1 < node_load5 or node_load5 <= node_load1"}
# What Prometheus tells of itself depends on whether it is itself that asks.
SELF_SEEN = ("prometheus_tsdb_head_active_appenders", "prometheus_remote_storage_", "prometheus_engine_")
# The order of the answer means something.
ORDERED = ("topk", "sort")


def known_differences(instant, on_grid, range_ms, late):
    """(what and why, query, time, what Prometheus 2 says, what we say): each as a list of values, or an error's part."""
    up = 'up{job="prometheus"}'
    count = f"count_over_time({up}[{range_ms}ms])"
    smoothing = f"{up}[20s], 0.5, 0.5"
    named = (f'count(label_replace(rate({up}[20s]), "was", "$1", "__name__", "(.+)") '
             'and on (was) label_replace(vector(1), "was", "up", "", ""))')
    return [
        ("a range is open on its left since Prometheus 3: a sample at its very start is not in it",
         count, on_grid, lambda theirs, ours: float(theirs[0]) == float(ours[0]) + 1),
        ("holt_winters is called double_exponential_smoothing since Prometheus 3",
         f"holt_winters({smoothing})", instant, lambda theirs, ours: theirs == ["1"] and "holt_winters" in ours),
        ("its new name",
         f"double_exponential_smoothing({smoothing})", instant,
         lambda theirs, ours: "unknown function" in theirs and ours == ["1"]),
        ("a metric's name goes at the end of the query (promql-delayed-name-removal of Prometheus 3)",
         named, instant, lambda theirs, ours: theirs == [] and ours == ["1"]),
        ("atan2 drops the metric's name since Prometheus 3",
         f"{up} atan2 up", instant, lambda theirs, ours: theirs[0].startswith("up 0.785") and ours[0].startswith("0.785")),
        ("a counter that begins in the range is taken back to 0 by half an interval at the most since Prometheus 3, by "
         "1.1 intervals before", f"increase(made_late_total[{LATE_S + 4}s])", late,
         lambda theirs, ours: float(theirs[0]) - float(ours[0]) > 0.2),
        ("Prometheus' remote write leaves out a value that equals 0, and with it the sign of -0",
         'made_number{which="zero"}', instant, lambda theirs, ours: theirs == ["made_number -0"] and ours == ["made_number 0"]),
        ("names in quotes since Prometheus 3",
         '{"up", job="prometheus"}', instant, lambda theirs, ours: "parse error" in theirs and ours == ["up 1"]),
        ("seconds for durations since Prometheus 3",
         f"last_over_time({up}[20])", instant, lambda theirs, ours: "parse error" in theirs and ours == ["up 1"]),
    ]


def _list_of(kind):
    return lambda data: isinstance(data, list) and bool(data) and all(isinstance(one, kind) for one in data)


def _rules(data, kinds):
    """The shipped groups, with rules of these kinds and each of them."""
    rules = [rule for group in data["groups"] for rule in group["rules"]]
    shaped = all(group["name"] and group["file"] and group["interval"] > 0 for group in data["groups"])
    return shaped and {rule["type"] for rule in rules} == kinds and all(rule["query"] for rule in rules)


def _metadata(data):
    entries = data["node_cpu_seconds_total"]
    return entries[0]["type"] == "counter" and entries[0]["help"] != "" and entries[0]["unit"] == ""


def probes(start, end):
    """(path, parameters, methods, status, check of `data`, or of the whole answer where it is an error)."""
    times = {"start": start, "end": end}
    both, get = ("GET", "POST"), ("GET",)
    selector = {"match[]": ['{__name__="node_cpu_seconds_total"}']}
    hour = {"start": end - 3600, "end": end, "step": "15s"}
    return [
        # The health check of the data source, and panels.
        ("query", {"query": "1+1", "time": end}, both, 200,
         lambda data: data["resultType"] == "scalar" and data["result"][1] == "2"),
        ("query", {"query": "up", "time": end, "timeout": "30s", "limit": 1, "lookback_delta": "1m", "stats": "all"}, both, 200,
         lambda data: data["resultType"] == "vector" and len(data["result"]) == 1),
        ("query", {"query": '"text"'}, both, 200,
         lambda data: data["resultType"] == "string" and data["result"][1] == "text"),
        ("query_range", {"query": "up", **hour, "timeout": "60s"}, both, 200,
         lambda data: data["resultType"] == "matrix" and data["result"][0]["values"][0][1] in "01"),
        ("query_range", {"query": "1", **hour}, both, 200, lambda data: len(data["result"][0]["values"]) == 241),
        # What the data source can do.
        ("query_exemplars", {"query": "test", **times}, both, 200, lambda data: data == []),
        ("status/buildinfo", {}, get, 200,
         lambda data: data["version"].split(".")[0] == "3" and "features" not in data),
        ("rules", {}, get, 200, lambda data: _rules(data, {"alerting", "recording"})),
        ("rules", {"type": "record", "group_limit": 100, "exclude_alerts": "true"}, get, 200,
         lambda data: _rules(data, {"recording"})),
        # The editor, and variables.
        ("metadata", {}, get, 200, _metadata),
        ("metadata", {"limit": 40000}, get, 200, _metadata),
        ("metadata", {"metric": "node_cpu_seconds_total", "limit_per_metric": 1}, get, 200,
         lambda data: list(data) == ["node_cpu_seconds_total"] and _metadata(data)),
        ("labels", {**times, "limit": 40000}, both, 200,
         lambda data: {"__name__", "job", "le"} <= set(data) and data == sorted(data)),
        ("labels", {**times, **selector, "limit": 40000}, both, 200,
         lambda data: data == ["__name__", "cpu", "instance", "job", "mode"]),
        ("labels", {**times, "limit": 2}, both, 200, lambda data: len(data) == 2),
        ("label/__name__/values", {**times, "limit": 40000}, get, 200, lambda data: "up" in data and data == sorted(data)),
        ("label/mode/values", {**times, **selector, "limit": 40000}, get, 200, lambda data: "idle" in data),
        ("label/U__mode/values", {**times, "limit": 1}, get, 200, lambda data: len(data) == 1),
        ("label/U__no_2e_such/values", times, get, 200, lambda data: data == []),
        ("series", {**times, **selector, "limit": 40000}, both, 200,
         lambda data: _list_of(dict)(data) and {one["__name__"] for one in data} == {"node_cpu_seconds_total"}),
        ("series", {**times, "match[]": ["up", 'node_load1{job="node"}'], "limit": 3}, both, 200, lambda data: len(data) == 3),
        ("format_query", {"query": "sum(up)by(job)"}, both, 200, lambda data: data == "sum by (job) (up)"),
        ("parse_query", {"query": "sum(up)"}, both, 200, lambda data: data["type"] == "aggregation"),
        # Lists that are there and empty, and what the server tells of itself.
        ("alerts", {}, get, 200, lambda data: data["alerts"] == []),
        ("alertmanagers", {}, get, 200, lambda data: data["activeAlertmanagers"] == []),
        ("targets", {"state": "active"}, get, 200, lambda data: data["activeTargets"] == []),
        ("status/config", {}, get, 200, lambda data: "yaml" in data),
        ("status/flags", {}, get, 200, lambda data: isinstance(data, dict)),
        ("status/runtimeinfo", {}, get, 200, lambda data: "storageRetention" in data),
        ("status/tsdb", {"limit": 5}, get, 200,
         lambda data: data["headStats"]["numSeries"] > 500 and len(data["seriesCountByMetricName"]) == 5),
        # Mistakes.
        ("query", {"query": "rate(up)"}, both, 400, lambda answer: answer["errorType"] == "bad_data"),
        ("query", {"query": "up", "time": "soon"}, both, 400, lambda answer: answer["errorType"] == "bad_data"),
        ("query_range", {"query": "up", **times, "step": "0"}, both, 400, lambda answer: answer["errorType"] == "bad_data"),
        ("query_range", {"query": "up", "start": 0, "end": end, "step": "1"}, both, 400,
         lambda answer: "11,000 points" in answer["error"]),
        ("query", {"query": "up * on () up", "time": end}, both, 422, lambda answer: answer["errorType"] == "execution"),
        ("series", times, both, 400, lambda answer: "match[]" in answer["error"]),
    ]
