#!/bin/sh
# The simulator's truth, with each effect on and off; needs a python3 with numpy and zmq. usage: effects.sh BUILD [TEST]
top_builddir=$1; shift
export top_builddir
PYTHONDONTWRITEBYTECODE=1 exec "${PYTHON:-python3}" "$(dirname "$0")/effects.py" "$@"
