"""A client for Sluice over Server-Sent Events in delta mode: the standard library and docs/protocol.md, nothing else.

    python3 sse_client.py http://127.0.0.1:4400 < queries.json

Reads a JSON list of {"sql": ..., "params": [...]} and prints, after every move, one line of JSON: the position, and for
each query that has an answer there its index, its gear, and rows, or the error that Postgres raises. Rows are left out
while they are the same as in the line before.
"""

import http.client
import json
import random
import sys
import time
from urllib.parse import urlsplit

# A comment comes at least every 15 s: twice that without a byte means that the connection is dead.
SILENCE_S = 30
RETRY_S_MAX = 1.0


class Lost(Exception):
    """The stream has to be opened again."""


class Gone(Exception):
    """The server does not know the subscription any more: subscribe again."""


class View:
    """The rows of one view, and how it stands. Keys are opaque; their order matters only in ordered views."""

    def __init__(self, ordered):
        self.ordered = ordered
        self.rows = {}
        self.order = []
        self.version = None
        self.state = "loading"
        self.at = None
        self.error = None
        self.changes = 0

    def apply(self, message):
        kind = message["kind"]
        if kind == "rows":
            self.rows = {key: row for key, row in message["rows"]}
            self.order = [key for key, _ in message["rows"]]
            self.version = message["at"]
        elif kind == "delta":
            for op in message["ops"]:
                self._operate(*op)
            self.version = message["to"]
        self.changes += 1

    def _operate(self, op, key, row=None, *after):
        if op == "del":
            if self.rows.pop(key, None) is not None:
                self.order.remove(key)
            return
        known = key in self.rows
        self.rows[key] = row if op == "put" else edited(self.rows[key], row)
        if not after:
            if not known:
                self.order.append(key)
            return
        if known:
            self.order.remove(key)
        place = 0 if after[0] is None else self.order.index(after[0]) + 1
        self.order.insert(place, key)

    def contents(self):
        return [self.rows[key] for key in self.order]


def edited(row, columns):
    """The row with some columns changed: to a new text, to null, or by splices of the text that is held."""
    row = list(row)
    for column, to in columns:
        row[column] = spliced(row[column], to) if isinstance(to, list) else to
    return row


def spliced(text, splices):
    units, parts, at = text.encode("utf-16-le"), [], 0
    for start, removed, inserted in splices:
        parts += [units[2 * at : 2 * start], inserted.encode("utf-16-le")]
        at = start + removed
    return b"".join(parts + [units[2 * at :]]).decode("utf-16-le")


class Client:
    def __init__(self, url, queries):
        parts = urlsplit(url)
        self.host, self.port = parts.hostname, parts.port
        self.queries = queries
        self.stream = None
        self.edits = False
        self.position = None  # of the last move: never goes back
        self.views = {}  # by the server's name
        self.held = {}  # index of the query -> view name
        self.gears = {}
        self.staged = []
        self.printed = {}

    def run(self):
        wait = 0.05
        while True:
            try:
                if self.stream is None:
                    self.subscribe()
                self.listen()
            except Gone:
                self.stream = None
                continue
            except (Lost, OSError, http.client.HTTPException):
                pass
            time.sleep(random.uniform(0, wait))
            wait = RETRY_S_MAX if self.position is None else min(RETRY_S_MAX, 2 * wait)

    def subscribe(self):
        body = json.dumps({"subscriptions": [dict(query, id=i) for i, query in enumerate(self.queries)]})
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SILENCE_S)
        try:
            connection.request("POST", "/sluice/subscribe", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        error = answer.get("error")
        if error is not None:
            if not error.get("retry"):
                sys.exit("refused: %s %s" % (error["code"], error.get("detail", "")))
            raise Lost(error["code"])
        for view in answer["views"]:
            refused = view.get("error")
            if refused is not None and not refused.get("retry"):
                sys.exit("refused: %s %s" % (refused["code"], refused.get("detail", "")))
            if refused is not None:
                raise Lost(refused["code"])
        self.views, self.held, self.printed = {}, {}, {}
        for view in answer["views"]:
            self.hold(view)
        self.stream = answer["subscription_id"]

    def hold(self, message):
        """A subscription has a view: that of the answer to the POST, or a `subscribed` of the stream."""
        name = message["view"]
        if name not in self.views:
            self.views[name] = View(message["shape"]["ordered"])
        self.held[message["id"]] = name
        self.gears[message["id"]] = message["gear"]

    def listen(self):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=SILENCE_S)
        self.staged = []  # what was staged after the last move is dropped
        for view in self.views.values():
            view.state = "loading"
        try:
            headers = {"Accept": "text/event-stream"}
            if self.position is not None:
                headers["Last-Event-ID"] = self.position
            # Every other stream, so that both ways are taken.
            self.edits = not self.edits
            mode = "mode=deltas&edits=true" if self.edits else "mode=deltas"
            connection.request("GET", "/sluice/subscriptions/%s/events?%s" % (self.stream, mode), None, headers)
            response = connection.getresponse()
            if response.status == 404:
                raise Gone()
            if response.status != 200:
                raise Lost("status %d" % response.status)
            data = []
            for line in response:
                line = line.decode("utf-8").rstrip("\r\n")
                if line.startswith("data:"):
                    data.append(line[5:].removeprefix(" "))
                elif line == "" and data:
                    self.receive(json.loads("\n".join(data)))
                    data = []
            raise Lost("the stream has ended")
        finally:
            connection.close()

    def receive(self, message):
        kind = message["kind"]
        if kind == "subscribed":
            self.hold(message)
            self.views[message["view"]].state = "loading"
        elif kind in ("rows", "delta"):
            self.stage(message)
        elif kind == "move":
            self.move(message)
        elif kind == "error":
            if not message["error"].get("retry"):
                sys.exit("refused: %s %s" % (message["error"]["code"], message["error"].get("detail", "")))
            raise Gone()
        elif kind == "goaway":
            time.sleep(message["afterMs"] / 1000)
            raise Gone()
        elif kind not in ("hello", "pong") and not message.get("optional"):
            raise Lost("unknown kind %s" % kind)

    def stage(self, message):
        view = self.views.get(message["view"])
        if view is None:
            return
        if message["kind"] == "delta":
            last = [held for held in self.staged if held["view"] == message["view"]]
            version = (last[-1].get("to") or last[-1]["at"]) if last else view.version
            if message["from"] != version:
                raise Gone()  # the chain is broken: start over
        self.staged.append(message)

    def move(self, message):
        for staged in self.staged:
            self.views[staged["view"]].apply(staged)
        self.staged = []
        for name in message.get("current", ()):
            self.stand(name, "current")
        for name, error in message.get("errors", ()):
            self.stand(name, "error", error=error)
        for name, position in message.get("behind", ()):
            view = self.views.get(name)
            failing = dict(message.get("errors", ())).get(name)
            if view is not None:
                self.stand(name, "behind", at=position, error=failing)
        self.position = message["position"]
        self.show()

    def stand(self, name, state, at=None, error=None):
        view = self.views.get(name)
        if view is not None:
            view.state, view.at, view.error = state, at, error

    def show(self):
        views = []
        for index, name in sorted(self.held.items()):
            view = self.views[name]
            if view.state == "loading":
                continue
            shown = {"index": index, "gear": self.gears[index], "behind": view.at if view.state == "behind" else None}
            if view.error is not None:
                shown["error"] = "%s %s" % (view.error["code"], view.error.get("detail", ""))
                self.printed.pop(index, None)
            elif self.printed.get(index) != view.changes:
                shown["rows"] = view.contents()
                self.printed[index] = view.changes
            views.append(shown)
        print(json.dumps({"position": self.position, "views": views}, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    Client(sys.argv[1], json.load(sys.stdin)).run()
