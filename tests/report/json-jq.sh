#!/bin/sh
# Samples as jq reads them: the one-liners of the manual must work, whatever the sample.
set -u
[ -n "${JQ:-}" ] || { echo "1..0 # SKIP jq is missing (Debian: apt install jq)"; exit 0; }
samples=$(mktemp) || exit 1
trap 'rm -f "$samples"' EXIT
"$top_builddir"/tests/report/check_report json > "$samples" || exit 1
n=0
check() { # check DESCRIPTION EXPECTED JQ-ARGUMENTS...
  n=$((n + 1))
  what=$1 expected=$2
  shift 2
  got=$("$JQ" "$@" < "$samples" | tr '\n' ' ')
  if [ "$got" = "$expected " ]; then echo "ok $n - $what"
  else echo "not ok $n - $what"; echo "# expected: $expected"; echo "# got: $got"; fi
}
echo 1..6
check 'every line is one object' '5' -s 'map(select(type == "object" and .v == 1)) | length'
check 'the EMF, where there is one' '0.2 null null 0.2 0.2' .xcs.emf
check 'integers stay integers' '540000' -s '.[0].streams[0].frames'
check 'every map cell is a number or null' 'true' -s '[.[] | .map.emf // [] | .[]] | length > 0 and all(. == null or type == "number")'
check 'maps have rows x cols cells' 'true' -s '[.[] | .map | select(. != null)] | length > 0 and all((.emf | length) == .rows * .cols)'
check 'strings come through' 'Zelle-ä€🔋' -rs '.[4].streams[0].name'
