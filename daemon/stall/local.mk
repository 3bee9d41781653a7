# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libstall.a
daemon_libstall_a_SOURCES = \
	%D%/stall.c %D%/stall.h
