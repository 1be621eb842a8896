"""An archive on disks that really fail: a file system of its own in a file, that blocks, turns read-only or goes away."""
import fcntl
import glob
import json
import os
import signal
import struct
import subprocess
import sys
import time

import h5py
import zmq

sys.path.insert(1, os.path.join(os.environ["top_srcdir"], "tests", "archive"))
from archive import SMALL, SLOW, few, gaps, stored, verify
from harness import CTX, Publisher, Skip, expect, run_tests, stream, until

EXT4_IOC_SHUTDOWN, WITHOUT_SYNC = 0x8004587D, 2


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True)


class Disk:
    """An ext4 of 256 MB; needs to be root."""

    def __init__(self, scene):
        self.image, self.folder = scene.path("disk.img"), scene.archive()
        os.mkdir(self.folder)
        with open(self.image, "wb") as file:
            file.truncate(256 << 20)
        if os.getuid() != 0 or run("mkfs.ext4", "-q", self.image).returncode or self.mount().returncode:
            raise Skip("no right to mount a disk of its own")
        scene.closers.append(lambda: run("umount", "-l", self.folder))

    def mount(self):
        return run("mount", "-o", "loop,errors=remount-ro", self.image, self.folder)

    def device(self):
        return run("findmnt", "-n", "-o", "SOURCE", self.folder).stdout.strip()

    def turns_read_only(self):
        """As after an error of the file system."""
        name = os.path.basename(os.path.realpath(self.device()))
        with open(f"/sys/fs/ext4/{name}/trigger_fs_error", "w") as file:
            file.write("test")

    def goes_away(self):
        """As when its cable is pulled: nothing that was not synced is on it."""
        folder = os.open(self.folder, os.O_RDONLY)
        fcntl.ioctl(folder, EXT4_IOC_SHUTDOWN, struct.pack("I", WITHOUT_SYNC))
        os.close(folder)

    def comes_back(self):
        """Unmounted, which nobody must stand in the way of, checked, mounted again."""
        until(lambda: run("umount", self.folder).returncode == 0, "the disk to be unmounted")
        run("e2fsck", "-p", self.image)
        expect(mounted=(self.mount().returncode, 0))


def look(scene, name, holds):
    """As scene.look; a viewer that gave up, as a busy machine may make it, is followed by another."""
    while True:
        try:
            return scene.look(name, holds)
        except AssertionError as why:
            if "does not answer" not in str(why):
                raise


def scalars(scene):
    """A socket that send_scalar() takes, and its endpoint."""
    socket = CTX.socket(zmq.PUSH)
    socket.setsockopt(zmq.LINGER, 0)
    endpoint = "ipc://" + scene.path("cell")
    socket.bind(endpoint)
    scene.closers.append(socket.close)
    return socket, endpoint


def send_scalar(socket, number):
    names = json.dumps({"htype": "bsr_d-1.1", "channels": [{"name": "Ewe_V", "type": "float64", "shape": [1]}]}).encode()
    main = {"htype": "bsr_m-1.1", "hash": "cell", "pulse_id": number, "dh_compression": "none",
            "global_timestamp": {"sec": int(time.time()), "ns": 0}}
    socket.send_multipart([json.dumps(main).encode(), names, struct.pack("<d", number), struct.pack("<qq", int(time.time()), 0)])


def collect(scene, name, *more):
    publisher = Publisher(scene)
    collector = scene.comptop("--archive", scene.archive(), "--run", name, "--hexitec", publisher.endpoint + SLOW, *SMALL,
                              "--headless", *more)
    publisher.wait(collector)
    publisher.keep_sending(few, 500)
    look(scene, name, lambda s: s["archive"]["committed_frames"] > 500)
    return publisher, collector


def goes_on(scene, name, then):
    """Received and analysed as ever, and nothing counted as lost."""
    now = look(scene, name, lambda s: s["xcs"]["total_frames"] > then["xcs"]["total_frames"] + 500)
    expect(lost=(stream(now)["lost"], 0), skipped=(now["rings"][0]["skipped"], 0))
    return now


def ends(scene, publisher, collector, name):
    publisher.stop()
    last = look(scene, name, lambda s: stream(s)["frames"] == publisher.next and s["archive"]["committed_frames"] +
                      s["archive"]["missed_frames"] == publisher.next)
    collector.signal(signal.SIGTERM)
    collector.ends_well()
    frames = stored(scene, name)
    for number, pixels in frames.items():
        assert (publisher.sent[number] == pixels).all(), number
    return last, frames


def test_a_disk_that_blocks(scene):
    disk = Disk(scene)
    cell, endpoint = scalars(scene)
    publisher, collector = collect(scene, "blocked", "--scalars", endpoint + ",socket=pull")
    if run("fsfreeze", "-f", disk.folder).returncode:
        raise Skip("a file system cannot be frozen here")
    scene.closers.append(lambda: run("fsfreeze", "-u", disk.folder))
    begin = time.monotonic()
    then = look(scene, "blocked", lambda s: s["archive"]["lag_s"] > 3)
    goes_on(scene, "blocked", then)
    for number in range(3000):
        send_scalar(cell, number)
    time.sleep(max(0, begin + 10 - time.monotonic()))
    late = look(scene, "blocked", lambda s: s["archive"]["lag_s"] > 9)
    expect(missed=(late["archive"]["missed_frames"], 0), committed=(late["archive"]["committed_frames"], then["archive"]["committed_frames"]))
    run("fsfreeze", "-u", disk.folder)
    last, frames = ends(scene, publisher, collector, "blocked")
    expect(missed=(last["archive"]["missed_frames"], 0), kept=(sorted(frames), list(range(publisher.next))))
    verify(scene, "blocked", word=f"{publisher.next} frames read, 0 differ")
    with h5py.File(os.path.join(scene.archive(), "blocked", "blocked_log_000000.h5"), "r") as file:
        expect(scalars=(file["entry/scalars/value"][:].tolist(), list(range(3000))))


def fails_and_comes_back(scene, name, fail):
    disk = Disk(scene)
    publisher, collector = collect(scene, name)
    fail(disk)
    then = look(scene, name, lambda s: s["archive"]["state"] == "failed" and s["archive"]["missed_frames"] > 0)
    assert any(a["id"].startswith("archive-") and a["severity"] == "critical" for a in then["alarms"]), then["alarms"]
    then = goes_on(scene, name, then)
    disk.comes_back()
    look(scene, name, lambda s: s["archive"]["state"] != "failed" and
               s["archive"]["committed_frames"] > then["archive"]["committed_frames"] + 200)
    last, frames = ends(scene, publisher, collector, name)
    missed = sum(last - first + 1 for first, last, reason in gaps(scene, name) if reason == 1)
    expect(kept=(len(frames), last["archive"]["committed_frames"]), listed=(missed, last["archive"]["missed_frames"]),
           lost=(stream(last)["lost"], 0))
    assert len(glob.glob(os.path.join(scene.archive(), name, f"{name}_hexitec_*.h5"))) > 1
    verify(scene, name, word=f"{len(frames)} frames read, 0 differ")


def test_a_disk_that_turns_read_only(scene):
    fails_and_comes_back(scene, "readonly", Disk.turns_read_only)


def test_a_disk_that_goes_away(scene):
    fails_and_comes_back(scene, "gone", Disk.goes_away)


sys.exit(run_tests(globals()))
