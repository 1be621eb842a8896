"""Samples that go into files, and to readers that are slow or stop: from outside."""
import json
import os
import select
import signal
import sys
import time

import numpy as np

from harness import Publisher, expect, run_tests, until

CAL = ("-S", "hexitec.gradients=0.1", "-S", "hexitec.threshold=80", "-S", "emf.min_counts=1")


class Run:
    """comptop -b on a stream of its own; one frame has come."""

    def __init__(self, scene, *argv, out=None, name="hexitec"):
        self.publisher = Publisher(scene, role=name)
        options = {"stdout": open(out, "a")} if out else {}
        self.program = scene.comptop("-b", "--run", name, "--hexitec", self.publisher.endpoint + ",frame_hz=0.001,name=hexitec",
                                     *CAL, *argv, **options)
        if out:
            options["stdout"].close()
        self.publisher.wait(self.program)
        self.publisher.send(np.zeros((80, 80), np.uint16))


def lines(path):
    with open(path) as file:
        return file.read().splitlines()


def rows(path):
    return [line for line in lines(path) if line[:4].isdigit()]


def heads(path):
    return lines(path).count("#comptop-tsv 1")


def grows(path, n=1):
    until(lambda: os.path.exists(path) and len(rows(path)) >= n, f"{n} rows in {path}")


def test_a_log_that_was_moved_away_is_begun_anew(scene):
    log, old = scene.path("run.tsv"), scene.path("run.tsv.1")
    run = Run(scene, "-d", "0.05", out=log)
    grows(log, 3)
    os.rename(log, old)
    before = len(rows(old))
    until(lambda: len(rows(old)) > before, "rows in the moved file")
    run.program.signal(signal.SIGUSR2)
    grows(log, 3)
    run.program.signal(signal.SIGTERM)
    run.program.ends_well()
    expect(heads=(heads(log), 1), old_heads=(heads(old), 1), head=(lines(log)[:3], lines(old)[:3]))
    numbers = [int(row.split("\t")[1]) for row in rows(old) + rows(log)]
    expect(every_sample_once=(numbers, list(range(1, len(numbers) + 1))))


def test_a_restart_goes_on_below_the_same_head(scene):
    log = scene.path("run.tsv")
    for n in (1, 2):
        Run(scene, "-d", "0.05", "-n", "3", out=log, name=f"run{n}").program.ends_well()
    expect(heads=(heads(log), 1), rows=(len(rows(log)), 6), lines=(len(lines(log)), 9))


def test_other_columns_get_a_head_of_their_own(scene):
    log = scene.path("run.tsv")
    roi = ("-S", "roi.left.pixels=0:10,0:10")
    for n, more in enumerate(((), roi, roi, ())):
        Run(scene, "-d", "0.05", "-n", "1", *more, out=log, name=f"run{n}").program.ends_well()
    expect(heads=(heads(log), 3), rows=(len(rows(log)), 4))
    widths = [line.count("\t") for line in lines(log) if not line.startswith("#comptop")]
    changes = [a != b for a, b in zip(widths, widths[1:])]
    expect(columns_change_twice=(sum(changes), 2))


def test_a_line_that_was_cut_ends_before_ours(scene):
    log = scene.path("run.json")
    with open(log, "w") as file:
        file.write('{"v":1,"t":"20')
    Run(scene, "-o", "json", "-d", "0.05", "-n", "2", out=log).program.ends_well()
    got = lines(log)
    expect(lines=(len(got), 3), cut=(got[0], '{"v":1,"t":"20'))
    expect(seqs=([json.loads(line)["seq"] for line in got[1:]], [1, 2]))


def test_a_reader_that_stops_stops_nothing(scene):
    run = Run(scene, "-o", "json", "-f", "spectrum", "-d", "0.01")
    # Far more than a pipe holds: samples wait, and the run does not.
    until(lambda: select.select([run.program.process.stdout], [], [], 0)[0], "the first sample")
    time.sleep(1)
    for _ in range(20):
        run.publisher.send(np.zeros((80, 80), np.uint16))
    scene.look("hexitec", lambda s: s["streams"][0]["frames"] == 21)
    run.program.signal(signal.SIGTERM)
    until(lambda: not run.program.running(), "the end")
    expect(code=(run.program.process.returncode, 0))
    lines = run.program.process.stdout.read().splitlines()
    assert lines, "no sample"
    for line in lines[:-1]:                     # the last one may have been cut by the end
        json.loads(line)


def test_a_slow_reader_gets_whole_samples_in_order(scene):
    run = Run(scene, "-o", "json", "-f", "map", "-d", "0.02", "-n", "10")
    time.sleep(1)
    got = [json.loads(line) for line in run.program.ends_well().splitlines()]
    expect(seqs=([sample["seq"] for sample in got], list(range(1, 11))),
           cells=({len(sample["map"]["emf"]) for sample in got if sample["map"]} <= {6400}, True))



def test_without_a_log_a_rotation_is_nothing(scene):
    run = Run(scene, "-o", "json", "-d", "0.05")
    run.program.sample_where(lambda s: s["seq"] == 2)
    run.program.signal(signal.SIGUSR2)
    run.program.sample_where(lambda s: s["seq"] > 4)
    run.program.signal(signal.SIGTERM)
    run.program.ends_well()


sys.exit(run_tests(globals()))
