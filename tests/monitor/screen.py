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
import numpy as np  # noqa: E402
from harness import Publisher, expect, run_tests, until  # noqa: E402
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


def read_sixels(text):
    """Height, width, {(x, y): RGB} of one picture in sixels, the part between ESC P and ESC backslash."""
    attributes, body = re.fullmatch(r"[\d;]*q(?:\"([\d;]+))?(.*)", text, re.S).groups()
    _, _, width, height = map(int, attributes.split(";"))
    colours, pixels, colour, x, y = {}, {}, 0, 0, 0
    for define, number, rgb, repeat, sixel in re.findall(r"(#(\d+)(?:;2;([\d;]+))?)|(?:!(\d+))?([?-~$-])", body):
        if define:
            colour = int(number)
            if rgb:
                colours[colour] = tuple(round(int(part) * 2.55) for part in rgb.split(";"))
        elif sixel == "$":
            x = 0
        elif sixel == "-":
            x, y = 0, y + 6
        else:
            for _ in range(int(repeat or 1)):
                for bit in range(6):
                    if (ord(sixel) - 63) >> bit & 1:
                        pixels[x, y + bit] = colours[colour]
                x += 1
    return width, height, pixels


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
    def values(text):
        sections = re.split(r"^\[(.*)\]$", text, flags=re.M)
        return {(section, line) for section, lines in zip(sections[1::2], sections[2::2]) for line in lines.split("\n") if line}
    out = scene.start("comptop", "-c", conf, "--print-config").ends_well()
    assert ("run", "window = run") in values(settings) and len(values(settings)) > 60
    missing = values(out) - values(settings)
    assert not missing, f"not again: {sorted(missing)[:5]}"


def test_every_picture_of_the_camera_is_saved_by_its_name(scene):
    pictures = [("Slice", "slice", "1/cm"), ("Projection", "projection", "T"), ("Sinogram", "sinogram", "-ln(T)"),
                ("Plane along", "plane-xy", "1/cm"), ("from the front", "plane-xz", "1/cm"), ("from the side", "plane-yz", "1/cm"),
                ("Oblique", "plane-oblique", "1/cm"), ("Overview", "volume-front", "1/cm")]
    folder = scene.path("pictures")
    os.mkdir(folder)
    terminal = open_terminal(scene, "--demo", f"-Sscreen.folder={folder}")
    terminal.shows("EMF")
    terminal.press("4")
    n = 0
    for caption, word, unit in pictures:
        terminal.shows(caption)
        terminal.wait_for(lambda _: "arrows: a line" in terminal.screen.text(), f"a picture of {word}")
        name = ""
        while not os.path.exists(name + ".tif"):                    # without it, the whole picture has not come yet
            n += 1
            name = save(terminal, folder, n, "")
        assert os.path.basename(name).startswith(f"comptop-demo-{word}-2"), name
        (comments, units, columns), = read_tables(name + ".tsv")[1]
        expect(table=(comments["table"], word), unit=(units["value"], unit), values=(len(columns["value"]) > 100, True))
        assert os.path.getsize(name + ".tif") > 400
        terminal.press("u")


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
    name, n = save(terminal, here, 1, "3"), 1
    while open(name + ".tsv").readline() == "#comptop-tsv 1\n":   # the spectrum has not come yet
        n += 1
        name = save(terminal, here, n, "")
    sample = json.load(open(name + ".json"))
    expect(run=(sample["run"], "shared"))
    assert "name = shared" in sample["view"]["settings"]   # those of the run, not of this viewer
    check_tables(name, sample, "spectrum")                 # which this terminal is too small to show
    expect(lines=(open(name + ".ansi").read().count("\n"), 10))
    lost = open_terminal(scene, "--attach", "shared", f"-Sscreen.folder={nowhere}")
    lost.shows("shared")
    lost.press("1w")
    lost.shows("not saved")
    expect(running=(collector.running(), True))


def test_the_bell_rings_once_when_something_critical_begins(scene):
    """In mono too: the publisher goes away, which is critical after 10 s of silence."""
    rings = {}
    detector = Publisher(scene)
    frame = np.full((80, 80), 20, np.uint16)
    frame[40, 40] = 400
    detector.keep_sending(lambda n: frame, hz=200)
    stream = ["--hexitec", detector.endpoint, "-Shexitec.gradients=0.23", "-Shexitec.intercepts=0", "-Sscreen.refresh_hz=5"]
    terminals = {bell: open_terminal(scene, *stream, "--window", "5", f"-Sscreen.bell={bell}", environment={"NO_COLOR": "1"})
                 for bell in ("on", "off")}
    for terminal in terminals.values():
        terminal.wait_for(lambda _: re.search(r"[1-9]\d* photons", terminal.screen.text()), "photons")
    before = {bell: terminal.output.count(b"\a") for bell, terminal in terminals.items()}
    detector.stop()
    for bell, terminal in terminals.items():
        terminal.shows("CRITICAL")
        shown = terminal.length()
        terminal.wait_for(lambda output: len(output) > 200, "more pictures", shown)
        rings[bell] = terminal.output.count(b"\a") - before[bell]
    expect(rings=(rings, {"on": 1, "off": 0}))


def near(a, b):
    """Sixels say hundredths, and a grey may be the next one."""
    return all(abs(p - q) <= (12 if len(set(b)) == 1 else 3) for p, q in zip(a, b))


def test_pixels_show_what_the_saved_picture_has(scene):
    """On a terminal that says it has sixels and how large its cells are; strips end where the next begins."""
    folder = scene.path("kept")
    os.mkdir(folder)
    terminal = open_terminal(scene, "--demo", f"-Sscreen.folder={folder}", rows=30, pixels=(960, 720),
                             attributes=b"\033[?62;4;22c")
    terminal.press("1")
    terminal.shows("L/H")
    terminal.press(" ")
    terminal.shows("FROZEN")
    width, height, rows = read_png(save(terminal, folder, 1, "") + ".png")
    n = 1
    while len({tuple(rgb) for row in rows for rgb in row[:480]}) <= 8:   # of the first photons
        terminal.press("  ")
        n += 1
        width, height, rows = read_png(save(terminal, folder, n, "") + ".png")
    since = terminal.length()
    terminal.press("g")
    terminal.wait_for(lambda output: b"any key goes back" in output, "a whole picture", since)
    text = bytes(terminal.output[since:]).decode("utf-8", "replace")
    strips = re.findall(r"\033\[(\d+);1H\033P(.*?)\033\\", text, re.S)
    assert len(strips) >= 3, f"{len(strips)} strips"
    picture, covered = {}, 0
    for row, body in strips:
        wide, high, pixels = read_sixels(body)
        expect(width=(wide, width), top=((int(row) - 1) * 24, covered))
        covered += high
        picture.update({(x, y + (int(row) - 1) * 24): rgb for (x, y), rgb in pixels.items() if y < high})
    expect(covered=(covered, 29 * 24))
    for what, xs, ys in ("title", range(width), range(24)), ("map", range(480), range(5 * 24, 22 * 24)):
        wrong = [(x, y) for y in ys for x in xs if not near(picture.get((x, y), (0, 0, 0)), rows[y][x])]
        assert not wrong, f"{what}: {len(wrong)} pixels differ, {wrong[0]}: {picture.get(wrong[0])} {rows[wrong[0][1]][wrong[0][0]]}"
    assert len({picture[x, y] for x, y in picture if x < 480}) > 8, "a map of few colours"
    since = terminal.length()
    terminal.press("2")                                    # any key goes back, and does nothing else
    terminal.wait_for(lambda output: b"\033[H\033[2J" in output, "a repaint", since)
    terminal.shows("FROZEN")
    assert "Compton profile" not in terminal.screen.text()


def test_pixels_do_not_hold_a_key_back(scene):
    """On a slow link that has taken only a part of the first strip."""
    terminal = open_terminal(scene, "--demo", rows=60, cols=200, pixels=(2000, 1200), attributes=b"\033[?1;4c")
    terminal.press("1")
    terminal.shows("L/H")
    terminal.slow = 100
    since = terminal.length()
    terminal.press("g")
    terminal.wait_for(lambda output: b"\033P" in output, "a picture", since)
    terminal.press("q")                                    # goes back
    terminal.press("q")
    terminal.slow = None
    expect(code=(terminal.end(), 0))
    text = bytes(terminal.output[since:])
    assert b"any key goes back" not in text
    assert text.count(b"\033P") <= text.count(b"\033\\"), "a picture was not ended"


def test_a_terminal_without_pixels_is_told_so(scene):
    plain = open_terminal(scene, "--demo", attributes=b"\033[?62;22c")
    mute = open_terminal(scene, "--demo", attributes=None)
    tmux = open_terminal(scene, "--demo", environment={"TMUX": "/tmp/tmux-0/default,1,0", "KITTY_WINDOW_ID": "1"})
    for terminal, words in (plain, "neither sixel nor kitty"), (mute, "neither sixel nor kitty"), (tmux, "outside of them"):
        terminal.shows("L/H")
        terminal.press("g")
        terminal.shows(words)
        assert b"\033P" not in terminal.output and b"\033_G" not in terminal.output


def test_kitty_is_known_by_its_name(scene):
    terminal = open_terminal(scene, "--demo", pixels=(800, 480), environment={"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"})
    terminal.shows("L/H")
    since = terminal.length()
    terminal.press("g")
    terminal.wait_for(lambda output: b"any key goes back" in output, "a whole picture", since)
    placed = re.findall(rb"\033_Ga=T,f=32,s=(\d+),v=(\d+),c=(\d+),r=(\d+)", bytes(terminal.output[since:]))
    expect(width=({p[0] for p in placed}, {b"800"}), rows=(sum(int(p[3]) for p in placed), 23),
           heights=(sum(int(p[1]) for p in placed), 23 * 20))
    terminal.press("x")
    terminal.wait_for(lambda output: b"\033_Ga=d\033\\" in output, "the picture taken away", since)


if __name__ == "__main__":
    sys.exit(run_tests(globals()))
