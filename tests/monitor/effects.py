"""Every effect of the simulator that comptop has a correction for, on and off, corrected and not: what is measured is the
simulator's truth within errors where it is corrected, and is not where it is not. Some minutes: `make effects`."""
import json
import os
import sys

import numpy as np

from harness import expect, run_tests, until

FRAMES, RATE, PHOTONS = 150000, 30000, 330000
SETTINGS = ("-S", "run.reserve_MB=0", "-S", "run.buffer_MB=2048", "-S", "run.memory_MB=256", "-S", "hexitec.dither=on", "-S",
            "emf.order=2", "--window", "run", "--exit-on-idle", "2", "-d", "1000", "-f", "map", "-b", "-o", "json")
NONE = ("--sample", "ptfe", "--effects", "none")
MAPPED = NONE + ("-S", "effects.theta_map=on")


def grid(values):
    return np.array([np.nan if v is None else v for v in values], float).reshape(80, 80)


def measure(scene, simulator, *argv, seed=1):
    """The last sample of a run of the simulator, and the truth of its first moment."""
    folder = scene.path(f"maps-{len(scene.programs)}")
    os.mkdir(folder)
    endpoint, truth = f"ipc://{folder}/s", folder + "/truth.npy"
    scene.start("comptop-sim", "--hexitec", endpoint, "--no-scalars", "--push", "--wait", "--batch", "64", "--frames", FRAMES,
                "--rate", RATE, "--photons", PHOTONS, "--seed", seed, "--calibration", folder, "--truth", truth,
                "--truth-step", "1000", *simulator)

    def written(name):
        path = f"{folder}/{name}.txt"
        return os.path.exists(path) and len(open(path).read().split()) == 6400
    until(lambda: written("gradients") and written("intercepts"), "the simulator's maps")
    program = scene.comptop("--hexitec", f"{endpoint},socket=pull,frame_hz={RATE}", *SETTINGS, "-S",
                            f"hexitec.gradients={folder}/gradients.txt", "-S", f"hexitec.intercepts={folder}/intercepts.txt",
                            *argv)
    sample = json.loads(program.ends_well().splitlines()[-1])
    expect(frames=(sample["xcs"]["frames"], FRAMES))
    return sample, np.load(truth)[0]


def pull(sample, truth, emf="emf"):
    """Of the EMF of all pixels: the truth's L and H summed with the counts that each pixel has."""
    counts, true = grid(sample["map"]["intensity"]), truth[emf].astype(float)
    good = np.isfinite(true) & np.isfinite(counts)
    n, e = counts[good], true[good]
    all_pixels = (n * e / (1 + e)).sum() / (n / (1 + e)).sum()
    z = (sample["xcs"]["emf"] - all_pixels) / sample["xcs"]["emf_sigma"]
    print(f"# EMF {sample['xcs']['emf']:.4f} +- {sample['xcs']['emf_sigma']:.4f}, truth {all_pixels:.4f}: {z:+.1f}")
    return z


def asymmetry(sample):
    z = sample["xcs"]["asymmetry"] / sample["xcs"]["asymmetry_sigma"]
    print(f"# asymmetry {sample['xcs']['asymmetry']:+.4f} +- {sample['xcs']['asymmetry_sigma']:.4f}: {z:+.1f}")
    return z


def test_theta_map(scene):
    assert abs(pull(*measure(scene, NONE, "-S", "geometry.theta_map=off"))) < 4
    assert pull(*measure(scene, NONE)) < -20
    assert abs(pull(*measure(scene, MAPPED))) < 4
    assert pull(*measure(scene, MAPPED, "-S", "geometry.theta_map=off")) < -20


def test_centre(scene):
    simulator = ("--sample", "ptfe", "-S", "effects.centre_error_px=4")
    every = ("-S", "emf.jacobian=on", "-S", "emf.cross_section=on", "-S", "emf.efficiency=on")
    wrong = measure(scene, simulator, *every)
    fitted = measure(scene, simulator, *every, "-S", "geometry.theta_fit=on")
    right = measure(scene, simulator, *every, "-S", "geometry.centre_px=43.5,39.5")
    assert abs(asymmetry(wrong[0])) > 20
    assert any(a["id"] == "geometry" for a in wrong[0]["alarms"]) and not any(a["id"] == "geometry" for a in right[0]["alarms"])
    assert abs(wrong[0]["xcs"]["geometry"]["centre_px"] - 43.5) < 0.5
    for sample, truth in (fitted, right):
        assert abs(pull(sample, truth)) < 4 and abs(asymmetry(sample)) < 8      # half a pixel is 0.01


def test_cross_section_and_efficiency(scene):
    for effects in (("cross_section",), ("cross_section", "efficiency")):
        simulator = MAPPED + sum((("-S", f"effects.{e}=on") for e in effects), ())
        plain = measure(scene, simulator)
        on = sum((("-S", f"emf.{e}=on") for e in ("jacobian",) + effects), ())
        corrected = measure(scene, simulator, *on)
        assert abs(asymmetry(plain[0])) > 6 > 4 > abs(asymmetry(corrected[0]))
        assert abs(pull(*plain)) < 4 and abs(pull(*corrected)) < 4              # it is symmetrical windows that do that
    # without the effect, counts are J(pz) dpz, and the corrections would make the asymmetry
    plain = measure(scene, MAPPED)
    assert abs(asymmetry(plain[0])) < 4
    assert abs(asymmetry(measure(scene, MAPPED, "-S", "emf.jacobian=on", "-S", "emf.cross_section=on")[0])) > 6


def test_lines_and_elastic_stay_outside(scene):
    for switch in ("on", "off"):
        simulator = ("--sample", "ptfe", "-S", f"effects.lines={switch}", "-S", f"effects.elastic={switch}")
        assert abs(pull(*measure(scene, simulator))) < 4


def test_double_scattering(scene):
    simulator = ("--sample", "ptfe", "-S", "effects.double_scatter=on")
    off, on = measure(scene, simulator), measure(scene, simulator, "-S", "emf.double_scatter=0.01")
    assert pull(*off) < -4 and abs(pull(*on)) < 0.6 * abs(pull(*off))
    clean = ("--sample", "ptfe")
    assert abs(pull(*measure(scene, clean))) < 4 and pull(*measure(scene, clean, "-S", "emf.double_scatter=0.01")) > 4


def test_tails_spare_the_upper_half(scene):
    clean, tailed = measure(scene, ("--sample", "ptfe")), measure(scene, ("--sample", "ptfe", "-S", "effects.tail=0.1"))
    assert pull(*tailed) < -15
    a, b = clean[0]["xcs"], tailed[0]["xcs"]
    change, sigma = b["emf_plus"] / a["emf_plus"] - 1, np.hypot(a["emf_plus_sigma"], b["emf_plus_sigma"]) / a["emf_plus"]
    print(f"# EMF+ changes by {100 * change:+.2f} +- {100 * sigma:.2f} %")
    assert abs(change) < 0.01 + 3 * sigma


def test_gain_error_is_within_the_errors_that_know_of_it(scene):
    simulator = MAPPED + ("-S", "effects.gain_drift_permil_h=700")          # about 0.5 permil, 0.045 keV, in these seconds
    blind, aware = measure(scene, simulator), measure(scene, simulator, "-S", "emf.energy_sigma_keV=0.045")
    assert abs(asymmetry(blind[0])) > 6 and abs(asymmetry(aware[0])) < 3
    assert abs(pull(*aware)) < 4


def test_vignetting_and_flat_field(scene):
    simulator, path = ("--sample", "ptfe"), scene.path("ptfe.flat")
    first, _ = measure(scene, simulator, "--write-flat", path)
    second, truth = measure(scene, simulator, "-S", f"emf.flat_field={path}", seed=2)

    def uneven(sample):
        value, sigma = grid(sample["map"]["intensity"]), grid(sample["map"]["intensity_sigma"])
        good = np.isfinite(value) & (value > 0)
        w = 1 / sigma[good] ** 2
        mean = (w * value[good]).sum() / w.sum()
        return np.sqrt((w * (value[good] - mean) ** 2).sum() / good.sum())
    before, after = uneven(first), uneven(second)
    print(f"# intensity: {before:.2f} errors rms without the flat field, {after:.2f} with it")
    assert before > 3 and abs(after - 1) < 0.1


def test_cell(scene):
    for height in ("0.75", "1.4"):                                          # cathode, lithium
        assert abs(pull(*measure(scene, ("--sample", "cell", "--height", height)))) < 4


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
