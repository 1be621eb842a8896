#!/bin/sh
# The table of biases agrees with the figures it is printed beside.
set -u
echo 1..1
table=$("${top_srcdir:-.}/contrib/bias-table" "${top_builddir:-.}" 2>&1)
status=$?
printf '%s\n' "$table" | sed 's/^/# /'
rows=$(printf '%s\n' "$table" | grep -c '|')
if [ $status -eq 0 ] && [ "$rows" -ge 20 ]; then echo 'ok 1 - every figure is reproduced'; else
  echo "not ok 1 - every figure is reproduced (status $status, $rows rows)"; fi
