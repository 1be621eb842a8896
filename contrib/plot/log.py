#!/usr/bin/python3
"""Plots columns of a TSV log over time: log.py RUN.tsv [COLUMN...] [-o PICTURE.png]

A column NAME with an error NAME_sigma gets error bars. Needs python3-matplotlib; read_log() alone needs nothing."""
import sys
from datetime import datetime, timezone


def read_log(path):
    """{column: [values]}, t as datetime; a log may hold several heads, as each restart may have brought other columns."""
    columns, names = {}, []
    with open(path) as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                continue
            if cells[0] == "t":
                names = cells
                continue
            if len(cells) != len(names):
                continue            # a line that was cut
            done = len(columns.get("t", []))
            for name, cell in zip(names, cells):
                column = columns.setdefault(name, [float("nan")] * done)
                column.append(value(name, cell))
            for column in columns.values():
                if len(column) == done:
                    column.append(float("nan"))
    return columns


def value(name, cell):
    if name == "t":
        return datetime.fromisoformat(cell.replace("Z", "+00:00")).astimezone(timezone.utc)
    try:
        return float(cell)
    except ValueError:
        return cell


def main(argv):
    picture = argv[argv.index("-o") + 1] if "-o" in argv else None
    words = [w for i, w in enumerate(argv) if w != "-o" and (i == 0 or argv[i - 1] != "-o")]
    if not words:
        sys.exit(__doc__)
    import matplotlib
    if picture:
        matplotlib.use("Agg")
    from matplotlib import pyplot
    log = read_log(words[0])
    names = words[1:] or ["xcs.emf", "cell.v_V"]
    figure, axes = pyplot.subplots(len(names), 1, sharex=True, squeeze=False, figsize=(10, 3.5 * len(names)))
    for axis, name in zip(axes[:, 0], names):
        axis.errorbar(log["t"], log[name], yerr=log.get(name + "_sigma"), fmt=".", elinewidth=0.8)
        axis.set_ylabel(name)
    axes[-1, 0].set_xlabel("UTC")
    figure.tight_layout()
    pyplot.savefig(picture) if picture else pyplot.show()


if __name__ == "__main__":
    main(sys.argv[1:])
