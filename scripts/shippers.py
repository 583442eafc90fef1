"""Sends records with unmodified log shippers and checks that each of them is found by a search.

    shippers.py URL PASSWORD [TOKEN] [SHIPPER…]

URL is a collector's, PASSWORD its admin's, TOKEN the ingest token of `default` ("" for none). Shippers: rsyslog
(omelasticsearch), elasticsearch (the official client, in the version that is installed), loki (python-logging-loki).
scripts/shippers.sh installs them and starts a collector.
"""

import json
import logging
import logging.handlers
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

COUNT = 200
RSYSLOG_CONFIG = """
global(workDirectory="{directory}" net.enableDNS="off")
module(load="imuxsock" SysSock.Use="off")
module(load="omelasticsearch")
input(type="imuxsock" Socket="{directory}/log.sock" CreatePath="on")
template(name="document" type="list") {{
  constant(value="{{")
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  constant(value=",")
  property(outname="host" name="hostname" format="jsonf")
  constant(value=",")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  constant(value=",")
  property(outname="programname" name="programname" format="jsonf")
  constant(value=",")
  property(outname="message" name="msg" format="jsonf")
  constant(value="}}")
}}
action(type="omelasticsearch" server="{url}/elasticsearch" template="document" searchIndex="logs-syslog" {mode}
  {login} errorFile="{directory}/errors" action.resumeRetryCount="-1" action.resumeInterval="1")
"""
# One request for many records, and one for each.
RSYSLOG_MODES = {
    "bulk": 'searchType="" bulkmode="on"',
    "single": 'searchType="_doc" bulkmode="off"',
}


class Collector:
    def __init__(self, url, password, token):
        self.url, self.token = url.rstrip("/"), token
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        passwords.add_password(None, self.url, "admin", password, is_authenticated=True)
        # No proxy of this machine's environment: the collector is here.
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPBasicAuthHandler(passwords)
        self.opener = urllib.request.build_opener(*handlers)

    def search(self, query):
        parameters = urllib.parse.urlencode({"query": query, "limit": 1000})
        with self.opener.open(f"{self.url}/api/v1/narrows/logs/search?{parameters}", timeout=30) as answer:
            return json.load(answer)

    def expect(self, what, query, count, **fields):
        """Within 20 s so many records match, and all of them say this."""
        until = time.monotonic() + 20
        while True:
            found = self.search(query)
            if found["matched"] == count:
                break
            if time.monotonic() > until:
                sys.exit(f"error: {what}: {query}: {found['matched']} records, not {count}")
            time.sleep(0.1)
        for record in found["records"]:
            wrong = {name: record[name] for name, value in fields.items() if record[name] != value}
            if wrong:
                sys.exit(f"error: {what}: {wrong} instead of {fields} in {record}")
        print(f"ok  {what}: {count} records")


def rsyslog(collector, mark):
    """rsyslog's own daemon, with and without bulk requests."""
    program = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
    if not program:
        sys.exit("error: there is no rsyslogd: apt-get install rsyslog rsyslog-elasticsearch")
    for name, mode in RSYSLOG_MODES.items():
        with tempfile.TemporaryDirectory() as directory:
            login = f'uid="any" pwd="{collector.token}"' if collector.token else ""
            config = RSYSLOG_CONFIG.format(directory=directory, url=collector.url, mode=mode, login=login)
            path = pathlib.Path(directory, "rsyslog.conf")
            path.write_text(config)
            daemon = subprocess.Popen([program, "-n", "-f", path, "-i", path.with_suffix(".pid")], env=without_proxies())
            try:
                send_to_syslog(f"{directory}/log.sock", f"{mark}{name}")
                query = f"{mark}{name} elasticsearch.index:logs-syslog"
                collector.expect(f"rsyslog, {name}", query, COUNT, service="checkout", severity="warning")
                errors = pathlib.Path(directory, "errors")
                if errors.exists():
                    sys.exit(f"error: rsyslog, {name}: {errors.read_text()[:2000]}")
            finally:
                daemon.terminate()
                daemon.wait(timeout=20)


def send_to_syslog(socket, mark):
    until = time.monotonic() + 20
    while not os.path.exists(socket):
        if time.monotonic() > until:
            sys.exit("error: rsyslogd did not start")
        time.sleep(0.05)
    handler = logging.handlers.SysLogHandler(address=socket)
    handler.ident = "checkout: "
    logger = quiet_logger("syslog", handler)
    for number in range(COUNT):
        logger.warning('cart %s "%d" is lost', mark, number)
    handler.close()


def elasticsearch(collector, mark):
    """The official client: handshake, helpers.bulk, single documents, a refresh that is a barrier."""
    import elasticsearch as package
    from elasticsearch import helpers

    version = ".".join(map(str, package.__version__))
    key = {"api_key": ("any", collector.token)} if collector.token else {}
    with package.Elasticsearch(f"{collector.url}/elasticsearch", **key) as client:
        assert client.info()["tagline"] == "You Know, for Search"
        assert client.ping() and client.cluster.health()["status"] == "green"
        documents = (
            {
                "_op_type": "create",
                "_index": "logs-shop-default",
                "@timestamp": round(time.time() * 1000),
                "message": f"cart {mark} {number} is lost",
                "log": {"level": "error", "logger": "shop.cart"},
                "service": {"name": "shop", "version": "2"},
                "host": {"name": "app-1"},
                "cart": {"items": number, "tags": ["a", "b"]},
            }
            for number in range(COUNT)
        )
        stored, failed = helpers.bulk(client, documents, chunk_size=50, refresh="wait_for")
        assert (stored, failed) == (COUNT, []), failed
        found = collector.search(f"{mark} cart.items>=100")
        assert found["matched"] == COUNT // 2, f"visible when the bulk is answered: {found['matched']}"
        one = client.index(index="logs-shop-default", id="7", document={"message": f"single{mark}"}, refresh=True)
        assert one["result"] == "created" and one["_id"] == "7", one
        assert collector.search(f"single{mark} elasticsearch.id:7")["matched"] == 1
        change = {"_op_type": "update", "_index": "logs-shop-default", "_id": "7", "doc": {"message": "changed"}}
        stored, failed = helpers.bulk(client, [change], raise_on_error=False)
        assert stored == 0 and failed[0]["update"]["status"] == 400, failed
    fields = {"service": "shop", "host": "app-1", "severity": "error"}
    collector.expect(f"elasticsearch-py {version}", f"cart {mark} log.logger:shop.cart", COUNT, **fields)


def loki(collector, mark):
    """python-logging-loki, the JSON form of a push."""
    import logging_loki

    failures = []
    auth = ("any", collector.token) if collector.token else None
    tags = {"app": "shop", "instance": "app-1:9080"}
    handler = logging_loki.LokiHandler(f"{collector.url}/loki/api/v1/push", tags=tags, auth=auth, version="1")
    handler.handleError = lambda record: failures.append(sys.exc_info()[1])
    logger = quiet_logger("shop.cart", handler)
    for number in range(COUNT):
        logger.warning("cart %s %d is lost", mark, number, extra={"tags": {"cart": number}})
    assert not failures, failures[0]
    fields = {"service": "shop", "host": "app-1", "severity": "warning"}
    collector.expect("python-logging-loki", f"cart {mark} logger:shop.cart cart>=0", COUNT, **fields)


def quiet_logger(name, handler):
    logger = logging.getLogger(name)
    logger.propagate = False
    logger.setLevel(logging.INFO)
    logger.handlers = [handler]
    return logger


def without_proxies():
    return {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}


SHIPPERS = {"rsyslog": rsyslog, "elasticsearch": elasticsearch, "loki": loki}


def main():
    if len(sys.argv) < 3 or any(name not in SHIPPERS for name in sys.argv[4:]):
        sys.exit(__doc__)
    url, password, token = (*sys.argv[1:4], "")[:3]
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]
    collector = Collector(url, password, token)
    for name in sys.argv[4:] or SHIPPERS:
        # A word that no other run has sent.
        mark = "".join(random.choices("bcdfghjklmnpqrstvwxz", k=12))
        SHIPPERS[name](collector, mark)


if __name__ == "__main__":
    main()
