# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libencode.a
daemon_libencode_a_SOURCES = \
	%D%/buf.c %D%/buf.h \
	%D%/json.c %D%/json.h \
	%D%/prom.c %D%/prom.h \
	%D%/record.c %D%/record.h
