#!/bin/sh
# What the documentation shows: pages pass mandoc's lint, the programs take every command that stands in README and in
# the EXAMPLES of the pages, and comptop takes every configuration shown.
set -u
src=$(CDPATH='' cd -- "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
bin=$(CDPATH='' cd -- "${top_builddir:-.}" && pwd)
for program in comptop comptop-sim comptop-replay comptop-archive; do
  [ -x "$bin/$program" ] || { echo "1..0 # SKIP $program is not built"; exit 0; }
done
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
unset COMPTOP_CONFIG
XDG_CONFIG_HOME=$work; export XDG_CONFIG_HOME
cp "$src/contrib/comptop.conf.example" i12.conf && cp i12.conf my.conf || exit 1

n=0
report() { # report STATUS DESCRIPTION: with what was said in $work/said
  n=$((n + 1))
  if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' said; fi
}
# Text of the literal blocks and lines of a page's EXAMPLES, and of README's indented lines.
shown() {
  awk '/^\.Sh / { on = $2 == "EXAMPLES" }
       !on { next }
       /^\.Bd -literal/ { block = 1; print ""; next }
       /^\.Ed/ { block = 0; next }
       /^\.Dl / { sub(/^\.Dl /, ""); print; next }
       block' "$src"/man/*.[1-9] | sed 's/\\e/\\/g'
  sed -n 's/^    *\(comptop.*\)/\1/p; /^      /p' "$src/README"
}

for page in "$src"/man/*.[1-9]; do
  [ -n "${MANDOC:-}" ] || break
  "$MANDOC" -T lint -W warning "$page" >said 2>&1
  report $? "mandoc has nothing to say about ${page##*/}"
done

# One command a line, without what the shell does with its output.
shown | sed -e ':more' -e '/\\$/{N; s/ *\\\n */ /; b more' -e '}' | grep -E '^comptop(-sim|-replay|-archive)? ' |
  sed -e 's/ *[|&>].*//' -e 's/   .*//' | sort -u >commands
wc -l <commands >said
[ "$(cat said)" -ge 10 ]
report $? 'the pages and README show commands'
while read -r program arguments; do
  case "$program $arguments" in
    *--completion*) take='' ;;
    comptop\ *) take=--print-config ;;
    comptop-archive\ *) take='' ;;
    # The others have no flag that looks at all settings and ends: they must stumble over this one, and over no other.
    *) take='--batch none' ;;
  esac
  # shellcheck disable=SC2086
  "$bin/$program" $arguments $take >/dev/null 2>said </dev/null
  status=$?
  # It finds no such run, and finds nothing wrong with how it was asked.
  [ "$program" != comptop-archive ] || { grep -q 'No such file' said && ! grep -q -e '--help' said; status=$?; }
  [ "$take" != '--batch none' ] || { grep -q -e '--batch none: not a whole number' said; status=$?; }
  report $status "$program $arguments"
done <commands

for conf in "$src/contrib/comptop.conf.example" "$src/man/comptop.conf.5"; do
  # In a page, each block that begins with a section is a file of its own; the first one is in DESCRIPTION.
  awk -v page="${conf##*.}" '
    page != "5" { print > "shown-0.conf"; next }
    /^\.Bd -literal/ { block++; on = 1; next }
    /^\.Ed/ { on = 0 }
    on { print > ("shown-" block ".conf") }' "$conf"
done
for file in shown-*.conf; do
  "$bin/comptop" -c "$file" --print-config >printed.conf 2>said
  status=$?
  report $status "comptop takes the configuration ${file%.conf}"
  "$bin/comptop" -c printed.conf --print-config 2>said | cmp -s - printed.conf
  report $? "and what it prints of ${file%.conf} gives the same again"
done
echo "1..$n"
