"""Settings that change in a run: what is shown then is what a run begun with them shows, the archive says so, refusals are
those of a file, and what is saved is read again."""
import glob
import json
import os
import re
import struct
import sys

import h5py
import numpy as np
import zmq

from harness import CTX, PATIENCE_S, Publisher, expect, run_tests

ASK, WORD, CHANGE, KEEP = 0x4B415443, 0x44574B43, 4, 5
with open(os.path.join(os.environ["top_srcdir"], "include/comptop/snapshot.h")) as header:
    VERSION = int(re.search(r"CT_SNAPSHOT_VERSION = (\d+)", header.read()).group(1))
BASE = ("-S", "hexitec.sharing=none", "-S", "run.reserve_MB=0", "-S", "run.buffer_MB=256", "-S", "run.memory_MB=256",
        "--window", "run", "-S", "roi.a.disc=40,40,10", "-S", "emf.min_counts=1")
FRAMES = 60


def frames():
    random = np.random.default_rng(11)
    for _ in range(FRAMES):
        yield np.where(random.random((80, 80)) < 0.4, random.normal(93.5, 2, (80, 80)), 0).astype(np.float32)


def start(scene, *argv):
    publisher = Publisher(scene, role=f"d{len(scene.programs)}")
    run = f"r{len(scene.programs)}"
    program = scene.comptop("--headless", "--run", run, "--hexitec", publisher.endpoint, *BASE, *argv)
    publisher.wait(program)
    for pixels in frames():
        publisher.send(pixels)
    return program, run


class Viewer:
    """Asks as an attached screen does."""

    def __init__(self, scene, run):
        self.socket = CTX.socket(zmq.DEALER)
        self.socket.connect("ipc://" + scene.path(f"comptop/{run}.sock"))
        scene.closers.append(lambda: self.socket.close(linger=0))

    def ask(self, action, rest):
        self.socket.send(struct.pack("<4I", ASK, VERSION, len(rest), action) + rest)
        assert self.socket.poll(PATIENCE_S * 1000), "no answer"
        reply = self.socket.recv()
        magic, version, n, answered, code = struct.unpack_from("<4Ii", reply)
        expect(magic=(magic, WORD), version=(version, VERSION), action=(answered, action), bytes=(len(reply), 20 + n))
        return code, reply[20:].decode()

    def change(self, order):
        return self.ask(CHANGE, order.encode())

    def keep(self, *texts):
        return self.ask(KEEP, b"".join(t.encode() + b"\0" for t in texts))


def figures(sample):
    xcs = sample["xcs"]
    return {"xcs": [xcs[k] for k in ("counts", "L", "H", "emf", "emf_sigma", "emf_plus", "asymmetry", "e1_keV", "e2_keV")],
            "run": xcs["run"], "roi": [[r[k] for k in ("pixels", "emf", "emf_sigma", "L", "H")] for r in sample["roi"]]}


def all_in(sample):
    return sample["xcs"] is not None and sample["xcs"]["frames"] == FRAMES


def test_a_changed_run_is_one_begun_so(scene):
    changes = ["emf.p_low=1.5", "emf.p_high=4", "emf.order=2", "emf.background_keV=102:106,81:84", "emf.background=linear",
               "geometry.beam=-x", "beam.e1_keV=114.5", "emf.jacobian=on", "emf.bias=remove", "emf.energy_sigma_keV=0.01",
               "roi.a.disc=30,30,5", "emf.pz=exact", "geometry.theta_map=off", "geometry.theta_map=on", "emf.efficiency=on"]
    program, run = start(scene)
    viewer = Viewer(scene, run)
    before = figures(scene.look(run, all_in))
    for order in changes:
        code, text = viewer.change(order)
        assert code == 0, text
        assert order.replace("=", " = ") + " from now on" in text, text
    begun = [arg for order in changes for arg in ("-S", order)]
    other, other_run = start(scene, *begun)
    want = figures(scene.look(other_run, all_in))
    got = scene.look(run, lambda s: figures(s) == want)
    assert want != before and got["xcs"]["counts"] == before["xcs"][0], (want, before)
    notice = [a for a in got["alarms"] if a["id"] == "setting"]
    assert notice and notice[0]["severity"] == "notice" and "emf.efficiency = on, it was off" in notice[0]["text"], got["alarms"]
    for p in (program, other):
        p.signal(15)
        p.ends_well()
    assert "setting: emf.p_low = 1.5, it was 1" in program.errors(), program.errors()


def test_the_window_becomes_another(scene):
    program, run = start(scene)
    before = figures(scene.look(run, all_in))
    viewer = Viewer(scene, run)
    code, text = viewer.change("run.window=500")
    assert code == 0, text
    sample = scene.look(run, lambda s: s["xcs"]["window_s"] == 500)
    expect(window=((sample["xcs"]["frames"], sample["xcs"]["counts"]), (0, 0)), run=(sample["xcs"]["run"], before["run"]))
    expect(again=(viewer.change("run.window=run")[0], 0))
    sample = scene.look(run, lambda s: s["xcs"]["window"] == "run")
    expect(frames=(sample["xcs"]["frames"], FRAMES), figures=(figures(sample), before))
    expect(refused=(viewer.change("run.window=0")[0] < 0, True))
    program.signal(15)
    program.ends_well()


def test_the_axis_is_put_where_it_is_said(scene):
    publisher = Publisher(scene, role="camera")
    program = scene.comptop("--headless", "--run", "ct", "--camera", publisher.endpoint, "-S", "run.reserve_MB=0")
    publisher.wait(program)
    for number in range(40):
        row = 1000 + 100 * np.exp(-((np.arange(64) - 31.5 - 9 * np.cos(number * np.pi / 40)) / 6) ** 2)
        publisher.send(np.tile(row.astype(np.uint16), (8, 1)), ndattr={"RotationAngle": number * 4.5, "ImageKey": 0})
    scene.look("ct", lambda s: s["ct"]["projections"] == 40)
    viewer = Viewer(scene, "ct")
    expect(code=(viewer.change("camera.axis_px=20.25")[0], 0))
    scene.look("ct", lambda s: s["ct"]["axis_px"] == 20.25)
    expect(again=(viewer.change("camera.axis_px")[0], 0), refused=(viewer.change("camera.axis_px=x")[0] < 0, True))
    scene.look("ct", lambda s: s["ct"]["axis_px"] != 20.25)
    program.signal(15)
    program.ends_well()


def test_the_archive_says_so(scene):
    program, run = start(scene, "--archive", scene.archive())
    scene.look(run, all_in)
    viewer = Viewer(scene, run)
    expect(code=(viewer.change("emf.p_low=1.25")[0], 0), refused=(viewer.change("emf.p_low=x")[0] < 0, True))
    program.signal(15)
    program.ends_well()
    with h5py.File(glob.glob(os.path.join(scene.archive(), run, f"{run}_log_*.h5"))[0]) as log:
        alarms = log["/entry/alarms"]
        rows = [(t.decode(), int(ns)) for i, t, ns in zip(alarms["id"][()], alarms["text"][()], alarms["time"][()])
                if i == b"setting"]
    expect(rows=(len(rows), 1), text=(rows[0][0], "emf.p_low = 1.25, it was 1"))


def test_refused_in_the_words_of_a_file(scene):
    program, run = start(scene)
    before = figures(scene.look(run, all_in))
    viewer = Viewer(scene, run)
    for section, key, value in [("emf", "p_low", "x"), ("emf", "p_low", "7"), ("emf", "background", "flot"),
                                ("emf", "p_high", "101"), ("beam", "e1_keV", "60"), ("emf", "reference", "/nowhere/x"),
                                ("emf", "background_keV", "300:301"), ("geometry", "centre_px", "1"), ("emf", "absorption", "Qq"),
                                ("lithium", "references", "1:2"), ("emf", "flat_field", "/nowhere/flat")]:
        path = scene.path("bad.conf")
        background = "background = flat\n" if key == "background_keV" else ""
        with open(path, "w") as out:
            out.write(f"[{section}]\n{background}{key} = {value}\n")
        said = scene.refused("-c", path, "-b", "--hexitec", "ipc://@nobody-there", *BASE[:8], words=[f"{section}.{key} = {value}"])
        if background:
            expect(on=(viewer.change("emf.background=flat")[0], 0))
        code, text = viewer.change(f"{section}.{key}={value}")
        if background:
            expect(off=(viewer.change("emf.background")[0], 0))
        expect(refused=(code < 0, True), words=(text, re.sub(r"^comptop: \S+?:\d+: ", "", said).strip()))
    for order, words in [("hexitec.rows=3", "cannot change in a run"), ("run.name=x", "cannot change in a run"),
                         ("no.such=1", "unknown section"), ("roi.b.disc=1,1,1", "there is no [roi b]"), ("x", "not a setting"),
                         ("screen.theme=light", "each viewer's own"), ("roi.a.pixels=0:1,0:1", "only one"),
                         ("roi.a.disc=500,500,1", "holds no pixel"), ("=", "not a setting"), ("emf.p_low=" + "9" * 900, "too large")]:
        code, text = viewer.change(order)
        assert code < 0 and words in text, (order, code, text)
    after = scene.look(run, all_in)
    expect(figures=(figures(after), before))
    program.signal(15)
    program.ends_well()


def test_rubbish_is_passed_over(scene):
    program, run = start(scene)
    viewer = Viewer(scene, run)
    for message in (b"", b"\0" * 15, struct.pack("<4I", ASK, VERSION, 5, CHANGE), struct.pack("<4I", ASK, VERSION, 0, KEEP),
                    struct.pack("<4I", ASK, VERSION, 3, KEEP) + b"abc", struct.pack("<4I", ASK, VERSION, 2**32 - 1, CHANGE) + b"x",
                    struct.pack("<4I", ASK, VERSION + 1, 1, CHANGE) + b"x", struct.pack("<4I", ASK, VERSION, 1, 99) + b"x"):
        viewer.socket.send(message)
    expect(code=(viewer.change("emf.p_low=2")[0], 0))
    program.signal(15)
    program.ends_well()


def test_each_ask_is_answered_however_fast(scene):
    program, run = start(scene)
    viewer = Viewer(scene, run)
    for _ in range(3000):
        expect(refused=(viewer.change("x")[0] < 0, True))
    program.signal(15)
    program.ends_well()


def test_saved_and_read_again(scene):
    path = os.path.realpath(scene.path("i12.conf"))
    with open(path, "w") as out:
        out.write("# ours\n[emf]\np_low = 2 ; was 1\n")
    os.chmod(path, 0o640)
    program, run = start(scene, "-c", path)
    viewer = Viewer(scene, run)
    expect(nothing=(viewer.keep("")[0], 0))
    expect(code=(viewer.change("emf.p_low=1.5")[0], 0), other=(viewer.change("geometry.beam=-x")[0], 0))
    expect(kept=(viewer.keep("/another/file", "screen.theme=light"), (2, path)))
    expect(kept=(viewer.keep(path, "screen.theme=safe", "emf.p_high=9"), (1, path)))
    with open(path) as saved:
        expect(text=(saved.read(), "# ours\n[emf]\np_low = 1.5 ; was 1\n\n[geometry]\nbeam = -x\n\n[screen]\ntheme = safe\n"),
               mode=(os.stat(path).st_mode & 0o7777, 0o640))
    out = scene.comptop("-c", path, "--print-config").ends_well()
    assert "p_low = 1.5\n" in out and "beam = -x\n" in out and "theme = safe\n" in out and "p_high = 5\n" in out
    with open(path, "a") as touched:
        touched.write("# somebody\n")
    expect(code=(viewer.change("emf.p_low=1.6")[0], 0))
    code, text = viewer.keep("")
    assert code < 0 and "no longer what was read" in text, (code, text)
    assert [f for f in os.listdir(scene.folder) if f.startswith("i12.conf")] == ["i12.conf"]
    program.signal(15)
    program.ends_well()


def test_saved_where_there_was_no_file(scene):
    program, run = start(scene)
    viewer = Viewer(scene, run)
    own = scene.path("comptop/comptop.conf")
    expect(code=(viewer.change("emf.p_low=1.5")[0], 0), kept=(viewer.keep(""), (1, own)))
    with open(own) as saved:
        expect(text=(saved.read(), "[emf]\np_low = 1.5\n"))
    program.signal(15)
    program.ends_well()


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
