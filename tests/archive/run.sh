#!/bin/sh
# Archived runs read by a stranger (h5py): closed, while they are written, and after a kill and repair.
set -u
export PYTHONDONTWRITEBYTECODE=1
here=$top_srcdir/tests/archive
writer=$top_builddir/tests/archive/check_run
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
reads() { # reads MODE RUN FRAMES: h5py finds at least so many frames, all right
  got=$("$PYTHON" "$here/read_run.py" "$1" "$dir" "$2" "$3" 2>"$dir/out") && [ "$got" -ge "$3" ]
}
plain_opens() { "$PYTHON" -c 'import h5py, sys; h5py.File(sys.argv[1], "r")' "$1" 2>"$dir/out"; }
echo '1..30'
for codec in none bslz4 events; do
  "$writer" write "$dir" "c$codec" $codec 2100 close >"$dir/out" 2>&1
  ok $? "$codec: a run is written"
  reads closed "c$codec" 2100
  ok $? "$codec: h5py reads the closed run"
  "$PYTHON" "$here/nexus.py" "$dir/c$codec/c$codec.nxs" >"$dir/out" 2>&1
  ok $? "$codec: its master is NeXus ($(paste -sd, "$dir/out") read it too)"
  # Each column, and frames where the plugin of their filter is there.
  if command -v h5dump >/dev/null; then
    h5dump -d /entry/frame_number -d /entry/crc32 -d /entry/arrival "$dir/c$codec/c${codec}_hexitec_000000.h5" >"$dir/out" 2>&1 &&
      grep -q '(0): 0, 1, 2, 3' "$dir/out" && h5dump -A "$dir/c$codec/c$codec.nxs" >"$dir/out" 2>&1 && grep -q NXdetector "$dir/out"
    ok $? "$codec: h5dump reads it"
  else
    echo "ok $((n += 1)) - $codec: h5dump reads it # SKIP no h5dump"
  fi
  mkfifo "$dir/go"
  "$writer" write "$dir" "o$codec" $codec 2100 hold >"$dir/said" 2>&1 <"$dir/go" &
  exec 3>"$dir/go"
  while ! grep -q written "$dir/said" && kill -0 $! 2>/dev/null; do sleep 0.05; done
  reads open "o$codec" 2100
  ok $? "$codec: h5py reads the run while it is written"
  exec 3>&-
  wait $!
  rm "$dir/go"
  { "$writer" write "$dir" "k$codec" $codec 2100 kill; } >/dev/null 2>&1
  for file in "$dir/k$codec/k${codec}"_hexitec_*.h5; do last=$file; done
  if plain_opens "$last"; then false; else true; fi
  ok $? "$codec: after a kill a plain open is refused"
  "$writer" repair "$dir/k$codec" >"$dir/out" 2>&1
  ok $? "$codec: repair makes it whole"
  # What was written in the last 0.25 s of the run's clock, 36 chunks of 64 frames, may be gone.
  reads repaired "k$codec" 1
  ok $? "$codec: h5py reads the repaired run"
  "$PYTHON" "$here/nexus.py" "$dir/k$codec/k$codec.nxs" >"$dir/out" 2>&1
  ok $? "$codec: its master is NeXus again"
  [ "$got" -ge 1000 ]
  ok $? "$codec: it lost little ($got of 2100)"
done
