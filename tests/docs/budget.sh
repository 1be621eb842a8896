#!/bin/sh
# The table of PHOTON BUDGET in comptop.1 against its own arithmetic.
src=${top_srcdir:-$(dirname "$0")/../..}
echo 1..1
awk -F' Ta ' '
  /^\.Sh/ { inside = /PHOTON BUDGET/ }
  inside && /^\.It [0-9]/ {
    sub(/^\.It /, "", $1)
    n = 720 * $1 / 2 / 6400
    split("1 4 16 64 2463", pixels, " ")
    if ($2 < n - 0.51 || $2 > n + 0.51) { print "# N of " $1 " is " n; bad++ }
    for (i = 1; i <= 5; i++) {
      percent = 100 * 2.05 / sqrt(n * pixels[i])
      if ($(i + 2) < 0.96 * percent || $(i + 2) > 1.04 * percent) { print "# " $1 ", " pixels[i] " px: " percent; bad++ }
    }
    rows++
  }
  END { print (rows == 4 && !bad ? "ok" : "not ok") " 1 - the photon budget is what it says" }' "$src/man/comptop.1"
