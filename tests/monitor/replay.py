"""comptop-replay on the files people have, received by a stranger."""
import json
import os
import sys
import time

import h5py
import numpy as np
import zmq

from harness import CTX, PATIENCE_S, expect, run_tests, until


def play(scene, *argv, expected=0):
    """All messages of a replay at full speed: headers with pixels."""
    endpoint = "ipc://" + scene.path("replay")
    program = scene.start("comptop-replay", "--to", endpoint, "--push", "--wait", *argv)
    socket = CTX.socket(zmq.PULL)
    socket.connect(endpoint)
    got = []
    while program.running() or socket.poll(300):
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


sys.exit(run_tests(globals()))
