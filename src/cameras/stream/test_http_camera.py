"""An HTTP camera for tests, good and bad: prints its port, ends with its standard input.

usage: test_http_camera.py SMALL.jpg LARGE.jpg [STREAM.ts...]
/mjpeg        SMALL 25 times a second, for ever      /sizes      SMALL and LARGE in turn, one second each
/cut          three pictures, then closes            /stall      ten pictures, then silence
/truncated    pictures that break off                /noise      parts that are no pictures
/flood        a part's header without end            /login      401 without bob:hunter2
/ts           the STREAMs one after the other, paced, without a length
/silence      accepts and says nothing               /junk       no HTTP at all
/counted      how many connections there were
"""
import base64
import http.server
import os
import sys
import threading
import time

PARTS = "multipart/x-mixed-replace; boundary=--frame"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_):
        pass

    def begin(self, kind=PARTS):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()

    def part(self, picture):
        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(picture), picture))
        time.sleep(0.04)

    def do_GET(self):
        self.server.connections += 1
        try:
            self.answer(self.path[1:].partition("?")[0])
        except OSError:
            pass

    def answer(self, kind):
        small, large = self.server.pictures
        if kind == "login":
            wanted = "Basic " + base64.b64encode(b"bob:hunter2").decode()
            if self.headers.get("Authorization") != wanted:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            kind = "mjpeg"
        if kind == "mjpeg":
            self.begin()
            while True:
                self.part(small)
        elif kind == "sizes":
            self.begin()
            while True:
                for picture in (small, large):
                    for _ in range(25):
                        self.part(picture)
        elif kind == "cut":
            self.begin()
            head = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n" % (len(small), small)
            self.wfile.write(head * 3)
        elif kind == "stall":
            self.begin()
            for _ in range(10):
                self.part(small)
            self.rfile.read(1)
        elif kind == "truncated":
            self.begin()
            for i in range(10_000):
                self.part(small if i % 5 == 0 else small[:len(small) // 2])
        elif kind == "noise":
            self.begin()
            while True:
                self.part(os.urandom(5000))
        elif kind == "flood":
            self.begin()
            self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\n")
            while True:
                self.wfile.write(b"X-Flood: " + b"a" * 60_000)
        elif kind == "ts":
            self.begin("video/mp2t")
            for stream in self.server.streams:
                for i in range(0, len(stream), 1880):
                    self.wfile.write(stream[i:i + 1880])
                    time.sleep(0.004)
        elif kind == "silence":
            self.rfile.read(1)
        elif kind == "junk":
            self.wfile.write(os.urandom(100_000))
        elif kind == "counted":
            self.begin("text/plain")
            self.wfile.write(str(self.server.connections).encode())
        else:
            self.send_error(404)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    connections = 0

    def handle_error(self, *_):
        pass


def main():
    def bytes_of(path):
        with open(path, "rb") as file:
            return file.read()

    server = Server(("127.0.0.1", 0), Handler)
    server.pictures = [bytes_of(path) for path in sys.argv[1:3]]
    server.streams = [bytes_of(path) for path in sys.argv[3:]]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
