"""A process that resolves queries for Sluice: the standard library and docs/queries.md, nothing else.

    python3 resolver.py SECRET [PORT]

Prints the port it listens on. Knows `issuesOf` with {"project": number}: the issues of a project that belong to who asks.
"""

import base64
import hashlib
import hmac
import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = sys.argv[1].encode()
CLOCK_S_MAX = 300


def is_signed(headers, body):
    """Standard Webhooks: the signature is of id, time and body; an old one could be a replay."""
    sent = headers.get("webhook-timestamp", "0")
    if abs(time.time() - int(sent)) > CLOCK_S_MAX:
        return False
    content = f"{headers.get('webhook-id')}.{sent}.".encode() + body
    mac = base64.b64encode(hmac.new(SECRET, content, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split()
    return any(hmac.compare_digest(f"v1,{mac}", one) for one in given)


def resolve(name, args, ctx):
    """Status and answer."""
    if name == "nonsense":
        return 200, {"query": "SELECT 1"}
    if name == "broken":
        return 500, {"detail": "a secret of the process"}
    if name != "issuesOf":
        return 404, {"detail": "unknown"}
    if not isinstance(args, dict) or not isinstance(args.get("project"), int):
        return 422, {"detail": "project: must be a number"}
    return 200, {
        "sql": "SELECT id, owner, at FROM issue WHERE project_id = $1 AND owner = $2 ORDER BY id",
        "params": [args["project"], ctx["claims"]["sub"]],
        "shape": {
            "columns": [
                {"path": ["id"], "value": "number"},
                {"path": ["owner", "name"], "value": "text"},
                {"path": ["owner", "since"], "value": "date"},
            ]
        },
    }


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        if is_signed(self.headers, body):
            call = json.loads(body)
            status, answer = resolve(call["name"], call.get("args"), call["ctx"])
        else:
            status, answer = 401, {"detail": "the signature is wrong"}
        text = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
