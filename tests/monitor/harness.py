"""For tests of the programs from outside: a place for each test, programs that end with it, a publisher that is not ours.

A test is a function test_WHAT(scene). Tests run several at a time, as most of their time is waiting; each has its own
folder for sockets, so that no collector sees another's. Output is TAP. Waiting is for what happens, with limits that
only a broken program reaches.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import zmq

PATIENCE_S = 300 if os.environ.get("sanitized") else 90      # a sanitizer stretches time


class CTX:
    """Each process that runs tests has a context of its own."""

    @staticmethod
    def socket(kind):
        return zmq.Context.instance().socket(kind)


class Skip(Exception):
    pass


class Program:
    """A running program; its standard error goes into a file, so that nothing ever waits for a reader."""

    def __init__(self, scene, argv, **options):
        self.log = os.path.join(scene.folder, f"stderr.{len(scene.programs)}")
        with open(self.log, "w") as log:
            options = {"stdout": subprocess.PIPE, **options}
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=log, text=True, env=scene.environment,
                                            **options)

    def samples(self):
        for line in self.process.stdout:
            yield json.loads(line)

    def sample_where(self, holds):
        """The first sample that <holds>; an error when the program ends without one."""
        watchdog, last = threading.Timer(PATIENCE_S, self.process.kill), None
        watchdog.start()
        try:
            for last in self.samples():
                if holds(last):
                    return last
        finally:
            watchdog.cancel()
        raise AssertionError(f"ended, or not within {PATIENCE_S} s; last: {json.dumps(last)[:3000]}; {self.errors()}")

    def sample_that(self, is_right):
        """The first sample of which <is_right> asserts nothing wrong, for what settles; an error with what it said last."""
        said = "no sample"

        def holds(sample):
            nonlocal said
            try:
                is_right(sample)
            except AssertionError as wrong:
                said = wrong
                return False
            return True

        try:
            return self.sample_where(holds)
        except AssertionError as late:
            raise AssertionError(f"{said}; {late}") from None

    def errors(self):
        with open(self.log) as log:
            return log.read()

    def signal(self, number):
        self.process.send_signal(number)

    def running(self):
        return self.process.poll() is None

    def end(self):
        """Exit code, standard output."""
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out

    def ends_well(self):
        code, out = self.end()
        assert code == 0, f"exit {code}: {self.errors()}"
        return out

    def last_sample(self):
        lines = self.ends_well().splitlines()
        assert lines, "no sample: " + self.errors()
        return json.loads(lines[-1])

    def kill(self):
        if self.running():
            self.process.kill()
        self.process.wait()
        if self.process.stdout:
            self.process.stdout.close()


class Scene:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="comptop-")
        self.environment = {**os.environ, "XDG_RUNTIME_DIR": self.folder, "XDG_CONFIG_HOME": self.folder}
        self.programs, self.closers = [], []

    def start(self, name, *argv, **options):
        program = Program(self, [os.path.join(os.environ["top_builddir"], name), *map(str, argv)], **options)
        self.programs.append(program)
        return program

    def comptop(self, *argv, **options):
        return self.start("comptop", *argv, **options)

    def batch(self, *argv, interval="0.1", **options):
        return self.comptop("-b", "-o", "json", "-d", interval, *argv, **options)

    def refused(self, *argv, words, code=1):
        """The program must leave with <code> and one line that has all <words>; the line."""
        program = self.comptop(*argv)
        got, _ = program.end()
        text = program.errors()
        expect(code=(got, code), lines=(text.count("\n"), 1))
        for word in words:
            assert word in text, f"no {word} in: {text}"
        return text

    def path(self, name):
        return os.path.join(self.folder, name)

    def archive(self):
        return self.path("data")

    def sockets(self):
        """What collectors have put into the folder for sockets."""
        folder = self.path("comptop")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def look(self, run, holds):
        """A sample of a run that is being collected, as soon as one <holds>."""
        until(lambda: f"{run}.sock" in self.sockets(), f"run {run} being collected")
        viewer = self.batch("--attach", run)
        sample = viewer.sample_where(holds)
        viewer.kill()
        return sample

    def close(self):
        for program in self.programs:
            program.kill()
        for close in reversed(self.closers):
            close()
        self.kill_collectors()
        shutil.rmtree(self.folder)

    def kill_collectors(self):
        """Those that have outlived their screens, as they should: they have this scene's folder for sockets."""
        mine = b"XDG_RUNTIME_DIR=" + self.folder.encode()
        for number in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{number}/environ", "rb") as environment:
                    if mine in environment.read().split(b"\0"):
                        os.kill(int(number), signal.SIGKILL)
            except OSError:  # gone, or somebody else's
                pass


class Publisher:
    """An XPUB socket, that is a PUB that is told of subscriptions, and the frames that were sent."""

    def __init__(self, scene, role="hexitec", **header):
        self.socket = CTX.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 100000)
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.endpoint = f"ipc://{scene.path(role)}"
        self.socket.bind(self.endpoint)
        self.header, self.sent, self.next = header, {}, 0
        self.thread, self.stopping = None, threading.Event()
        scene.closers.append(self.close)

    def close(self):
        self.stop()
        self.socket.close()

    def wait(self, program):
        """For the next subscriber."""
        until = time.monotonic() + PATIENCE_S
        while self.socket.poll(100) == 0 or self.socket.recv() != b"\x01":
            assert program.running(), program.errors()
            assert time.monotonic() < until, "no subscription"

    def send(self, pixels, **more):
        """Frame number <next>, an array of two dimensions; with a number it goes on from there."""
        self.next = more.pop("number", self.next)
        header = {"htype": "array-1.0", "shape": list(pixels.shape), "type": str(pixels.dtype), "frame": self.next,
                  **self.header, **more}
        self.socket.send_multipart([json.dumps(header).encode(), pixels.tobytes()])
        self.sent[self.next] = pixels
        self.next += 1

    def keep_sending(self, make, hz=500):
        """On and on, in a thread, until stop()."""
        def run():
            while not self.stopping.wait(1 / hz):
                self.send(make(self.next))
        self.stopping.clear()
        self.thread = threading.Thread(target=run)
        self.thread.start()

    def stop(self):
        if self.thread:
            self.stopping.set()
            self.thread.join()
            self.thread = None


def stream(sample, name="hexitec"):
    return next(s for s in sample["streams"] if s["name"] == name)


def expect(**pairs):
    for name, (got, want) in pairs.items():
        assert got == want, f"{name}: got {got}, want {want}"


def until(holds, what):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "waited in vain: " + what
        time.sleep(0.02)


def outcome(test):
    scene = Scene()
    try:
        test(scene)
    except Skip as why:
        return "skip", str(why)
    except Exception as why:  # a broken test must not hide the others
        return "not ok", f"{type(why).__name__}: {why}"
    finally:
        scene.close()
    return "ok", ""


def run_tests(names):
    tests = [(name, f) for name, f in names.items() if name.startswith("test_")]
    if len(sys.argv) > 1:
        tests = [t for t in tests if sys.argv[1] in t[0]]
    print(f"1..{len(tests)}")
    failed = 0
    # No threads: HDF5 waits for the interpreter's lock while a thread that has it waits for HDF5.
    with ProcessPoolExecutor(4, get_context("fork")) as pool:
        outcomes = pool.map(outcome, [test for _, test in tests])
        for number, ((name, _), (result, why)) in enumerate(zip(tests, outcomes), 1):
            words = f"{number} - {name[5:].replace('_', ' ')}"
            print(f"ok {words} # SKIP {why}" if result == "skip" else f"{result} {words}", flush=True)
            if result == "not ok":
                failed += 1
                print("# " + why.replace("\n", "\n# ")[:3000], flush=True)
    return failed != 0
