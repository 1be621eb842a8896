"""comptop-replay on the files people have, received by a stranger."""
import json
import os
import sys
import time

import h5py
import numpy as np
import zmq

from harness import CTX, PATIENCE_S, Skip, expect, run_tests, until


def play(scene, *argv, expected=0):
    """All messages of a replay at full speed: headers with pixels."""
    endpoint = "ipc://" + scene.path("replay")
    program = scene.start("comptop-replay", "--to", endpoint, "--push", "--wait", *argv)
    socket = CTX.socket(zmq.PULL)
    socket.connect(endpoint)
    got = []
    while program.running() or socket.poll(2000):
        if socket.poll(100):
            header, blob = socket.recv_multipart()
            header = json.loads(header)
            got.append((header, np.frombuffer(blob, header["type"]).reshape(header["shape"])))
    socket.close(0)
    code, _ = program.end()
    assert code == expected, program.errors()
    return got, program.errors()


def pixels_of(got):
    return np.array([pixels for _, pixels in got])


def attribute(got, name):
    return [header.get("ndattr", header).get(name) for header, _ in got]


def random_frames(seed, *shape):
    return np.random.default_rng(seed).integers(0, 5000, shape, np.uint16)


def test_headerless_frames_are_sent_as_they_are(scene):
    frames = random_frames(1, 7, 80, 80)
    frames.astype("<u2").tofile(scene.path("gige.bin"))
    got, _ = play(scene, scene.path("gige.bin"), "--full-speed")
    assert (pixels_of(got) == frames).all()
    with open(scene.path("cut.bin"), "wb") as file:
        file.write(b"x" * 12801)
    _, said = play(scene, scene.path("cut.bin"), expected=1)
    assert "12801 bytes" in said


def test_headerless_frames_are_analysed_in_the_order_of_the_asic(scene):
    frames = np.zeros((64, 80, 80), np.uint16)
    # Value k of a row belongs to column k % 4 * 20 + k // 4: of column 45 that is 5 * 4 + 2.
    frames[:, 33, 22] = 3000
    frames.tofile(scene.path("one.bin"))
    program = scene.batch("--from", scene.path("one.bin"), "-f", "map", "-S", "hexitec.gradients=0.0312", "-S",
                          "hexitec.intercepts=0", "--window", "run", interval="1000")
    s = program.last_sample()
    counts = np.array(s["map"]["counts"], float).reshape(80, 80)
    expect(pixel=(np.argwhere(np.nan_to_num(counts) > 0).tolist(), [[33, 45]]), photons=(s["xcs"]["counts"], 64))


def test_odin_files_packed_with_blosc(scene):
    if not h5py.h5z.filter_avail(32001):
        raise Skip("no blosc for HDF5 (Debian: hdf5-filter-plugin-blosc-serial)")
    frames = random_frames(9, 12, 80, 80) // 4900   # the filter fails where nothing can be packed
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((1, 80, 80))
    plist.set_filter(32001, h5py.h5z.FLAG_MANDATORY, (2, 2, 2, 12800, 5, 1, 0))
    with h5py.File(scene.path("packed.h5"), "w") as file:
        space = h5py.h5s.create_simple(frames.shape)
        raw = h5py.h5d.create(file.id, b"raw_frames", h5py.h5t.STD_U16LE, space, plist)
        raw.write(h5py.h5s.ALL, h5py.h5s.ALL, frames)
    got, _ = play(scene, scene.path("packed.h5"), "--full-speed")
    assert (pixels_of(got) == frames).all()


def test_raw_frames_of_odin_come_first(scene):
    raw = random_frames(2, 5, 80, 80)
    with h5py.File(scene.path("odin.h5"), "w") as file:
        file["processed_frames"] = raw.astype(np.float32)
        file["raw_frames"] = raw
    got, _ = play(scene, scene.path("odin.h5"), "--full-speed")
    assert (pixels_of(got) == raw).all() and got[0][0]["type"] == "uint16"
    got, _ = play(scene, scene.path("odin.h5") + ":/processed_frames", "--full-speed")
    expect(type=(got[0][0]["type"], "float32"))


def test_data_exchange_brings_darks_flats_and_angles(scene):
    data, white, dark = random_frames(3, 6, 20, 30), random_frames(4, 2, 20, 30), random_frames(5, 3, 20, 30)
    with h5py.File(scene.path("dx.h5"), "w") as file:
        file["exchange/data"], file["exchange/data_white"], file["exchange/data_dark"] = data, white, dark
        file["exchange/theta"] = np.linspace(0, 150, 6)
    got, _ = play(scene, scene.path("dx.h5"), "--full-speed")
    assert (pixels_of(got) == np.concatenate([dark, white, data])).all()
    expect(keys=(attribute(got, "ImageKey"), [2] * 3 + [1] * 2 + [0] * 6),
           angles=(attribute(got, "RotationAngle")[5:], [0, 30, 60, 90, 120, 150]))


def test_nxtomo_brings_keys_and_angles(scene):
    data, keys = random_frames(6, 6, 20, 30), [2, 1, 0, 0, 0, 3]
    with h5py.File(scene.path("scan.nxs"), "w") as file:
        file["entry1/tomo_entry/instrument/detector/data"] = data
        file["entry1/tomo_entry/instrument/detector/image_key"] = keys
        file["entry1/tomo_entry/sample/rotation_angle"] = np.radians([0, 0, 10, 20, 30, 40])
        file["entry1/tomo_entry/sample/rotation_angle"].attrs["units"] = "rad"
        file["entry1/other"] = random_frames(7, 6, 20, 30)
    got, _ = play(scene, scene.path("scan.nxs"), "--full-speed")
    assert (pixels_of(got) == data).all()
    expect(keys=(attribute(got, "ImageKey"), keys))
    assert np.allclose(attribute(got, "RotationAngle"), [0, 0, 10, 20, 30, 40])
    # After it one of another format: each has its own angles and keys.
    with h5py.File(scene.path("after.h5"), "w") as file:
        file["exchange/data"], file["exchange/data_white"] = data, data[:2]
        file["exchange/theta"] = np.arange(6.)
    got, _ = play(scene, scene.path("scan.nxs"), scene.path("after.h5"), scene.path("scan.nxs"), "--full-speed")
    expect(keys=(attribute(got, "ImageKey"), keys + [1] * 2 + [0] * 6 + keys))
    assert np.allclose(attribute(got, "RotationAngle")[8:14], np.arange(6)), attribute(got, "RotationAngle")
    _, said = play(scene, scene.path("after.h5"), "--begin", "9", expected=1)
    assert "between --begin and --end" in said


# ---- a run -----------------------
def record(scene, run, frames=3000):
    """An archived run of the simulator; arrival of its frames, and the scalars that came: time, name, value."""
    folder = os.path.join(scene.archive(), run)
    scene.start("comptop-sim", "--hexitec", "ipc://" + scene.path("sim"), "--scalars", "ipc://" + scene.path("cell"), "--push",
                "--wait", "--rate", "3000", "--frames", frames, "--speedup", "600")
    scene.batch("--hexitec", f"ipc://{scene.path('sim')},socket=pull,frame_hz=3000", "--scalars", "ipc://" + scene.path("cell"),
                "--archive", scene.archive(), "--run", run, "-S", "run.reserve_MB=0", "-S", "run.memory_MB=256", "-S",
                "hexitec.bins=0:200:0.4", "--exit-on-idle", "2", interval="1000").ends_well()
    with h5py.File(f"{folder}/{run}_hexitec_000000.h5", "r") as file:
        arrival, numbers = file["entry/arrival"][:], file["entry/frame_number"][:]
    with h5py.File(f"{folder}/{run}_log_000000.h5", "r") as file:
        group = file["entry/scalars"]
        names = [n.decode() for n in group["channel_name"][:]]
        scalars = [(int(t), names[c], v) for t, c, v in zip(group["arrival"][:], group["channel"][:], group["value"][:])]
    expect(frames=(len(numbers), frames))
    return folder, arrival, numbers, scalars


class Listener:
    """Takes the scalars of a replay, from before its first frame on."""

    def __init__(self, endpoint):
        self.socket = CTX.socket(zmq.SUB)
        self.socket.setsockopt(zmq.SUBSCRIBE, b"")
        self.socket.setsockopt(zmq.RECONNECT_IVL, 5)
        self.socket.connect(endpoint)

    def values(self):
        """Name and value in the order in which they came."""
        got = []
        while self.socket.poll(500):
            parts = self.socket.recv_multipart()
            channels = [c["name"] for c in json.loads(parts[1])["channels"]]
            got += [(name, np.frombuffer(blob, np.float64)[0]) for name, blob in zip(channels, parts[2::2]) if blob]
        self.socket.close(0)
        return got


def test_a_part_of_a_run_and_its_scalars(scene):
    folder, arrival, numbers, scalars = record(scene, "part")
    since = (arrival - arrival[0]) / 1e9
    with h5py.File(f"{folder}/part.nxs", "r") as file:
        headers = {name: json.loads(group["first_header"][()]) for name, group in file["entry/streams"].items()}
    expect(headers=({name: header["htype"] for name, header in headers.items()}, {"hexitec": "array-1.0", "scalars": "bsr_m-1.1"}))
    got, _ = play(scene, folder, "--full-speed", "--begin", "0.25", "--end", "0.75")
    wanted = numbers[(since >= 0.25) & (since <= 0.75)]
    sent = [header["frame"] for header, _ in got]
    expect(count=(len(sent), len(wanted)), first=(sent[:3], wanted[:3].tolist()), numbers=(sent, wanted.tolist()))
    listener = Listener("ipc://" + scene.path("tape"))
    time.sleep(0.5)
    play(scene, folder, "--rate", "3000", "--scalars", "ipc://" + scene.path("tape"))
    heard, known = listener.values(), [(name, value) for t, name, value in scalars if t < arrival[-1]]
    # What was published before the subscription had come through is not heard.
    assert len(heard) > len(known) // 4 and heard == known[len(known) - len(heard):], (heard, known)
    _, said = play(scene, folder, "--begin", "9", expected=1)
    assert "has no frames" in said


def test_a_cell_log_in_step(scene):
    frames = random_frames(8, 40, 20, 30)
    with h5py.File(scene.path("scan.h5"), "w") as file:
        file["data"] = frames
    with open(scene.path("cell.mpt"), "w", newline="") as file:
        file.write("EC-Lab ASCII FILE\r\nNb header lines : 3\r\ntime/s\tEwe/V\tI/mA\r\n")
        file.writelines(f"{100 + k / 4}\t{3 + k / 100}\t{k}\r\n" for k in range(40))
    listener = Listener("ipc://" + scene.path("tape"))
    play(scene, scene.path("scan.h5"), "--speed", "2", "--scalars", "ipc://" + scene.path("tape"), "--mpt", scene.path("cell.mpt"))
    heard = listener.values()
    # 40 frames at 10 Hz are 3.9 s: rows 0 to 15, the first ones perhaps before the subscription.
    volts = [value for name, value in heard if name == "Ewe_V"]
    expect(names=(sorted({name for name, _ in heard}), ["Ewe_V", "I_A"]), last=(round(volts[-1], 9), 3.15))
    assert np.allclose(volts, 3.15 - np.arange(len(volts))[::-1] / 100) and len(volts) > 4


def test_what_excludes_each_other_is_refused(scene):
    for argv, word in ((("--speed", "2", "--rate", "5"), "exclude"), (("--begin", "2", "--end", "1"), "before"),
                       (("--mpt", "x"), "--scalars")):
        program = scene.start("comptop-replay", "x.h5", *argv)
        expect(code=(program.end()[0], 1))
        assert word in program.errors(), program.errors()


sys.exit(run_tests(globals()))
