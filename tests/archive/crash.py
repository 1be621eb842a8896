# The stranger of the crash harness: reads "FOLDER FRAMES" lines, opens all frame files of the run r in FOLDER with plain
# h5py, compares every frame with what was sent, and answers "ok" or what is wrong. At least FRAMES have to be there.
import glob
import sys
import zlib

import h5py
import numpy as np

from bslz4 import frames_of

PIXELS, GAP_AT, GAP = 256, 1000, 17


def sent(k, sparse):
    with np.errstate(over='ignore'):
        i = np.arange(PIXELS, dtype=np.uint64)[None, :]
        x = (k.astype(np.uint64)[:, None] * np.uint64(PIXELS) + i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    value = np.uint64(400) + (x >> np.uint64(40) & np.uint64(31))
    if sparse:
        value = np.where(x >> np.uint64(50) & np.uint64(15), np.uint64(0), value)
    return value.astype('<u2').reshape(-1, 16, 16)


def made_of(events, n):
    """Frames by the definition of NXevent_data."""
    index, count = events['event_index'][:], events['event_count'][:]
    assert len(index) == len(count) == n and len(events['event_id']) == len(events['event_value']) == count.sum()
    assert (index == np.cumsum(np.r_[0, count[:-1]])).all()
    out = np.zeros(n * PIXELS, '<u2')
    out[np.repeat(np.arange(n), count) * PIXELS + events['event_id'][:]] = events['event_value'][:]
    return out.reshape(-1, 16, 16)


def frames(data, n):
    """All frames where their filter is there; of bitshuffle the first chunk otherwise; None where they cannot be read."""
    plist = data.id.get_create_plist()
    ids = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    if all(h5py.h5z.filter_avail(i) for i in ids):
        return data[:]
    return frames_of(data, 0, min(n, data.chunks[0])) if ids == [32008] else None


def read(folder, promised):
    total, before = 0, -1
    for path in sorted(glob.glob(f'{folder}/r/r_hexitec_*.h5')):
        with h5py.File(path, 'r') as file:
            entry = file['entry']
            number, n = entry['frame_number'][:], len(entry['frame_number'])
            lengths = {name: entry[name].shape[0] for name in entry if isinstance(entry[name], h5py.Dataset) and entry[name].ndim}
            assert set(lengths.values()) == {n}, (path, lengths)
            assert (np.diff(number.astype(np.int64)) > 0).all() and (n == 0 or number[0] > before), path
            total += n
            if n == 0:
                continue
            before = int(number[-1])
            assert not ((number >= GAP_AT) & (number < GAP_AT + GAP)).any(), path
            sparse = 'events' in entry
            got = made_of(entry['events'], n) if sparse else frames(entry['data'], n)
            if got is None:
                continue
            wanted = sent(np.where(number < GAP_AT, number, number - GAP), sparse)[:len(got)]
            assert (got == wanted).all(), (path, np.nonzero((got != wanted).any(axis=(1, 2)))[0][:5])
            for k in range(0, len(got), 61):
                assert zlib.crc32(got[k].tobytes()) == entry['crc32'][k], (path, k)
    assert total >= promised, f'{total} frames of {promised} promised'
    for path in glob.glob(f'{folder}/r/r_*.h5') + glob.glob(f'{folder}/r/*.nxs'):
        with h5py.File(path, 'r') as file:
            assert file['entry'].attrs['NX_class'] == 'NXentry', path


for line in sys.stdin:
    try:
        folder, promised = line.split()
        read(folder, int(promised))
        print('ok', flush=True)
    except Exception as error:                     # whatever a reader stumbles over is the answer
        print(type(error).__name__, str(error).replace('\n', ' '), flush=True)
