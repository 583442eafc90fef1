"""Reads a trace of the collector (strace -f -yy) and checks the order of syncs, replies, renames and unlinks.

Usage: strace_order.py TRACE ACKNOWLEDGED
A call counts from its first line on, and as done at the line where it returned.
"""

import json
import re
import sys

CALL = re.compile(r"^(\d+) +(\w+)\((.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>(.*)$")
RESULT = re.compile(r"= (-?\d+)[^=]*$")
FD = re.compile(r"^(\d+)<(.*?)>(?:, |\)| <unfinished|$)")


class Call:
    def __init__(self, name, text, begun):
        self.name, self.text, self.begun, self.done, self.result = name, text, begun, None, None
        match = FD.match(text)
        self.fd, self.path = (match.group(1), match.group(2)) if match else (None, "")

    def finish(self, text, line):
        self.text += text
        match = RESULT.search(self.text)
        self.done, self.result = line, int(match.group(1)) if match else None

    def ok(self):
        return self.done is not None and self.result is not None and self.result >= 0


def parse(path):
    calls, open_calls = [], {}
    with open(path, errors="replace") as trace:
        for number, line in enumerate(trace):
            line = line.rstrip("\n")
            resumed = RESUMED.match(line)
            if resumed:
                call = open_calls.pop(resumed.group(1), None)
                if call:
                    call.finish(resumed.group(3), number)
                continue
            begun = CALL.match(line)
            if not begun:
                continue
            call = Call(begun.group(2), begun.group(3), number)
            calls.append(call)
            if line.endswith("<unfinished ...>"):
                open_calls[begun.group(1)] = call
            else:
                call.finish("", number)
    return calls


SYNCS = ("fsync", "fdatasync")
WRITES = ("write", "writev", "pwrite64", "sendto", "sendmsg")
READS = ("read", "recvfrom", "recvmsg")
NAMES = ("rename", "renameat", "renameat2", "link", "linkat")


def quoted(call):
    """The paths that a call on names was given."""
    return re.findall(r'"((?:[^"\\]|\\.)*)"', call.text)


def is_socket(call):
    return call.path.startswith(("TCP", "TCPv6", "socket"))


def synced_between(calls, path, after, before):
    """Whether the path was synced as a whole after one line and before another."""
    return any(c.name in SYNCS and c.ok() and c.path == path and c.begun > after and c.done < before for c in calls)


def check_acknowledgements(calls, problems):
    """Each marker: arrived, written to a segment, synced, answered, in this order."""
    checked = 0
    arrivals = {}
    for call in calls:
        if call.name in READS and is_socket(call):
            for marker in re.findall(r"marker-\d+-end", call.text):
                arrivals.setdefault(marker, call)
    for marker, arrival in arrivals.items():
        written = [c for c in calls if c.name in WRITES and c.path.endswith(".segment") and marker in c.text]
        replies = [
            c for c in calls
            if c.name in WRITES and c.path == arrival.path and c.begun > arrival.begun and "HTTP/1.1 " in c.text
        ]
        if not written or not replies:
            problems.append(f"{marker}: no journal write or no reply found")
            continue
        if "HTTP/1.1 200" not in replies[0].text:
            continue
        checked += 1
        if not synced_between(calls, written[0].path, written[0].done, replies[0].begun):
            problems.append(f"{marker}: answered at line {replies[0].begun} before its journal was synced")
    return checked


def directory(path):
    return path.rsplit("/", 1)[0]


def check_names(calls, problems):
    """Each blob that gets its name was synced before; its directory is synced after. Gives name -> line of that sync."""
    durable = {}
    for call in calls:
        paths = quoted(call)
        if call.name not in NAMES or not call.ok() or len(paths) < 2 or "/blobs/" not in paths[1]:
            continue
        source, target = paths[0], paths[1]
        writes = [c for c in calls if c.name in WRITES and c.path == source and c.begun < call.begun]
        last_write = writes[-1].done if writes else -1
        if not synced_between(calls, source, last_write, call.begun):
            problems.append(f"{target} got its name at line {call.begun} before its bytes were synced")
        syncs = [c.done for c in calls if c.name in SYNCS and c.ok() and c.path == directory(target) and c.begun > call.done]
        if syncs:
            durable[target.split("/blobs/")[1]] = syncs[0]
        else:
            problems.append(f"the directory of {target} was not synced after line {call.done}")
    return durable


def documents(text):
    """The seal documents in a page of the document store: (manifest, sealed offset). Old ones may linger in free space."""
    for body in re.findall(r'\{[^{}]*"sealed_offset"[^{}]*\}', text.replace('\\"', '"')):
        try:
            document = json.loads(body)
        except ValueError:
            continue
        if document.get("manifest"):
            yield document["manifest"], document["sealed_offset"]


def listed_splits(calls, manifest):
    """The splits that a manifest lists, from the write of its bytes."""
    names = set()
    for call in calls:
        if call.name in WRITES and f"/blobs/{manifest}" in call.path:
            names.update(re.findall(r"logs/\d+/[\w.-]+/[\w-]+\.split", call.text))
    return names


def check_documents(calls, durable, problems):
    """Each document names a manifest that is durable, with every split that it lists. Gives (offset, line of the
    commit's sync, line of its write)."""
    commits, seen = [], set()
    for call in calls:
        if call.name != "pwrite64" or not call.path.endswith("-wal"):
            continue
        for manifest, offset in documents(call.text):
            if manifest in seen:
                continue
            seen.add(manifest)
            syncs = [c.done for c in calls if c.name in SYNCS and c.ok() and c.path == call.path and c.begun > call.done]
            if not syncs:
                problems.append(f"the document of {manifest} was not synced")
                continue
            if durable.get(manifest, 1 << 60) > call.begun:
                problems.append(f"the document of {manifest} was written at line {call.begun}, its blob not durable")
            for split in listed_splits(calls, manifest):
                if durable.get(split, 1 << 60) > call.begun:
                    problems.append(f"the document at line {call.begun} lists {split}, which is not durable")
            commits.append((offset, syncs[0], call.begun))
    return commits


def check_unlinks(calls, commits, problems):
    """A segment goes only after a committed document covers all of its records. Gives how many went."""
    names = [p for c in calls for p in quoted(c) if c.name in NAMES and p.endswith(".segment")]
    firsts = sorted({int(re.search(r"(\d+)\.segment$", name).group(1)) for name in names})
    gone = 0
    for call in calls:
        paths = quoted(call)
        if call.name not in ("unlink", "unlinkat") or not call.ok() or not paths or not paths[0].endswith(".segment"):
            continue
        first = int(re.search(r"(\d+)\.segment$", paths[0]).group(1))
        following = [other for other in firsts if other > first]
        last = following[0] - 1 if following else None
        covered = [line for offset, line, _ in commits if last is not None and offset >= last and line < call.begun]
        gone += 1
        if not covered:
            problems.append(f"{paths[0]} was removed at line {call.begun} before a committed document covered it")
    return gone


def main():
    calls, problems = parse(sys.argv[1]), []
    acknowledged = check_acknowledgements(calls, problems)
    durable = check_names(calls, problems)
    commits = check_documents(calls, durable, problems)
    gone = check_unlinks(calls, commits, problems)
    for enough, what in [
        (acknowledged >= int(sys.argv[2]) > 0, f"{acknowledged} of {sys.argv[2]} acknowledgements were followed"),
        (len(commits) >= 2, f"{len(commits)} document commits were seen"),
        (gone >= 1, f"{gone} journal segments were removed"),
    ]:
        if not enough:
            problems.append(f"too little to judge: {what}")
    splits = sum(name.endswith(".split") for name in durable)
    print(f"{len(calls)} calls: {acknowledged} acknowledgements, {splits} splits, {len(commits)} document commits, "
          f"{gone} journal segments removed")
    for problem in problems[:20]:
        print(f"violation: {problem}")
    print("verdict: " + (f"{len(problems)} violations" if problems else "every sync came before what relies on it"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
