#!/bin/sh
# The file of comptop-sim --truth, read and worked out again by NumPy.
export PYTHONDONTWRITEBYTECODE=1
if [ -z "${PYTHON:-}" ] || ! "$PYTHON" -c 'import numpy' 2>/dev/null; then
  echo '1..0 # SKIP no python with numpy'
  exit 0
fi
exec "$PYTHON" "$top_srcdir/tests/sim/truth.py" "$top_builddir/comptop-sim"
