# Events of a run in one exported file, in the files of the run and in those of its copy: the same list.
# events.py EXPORTED MASTER MASTER
import sys

import h5py
import numpy as np

NAMES = ('event_id', 'event_value', 'event_count', 'event_time_zero', 'frame_number')


def lists(path):
    """The lists of all files one after the other, by way of the master."""
    with h5py.File(path, 'r') as file:
        detector = file['entry/instrument/hexitec']
        groups = [detector[name] for name in sorted(detector) if name.startswith('events_')]
        assert len(groups) > 1
        for group in groups:
            assert (group['event_index'][:] == np.cumsum(np.r_[0, group['event_count'][:-1]])).all()
        return {name: np.concatenate([group[name][:] for group in groups]) for name in NAMES}


with h5py.File(sys.argv[1], 'r') as file:
    entry = file['entry']
    group = entry['events']
    assert group.attrs['NX_class'] == 'NXevent_data' and entry['title'][()] == b'revents'
    assert (entry['rows'][()], entry['columns'][()]) == (80, 80)
    assert group['total_counts'][()] == len(group['event_id']) == group['event_count'][:].sum() > 100000
    assert (group['event_index'][:] == np.cumsum(np.r_[0, group['event_count'][:-1]])).all()
    assert group['event_value'].attrs['units'] == 'ADU' and group['event_time_zero'].attrs['offset'] == '1970-01-01T00:00:00Z'
    exported = {name: group[name][:] for name in NAMES}
for master in sys.argv[2:]:
    there = lists(master)
    for name in NAMES:
        assert np.array_equal(exported[name], there[name]), (master, name)
