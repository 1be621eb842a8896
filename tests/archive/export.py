# What comptop-archive export made of the run of check_run, read by those who know the formats by their definitions.
# export.py DIR RUN RUN_FOLDER
import csv
import glob
import math
import struct
import sys
import zlib

import h5py
import numpy as np

out, run, folder = sys.argv[1:4]


def same(a, b):
    assert np.array_equal(np.asarray(a), np.asarray(b), equal_nan=True), (a, b)


with h5py.File(f'{folder}/{run}_results_000000.h5', 'r') as file:
    maps = {name: file[f'entry/maps/{name}'][-1] for name in ('emf', 'emf_errors', 'counts')}
    centre = file['entry/spectra/energy'][:]
    # The cube that the writer gave three times: pixel i has i counts in bin i % 50.
    cube = np.zeros((6400, 50), np.uint64)
    cube[np.arange(6400), np.arange(6400) % 50] = 3 * np.arange(6400)
    cube = cube.reshape(80, 80, 50)

# .hxt version 3
raw = open(f'{out}/{run}.hxt', 'rb').read()
rows, cols, bins = struct.unpack_from('<3I', raw, 172)
assert raw[:8] == b'HEXITECH' and struct.unpack_from('<Q', raw, 8)[0] == 3 and (rows, cols, bins) == (80, 80, 50)
assert len(raw) == 184 + 8 * bins * (1 + rows * cols)
length, = struct.unpack_from('<i', raw, 52)
assert raw[56:56 + length].decode() == run
same(np.frombuffer(raw, "<f8", bins, 184), 4.0 * np.arange(50))
same(np.frombuffer(raw, '<f8', rows * cols * bins, 184 + 8 * bins).reshape(80, 80, 50), cube)

# Tables
for suffix, between in (('csv', ','), ('tsv', '\t')):
    table = list(csv.reader(open(f'{out}/{run}_spectrum.{suffix}'), delimiter=between))
    assert table[0] == ['energy_keV', 'counts'] and len(table) == 51
    same([float(row[0]) for row in table[1:]], centre)
    same([int(row[1]) for row in table[1:]], cube.sum(axis=(0, 1)))
    table = list(csv.reader(open(f'{out}/{run}_spectra.{suffix}'), delimiter=between))
    assert table[0][0] == 'energy_keV' and table[0][81] == 'r1c0' and len(table[0]) == 6401
    same(np.array([[int(x) for x in row[1:]] for row in table[1:]]), cube.reshape(6400, 50).T)
    for name, values in maps.items():
        got = np.loadtxt(f'{out}/{run}_{name}.{suffix}', delimiter=between)
        assert got.shape == (80, 80) and np.allclose(got, values, rtol=1e-7, equal_nan=True), name

# PNG: grey and alpha, 8x8 picture pixels for each of the map
raw = open(f'{out}/{run}_emf.png', 'rb').read()
assert raw[:8] == b'\x89PNG\r\n\x1a\n'
at, image = 8, b''
while at < len(raw):
    length, kind = struct.unpack_from('>I4s', raw, at)
    body = raw[at + 8:at + 8 + length]
    assert zlib.crc32(kind + body) == struct.unpack_from('>I', raw, at + 8 + length)[0]
    if kind == b'IHDR':
        width, height, depth, colour = struct.unpack_from('>IIBB', body)
        assert (width, height, depth, colour) == (640, 640, 8, 4)
    image += body if kind == b'IDAT' else b''
    at += 12 + length
lines = np.frombuffer(zlib.decompress(image), np.uint8).reshape(640, 1 + 640 * 2)
assert len(set(lines[:, 0])) <= 5

# NXtomo alone
with h5py.File(f'{out}/{run}_tomo.nxs', 'r') as file:
    entry = file['entry']
    assert entry['definition'][()] == b'NXtomo'
    data, keys = entry['instrument/detector/data'], entry['instrument/detector/image_key'][:]
    assert data.shape == (50, 30, 40) and data.chunks == (1, 30, 40)
    assert list(keys[:8]) == [2, 2, 2, 1, 1, 1, 0, 0]
    same(entry['sample/rotation_angle'][:], 0.5 * np.arange(50))
    with h5py.File(f'{folder}/{run}_camera_000000.h5', 'r') as camera:
        source = camera['entry/data']
        if source.id.get_create_plist().get_nfilters() == 0:
            same(data[:], source[:])
    plot = entry[entry.attrs['default']]
    assert plot[plot.attrs['signal']].shape == data.shape and len(plot['rotation_angle']) == 50

# Battery Data Format
table = list(csv.DictReader(open(f'{out}/{run}.bdf.csv')))
assert list(table[0]) == ['Test Time / s', 'Voltage / V', 'Current / A', 'Unix Time / s'] and len(table) == 5
for i, row in enumerate(table):
    assert math.isclose(float(row['Test Time / s']), i, abs_tol=1e-6)
    assert math.isclose(float(row['Voltage / V']), 3.5 + 0.1 * i) and float(row['Current / A']) == 0.002

# Unpacked: the same frames without any filter
plain = glob.glob(f'{out}/{run}_plain/{run}_hexitec_*.h5')
assert len(plain) == len(glob.glob(f'{folder}/{run}_hexitec_*.h5')) > 0
for path in glob.glob(f'{out}/{run}_plain/*.h5'):
    with h5py.File(path, 'r') as file:
        file.visititems(lambda name, item: None if not isinstance(item, h5py.Dataset) else
                        (_ for _ in ()).throw(AssertionError(name)) if item.id.get_create_plist().get_nfilters() else None)
for path in plain:
    with h5py.File(path, 'r') as file:
        entry = file['entry']
        for k in range(0, len(entry['frame_number']), 97):
            assert zlib.crc32(entry['data'][k].tobytes()) == entry['crc32'][k]
with h5py.File(f'{out}/{run}_plain/{run}.nxs', 'r') as file:
    assert file['entry/instrument/hexitec/data'].shape == (2100, 80, 80)
    assert zlib.crc32(file['entry/instrument/hexitec/data'][2099].tobytes()) == file['entry/instrument/hexitec/crc32'][2099]
