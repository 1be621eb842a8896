#!/bin/sh
# The manual pages against the option tables: every flag and key of the programs is in its page, with its default, and
# nothing is in a page that the program does not know.
set -u
src=${top_srcdir:-$(dirname "$0")/../..}
bin=${top_builddir:-.}
programs='comptop comptop-sim comptop-replay comptop-archive'
for page in comptop.1 comptop-sim.1 comptop-replay.1 comptop-archive.1 comptop.conf.5; do
  [ -f "$src/man/$page" ] || { echo "1..0 # SKIP man/$page is not there"; exit 0; }
done
for program in $programs; do
  [ -x "$bin/$program" ] || { echo "1..0 # SKIP $program is not built"; exit 0; }
done

n=0
check() { # check DESCRIPTION OFFENDERS
  n=$((n + 1))
  if [ -z "$2" ]; then echo "ok $n - $1"; else echo "not ok $n - $1"; printf '%s\n' "$2" | sed 's/^/# /'; fi
}
# only_in A B: the lines of A that B has not
only_in() {
  printf '%s\n' "$1" | while IFS= read -r line; do
    [ -z "$line" ] || printf '%s\n' "$2" | grep -qxF -e "$line" || printf '%s\n' "$line"
  done
}
# Flags at the head of list items: ".It Fl c Ar FILE", ".It Fl h , Fl -help", ".It Fl -window Ns = Ns Ar SEC".
flags_of_page() {
  sed -nE 's/^\.It +(Xo +)?(.*Fl .*)$/\2/p' "$1" | sed 's/\\-/-/g' |
    awk '{ for (i = 1; i < NF; i++) if ($i == "Fl") print "-" $(i + 1) }' | sort -u
}
# Keys at the head of list items under ".Ss [section]" or ".Sh [section]", NAME of named sections left out:
# ".It Cm key No = Ar default", ".It Ic key = default", ".It key = default".
keys_of_page() {
  sed -e 's/\\&//g' -e 's/\\-/-/g' "$1" | awk '
    /^\.S[sh] / { section = ""; if (match($0, /\[[a-z]+/)) section = substr($0, RSTART + 1, RLENGTH - 1) }
    /^\.It / && section != "" {
      text = ""
      for (i = 2; i <= NF; i++)
        if ($i !~ /^(Cm|Ic|Ar|Li|No|Ns|Va|Pa|Dv|Ql|Sy|Em)$/) text = text (text == "" ? "" : " ") $i
      gsub(/"/, "", text)
      key = text; sub(/ *=.*/, "", key)
      value = text; if (!sub(/^[^=]*= */, "", value)) value = ""
      print section "\t" key "\t" (value == "" ? "-" : value)
    }' | sort -u
}

echo '1..12'
for program in $programs; do
  table=$("$bin/$program" --options-table | awk -F'\t' '$1 == "flag" { if ($2 != "-") print $2; if ($3 != "-") print $3 }' |
    sort -u)
  page=$(flags_of_page "$src/man/$program.1")
  [ -n "$table" ] || table="(--options-table of $program says nothing)"
  check "every flag of $program is in its page" "$(only_in "$table" "$page")"
  check "$program(1) has no other flags" "$(only_in "$page" "$table")"
done
for pair in comptop:comptop.conf.5 comptop-sim:comptop-sim.1; do
  program=${pair%%:*} name=${pair#*:}
  table=$("$bin/$program" --options-table | awk -F'\t' '$1 == "key" { print $2 "\t" $3 "\t" $4 }' | sort -u)
  page=$(keys_of_page "$src/man/$name")
  check "every key of $program is in $name, with its default" "$(only_in "$table" "$page")"
  check "$name has no other keys or defaults" "$(only_in "$page" "$table")"
done
