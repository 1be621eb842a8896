#!/bin/sh
# Archives on disks that fail; needs root, and a python3 with zmq, h5py and numpy.
[ -z "${sanitized:-}" ] || { echo '1..0 # SKIP a sanitizer stretches time'; exit 0; }
"${PYTHON:-python3}" -c 'import h5py, numpy, zmq' 2>/dev/null ||
  { echo '1..0 # SKIP no python3 with h5py and zmq (Debian: python3-h5py python3-zmq)'; exit 0; }
PYTHONDONTWRITEBYTECODE=1 exec "$PYTHON" "$top_srcdir/tests/monitor/disk.py" "$@"
