#!/bin/sh
# The screen from outside, key by key; needs a python3 with zmq.
"${PYTHON:-python3}" -c 'import zmq' 2>/dev/null || { echo '1..0 # SKIP no python3 with zmq (Debian: python3-zmq)'; exit 0; }
PYTHONDONTWRITEBYTECODE=1 exec "$PYTHON" "$top_srcdir/tests/monitor/screen.py" "$@"
