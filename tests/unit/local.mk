# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests mirror the code: each file of a floor has its program, which links that floor and those below it.
unit_programs =
LOG_COMPILER = $(SHELL) $(top_srcdir)/%D%/tap.sh
if HAVE_CMOCKA
check_LIBRARIES += tests/unit/libunit.a
tests_unit_libunit_a_SOURCES = %D%/unit.c %D%/unit.h
tests_unit_libunit_a_CPPFLAGS = $(unit_cppflags)
unit_cppflags = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/unit $(CMOCKA_CFLAGS)
unit_libs = tests/unit/libunit.a daemon/libmeter.a daemon/libstall.a $(CMOCKA_LIBS) $(GNUTLS_LIBS)

include %D%/client/local.mk
include %D%/encode/local.mk
include %D%/http/local.mk
include %D%/meter/local.mk
include %D%/model/local.mk
include %D%/opener/local.mk
include %D%/sampler/local.mk
include %D%/source/local.mk
include %D%/stall/local.mk

unit_programs += tests/unit/failures tests/unit/uapi
tests_unit_failures_SOURCES = %D%/failures.c daemon/failures.c daemon/failures.h
tests_unit_failures_CPPFLAGS = $(unit_cppflags)
tests_unit_failures_LDADD = $(unit_libs)

tests_unit_uapi_SOURCES = %D%/uapi.c
tests_unit_uapi_CPPFLAGS = $(unit_cppflags)
tests_unit_uapi_LDADD = $(unit_libs)
endif
check_PROGRAMS += $(unit_programs)
TESTS += $(unit_programs)
EXTRA_DIST += %D%/tap.sh tests/proc
