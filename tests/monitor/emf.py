"""EMF from outside: geometry that the data contradict, flat fields and references that one run leaves for the next,
corrections by configuration, and what is refused or left blank."""
import json
import sys

import numpy as np

from harness import Publisher, expect, run_tests

E1, MC2, AU = 114.64, 510.99895, 137.035999
SETTINGS = ("-S", "hexitec.sharing=none", "-S", "run.reserve_MB=0", "-S", "run.buffer_MB=512", "-S", "run.memory_MB=256",
            "--window", "run", "--exit-on-idle", "1.5", "-d", "1000")


def energies(pz, theta):
    """E2 of pz by eq. 2, as its closed inverse."""
    u, c, s = pz / AU, np.cos(theta), np.sin(theta)
    a = 1 + E1 / MC2 * (1 - c)
    return E1 * (a - u * u * c + u * np.sqrt(a * a - 2 * a * c + 1 - u * u * s * s)) / (a * a - u * u)


def angles(sign=1, centre=39.5, distance=160):
    x = (np.arange(80) - centre) * 0.25
    return np.broadcast_to(np.pi / 2 - sign * np.arctan(x / distance), (80, 80))


def photons(seed, frames, theta, sd=1.4, tail=None):
    """One photon a pixel and frame: pz is Gaussian; of <tail> a share per pixel loses 4 keV on average."""
    random = np.random.default_rng(seed)
    for _ in range(frames):
        e = energies(random.normal(0, sd, (80, 80)), theta)
        if tail is not None:
            e = e - random.exponential(4, (80, 80)) * (random.random((80, 80)) < tail)
        yield e.astype(np.float32)


def parse(text):
    def no_constant(word):
        raise AssertionError("not JSON: " + word)
    return json.loads(text, parse_constant=no_constant)


def collect(scene, frames, *argv, output="json"):
    publisher = Publisher(scene, role=f"d{len(scene.programs)}")
    program = scene.comptop("-b", "-o", output, "--hexitec", publisher.endpoint, *SETTINGS, *argv)
    publisher.wait(program)
    for pixels in frames:
        publisher.send(pixels)
    out = program.ends_well()
    return parse(out.splitlines()[-1]) if output == "json" else out


def grid(values):
    return np.array([np.nan if v is None else v for v in values], float).reshape(80, 80)


def gauss_emf(sd):
    from math import erf, sqrt
    low = erf(1 / sd / sqrt(2))
    return low / (erf(5 / sd / sqrt(2)) - low)


def test_geometry_is_found(scene):
    theta = angles(sign=-1, centre=44, distance=140)
    wrong = collect(scene, photons(1, 60, theta))
    found = wrong["xcs"]["geometry"]
    expect(beam=(found["beam"], "-x"), in_use=(found["in_use"], False), peaks=(found["peaks"], 80))
    # a Gaussian in counts, and not in J: its middle is off by the slope of the cross section and the efficiency, < 1 px
    assert abs(found["centre_px"] - 44) < 1.5 and found["centre_sigma_px"] < 0.3, found
    assert abs(found["detector_mm"] - 140) < 4, found
    text = next(a["text"] for a in wrong["alarms"] if a["id"] == "geometry")
    assert "direction of the beam" in text and "centre" in text and "distance" in text, text
    fitted = collect(scene, photons(2, 60, theta), "-S", "geometry.theta_fit=on", "-S", "emf.order=2")["xcs"]
    right = collect(scene, photons(2, 60, theta), "-S", "geometry.beam=-x", "-S", "geometry.centre_px=44,39.5", "-S",
                    "geometry.detector_mm=140", "-S", "emf.order=2")
    expect(in_use=(fitted["geometry"]["in_use"], True))
    assert not [a for a in right["alarms"] if a["id"] == "geometry"], right["alarms"]
    truth = gauss_emf(1.4)
    for xcs in (fitted, right["xcs"]):
        assert abs(xcs["emf"] - truth) < 5 * xcs["emf_sigma"], (xcs["emf"], xcs["emf_sigma"], truth)
    assert abs(wrong["xcs"]["emf"] - truth) > 30 * wrong["xcs"]["emf_sigma"]


def test_flat_field_is_kept_and_applied(scene):
    tail = np.tile(np.linspace(0, 0.3, 80), (80, 1))
    theta, path = angles(), scene.path("ptfe.flat")
    flat = collect(scene, photons(3, 300, theta, tail=tail), "--write-flat", path, "-f", "map")
    lines = open(path).read().splitlines()
    expect(first=(lines[0], "#comptop-flat 1"), pixels=(len([t for t in lines if t[0] != "#"]), 6400))
    table = np.loadtxt(path)
    emf, sigma = grid(flat["map"]["emf"]), grid(flat["map"]["sigma"])
    pixel = table[:, 1].astype(int), table[:, 0].astype(int)
    assert np.allclose(table[:, 2], emf[pixel], rtol=1e-5) and np.allclose(table[:, 3], sigma[pixel], rtol=1e-3)
    assert np.allclose(table[:, 4], grid(flat["map"]["intensity"])[pixel], rtol=1e-5)

    def columns(sample):
        emf, sigma = grid(sample["map"]["emf"]), grid(sample["map"]["sigma"])
        return emf.mean(axis=0), np.sqrt((sigma ** 2).sum(axis=0)) / 80
    frames = lambda: photons(4, 300, theta, tail=tail)      # noqa: E731
    plain = collect(scene, frames(), "-f", "map", "-S", "emf.bias=remove")
    used = collect(scene, frames(), "-f", "map", "-S", "emf.bias=remove", "-S", f"emf.flat_field={path}", "-S",
                   "emf.flat_exponent=1")
    before, after = columns(plain)[0], columns(used)[0]
    slope = lambda v: np.polyfit(np.arange(80), v / v.mean(), 1)[0] * 80      # noqa: E731
    assert slope(before) < -0.12 and abs(slope(after)) < 0.03, (slope(before), slope(after))
    assert np.median(grid(used["map"]["sigma"])) > 1.3 * np.median(grid(plain["map"]["sigma"]))   # two runs' errors
    # what all pixels share hardly adds to the error of all
    assert used["xcs"]["emf_sigma"] < 1.2 * plain["xcs"]["emf_sigma"]
    expect(plus=(used["xcs"]["emf_plus"], plain["xcs"]["emf_plus"]), H=(used["xcs"]["H"], plain["xcs"]["H"]))
    scene.refused("-b", "--hexitec", "ipc://@none", "-S", f"emf.flat_field={path}", "-S", "emf.p_low=1.2",
                  words=("emf.flat_field", "p_low = 1"))
    scene.refused("-b", "--hexitec", "ipc://@none", "--window", "run", "--write-flat", path, words=("exists already",))
    scene.refused("-b", "--hexitec", "ipc://@none", "--write-flat", path + "2", words=("--window run",))
    scene.refused("-b", "--hexitec", "ipc://@none", "--window", "run", "--write-flat", path + "2", "-S",
                  f"emf.flat_field={path}", words=("without one",))
    whole = open(path).read()
    for line, word in ("80 3 1 0.1 1 0.1", "outside the sensor"), ("3.5 3 1 0.1 1 0.1", "no whole number"), \
            ("40 40 1 0.1 1 0.1", "comes twice"):
        with open(path, "w") as file:
            file.write(whole + line + "\n")
        scene.refused("-b", "--hexitec", "ipc://@none", "-S", f"emf.flat_field={path}", words=(word,))


def test_regions_that_are_nowhere(scene):
    empty = scene.path("empty.txt")
    with open(empty, "w") as file:
        file.write("0 " * 6400)
    for region, word in ("roi.a.mask=" + empty, "holds no pixel"), ("roi.a.disc=200,40,5", "holds no pixel"), \
            ("roi.a.ring=40,40,100,120", "holds no pixel"), ("roi.a.pixels=70:81,0:5", "reaches outside"):
        scene.refused("-b", "--hexitec", "ipc://@none", "-S", region, words=("roi.a", word))


def test_references(scene):
    theta, path = angles(), scene.path("scan-1.profile")
    first = collect(scene, photons(5, 40, theta), "--write-profile", path, "-f", "profile", "--reference", "Fe")
    profile = first["profile"]
    expect(name=(profile["reference_name"], "Fe"), file=(open(path).readline(), "#comptop-profile 1\n"))
    assert profile["chi2"] > 5 * profile["dof"] > 0
    expect(same=([first["xcs"]["reference"][k] for k in ("name", "chi2", "dof")], ["Fe", profile["chi2"], profile["dof"]]))
    for j, r, s, t, d, e in zip(*(profile[k] for k in ("J", "reference", "sigma", "reference_sigma", "difference",
                                                      "difference_sigma"))):
        assert abs(j - r - d) < 1e-9 and abs(np.hypot(s, t) - e) < 1e-9
    table = np.loadtxt(path)
    assert np.allclose(table[:, 0], profile["pz"], atol=1e-9) and np.allclose(table[:, 1], profile["J"], rtol=1e-6)
    second = collect(scene, photons(6, 40, theta), "--reference", path, "-f", "profile")["profile"]
    assert second["chi2"] < second["dof"] + 6 * np.sqrt(2 * second["dof"]), (second["chi2"], second["dof"])
    assert max(second["reference_sigma"]) > 0
    tsv = collect(scene, photons(6, 3, theta), "--reference", path, output="tsv").splitlines()
    head = next(line for line in tsv if line.startswith("t\t")).split("\t")
    row = tsv[-1].split("\t")
    assert "xcs.reference.chi2" in head and float(row[head.index("xcs.reference.dof")]) > 5
    assert "profile" in first and "reference" not in collect(scene, photons(6, 3, theta), "-f", "profile")["profile"]
    scene.refused("-b", "--hexitec", "ipc://@none", "--reference", "/nowhere", words=("neither a chemical formula",))
    scene.refused("-b", "--hexitec", "ipc://@none", "--reference", "UO2", words=("K edge",))
    scene.refused("-b", "--hexitec", "ipc://@none", "--write-profile", path, words=("exists already",))


def test_corrections_by_configuration(scene):
    theta = angles()
    ask = ("-f", "profile")
    plain = collect(scene, photons(7, 40, theta), *ask)
    every = ("emf.pz=exact", "emf.jacobian=on", "emf.cross_section=on", "emf.efficiency=on", "emf.absorption=Fe:7.9:0.5",
             "emf.double_scatter=0.005", "emf.bias=remove", "emf.energy_sigma_keV=0.05", "emf.pixel_sigma_keV=0.05")
    seen = {json.dumps([plain["xcs"]["emf"], plain["xcs"]["emf_sigma"], plain["xcs"]["asymmetry_sigma"]])}
    for setting in every:
        sample = collect(scene, photons(7, 40, theta), *ask, "-S", setting)
        seen.add(json.dumps([sample["xcs"]["emf"], sample["xcs"]["emf_sigma"], sample["xcs"]["asymmetry_sigma"]]))
        assert abs(sample["xcs"]["emf"] / plain["xcs"]["emf"] - 1) < 0.03, setting
        expect(counts=(sample["xcs"]["counts"], plain["xcs"]["counts"]))
        if "energy_sigma" in setting:      # the asymmetry moves by about 0.7 per keV
            added = np.sqrt(sample["xcs"]["asymmetry_sigma"] ** 2 - plain["xcs"]["asymmetry_sigma"] ** 2)
            assert 0.02 < added < 0.06, added
    expect(different=(len(seen), len(every) + 1))


def test_what_cannot_be_is_refused_or_blank(scene):
    for setting, word in (("beam.e1_keV=60", "K edge of W"), ("hexitec.bins=0:95:0.2", "outside the bins"),
                          ("geometry.theta_deg=0.5", "within 1"), ("emf.absorption=Fe:0:1", "above 0"),
                          ("hexitec.sensor=Qq", "not a chemical formula"), ("beam.k_edges=Xy", "symbol"),
                          ("emf.double_scatter=2", "within 0")):
        scene.refused("-b", "--hexitec", "ipc://@none", "-S", setting, words=(word,))
    scene.refused("-b", "--hexitec", "ipc://@none", "-S", "emf.background=flat", "-S", "emf.background_keV=98:104",
                  words=("overlaps pz -5..5",))
    low = scene.batch("--hexitec", Publisher(scene, role="low").endpoint, *SETTINGS, "-d", "0.1", "-S", "beam.e1_keV=60", "-S",
                      "beam.k_edges=none").sample_where(lambda sample: sample["xcs"])
    expect(e1=(low["xcs"]["e1_keV"], 60))
    # a column without counts; elsewhere a background far above the peak
    random = np.random.default_rng(8)
    frames = []
    for _ in range(40):
        pixels = random.uniform(60, 112, (80, 80)).astype(np.float32)
        pixels[:, 11] = 0
        frames.append(pixels)
    sample = collect(scene, frames, "-f", "map", "-S", "emf.background=linear", "-S", "emf.background_keV=77.5:83,104:111",
                     "-S", "emf.min_counts=0")
    emf, counts = grid(sample["map"]["emf"]), grid(sample["map"]["counts"])
    assert np.isnan(emf[:, 11]).all() and (counts[:, 11] == 0).all()
    assert np.isnan(emf).mean() > 0.8 and (emf[np.isfinite(emf)] >= 0).all()
    publisher = Publisher(scene, role="quiet")
    empty = scene.batch("--hexitec", publisher.endpoint, *SETTINGS, "-d", "0.1", "-f", "map,profile", "--reference", "Fe").sample_where(
        lambda sample: sample["xcs"] and sample["xcs"]["reference"])
    assert empty["xcs"]["emf"] is None and empty["xcs"]["reference"]["chi2"] is None


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
