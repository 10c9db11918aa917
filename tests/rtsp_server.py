"""An RTSP server of GStreamer's on 127.0.0.1: `python3 rtsp_server.py PORT FILE` serves an H.264 mp4 at /film, paced.

Runs in the system's Python, which has GStreamer's bindings: apt-get install gir1.2-gst-rtsp-server-1.0 python3-gi
gstreamer1.0-plugins-good gstreamer1.0-rtsp. Prints `ready` when it listens, exits 77 where something is missing.
"""

import sys

try:
    import gi

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer
except (ImportError, ValueError) as error:
    print(error, flush=True)
    sys.exit(77)

port, path = sys.argv[1:]
Gst.init(None)
for element in ("filesrc", "qtdemux", "rtph264pay"):
    if Gst.ElementFactory.find(element) is None:
        print(f"GStreamer lacks {element}", flush=True)
        sys.exit(77)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(f"( filesrc location={path} ! qtdemux ! rtph264pay name=pay0 pt=96 config-interval=-1 )")
server.get_mount_points().add_factory("/film", factory)
if not server.attach(None):
    sys.exit(f"port {port} is taken")
print("ready", flush=True)
GLib.MainLoop().run()
