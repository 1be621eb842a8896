"""comptop driven from outside: a publisher that is not ours (pyzmq), the program in batch mode, its JSON read back.

Speaks TAP. Every test starts its own comptop and its own socket, several at a time: most of their time is waiting.
Publishers send when the subscription has come, and comptop leaves only after far more silence than a slow machine makes
between two messages.
"""
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import zmq

COMPTOP = os.path.join(os.environ["top_builddir"], "comptop")
CTX = zmq.Context.instance()
STARTED = []  # processes, so that none outlives a test that failed
FOLDER = tempfile.TemporaryDirectory()


def alone():
    """An environment in which a comptop finds no collector but itself, and no configuration."""
    folder = tempfile.mkdtemp(dir=FOLDER.name)
    theirs = {name: value for name, value in os.environ.items() if name != "COMPTOP_CONFIG"}
    return {**theirs, "XDG_RUNTIME_DIR": folder, "XDG_CONFIG_HOME": folder}


class Run:
    """comptop -b -o json on one stream of a PUB (or PUSH) socket."""

    def __init__(self, *args, kind=zmq.XPUB, role="hexitec", idle="4", extra="", fmt="json"):
        self.socket = CTX.socket(kind)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, 100000)
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self.endpoint = f"tcp://127.0.0.1:{port}"
        value = self.endpoint + (",socket=pull" if kind == zmq.PUSH else "") + extra
        argv = [COMPTOP, "-b", "-o", fmt, "-d", "1000", "--exit-on-idle", idle, f"--{role}", value, *args]
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env=alone())
        STARTED.append(self.process)
        # XPUB is a PUB that is told of subscriptions.
        if kind == zmq.XPUB and (self.socket.poll(60000) == 0 or self.socket.recv() != b"\x01"):
            raise RuntimeError("comptop did not subscribe: " + self.kill())

    def send(self, header, *parts):
        if isinstance(header, dict):
            header = json.dumps(header)
        self.socket.send_multipart([header.encode() if isinstance(header, str) else header, *parts])

    def kill(self):
        self.process.kill()
        return self.process.communicate()[1]

    def result(self, timeout=180):
        out, self.stderr = self.process.communicate(timeout=timeout)
        self.socket.close()
        if self.process.returncode != 0:
            raise AssertionError(f"exit {self.process.returncode}: {self.stderr}")
        lines = out.splitlines()
        assert lines, "no sample: " + self.stderr
        return json.loads(lines[-1])


def frame(hits=(), rows=80, cols=80, order="<"):
    pixels = [0] * (rows * cols)
    for x, y, value in hits:
        pixels[y * cols + x] = value
    return struct.pack(f"{order}{rows * cols}H", *pixels)


def header(number, shape=(80, 80), dtype="uint16", **more):
    return {"htype": "array-1.0", "shape": list(shape), "type": dtype, "frame": number, "source": "test", **more}


CAL = ("-S", "hexitec.gradients=0.1", "-S", "hexitec.threshold=80")


def stream(sample):
    return sample["streams"][0]


def expect(**pairs):
    for name, (got, want) in pairs.items():
        assert got == want, f"{name}: got {got}, want {want}"


# ---- what is counted -----------------------
def cbor(x):
    """As RFC 8949 says; a tuple (label, value) is a tagged value."""
    def head(major, n):
        for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
            if n < 24:
                return bytes([major << 5 | n])
            if n < 256 ** size:
                return bytes([major << 5 | code]) + n.to_bytes(size, "big")
    if isinstance(x, int):
        return head(0, x)
    if isinstance(x, float):
        return b"\xfb" + struct.pack(">d", x)
    if isinstance(x, bytes):
        return head(2, len(x)) + x
    if isinstance(x, str):
        return head(3, len(x)) + x.encode()
    if isinstance(x, list):
        return head(4, len(x)) + b"".join(map(cbor, x))
    if isinstance(x, dict):
        return head(5, len(x)) + b"".join(cbor(key) + cbor(value) for key, value in x.items())
    return head(6, x[0]) + cbor(x[1])


def test_dectris_series_are_numbered_anew():
    run = Run(*CAL, kind=zmq.PUSH)
    for series, images in ((7, (0, 1, 2)), (8, (0, 2))):
        run.send(cbor({"type": "start", "series_id": series, "goniometer": {"omega": {"start": 0.0, "increment": 0.5}}}))
        for number in images:
            pixels = frame([(number, 5, 1000)])
            # LZ4 in the framing of HDF5, a block that stands as it is: as detectors send what does not shrink.
            packed = struct.pack(">QII", len(pixels), len(pixels), len(pixels)) + pixels
            data = pixels if series == 7 else (56500, ["lz4", 0, packed])
            run.send(cbor({"type": "image", "series_id": series, "image_id": number,
                           "data": {"threshold_1": (40, [[80, 80], (69, data)])}}))
        run.send(cbor({"type": "end", "series_id": series}))
    run.send(cbor({"type": "image", "series_id": 8})[:-1])
    sample = run.result()
    s = stream(sample)
    expect(format=(s["format"], "dectris"), frames=(s["frames"], 5), lost=(s["lost"], 1), rejected=(s["rejected"], 1),
           counts=(sample["xcs"]["counts"], 5), singles=(sample["xcs"]["events"]["single"], 5))


def test_hits_become_events_and_counts():
    run = Run(*CAL, "-f", "spectrum,map,profile", "-S", "emf.min_counts=1")
    # one single (93.5 keV), one double (60.1 + 30.0 keV), one triple
    one = frame([(10, 10, 935), (20, 20, 601), (21, 21, 300), (40, 40, 200), (41, 40, 200), (42, 40, 200)])
    for i in range(50):
        run.send(header(i), one)
    s = run.result()
    x = s["xcs"]
    expect(frames=(stream(s)["frames"], 50), lost=(stream(s)["lost"], 0), analysed=(x["frames"], 50),
           single=(x["events"]["single"], 50), double=(x["events"]["double"], 50),
           multiple=(x["events"]["multiple"], 50), counts=(x["counts"], 100))
    counts = s["spectrum"]["counts"]
    expect(bins=(len(counts), 1000), total=(sum(counts), 100), at93=(counts[467], 50), at90=(counts[450], 50))
    emf = s["map"]["emf"]
    expect(cells=(len(emf), 6400), blank=(emf[0], None))
    expect(counts_there=(s["map"]["counts"][10 * 80 + 10], 50))
    assert abs(x["live_s"] - 50 / 9118.87) < 1e-9, x["live_s"]
    assert len(s["profile"]["pz"]) == len(s["profile"]["J"]) == len(s["profile"]["sigma"]) > 20


def test_batches_endianness_and_old_headers():
    run = Run(*CAL)
    one = frame([(5, 6, 500)], order=">")
    run.send({**header(0, (4, 80, 80)), "endianness": "big"}, one * 4)
    h = header(4)
    h["endianess"] = "big"
    run.send(h, one)
    run.send({**header(5), "htype": ["array-1.0"], "endianness": "big"}, one)
    run.send({**header(6, (80, 80, 3)), "htype": ["array-1.0"], "endianness": "big"}, one * 3)
    s = run.result()
    expect(frames=(stream(s)["frames"], 9), single=(s["xcs"]["events"]["single"], 9), counts=(s["xcs"]["counts"], 9),
           rejected=(stream(s)["rejected"], 0))


def test_float_frames_are_keV():
    run = Run("-S", "hexitec.threshold_keV=5", "-f", "spectrum")
    pixels = [0.0] * 6400
    pixels[100], pixels[3000], pixels[200], pixels[4000] = 93.5, 5.0, float("nan"), -7.0
    for i in range(5):
        run.send(header(i, dtype="float32"), struct.pack("<6400f", *pixels))
    s = run.result()
    expect(counts=(s["xcs"]["counts"], 5), bin=(s["spectrum"]["counts"][467], 5), frames=(stream(s)["frames"], 5))


def test_gap_late_duplicate():
    run = Run(*CAL)
    one = frame([(1, 1, 936)])
    for i in [*range(10), 12, 13, 10, 13, 20]:
        run.send(header(i), one)
    s = run.result()
    # 11 and 14..19 never came; 10 filled a gap; the second 13 is a duplicate
    expect(frames=(stream(s)["frames"], 14), lost=(stream(s)["lost"], 7), late=(stream(s)["late"], 1),
           rejected=(stream(s)["rejected"], 1), analysed=(s["xcs"]["frames"], 14))


def test_end_of_stream_closes_gaps():
    run = Run(*CAL)
    for i in (0, 1, 5):
        run.send(header(i), frame())
    expect(lost=(stream(run.result())["lost"], 3))


def test_too_late():
    run = Run(*CAL, idle="15")
    for i in (0, 1, 5):
        run.send(header(i), frame())
    time.sleep(1.2)
    run.send(header(6), frame())
    time.sleep(1.2)
    run.send(header(7), frame())
    time.sleep(0.6)
    run.send(header(3), frame())
    s = run.result()
    expect(frames=(stream(s)["frames"], 5), lost=(stream(s)["lost"], 3), late=(stream(s)["late"], 0),
           rejected=(stream(s)["rejected"], 1))


def test_restarts_are_no_losses():
    run = Run(*CAL)
    for i in [*range(5000, 5020), *range(0, 20), 5_000_000, 5_000_001]:
        run.send(header(i), frame())
    s = run.result()
    expect(frames=(stream(s)["frames"], 42), lost=(stream(s)["lost"], 0), rejected=(stream(s)["rejected"], 0))


def test_a_source_that_restarts_within_its_old_numbers():
    run = Run(*CAL, idle="6")
    for i in range(300):
        run.send(header(i), frame())
    again = CTX.socket(zmq.XPUB)
    run.socket.close(linger=2000)
    for _ in range(200):
        try:
            again.bind(run.endpoint)
            break
        except zmq.ZMQError:
            time.sleep(0.05)
    run.socket = again
    assert again.poll(20000) and again.recv() == b"\x01", "no new subscription"
    for i in range(20, 120):
        run.send(header(i), frame())
    s = run.result()
    # The new subscription may take a moment longer than its announcement: what came before it is no loss.
    assert 395 <= stream(s)["frames"] <= 400 and stream(s)["restarts"] == 1, stream(s)
    expect(lost=(stream(s)["lost"], 0), rejected=(stream(s)["rejected"], 0))


def test_keyed_and_xct_frames_are_not_analysed():
    run = Run(*CAL)
    one = frame([(1, 1, 936)])
    run.send({**header(0), "ndattr": {"ImageKey": 1}}, one)
    run.send({**header(1), "ndattr": {"Mode": "xct"}}, one)
    run.send({**header(2), "ndattr": {"Mode": "xcs", "ImageKey": 0}}, one)
    s = run.result()
    expect(frames=(stream(s)["frames"], 3), analysed=(s["xcs"]["frames"], 1), counts=(s["xcs"]["counts"], 1))


def test_measured_dark():
    run = Run(*CAL, "-S", "hexitec.dark=measure", "-f", "spectrum")
    dark = struct.pack("<6400H", *[1000] * 6400)
    hit = list(struct.unpack("<6400H", dark))
    hit[77] += 935
    run.send(header(0), struct.pack("<6400H", *hit))  # before any dark: not analysed
    for i in range(1, 4):
        run.send({**header(i), "ndattr": {"ImageKey": 2}}, dark)
    for i in range(4, 9):
        run.send(header(i), struct.pack("<6400H", *hit))
    s = run.result()
    expect(frames=(stream(s)["frames"], 9), analysed=(s["xcs"]["frames"], 5), counts=(s["xcs"]["counts"], 5),
           bin=(s["spectrum"]["counts"][467], 5))


# ---- bad input -----------------------
def test_bad_messages_cost_nothing():
    run = Run(*CAL)
    one = frame([(1, 1, 936)])
    bad = [
        (b"\x00\xff\xfe rubbish", one),
        ("{}", one),
        ('{"htype":"array-1.0"', one),
        (json.dumps(header(100, (79, 80))), one),
        (json.dumps(header(100, (64, 64))), frame(rows=64, cols=64)),
        (json.dumps(header(100)), one[:-2]),
        (json.dumps(header(100, dtype="complex64")), one),
        (json.dumps({**header(100), "encoding": "blosc"}), one),
        ("[" * 100000, one),
        (b" " * (1 << 20), one),
        (json.dumps(header(100, (2 ** 31, 2 ** 31, 2 ** 31))), one),
        (json.dumps(header(100, (0, 80))), b""),
    ]
    for i, parts in enumerate(bad):
        run.send(header(i), one)
        run.send(*parts)
    run.socket.send(b"one part")
    run.socket.send_multipart([b"a"] * 5)
    run.send(header(len(bad)), one)
    s = run.result()
    expect(frames=(stream(s)["frames"], len(bad) + 1), rejected=(stream(s)["rejected"], len(bad) + 2),
           lost=(stream(s)["lost"], 0), counts=(s["xcs"]["counts"], len(bad) + 1))
    assert any(a["id"] == "messages-rejected" for a in s["alarms"]), s["alarms"]
    kinds = stream(s)["rejected_kinds"]
    assert kinds["shape"] >= 2 and kinds["size"] >= 1 and kinds["type"] == 1 and kinds["compressed"] == 1, kinds


def test_not_quite_json_is_used():
    run = Run(*CAL)
    one = frame([(1, 1, 936)])
    run.send('{"htype":"array-1.0","shape":[80,80],"type":"uint16","frame":0,'
             '"ndattr":{"Note":"he said "hi"","T":nan,"U":Undefined,"Mode":"xcs"}}', one)
    run.send(b"\xef\xbb\xbf" + json.dumps(header(1)).encode(), one)
    run.send(json.dumps(header(2)) + "\0", one)
    s = run.result()
    expect(frames=(stream(s)["frames"], 3), tolerated=(stream(s)["tolerated"], 3), counts=(s["xcs"]["counts"], 3))


def test_null_is_absent():
    run = Run(*CAL)
    run.send(header(0, encoding=None, endianness=None, ndattr=None), frame([(1, 1, 936)]))
    run.send(header(None), frame())
    s = run.result()
    expect(frames=(stream(s)["frames"], 1), tolerated=(stream(s)["tolerated"], 0), counts=(s["xcs"]["counts"], 1),
           rejected=(stream(s)["rejected_kinds"], {"key": 1}))


def test_runs_of_the_same_second_have_names_of_their_own():
    together = alone()
    runs = [start("--hexitec", "tcp://127.0.0.1:1", env=together) for _ in range(4)]
    names = [json.loads(run.stdout.readline())["run"] for run in runs]
    for run in runs:
        run.send_signal(signal.SIGTERM)
    expect(codes=([run.wait(60) for run in runs], [0] * 4), names=(len(set(names)), 4))
    for run in runs:
        run.stdout.close()


def test_oversized_message_then_good_ones():
    run = Run(*CAL, idle="15")
    run.send(header(0), frame())
    run.send(header(1), b"\0" * (200 << 20))
    run.send(header(1), frame())
    s = run.result()
    expect(frames=(stream(s)["frames"], 2), rejected=(stream(s)["rejected"], 1), lost=(stream(s)["lost"], 0))


# ---- odin -----------------------
def odin(number, dataset="raw_frames", dtype="uint16", shape=("80", "80"), compression="none", size=12800):
    return json.dumps({"frame_num": number, "acquisition_id": "", "dtype": dtype, "dsize": size, "dataset": dataset,
                       "compression": compression, "shape": list(shape)}, separators=(",", ":"))


def test_odin_dataset_choice():
    run = Run(*CAL)
    for i in range(5):
        run.send(odin(i, "processed_frames", "float", size=25600), b"\0" * 25600)
        run.send(odin(i), frame([(1, 1, 936)]))
    s = run.result()
    expect(frames=(stream(s)["frames"], 5), ignored=(stream(s)["ignored"], 5), counts=(s["xcs"]["counts"], 5),
           rejected=(stream(s)["rejected"], 0), fmt=(stream(s)["format"], "odin"))


def test_odin_single_unknown_dataset_is_taken():
    run = Run(*CAL)
    run.send(odin(0, "dummy"), frame([(1, 1, 936)]))
    s = run.result()
    expect(frames=(stream(s)["frames"], 1), counts=(s["xcs"]["counts"], 1))


def test_odin_late_frames_are_not_analysed():
    run = Run(*CAL)
    for i in [0, 1, 2, 5, 6, 3, 4, 7]:
        run.send(odin(i), frame([(1, 1, 936)]))
    s = run.result()
    expect(frames=(stream(s)["frames"], 8), late=(stream(s)["late"], 2), lost=(stream(s)["lost"], 0),
           analysed=(s["xcs"]["frames"], 6))


def test_odin_compressed_is_rejected_by_name():
    run = Run(*CAL)
    run.send(odin(0, compression="blosc", size=1139), b"\0" * 1139)
    run.send(odin(1), frame())
    s = run.result()
    expect(frames=(stream(s)["frames"], 1), compressed=(stream(s)["rejected_kinds"]["compressed"], 1))


def test_other_sensor_sizes():
    run = Run(*CAL, "-S", "hexitec.rows=160", "-S", "hexitec.cols=480", "-S", "geometry.centre_px=239.5,79.5",
              "-S", "geometry.theta_map=off")
    run.send(header(0, (160, 480)), frame([(470, 150, 936)], 160, 480))
    s = run.result()
    expect(frames=(stream(s)["frames"], 1), counts=(s["xcs"]["counts"], 1))


# ---- camera and scalars -----------------------
def test_camera_is_counted():
    run = Run(role="camera")
    for i, key in enumerate([2, 1, 0, 0, 0]):
        run.send({**header(i, (30, 40)), "ndattr": {"ImageKey": key, "RotationAngle": 12.5 * i}}, b"\0" * 2400)
    s = run.result()
    expect(frames=(stream(s)["frames"], 5), projections=(s["ct"]["projections"], 3), angle=(s["ct"]["angle_deg"], 50.0))
    assert s.get("xcs") is None


def test_scalars():
    run = Run(role="scalars")
    data = {"htype": "bsr_d-1.1", "channels": [{"name": "Ewe_V"}, {"name": "I_A", "type": "float32", "encoding": "big"},
                                                {"name": "Q_Ah", "type": "float64", "shape": [1]}]}
    text = json.dumps(data).encode()
    main = {"htype": "bsr_m-1.1", "hash": "abc", "pulse_id": 7, "global_timestamp": {"sec": int(time.time()), "ns": 5},
            "dh_compression": "none"}
    stamp = struct.pack("<qq", int(time.time()), 0)
    run.socket.send_multipart([json.dumps(main).encode(), text, struct.pack("<d", 3.91), stamp,
                               struct.pack(">f", 0.5), stamp, struct.pack("<d", 0.25), stamp])
    s = run.result()
    expect(v=(s["cell"]["v_V"], 3.91), i=(s["cell"]["i_A"], 0.5), q=(s["cell"]["q_Ah"], 0.25))


# ---- the program itself -----------------------
def comptop(*argv, timeout=120):
    return subprocess.run([COMPTOP, *argv], capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL,
                          env=alone())


def refused(*argv, word):
    done = comptop("-b", *argv)
    assert done.returncode == 1, f"exit {done.returncode}: {done.stderr}"
    assert done.stderr.count("\n") == 1, done.stderr
    assert word in done.stderr, done.stderr


def test_wrong_usage_is_one_line():
    refused("--nonsense", word="nonsense")
    refused("--hexitec", "nonsense", word="nonsense")
    refused("-S", "beam.e1_kev=3", "--hexitec", "tcp://127.0.0.1:1", word="e1_kev")
    refused(word="--demo")
    refused("--hexitec", "tcp://127.0.0.1:1", "-S", "geometry.theta_deg=1", word="theta")


def test_broken_files_are_named_with_their_line():
    with tempfile.TemporaryDirectory() as folder:
        bad = os.path.join(folder, "gradients.txt")
        with open(bad, "w") as f:
            f.write("0.03\n" * 17 + "0.0x3\n" + "0.03\n" * 6382)
        refused("--hexitec", "tcp://127.0.0.1:1", "-S", f"hexitec.gradients={bad}", word="gradients.txt:18")
        with open(bad, "w") as f:
            f.write("0.03\r\n" * 6399)
        refused("--hexitec", "tcp://127.0.0.1:1", "-S", f"hexitec.gradients={bad}", word="6399")
        refused("--hexitec", "tcp://127.0.0.1:1", "-S", f"hexitec.gradients={folder}/none.txt", word="none.txt")
        conf = os.path.join(folder, "a.conf")
        with open(conf, "w") as f:
            f.write("[beam]\n  e1_keV = 114\n\n[geometry]\n  tetha_deg = 90\n")
        refused("-c", conf, word="a.conf:5")


def test_unreachable_endpoint_keeps_trying():
    done = comptop("-b", "-n", "1", "-d", "1", "-o", "json", "--hexitec", "tcp://127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    s = json.loads(done.stdout)
    expect(state=(stream(s)["state"], "down"))
    down = [a for a in s["alarms"] if a["id"] == "stream-down"]
    assert down and down[0]["since"].endswith("Z") and "127.0.0.1:1" in down[0]["text"], s["alarms"]


def test_tsv_columns_agree():
    run = Run(*CAL, fmt="tsv")
    for i in range(3):
        run.send(header(i), frame([(1, 1, 936)]))
    out, _ = run.process.communicate(timeout=180)
    lines = out.splitlines()
    assert lines[0] == "#comptop-tsv 1", lines[0]
    units, names, row = (line.split("\t") for line in lines[1:4])
    expect(units=(len(units), len(names)), row=(len(row), len(names)), lines=(len(lines), 4))
    value = dict(zip(names, row))
    expect(frames=(value["streams.hexitec.frames"], "3"), counts=(value["xcs.counts"], "3"))


def check_of(numbers):
    """The exit code of --check on a stream of these frames, so slow by its settings that it is never late."""
    with CTX.socket(zmq.PUSH) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.SNDTIMEO, 60000)
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        slow = f"tcp://127.0.0.1:{port},socket=pull,frame_hz=0.001"
        process = subprocess.Popen([COMPTOP, "--check", "--timeout", "60", "--hexitec", slow], stdout=subprocess.PIPE,
                                   text=True, env=alone())
        STARTED.append(process)
        for number in numbers:
            socket.send_multipart([json.dumps(header(number)).encode(), frame()])
        out, _ = process.communicate(timeout=180)
    expect(lines=(out.count("\n"), 1), begin=(out[:8], "comptop "))
    return process.returncode


def test_check_exit_codes():
    expect(nothing=(comptop("--check", "--timeout", "0.3", "--hexitec", "tcp://127.0.0.1:1").returncode, 2))
    expect(fine=(check_of(range(5)), 0), lost=(check_of([0, 1, 4]), 3))


def test_a_check_writes_nothing():
    folder = tempfile.mkdtemp(dir=FOLDER.name)
    done = comptop("--check", "--timeout", "0.2", "--hexitec", "tcp://127.0.0.1:1", "--archive", folder, "--run", "later",
                   "--window", "run", "--write-profile", os.path.join(folder, "profile"))
    expect(code=(done.returncode, 2), files=(os.listdir(folder), []))


def test_descriptors_that_are_closed():
    """A caller may leave no standard input, output or errors: no socket gets their numbers, and the samples."""
    for which in (">&-", "<&- >&- 2>&-"):
        done = subprocess.run(["sh", "-c", f'exec "$0" "$@" {which}', COMPTOP, "--scalars", "tcp://127.0.0.1:1", "-b", "-n", "3", "-d",
                               "0.05"], timeout=60, capture_output=True, env=alone())
        expect(code=(done.returncode, 0), aborted=(b"Assertion" in done.stderr, False))


def test_a_closed_pipe_is_a_clean_end():
    done = subprocess.run(f"'{COMPTOP}' -b -d 0.05 --hexitec tcp://127.0.0.1:1 | head -n 4 | wc -l", shell=True,
                          capture_output=True, text=True, timeout=120, env=alone())
    expect(lines=(done.stdout.strip(), "4"))


def test_sigterm_is_a_clean_end():
    process = start("--hexitec", "tcp://127.0.0.1:1")
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    expect(code=(process.wait(60), 0))
    process.stdout.close()


# ---- the demonstration -----------------------
def start(*argv, env=None):
    process = subprocess.Popen([COMPTOP, "-b", "-o", "json", "-d", "0.2", *argv], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, env=env or alone())
    STARTED.append(process)
    return process


def status(pid):
    """State and parent of a process; none when it has ended, collected or not."""
    try:
        with open(f"/proc/{pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else (fields[0], int(fields[1]))


def demo_ends_by(number):
    process = start("--demo")
    sample = json.loads(process.stdout.readline())
    while stream(sample)["frames"] == 0:
        sample = json.loads(process.stdout.readline())
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    children = [pid for pid in pids if (status(pid) or (0, 0))[1] == process.pid]
    expect(children=(len(children), 1))
    process.send_signal(number)
    process.wait(60)
    process.stdout.close()
    until = time.monotonic() + 180
    while status(children[0]) and time.monotonic() < until:
        time.sleep(0.02)
    expect(left=(status(children[0]), None))
    return process.returncode


def test_demo_leaves_nothing_behind():
    expect(code=(demo_ends_by(signal.SIGTERM), 0))


def test_demo_leaves_nothing_behind_when_killed():
    demo_ends_by(signal.SIGKILL)


def outcome(test):
    try:
        test()
    except Exception as why:  # a broken test must not hide the others
        return f"{type(why).__name__}: {why}"
    return None


def main():
    tests = [(name, f) for name, f in globals().items() if name.startswith("test_")]
    if len(sys.argv) > 1:
        tests = [t for t in tests if sys.argv[1] in t[0]]
    print(f"1..{len(tests)}")
    failed = 0
    with ThreadPoolExecutor(8) as pool:
        outcomes = pool.map(outcome, [test for _, test in tests])
        for number, ((name, _), why) in enumerate(zip(tests, outcomes), 1):
            print(f"{'not ok' if why else 'ok'} {number} - {name[5:].replace('_', ' ')}", flush=True)
            if why:
                failed += 1
                print("# " + why.replace("\n", "\n# ")[:2000], flush=True)
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()
    return failed != 0


sys.exit(main())
