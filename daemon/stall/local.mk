# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libstall.a
daemon_libstall_a_SOURCES = \
	%D%/giveway.c %D%/giveway.h \
	%D%/stall.c %D%/stall.h
