"""An HTTP server for tests that takes POST requests: prints its port, serves until its standard input closes.

usage: request_server.py [--tls CERTIFICATE KEY] [--secret SECRET] [--port N]
POST /status/N    that status code              /hang          never answers
     /cut         closes without an answer      /close_after   answers 200, then closes without saying so
     /long        answers 200 with 10 MB        /garbage       no HTTP at all
     /redirect    307 to /status/200            /slow/MS       200 after so many milliseconds
     /times/N     503 for the first N requests of each body, then 200
GET  /received    a JSON list: path, body, type, signed (true, false; null without a signature),
              signature, authorization
     /connections how many connections there were
"""
import hashlib
import hmac
import http.server
import json
import sys
import threading
import time

from test_server import serve

received, lock = [], threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    secret = ""

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **fields):
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def signed(self, body):
        signature = self.headers.get("X-Sightline-Signature")
        if signature is None:
            return None
        parts = dict(part.split("=", 1) for part in signature.split(","))
        wanted = hmac.new(self.secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300

    def do_GET(self):
        with lock:
            text = json.dumps(received if self.path == "/received" else self.server.connections)
        self.answer(200, text.encode())

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        _, kind, *rest = self.path.split("?")[0].split("/")
        number = int(rest[0]) if rest and rest[0].isdigit() else 0
        with lock:
            received.append({"path": self.path, "body": body.decode(), "type": self.headers.get("Content-Type"),
                             "signed": self.signed(body), "signature": self.headers.get("X-Sightline-Signature"),
                             "authorization": self.headers.get("Authorization")})
            times = sum(1 for one in received if one["body"] == body.decode())
        if kind == "status":
            self.answer(number)
        elif kind == "hang":
            self.rfile.read(1)
            self.close_connection = True
        elif kind == "cut":
            self.close_connection = True
        elif kind == "close_after":
            self.answer(200)
            self.close_connection = True
        elif kind == "long":
            self.answer(200, b"x" * 10_000_000)
        elif kind == "garbage":
            self.wfile.write(b"SSH-2.0-something\r\n\r\n")
            self.close_connection = True
        elif kind == "redirect":
            self.answer(307, Location="/status/200")
        elif kind == "slow":
            time.sleep(number / 1000)
            self.answer(200)
        elif kind == "times":
            self.answer(503 if times <= number else 200)
        else:
            self.answer(404)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    connections = 0

    def get_request(self):
        self.connections += 1
        return super().get_request()

    def handle_error(self, *_):
        pass


def main():
    arguments = sys.argv[1:]
    port = int(arguments[arguments.index("--port") + 1]) if "--port" in arguments else 0
    server = Server(("127.0.0.1", port), Handler)
    if "--secret" in arguments:
        Handler.secret = arguments[arguments.index("--secret") + 1]
    serve(server, arguments)


if __name__ == "__main__":
    main()
