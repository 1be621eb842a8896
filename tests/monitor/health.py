"""The health of the detector, from outside: faults that are put into the frames are found, and what is masked is left out
of every sum; numpy says how many photons the others have."""
import glob
import os
import re
import struct
import sys

import h5py
import numpy as np
import zmq

from harness import CTX, Publisher, expect, run_tests, until

CAL = ("-S", "hexitec.gradients=0.1", "-S", "hexitec.threshold=80", "-S", "hexitec.sharing=none", "-S", "emf.min_counts=1")
HOT, DEAD = (12, 40), (60, 24)  # column, row
MAGIC, ASK_MASK = 0x4B415443, 2


class Detector:
    """Frames of 0.02 hits a pixel, all of 90 keV, on a noise of +-20 ADU and <dark>; one pixel hot, one dead."""

    def __init__(self, publisher, dark=0, hot=HOT, dead=DEAD):
        self.publisher, self.random = publisher, np.random.default_rng(4)
        self.dark, self.hot, self.dead = dark, hot, dead
        self.hits = np.zeros((80, 80), int)

    def send(self, n, change=None, **more):
        for _ in range(n // 50):
            frames = self.dark + self.random.integers(-20, 21, (50, 80, 80)) * (self.dark > 0)
            hit = self.random.random((50, 80, 80)) < 0.02
            if self.hot:
                hit[:, self.hot[1], self.hot[0]] = self.random.random(50) < 0.8
            if self.dead:
                hit[:, self.dead[1], self.dead[0]] = False
            frames[hit] = self.dark + 900
            if change:
                change(frames, hit)
            self.hits += hit.sum(axis=0)
            self.publisher.send(frames.astype(np.uint16), **more)
            self.publisher.next += 49

    def photons(self, *without):
        counts = self.hits.copy()
        for x, y in without:
            counts[y, x] = 0
        return int(counts.sum())


def start(scene, *argv, **options):
    publisher = Publisher(scene)
    program = scene.batch("--run", "r", "--hexitec", publisher.endpoint + ",frame_hz=1000", "--window", "run", *CAL, *argv,
                          **options)
    publisher.wait(program)
    return program, Detector(publisher)


def found(sample):
    return {(p["x"], p["y"]): (p["fault"], p["masked"]) for p in sample["health"]["pixels"]}


def alarms(sample):
    return {alarm["id"]: alarm["text"] for alarm in sample["alarms"]}


def version():
    """Of the snapshots, which viewer and collector must have in common."""
    with open(os.path.join(os.environ["top_srcdir"], "include", "comptop", "snapshot.h")) as header:
        return int(re.search(r"CT_SNAPSHOT_VERSION = (\d+)", header.read()).group(1))


def order_mask(scene, on):
    """What the key of a screen sends."""
    socket = CTX.socket(zmq.DEALER)
    socket.connect("ipc://" + scene.path("comptop/r.sock"))
    socket.send(struct.pack("<4I", MAGIC, version(), on, ASK_MASK))
    socket.close(linger=5000)


def test_found_and_listed(scene):
    program, detector = start(scene)
    detector.send(36000)
    sample = program.sample_where(lambda s: s["health"] and s["xcs"]["frames"] == 36000 and s["health"]["dead"])
    health = sample["health"]
    expect(pixels=(found(sample), {HOT: ("hot", False), DEAD: ("dead", False)}), masked=(health["masked"], 0),
           off=(health["off"], 0), counts=(sample["xcs"]["counts"], detector.photons()), floods=(health["row_floods"], 0),
           frame=(health["flooded_frame"], None), jumps=(health["level_jumps"], 0))
    assert "12,40" in alarms(sample)["pixels-hot"], sample["alarms"]
    mean = detector.photons() / 36000
    assert abs(health["hits_per_frame"] - mean) < 1e-9, (health, mean)
    assert abs(health["hits_spread"] ** 2 / (6398 * 0.02 * 0.98 + 0.16) - 1) < 0.05, health
    assert abs(health["rate_median_hz"] - 20) < 1.5 and abs(health["window_s"] - 36) < 1e-9, health
    hot = next(p for p in health["pixels"] if p["fault"] == "hot")
    assert abs(hot["rate_hz"] - 800) < 60, hot
    expect(single=(health["single"], 1), double=(health["double"], 0))


def test_masked_when_found(scene):
    program, detector = start(scene, "-f", "map", "-S", "hexitec.mask=auto", "-S", "roi.a.pixels=10:20,35:45",
                              "--archive", scene.archive())
    detector.send(36000)
    sample = program.sample_where(lambda s: s["health"] and s["xcs"]["frames"] == 36000 and s["health"]["masked"] == 2)
    counts = np.array([np.nan if c is None else c for c in sample["map"]["counts"]], float).reshape(80, 80)
    want = detector.hits.astype(float)
    want[HOT[1], HOT[0]] = want[DEAD[1], DEAD[0]] = np.nan
    assert np.array_equal(counts, want, equal_nan=True), np.argwhere(counts != want)[:9]
    region = detector.hits[35:45, 10:20].sum() - detector.hits[HOT[1], HOT[0]]
    expect(counts=(sample["xcs"]["counts"], detector.photons(HOT, DEAD)), roi=(sample["roi"][0]["counts"], region),
           pixels=(sample["roi"][0]["pixels"], 99), faults=(found(sample), {HOT: ("hot", True), DEAD: ("dead", True)}),
           automatic=(sample["health"]["automatic"], True), alarm=("pixels-hot" in alarms(sample), False))
    program.signal(15)
    program.ends_well()
    assert "pixels-masked: hexitec: found hot or dead and left out from now on (2 in all): column,row 60,24 12,40" in \
        program.errors(), program.errors()
    with h5py.File(glob.glob(os.path.join(scene.archive(), "r", "r_log_*.h5"))[0]) as log:
        texts = [t.decode() for i, t in zip(log["/entry/alarms/id"][()], log["/entry/alarms/text"][()]) if i == b"pixels-masked"]
    assert any("60,24 12,40" in text for text in texts), texts
    with h5py.File(glob.glob(os.path.join(scene.archive(), "r", "r_results_*.h5"))[0]) as results:
        last = results["/entry/maps/counts"][-1]
    expect(left_out=([tuple(p[::-1]) for p in np.argwhere(np.isnan(last))], [DEAD, HOT]))


def test_masked_by_order_and_let_in_again(scene):
    program, detector = start(scene, "--headless", "--archive", scene.archive())
    detector.send(36000)
    counts = detector.photons()
    scene.look("r", lambda s: s["health"] and s["xcs"]["counts"] == counts and s["health"]["dead"])
    order_mask(scene, True)
    masked = scene.look("r", lambda s: s["health"] and s["health"]["masked"] == 2)
    expect(counts=(masked["xcs"]["counts"], detector.photons(HOT, DEAD)), alarms=("pixels-hot" in alarms(masked), False))
    order_mask(scene, False)
    again = scene.look("r", lambda s: s["health"] and s["health"]["masked"] == 0)
    expect(counts=(again["xcs"]["counts"], counts), automatic=(again["health"]["automatic"], False))
    program.signal(15)
    program.ends_well()
    assert "let in again" in program.errors(), program.errors()


def test_floods_and_jumps_are_named(scene):
    def flood(frames, hit):
        frames[17, 33, 5:50] = detector.dark + 700
        hit[17, 33, 5:50] = True

    def jump(frames, hit):
        frames[~hit] += 30

    program, detector = start(scene, "-S", "hexitec.dark=measure")
    detector.dark = 1000
    detector.publisher.send(np.full((80, 80), 1000, np.uint16), ndattr={"ImageKey": 2})
    detector.send(2000)
    program.sample_where(lambda s: s["health"] and s["xcs"]["frames"] == 2000 and s["health"]["row_floods"] == 0)
    detector.send(50, flood)
    sample = program.sample_where(lambda s: s["health"] and s["health"]["row_floods"])
    expect(floods=(sample["health"]["row_floods"], 1), row=(sample["health"]["flooded_row"], 33),
           frame=(sample["health"]["flooded_frame"], 2001 + 17))
    assert "row 33" in alarms(sample)["row-flood"] and "frame 2018" in alarms(sample)["row-flood"], sample["alarms"]
    detector.send(4000)
    program.sample_where(lambda s: s["health"] and s["xcs"]["frames"] == 6050 and s["health"]["level_jumps"] == 0)
    detector.send(4000, jump)
    sample = program.sample_where(lambda s: s["health"] and s["xcs"]["frames"] == 10050 and s["health"]["level_jumps"])
    expect(jumps=(sample["health"]["level_jumps"], 1))
    assert 6051 <= sample["health"]["jump_frame"] < 6067, sample["health"]
    assert abs(sample["health"]["jump_ADU"] - 30) < 6 and "level-jump" in alarms(sample), sample["health"]


def test_drift_and_the_darks_that_end_it(scene):
    """Every frame is in exactly one place: with the darks of its time, or a dark."""
    program, detector = start(scene, "-S", "hexitec.dark=measure", "-f", "spectrum")
    publisher, random = detector.publisher, np.random.default_rng(8)

    def darks(level, n):
        for _ in range(n):
            publisher.send((level + random.integers(-3, 4, (80, 80))).astype(np.uint16), ndattr={"ImageKey": 2})

    detector.dark, detector.hot, detector.dead = 1000, None, None
    detector.send(50)  # before the first darks: counted, not analysed
    detector.hits[:] = 0
    darks(1000, 200)
    detector.send(10000)
    detector.dark = 1007
    detector.send(25000)
    drifted = program.sample_where(lambda s: "dark-drift" in alarms(s))
    assert 3 < drifted["health"]["drift_ADU"] <= 8, drifted["health"]
    detector.send(20000)
    darks(1007, 200)
    detector.send(10000)
    sample = program.sample_where(lambda s: s["health"] and s["xcs"]["frames"] == 65000 and s["health"]["drift_ADU"] is not None)
    stream = sample["streams"][0]
    expect(alarm=("dark-drift" in alarms(sample), False), darks=(stream["darks"], 400), lost=(stream["lost"], 0),
           frames=(stream["frames"], 65450), not_analysed=(stream["not_analysed"], 450),
           counts=(sample["xcs"]["counts"], detector.photons()))
    assert abs(sample["health"]["drift_ADU"]) < 1, sample["health"]
    # 900 ADU above the dark are 90 keV, bin 450 and those beside it for what a dark's mean is off; 7 ADU more while the
    # darks were those from before.
    spectrum = sample["spectrum"]["counts"]
    near, far = sum(spectrum[445:455]), sum(spectrum[490:500])
    expect(all_photons=(sum(spectrum), detector.photons()))
    shifted = sum(spectrum[452:458])
    assert abs(shifted / sum(spectrum) - 45 / 65) < 0.02 and near + shifted >= sum(spectrum) and far == 0, (near, shifted)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
