# A master as NeXus wants it: classes, units on every number, plots that the @default chain leads to, NXtomo, Data Exchange.
# nexus.py MASTER
import glob
import os
import sys

import h5py
import numpy as np


def walk(group, path, seen):
    """Every group and data set that can be reached, links to other files included."""
    for name in group:
        try:
            item = group[name]
        except (KeyError, OSError):
            raise AssertionError(f'{path}/{name}: leads nowhere')
        key = (item.file.filename, item.id.__hash__() if False else h5py.h5o.get_info(item.id).addr)
        if key in seen:
            continue
        seen.add(key)
        yield f'{path}/{name}', item
        if isinstance(item, h5py.Group):
            yield from walk(item, f'{path}/{name}', seen)


def plot_of(file):
    """Follows @default to an NXdata and checks what a plot needs."""
    group = file
    while group.attrs.get('NX_class') != 'NXdata':
        group = group[group.attrs['default']]
    signal = group[group.attrs['signal']]
    axes = list(np.atleast_1d(group.attrs['axes']))
    assert len(axes) == signal.ndim, (group.name, axes, signal.shape)
    for axis, length in zip(axes, signal.shape):
        assert axis == '.' or group[axis].shape == (length,), (group.name, axis)
    return group, signal


def check_tomo(file):
    tomo = file['entry_tomo']
    assert tomo['definition'][()] == b'NXtomo'
    detector, sample = tomo['instrument/detector'], tomo['sample']
    n = len(detector['image_key'])
    assert detector['data'].shape[0] == n == len(sample['rotation_angle']) == len(tomo['control/data'])
    assert sample['rotation_angle'].attrs['units'] == 'deg' and sample['name'][()]
    assert set(np.unique(detector['image_key'][:])) <= {0, 1, 2, 3}
    assert tomo['instrument/source/probe'][()] == b'x-ray'
    plot_of(tomo)
    savu = file['entry1/tomo_entry']
    for name in ('instrument/detector/image_key', 'instrument/detector/data', 'data/rotation_angle', 'control/data'):
        assert len(savu[name]) == n, name
    keys, exchange = detector['image_key'][:], file['exchange']
    for name, key in (('data', 0), ('data_white', 1), ('data_dark', 2)):
        assert np.array_equal(exchange[name][:], detector['data'][:][keys == key]), name
    assert np.array_equal(exchange['theta'][:], sample['rotation_angle'][:][keys == 0])


with h5py.File(sys.argv[1], 'r') as file:
    items = dict(walk(file, '', set()))
    for path, item in items.items():
        if isinstance(item, h5py.Group):
            assert str(item.attrs.get('NX_class', '')).startswith('NX'), f'{path}: no class'
        elif item.dtype.kind in 'iuf':
            assert 'units' in item.attrs, f'{path}: no units'
    plot_of(file)
    entry = file['entry']
    assert entry.attrs['NX_class'] == 'NXentry'
    for name in ('title', 'start_time', 'end_time', 'entry_identifier', 'program_name', 'instrument', 'sample/name',
                 'instrument/source/probe', 'provenance/version', 'provenance/configuration', 'streams'):
        assert name in entry, name
    for name in ('spectra', 'maps'):
        plot = entry[name]
        assert plot.attrs['NX_class'] == 'NXdata'
        signal = plot[plot.attrs['signal']]
        assert [str(a) for a in plot.attrs['axes']][0] == 'time' and signal.shape[0] == len(plot['time'])
    assert list(entry['spectra'].attrs['axes'])[-1] == 'energy'            # PyMca: the last axis
    assert entry['maps/emf'].shape == entry['maps/emf_errors'].shape
    process = entry['live_000000']
    assert process.attrs['NX_class'] == 'NXprocess' and process['version'][()] and process['configuration'][()]
    if 'entry_tomo' in file:
        check_tomo(file)
    for path in list(items):
        if path.startswith('/entry/electrochemistry/') and path.endswith('_V'):
            log = items[path]
            assert log.attrs['NX_class'] == 'NXlog' and log['value'].attrs['units'] == 'V'
            assert log['time'].attrs['units'] == 's' and log['time'].attrs['start']
# The programs people look with, where they are installed.
try:
    import silx.io
    os.environ.setdefault('QT_QPA_PLATFORM', 'offscreen')
    from silx.io import nxdata
    with silx.io.open(sys.argv[1]) as file:
        default = nxdata.get_default(file)
        assert default is not None and default.is_valid and default.signal.ndim == 2, default
        for name in ('spectra', 'maps'):
            assert nxdata.NXdata(file['entry'][name]).is_valid, name
    for path in glob.glob(os.path.join(os.path.dirname(sys.argv[1]), '*.h5')):
        if '_log_' not in path:
            with silx.io.open(path) as file:
                default = nxdata.get_default(file)
                assert default is not None and default.is_valid, (path, default)
    print('silx')
except ImportError:
    pass
try:
    from PyMca5.PyMcaIO import HDF5Stack1D, NexusUtils  # noqa: F401
    stack = HDF5Stack1D.HDF5Stack1D([sys.argv[1]], {'y': '/entry/spectra/counts', 'x': [], 'm': []})
    with h5py.File(sys.argv[1], 'r') as file:
        wanted = file['entry/spectra/counts'][:].reshape(-1, file['entry/spectra/counts'].shape[-1])
    got = np.asarray(stack.data).reshape(-1, stack.data.shape[-1])
    assert got.shape == wanted.shape and got.sum() == wanted.sum()
    print('PyMca')
except ImportError:
    pass
