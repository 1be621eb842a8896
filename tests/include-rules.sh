#!/bin/sh
# Guards DESIGN 2.1: rooms use only rooms below them, and each library stays in its room.
set -u
src=${top_srcdir:-$(dirname "$0")/..}
[ -f "$src/src/core/core.c" ] || { echo "Bail out! no sources in $src"; exit 1; }
n=0
check() { # check DESCRIPTION OFFENDERS
  n=$((n + 1))
  if [ -z "$2" ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; printf '%s\n' "$2" | sed 's/^/# /'; fi
}
order='core ring frame snapshot wire cell tomo hexitec spectra compton sim archive view report ui pipeline monitor'
plan=0
for room in $order; do plan=$((plan + 1)); done
echo "1..$((plan + 9))"

# The rooms a room may use; everything not named here is forbidden.
allowed() {
  case $1 in
    core) echo 'core' ;;
    ring) echo 'core ring' ;;
    frame) echo 'core frame' ;;
    snapshot) echo 'core frame snapshot' ;;
    wire) echo 'core frame snapshot wire' ;;
    cell|tomo) echo "core frame $1" ;;
    hexitec) echo 'core frame hexitec' ;;
    spectra) echo 'core frame hexitec spectra' ;;
    compton) echo 'core frame snapshot spectra compton' ;;
    sim) echo 'core frame snapshot wire cell hexitec spectra compton sim' ;;
    archive) echo 'core frame snapshot archive' ;;
    view) echo 'core frame snapshot view' ;;
    report) echo 'core frame snapshot view report' ;;
    ui) echo 'core frame snapshot view ui' ;;
    pipeline) echo 'core ring frame snapshot wire cell tomo hexitec spectra compton sim archive pipeline' ;;
    monitor) echo "$order" ;;
  esac
}
# includes FILE...: "file:line:header" of every project include
includes() {
  grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]' "$@" /dev/null
}
for room in $order; do
  bad=''
  for file in "$src"/include/comptop/$room.h $(find "$src/src/$room" -name '*.[ch]' 2>/dev/null); do
    [ -f "$file" ] || continue
    for used in $(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*<comptop\/([a-z]+)\.h>.*/\1/p' "$file"); do
      case " $(allowed $room) " in *" $used "*) ;; *) bad="$bad $file uses $used;" ;; esac
    done
    for used in $(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"([a-z]+)\/.*/\1/p' "$file"); do
      [ "$used" = "$room" ] || bad="$bad $file reaches into src/$used;"
    done
  done
  check "$room uses only what lies below it" "$bad"
done
only() { # only DESCRIPTION HEADER-REGEX ROOM-REGEX
  found=$(find "$src/src" "$src/include" -name '*.[ch]' | xargs grep -lE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($2)" /dev/null |
    grep -vE "/src/($3)/" )
  check "$1" "$found"
}
only 'curses only in ui' '(n?curses|term|panel)[^>"]*\.h|ncursesw?/' 'ui'
only 'HDF5 only in archive' 'hdf5|H5' 'archive'
only 'ZeroMQ only in pipeline and monitor' 'zmq' 'pipeline|monitor'
only 'libuv only in monitor' 'uv\.h' 'monitor'
only 'threads only in pipeline' 'pthread|threads\.h' 'pipeline'
only 'jansson only in report, wire and sim' 'jansson' 'report|wire|sim'
only 'libcbor only in wire' 'cbor\.h' 'wire'
pure=''
for room in hexitec spectra compton tomo cell view; do
  for file in $(find "$src/src/$room" -name '*.[ch]' 2>/dev/null); do
    pure="$pure$(grep -nE '\b(fopen|open|socket|pthread_|clock_gettime|time|gettimeofday|getenv|uv_|zmq_|printf|fprintf)[[:space:]]*\(' "$file" |
      grep -vE '^[0-9]+:[[:space:]]*(/?\*|//)' | sed "s|^|$file:|")"
  done
done
check 'pure rooms have no files, threads, clocks or output' "$pure"
globals=$(for room in hexitec spectra compton tomo cell view; do
  find "$src/src/$room" -name '*.c' 2>/dev/null | xargs grep -nE '^static [a-z_ ]+[a-z_]+(\[[^]]*\])?( =|;)' /dev/null | grep -vE 'static (inline )?const|\('
done)
check 'pure rooms have no variable globals' "$globals"
