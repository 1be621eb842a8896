"""The detector's frames from outside: whatever is in them is counted as what it is, whoever looks at them."""
import sys

import numpy as np

from harness import Publisher, expect, run_tests, stream

CAL = ("-S", "hexitec.gradients=0.03", "-S", "hexitec.threshold=80", "--window", "run", "--exit-on-idle", "1.5",
       "-o", "json", "-d", "60")


def start(scene, publisher, *argv):
    program = scene.comptop("-b", "--hexitec", publisher.endpoint, *CAL, *argv)
    publisher.wait(program)
    return program


def events(sample):
    return {name: n for name, n in sample["xcs"]["events"].items() if n}


def test_odd_values_are_counted(scene):
    publisher = Publisher(scene)
    program = start(scene, publisher)
    frame = np.zeros((80, 80), np.uint16)
    frame[10, 10] = 2000
    for _ in range(7):
        publisher.send(frame)
    publisher.send(np.full((80, 80), 65535, np.uint16))         # one cluster of everything
    frame[20, 20:22] = frame[60, 60] = 65535                    # a double and a single beyond the spectra
    publisher.send(frame)
    energies = np.zeros((80, 80), np.float32)
    energies[5, 5] = 60
    energies[20:60:10, 20] = np.nan, np.inf, -np.inf, -3
    energies[70, 70] = 1e30                                     # finite, but beyond the spectra
    energies[75, 75] = -0.0
    publisher.send(energies)
    publisher.send(np.full((80, 80), np.nan, np.float32))
    xcs = program.last_sample()["xcs"]
    expect(frames=(xcs["frames"], 11), counts=(xcs["counts"], 9))
    expect(events=({k: n for k, n in xcs["events"].items() if n},
                   {"single": 7 + 2 + 2, "double": 1, "multiple": 1, "saturated": 6400 + 3, "no_energy": 4 + 6400, "above": 3}))


def test_frames_that_do_not_fit_and_numbers_that_go_back(scene):
    publisher = Publisher(scene)
    program = start(scene, publisher)
    frame = np.zeros((80, 80), np.uint16)
    frame[10, 10] = 2000
    for _ in range(50):
        publisher.send(frame)
    publisher.send(np.zeros((81, 80), np.uint16), number=50)
    publisher.send(np.zeros((80, 160), np.uint16), number=50)   # two modules
    for number in (20, 21, 22):                                 # seen before
        publisher.send(frame, number=number)
    publisher.send(frame, number=50)
    for number in range(20):                                    # a restart
        publisher.send(frame, number=number)
    sample = program.last_sample()
    s = stream(sample)
    expect(frames=(s["frames"], 71), rejected=(s["rejected"], 5), restarts=(s["restarts"], 1), lost=(s["lost"], 0),
           analysed=(sample["xcs"]["frames"], 71), events=(events(sample), {"single": 71}))
    assert "81 x 80" in s["first_rejected"] and "80 x 80" in s["first_rejected"], s["first_rejected"]


def test_maps_of_a_wrong_size_are_named(scene):
    path = scene.path("short.txt")
    np.savetxt(path, np.ones(6399))
    for key in "gradients", "threshold", "dark", "mask":
        scene.refused("-b", "-n", "1", "-d", "0.1", "--hexitec", "ipc://@nobody", "-S", f"hexitec.{key}={path}",
                      words=(f"hexitec.{key}", path, "6399", "6400"))
    scene.refused("-b", "--hexitec", "ipc://@nobody", "-S", "hexitec.readout=asic", "-S", "hexitec.cols=90",
                  words=("hexitec.readout", "90", "80"))


def test_workers_agree(scene):
    """Any number of them: the same numbers, map and spectrum from the same frames, darks in between included."""
    publisher = Publisher(scene)
    jobs = {}
    for n in 1, 2, 3, 7:
        jobs[n] = start(scene, publisher, "-j", str(n), "-f", "map,spectrum", "--run", f"jobs{n}", "-S", "emf.min_counts=1",
                        "-S", "hexitec.next_frame=on", "-S", "hexitec.sharing=odin-csa3")
    rng = np.random.default_rng(4)
    total = 0
    for round, count in enumerate((1, 37, 64, 200, 3, 130, 64, 64, 300)):
        frames = rng.integers(0, 60, (count, 80, 80), np.uint16)
        hit = rng.random(frames.shape) < 0.05
        frames[hit] = rng.integers(80, 4000, hit.sum())
        if round in (2, 5):
            publisher.send(rng.integers(0, 40, (5, 80, 80), np.uint16), number=total, ndattr={"ImageKey": 2})
            total += 5
        publisher.send(frames, number=total)
        total += count + 2 * (round % 3 == 1)
    samples = {n: program.last_sample() for n, program in jobs.items()}
    first = samples[1]["xcs"]
    assert first["frames"] == 863 and first["events"]["next_frame"] > 1000, first
    for n, sample in samples.items():
        for section in "map", "spectrum", "health":
            assert sample[section] == samples[1][section], f"-j {n}: another {section}"
        same = {key: value for key, value in sample["xcs"].items() if key != "covered_s"}
        expect(**{f"jobs_{n}": (same, {key: value for key, value in first.items() if key != "covered_s"})})


sys.exit(run_tests(globals()))
