"""What the screen does beyond its picture: views saved into files, the picture in pixels, the bell."""
import glob
import json
import math
import os
import re
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import expect, run_tests, until  # noqa: E402
from terminal import Terminal  # noqa: E402

SMALL = ("-Srun.memory_MB=256", "-Srun.buffer_MB=64", "-Srun.reserve_MB=0")


def open_terminal(scene, *argv, name="comptop", environment=(), **options):
    """comptop on a terminal that lives as long as the scene."""
    terminal = Terminal([os.path.join(os.environ["top_builddir"], name), *SMALL, *map(str, argv)],
                        {**scene.environment, "TERM": "xterm-256color", **dict(environment)}, **options)
    scene.closers.append(terminal.close)
    return terminal


# ---- readers of the files, none of them ours ------------------------------------------------------------------------
def read_tables(path):
    """The comments of a file, and of each table: its comments, units and columns by name."""
    text = open(path).read()
    tables = []
    for block in text.split("\n\n\n"):
        lines = block.rstrip("\n").split("\n")
        comments = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
        units = next(line for line in lines if re.match(r"#[^ ]", line) and not line.startswith("#comptop"))
        head, *rows = [line.split("\t") for line in lines if not line.startswith("#")]
        columns = {name: [row[i] for row in rows] for i, name in enumerate(head)}
        assert all(len(row) == len(head) for row in rows), "rows of another length"
        tables.append((comments, dict(zip(head, units[1:].split("\t"))), columns))
    return text.split("\n", 1)[0], tables


def read_png(path):
    """Width, height, rows of RGB of a PNG with a palette or grey and transparency, filters undone."""
    data = open(path, "rb").read()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, palette, packed = 8, b"", b""
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        assert zlib.crc32(kind + body) == struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            expect(depth=(depth, 8), colour=(colour in (3, 4), True))
        palette = body if kind == b"PLTE" else palette
        packed += body if kind == b"IDAT" else b""
        at += 12 + size
    step, raw, before, rows = (1 if colour == 3 else 2), zlib.decompress(packed), None, []
    for y in range(height):
        kind, line = raw[y * (width * step + 1)], bytearray(raw[y * (width * step + 1) + 1:(y + 1) * (width * step + 1)])
        before = before or bytes(len(line))
        for i in range(len(line)):
            a, b = (line[i - step] if i >= step else 0), before[i]
            c = before[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            line[i] = (line[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        before = bytes(line)
        rows.append([tuple(palette[3 * v:3 * v + 3]) for v in line] if colour == 3 else
                    [(v, v, v) for v in line[::2]])
    return width, height, rows


def same(text, value):
    """A cell of a table and what JSON has there."""
    return value is None if text == "nan" else text == value if isinstance(value, str) else \
        math.isclose(float(text), value, rel_tol=2e-6, abs_tol=1e-12)


def saved(folder, n):
    """The <n>th set of files, as soon as it is whole; its name without endings."""
    def whole():
        names = sorted(glob.glob(glob.escape(folder) + "/*.png"), key=os.path.getmtime)
        return len(names) >= n and names
    until(lambda: whole() and os.path.getsize(whole()[n - 1]) > 0, f"{n} pictures in {folder}")
    return whole()[n - 1][:-4]


def save(terminal, folder, n, keys):
    """Presses <keys> and w; the new files' name, once the screen has said it."""
    terminal.press(keys + "w")
    name = saved(folder, n)
    terminal.shows(name[-8:] + " .tsv .json .ansi .png")
    return name


def check_tables(name, sample, panel):
    mark, tables = read_tables(name + ".tsv")
    sections = sample["view"]["sections"]
    expect(mark=(mark, "#comptop-view 1"), tables=(len(tables), len(sections)))
    expect(view=(tables[0][0]["view"], panel), run=(tables[0][0]["run"], sample["run"]), t=(tables[0][0]["t"], sample["t"]))
    for (comments, units, columns), section in zip(tables, sections):
        expect(kind=(comments["table"], section["kind"]), units=(units, section["units"]))
        for key, cells in columns.items():
            wrong = [(cell, value) for cell, value in zip(cells, section[key]) if not same(cell, value)]
            assert len(cells) == len(section[key]) and not wrong, f"{panel} {key}: {wrong[:3]}"
    return sections


VIEWS = [("0", "overview", ["map", "profile", "trend"]), ("1", "map", ["map"]), ("2", "profile", ["profile"]),
         ("3", "spectrum", ["spectrum"]), ("5", "cell", ["trend"]), ("4", "tomography", ["slice"]),
         ("6", "health", []), ("7", "instrument", [])]


def test_every_view_is_saved_as_table_json_text_and_picture(scene):
    folder = scene.path("kept")
    os.mkdir(folder)
    terminal = open_terminal(scene, "--demo", f"-Sscreen.folder={folder}", "--window", "run")
    terminal.shows("EMF")
    terminal.press("4")
    terminal.shows("projections")
    found = {}
    for n, (key, panel, kinds) in enumerate(VIEWS, 1):
        name = save(terminal, folder, n, key)
        word = "slice" if panel == "tomography" else panel
        assert re.fullmatch(rf"comptop-demo-{word}-\d{{8}}T\d{{6}}\.\d{{3}}Z", os.path.basename(name)), name
        sample = json.load(open(name + ".json"))
        expect(v=(sample["v"], 1), panel=(sample["view"]["panel"], panel))
        got = [section["kind"] for section in sample["view"]["sections"]]
        assert all(kind in got for kind in kinds), f"{panel}: {got}"
        found.update({section["kind"]: section for section in sample["view"]["sections"]})
        if kinds:
            check_tables(name, sample, panel)
        else:
            assert open(name + ".tsv").readline() == "#comptop-tsv 1\n"
        lines = re.sub(r"\033\[[0-9;]*m", "", open(name + ".ansi").read()).split("\n")
        expect(lines=(len(lines), 25), widths=({len(line) for line in lines[:24]}, {80}))
        assert lines[0].startswith("comptop demo"), lines[0]
        width, height, rows = read_png(name + ".png")
        if panel == "tomography":
            assert os.path.getsize(name + ".tif") > 4 * width * height
            expect(square=(width, height), whole=(width >= 256, True))
        else:
            expect(size=((width, height), (960, 576)))
            assert len({pixel for row in rows for pixel in row}) >= 3, "a picture of nothing"
    cells, settings = found["map"], sample["view"]["settings"]
    expect(rows=(len(cells["emf"]), int(cells["rows"] * cells["cols"])))
    good = [(e, s) for e, s in zip(cells["emf"], cells["sigma"]) if e is not None]
    assert len(good) > 20 and all(s > 0 for _, s in good), "a map without numbers"
    assert all((e is None) == (word != "ok") for e, word in zip(cells["emf"], cells["cell"]))
    pz, profile = found["profile"]["pz"], found["profile"]["J"]
    assert abs(pz[profile.index(max(profile))]) < 0.5 and all(s > 0 for s, j in zip(found["profile"]["sigma"], profile) if j)
    spectrum = found["spectrum"]
    assert abs(spectrum["start_keV"][5] - spectrum["start_keV"][4] - spectrum["width_keV"]) < 1e-9
    # The settings are a configuration file that gives the same settings again.
    conf = scene.path("again.conf")
    with open(conf, "w") as file:
        file.write(settings)
    out = scene.start("comptop", "-c", conf, "--print-config").ends_well()
    expect(settings=(out, settings))


def test_a_frozen_picture_is_saved_twice_under_two_names(scene):
    folder = scene.path("frozen pictures")
    os.mkdir(folder)
    terminal = open_terminal(scene, "--demo", f"-Sscreen.folder={folder}")
    terminal.press("1")
    terminal.shows("L/H")
    terminal.press(" ")
    terminal.shows("FROZEN")
    first = save(terminal, folder, 1, "")
    second = save(terminal, folder, 2, "")
    expect(name=(second, first + "-2"), same=(open(first + ".tsv").read(), open(second + ".tsv").read()))
    assert json.load(open(first + ".json"))["view"]["frozen"] is True


def test_a_viewer_saves_where_it_runs_and_says_what_fails(scene):
    os.mkdir(scene.archive())
    collector = scene.comptop("--demo", "--headless", "--archive", scene.archive(), "--run", "shared", *SMALL)
    until(lambda: "shared.sock" in scene.sockets(), "the collector")
    here, nowhere = scene.path("viewer"), scene.path("not/there")
    os.mkdir(here)
    terminal = open_terminal(scene, "--attach", "shared", f"-Sscreen.folder={here}", rows=10, cols=40)
    terminal.shows("comptop shared")
    name = save(terminal, here, 1, "3")
    sample = json.load(open(name + ".json"))
    expect(settings=(sample["view"]["settings"], None), run=(sample["run"], "shared"))
    check_tables(name, sample, "spectrum")                 # which this terminal is too small to show
    expect(lines=(open(name + ".ansi").read().count("\n"), 10))
    lost = open_terminal(scene, "--attach", "shared", f"-Sscreen.folder={nowhere}")
    lost.shows("shared")
    lost.press("1w")
    lost.shows("not saved")
    expect(running=(collector.running(), True))


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
