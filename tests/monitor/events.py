"""Runs of which only the photon events are kept: nothing that the analysis sees is missing, and little else is there."""
import glob
import os
import signal
import sys
import time
import zlib

import h5py
import numpy as np

sys.path.insert(1, os.path.join(os.environ["top_srcdir"], "tests", "archive"))
from bslz4 import frames_of
from harness import Publisher, expect, run_tests, stream

SMALL = ("-S", "run.reserve_MB=0", "-S", "run.buffer_MB=512", "-S", "run.memory_MB=256", "-S", "hexitec.bins=0:200:0.4")
ANALYSIS = ("-S", "hexitec.gradients=0.0288", "-S", "hexitec.intercepts=0", "--window", "run", "-f", "map,spectrum,profile")
THRESHOLD = 80
SHAPE = (80, 80)


def collect(scene, publisher, run, *argv, start=None):
    collector = (start or scene.batch)("--archive", scene.archive(), "--run", run, "--hexitec",
                                       publisher.endpoint + ",codec=events,frame_hz=2000", *SMALL, *ANALYSIS, *argv)
    publisher.wait(collector)
    return collector


def kept(scene, run):
    """All frames by number as a stranger makes them of the files, each with its checksum; and whether they were events."""
    frames, kinds = {}, {}
    for path in sorted(glob.glob(os.path.join(scene.archive(), run, f"{run}_hexitec_*.h5"))):
        with h5py.File(path, "r") as file:
            entry = file["entry"]
            sparse = "events" in entry
            numbers, crc = entry["frame_number"][:], entry["crc32"][:]
            if sparse:
                index, count = (entry[f"events/event_{name}"][:] for name in ("index", "count"))
                ids, values = (entry[f"events/event_{name}"][:] for name in ("id", "value"))
            for k, number in enumerate(numbers.tolist()):
                if sparse:
                    pixels = np.zeros(SHAPE[0] * SHAPE[1], values.dtype)
                    pixels[ids[index[k]:][:count[k]]] = values[index[k]:][:count[k]]
                    pixels = pixels.reshape(SHAPE)
                else:
                    pixels = frames_of(entry["data"], k, k + 1)[0]
                assert zlib.crc32(pixels.tobytes()) == crc[k], (path, k)
                assert number not in frames, f"frame {number} twice"
                frames[number], kinds[number] = pixels, sparse
    return frames, kinds


def detector(random, offset, hits=12):
    """What is read out: offsets, noise, and some photons, a few of them near the threshold."""
    pixels = offset + random.integers(-5, 6, SHAPE)
    rows, cols = random.integers(0, 80, hits), random.integers(0, 80, hits)
    pixels[rows, cols] = offset[rows, cols] + random.choice([THRESHOLD - 1, THRESHOLD, THRESHOLD + 1, 3000, 3250], hits)
    return pixels.astype(np.uint16)


def verify(scene, run, word):
    out = scene.start("comptop-archive", "verify", os.path.join(scene.archive(), run)).ends_well()
    assert word in out, out


def test_what_the_analysis_sees_is_kept(scene):
    random = np.random.default_rng(7)
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "hits", "-S", "hexitec.dark=measure", "--exit-on-idle", "4", "-d", "1000")
    limits, whole = {}, set()

    def send(n, offset, limit, **ndattr):
        for _ in range(n):
            if limit is None:
                whole.add(publisher.next)
            limits[publisher.next] = limit
            publisher.send(detector(random, offset), ndattr=ndattr)

    def darks(n, offset):
        first = publisher.next
        for _ in range(n):
            whole.add(publisher.next)
            publisher.send((offset + random.integers(-5, 6, SHAPE)).astype(np.uint16), ndattr={"ImageKey": 2})
        sent = np.array([publisher.sent[k] for k in range(first, publisher.next)], np.uint64)
        return (2 * sent.sum(axis=0) + n) // (2 * n) + THRESHOLD

    high, low = random.integers(380, 420, SHAPE), random.integers(330, 400, SHAPE)
    send(40, high, None)                                  # not analysed: there are no offsets yet
    limit = darks(16, high)
    send(300, high, limit)
    time.sleep(1.5)                                       # for a second after dark frames all are kept whole
    send(600, high, limit, ImageKey=0)
    send(30, high, None, Mode="xct")
    limit = darks(16, low)                                # offsets come down: more is a hit
    send(100, low, limit, Mode="xcs")
    time.sleep(1.5)
    send(600, low, limit, Mode="xcs")
    send(20, low, None, ImageKey=1)
    then = collector.last_sample()
    expect(frames=(stream(then)["frames"], publisher.next), missed=(then["archive"]["missed_frames"], 0))
    frames, kinds = kept(scene, "hits")
    expect(numbers=(sorted(frames), sorted(publisher.sent)))
    for number, sent in publisher.sent.items():
        if number in whole or not kinds[number]:
            # In files of whole frames those that are analysed are as in the others.
            wanted = sent if number in whole else np.where(sent >= limits[number], sent, 0)
        else:
            wanted = np.where(sent >= limits[number], sent, 0)
        assert (frames[number] == wanted).all(), (number, kinds[number])
    assert sum(kinds.values()) > 1000, sum(kinds.values())
    verify(scene, "hits", f"{publisher.next} frames read, 0 differ")
    program = scene.batch("--from", os.path.join(scene.archive(), "hits"), *ANALYSIS, "-d", "1000")
    now = program.last_sample()
    for field in ("xcs", "map", "spectrum", "profile"):
        expect(**{field: (now[field], then[field])})
    expect(counted=(stream(now)["not_analysed"], stream(then)["not_analysed"]))
    assert now["xcs"]["counts"] > 5000 and now["health"]["level_ADU"] is None and then["health"]["level_ADU"] is not None


def test_float_frames(scene):
    random = np.random.default_rng(8)
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "keV", "-S", "hexitec.threshold_keV=4", "--exit-on-idle", "4", "-d", "1000")
    for _ in range(500):
        pixels = np.zeros(SHAPE, np.float32)
        for value in (3.9, 4, np.nextafter(np.float32(4), np.float32(5)), 60, 93.6, -2, np.nan, np.inf):
            pixels[random.integers(0, 80), random.integers(0, 80)] = value
        publisher.send(pixels)
    then = collector.last_sample()
    frames, kinds = kept(scene, "keV")
    assert all(kinds.values()) and len(kinds) == 500
    for number, sent in publisher.sent.items():
        wanted = np.where((sent >= 0) & (sent <= 4), np.float32(0), sent)
        assert frames[number].tobytes() == wanted.tobytes(), number
    now = scene.batch("--from", os.path.join(scene.archive(), "keV"), *ANALYSIS, "-d", "1000").last_sample()
    for field in ("xcs", "map", "spectrum"):
        expect(**{field: (now[field], then[field])})
    expect(rejects=(now["health"].get("no_energy"), then["health"].get("no_energy")))


def test_a_killed_run_goes_on(scene):
    random = np.random.default_rng(9)
    offset = np.full(SHAPE, 400)
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "shot", "-S", "hexitec.threshold=480", "--headless", start=scene.comptop)
    publisher.keep_sending(lambda number: detector(random, offset), 1000)
    before = scene.look("shot", lambda s: s["archive"]["committed_frames"] > 1500)
    expect(codec=(before["archive"]["codec"], "events"))
    collector.signal(signal.SIGKILL)
    collector.end()
    publisher.stop()
    publisher.close()
    sent = dict(publisher.sent)
    again = Publisher(scene)
    collector = collect(scene, again, "shot", "-S", "hexitec.threshold=480", "--resume", "--exit-on-idle", "3", "-d", "1000")
    again.next = 100000
    for _ in range(100):
        again.send(detector(random, offset))
    collector.ends_well()
    sent.update(again.sent)
    frames, kinds = kept(scene, "shot")
    old = sorted(number for number in frames if number < 100000)
    assert all(kinds.values()) and len(frames) == len(old) + 100 and len(old) >= before["archive"]["committed_frames"]
    expect(old=(old, list(range(old[0], old[0] + len(old)))))
    for number, pixels in frames.items():
        assert (pixels == np.where(sent[number] >= 480, sent[number], 0)).all(), number
    verify(scene, "shot", f"{len(frames)} frames read, 0 differ")


def test_a_replay_publishes_them_as_frames(scene):
    random = np.random.default_rng(10)
    publisher = Publisher(scene)
    collector = collect(scene, publisher, "played", "-S", "hexitec.threshold=480", "--exit-on-idle", "3", "-d", "1000")
    for _ in range(300):
        publisher.send(detector(random, np.full(SHAPE, 400)))
    then = collector.last_sample()
    back = f"ipc://{scene.path('back')}"
    program = scene.batch("--hexitec", back + ",socket=pull,frame_hz=2000", "-S", "hexitec.threshold=480", *SMALL, *ANALYSIS,
                          "--exit-on-idle", "3", interval="1000")
    scene.start("comptop-replay", os.path.join(scene.archive(), "played"), "--push", "--full-speed", "--wait", "--to", back).ends_well()
    now = program.last_sample()
    for field in ("map", "spectrum", "profile"):
        expect(**{field: (now[field], then[field])})
    expect(frames=(now["xcs"]["frames"], 300))


def test_only_detectors_have_events(scene):
    for role in ("camera", "scalars"):
        scene.refused("-b", "--hexitec", "tcp://127.0.0.1:1", f"--{role}", "tcp://127.0.0.1:2,codec=events", words=["codec", "HEXITEC"])


sys.exit(run_tests(globals()))
