"""A camera's slice from outside: a publisher that is not ours, a phantom whose attenuation is known."""
import json
import os
import signal
import sys
import time

import numpy as np
import zmq

from camera import COLS, PIXEL_UM, ROWS, SIZE, Camera, Stage, line
from harness import CTX, PATIENCE_S, expect, run_tests, stream


def watch(scene, camera, *argv):
    program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001", "-f", "slice", "-S", f"camera.size={SIZE}",
                          "-S", f"camera.pixel_um={PIXEL_UM}", *argv)
    camera.wait(program)
    return program


def values(sample):
    return np.array([np.nan if v is None else v for v in sample["slice"]["values"]], float).reshape(SIZE, SIZE)


def mean_around(picture, x, y, radius, scale):
    """Of the slice around (x right, y up) from the axis, all in columns."""
    j, i = np.mgrid[:SIZE, :SIZE]
    near = np.hypot((i - (SIZE - 1) / 2) * scale - x, ((SIZE - 1) / 2 - j) * scale - y) < radius
    return picture[near].mean()


def is_the_phantom(sample, tolerance=0.02):
    picture, scale = values(sample), sample["slice"]["pixel_um"] / PIXEL_UM
    inside, disc = mean_around(picture, -25, -20, 12, scale), mean_around(picture, 30, 10, 7, scale)
    assert abs(inside / 0.8 - 1) < tolerance, f"0.8/cm is {inside}"
    assert abs(disc / 2.8 - 1) < tolerance, f"2.8/cm is {disc}"
    assert np.isnan(picture[0, 0]), "the corner is outside the field of view"


def ends(program):
    program.signal(signal.SIGTERM)
    program.ends_well()


def alarms_of(sample):
    """But for those of a stream that is late, as it is on a machine that is busy."""
    return {a["id"] for a in sample["alarms"] if not a["id"].startswith("stream-")}


def test_a_slice_is_quantitative_and_the_right_way_round(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5")
    camera.darks_and_flats()
    for k in range(120):
        camera.projection(1.5 * k)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 120)
    is_the_phantom(sample)
    expect(ct=({k: sample["ct"][k] for k in ("projections", "flats", "darks", "scans", "axis_method", "covered_deg")},
               {"projections": 120, "flats": 3, "darks": 3, "scans": 1, "axis_method": "fixed", "covered_deg": 180.0}))
    ends(program)


def test_darks_and_flats_at_the_end_count_too(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5")
    for k in range(119):
        camera.projection(1.5 * k)
    camera.darks_and_flats()
    camera.projection(1.5 * 119)
    is_the_phantom(program.sample_where(lambda s: s["ct"]["in_slice"] == 120 and s["ct"]["flats"] == 3))
    ends(program)


def test_darks_and_flats_behind_the_last_projection_count_too(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5")
    for k in range(120):
        camera.projection(1.5 * k)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 120)
    inside = mean_around(values(sample), -25, -20, 12, COLS / SIZE)
    assert inside > 0.85, f"0.8/cm is {inside} before there is a flat"
    camera.darks_and_flats()
    sample = program.sample_where(lambda s: mean_around(values(s), -25, -20, 12, COLS / SIZE) < 0.85)
    is_the_phantom(sample)
    expect(scans=(sample["ct"]["scans"], 1))
    ends(program)


def test_lost_projections_cost_only_themselves(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5")
    camera.darks_and_flats()
    for k in range(120):
        if k in (30, 31, 77):
            camera.next += 1
        else:
            camera.projection(1.5 * k)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 117 and s["ct"]["lost"] == 3)
    is_the_phantom(sample, 0.04)
    ends(program)


def test_the_axis_is_found(scene):
    camera = Camera(scene, axis_px=71.3)
    program = watch(scene, camera, "-S", "camera.rotation=360")
    camera.darks_and_flats()
    for k in range(121):
        camera.projection(3.0 * k)
    sample = program.sample_where(lambda s: s["ct"]["projections"] == 121 and s["ct"]["angle_deg"] == 360 and s["ct"]["axis_method"] in ("pairs", "wedge"))
    assert abs(sample["ct"]["axis_px"] - 71.3) < 0.1, sample["ct"]
    ends(program)


def test_frames_without_an_angle_are_counted(scene):
    camera = Camera(scene)
    program = watch(scene, camera)
    camera.darks_and_flats()
    for _ in range(5):
        camera.show(camera.flat * 0.5, ImageKey=0)
    sample = program.sample_where(lambda s: s["ct"]["unplaced"] == 5)
    expect(in_slice=(sample["ct"]["in_slice"], 0), all_null=(all(v is None for v in sample["slice"]["values"]), True))
    ends(program)


def test_angles_can_be_counted(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5", "-S", "camera.angle_step_deg=1.5")
    camera.darks_and_flats()
    for k in range(120):
        counts = 100 + (camera.flat - 100) * np.exp(-line(1.5 * k, camera.axis_px))
        camera.show(counts, ImageKey=0)
    is_the_phantom(program.sample_where(lambda s: s["ct"]["in_slice"] == 120))
    ends(program)


def test_angles_are_counted_anew_for_the_next_scan(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5", "-S", "camera.angle_step_deg=1.5")
    for n in (1, 2):
        camera.darks_and_flats()
        for k in range(120):
            counts = 100 + (camera.flat - 100) * np.exp(-line(1.5 * k, camera.axis_px))
            camera.show(counts, ImageKey=0)
        sample = program.sample_where(lambda s: s["ct"]["projections"] == 120 * n and s["ct"]["in_slice"] == 120)
        expect(scans=(sample["ct"]["scans"], n), last=(sample["ct"]["angle_deg"], 178.5))
        is_the_phantom(sample)
    ends(program)


def test_angles_can_come_with_scalars(scene):
    camera, stage = Camera(scene), Stage(scene)
    program = watch(scene, camera, "--scalars", stage.endpoint, "-S", "camera.axis_px=79.5", "-S", "camera.angle=Theta",
                    "-S", "attributes.trigger=Shot")
    stage.wait(program)
    camera.darks_and_flats()

    def show(k, angle_deg=None):
        counts = 100 + (camera.flat - 100) * np.exp(-line(1.5 * k, camera.axis_px))
        camera.show(counts, ImageKey=0, Shot=1000 + k, **({} if angle_deg is None else {"Theta": angle_deg}))

    def placed(n):
        return program.sample_where(lambda s: s["ct"]["in_slice"] == n)

    for k in range(40):                                             # the angle first
        stage.tell(Shot=1000 + k, Theta=1.5 * k)
    program.sample_where(lambda s: stream(s, "scalars")["frames"] == 40)
    for k in range(40):
        show(k)
    placed(40)
    for k in range(40, 80):                                         # the frame first
        show(k)
    program.sample_where(lambda s: stream(s, "camera")["frames"] == 6 + 80)
    for k in range(79, 39, -1):
        stage.tell(Theta=1.5 * k, Other=7, Shot=1000 + k)
    sample = placed(80)
    expect(unplaced=(sample["ct"]["unplaced"], 0), told=(60 <= (sample["ct"]["angle_deg"] or 0) <= 118.5, True))
    for k in range(80, 119):                                        # both, in some order
        show(k)
        stage.tell(Shot=1000 + k, Theta=1.5 * k)
    show(119, 1.5 * 119)                                            # one that says it itself
    is_the_phantom(placed(120))
    stage.tell(Shot=5000)                                           # of no use: no angle, no trigger, none there could be
    stage.tell(Theta=3.0)
    stage.tell(Shot=-1, Theta=3.0)
    stage.tell(Shot=1e300, Theta=3.0)
    for k in range(4000, 4003):
        show(k)                                                     # never told
    program.sample_where(lambda s: s["ct"]["waiting"] == 3)
    sample = program.sample_where(lambda s: s["ct"]["unplaced"] == 3)
    expect(in_slice=(sample["ct"]["in_slice"], 120), frames=(stream(sample, "scalars")["frames"] > 120, True))
    ends(program)


def test_image_keys_can_come_with_scalars(scene):
    for first in (True, False):
        camera, stage = Camera(scene), Stage(scene)
        program = watch(scene, camera, "--scalars", stage.endpoint, "-S", "camera.axis_px=79.5", "-S", "attributes.image_key=What")
        stage.wait(program)
        dark = np.full(COLS, 100.0)
        frames = [({2: dark, 1: camera.flat.astype(float), 3: dark}[key], {}) for key in (2, 1, 2, 1, 3)]      # 3: it is none
        told = [{"Trigger": i, "What": key} for i, key in enumerate((2, 1, 2, 1, 3))]
        for k in range(120):                                        # some say their angle themselves, but not what they are
            frames.append((100 + (camera.flat - 100) * np.exp(-line(1.5 * k, camera.axis_px)),
                           {"RotationAngle": 1.5 * k} if first and k % 3 == 0 else {}))
            told.append({"Trigger": 5 + k, "What": 0, "RotationAngle": 1.5 * k})

        def show():
            for i, (counts, says) in enumerate(frames):
                camera.show(counts, Trigger=i, **says)
            program.sample_where(lambda s: stream(s, "camera")["frames"] == 125)

        if not first:
            show()
        for one in told:
            stage.tell(**one)
        program.sample_where(lambda s: stream(s, "scalars")["frames"] == 125)
        if first:
            show()
        sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 120 and (s["ct"]["flats"], s["ct"]["darks"]) == (2, 2))
        is_the_phantom(sample)
        expect(ct=({k: sample["ct"][k] for k in ("unplaced", "waiting", "scans", "unusable")},
                   {"unplaced": 0, "waiting": 0, "scans": 1, "unusable": 0}))
        ends(program)


def test_rings_are_corrected(scene):
    def show(camera, k):
        counts = 100 + (camera.flat - 100) * np.exp(-line(1.5 * k, camera.axis_px))
        counts[[40, 95]] *= 0.85, 1.1                                 # columns that answer otherwise than in the flats
        camera.show(counts * (1 + 0.003 * noise.standard_normal(COLS)), ImageKey=0, RotationAngle=1.5 * k)

    def roughness(rings, columns):
        camera.next = 0
        program = watch(scene, camera, "-S", "camera.axis_px=79.5", "-S", "camera.rings=" + rings)
        camera.darks_and_flats()
        for k in range(120):
            show(camera, k)
        program.sample_where(lambda s: s["ct"]["in_slice"] == 120 and columns(s["ct"]["ring_columns"]))
        until = time.monotonic() + 2.5                                # corrected once more when no more come
        sample = program.sample_where(lambda s: time.monotonic() > until)
        ends(program)
        is_the_phantom(sample)
        picture, scale = values(sample), sample["slice"]["pixel_um"] / PIXEL_UM
        j, i = np.mgrid[:SIZE, :SIZE]
        r = np.hypot(i - (SIZE - 1) / 2, (SIZE - 1) / 2 - j) * scale
        return np.ptp([np.mean(picture[(r > a) & (r <= a + 1.5) & (i < SIZE / 2)]) for a in np.arange(10, 56, 1.5)])

    noise, camera = np.random.default_rng(7), Camera(scene)
    off, on = roughness("off", lambda n: n == 0), roughness("on", lambda n: n >= 2)
    assert off > 0.1 and on < 0.35 * off, f"rings of {off}/cm, corrected {on}/cm"


def test_stripes_are_removed_when_a_scan_has_ended(scene):
    """Answers that are off, dead columns side by side, one that is dead for a third of the scan."""
    noise, camera = np.random.default_rng(11), Camera(scene)

    def scan(rings, done):
        camera.next = 0
        program = watch(scene, camera, "-S", "camera.axis_px=79.5", "-S", "camera.rings=" + rings)
        camera.darks_and_flats()
        for k in range(180):
            counts = 100 + (camera.flat - 100) * np.exp(-line(1.0 * k, camera.axis_px))
            counts[[40, 95]] = 100 + (counts[[40, 95]] - 100) * (0.85, 1.1)
            counts[[60, 61]] = 100
            counts[115] = 100 if k < 60 else counts[115]
            camera.show(counts * (1 + 0.003 * noise.standard_normal(COLS)), ImageKey=0, RotationAngle=1.0 * k)
        sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 180 and done(s["ct"]))
        ends(program)
        return sample

    def error(sample):
        picture, scale = values(sample), sample["slice"]["pixel_um"] / PIXEL_UM
        j, i = np.mgrid[:SIZE, :SIZE]
        r = np.hypot(i - (SIZE - 1) / 2, (SIZE - 1) / 2 - j) * scale
        flat = (r < 55) & (np.hypot((i - (SIZE - 1) / 2) * scale - 30, ((SIZE - 1) / 2 - j) * scale - 10) > 15)
        return picture[flat].std()

    off = scan("off", lambda ct: True)
    full = scan("full", lambda ct: ct["ring_method"] == "full")
    is_the_phantom(full, 0.005)
    assert error(off) > 0.3 and error(full) < 0.1, f"rings of {error(off)}/cm, removed {error(full)}/cm"


def blurred_line(angle_deg, alpha_px2):
    """Of two Gaussians in attenuation, what a camera sees at a distance (transport of intensity, one material): T - alpha T''."""
    a, u = np.radians(angle_deg), np.arange(COLS) - 79.5
    log, slope, bend = np.zeros(COLS), np.zeros(COLS), np.zeros(COLS)
    for x, y, s, depth in ((0, 0, 25, 0.5), (20, 10, 4, 0.4)):
        d = u - (x * np.cos(a) - y * np.sin(a))
        g = depth * np.exp(-d * d / (2 * s * s))
        log, slope, bend = log + g, slope - g * d / s**2, bend + g * (d * d / s**2 - 1) / s**2
    return np.exp(-log) * (1 - alpha_px2 * (slope * slope - bend))


def test_the_phase_is_retrieved(scene):
    pixel_um, alpha_px2, ratio, energy_keV = 3.24, 9.0, 100.0, 25.0
    distance_mm = alpha_px2 * 4 * np.pi * pixel_um**2 / (12.39841984e-4 / energy_keV) / ratio / 1000
    camera = Camera(scene)
    scene.refused("-b", "--camera", camera.endpoint, "-S", "camera.paganin=100", words=["camera.paganin", "distance_mm"])

    def centres(*argv):
        camera.next = 0
        program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001", "-f", "slice,slices", "-S", f"camera.size={SIZE}",
                              "-S", f"camera.pixel_um={pixel_um}", "-S", "camera.axis_px=79.5", "-S", "camera.rings=off",
                              "-S", "camera.point_px=20,10", *argv)
        camera.wait(program)
        camera.darks_and_flats()
        for k in range(180):
            counts = 100 + (camera.flat - 100) * blurred_line(1.0 * k, alpha_px2)
            camera.show(counts, ImageKey=0, RotationAngle=1.0 * k)
        sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 180 and s["slices"]["xy"]
                                      and s["slices"]["xy"]["projections"] == 180)
        ends(program)
        plane, scale = plane_of(sample["slices"]["xy"]), sample["slices"]["xy"]["pixel_um"] / pixel_um
        j, i = np.mgrid[:plane.shape[0], :plane.shape[1]]
        x, y = (i - (plane.shape[1] - 1) / 2) * scale, ((plane.shape[0] - 1) / 2 - j) * scale
        return (mean_around(values(sample), 20, 10, 1.5, sample["slice"]["pixel_um"] / pixel_um),
                plane[np.hypot(x - 20, y - 10) < 1.5].mean())

    # a projection of depth exp(-u^2/2s^2) is that of depth / (s sqrt(2 pi)) exp(-r^2/2s^2)
    j, i = np.mgrid[-15:16, -15:16] / 10
    near = np.hypot(i, j) < 1.5
    true = sum(depth / (s * np.sqrt(2 * np.pi)) * np.exp(-((i + 20 - x)**2 + (j + 10 - y)**2) / (2 * s * s))[near].mean()
               for x, y, s, depth in ((0, 0, 25, 0.5), (20, 10, 4, 0.4))) / (pixel_um * 1e-4)
    for got in centres("-S", "camera.paganin=%g" % ratio, "-S", f"camera.distance_mm={distance_mm}", "-S", f"camera.energy_keV={energy_keV}"):
        assert abs(got / true - 1) < 0.02, f"{true}/cm is {got}"
    for got in centres():
        assert got / true > 1.3, f"no fringe: {true}/cm is {got}"


TALL = 48                                                           # rows of the camera of what stands upright


def tall_mu(x, y, row):
    """A cylinder of 0.8/cm; of 2.8/cm within 14 columns of (30, 10), above row 20."""
    return 0.8 + (2.0 if np.hypot(x - 30, y - 10) < 12 and row < 20 else 0)


class Tall(Camera):
    def projection(self, angle_deg, **more):
        a, u = np.radians(angle_deg), np.arange(COLS) - self.axis_px

        def chord(x, y, r, mu):
            d = u - (x * np.cos(a) - y * np.sin(a))
            return 2 * np.sqrt(np.maximum(r * r - d * d, 0)) * mu * PIXEL_UM * 1e-4

        below = chord(0, 0, 60, 0.8)
        lines = np.stack([below + (chord(30, 10, 12, 2.0) if row < 20 else 0) for row in range(TALL)])
        counts = 100 + (self.flat - 100) * np.exp(-lines)
        self.send(counts.round().astype(np.uint16), ndattr={"ImageKey": 0, "RotationAngle": angle_deg, **more})

    def darks_and_flats(self):
        for _ in range(3):
            self.send(np.full((TALL, COLS), 100, np.uint16), ndattr={"ImageKey": 2})
            self.send(np.tile(self.flat, (TALL, 1)).astype(np.uint16), ndattr={"ImageKey": 1})


def plane_of(section):
    return np.array([np.nan if v is None else v for v in section["values"]], float).reshape(section["rows"], section["cols"])


def planes_are_right(slices, tolerance):
    """Each place well inside something, against what is there."""
    x0, y0, row0 = slices["x_px"], slices["y_px"], slices["row"]
    turn, tilt = np.radians(slices["turn_deg"]), np.radians(slices["tilt_deg"])
    middle_row = (TALL - 1) / 2
    for name in ("xy", "xz", "yz", "oblique"):
        picture, scale = plane_of(slices[name]), slices[name]["pixel_um"] / PIXEL_UM
        rows, cols = picture.shape
        right = (np.arange(cols) - (cols - 1) / 2) * scale
        up = ((rows - 1) / 2 - np.arange(rows)) * scale
        right, up = np.meshgrid(right, up)
        x, y, row = {"xy": (right, up, row0 + 0 * up), "xz": (right, y0 + 0 * up, middle_row - up),
                     "yz": (x0 + 0 * up, right, middle_row - up),
                     "oblique": (x0 + right * np.cos(turn) - up * np.sin(turn) * np.cos(tilt),
                                 y0 + right * np.sin(turn) + up * np.cos(turn) * np.cos(tilt), row0 - up * np.sin(tilt))}[name]
        disc, level = np.hypot(x - 30, y - 10), (row > 1) & (row < TALL - 2)
        high = (disc < 8) & (row < 17) & level
        low = (np.hypot(x, y) < 52) & ((disc > 17) | (row > 23)) & level
        assert high.sum() > 20 and low.sum() > 300, (name, high.sum(), low.sum())
        assert abs(picture[high].mean() / 2.8 - 1) < tolerance, f"{name}: 2.8/cm is {picture[high].mean()}"
        assert abs(picture[low].mean() / 0.8 - 1) < tolerance, f"{name}: 0.8/cm is {picture[low].mean()}"
        outside = (np.hypot(x, y) > COLS / 2 + 1) | (row < -0.5) | (row > TALL - 0.5)
        assert np.isnan(picture[outside]).all(), name


def volume_is_right(volume, tolerance):
    cubes = np.array([np.nan if v is None else v for v in volume["values"]], float)
    cubes = cubes.reshape(volume["slices"], volume["rows"], volume["cols"])
    scale, n = volume["pixel_um"] / PIXEL_UM, volume["cols"]
    expect(cubes=(n <= 128 and volume["rows"] == n and volume["slices"] <= 128, True))
    z, j, i = np.mgrid[:volume["slices"], :n, :n]
    x, y, row = (i - (n - 1) / 2) * scale, ((n - 1) / 2 - j) * scale, (z + 0.5) * scale - 0.5
    for mu, there in ((2.8, (np.hypot(x - 30, y - 10) < 7) & (row > 2) & (row < 17)),
                      (0.8, (np.hypot(x, y) < 50) & (np.hypot(x - 30, y - 10) > 18) & (row > 2) & (row < TALL - 3))):
        assert abs(cubes[there].mean() / mu - 1) < tolerance, f"volume: {mu}/cm is {cubes[there].mean()}"


def has_all(name, picture):
    assert picture and picture["projections"] == 180, f"{name}: {picture and picture['projections']} of 180"


def planes_have_all_and_are_right(sample, tolerance):
    for name in ("xy", "xz", "yz", "oblique"):
        has_all(name, sample["slices"][name])
    planes_are_right(sample["slices"], tolerance)


def planes_of_all_are_right(sample):
    is_the_phantom(sample)
    planes_have_all_and_are_right(sample, 0.02)


def all_are_right(sample):
    has_all("volume", sample["volume"])
    planes_of_all_are_right(sample)
    volume_is_right(sample["volume"], 0.02)


def test_planes_through_any_point(scene):
    for flats in ("first", "last", "behind"):
        camera = Tall(scene)
        program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001", "-f", "slice,slices,volume", "-S", f"camera.size={SIZE}",
                              "-S", f"camera.pixel_um={PIXEL_UM}", "-S", "camera.axis_px=79.5", "-S", "camera.slice_row=10",
                              "-S", "camera.point_px=30,10", "-S", "camera.oblique_deg=30,60")
        camera.wait(program)
        if flats == "first":
            camera.darks_and_flats()
        for k in range(179):
            camera.projection(1.0 * k)
        if flats == "last":
            camera.darks_and_flats()
        camera.projection(179.0)
        if flats == "behind":
            program.sample_where(lambda s: s["volume"] and s["volume"]["projections"] == 180)
            camera.darks_and_flats()
        program.sample_that(all_are_right)        # those of before the flats are painted anew
        ends(program)


def test_planes_have_projections_whose_angle_comes_later(scene):
    camera, stage = Tall(scene), Stage(scene)
    program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001", "-f", "slice,slices", "-S", f"camera.size={SIZE}",
                          "-S", f"camera.pixel_um={PIXEL_UM}", "-S", "camera.axis_px=79.5", "-S", "camera.slice_row=10",
                          "-S", "camera.point_px=30,10", "-S", "camera.oblique_deg=30,60", "--scalars", stage.endpoint,
                          "-S", "camera.angle=Theta", "-S", "attributes.trigger=Shot",
                          interval="0.5")                            # who reads slowly must not be 5 s behind
    camera.wait(program)
    stage.wait(program)
    camera.darks_and_flats()
    for first in range(0, 180, 30):
        for k in range(first, first + 30):
            camera.projection(1.0 * k, Shot=1000 + k, RotationAngle="?")
        program.sample_where(lambda s: s["ct"]["waiting"] == 30)
        for k in range(first, first + 30):
            stage.tell(Theta=1.0 * k, Shot=1000 + k)
        program.sample_where(lambda s: s["ct"]["in_slice"] == first + 30)
    sample = program.sample_that(planes_of_all_are_right)
    expect(unplaced=(sample["ct"]["unplaced"], 0))
    ends(program)


class Leaning(Tall):
    """The same sample on an axis that leans about the middle of the detector, and noise."""

    def __init__(self, scene, tilt_deg):
        super().__init__(scene)
        self.tilt, self.noise = np.radians(tilt_deg), np.random.default_rng(5)

    def projection(self, angle_deg, sample=True):
        a, (row, col) = np.radians(angle_deg), np.mgrid[:TALL, :COLS]
        right, down = col - self.axis_px, row - (TALL - 1) / 2
        u, row = right * np.cos(self.tilt) - down * np.sin(self.tilt), right * np.sin(self.tilt) + down * np.cos(self.tilt) + (TALL - 1) / 2
        lines = np.zeros((TALL, COLS))
        for x, y, r, mu, above in ((0, 0, 60, 0.8, 99), (30, 10, 12, 2.0, 19.5)) if sample else ():
            d = u - (x * np.cos(a) - y * np.sin(a))
            lines += 2 * np.sqrt(np.maximum(r * r - d * d, 0)) * mu * PIXEL_UM * 1e-4 * np.clip(above - row + 0.5, 0, 1)
        counts = 100 + self.noise.poisson((self.flat - 100) * np.exp(-lines))
        self.send(counts.astype(np.uint16), ndattr={"ImageKey": 0, "RotationAngle": angle_deg})


def test_an_axis_that_leans_is_measured_and_followed(scene):
    for rotation, tilt_deg in ((180, -3.0), (360, 3.0)):
        camera = Leaning(scene, tilt_deg)
        program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001", "-f", "slice,slices", "-S", f"camera.size={SIZE}",
                              "-S", f"camera.pixel_um={PIXEL_UM}", "-S", f"camera.rotation={rotation}", "-S", "camera.slice_row=10",
                              "-S", "camera.point_px=30,10", "-S", "camera.oblique_deg=30,60", "-S", "camera.rings=off")
        camera.wait(program)
        camera.darks_and_flats()
        camera.projection(0)
        ct = program.sample_where(lambda s: s["ct"]["in_slice"] == 1)["ct"]
        expect(unknown=((ct["tilt_deg"], ct["tilt_sigma_deg"], ct["tilt_rows"]), (None, None, 0)))
        for k in range(1, 180):
            camera.projection(rotation / 180 * k)
        sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 180 and s["ct"]["tilt_deg"] is not None
                                      and abs(s["ct"]["tilt_deg"] - tilt_deg) < 0.2)
        ct = sample["ct"]
        pull = (ct["tilt_deg"] - tilt_deg) / ct["tilt_sigma_deg"]
        assert abs(pull) < 4 and 0 < ct["tilt_sigma_deg"] < 0.2 and 6 <= ct["tilt_rows"] <= 12, ct
        axis_px = camera.axis_px + np.tan(camera.tilt) * (10 - (TALL - 1) / 2)
        assert abs(ct["axis_px"] - axis_px) < 0.15, (ct, axis_px)
        expect(alarm=([a["id"] for a in sample["alarms"]].count("axis-tilt"), 1))
        program.sample_that(lambda s: planes_have_all_and_are_right(s, 0.03))
        ends(program)


def test_without_a_sample_nothing_leans(scene):
    camera = Leaning(scene, 3.0)
    program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001")
    camera.wait(program)
    camera.darks_and_flats()
    for k in range(180):
        camera.projection(1.0 * k, sample=False)
    until = time.monotonic() + 2.5                                  # looked for once more when no more come
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 180 and time.monotonic() > until)
    expect(tilt=((sample["ct"]["tilt_deg"], sample["ct"]["tilt_rows"]), (None, 0)),
           alarm=([a["id"] for a in sample["alarms"]].count("axis-tilt"), 0))
    ends(program)


def test_flats_may_fill_the_scale(scene):
    """White is 65535, as in files that were scaled to it."""
    camera = Camera(scene)
    program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001", "-f", "slice,slices", "-S", f"camera.size={SIZE}",
                          "-S", f"camera.pixel_um={PIXEL_UM}", "-S", "camera.axis_px=79.5", "-S", "camera.rings=off")
    camera.wait(program)
    camera.show(np.full(COLS, 65535.0), ImageKey=1)
    for k in range(180):
        camera.show(65535 * np.exp(-line(1.0 * k, 79.5)), ImageKey=0, RotationAngle=1.0 * k)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 180 and s["slices"]["xy"]
                                  and s["slices"]["xy"]["projections"] == 180)
    is_the_phantom(sample)
    plane, scale = plane_of(sample["slices"]["xy"]), sample["slices"]["xy"]["pixel_um"] / PIXEL_UM
    j, i = np.mgrid[:plane.shape[0], :plane.shape[1]]
    disc = np.hypot((i - (plane.shape[1] - 1) / 2) * scale - 30, ((plane.shape[0] - 1) / 2 - j) * scale - 10) < 7
    assert abs(plane[disc].mean() / 2.8 - 1) < 0.02, f"2.8/cm is {plane[disc].mean()}"
    ends(program)


def test_a_frame_that_says_nothing_begins_no_scan(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5")
    camera.darks_and_flats()
    for k in range(120):
        camera.projection(1.5 * k)
    program.sample_where(lambda s: s["ct"]["in_slice"] == 120)
    camera.darks_and_flats()
    camera.send(np.full((ROWS, COLS), np.nan, np.float32), ndattr={"RotationAngle": 0.0, "ImageKey": 0})
    sample = program.sample_where(lambda s: s["ct"]["unusable"] == 1)
    expect(scan=((sample["ct"]["scans"], sample["ct"]["in_slice"]), (1, 120)))
    is_the_phantom(sample)
    ends(program)


def test_without_memory_there_are_no_planes(scene):
    camera = Tall(scene)
    program = scene.batch("--camera", camera.endpoint + ",frame_hz=0.001", "-f", "slices,volume", "-S", "camera.memory_MB=0")
    camera.wait(program)
    camera.darks_and_flats()
    for k in range(20):
        camera.projection(9.0 * k)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 20)
    expect(xz=(sample["slices"]["xz"], None), volume=(sample["volume"], None), row=(sample["slices"]["row"], TALL // 2))
    ends(program)


def test_the_slice_is_published(scene):
    camera, endpoint = Camera(scene), "ipc://" + scene.path("slice")
    scene.refused("-b", "--camera", camera.endpoint, "-S", "camera.publish=tcp://*:5999", words=["camera.publish", "ipc://"])
    viewer = CTX.socket(zmq.SUB)
    viewer.subscribe(b"")
    viewer.connect(endpoint)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5", "-S", "camera.publish=" + endpoint)
    camera.darks_and_flats()
    for k in range(120):
        camera.projection(1.5 * k)
    program.sample_where(lambda s: s["ct"]["in_slice"] == 120)
    until, header = time.monotonic() + PATIENCE_S, {}
    while header.get("ndattr", {}).get("Projections") != 120:
        assert viewer.poll(1000) and time.monotonic() < until, header
        text, blob = viewer.recv_multipart()
        header = json.loads(text)
    viewer.close(0)
    expect(shape=(header["shape"], [SIZE, SIZE]), type=(header["type"], "float32"), angle=(header["ndattr"]["RotationAngle"], 178.5))
    picture = np.frombuffer(blob, "<f4").reshape(SIZE, SIZE)
    assert abs(mean_around(picture, 30, 10, 7, COLS / SIZE) / 2.8 - 1) < 0.02
    ends(program)


def test_another_shape_is_another_scan(scene):
    camera = Camera(scene)
    program = watch(scene, camera)
    camera.projection(0)
    camera.send(np.full((4, 40), 1000, np.uint16), ndattr={"RotationAngle": 0.0})
    camera.send(np.full((2, 3), 1000, np.uint16), ndattr={"RotationAngle": 0.0})    # too few columns for a slice
    sample = program.sample_where(lambda s: stream(s, "camera")["frames"] == 3 and s["ct"]["unusable"] == 1)
    expect(lost=(sample["ct"]["lost"], 0))
    camera.send(np.full((4, 40), 1000, np.uint16), ndattr={"RotationAngle": 0.0})
    program.sample_where(lambda s: s["ct"]["in_slice"] == 1 and s["ct"]["scans"] == 3)
    ends(program)


def test_empty_beam_and_rubbish_end_in_a_defined_picture(scene):
    camera = Camera(scene)
    program = watch(scene, camera)
    for _ in range(3):
        camera.show(np.zeros(COLS), ImageKey=1)                     # a flat of nothing
    for k in range(20):
        camera.show(np.zeros(COLS), ImageKey=0, RotationAngle=9.0 * k)
    sample = program.sample_where(lambda s: s["ct"]["unusable"] == 23)
    expect(ct=((sample["ct"]["in_slice"], sample["ct"]["flats"]), (0, 0)))
    camera.send(np.full((ROWS, COLS), np.nan, np.float32), ndattr={"RotationAngle": 1.0, "ImageKey": 0})
    camera.darks_and_flats()
    for k in range(400):                                            # flats all along, the stage stands still
        camera.show(camera.flat.astype(float), ImageKey=0, RotationAngle=5.0)
    sample = program.sample_where(lambda s: s["ct"]["unusable"] == 24 and stream(s, "camera")["frames"] == 430)
    picture = values(sample)
    assert np.nanmax(np.abs(picture)) < 0.01, "open beam attenuates"
    ends(program)


def test_bad_projections_leave_a_defined_picture(scene):
    """Saturated frames, floats that are no numbers, an angle that does not change, a stage that stops half way."""
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5")
    camera.darks_and_flats()
    for _ in range(5):
        camera.show(np.full(COLS, 65535), ImageKey=0, RotationAngle=3.0)         # more than any beam
    counts = np.full((ROWS, COLS), 20000, np.float32)
    counts[:, 70:75] = np.nan
    counts[:, 90] = np.inf
    camera.send(counts, ndattr={"RotationAngle": 4.0, "ImageKey": 0})
    camera.send(np.full((ROWS, COLS), np.nan, np.float32), ndattr={"RotationAngle": 5.0, "ImageKey": 0})
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 1 and s["ct"]["unusable"] == 6)
    assert np.isfinite(values(sample)[SIZE // 2, SIZE // 2]), "no picture"
    expect(alarms=(alarms_of(sample) - {"scan-stopped"}, {"projections-unusable", "frames-saturated"}))
    for k in range(60):
        camera.projection(90 + 1.5 * k)                                         # half of it, and no more
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 61 and "scan-stopped" in alarms_of(s))
    assert np.isfinite(values(sample)[SIZE // 2, SIZE // 2]) and sample["ct"]["covered_deg"] < 120, sample["ct"]
    ends(program)


def test_saturated_pixels_are_drawn_between_their_neighbours(scene):
    camera, chance = Camera(scene), np.random.default_rng(11)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5", "-S", "camera.rings=off")
    camera.darks_and_flats()
    for k in range(180):
        counts = 100 + (camera.flat - 100) * np.exp(-line(1.0 * k, 79.5))
        counts[chance.integers(COLS, size=3)] = 65535
        camera.show(counts, ImageKey=0, RotationAngle=1.0 * k)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 180)
    is_the_phantom(sample, 0.005)
    assert np.nanmin(values(sample)) > -0.3, np.nanmin(values(sample))
    expect(alarms=(alarms_of(sample), set()))
    ends(program)


def test_a_stage_that_stands_still_is_named(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=79.5")
    camera.darks_and_flats()
    for _ in range(20):
        camera.projection(12.5)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 20)
    text = [a["text"] for a in sample["alarms"] if a["id"] == "angle-constant"]
    assert len(text) == 1 and "12.5" in text[0], sample["alarms"]
    camera.projection(14.0)
    program.sample_where(lambda s: s["ct"]["in_slice"] == 21 and "angle-constant" not in alarms_of(s))
    ends(program)


def test_an_axis_outside_the_detector_is_the_nearest_there_is(scene):
    camera = Camera(scene)
    program = watch(scene, camera, "-S", "camera.axis_px=5000")
    camera.darks_and_flats()
    for k in range(20):
        camera.projection(9.0 * k)
    sample = program.sample_where(lambda s: s["ct"]["in_slice"] == 20)
    expect(axis=(sample["ct"]["axis_px"], COLS - 1), alarm=([a["id"] for a in sample["alarms"]].count("axis-outside"), 1))
    assert np.isfinite(values(sample)[SIZE // 2, SIZE // 2]), "no picture"
    ends(program)


sys.exit(run_tests(globals()))
