"""Collectors without a screen, and those who look at them: both ours, driven from outside."""
import json
import os
import signal
import socket
import sys
import threading
import time

import numpy as np

from harness import Publisher, expect, run_tests, stream, until

SMALL = ("-S", "run.reserve_MB=0", "-S", "run.buffer_MB=512", "-S", "run.memory_MB=256")
CAL = ("-S", "hexitec.gradients=0.1", "-S", "hexitec.threshold=80", "-S", "emf.min_counts=1")
# As slow by its settings that it is never late.
SLOW = ",frame_hz=0.001"


def hits(number=0):
    """A frame with a photon in each window of the EMF."""
    pixels = np.zeros((80, 80), np.uint16)
    pixels[20, 10] = 936
    pixels[60, 70] = 915
    return pixels


class Collector:
    """comptop --headless on a stream of its own."""

    def __init__(self, scene, run, *argv, role="hexitec"):
        self.publisher = Publisher(scene, role=f"{role}-{run}")
        self.stream = ("--" + role, self.publisher.endpoint + SLOW)
        self.program = scene.comptop("--headless", "--run", run, *SMALL, *CAL, *self.stream, *argv)
        self.publisher.wait(self.program)
        until(lambda: f"{run}.sock" in scene.sockets() or not self.program.running(), "the socket of " + run)
        assert self.program.running(), self.program.errors()

    def send(self, *numbers):
        for number in numbers:
            self.publisher.send(hits(), number=number)

    def ends(self, number=signal.SIGTERM):
        self.program.signal(number)
        return self.program.ends_well()


def seen(count):
    return lambda s: stream(s)["frames"] >= count


# ---- looking -----------------------
def test_two_viewers_at_once_see_the_same(scene):
    collector = Collector(scene, "both")
    collector.send(*range(50))
    scene.look("both", lambda s: s["xcs"]["total_frames"] == 50)
    viewers = [scene.batch("--attach", "both", "-n", "2", "-f", fields) for fields in ("map", "map,spectrum", "profile")]
    samples = [[json.loads(line) for line in viewer.ends_well().splitlines()] for viewer in viewers]
    expect(lines=([len(lines) for lines in samples], [2, 2, 2]), seq=([s["seq"] for s in samples[0]], [1, 2]))
    first, second, third = (lines[-1] for lines in samples)
    expect(cells=(len(first["map"]["emf"]), 6400), same=(first["map"], second["map"]), xcs=(
        first["xcs"]["counts"], second["xcs"]["counts"]), counts=(sum(second["spectrum"]["counts"]), 100),
           there=(first["map"]["counts"][20 * 80 + 10], 50))
    # Everybody gets what he asked for, and only that.
    expect(first=("spectrum" in first, False), third=("map" in third, False), profile=("profile" in third, True))
    collector.ends()


def test_viewers_have_their_own_form(scene):
    collector = Collector(scene, "forms")
    collector.send(*range(5))
    scene.look("forms", lambda s: s["xcs"]["total_frames"] == 5)
    forms = {form: scene.comptop("-b", "-o", form, "-d", "0.1", "-n", "1", "--attach", "forms") for form in
             ("text", "ansi", "tsv")}
    text, ansi, tsv = (forms[form].ends_well() for form in ("text", "ansi", "tsv"))
    lines = text.splitlines()
    expect(rows=(len(lines), 24), title=(lines[0].split()[:2], ["comptop", "forms"]), magic=(tsv[:14], "#comptop-tsv 1"))
    assert max(map(len, lines)) <= 80 and "\033[" in ansi and "\033" not in text
    collector.ends()


def test_without_a_name_there_must_be_one(scene):
    scene.refused("-b", "-n", "1", "--attach", words=["nothing is being collected"])
    one = Collector(scene, "one")
    viewer = scene.batch("-n", "1", "--attach")
    expect(run=(viewer.last_sample()["run"], "one"))
    two = Collector(scene, "two.b")
    scene.refused("-b", "-n", "1", "--attach", words=["one", "two.b", "--attach"])
    scene.refused("-b", "-n", "1", "--attach", "three", words=["three", "one", "two.b"])
    for name in ("one", "two.b"):
        expect(run=(scene.batch("-n", "1", "--attach", name).last_sample()["run"], name))
    one.ends()
    expect(left=(scene.batch("-n", "1", "--attach").last_sample()["run"], "two.b"))
    two.ends()
    scene.refused("-b", "-n", "1", "--attach", words=["nothing is being collected"])


def test_a_run_name_is_taken_once(scene):
    first = Collector(scene, "name")
    scene.refused("--headless", "--run", "name", *SMALL, "--hexitec", "tcp://127.0.0.1:1", words=["name", "--attach"])
    scene.refused("--headless", "--run", "name", *SMALL, "--hexitec", "tcp://127.0.0.1:1", words=["name", "--attach"])
    expect(still=(scene.batch("-n", "1", "--attach").last_sample()["run"], "name"))
    first.ends()


def test_a_stopped_viewer_is_not_felt(scene):
    collector = Collector(scene, "calm")
    collector.publisher.keep_sending(hits, 500)
    scene.look("calm", seen(100))
    viewer = scene.batch("--attach", "calm", "-f", "map,spectrum,profile", interval="0.02")
    before = viewer.sample_where(seen(1))
    viewer.signal(signal.SIGSTOP)
    after = scene.look("calm", seen(stream(before)["frames"] + 3000))
    expect(lost=(stream(after)["lost"], 0), skipped=(after["rings"][0]["skipped"], 0))
    time.sleep(4)                              # longer than it would wait for an answer
    viewer.signal(signal.SIGCONT)
    viewer.sample_where(seen(stream(after)["frames"]))
    collector.publisher.stop()
    sent = collector.publisher.next
    last = scene.look("calm", lambda s: stream(s)["frames"] + stream(s)["lost"] >= sent)
    expect(frames=(stream(last)["frames"], sent), analysed=(last["xcs"]["total_frames"], sent))
    collector.ends()


def test_a_viewer_hears_that_the_collector_is_gone(scene):
    collector = Collector(scene, "gone")
    viewer = scene.batch("--attach", "gone")
    viewer.sample_where(lambda s: True)
    collector.program.signal(signal.SIGKILL)
    collector.program.end()
    code, _ = viewer.end()
    expect(code=(code, 1), lines=(viewer.errors().count("\n"), 1))
    assert "does not answer" in viewer.errors(), viewer.errors()
    # Its socket and lock mean nothing now.
    scene.refused("-b", "-n", "1", "--attach", words=["nothing is being collected"])
    again = Collector(scene, "gone")
    again.ends()


# ---- signals -----------------------
class Tunnel:
    """Carries a socket as ssh -L does: another socket, and whatever comes on either side goes to the other."""

    def __init__(self, scene, far):
        self.near, self.far, self.pairs = scene.path("tunnel.sock"), far, []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.near)
        self.server.listen()
        scene.closers.append(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self.far)
            except OSError:
                near.close()
                continue
            self.pairs.append((near, far))
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self.carry, args=(a, b), daemon=True).start()

    @staticmethod
    def carry(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for end in (a, b):
            end.close()

    def cut(self):
        for pair in self.pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.cut()


def test_a_viewer_comes_through_a_tunnel_and_survives_its_cut(scene):
    collector = Collector(scene, "far")
    collector.send(1)
    tunnel = Tunnel(scene, scene.path("comptop/far.sock"))
    viewer = scene.batch("--attach", "ipc://" + tunnel.near, interval="0.2")
    viewer.sample_where(lambda s: stream(s)["frames"] == 1)
    tunnel.cut()
    collector.send(2)
    viewer.sample_where(lambda s: stream(s)["frames"] == 2)
    collector.ends()


def test_hang_up_ends_no_headless_run(scene):
    collector = Collector(scene, "hup")
    collector.send(0)
    scene.look("hup", seen(1))
    collector.program.signal(signal.SIGHUP)
    collector.send(1)
    scene.look("hup", seen(2))
    collector.ends()


def test_hang_up_ends_no_archived_run(scene):
    publisher = Publisher(scene)
    program = scene.batch("--archive", scene.archive(), "--run", "kept", *SMALL, *CAL, "--hexitec", publisher.endpoint + SLOW,
                          interval="1000")
    publisher.wait(program)
    publisher.send(hits())
    scene.look("kept", lambda s: s["archive"]["committed_frames"] == 1)
    program.signal(signal.SIGHUP)
    publisher.send(hits())
    scene.look("kept", lambda s: s["archive"]["committed_frames"] == 2)
    program.signal(signal.SIGINT)
    program.ends_well()
    verify = scene.start("comptop-archive", "verify", os.path.join(scene.archive(), "kept"))
    assert "2 frames read, 0 differ" in verify.ends_well()


def test_an_archived_run_outlives_its_reader(scene):
    publisher = Publisher(scene)
    program = scene.batch("--archive", scene.archive(), "--run", "deaf", *SMALL, *CAL, "--hexitec", publisher.endpoint + SLOW)
    publisher.wait(program)
    publisher.send(hits())
    program.sample_where(seen(1))
    program.process.stdout.close()
    until(lambda: "nobody reads" in program.errors(), "the word that nobody reads")
    publisher.send(hits())
    scene.look("deaf", lambda s: s["archive"]["committed_frames"] == 2)
    program.signal(signal.SIGTERM)
    expect(code=(program.process.wait(60), 0), left=(scene.sockets(), []))


def test_a_term_signal_ends_it_and_leaves_nothing(scene):
    for number in (signal.SIGTERM, signal.SIGINT):
        collector = Collector(scene, "clean", "--archive", scene.path(f"data{int(number)}"))
        assert scene.sockets() == ["clean.lock", "clean.sock"], scene.sockets()
        expect(mode=(os.stat(scene.path("comptop")).st_mode & 0o777, 0o700))
        collector.send(0)
        scene.look("clean", lambda s: s["archive"]["committed_frames"] == 1)
        collector.ends(number)
        expect(left=(scene.sockets(), []))
        files = os.listdir(scene.path(f"data{int(number)}/clean"))
        assert not [name for name in files if name.endswith(".ballast")], files


def test_a_socket_folder_that_others_can_enter_is_refused(scene):
    os.mkdir(scene.path("comptop"), 0o755)
    scene.refused("--headless", "--run", "open", *SMALL, "--hexitec", "tcp://127.0.0.1:1", words=["chmod 700"])


# ---- checking -----------------------
def check(scene, *argv, timeout="0.5"):
    """Exit code and line of --check."""
    program = scene.comptop("--check", "--timeout", timeout, *argv)
    code, out = program.end()
    expect(lines=(out.count("\n"), 1), begin=(out[:8], "comptop "))
    return code, out


def test_check_asks_the_collector(scene):
    code, _ = check(scene, "--hexitec", "tcp://127.0.0.1:1")
    expect(nobody=(code, 2))
    collector = Collector(scene, "asked", "--archive", scene.archive())
    code, _ = check(scene)
    expect(nothing_yet=(code, 2))
    collector.send(*range(20))
    scene.look("asked", lambda s: s["archive"]["committed_frames"] == 20)
    code, line = check(scene)
    assert code == 0 and "frames 20 lost 0" in line, (code, line)
    # A stream that it receives: its own word counts, nobody else connects.
    code, line = check(scene, *collector.stream)
    assert code == 0 and "frames 20 lost 0" in line, (code, line)
    # A stream that is not its: looked at by itself.
    code, line = check(scene, "--hexitec", "tcp://127.0.0.1:1")
    assert code == 2 and "frames 0" in line, (code, line)
    collector.send(30)
    scene.look("asked", lambda s: stream(s)["lost"] == 10)
    code, line = check(scene)
    assert code == 3 and "lost 10" in line, (code, line)
    collector.ends()


sys.exit(run_tests(globals()))
