# SPDX-License-Identifier: GPL-2.0-or-later
unit_programs += tests/unit/meter/meter
tests_unit_meter_meter_SOURCES = %D%/meter.c
tests_unit_meter_meter_CPPFLAGS = $(unit_cppflags)
tests_unit_meter_meter_LDADD = $(unit_libs)
