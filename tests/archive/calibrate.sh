#!/bin/sh
# comptop-archive calibrate on frames with known gains, made and checked by numpy.
set -u
export PYTHONDONTWRITEBYTECODE=1
tool=$top_builddir/comptop-archive
python=$top_srcdir/tests/archive/calibrate.py
if [ -z "${PYTHON:-}" ] || ! "$PYTHON" -c 'import h5py, numpy' 2>/dev/null; then
  echo '1..0 # SKIP no python with h5py'
  exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0
ok() { # ok STATUS DESCRIPTION
  n=$((n + 1))
  if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' "$dir/out"; fi
}
calibrate() { "$tool" calibrate "$@" >"$dir/out" 2>&1; }
refused() { # refused TEXT ARGUMENT...: exit code 1, one line that has TEXT
  text=$1; shift
  calibrate "$@"
  [ $? -eq 1 ] && [ "$(wc -l <"$dir/out")" -eq 1 ] && grep -q "$text" "$dir/out"
}
echo '1..11'
"$PYTHON" "$python" make "$dir/am.h5" >"$dir/out" 2>&1
calibrate "$dir/am.h5:/entry/data" --source Am-241 --dark "$dir/am.h5:/entry/dark" --to "$dir/maps"
ok $? 'a source is calibrated'
grep -q 'pixel 5 (row 0, column 5): empty' "$dir/out" && grep -q 'pixel 200 (row 2, column 40): no-lines' "$dir/out"
ok $? 'pixels that cannot be calibrated are named'
"$PYTHON" "$python" check "$dir/am.h5" "$dir/maps" >"$dir/out" 2>&1
ok $? 'the gains are right within their errors'
refused 'exists already' "$dir/am.h5:/entry/data" --source Am-241 --dark "$dir/am.h5:/entry/dark" --to "$dir/maps"
ok $? 'an existing calibration is not overwritten'
refused 'with Co-57: 0 pixels fit' "$dir/am.h5:/entry/data" --source Co-57 --dark "$dir/am.h5:/entry/dark" --to "$dir/no"
ok $? 'a wrong source is refused'
refused 'with Cs-137: [1-9].* strong foreign lines' "$dir/am.h5:/entry/data" --source Cs-137 --dark "$dir/am.h5:/entry/dark" --to "$dir/no"
ok $? 'a wrong source is refused whose lines two of the peaks could be'
refused ' 0 pixels fit' "$dir/am.h5:/entry/data" --source Am-241 --to "$dir/no"
ok $? 'frames with their pedestal are refused'
refused 'no source of that name' "$dir/am.h5:/entry/data" --source Unobtainium --to "$dir/no"
ok $? 'a source that does not exist is refused'
refused 'needs --source' "$dir/am.h5:/entry/data" --to "$dir/no"
ok $? 'a source must be given'
[ ! -e "$dir/no" ]
ok $? 'what is refused writes nothing'
"$PYTHON" "$python" make "$dir/asic.h5" asic >"$dir/out" 2>&1
calibrate "$dir/asic.h5:/entry/data" --source Am-241 --dark "$dir/asic.h5:/entry/dark" --readout asic --to "$dir/asic" &&
  "$PYTHON" "$python" check "$dir/asic.h5" "$dir/asic" >"$dir/out" 2>&1
ok $? 'frames in the order of the ASIC, maps in that of the sensor'
