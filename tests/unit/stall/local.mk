# SPDX-License-Identifier: GPL-2.0-or-later
unit_programs += tests/unit/stall/giveway tests/unit/stall/stall

tests_unit_stall_giveway_SOURCES = %D%/giveway.c
tests_unit_stall_giveway_CPPFLAGS = $(unit_cppflags)
tests_unit_stall_giveway_LDADD = $(unit_libs)

tests_unit_stall_stall_SOURCES = %D%/stall.c
tests_unit_stall_stall_CPPFLAGS = $(unit_cppflags)
tests_unit_stall_stall_LDADD = $(unit_libs)
