# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libmeter.a
daemon_libmeter_a_SOURCES = \
	%D%/meter.c %D%/meter.h
