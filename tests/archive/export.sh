#!/bin/sh
# comptop-archive export, verify and info from outside.
set -u
export PYTHONDONTWRITEBYTECODE=1
here=$top_srcdir/tests/archive
writer=$top_builddir/tests/archive/check_run
archive=$top_builddir/comptop-archive
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
echo '1..15'
for codec in none bslz4; do
  "$writer" write "$dir" "r$codec" $codec 2100 close >"$dir/out" 2>&1
  "$archive" export --as hxt,csv,tsv,png,nxtomo,bdf,plain --to "$dir/$codec" "$dir/r$codec" >"$dir/out" 2>&1
  ok $? "$codec: everything is exported"
  "$PYTHON" "$here/export.py" "$dir/$codec" "r$codec" "$dir/r$codec" >"$dir/out" 2>&1
  ok $? "$codec: and is what the formats say"
done
"$writer" write "$dir" revents events 2100 close >"$dir/out" 2>&1
"$archive" export --as events,plain --to "$dir/events" "$dir/revents" >"$dir/out" 2>&1
ok $? 'events are exported'
"$PYTHON" "$here/events.py" "$dir/events/revents_events.nxs" "$dir/revents/revents.nxs" "$dir/events/revents_plain/revents.nxs" \
  >"$dir/out" 2>&1
ok $? 'in one file, and the same as in the run'
"$archive" export --as png --to "$dir/none" "$dir/rnone" >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q 'not overwritten' "$dir/out"
ok $? 'nothing is overwritten'
# What a killed export has left is no export, and is in nobody's way.
mkdir -p "$dir/again/rbslz4_plain.part"
printf 'half' | tee "$dir/again/rbslz4_plain.part/rbslz4.nxs" "$dir/again/rbslz4.hxt.part" >"$dir/again/rbslz4_tomo.nxs.part"
"$archive" export --as hxt,nxtomo,plain --to "$dir/again" "$dir/rbslz4" >"$dir/out" 2>&1 &&
  [ "$(cd "$dir/again" && echo *)" = 'rbslz4.hxt rbslz4_plain rbslz4_tomo.nxs' ] &&
  cmp "$dir/again/rbslz4.hxt" "$dir/bslz4/rbslz4.hxt" >>"$dir/out" 2>&1 &&
  "$archive" verify "$dir/again/rbslz4_plain" >"$dir/out" 2>&1
ok $? 'an export that was broken off is made again'
"$archive" export "$dir/rnone" >"$dir/out" 2>&1
[ $? -eq 1 ] && grep -q -- '--as' "$dir/out"
ok $? 'a format has to be named'
"$archive" verify "$dir/rnone" >"$dir/out" 2>&1
ok $? 'a whole run verifies'
"$archive" info "$dir/rnone" >"$dir/out" 2>&1 && grep -q '2150 frames' "$dir/out" && grep -q 'lost' "$dir/out" &&
  grep -q 'EMF' "$dir/out" && grep -q '^marker .*Z  new electrolyte$' "$dir/out"
ok $? 'info says what, when, how much, lost, the mean EMF and what was marked'
# One file of a run is missing: verify says which frames.
mv "$dir/rnone/rnone_hexitec_000000.h5" "$dir/away"
"$archive" verify "$dir/rnone" >"$dir/out" 2>&1
[ $? -eq 4 ] && grep -q 'neither there nor listed' "$dir/out"
ok $? 'a missing file is found by the frames it had'
mv "$dir/away" "$dir/rnone/rnone_hexitec_000000.h5"
# What is not ours is left alone.
printf 'precious' >"$dir/rnone/rnone_hexitec_000007.h5"
"$archive" repair "$dir/rnone" >"$dir/out" 2>&1
[ $? -eq 4 ] && [ "$(cat "$dir/rnone/rnone_hexitec_000007.h5")" = precious ]
ok $? 'a file that is not ours is named and not touched'
rm "$dir/rnone/rnone_hexitec_000007.h5"
"$archive" verify "$dir" >"$dir/out" 2>&1
[ $? -eq 1 ]
ok $? 'a folder that is no run is refused'
before=$(cksum "$dir/rbslz4"/*.h5)
"$archive" repair "$dir/rbslz4" >"$dir/out" 2>&1 && [ "$before" = "$(cksum "$dir/rbslz4"/*.h5)" ]
ok $? 'repair changes nothing in files that are fine'
