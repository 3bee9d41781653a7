# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libsampler.a
daemon_libsampler_a_SOURCES = \
	%D%/board.c \
	%D%/fold.c %D%/fold.h \
	%D%/group_name.c %D%/group_name.h \
	%D%/groups.c %D%/groups.h \
	%D%/hand.c %D%/hand.h \
	%D%/maps_sum.c %D%/maps_sum.h \
	%D%/process.c %D%/process.h \
	%D%/rotation.c \
	%D%/sampler.c %D%/sampler.h \
	%D%/snapshot.h \
	%D%/state.c %D%/state.h \
	%D%/status_tier.c
