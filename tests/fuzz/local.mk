# SPDX-License-Identifier: GPL-2.0-or-later
# A fuzz target is a file here, with a row in each of the two lists and its libraries. make check replays its seeds; make fuzz looks for
# more: configure --enable-fuzzing --enable-sanitizers CC=clang, then make fuzz FUZZ_SECONDS=60.
fuzz_targets = \
	accept address answer arguments auxv board cgroup columns comm config filter group_name helper iomem json kind limits \
	listen maps maps_sum mountinfo mounts numa opener pagemap param problem records remote size smaps smaps_rollup stat status target \
	tokens unknown
fuzz_replays = \
	tests/fuzz/replay-accept \
	tests/fuzz/replay-address \
	tests/fuzz/replay-answer \
	tests/fuzz/replay-arguments \
	tests/fuzz/replay-auxv \
	tests/fuzz/replay-board \
	tests/fuzz/replay-cgroup \
	tests/fuzz/replay-columns \
	tests/fuzz/replay-comm \
	tests/fuzz/replay-config \
	tests/fuzz/replay-filter \
	tests/fuzz/replay-group_name \
	tests/fuzz/replay-helper \
	tests/fuzz/replay-iomem \
	tests/fuzz/replay-json \
	tests/fuzz/replay-kind \
	tests/fuzz/replay-limits \
	tests/fuzz/replay-listen \
	tests/fuzz/replay-maps \
	tests/fuzz/replay-maps_sum \
	tests/fuzz/replay-mountinfo \
	tests/fuzz/replay-mounts \
	tests/fuzz/replay-numa \
	tests/fuzz/replay-opener \
	tests/fuzz/replay-pagemap \
	tests/fuzz/replay-param \
	tests/fuzz/replay-problem \
	tests/fuzz/replay-records \
	tests/fuzz/replay-remote \
	tests/fuzz/replay-size \
	tests/fuzz/replay-smaps \
	tests/fuzz/replay-smaps_rollup \
	tests/fuzz/replay-stat \
	tests/fuzz/replay-status \
	tests/fuzz/replay-target \
	tests/fuzz/replay-tokens \
	tests/fuzz/replay-unknown
check_PROGRAMS += $(fuzz_replays)
TESTS += $(fuzz_replays)
EXTRA_DIST += %D%/corpus %D%/dict
fuzz_libs = daemon/libsource.a $(PROC2_LIBS)
fuzz_sampler_libs = daemon/libsampler.a daemon/libmodel.a daemon/libsource.a daemon/libopener.a daemon/libmeter.a daemon/libstall.a \
	$(PROC2_LIBS) $(GNUTLS_LIBS)

tests_fuzz_replay_answer_SOURCES = %D%/answer.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_answer_CPPFLAGS = $(client_cppflags) -DFUZZ_TARGET='"answer"'
tests_fuzz_replay_answer_LDADD = $(client_libs)

tests_fuzz_replay_maps_SOURCES = %D%/maps.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_maps_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"maps"'
tests_fuzz_replay_maps_LDADD = $(fuzz_libs)

tests_fuzz_replay_mountinfo_SOURCES = %D%/mountinfo.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_mountinfo_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"mountinfo"'
tests_fuzz_replay_mountinfo_LDADD = $(fuzz_libs)

tests_fuzz_replay_pagemap_SOURCES = %D%/pagemap.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_pagemap_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"pagemap"'
tests_fuzz_replay_pagemap_LDADD = $(fuzz_libs)

tests_fuzz_replay_mounts_SOURCES = %D%/mounts.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_mounts_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"mounts"'
tests_fuzz_replay_mounts_LDADD = daemon/libopener.a

tests_fuzz_replay_opener_SOURCES = %D%/opener.c %D%/replay.c %D%/packet.h %D%/fuzz.h
tests_fuzz_replay_opener_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"opener"'
tests_fuzz_replay_opener_LDADD = daemon/libopener.a daemon/libmeter.a $(GNUTLS_LIBS)

tests_fuzz_replay_param_SOURCES = %D%/param.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_param_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"param"'
tests_fuzz_replay_param_LDADD = daemon/libhttp.a

tests_fuzz_replay_smaps_SOURCES = %D%/smaps.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_smaps_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"smaps"'
tests_fuzz_replay_smaps_LDADD = $(fuzz_libs)

tests_fuzz_replay_stat_SOURCES = %D%/stat.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_stat_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"stat"'
tests_fuzz_replay_stat_LDADD = $(fuzz_libs)

tests_fuzz_replay_target_SOURCES = %D%/target.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_target_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"target"'
tests_fuzz_replay_target_LDADD = daemon/libhttp.a

tests_fuzz_replay_tokens_SOURCES = %D%/tokens.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_tokens_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"tokens"'
tests_fuzz_replay_tokens_LDADD = daemon/libopener.a $(GNUTLS_LIBS)

tests_fuzz_replay_auxv_SOURCES = %D%/auxv.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_auxv_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"auxv"'
tests_fuzz_replay_auxv_LDADD = $(fuzz_libs)

tests_fuzz_replay_helper_SOURCES = %D%/helper.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_helper_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"helper"'
tests_fuzz_replay_helper_LDADD = $(fuzz_libs)

tests_fuzz_replay_limits_SOURCES = %D%/limits.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_limits_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"limits"'
tests_fuzz_replay_limits_LDADD = $(fuzz_libs)

tests_fuzz_replay_status_SOURCES = %D%/status.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_status_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"status"'
tests_fuzz_replay_status_LDADD = $(fuzz_libs)

tests_fuzz_replay_accept_SOURCES = %D%/accept.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_accept_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"accept"'
tests_fuzz_replay_accept_LDADD = daemon/libhttp.a daemon/libencode.a $(ZLIB_LIBS)

tests_fuzz_replay_address_SOURCES = %D%/address.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_address_CPPFLAGS = $(client_cppflags) -DFUZZ_TARGET='"address"'
tests_fuzz_replay_address_LDADD = $(client_libs)

tests_fuzz_replay_arguments_SOURCES = %D%/arguments.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_arguments_CPPFLAGS = $(client_cppflags) -DFUZZ_TARGET='"arguments"'
tests_fuzz_replay_arguments_LDADD = $(client_libs)

tests_fuzz_replay_board_SOURCES = %D%/board.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_board_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"board"'
tests_fuzz_replay_board_LDADD = daemon/libsampler.a daemon/libencode.a

tests_fuzz_replay_cgroup_SOURCES = %D%/cgroup.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_cgroup_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"cgroup"'
tests_fuzz_replay_cgroup_LDADD = $(fuzz_libs)

tests_fuzz_replay_columns_SOURCES = %D%/columns.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_columns_CPPFLAGS = $(client_cppflags) -DFUZZ_TARGET='"columns"'
tests_fuzz_replay_columns_LDADD = $(client_libs)

tests_fuzz_replay_comm_SOURCES = %D%/comm.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_comm_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"comm"'
tests_fuzz_replay_comm_LDADD = $(fuzz_libs)

tests_fuzz_replay_config_SOURCES = %D%/config.c %D%/replay.c daemon/options.c daemon/options.h %D%/fuzz.h
tests_fuzz_replay_config_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"config"'
tests_fuzz_replay_config_CFLAGS = $(AM_CFLAGS) $(MHD_CFLAGS)
tests_fuzz_replay_config_LDADD = $(VMAD_FLOORS) $(VMAD_LIBS)

tests_fuzz_replay_filter_SOURCES = %D%/filter.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_filter_CPPFLAGS = $(client_cppflags) -DFUZZ_TARGET='"filter"'
tests_fuzz_replay_filter_LDADD = $(client_libs)

tests_fuzz_replay_group_name_SOURCES = %D%/group_name.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_group_name_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"group_name"'
tests_fuzz_replay_group_name_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_group_name_LDADD = $(fuzz_sampler_libs) $(JANSSON_LIBS)

tests_fuzz_replay_iomem_SOURCES = %D%/iomem.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_iomem_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"iomem"'
tests_fuzz_replay_iomem_LDADD = $(fuzz_libs)

tests_fuzz_replay_json_SOURCES = %D%/json.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_json_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"json"'
tests_fuzz_replay_json_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_json_LDADD = daemon/libencode.a $(JANSSON_LIBS)

tests_fuzz_replay_kind_SOURCES = %D%/kind.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_kind_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"kind"'
tests_fuzz_replay_kind_LDADD = daemon/libmodel.a $(fuzz_libs)

tests_fuzz_replay_listen_SOURCES = %D%/listen.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_listen_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"listen"'
tests_fuzz_replay_listen_LDADD = daemon/libhttp.a

tests_fuzz_replay_maps_sum_SOURCES = %D%/maps_sum.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_maps_sum_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"maps_sum"'
tests_fuzz_replay_maps_sum_LDADD = $(fuzz_sampler_libs)

tests_fuzz_replay_numa_SOURCES = %D%/numa.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_numa_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"numa"'
tests_fuzz_replay_numa_LDADD = $(fuzz_libs)

tests_fuzz_replay_problem_SOURCES = %D%/problem.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_problem_CPPFLAGS = $(client_cppflags) -DFUZZ_TARGET='"problem"'
tests_fuzz_replay_problem_LDADD = $(client_libs)

tests_fuzz_replay_records_SOURCES = %D%/records.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_records_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"records"'
tests_fuzz_replay_records_LDADD = daemon/libmodel.a $(fuzz_libs) daemon/libstall.a

tests_fuzz_replay_remote_SOURCES = %D%/remote.c %D%/replay.c %D%/packet.h %D%/fuzz.h
tests_fuzz_replay_remote_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"remote"'
tests_fuzz_replay_remote_LDADD = daemon/libopener.a daemon/libmeter.a $(GNUTLS_LIBS)

tests_fuzz_replay_size_SOURCES = %D%/size.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_size_CPPFLAGS = $(client_cppflags) -DFUZZ_TARGET='"size"'
tests_fuzz_replay_size_LDADD = $(client_libs)

tests_fuzz_replay_smaps_rollup_SOURCES = %D%/smaps_rollup.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_smaps_rollup_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"smaps_rollup"'
tests_fuzz_replay_smaps_rollup_LDADD = $(fuzz_sampler_libs)

tests_fuzz_replay_unknown_SOURCES = %D%/unknown.c %D%/replay.c %D%/fuzz.h
tests_fuzz_replay_unknown_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_TARGET='"unknown"'
tests_fuzz_replay_unknown_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_unknown_LDADD = daemon/libencode.a $(fuzz_libs) $(JANSSON_LIBS)

FUZZ_SECONDS = 60
if FUZZING
fuzz_programs = \
	tests/fuzz/fuzz-accept \
	tests/fuzz/fuzz-address \
	tests/fuzz/fuzz-answer \
	tests/fuzz/fuzz-arguments \
	tests/fuzz/fuzz-auxv \
	tests/fuzz/fuzz-board \
	tests/fuzz/fuzz-cgroup \
	tests/fuzz/fuzz-columns \
	tests/fuzz/fuzz-comm \
	tests/fuzz/fuzz-config \
	tests/fuzz/fuzz-filter \
	tests/fuzz/fuzz-group_name \
	tests/fuzz/fuzz-helper \
	tests/fuzz/fuzz-iomem \
	tests/fuzz/fuzz-json \
	tests/fuzz/fuzz-kind \
	tests/fuzz/fuzz-limits \
	tests/fuzz/fuzz-listen \
	tests/fuzz/fuzz-maps \
	tests/fuzz/fuzz-maps_sum \
	tests/fuzz/fuzz-mountinfo \
	tests/fuzz/fuzz-mounts \
	tests/fuzz/fuzz-numa \
	tests/fuzz/fuzz-opener \
	tests/fuzz/fuzz-pagemap \
	tests/fuzz/fuzz-param \
	tests/fuzz/fuzz-problem \
	tests/fuzz/fuzz-records \
	tests/fuzz/fuzz-remote \
	tests/fuzz/fuzz-size \
	tests/fuzz/fuzz-smaps \
	tests/fuzz/fuzz-smaps_rollup \
	tests/fuzz/fuzz-stat \
	tests/fuzz/fuzz-status \
	tests/fuzz/fuzz-target \
	tests/fuzz/fuzz-tokens \
	tests/fuzz/fuzz-unknown
EXTRA_PROGRAMS += $(fuzz_programs)

tests_fuzz_fuzz_answer_SOURCES = %D%/answer.c %D%/fuzz.h
tests_fuzz_fuzz_answer_CPPFLAGS = $(client_cppflags)
tests_fuzz_fuzz_answer_LDADD = $(client_libs)
tests_fuzz_fuzz_answer_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_maps_SOURCES = %D%/maps.c %D%/fuzz.h
tests_fuzz_fuzz_maps_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_maps_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_mountinfo_SOURCES = %D%/mountinfo.c %D%/fuzz.h
tests_fuzz_fuzz_mountinfo_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_mountinfo_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_pagemap_SOURCES = %D%/pagemap.c %D%/fuzz.h
tests_fuzz_fuzz_pagemap_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_pagemap_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_mounts_SOURCES = %D%/mounts.c %D%/fuzz.h
tests_fuzz_fuzz_mounts_LDADD = daemon/libopener.a
tests_fuzz_fuzz_mounts_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_opener_SOURCES = %D%/opener.c %D%/packet.h %D%/fuzz.h
tests_fuzz_fuzz_opener_LDADD = daemon/libopener.a daemon/libmeter.a $(GNUTLS_LIBS)
tests_fuzz_fuzz_opener_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_param_SOURCES = %D%/param.c %D%/fuzz.h
tests_fuzz_fuzz_param_LDADD = daemon/libhttp.a
tests_fuzz_fuzz_param_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_smaps_SOURCES = %D%/smaps.c %D%/fuzz.h
tests_fuzz_fuzz_smaps_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_smaps_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_stat_SOURCES = %D%/stat.c %D%/fuzz.h
tests_fuzz_fuzz_stat_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_stat_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_target_SOURCES = %D%/target.c %D%/fuzz.h
tests_fuzz_fuzz_target_LDADD = daemon/libhttp.a
tests_fuzz_fuzz_target_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_tokens_SOURCES = %D%/tokens.c %D%/fuzz.h
tests_fuzz_fuzz_tokens_LDADD = daemon/libopener.a $(GNUTLS_LIBS)
tests_fuzz_fuzz_tokens_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_auxv_SOURCES = %D%/auxv.c %D%/fuzz.h
tests_fuzz_fuzz_auxv_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_auxv_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_helper_SOURCES = %D%/helper.c %D%/fuzz.h
tests_fuzz_fuzz_helper_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_helper_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_limits_SOURCES = %D%/limits.c %D%/fuzz.h
tests_fuzz_fuzz_limits_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_limits_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_status_SOURCES = %D%/status.c %D%/fuzz.h
tests_fuzz_fuzz_status_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_status_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_accept_SOURCES = %D%/accept.c %D%/fuzz.h
tests_fuzz_fuzz_accept_LDADD = daemon/libhttp.a daemon/libencode.a $(ZLIB_LIBS)
tests_fuzz_fuzz_accept_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_address_SOURCES = %D%/address.c %D%/fuzz.h
tests_fuzz_fuzz_address_CPPFLAGS = $(client_cppflags)
tests_fuzz_fuzz_address_LDADD = $(client_libs)
tests_fuzz_fuzz_address_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_arguments_SOURCES = %D%/arguments.c %D%/fuzz.h
tests_fuzz_fuzz_arguments_CPPFLAGS = $(client_cppflags)
tests_fuzz_fuzz_arguments_LDADD = $(client_libs)
tests_fuzz_fuzz_arguments_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_board_SOURCES = %D%/board.c %D%/fuzz.h
tests_fuzz_fuzz_board_LDADD = daemon/libsampler.a daemon/libencode.a
tests_fuzz_fuzz_board_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_cgroup_SOURCES = %D%/cgroup.c %D%/fuzz.h
tests_fuzz_fuzz_cgroup_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_cgroup_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_columns_SOURCES = %D%/columns.c %D%/fuzz.h
tests_fuzz_fuzz_columns_CPPFLAGS = $(client_cppflags)
tests_fuzz_fuzz_columns_LDADD = $(client_libs)
tests_fuzz_fuzz_columns_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_comm_SOURCES = %D%/comm.c %D%/fuzz.h
tests_fuzz_fuzz_comm_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_comm_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_config_SOURCES = %D%/config.c daemon/options.c daemon/options.h %D%/fuzz.h
tests_fuzz_fuzz_config_CFLAGS = $(AM_CFLAGS) $(MHD_CFLAGS)
tests_fuzz_fuzz_config_LDADD = $(VMAD_FLOORS) $(VMAD_LIBS)
tests_fuzz_fuzz_config_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_filter_SOURCES = %D%/filter.c %D%/fuzz.h
tests_fuzz_fuzz_filter_CPPFLAGS = $(client_cppflags)
tests_fuzz_fuzz_filter_LDADD = $(client_libs)
tests_fuzz_fuzz_filter_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_group_name_SOURCES = %D%/group_name.c %D%/fuzz.h
tests_fuzz_fuzz_group_name_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_group_name_LDADD = $(fuzz_sampler_libs) $(JANSSON_LIBS)
tests_fuzz_fuzz_group_name_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_iomem_SOURCES = %D%/iomem.c %D%/fuzz.h
tests_fuzz_fuzz_iomem_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_iomem_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_json_SOURCES = %D%/json.c %D%/fuzz.h
tests_fuzz_fuzz_json_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_json_LDADD = daemon/libencode.a $(JANSSON_LIBS)
tests_fuzz_fuzz_json_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_kind_SOURCES = %D%/kind.c %D%/fuzz.h
tests_fuzz_fuzz_kind_LDADD = daemon/libmodel.a $(fuzz_libs)
tests_fuzz_fuzz_kind_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_listen_SOURCES = %D%/listen.c %D%/fuzz.h
tests_fuzz_fuzz_listen_LDADD = daemon/libhttp.a
tests_fuzz_fuzz_listen_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_maps_sum_SOURCES = %D%/maps_sum.c %D%/fuzz.h
tests_fuzz_fuzz_maps_sum_LDADD = $(fuzz_sampler_libs)
tests_fuzz_fuzz_maps_sum_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_numa_SOURCES = %D%/numa.c %D%/fuzz.h
tests_fuzz_fuzz_numa_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_numa_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_problem_SOURCES = %D%/problem.c %D%/fuzz.h
tests_fuzz_fuzz_problem_CPPFLAGS = $(client_cppflags)
tests_fuzz_fuzz_problem_LDADD = $(client_libs)
tests_fuzz_fuzz_problem_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_records_SOURCES = %D%/records.c %D%/fuzz.h
tests_fuzz_fuzz_records_LDADD = daemon/libmodel.a $(fuzz_libs) daemon/libstall.a
tests_fuzz_fuzz_records_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_remote_SOURCES = %D%/remote.c %D%/packet.h %D%/fuzz.h
tests_fuzz_fuzz_remote_LDADD = daemon/libopener.a daemon/libmeter.a $(GNUTLS_LIBS)
tests_fuzz_fuzz_remote_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_size_SOURCES = %D%/size.c %D%/fuzz.h
tests_fuzz_fuzz_size_CPPFLAGS = $(client_cppflags)
tests_fuzz_fuzz_size_LDADD = $(client_libs)
tests_fuzz_fuzz_size_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_smaps_rollup_SOURCES = %D%/smaps_rollup.c %D%/fuzz.h
tests_fuzz_fuzz_smaps_rollup_LDADD = $(fuzz_sampler_libs)
tests_fuzz_fuzz_smaps_rollup_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

tests_fuzz_fuzz_unknown_SOURCES = %D%/unknown.c %D%/fuzz.h
tests_fuzz_fuzz_unknown_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_fuzz_unknown_LDADD = daemon/libencode.a $(fuzz_libs) $(JANSSON_LIBS)
tests_fuzz_fuzz_unknown_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

# Each from its seeds; what is found on the way stays in tests/fuzz/found, and what crashes as crash-*.
fuzz: $(fuzz_programs)
	@set -e; for target in $(fuzz_targets); do \
		found=tests/fuzz/found/$$target; \
		seeds=tests/fuzz/seeds/$$target; \
		rm -rf $$seeds; \
		mkdir -p $$found $$seeds; \
		find $(top_srcdir)/tests/proc -name $$target -type f | while read -r file; do \
			cp $$file $$seeds/$$(cksum <$$file | tr ' ' -); \
		done; \
		dict=$(srcdir)/%D%/dict/$$target; \
		test -f $$dict && dict=-dict=$$dict || dict=; \
		echo "fuzz: $$target, $(FUZZ_SECONDS) s"; \
		tests/fuzz/fuzz-$$target -max_total_time=$(FUZZ_SECONDS) -timeout=25 -max_len=65536 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$$found/ $$dict $$found $$seeds $(srcdir)/%D%/corpus/$$target; \
	done
else
fuzz:
	@echo "make fuzz: configure with --enable-fuzzing CC=clang first" >&2; exit 1
endif
fuzz-programs: $(fuzz_programs)
.PHONY: fuzz fuzz-programs

clean-local: clean-fuzz
clean-fuzz:
	rm -rf tests/fuzz/found tests/fuzz/seeds
.PHONY: clean-fuzz
