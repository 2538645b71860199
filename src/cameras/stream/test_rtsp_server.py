"""A camera for tests: GStreamer's RTSP server with a live picture at /live. Prints its port, ends with its standard input.

usage: test_rtsp_server.py [--port N] [--codec h264|h265|mjpeg|vp8] [--size WxH] [--user NAME:PASSWORD] [--digest]
                           [--timestamp N]
--timestamp: of the first RTP packet. Commands on standard input, one a line:
stall     no more video, connections stay            resume   video again
size WxH  pictures of another size from now on
"""
import sys
import threading

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

ENCODERS = {
    "h264": "openh264enc gop-size=10 complexity=low ! h264parse ! rtph264pay config-interval=-1",
    "h265": "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! h265parse ! rtph265pay config-interval=-1",
    "mjpeg": "jpegenc ! rtpjpegpay",
    "vp8": "vp8enc deadline=1 keyframe-max-dist=10 ! rtpvp8pay",
}


def option(name, default=None):
    return sys.argv[sys.argv.index(name) + 1] if name in sys.argv else default


def caps_of(size):
    width, height = size.split("x")
    return f"video/x-raw,format=I420,width={width},height={height},framerate=25/1"


def authentication(user, digest):
    name, _, password = user.partition(":")
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", name)
    auth = GstRtspServer.RTSPAuth()
    if digest:
        auth.set_supported_methods(2)  # GST_RTSP_AUTH_DIGEST
        auth.add_digest(name, password, token)
    else:
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(name, password), token)
    return auth, name


def main():
    Gst.init(None)
    size = option("--size", "160x120")
    factory = GstRtspServer.RTSPMediaFactory()
    timestamp = option("--timestamp")
    factory.set_launch(
        f"( videotestsrc is-live=true pattern=ball ! capsfilter name=size caps={caps_of(size)} ! valve name=valve "
        f"! {ENCODERS[option('--codec', 'h264')]} name=pay0 pt=96" +
        (f" timestamp-offset={timestamp}" if timestamp else "") + " )")
    factory.set_shared(True)
    media_now = []

    def configured(_, media):
        media_now[:] = [media.get_element()]

    factory.connect("media-configure", configured)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(option("--port", "0"))
    if option("--user"):
        auth, role = authentication(option("--user"), "--digest" in sys.argv)
        server.set_auth(auth)
        factory.add_role_from_structure(Gst.Structure.new_from_string(
            f"{role}, media.factory.access=(boolean)true, media.factory.construct=(boolean)true"))
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    loop = GLib.MainLoop()

    def obey(line):
        words = line.split()
        for media in media_now:
            if words[0] in ("stall", "resume"):
                media.get_by_name("valve").set_property("drop", words[0] == "stall")
            elif words[0] == "size":
                media.get_by_name("size").set_property("caps", Gst.Caps.from_string(caps_of(words[1])))

    def listen():
        for line in sys.stdin:
            if line.strip():
                GLib.idle_add(obey, line)
        GLib.idle_add(loop.quit)

    threading.Thread(target=listen, daemon=True).start()
    print(server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
