# SPDX-License-Identifier: GPL-2.0-or-later
unit_programs += tests/unit/stall/stall

tests_unit_stall_stall_SOURCES = %D%/stall.c
tests_unit_stall_stall_CPPFLAGS = $(unit_cppflags)
tests_unit_stall_stall_LDADD = $(unit_libs)
