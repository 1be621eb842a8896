"""A potentiostat's text file, followed while it grows: shown, archived, and what becomes of it when it is replaced."""
import glob
import os
import sys
import time

import h5py
import numpy as np

from harness import Publisher, expect, run_tests

HEAD = ("EC-Lab ASCII FILE\r\nNb header lines : 5 \r\n\r\nAcquisition started on : {start}\r\n"
        "mode\ttime/s\tEwe/V\t<I>/mA\t(Q-Qo)/mA.h\t\r\n")


def write(path, text, mode="a"):
    with open(path, mode, encoding="latin-1", newline="") as file:
        file.write(text)


def begin(scene, name="cell.mpt", rows="1\t0,0\t3,5\t2\t0\t\r\n"):
    path = scene.path(name)
    write(path, HEAD.format(start=time.strftime("%m/%d/%Y %H:%M:%S")) + rows, "w")
    return path


def watch(scene, path, *argv):
    publisher = Publisher(scene)
    collector = scene.batch("--hexitec", publisher.endpoint, "-S", f"cell.mpt={path}", "-S", "run.reserve_MB=0", "-S",
                            "run.memory_MB=256", "-S", "hexitec.bins=0:200:0.4", *argv)
    publisher.wait(collector)
    return collector


def holds(v_V, i_A, q_Ah):
    def same(sample):
        cell = sample.get("cell") or {}
        return all(cell.get(k) is not None and abs(cell[k] - v) < 1e-9 for k, v in
                   (("v_V", v_V), ("i_A", i_A), ("q_Ah", q_Ah)))
    return same


def test_rows_are_shown_as_they_come(scene):
    path = begin(scene)
    collector = watch(scene, path)
    collector.sample_where(holds(3.5, 2e-3, 0))
    write(path, "1\t1,5\t3,6\t-2")
    write(path, "\t1,5\t\r\n")
    collector.sample_where(holds(3.6, -2e-3, 1.5e-3))
    write(path, "rubbish\r\n1\t2,5\t3,7\t-1\t2\t\r\n")
    collector.sample_where(holds(3.7, -1e-3, 2e-3))


def test_a_new_file_of_that_name_is_followed(scene):
    path = begin(scene)
    collector = watch(scene, path)
    collector.sample_where(holds(3.5, 2e-3, 0))
    other = begin(scene, "other.mpt", "1\t1\t4.1\t1\t5\t\r\n")
    os.rename(other, path)
    collector.sample_where(holds(4.1, 1e-3, 5e-3))
    time.sleep(1)   # so that it is known what the file was
    begin(scene, "cell.mpt", "1\t3\t4.2\t1\t6\t\r\n")   # cut short and written anew
    collector.sample_where(holds(4.2, 1e-3, 6e-3))
    # Written anew and longer, at once: its columns are others, so that what follows the old end says nothing.
    text = HEAD.format(start=time.strftime("%m/%d/%Y %H:%M:%S")).replace("time/s\tEwe/V", "Ewe/V\ttime/s")
    write(path, text + "".join(f"1\t3.{k}\t{k}\t1\t{k}\t\r\n" for k in range(10, 40)), "w")
    collector.sample_where(holds(3.39, 1e-3, 39e-3))


def test_later_rows_are_archived(scene):
    path = begin(scene)
    collector = watch(scene, path, "--archive", scene.archive(), "--run", "log")
    collector.sample_where(holds(3.5, 2e-3, 0))
    write(path, "".join(f"1\t{k}\t{3.5 + k / 1000}\t2\t{k}\t\r\n" for k in range(1, 301)))
    collector.sample_where(holds(3.8, 2e-3, 0.3))
    collector.signal(2)
    collector.ends_well()
    with h5py.File(glob.glob(os.path.join(scene.archive(), "log", "log_log_*.h5"))[0], "r") as file:
        group = file["entry/scalars"]
        names = [n.decode() for n in group["channel_name"][:]]
        volts = group["value"][:][group["channel"][:] == names.index("Ewe_V")]
        amperes = group["value"][:][group["channel"][:] == names.index("I_A")]
    expect(names=(sorted(names), ["Ewe_V", "I_A", "Q_Ah"]), rows=(len(volts), 300), current=(set(amperes), {2e-3}))
    assert np.allclose(volts, 3.5 + np.arange(1, 301) / 1000)


def test_what_is_no_cell_log_is_refused(scene):
    write(scene.path("other.txt"), "time,volt\n1,2\n", "w")
    scene.refused("-b", "--hexitec", "ipc://x", "-S", "cell.mpt=" + scene.path("none.mpt"), words=["cell.mpt", "none.mpt"])
    scene.refused("-b", "--hexitec", "ipc://x", "-S", "cell.mpt=" + scene.path("other.txt"), words=["EC-Lab", "other.txt"])


sys.exit(run_tests(globals()))
