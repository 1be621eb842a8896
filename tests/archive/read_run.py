# Reads a run as a stranger would: h5py, zlib's CRC-32, and an unpacker of its own.
# read_run.py MODE FOLDER RUN FRAMES: MODE closed | open (being written, SWMR) | repaired. Prints "FRAMES_READ".
import sys
import zlib

import h5py
import numpy as np

from bslz4 import frames_of


def run_pixels(k, rows=80, cols=80):
    with np.errstate(over='ignore'):
        i = np.arange(rows * cols, dtype=np.uint64)
        k = np.uint64(k)
        x = (k * np.uint64(6400) + i + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        x ^= x >> np.uint64(29)
        x *= np.uint64(0xBF58476D1CE4E5B9)
        value = np.uint64(400) + (x >> np.uint64(40) & np.uint64(63))
        value += np.where(i % np.uint64(97) == k % np.uint64(97), np.uint64(3000), np.uint64(0))
    return value.astype('<u2').reshape(rows, cols)


LIMIT = 2000         # of the writer: what is below it is no event


def check_events(entry, n, k):
    """Frame k by the definition of NXevent_data."""
    events = entry['events']
    assert events.attrs['NX_class'] == 'NXevent_data' and events['event_time_zero'].attrs['units'] == 'ns'
    first, count = int(events['event_index'][k]), int(events['event_count'][k])
    assert k + 1 == n or events['event_index'][k + 1] == first + count
    assert events['event_time_zero'][k] == entry['arrival'][k]
    frame = np.zeros(entry['rows'][()] * entry['columns'][()], events['event_value'].dtype)
    frame[events['event_id'][first:first + count]] = events['event_value'][first:first + count]
    assert np.count_nonzero(frame) == count
    return frame.reshape(int(entry['rows'][()]), int(entry['columns'][()]))


def check_file(path, first_number, swmr):
    with h5py.File(path, 'r', swmr=swmr, libver='latest') as file:
        entry = file['entry']
        data, number = entry.get('data'), entry['frame_number'][:]
        n = len(number)
        assert data is None or data.shape[1:] == (80, 80) and data.shape[0] >= n, data.shape
        if not swmr:
            assert all(set.shape[0] == n for set in entry.values() if isinstance(set, h5py.Dataset) and set.ndim), path
        assert (number == np.arange(first_number, first_number + n)).all()
        assert (entry['trigger'][:n] == number - number % 7).all()      # of the batch
        assert (entry['mode'][:n] == 1).all() and (entry['late'][:n] == 0).all()
        assert np.isnan(entry['rotation_angle'][:n]).all()
        signal = entry['frames'][entry['frames'].attrs['signal']]            # what a viewer shows first
        assert signal == (data if data is not None else entry['events/event_count'])
        crc = entry['crc32'][:n]
        rows = sorted(set(list(range(min(n, 2))) + list(range(0, n, 173)) + [n - 1])) if n else []
        for k in rows:
            frame = frames_of(data, k, k + 1)[0] if data is not None else check_events(entry, n, k)
            sent = run_pixels(int(number[k]))
            assert (frame == (sent if data is not None else np.where(sent >= LIMIT, sent, 0))).all(), (path, k)
            assert zlib.crc32(frame.tobytes()) == crc[k], (path, k)
        return n


def check_master(folder, run, frames, lost):
    with h5py.File(f'{folder}/{run}/{run}.nxs', 'r') as file:
        assert file.attrs['default'] == 'entry'
        entry = file['entry']
        plot = entry[entry.attrs['default']]
        assert plot.attrs['NX_class'] == 'NXdata'
        signal = plot[plot.attrs['signal']]
        assert signal.shape == (80, 80) and [len(plot[a]) for a in plot.attrs['axes']] == [80, 80]
        assert abs(signal[40, 40] - 3240 / 6400) < 1e-6
        detector = entry['instrument/hexitec']
        assert detector['frame_number'].shape == (frames,)
        assert (detector['frame_number'][:] == np.arange(frames)).all()
        if 'data' not in detector:
            assert detector['event_count'].shape == (frames,)
            assert sum(len(detector[name]['event_id']) for name in detector if name.startswith('events_')) == \
                detector['event_count'][:].sum()
            assert 60 < detector['event_count'][:].mean() < 70
        else:
            assert detector['data'].shape == (frames, 80, 80)
        if 'data' in detector and detector['files/000000/data'].id.get_create_plist().get_nfilters() == 0:
            assert (detector['data'][frames - 1] == run_pixels(frames - 1)).all()
        tomo = file['entry1/tomo_entry']
        assert tomo['definition'][()] == b'NXtomo'
        assert list(tomo['instrument/detector/image_key'][:8]) == [2, 2, 2, 1, 1, 1, 0, 0]
        assert (tomo['data/rotation_angle'][:] == 0.5 * np.arange(50)).all()
        assert tomo['data'][tomo['data'].attrs['signal']].shape == (50, 30, 40)
        assert entry['provenance/configuration'][()] == b'[run]\nname = test\n'
        gaps = entry['log/000000/gaps']
        assert (gaps['first'][0], gaps['last'][0], gaps['reason'][0]) == (1000000, 1000009, 0)
        assert entry['log/000000/alarms/id'][0] == b'stream-stale'
        markers = entry['log/000000/markers']
        assert markers['text'][:].tolist() == [b'new electrolyte'] and markers['time'].attrs['units'] == 'ns'
        snapshots = entry['log/000000/snapshots']
        assert snapshots.shape == (7,) and len(snapshots.attrs['units']) == len(snapshots.dtype.names)
        units = dict(zip(snapshots.dtype.names, snapshots.attrs['units']))
        rows = snapshots[:]
        assert (rows['xcs.counts'] == 100 * np.arange(7)).all() and units['xcs.counts'] == 'counts'
        assert (rows['streams.hexitec.lost'] == np.arange(7)).all() and units['time'] == 'ns'
        assert (np.diff(rows['time']) == 10**9).all() and rows['time'][1] == markers['time'][0]
        assert np.allclose(rows['roi.cathode.emf'], 0.01 * np.arange(7)) and (rows['xcs.emf'] == 0.8).all()
        assert np.isnan(rows['roi.anode.emf']).all() and np.isnan(rows['streams.cell.frames']).all()
        assert np.isnan(rows['ct.angle_deg']).all()
        voltage = entry['electrochemistry/Ewe_V']
        assert np.allclose(voltage['value'][:], 3.5 + 0.1 * np.arange(5))
        assert np.allclose(np.diff(voltage['time'][:]), 1)
        results = entry['results/000000']
        assert results['totals/emf'].shape == (3,) and results['totals/frames'][2] == 1234
        assert results['spectra/counts'].shape == (3, 80, 80, 50)
        energy = results['spectra/energy'][:]
        assert len(energy) == 50 and energy[0] == 2 and energy[49] == 198


mode, folder, run, wanted = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
total, index = 0, 0
while total < wanted:
    path = f'{folder}/{run}/{run}_hexitec_{index:06d}.h5'
    try:
        total += check_file(path, total, mode == 'open')
    except FileNotFoundError:
        break
    index += 1
if mode != 'open':
    check_master(folder, run, total, 10)
print(total)
