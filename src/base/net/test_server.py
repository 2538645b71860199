"""An HTTP server for tests: prints its port, serves until its standard input closes.

usage: test_server.py [--folder DIR] [--tls CERTIFICATE KEY]
/bytes/N        N bytes, byte i is (i * 7) % 251       /file/NAME   a file of DIR, ranges honoured
/plainfile/NAME a file of DIR, ranges ignored          /status/N    that status code
/redirect?to=U  302 to U                               /chain/N     N redirects, then /bytes/10
/loop           redirects to itself                    /silent      accepts and never answers
/stall/N        N bytes of 1000, then silence          /cut/N       N bytes of 1000, then closes
/chunked/N      N bytes in chunks                      /chunked_cut chunks without an end
/huge           claims 10^12 bytes                     /endless     chunks without end
/gzip           claims compressed content              /garbage     no HTTP at all
/header_flood   a header without end                   /authorization  echoes that request header
"""
import http.server
import os
import ssl
import sys
import threading
import urllib.parse


def pattern(count):
    block = bytes((i * 7) % 251 for i in range(251))
    return (block * (count // 251 + 1))[:count]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = "."

    def log_message(self, *_):
        pass

    def head(self, code, length=None, **fields):
        self.send_response(code)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def chunks(self, blocks):
        self.head(200, Transfer_Encoding="chunked")
        for block in blocks:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))

    def send_folder_file(self, name, ranges):
        path = os.path.join(self.folder, os.path.basename(name))
        if not os.path.isfile(path):
            return self.head(404, 0)
        with open(path, "rb") as file:
            data = file.read()
        wanted = self.headers.get("Range")
        if wanted and ranges:
            first = int(wanted.split("=")[1].split("-")[0])
            if first >= len(data):
                return self.head(416, 0)
            self.head(206, len(data) - first, Content_Range=f"bytes {first}-{len(data) - 1}/{len(data)}")
            return self.wfile.write(data[first:])
        self.head(200, len(data), **({"Accept_Ranges": "bytes"} if ranges else {}))
        self.wfile.write(data)

    def do_GET(self):
        self.close_connection = True
        try:
            self.answer()
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self):
        parts = urllib.parse.urlsplit(self.path)
        kind, _, rest = parts.path[1:].partition("/")
        number = int(rest) if rest.isdigit() else 0
        if kind == "bytes":
            self.head(200, number)
            self.wfile.write(pattern(number))
        elif kind in ("file", "plainfile"):
            self.send_folder_file(urllib.parse.unquote(rest), kind == "file")
        elif kind == "status":
            self.head(number, 0)
        elif kind == "redirect":
            self.head(302, 0, Location=urllib.parse.parse_qs(parts.query)["to"][0])
        elif kind == "chain":
            self.head(301, 0, Location=f"/chain/{number - 1}" if number > 1 else "/bytes/10")
        elif kind == "loop":
            self.head(302, 0, Location="/loop")
        elif kind == "silent":
            self.rfile.read(1)
        elif kind == "stall":
            self.head(200, 1000)
            self.wfile.write(pattern(number))
            self.rfile.read(1)
        elif kind == "cut":
            self.head(200, 1000)
            self.wfile.write(pattern(number))
        elif kind == "chunked":
            data = pattern(number)
            self.chunks([data[i:i + 1000] for i in range(0, number, 1000)] + [b""])
        elif kind == "chunked_cut":
            self.chunks([pattern(500)])
        elif kind == "huge":
            self.head(200, 10**12)
            self.wfile.write(pattern(1000))
        elif kind == "endless":
            self.chunks(iter(lambda: pattern(100000), None))
        elif kind == "gzip":
            self.head(200, 3, Content_Encoding="gzip")
            self.wfile.write(b"abc")
        elif kind == "garbage":
            self.wfile.write(b"SSH-2.0-something\r\n\r\n")
        elif kind == "header_flood":
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            for i in range(1 << 20):
                self.wfile.write(b"X-%d: flood\r\n" % i)
        elif kind == "authorization":
            text = self.headers.get("Authorization", "none").encode()
            self.head(200, len(text))
            self.wfile.write(text)
        else:
            self.head(404, 0)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def serve(server, arguments):
    """With TLS where the arguments say so; tells its port and ends with standard input."""
    if "--tls" in arguments:
        at = arguments.index("--tls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(arguments[at + 1], arguments[at + 2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


def main():
    arguments = sys.argv[1:]
    if "--folder" in arguments:
        Handler.folder = arguments[arguments.index("--folder") + 1]
    serve(Server(("127.0.0.1", 0), Handler), arguments)


if __name__ == "__main__":
    main()
