# One process per test file, all speak TAP.
# A C test: check_PROGRAMS += %D%/check_NAME ; %C%_check_NAME_SOURCES, _LDADD = $(CHECK_LDADD)
# A script:  dist_check_SCRIPTS += %D%/NAME.sh ; TESTS += %D%/NAME.sh
# Tests of the whole program that bound how long a thing may take skip themselves where a sanitizer stretches time.
if SANITIZED
sanitized = yes
endif
if TSAN
tsan = yes
endif
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
SH_LOG_DRIVER = $(LOG_DRIVER)
TEST_EXTENSIONS = .sh
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
  LC_ALL=C.UTF-8; export LC_ALL; \
  top_srcdir='$(abs_top_srcdir)' top_builddir='$(abs_top_builddir)'; export top_srcdir top_builddir; \
  sanitized='$(sanitized)' tsan='$(tsan)'; export sanitized tsan; \
  MANDOC='$(MANDOC)' JQ='$(JQ)' PYTHON='$(PYTHON)'; export MANDOC JQ PYTHON; \
  ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1; export ASAN_OPTIONS UBSAN_OPTIONS; \
  TSAN_OPTIONS=suppressions=$(abs_top_srcdir)/tests/tsan.supp:halt_on_error=1; export TSAN_OPTIONS;
CHECK_LDADD = $(ROOMS) $(CMOCKA_LIBS) $(ROOM_LIBS)

include tests/core/local.mk
include tests/ring/local.mk
include tests/frame/local.mk
include tests/snapshot/local.mk
include tests/wire/local.mk
include tests/cell/local.mk
include tests/tomo/local.mk
include tests/hexitec/local.mk
include tests/spectra/local.mk
include tests/compton/local.mk
include tests/sim/local.mk
include tests/archive/local.mk
include tests/view/local.mk
include tests/report/local.mk
include tests/ui/local.mk
include tests/pipeline/local.mk
include tests/monitor/local.mk
include tests/docs/local.mk

dist_check_SCRIPTS += tests/include-rules.sh
dist_noinst_DATA += tests/tsan.supp
dist_noinst_SCRIPTS += tests/soak.sh
TESTS += $(check_PROGRAMS) $(dist_check_SCRIPTS)
