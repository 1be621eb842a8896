# CT_CHECK_CFLAG(FLAG, IF-ACCEPTED, [IF-REFUSED]): does the compiler take FLAG without a word?
# Not so clang -Wdouble-promotion, to which the NAN of math.h is a float wherever it stands; gcc keeps that warning.
AC_DEFUN([CT_CHECK_CFLAG],
  [AS_VAR_PUSHDEF([cv], [ct_cv_cflag_$1])
   AC_CACHE_CHECK([whether $CC accepts $1], [cv],
     [ct_saved=$CFLAGS; CFLAGS="$CFLAGS -Werror $1"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <math.h>]], [[double none = NAN; return none > 0;]])], [AS_VAR_SET([cv], [yes])], [AS_VAR_SET([cv], [no])])
      CFLAGS=$ct_saved])
   AS_VAR_IF([cv], [yes], [$2], [$3])
   AS_VAR_POPDEF([cv])])
