"""Frames of an Am-241 source on a small sensor with known gains, and the check of what came of them.
   calibrate.py make FILE [asic]     FILE:/entry/data, raw ADU on a pedestal; /entry/dark; FILE.npz: the truth
   calibrate.py check FILE DIR       the maps in DIR against it"""
import csv
import sys

import h5py
import numpy as np

ROWS, COLS, PIXELS = 4, 80, 320
EMPTY, FEW, NOISY = 5, 90, 200
# LNE-LNHB: keV and photons per 100 decays.
LINES = [(11.871, .66), (13.761, 1.07), (13.946, 9.6), (16.816, 2.5), (17.061, 1.5), (17.505, .65), (17.751, 5.7),
         (17.992, 1.37), (20.784, 1.39), (21.099, .65), (21.342, .59), (21.491, .29), (26.3446, 2.4), (59.5409, 35.9)]


def photons(rng, n):
    energy, weight = np.array(LINES).T
    peak = rng.choice(energy, n - n // 5, p=weight / weight.sum()) + 0.93 / 2.3548 * rng.standard_normal(n - n // 5)
    return rng.permutation(np.concatenate([peak, rng.uniform(4, 70, n // 5)]))


def make(path, asic):
    rng = np.random.default_rng(1)
    gradient = 0.0288 * (1 + 0.03 * rng.standard_normal(PIXELS))
    intercept = 1.5 + 0.3 * rng.standard_normal(PIXELS)
    dark = (1000 + 25 * rng.standard_normal(PIXELS)).astype(np.uint16)
    hits = []
    for p in range(PIXELS):
        n = {EMPTY: 0, FEW: 60}.get(p, rng.poisson(2000))
        energy = 3 + rng.exponential(6, n) if p == NOISY else photons(rng, n)
        hits.append(np.rint((energy - intercept[p]) / gradient[p]).astype(int))
    # A pixel in nine is hit in a frame, so that no two are neighbours.
    group = np.array([p // COLS % 3 * 3 + p % COLS % 3 for p in range(PIXELS)])
    frames = []
    for k in range(9):
        members = np.flatnonzero(group == k)
        part = np.zeros((max(len(hits[p]) for p in members), PIXELS), np.int64)
        for p in members:
            part[:len(hits[p]), p] = hits[p]
        frames.append(part)
    frames = np.concatenate(frames)
    frames = np.clip(frames + dark, 0, 65535).astype(np.uint16).reshape(-1, ROWS, COLS)
    if asic:  # value k of a row belongs to column k % 4 * 20 + k // 4
        k = np.arange(COLS)
        frames = frames[:, :, k % 4 * 20 + k // 4]
    with h5py.File(path, "w") as file:
        file.create_dataset("entry/data", data=frames, chunks=(64, ROWS, COLS))
        file["entry/dark"] = dark.reshape(ROWS, COLS)
    np.savez(path + ".npz", gradient=gradient, intercept=intercept)


def check(path, folder):
    truth = np.load(path + ".npz")
    gradient, intercept = np.loadtxt(folder + "/gradients.txt"), np.loadtxt(folder + "/intercepts.txt")
    rows = list(csv.DictReader(open(folder + "/quality.tsv"), delimiter="\t"))
    assert len(rows) == gradient.size == intercept.size == PIXELS
    named = {EMPTY: "empty", FEW: "few-counts", NOISY: "no-lines"}
    for p, row in enumerate(rows):
        assert int(row["pixel"]) == p and (int(row["row"]), int(row["column"])) == divmod(p, COLS)
        assert abs(float(row["gradient_keV_per_ADU"]) - gradient[p]) < 1e-9
        if p in named:
            assert row["verdict"] == named[p] and gradient[p] == intercept[p] == 0, row
    good = np.array([row["verdict"] == "ok" for row in rows])
    assert good.sum() >= PIXELS - 6, good.sum()
    pull = (gradient - truth["gradient"])[good] / [float(r["gradient_sigma_keV_per_ADU"]) for r in np.array(rows)[good]]
    assert abs(pull.mean()) < 0.25 and 0.8 < pull.std() < 1.25 and abs(pull).max() < 5, (pull.mean(), pull.std())
    # Away from the points that the line goes through, too: 60 keV to 0.1 keV.
    adu = (60 - truth["intercept"]) / truth["gradient"]
    assert abs(gradient * adu + intercept - 60)[good].max() < 0.1


{"make": lambda: make(sys.argv[2], sys.argv[3:] == ["asic"]), "check": lambda: check(*sys.argv[2:4])}[sys.argv[1]]()
