#!/bin/sh
# make soak: the simulator through tcp into comptop -b for a long time. Nothing may be lost, left unanalysed, or pile up.
# tests/soak.sh BUILD_DIR SECONDS; speaks TAP. Needs jq. Not a part of make check: it asks for a machine that keeps up.
set -u
build=$1 seconds=$2
warm_up_s=20 growth_kB=4096
command -v "${JQ:=jq}" >/dev/null || { echo '1..0 # SKIP no jq (Debian: jq)'; exit 0; }
[ "$seconds" -gt $((2 * warm_up_s)) ] || { echo "SOAK_SECONDS must be above $((2 * warm_up_s))" >&2; exit 1; }
folder=$(mktemp -d) || exit 1
simulator='' monitor=''
finish() {
  [ -n "$simulator" ] && kill "$simulator" 2>/dev/null
  [ -n "$monitor" ] && kill "$monitor" 2>/dev/null
  wait
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 1' INT TERM

failed=0
check() { # check NUMBER DESCRIPTION FIGURES COMMAND...
  number=$1 description=$2 figures=$3
  shift 3
  if "$@"; then echo "ok $number - $description"; else echo "not ok $number - $description"; failed=1; fi
  echo "# $figures"
}
rss_kB() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
# What /proc says a process has used: seconds of processor time.
cpu_s() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$1/stat"; }
value() { tail -n 1 "$folder/samples" | "$JQ" -r "$1"; }

# A port of * takes any free one, and is said.
: >"$folder/simulator"
"$build/comptop-sim" --child --wait --hexitec 'tcp://127.0.0.1:*' --scalars 'tcp://127.0.0.1:*' 2>"$folder/simulator" &
simulator=$!
until grep -q 'photons/s on' "$folder/simulator"; do
  kill -0 "$simulator" || { cat "$folder/simulator" >&2; exit 1; }
  sleep 0.1
done
frames=$(sed -nE 's/.*photons\/s on ([^ ,]+).*/\1/p' "$folder/simulator")
scalars=$(sed -nE 's/.*charge on ([^ ,]+).*/\1/p' "$folder/simulator")
"$build/comptop" -b -o json -d 1 --window 10 --exit-on-idle 3 --hexitec "$frames,socket=sub" --scalars "$scalars" \
  -S hexitec.gradients=0.0288 >"$folder/samples" 2>"$folder/monitor" &
monitor=$!

echo '1..5'
sleep "$warm_up_s"
before_kB=$(rss_kB "$monitor")
sleep $((seconds - warm_up_s))
after_kB=$(rss_kB "$monitor") used_s=$(cpu_s "$monitor") simulated_s=$(cpu_s "$simulator")
kill "$simulator"
wait "$simulator"
simulator=''
wait "$monitor"
status=$?
monitor=''
sent=$(sed -nE 's/.*: ([0-9]+) frames with.*/\1/p' "$folder/simulator")
got=$(value '.streams[0].frames') lost=$(value '.streams[0].lost') analysed=$(value '.xcs.total_frames')

check 1 'comptop ends well' \
  "exit $status; $(wc -l <"$folder/monitor") lines on standard error, the last: $(tail -n 1 "$folder/monitor")" [ "$status" -eq 0 ]
check 2 'every frame has come' "sent $sent, received $got, lost $lost" [ "$sent" = "$got" ] && [ "$lost" -eq 0 ]
check 3 'every frame was analysed' "analysed $analysed" [ "$analysed" = "$got" ]
check 4 'memory does not grow' "VmRSS $before_kB kB after $warm_up_s s, $after_kB kB after $seconds s" \
  [ "$after_kB" -le $((before_kB + growth_kB)) ]
check 5 'frames came at the rate of the detector' "$((got / seconds)) frames a second; comptop used $used_s s of processor \
time, comptop-sim $simulated_s s" [ $((got / seconds)) -ge 8900 ]
exit "$failed"
