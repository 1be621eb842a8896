#!/bin/sh
# Runs whose writer is killed, whose disk fails or is full, whose power is cut: what was committed is read back bit for
# bit, by comptop and by h5py where it is. crash.sh [ROUNDS [SEED]]; ROUNDS for each codec and kind of crash.
set -u
[ -z "${tsan:-}" ] || { echo '1..0 # SKIP writers of one thread, killed for minutes'; exit 0; }
export PYTHONDONTWRITEBYTECODE=1
here=$top_srcdir/tests/archive
harness=$top_builddir/tests/archive/crash_archive
rounds=${1:-1} seed=${2:-1}
if [ -n "${PYTHON:-}" ] && "$PYTHON" -c 'import h5py, numpy' 2>/dev/null; then
  CRASH_STRANGER="exec '$PYTHON' '$here/crash.py'"
  export CRASH_STRANGER
fi
dir=$(mktemp -d) || exit 1
trap 'mountpoint -q "$dir" && umount -l "$dir"; rmdir "$dir"' EXIT
"$harness" "$rounds" "$seed"
# Disks that fill up at any place: only where a disk of some megabytes can be had.
[ "$rounds" -ge 10 ] || exit 0
for kilobytes in 300 500 700 1000 1300 1600 1900 2200 2500 2800; do
  mount -t tmpfs -o size=${kilobytes}k tmpfs "$dir" 2>/dev/null || { echo '# no right to mount a tmpfs'; exit 0; }
  CRASH_DIR=$dir "$harness" fill "$((rounds / 10))" | sed "s/^/# $kilobytes kB disk: /" >"$dir.out"
  grep -v ' ok ' "$dir.out"
  grep -q 'not ok' "$dir.out" && echo "Bail out! a full disk of $kilobytes kB"
  rm "$dir.out"
  umount -l "$dir"
done
