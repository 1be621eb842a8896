#!/bin/sh
# The examples in contrib/plot draw the log of a day: a line every ten seconds, with a restart, absent values and another head.
set -u
src=$(CDPATH='' cd -- "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
bin=$(CDPATH='' cd -- "${top_builddir:-.}" && pwd)
[ -x "$bin/comptop" ] || { echo '1..0 # SKIP comptop is not built'; exit 0; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
XDG_CONFIG_HOME=$work XDG_RUNTIME_DIR=$work; export XDG_CONFIG_HOME XDG_RUNTIME_DIR
"$bin/comptop" --demo -b -n 1 -d 2 -S run.memory_MB=256 -S run.buffer_MB=64 >short.tsv 2>said || { cat said; exit 1; }
# Its head, and of its row a day.
awk -F'\t' -v OFS='\t' '
  NR <= 3 { head = head $0 "\n"; print; if (NR == 3) for (i = 1; i <= NF; i++) column[$i] = i; next }
  {
    for (n = 0; n < 8640; n++) {
      if (n == 4000) printf "%s", head                       # a restart that begins a head
      s = n * 10
      $1 = sprintf("2026-11-22T%02d:%02d:%02d.250Z", s / 3600, s / 60 % 60, s % 60)
      $column["xcs.emf"] = n % 100 == 7 ? "nan" : 1 + 0.05 * sin(n / 1000)
      $column["xcs.emf_sigma"] = 0.002
      $column["cell.v_V"] = 3.5 + n / 20000
      print
    }
    exit
  }' short.tsv >run.tsv
n=0
report() { # report STATUS DESCRIPTION
  n=$((n + 1))
  if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; sed 's/^/# /' said | head -20; fi
}
[ "$(grep -c '^2026' run.tsv)" -eq 8640 ]
report $? 'a day has 8640 lines'
if command -v gnuplot >/dev/null; then
  gnuplot -e "log='run.tsv'" "$src/contrib/plot/log.gp" >drawn 2>said && [ "$(grep -c '[^ ]' drawn)" -gt 20 ] && ! grep -qi warning said
  report $? 'gnuplot draws it in the terminal'
  gnuplot -e "log='run.tsv'; png='g.png'" "$src/contrib/plot/log.gp" >drawn 2>said && [ "$(wc -c <g.png)" -gt 3000 ]
  report $? 'gnuplot draws it into a picture'
else
  n=$((n + 1)); echo "ok $n - gnuplot # SKIP not installed"
fi
if "${PYTHON:-python3}" -c 'import matplotlib' 2>/dev/null; then
  MPLCONFIGDIR=$work "${PYTHON:-python3}" "$src/contrib/plot/log.py" run.tsv -o p.png >drawn 2>said && [ "$(wc -c <p.png)" -gt 10000 ]
  report $? 'Python draws it'
else
  n=$((n + 1)); echo "ok $n - Python # SKIP no matplotlib (Debian: python3-matplotlib)"
fi
echo "1..$n"
