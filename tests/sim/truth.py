"""comptop-sim --truth against NumPy: closed forms of the cell's charge, the lithium map, attenuation, vignetting."""
import os
import subprocess
import sys
import tempfile

import numpy as np

program = os.path.abspath(sys.argv[1])
folder = tempfile.TemporaryDirectory()
count = 0


def report(good, text):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {text}", flush=True)


def run(name, *options):
    path = os.path.join(folder.name, name)
    subprocess.run([program, "--hexitec", f"ipc://@sim-truth-{os.getpid()}", "--no-scalars", "--rate", "1e5",
                    "--photons", "1e5", "--batch", "64", "--truth", path, *options], check=True, timeout=600,
                   stderr=subprocess.DEVNULL)
    return path


def truth(name, *options):
    return np.load(run(name, *options))


def near(a, b, within):
    return bool(np.all(np.abs(np.asarray(a) - np.asarray(b)) <= within))


print("1..15")
options = ["--frames", "20001", "--truth-step", "0.05", "--speedup", "18000"]     # x falls by 0.4 a second
t = truth("cell.npy", *options)
report(t.shape == (5,) and near(t["t_s"], np.arange(5) * 0.05, 1e-12), "a record every step, to the last frame")
report(t["emf"].shape == (5, 80, 80) and t["emf"].dtype == np.float32, "maps have the sensor's shape")
report(open(run("again.npy", *options), "rb").read() == open(os.path.join(folder.name, "cell.npy"), "rb").read(),
       "the same options give the same bytes")
report(not np.array_equal(truth("other.npy", *options, "--seed", "2", "-S", "effects.dead_pixels=9")["mask"], t["mask"]),
       "another seed has other faults")

taken = 0.4 * t["t_s"]
report(near(t["lithium"], 1 - taken, 1e-9), "lithium leaves at 0.08 an hour of the cell's clock")
report(near(t["charge_Ah"], 0.1103 * taken, 1e-9) and near(t["current_A"], 0.08 * 0.1103, 1e-9), "charge is what has left")
y_mm = (39.5 - np.arange(80)) * 0.25
inside = (np.hypot(*np.meshgrid(y_mm, y_mm)) < 6) & ~np.isnan(t["x"][0])     # not in the middle of a pore
expected = 1 - taken[:, None, None] * (1 + 0.15 * y_mm[None, :, None] / 7) * np.ones((1, 1, 80))
report(near(t["x"][:, inside], expected[:, inside], 2e-3), "x follows the charge, and its map the gradient")
report(bool(np.all(np.isnan(t["x"][0, 0]))), "x is NaN where there is no cathode")

flat = truth("flat.npy", "--frames", "1", "--sample", "cathode", "--effects", "none")[0]
line = truth("line.npy", "--frames", "1", "--sample", "cathode", "--effects", "none", "-S", "effects.attenuation_in=on")[0]
slope = np.polyfit(np.arange(80), np.log(line["rate"][40]), 1)
report(near(np.polyval(slope, np.arange(80)), np.log(line["rate"][40]), 1e-4), "the beam is absorbed exponentially")
report(near(flat["rate"], 1e5 / 6400, 1e-3), "without effects all pixels are alike")
hole = truth("hole.npy", "--frames", "1", "--sample", "cathode", "--effects", "none", "-S", "effects.vignetting=on")[0]
tangent = np.hypot(*np.meshgrid(y_mm, y_mm)) / 160
u = np.minimum(2 * tangent / 0.2, 1)
bore = 2 / np.pi * (np.arccos(u) - u * np.sqrt(1 - u * u)) * np.cos(np.arctan(tangent)) ** 3
report(near(hole["rate"] / hole["rate"].sum(), bore / bore.sum(), 1e-7), "the bore is two circles that overlap")

# EMF of NMC between full and x = 0.2: a straight line with the slope of ionic lithium (compton.md 2.3: 1.0209 and .9984).
charge = ["--sample", "cathode", "--effects", "none", "--frames", "190001", "--truth-step", "0.2", "--speedup", "18000",
          "--rate", "95000"]
s = truth("slope.npy", *charge)
x, emf = s["x"][:, 40, 40].astype(float), s["emf"][:, 40, 40].astype(float)
slope, emf0 = np.polyfit(x, emf, 1)
report(x.min() < 0.21 and near(emf, emf0 + slope * x, 3e-4), "EMF follows x")
report(near(slope, (1.0209 - 0.9984) / 0.8, 1e-3) and near(emf0 + slope, 1.0209, 1e-3), "with the slope of ionic lithium")

z = truth("scan.npy", "--frames", "25", "--rate", "10", "--scan", "0.3:0.9:0.3", "--dwell", "0.5", "--truth-step", "0.5")
report(near(z["z_mm"], [0.3, 0.6, 0.9, 0.3, 0.6], 1e-12), "a depth scan steps and begins again")
d = truth("drift.npy", "--frames", "25", "--rate", "10", "--truth-step", "1", "-S", "effects.gain_drift_permil_h=36",
          "-S", "effects.fwhm_drift_keV_h=3.6", "-S", "effects.top_up=0.6")
report(near(d["gain"], 1 + 1e-5 * d["t_s"], 1e-12) and near(d["fwhm_keV"] - d["fwhm_keV"][0], 1e-3 * d["t_s"], 1e-12)
       and near(d["beam"], 1 - 1e-3 * d["t_s"], 1e-12), "drifts and top-up follow the clock")
