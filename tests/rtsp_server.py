"""A camera for tests: serves one clip over RTSP (RTP interleaved in TCP), prints its port, ends with its standard input.

usage: rtsp_server.py CLIP [--password USER:PASSWORD] [--silent-after N]
"""
import base64
import os
import socket
import subprocess
import sys
import tempfile
import threading


def record(clip):
    """The RTP packets and the session description that ffmpeg makes of the clip."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(0.3)
    with tempfile.TemporaryDirectory() as folder:
        sdp = os.path.join(folder, "clip.sdp")
        port = receiver.getsockname()[1]
        program = subprocess.Popen(["ffmpeg", "-v", "error", "-i", clip, "-c", "copy", "-sdp_file", sdp, "-f", "rtp",
                                    f"rtp://127.0.0.1:{port}"], stdin=subprocess.DEVNULL)
        packets = []
        while True:
            try:
                packets.append(receiver.recv(65536))
            except socket.timeout:
                if program.poll() is not None:
                    break
        with open(sdp) as file:
            lines = [line.strip() for line in file if not line.startswith("SDP:")]
    # The port is the client's to ask for.
    return packets, [line.replace(f"m=video {port}", "m=video 0") for line in lines if line]


def serve(connection, packets, description, password, silent_after):
    stream = connection.makefile("rwb")
    while True:
        request = stream.readline().decode().split()
        if not request:
            return
        fields = {}
        while (line := stream.readline().decode().strip()):
            name, _, value = line.partition(":")
            fields[name.lower()] = value.strip()
        answer = [f"CSeq: {fields.get('cseq', '0')}"]
        body = b""
        code = "200 OK"
        wanted = "Basic " + base64.b64encode(password.encode()).decode() if password else None
        if wanted and fields.get("authorization") != wanted:
            code = "401 Unauthorized"
            answer.append('WWW-Authenticate: Basic realm="camera"')
        elif request[0] == "OPTIONS":
            answer.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
        elif request[0] == "DESCRIBE":
            body = ("\r\n".join(description) + "\r\na=control:track1\r\n").encode()
            answer += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif request[0] == "SETUP":
            if "interleaved" not in fields.get("transport", ""):
                code = "461 Unsupported transport"
            answer += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1;timeout=60"]
        else:
            answer.append("Session: 1")
        stream.write((f"RTSP/1.0 {code}\r\n" + "\r\n".join(answer) + "\r\n\r\n").encode() + body)
        stream.flush()
        if request[0] == "PLAY":
            for packet in packets[:silent_after]:
                stream.write(b"$\0" + len(packet).to_bytes(2, "big") + packet)
            stream.flush()
            if silent_after is None:
                connection.shutdown(socket.SHUT_RDWR)
                return


def main():
    def option(name):
        return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else None

    packets, description = record(sys.argv[1])
    silent_after = option("--silent-after")
    listener = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=guarded, args=(connection,), daemon=True).start()

    def guarded(connection):
        try:
            serve(connection, packets, description, option("--password"), int(silent_after) if silent_after else None)
        except OSError:
            pass

    threading.Thread(target=accept, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
