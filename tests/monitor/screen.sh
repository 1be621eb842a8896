#!/bin/sh
# The screen from outside, key by key; needs a python3 with numpy and zmq.
[ -z "${sanitized:-}" ] || { echo '1..0 # SKIP a sanitizer stretches time'; exit 0; }
"${PYTHON:-python3}" -c 'import numpy, zmq' 2>/dev/null ||
  { echo '1..0 # SKIP no python3 with numpy and zmq (Debian: python3-numpy python3-zmq)'; exit 0; }
PYTHONDONTWRITEBYTECODE=1 exec "$PYTHON" "$top_srcdir/tests/monitor/screen.py" "$@"
