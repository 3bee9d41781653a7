# SPDX-License-Identifier: GPL-2.0-or-later
# The sampler's parts, each without its process.
unit_sampler_libs = daemon/libsampler.a daemon/libmodel.a daemon/libsource.a daemon/libopener.a $(unit_libs) $(PROC2_LIBS)
unit_programs += \
	tests/unit/sampler/board \
	tests/unit/sampler/fold \
	tests/unit/sampler/group_name \
	tests/unit/sampler/groups \
	tests/unit/sampler/hand \
	tests/unit/sampler/maps_sum

tests_unit_sampler_board_SOURCES = %D%/board.c
tests_unit_sampler_board_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_board_LDADD = $(unit_sampler_libs)

tests_unit_sampler_fold_SOURCES = %D%/fold.c
tests_unit_sampler_fold_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_fold_LDADD = $(unit_sampler_libs)

tests_unit_sampler_group_name_SOURCES = %D%/group_name.c
tests_unit_sampler_group_name_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_group_name_LDADD = $(unit_sampler_libs)

tests_unit_sampler_groups_SOURCES = %D%/groups.c
tests_unit_sampler_groups_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_groups_LDADD = $(unit_sampler_libs)

tests_unit_sampler_hand_SOURCES = %D%/hand.c
tests_unit_sampler_hand_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_hand_LDADD = $(unit_sampler_libs)

tests_unit_sampler_maps_sum_SOURCES = %D%/maps_sum.c
tests_unit_sampler_maps_sum_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_maps_sum_LDADD = $(unit_sampler_libs)
