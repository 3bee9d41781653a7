# SPDX-License-Identifier: GPL-2.0-or-later
# Every test speaks TAP, so that each case counts. A unit test lists exactly the floors that it needs.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
PY_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_DRIVER = $(LOG_DRIVER)
TEST_EXTENSIONS = .py .sh
PY_LOG_COMPILER = /usr/bin/python3
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP TOP_SRCDIR='$(abs_top_srcdir)' TOP_BUILDDIR='$(abs_top_builddir)';  \
	export CMOCKA_MESSAGE_OUTPUT TOP_SRCDIR TOP_BUILDDIR;

include %D%/lint/local.mk
include %D%/openapi/local.mk
include %D%/web/local.mk
include %D%/unit/local.mk
include %D%/api/local.mk
include %D%/live/local.mk
include %D%/prometheus/local.mk
include %D%/faults/local.mk
include %D%/systemd/local.mk
include %D%/fuzz/local.mk
include %D%/kernel/local.mk
include %D%/bench/local.mk
EXTRA_DIST += %D%/valgrind.supp
