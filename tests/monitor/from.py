"""--from: a run analysed again gives what it gave, and with other settings something else, beside the old results."""
import glob
import json
import os
import signal
import sys

import h5py
import numpy as np

sys.path.insert(1, os.path.join(os.environ["top_srcdir"], "tests", "archive"))
from harness import expect, run_tests, stream, until

SMALL = ("-S", "run.reserve_MB=0", "-S", "run.buffer_MB=512", "-S", "run.memory_MB=256", "-S", "hexitec.bins=0:200:0.4")
FIELDS = ("-f", "map,spectrum,profile")


def lines(path):
    return open(path).read().count("\n") if os.path.exists(path) else 0


def record(scene, run, *argv, frames=12000, simulator=()):
    """A run of the simulator, with maps in files that are gone when it is over; the last sample of the collector."""
    maps = scene.path("maps-" + run)
    os.mkdir(maps)
    scene.start("comptop-sim", "--hexitec", "ipc://" + scene.path("sim-" + run), "--scalars",
                "ipc://" + scene.path("cell-" + run), "--pedestal", "--calibration", maps, "--push", "--wait", "--rate",
                "4000", "--photons", "200000", "--batch", "7", "--frames", frames, "--speedup", "600", *simulator)
    until(lambda: all(lines(f"{maps}/{name}.txt") == 6400 for name in ("dark", "gradients", "intercepts")),
          "the simulator's maps")
    collector = scene.batch("--hexitec", f"ipc://{scene.path('sim-' + run)},socket=pull,frame_hz=4000", "--scalars",
                            "ipc://" + scene.path("cell-" + run), "--archive", scene.archive(), "--run", run, *SMALL, *FIELDS,
                            "-S", f"hexitec.gradients={maps}/gradients.txt", "-S", f"hexitec.intercepts={maps}/intercepts.txt",
                            "-S", f"hexitec.dark={maps}/dark.txt", "--window", "1.5", "-S", "roi.left.pixels=0:40,0:80",
                            "--exit-on-idle", "3", *argv, interval="1000")
    last = collector.last_sample()
    expect(frames=(stream(last)["frames"], frames), missed=(last["archive"]["missed_frames"], 0))
    for name in os.listdir(maps):
        os.remove(os.path.join(maps, name))
    return last


def run_path(scene, run):
    return os.path.join(scene.archive(), run)


def again(scene, run, *argv, interval="0.5"):
    """All samples of an analysis of the run, and what was said."""
    program = scene.batch("--from", run_path(scene, run), *FIELDS, *argv, interval=interval)
    samples = [json.loads(line) for line in program.ends_well().splitlines()]
    return samples, program.errors()


def same_results(then, now):
    for field in ("xcs", "roi", "map", "spectrum", "profile", "cell"):
        expect(**{field: (now[field], then[field])})


def printed(value):
    """As a sample prints it."""
    return float(f"{value:.12g}")


def photons(group):
    """The last map of counts, as a sample has it."""
    return [None if np.isnan(n) else float(n) for n in group["maps/counts"][-1].ravel()]


def processes(scene, run):
    with h5py.File(os.path.join(run_path(scene, run), run + ".nxs"), "r") as file:
        return {name: {"configuration": group["configuration"][()].decode(), "program": group["program"][()].decode(),
                       "class": group.attrs["NX_class"], "emf": printed(group["totals/emf"][-1]), "frames": group["totals/frames"][:],
                       "maps": group["maps/emf"].shape, "spectra": group["spectra/counts"].shape,
                       "photons": photons(group)}
                for name, group in file["entry"].items() if name.startswith("process_")}


def contents(folder):
    return {path: open(path, "rb").read() for path in glob.glob(folder + "/*") if not path.endswith(".nxs")}


def test_the_same_settings_give_the_same_results(scene):
    then = record(scene, "same")
    files = contents(run_path(scene, "same"))
    samples, said = again(scene, "same")
    same_results(then, samples[-1])
    assert 5 <= len(samples) <= 8, len(samples)   # 3 s of run, one each 0.5 s, and the last
    times = [s["t"] for s in samples]
    expect(order=(times, sorted(times)), run=(samples[-1]["run"], "same"), frames=(stream(samples[-1])["frames"], 12000))
    assert "same_process_000000.h5" in said
    expect(again=(again(scene, "same")[0], samples), workers=(again(scene, "same", "-j", "3")[0], samples))
    for path, bytes_then in files.items():
        expect(**{path: (open(path, "rb").read(), bytes_then)})
    kept = processes(scene, "same")
    expect(kept=(sorted(kept), ["process_000000", "process_000001", "process_000002"]))
    for process in kept.values():
        expect(emf=(process["emf"], then["xcs"]["emf"]), frames=(process["frames"][-1], then["xcs"]["frames"]),
               kind=(process["class"], "NXprocess"), maps=(process["maps"][1:], (80, 80)),
               spectra=(process["spectra"], (1, 80, 80, 500)))
        assert process["photons"] == then["map"]["counts"], "the archive's counts of a map are others than the sample's"
    with h5py.File(os.path.join(run_path(scene, "same"), "same_results_000000.h5"), "r") as file:
        assert photons(file["entry"]) == then["map"]["counts"], "the live archive's, too"


def test_other_settings_give_other_results_beside_the_old(scene):
    then = record(scene, "other", frames=6000)
    samples, _ = again(scene, "other", "-S", "beam.e1_keV=113.5", "-S", "hexitec.sharing=none", "--window", "run")
    last = samples[-1]
    expect(window=(last["xcs"]["window_s"], None), e1=(last["xcs"]["e1_keV"], 113.5), frames=(last["xcs"]["frames"], 6000),
           double=(last["xcs"]["events"]["double"], 0))
    assert last["xcs"]["counts"] > then["xcs"]["counts"] and last["xcs"]["emf"] != then["xcs"]["emf"]
    # What an analysis that was killed has left is in nobody's way.
    for left in (".new", ".new.journal"):
        with open(os.path.join(run_path(scene, "other"), "other_process_000001.h5" + left), "wb") as file:
            file.write(b"half")
    again(scene, "other")
    assert not glob.glob(run_path(scene, "other") + "/*.new*")
    kept = processes(scene, "other")
    assert "sharing = none" in kept["process_000000"]["configuration"] and "e1_keV = 113.5" in kept["process_000000"]["configuration"]
    assert "sharing = paper" in kept["process_000001"]["configuration"]
    expect(emf=(kept["process_000000"]["emf"], last["xcs"]["emf"]), old=(kept["process_000001"]["emf"], then["xcs"]["emf"]))
    # The master written anew still knows them.
    scene.start("comptop-archive", "repair", run_path(scene, "other")).ends_well()
    expect(kept=(sorted(processes(scene, "other")), ["process_000000", "process_000001"]))


def test_spectra_over_time_add_up(scene):
    record(scene, "sum", frames=4000)
    last = again(scene, "sum", "--window", "run")[0][-1]
    with h5py.File(os.path.join(run_path(scene, "sum"), "sum_process_000000.h5"), "r") as file:
        try:
            counts = file["entry/spectra/counts"][:]
        except OSError:
            return   # no plugin of HDF5 unpacks it
        expect(counts=(counts.sum(axis=(0, 1, 2)).tolist(), last["spectrum"]["counts"]))


def test_samples_that_were_asked_for_are_all(scene):
    record(scene, "few", frames=4000)
    samples, said = again(scene, "few", "-n", "2", interval="0.25")
    expect(samples=(len(samples), 2), frames=([s["xcs"]["frames"] > 0 for s in samples], [True, True]))
    assert "not kept" in said
    expect(kept=(processes(scene, "few"), {}))


def test_a_float_file_needs_no_run(scene):
    rng = np.random.default_rng(3)
    frames = np.zeros((500, 80, 80), np.float32)
    frames[np.arange(500), rng.integers(0, 80, 500), rng.integers(0, 80, 500)] = 93.6
    with h5py.File(scene.path("plain.h5"), "w") as file:
        file["processed_frames"] = frames
    program = scene.batch("--from", scene.path("plain.h5"), "--window", "run", interval="1000")
    s = program.last_sample()
    expect(counts=(s["xcs"]["counts"], 500), frames=(s["xcs"]["frames"], 500), live=(round(s["xcs"]["live_s"], 4), 0.0548))
    expect(left=(sorted(os.listdir(scene.folder)), ["plain.h5", "stderr.0"]))


def test_a_histogram_cube_is_shown(scene):
    rng = np.random.default_rng(4)
    counts = rng.poisson(0.3, (80, 80, 500)).astype("<f8")
    head = b"HEXITECH" + np.array([3], "<u8").tobytes() + b"\0" * 156 + np.array([80, 80, 500], "<u4").tobytes()
    with open(scene.path("cube.hxt"), "wb") as file:
        file.write(head + (0.4 * np.arange(500)).astype("<f8").tobytes() + counts.tobytes())
    s = scene.batch("--from", scene.path("cube.hxt"), "-f", "map,spectrum", interval="1000").last_sample()
    expect(counts=(s["xcs"]["counts"], int(counts.sum())), spectrum=(s["spectrum"]["counts"], counts.sum((0, 1)).tolist()),
           width=(s["spectrum"]["width_keV"], 0.4), run=(s["run"], "cube"))
    with open(scene.path("cut.hxt"), "wb") as file:
        file.write(head)
    scene.refused("-b", "--from", scene.path("cut.hxt"), words=["cut.hxt", "bytes"])


def test_what_cannot_be_analysed_is_refused(scene):
    with h5py.File(scene.path("small.h5"), "w") as file:
        file["data"] = np.zeros((3, 20, 80), np.uint16)
    scene.refused("-b", "--from", scene.path("nothing"), words=["nothing"])
    scene.refused("-b", "--from", scene.path("small.h5"), words=["20 rows", "hexitec.rows"])
    scene.refused("-b", "--from", scene.path("small.h5"), "--hexitec", "tcp://127.0.0.1:1", words=["leave out --hexitec"])
    scene.refused("-b", "--from", scene.path("small.h5"), "--archive", scene.archive(), words=["leave out --archive"])


def test_an_interrupted_analysis_leaves_nothing(scene):
    record(scene, "stop", frames=4000)
    files = sorted(os.listdir(run_path(scene, "stop")))
    program = scene.batch("--from", run_path(scene, "stop"), interval="0.01")
    next(program.samples())
    program.signal(signal.SIGINT)
    code, _ = program.end()
    expect(code=(code, 0))
    if "interrupted" in program.errors():   # else it was faster
        expect(files=(sorted(os.listdir(run_path(scene, "stop"))), files))


sys.exit(run_tests(globals()))
