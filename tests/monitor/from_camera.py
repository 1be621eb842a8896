"""--from on runs with a camera, and on tomography files: the last slice is that of the live run, bit by bit."""
import json
import os
import sys
import time

import h5py
import numpy as np

from camera import COLS, PIXEL_UM, ROWS, SIZE, Camera, Stage, line
from harness import Publisher, expect, run_tests, stream, until

CAMERA = ("-S", f"camera.size={SIZE}", "-S", f"camera.pixel_um={PIXEL_UM}", "-S", "camera.rotation=360")
SMALL = ("-S", "run.reserve_MB=0", "-S", "run.buffer_MB=256", "-S", "run.memory_MB=256", "-S", "hexitec.bins=0:200:0.4")


def collect(scene, run, *argv):
    return scene.batch("--archive", scene.archive(), "--run", run, *SMALL, *CAMERA, "-f", "slice", "--exit-on-idle", "3", *argv,
                       interval="0.1")


def last_of(program):
    return [json.loads(text) for text in program.ends_well().splitlines()][-1]


def again(scene, run, *argv, interval="0.25", **options):
    program = scene.batch("--from", os.path.join(scene.archive(), run), "-f", "slice", *argv, interval=interval, **options)
    return last_of(program)


def same(then, now, *fields):
    for field in fields:
        expect(**{field: (now[field], then[field])})


def counts_of(camera, angle_deg, rng):
    counts = 100 + (camera.flat - 100) * np.exp(-line(angle_deg, camera.axis_px))
    counts[40] *= 0.85                                              # a ring
    return counts * (1 + 0.002 * rng.standard_normal(COLS))


def turn(camera, rng, step_deg=3.0, **more):
    """A whole turn, out of order, with a projection that never comes."""
    camera.darks_and_flats()
    for k in rng.permutation(int(360 / step_deg)):
        if k == 17:
            camera.next += 1
        else:
            camera.show(counts_of(camera, step_deg * k, rng), ImageKey=0, RotationAngle=step_deg * k, **more)


def test_a_run_with_detector_camera_and_stage(scene):
    rng = np.random.default_rng(11)
    camera, stage = Camera(scene, axis_px=71.3), Stage(scene)
    detector = Publisher(scene, ndattr={"Mode": "xcs"})
    program = collect(scene, "all", "--camera", camera.endpoint + ",frame_hz=0.001", "--scalars", stage.endpoint, "--hexitec",
                      detector.endpoint + ",frame_hz=1000", "-S", "hexitec.gradients=0.0312", "-S", "camera.angle=Theta", "-S",
                      "attributes.trigger=Shot", "--window", "run")
    for publisher in (camera, stage, detector):
        publisher.wait(program)
    camera.darks_and_flats()
    for k in range(120):
        told = {"Shot": 1000 + k, "Theta": 3.0 * k}
        if k % 3 == 0:                                              # the angle first, the frame first, the frame alone
            stage.tell(**told)
        if k != 60:
            camera.show(counts_of(camera, 3.0 * k, rng), ImageKey=0, Shot=1000 + k, **({"Theta": 3.0 * k} if k % 3 == 2 else {}))
        if k % 3 == 1:
            stage.tell(**told)
        stage.tell(Ewe_V=3.5 + k / 1000, I_A=0.002, Q_Ah=k / 1e6)
        detector.send(rng.integers(0, 40, (80, 80)).astype(np.uint16) * 90)
        time.sleep(0.01)
    stage.tell(Shot=5000)                                           # two messages that are no pair
    stage.tell(Theta=3.0)
    camera.show(counts_of(camera, 3.0, rng), ImageKey=0, Shot=5000)
    then = last_of(program)
    expect(ct=({k: then["ct"][k] for k in ("in_slice", "unplaced", "flats", "darks")},
               {"in_slice": 119, "unplaced": 1, "flats": 3, "darks": 3}), axis=(round(then["ct"]["axis_px"], 1), 71.3))
    now = again(scene, "all")
    for sample in (then, now):
        for name in ("tilt_deg", "tilt_sigma_deg", "tilt_rows"):    # of those that knew their angle when they came
            sample["ct"].pop(name)
    same(then, now, "slice", "ct", "xcs", "mode")
    expect(cell=({k: now["cell"][k] for k in ("v_V", "i_A", "q_Ah")}, {k: then["cell"][k] for k in ("v_V", "i_A", "q_Ah")}))
    for name in ("camera", "hexitec"):
        expect(**{name: ({k: stream(now, name)[k] for k in ("frames", "lost", "role")},
                         {k: stream(then, name)[k] for k in ("frames", "lost", "role")})})
    expect(coarse=(again(scene, "all", "-j", "2", interval="1000")["slice"], then["slice"]))
    with h5py.File(os.path.join(scene.archive(), "all", "all.nxs"), "r") as file:
        group = file["entry/process_000000/slice"]
        kept = np.where(np.isfinite(group["attenuation"][:]), group["attenuation"][:], -1)
        expect(kept=(kept.ravel().tolist(), [-1 if v is None else float(np.float32(v)) for v in then["slice"]["values"]]),
               units=((group["attenuation"].attrs["units"], group["x"].attrs["units"]), ("1/cm", "um")),
               step=(round(float(group["x"][1] - group["x"][0]), 6), round(then["slice"]["pixel_um"], 6)),
               down=(bool(group["y"][0] > group["y"][1]), True), kind=(group.attrs["NX_class"], "NXdata"),
               signal=(group.attrs["signal"], "attenuation"), n=(int(group["projections"][()]), 119))
        for name, key, units in (("axis", "axis_px", "pixel"), ("axis_errors", "axis_sigma_px", "pixel"), ("tilt", "tilt_deg", "deg"),
                                 ("tilt_errors", "tilt_sigma_deg", "deg")):
            known = then["ct"].get(key)
            if known is None:
                assert name not in group, (name, group[name][()])
            else:
                assert abs(group[name][()] - known) < 1e-9 and group[name].attrs["units"] == units, (name, group[name][()], known)
        expect(process=(file["entry/process_000000"].attrs["NX_class"], "NXprocess"))


def test_a_run_whose_stage_tells_what_frames_are(scene):
    rng = np.random.default_rng(13)
    camera, stage = Camera(scene, axis_px=71.3), Stage(scene)
    program = collect(scene, "told", "--camera", camera.endpoint + ",frame_hz=0.001", "--scalars", stage.endpoint)
    for publisher in (camera, stage):
        publisher.wait(program)
    for k in range(126):
        key = 2 if k < 3 else 1 if k < 6 else 0
        stage.tell(RotationAngle=3.0 * (k - 6), Trigger=k, ImageKey=key)
        camera.show(np.full(COLS, 100.0) if key == 2 else camera.flat.astype(float) if key else counts_of(camera, 3.0 * (k - 6), rng),
                    Trigger=k)
        time.sleep(0.01)
    then = last_of(program)
    expect(ct=({k: then["ct"][k] for k in ("in_slice", "unplaced", "flats", "darks", "scans")},
               {"in_slice": 120, "unplaced": 0, "flats": 3, "darks": 3, "scans": 1}), axis=(round(then["ct"]["axis_px"], 1), 71.3))
    same(then, again(scene, "told"), "slice")


def test_a_run_of_a_camera_alone(scene):
    rng = np.random.default_rng(12)
    camera = Camera(scene, axis_px=83.1)
    program = collect(scene, "alone", "--camera", camera.endpoint + ",frame_hz=0.001", "-S", "camera.rings=full")
    camera.wait(program)
    turn(camera, rng)
    camera.darks_and_flats()                                        # those at the end count for all
    camera.send(np.full((ROWS, COLS), 7, np.uint16), ndattr={"ImageKey": 3})       # marked invalid
    then = last_of(program)
    assert then["ct"]["in_slice"] > 100 and then["ct"]["lost"] == 1, then["ct"]
    now = again(scene, "alone")
    same(then, now, "slice", "ct", "mode")
    other = again(scene, "alone", "-S", "camera.filter=hann", "-S", "camera.axis_px=83.1", "-S", "camera.rings=off")
    assert other["slice"]["values"] != then["slice"]["values"] and other["ct"]["axis_method"] == "fixed"
    with h5py.File(os.path.join(scene.archive(), "alone", "alone_process_000001.h5"), "r") as file:
        assert "filter = hann" in file["entry/process/configuration"][()].decode()
        expect(default=(file["entry"].attrs["default"], "slice"), slice=(file["entry/slice/attenuation"].shape, (SIZE, SIZE)))
    # Played again as a live stream.
    replay = "ipc://" + scene.path("replay")
    scene.start("comptop-replay", "--to", replay, "--push", "--wait", "--full-speed", "--stream", "camera",
                os.path.join(scene.archive(), "alone"))
    live = scene.batch("--camera", replay + ",socket=pull,frame_hz=0.001", *SMALL, *CAMERA, "-S", "camera.rings=full", "-f", "slice",
                       "--exit-on-idle", "1", interval="0.1")
    same(then, last_of(live), "slice", "ct")


def test_a_run_as_it_goes(scene):
    rng = np.random.default_rng(13)
    camera = Camera(scene)
    program = collect(scene, "goes", "--camera", camera.endpoint + ",frame_hz=0.001")
    camera.wait(program)
    camera.darks_and_flats()
    for k in range(0, 120, 2):
        camera.show(counts_of(camera, 3.0 * k, rng), ImageKey=0, RotationAngle=3.0 * k)
        time.sleep(0.02)
    program.ends_well()
    run = os.path.join(scene.archive(), "goes")
    samples = [[json.loads(text) for text in
                scene.batch("--from", run, "-f", "slice", interval="0.2").ends_well().splitlines()] for _ in range(2)]
    for one, other in zip(*samples):
        for field in one:
            expect(**{field: (other[field], one[field])})
    grows = [s["ct"]["in_slice"] for s in samples[0]]
    assert len(grows) >= 4 and grows == sorted(grows) and grows[1] < grows[-1] == 60, grows
    times = [s["t"] for s in samples[0]]
    expect(order=(times, sorted(times)))


def test_tomography_files(scene):
    rng = np.random.default_rng(14)
    flat, angles = 30000 - 60 * np.arange(COLS), np.arange(0, 180, 1.5)
    seen = np.array([np.tile(100 + (flat - 100) * np.exp(-line(a, 79.5)), (ROWS, 1)).round() for a in angles], np.uint16)
    white, dark = np.tile(flat, (3, ROWS, 1)).astype(np.uint16), np.full((2, ROWS, COLS), 100, np.uint16)
    with h5py.File(scene.path("dx.h5"), "w") as file:
        file["exchange/data"], file["exchange/data_white"], file["exchange/data_dark"] = seen, white, dark
        file["exchange/theta"] = angles
    with h5py.File(scene.path("scan.nxs"), "w") as file:
        entry = "entry1/tomo_entry/"
        file[entry + "instrument/detector/data"] = np.concatenate([dark, white, seen])
        file[entry + "instrument/detector/image_key"] = [2, 2, 1, 1, 1] + [0] * len(angles)
        file[entry + "sample/rotation_angle"] = np.concatenate([np.zeros(5), angles])
        file[entry + "sample/rotation_angle"].attrs["units"] = "deg"
    found = []
    for name in ("dx.h5", "scan.nxs"):
        program = scene.batch("--from", scene.path(name), "-f", "slice", "-S", f"camera.size={SIZE}", "-S",
                              f"camera.pixel_um={PIXEL_UM}", "-S", "camera.axis_px=79.5", interval="1000")
        last = last_of(program)
        expect(ct=({k: last["ct"][k] for k in ("in_slice", "flats", "darks", "projections")},
                   {"in_slice": 120, "flats": 3, "darks": 2, "projections": 120}), role=(stream(last, "camera")["role"], "camera"))
        found.append(last["slice"]["values"])
    expect(both=(found[0], found[1]))
    picture = np.array([np.nan if v is None else v for v in found[0]], float).reshape(SIZE, SIZE)
    j, i = np.mgrid[:SIZE, :SIZE]
    scale = COLS / SIZE
    near = np.hypot((i - (SIZE - 1) / 2) * scale + 25, ((SIZE - 1) / 2 - j) * scale + 20) < 12
    assert abs(picture[near].mean() / 0.8 - 1) < 0.02, picture[near].mean()
    expect(left=([n for n in os.listdir(scene.folder) if "process" in n], []))


sys.exit(run_tests(globals()))
