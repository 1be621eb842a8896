"""Archived runs from outside: frames of a publisher that is not ours go to disk, and a stranger (h5py) reads them back."""
import glob
import os
import re
import resource
import signal
import subprocess
import sys
import zlib

import h5py
import numpy as np

sys.path.insert(1, os.path.join(os.environ["top_srcdir"], "tests", "archive"))
from bslz4 import frames_of
from harness import Publisher, Skip, expect, run_tests, stream, until

IDLE = ("--exit-on-idle", "4")
SMALL = ("-S", "run.reserve_MB=0", "-S", "run.buffer_MB=512", "-S", "run.memory_MB=256")
# As slow by its settings that it is never late.
SLOW = ",frame_hz=0.001"


def noise(number, shape=(80, 80)):
    """Pixels without a pattern: a disk fills quickly with them."""
    return np.random.default_rng(number).integers(0, 65536, shape, np.uint16)


def few(number):
    """Pixels of a detector: a little noise, some hits."""
    random = np.random.default_rng(number)
    pixels = random.integers(0, 20, (80, 80)).astype(np.uint16)
    pixels[random.integers(0, 80, 8), random.integers(0, 80, 8)] = random.integers(2500, 3500, 8)
    return pixels


def archiving(scene, run, *argv):
    return ("--archive", scene.archive(), "--run", run, *SMALL, *argv)


def files_of(scene, run, name="hexitec"):
    return sorted(glob.glob(os.path.join(scene.archive(), run, f"{run}_{name}_*.h5")))


def all_files_open(scene, run):
    """Every HDF5 file of a run opens with h5py as it is, and each object in it can be reached."""
    paths = glob.glob(os.path.join(scene.archive(), run, "*.h5")) + glob.glob(os.path.join(scene.archive(), run, "*.nxs"))
    assert len(paths) >= 4, paths
    for path in paths:
        with h5py.File(path, "r") as file:
            file.visit(lambda name: file[name] and None)


def stored(scene, run, name="hexitec"):
    """All frames of a run by number, each checked against its checksum."""
    frames = {}
    for path in files_of(scene, run, name):
        with h5py.File(path, "r") as file:
            entry = file["entry"]
            data, numbers, crc = entry["data"], entry["frame_number"][:], entry["crc32"][:]
            assert data.shape[0] == len(numbers) == len(crc), path
            step = data.chunks[0]
            for first in range(0, len(numbers), step):
                part = frames_of(data, first, min(first + step, len(numbers)))
                for k, pixels in enumerate(part, first):
                    assert zlib.crc32(pixels.tobytes()) == crc[k], (path, k)
                    assert int(numbers[k]) not in frames, f"{path}: frame {numbers[k]} twice"
                    frames[int(numbers[k])] = pixels
    return frames


def same_frames(got, sent):
    expect(numbers=(sorted(got), sorted(sent)))
    for number, pixels in sent.items():
        assert got[number].dtype == pixels.dtype and (got[number] == pixels).all(), f"frame {number} differs"


def gaps(scene, run):
    found = []
    for path in files_of(scene, run, "log"):
        with h5py.File(path, "r") as file:
            group = file["entry/gaps"]
            found += zip(*([int(n) for n in group[name][:]] for name in ("first", "last", "reason")))
    return sorted(found)


def verify(scene, run, code=0, word="", command="verify"):
    program = scene.start("comptop-archive", command, os.path.join(scene.archive(), run))
    got, out = program.end()
    assert got == code and word in out + program.errors(), f"exit {got}, not {code}: {out}{program.errors()}"
    return out


def collect(scene, publisher, run, *argv, program="batch"):
    start = scene.batch if program == "batch" else scene.comptop
    collector = start(*archiving(scene, run, "--hexitec", publisher.endpoint + SLOW, *argv))
    publisher.wait(collector)
    return collector


# ---- what is written -----------------------
def test_every_frame_is_stored_and_every_loss_listed(scene):
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "whole", *IDLE, "-d", "1000")
    for number in [*range(700), *range(705, 1000), 1001]:
        publisher.send(few(number), number=number)
    s = collector.last_sample()
    expect(frames=(stream(s)["frames"], 996), lost=(stream(s)["lost"], 6), state=(s["archive"]["state"], "ok"),
           missed=(s["archive"]["missed_frames"], 0))
    same_frames(stored(scene, "whole"), publisher.sent)
    expect(gaps=(gaps(scene, "whole"), [(700, 704, 0), (1000, 1000, 0)]))
    all_files_open(scene, "whole")
    with h5py.File(os.path.join(scene.archive(), "whole", "whole.nxs"), "r") as file:
        detector = file["entry/instrument/hexitec"]
        expect(numbers=(detector["frame_number"][:].tolist(), sorted(publisher.sent)), shape=(detector["data"].shape, (996, 80, 80)))
    out = verify(scene, "whole", word="996 frames read, 0 differ")
    assert re.search(r"\b6 frames listed as lost", out), out
    assert re.search(r"hexitec\s+000000\s+996\s+0-1001\s", verify(scene, "whole", command="info"))


def test_committed_becomes_all_that_was_received(scene):
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "live", "--headless", program="comptop")
    for number in range(300):
        publisher.send(noise(number))
    s = scene.look("live", lambda s: s["archive"]["committed_frames"] == 300)
    expect(frames=(stream(s)["frames"], 300), missed=(s["archive"]["missed_frames"], 0), folder=(
        s["archive"]["folder"], os.path.join(scene.archive(), "live")))

    def told():
        with h5py.File(os.path.join(scene.archive(), "live", "live.nxs"), "r") as file:
            return "hexitec" in file["entry/streams"] and b"array-1.0" in file["entry/streams/hexitec/first_header"][()]
    until(told, "the master with what came first")
    collector.signal(signal.SIGTERM)
    collector.ends_well()
    same_frames(stored(scene, "live"), publisher.sent)


def test_what_is_shown_is_kept_every_second(scene):
    publisher = Publisher(scene)
    collector = scene.comptop("-b", "-o", "tsv", "-d", "1", *archiving(scene, "shown", "--hexitec", publisher.endpoint + SLOW, *IDLE),
                              "-S", "hexitec.gradients=0.0288", "-S", "roi.left.pixels=0:40,0:80", "--window", "run")
    publisher.wait(collector)
    for number in range(400):
        publisher.send(few(number))
    lines = collector.ends_well().splitlines()
    names = next(line for line in lines if not line.startswith("#")).split("\t")
    last = dict(zip(names, lines[-1].split("\t")))
    with h5py.File(files_of(scene, "shown", "log")[0], "r") as file:
        table, units = file["entry/snapshots"], file["entry/snapshots"].attrs["units"]
        fields = list(table.dtype.names)
        assert set(fields) - {"time"} <= set(names) and len(units) == len(fields), set(fields) - set(names)
        assert 3 <= len(table) < 60 and (np.diff(table["time"][:]) > 0.5e9).all(), table["time"][:]
        row = table[-1]
    for name in ("xcs.total_frames", "xcs.counts", "streams.hexitec.frames", "roi.left.counts", "roi.left.pixels", "xcs.L"):
        assert abs(row[name] - float(last[name])) <= 1e-6 * abs(float(last[name])), (name, row[name], last[name])
    expect(frames=(row["streams.hexitec.frames"], 400), units=(dict(zip(fields, units))["xcs.L"], "counts"))


def test_other_shapes_types_and_attributes(scene):
    publisher = Publisher(scene)
    collector = scene.batch(*archiving(scene, "camera", "--camera", publisher.endpoint, *IDLE), interval="1000")
    publisher.wait(collector)
    shapes = [((30, 40), np.uint16), ((30, 40), np.uint8), ((31, 41), np.float32)]
    for number in range(90):
        shape, kind = shapes[number // 30]
        pixels = np.random.default_rng(number).integers(0, 255, shape).astype(kind)
        publisher.send(pixels, ndattr={"ImageKey": (2, 1, 0)[number % 3], "RotationAngle": 0.25 * number, "SampleZ": 1.5})
    expect(frames=(collector.last_sample()["streams"][0]["frames"], 90))
    same_frames(stored(scene, "camera", "camera"), publisher.sent)
    angles, keys, types = [], [], []
    for path in files_of(scene, "camera", "camera"):
        with h5py.File(path, "r") as file:
            angles += file["entry/rotation_angle"][:].tolist()
            keys += file["entry/image_key"][:].tolist()
            types.append(file["entry/data"].dtype)
    expect(angles=(angles, [0.25 * k for k in range(90)]), keys=(keys, [2, 1, 0] * 30),
           types=(types, [np.dtype(kind) for _, kind in shapes]))
    with h5py.File(os.path.join(scene.archive(), "camera", "camera.nxs"), "r") as file:
        expect(definition=(file["entry1/tomo_entry/definition"][()], b"NXtomo"))
    verify(scene, "camera", word="90 frames read, 0 differ")


def test_a_damaged_frame_is_found(scene):
    publisher = Publisher(scene, role="camera")
    collector = scene.batch(*archiving(scene, "worn", "--camera", publisher.endpoint, *IDLE), interval="1000")
    publisher.wait(collector)
    for number in range(20):
        publisher.send(noise(number, (30, 40)))
    collector.ends_well()
    path = files_of(scene, "worn", "camera")[0]
    with h5py.File(path, "r") as file:
        chunk = file["entry/data"].id.get_chunk_info(0)
    with open(path, "r+b") as file:
        file.seek(chunk.byte_offset + 3 * 2400 + 100)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    verify(scene, "worn", code=4, word="1 differ")


# ---- a simulated beamline, and its replay -----------------------
ANALYSIS = ("-S", "hexitec.gradients=0.0288", "-S", "roi.cathode.disc=39.5,39.5,26", "--window", "run", "-f",
            "spectrum,map,profile", "-d", "1000")


def test_a_replayed_run_gives_the_same_results(scene):
    detector, camera, back = (f"ipc://{scene.path(name)}" for name in ("detector", "camera", "back"))
    collector = scene.batch(*archiving(scene, "sim", "--hexitec", detector + ",socket=pull", "--camera", camera, *ANALYSIS, *IDLE))
    sim = scene.start("comptop-sim", "--hexitec", detector, "--camera", camera, "--camera-rate", "40", "--no-scalars", "--push",
                      "--wait", "--frames", "12000", "--alternate", "0.25", "--speedup", "100")
    sim.ends_well()
    first = collector.last_sample()
    archive = first["archive"]
    expect(frames=(stream(first)["frames"], 12000), lost=(stream(first)["lost"], 0), missed=(archive["missed_frames"], 0))
    seen = stream(first, "camera")["frames"]
    assert seen > 10 and 0 < first["xcs"]["frames"] < 12000 and first["xcs"]["counts"] > 1000, first["xcs"]
    expect(kept=(len(stored(scene, "sim", "camera")), seen))
    verify(scene, "sim", word=f"{12000 + seen} frames read, 0 differ")
    all_files_open(scene, "sim")
    run = os.path.join(scene.archive(), "sim")
    again = scene.batch("--hexitec", back + ",socket=pull", *ANALYSIS, *IDLE)
    scene.start("comptop-replay", run, "--push", "--full-speed", "--wait", "--to", back).ends_well()
    second = again.last_sample()
    for key in ("spectrum", "map", "profile", "roi"):
        assert first[key] == second[key], f"{key} differs"
    drop = {"covered_s"}
    expect(xcs=({k: v for k, v in second["xcs"].items() if k not in drop},
                {k: v for k, v in first["xcs"].items() if k not in drop}),
           left_out=(stream(second)["not_analysed"], stream(first)["not_analysed"]))


# ---- starting -----------------------
def run_once(scene, run, numbers, *argv):
    """A whole run of one session; its last sample, and the frames that were sent."""
    publisher = Publisher(scene)
    collector = collect(scene, publisher, run, *IDLE, "-d", "1000", *argv)
    for number in numbers:
        publisher.send(few(number), number=number)
    sample = collector.last_sample()
    publisher.close()
    return sample, publisher.sent


def nowhere(scene, run, *argv):
    return ("-b", *archiving(scene, run, "--hexitec", f"ipc://{scene.path('none')}", *argv))


def test_a_run_is_never_overwritten_and_goes_on_with_resume(scene):
    _, sent = run_once(scene, "twice", range(100))
    before = files_of(scene, "twice")
    contents = [open(path, "rb").read() for path in before]
    scene.refused(*nowhere(scene, "twice"), words=["twice", "--resume"])
    sample, more = run_once(scene, "twice", range(500, 620), "--resume")
    expect(committed=(stream(sample)["frames"], 120), untouched=([open(path, "rb").read() for path in before], contents),
           files=(len(files_of(scene, "twice")), 2), logs=(len(files_of(scene, "twice", "log")), 2))
    same_frames(stored(scene, "twice"), {**sent, **more})
    expect(gaps=(gaps(scene, "twice"), []))
    verify(scene, "twice", word="220 frames read, 0 differ")
    with h5py.File(os.path.join(scene.archive(), "twice", "twice.nxs"), "r") as file:
        expect(whole=(file["entry/instrument/hexitec/frame_number"].shape, (220,)))
    all_files_open(scene, "twice")


def test_resume_of_a_run_that_is_not_there_begins_it(scene):
    sample, sent = run_once(scene, "fresh", range(10), "--resume")
    same_frames(stored(scene, "fresh"), sent)


def test_two_collectors_of_one_run(scene):
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "only", "--headless", program="comptop")
    publisher.send(few(0))
    scene.look("only", lambda s: s["archive"]["committed_frames"] == 1)
    scene.refused(*nowhere(scene, "only"), words=["only", "--attach"])
    scene.refused(*nowhere(scene, "only", "--resume"), words=["only", "--attach"])
    # The same name in another folder, and without any.
    scene.refused("-b", "--archive", scene.path("elsewhere"), "--run", "only", *SMALL, "--hexitec", "tcp://127.0.0.1:1",
                  words=["only", "--attach"])
    scene.refused("-b", "--run", "only", *SMALL, "--hexitec", "tcp://127.0.0.1:1", words=["only", "--attach"])
    assert collector.running(), collector.errors()
    publisher.send(few(1))
    scene.look("only", lambda s: s["archive"]["committed_frames"] == 2)
    collector.signal(signal.SIGTERM)
    collector.ends_well()
    same_frames(stored(scene, "only"), publisher.sent)
    verify(scene, "only")


def test_a_folder_that_cannot_be_written(scene):
    with open(scene.archive(), "w") as file:
        file.write("not a folder\n")
    scene.refused(*nowhere(scene, "r"), words=[scene.archive(), "folder"])
    if os.getuid() != 0:
        os.mkdir(scene.path("closed"), 0o500)
        scene.refused("-b", "--archive", scene.path("closed"), "--hexitec", "tcp://127.0.0.1:1", words=["closed", "ermission"])
    scene.refused("-b", "--archive", scene.path("none"), "--run", "../x", "--hexitec", "tcp://127.0.0.1:1", words=["../x"])


# ---- trouble -----------------------
def test_a_killed_run_is_mended_and_goes_on(scene):
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "shot", "--headless", program="comptop")
    publisher.keep_sending(few, 1000)
    before = scene.look("shot", lambda s: s["archive"]["committed_frames"] > 1000)
    collector.signal(signal.SIGKILL)
    collector.end()
    publisher.stop()
    n_sent = publisher.next
    publisher.close()
    opened = files_of(scene, "shot")
    expect(files=(len(opened), 1))
    sample, more = run_once(scene, "shot", range(100000, 100050), "--resume")
    frames = stored(scene, "shot")
    old = sorted(number for number in frames if number < 100000)
    assert len(old) >= before["archive"]["committed_frames"], (len(old), before["archive"])
    # Frames are committed in the order they came: what is missing is the end.
    expect(old=(old, list(range(old[0], old[0] + len(old)))))
    print(f"# killed: {len(old)} of at most {n_sent} frames kept, {n_sent - len(old)} lost at 1000/s")
    same_frames(frames, {**{number: publisher.sent[number] for number in old}, **more})
    all_files_open(scene, "shot")
    verify(scene, "shot", word=f"{len(frames)} frames read, 0 differ")


def fills_up(scene, run, folder, **options):
    """A run into <folder>, where only some MB fit: the archive says so, everything else goes on."""
    publisher = Publisher(scene)
    argv = ["--archive", folder, "--run", run, "--hexitec", publisher.endpoint + SLOW, *SMALL, "--headless"]
    collector = scene.comptop(*argv, **options)
    publisher.wait(collector)
    publisher.keep_sending(noise, 500)
    full = scene.look(run, lambda s: s["archive"]["missed_frames"] > 0)
    assert any(a["id"].startswith("archive-") and a["severity"] == "critical" for a in full["alarms"]), full["alarms"]
    assert full["archive"]["state"] in ("failed", "degraded"), full["archive"]
    after = scene.look(run, lambda s: stream(s)["frames"] > stream(full)["frames"] + 1000)
    expect(lost=(stream(after)["lost"], 0), skipped=(after["rings"][0]["skipped"], 0))
    assert after["xcs"]["total_frames"] > full["xcs"]["total_frames"] > 0
    return publisher, collector


def ends_as_counted(scene, publisher, collector, run, folder):
    publisher.stop()
    s = scene.look(run, lambda s: stream(s)["frames"] == publisher.next and s["archive"]["committed_frames"] +
             s["archive"]["missed_frames"] == publisher.next)
    collector.signal(signal.SIGTERM)
    code, _ = collector.end()
    assert code == 0, f"exit {code}: {collector.errors()}"
    os.makedirs(scene.archive(), exist_ok=True)
    if folder != scene.archive():
        os.symlink(os.path.join(folder, run), os.path.join(scene.archive(), run))
    verify(scene, run, command="repair")
    kept = stored(scene, run)
    expect(kept=(len(kept), s["archive"]["committed_frames"]))
    for number, pixels in kept.items():
        assert (publisher.sent[number] == pixels).all(), number
    return s


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (24 << 20, 24 << 20))


def test_files_that_cannot_grow(scene):
    publisher, collector = fills_up(scene, "limit", scene.archive(), preexec_fn=limit_files)
    ends_as_counted(scene, publisher, collector, "limit", scene.archive())


def mount(scene, megabytes):
    folder = scene.path(f"disk{megabytes}")
    os.mkdir(folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], capture_output=True).returncode:
        raise Skip("no right to mount a tmpfs")
    scene.closers.append(lambda: subprocess.run(["umount", "-l", folder], check=True))
    return folder


def test_a_disk_too_small_is_refused(scene):
    folder = mount(scene, 48)
    scene.refused("-b", "--archive", folder, "--run", "r", "--hexitec", "tcp://127.0.0.1:1", *SMALL, words=[folder, "MB are free"])


def test_a_disk_that_fills_up(scene):
    folder = mount(scene, 96)
    publisher, collector = fills_up(scene, "full", folder)
    s = ends_as_counted(scene, publisher, collector, "full", folder)
    listed = sum(last - first + 1 for first, last, reason in gaps(scene, "full") if reason == 1)
    expect(listed=(listed, s["archive"]["missed_frames"]))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
