# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libsampler.a
daemon_libsampler_a_SOURCES = \
	%D%/board.c \
	%D%/snapshot.h
