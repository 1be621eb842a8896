#!/bin/sh
# What the shells complete against the option table: every flag, and the words an option takes.
set -u
bin=$(CDPATH='' cd -- "${top_builddir:-.}" && pwd)
programs='comptop comptop-sim comptop-replay comptop-archive'
for program in $programs; do
  [ -x "$bin/$program" ] || { echo "1..0 # SKIP $program is not built"; exit 0; }
done
command -v bash >/dev/null || { echo '1..0 # SKIP no bash'; exit 0; }
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

n=0
same() { # same EXPECTED GOT DESCRIPTION
  n=$((n + 1))
  if [ -s "$1" ] && cmp -s "$1" "$2"; then echo "ok $n - $3"; else echo "not ok $n - $3"; diff "$1" "$2" | sed 's/^/# /'; fi
}
# complete PROGRAM WORD...: what bash offers for the last word, a line each
complete_with() {
  bash -c '. "./$1.bash"; shift
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_$1_complete"; printf "%s\n" "${COMPREPLY[@]}"' bash "$1" "$@" | sort
}
for program in $programs; do
  "$bin/$program" --completion bash >"$program.bash" && "$bin/$program" --completion zsh >"$program.zsh" || exit 1
  "$bin/$program" --options-table >table || exit 1
  awk -F'\t' '$1 == "flag" { if ($2 != "-") print $2; if ($3 != "-") print $3 }' table | sort >flags
  complete_with "$program" - >offered
  same flags offered "bash completes the flags of $program"
  sed -n "s/^ *'\*\{0,1\}\((-[^)]*)\)\{0,1\}\(-[-a-zA-Z0-9]*\).*/\2/p" "$program.zsh" | sort -u >offered
  grep -xF -f flags offered | sort >offered.known
  same flags offered.known "zsh completes the flags of $program"
done
if command -v zsh >/dev/null; then
  for program in $programs; do
    zsh -n "$program.zsh" && echo "$program" >>read.zsh
  done
  printf '%s\n' $programs >all
  same all read.zsh 'zsh can read them'
fi
printf '%s\n' ansi json text tsv >words
complete_with comptop -o '' >offered
same words offered 'bash completes the forms of a sample'
echo "1..$n"
