# SPDX-License-Identifier: GPL-2.0-or-later
# A fuzz target is a file here, with a row in the list and its libraries. make check replays its seeds. configure --enable-fuzzing
# --enable-sanitizers CC=clang builds the same programs with libFuzzer's main, which looks for more: make fuzz FUZZ_SECONDS=60.
fuzz_programs = \
	tests/fuzz/accepted \
	tests/fuzz/address \
	tests/fuzz/answer \
	tests/fuzz/arguments \
	tests/fuzz/authority \
	tests/fuzz/auxv \
	tests/fuzz/board \
	tests/fuzz/cgroup \
	tests/fuzz/columns \
	tests/fuzz/comm \
	tests/fuzz/config \
	tests/fuzz/decimal \
	tests/fuzz/device_inode \
	tests/fuzz/filter \
	tests/fuzz/group_name \
	tests/fuzz/helper \
	tests/fuzz/iomem \
	tests/fuzz/json \
	tests/fuzz/kernel_release \
	tests/fuzz/kind \
	tests/fuzz/limits \
	tests/fuzz/listen \
	tests/fuzz/maps \
	tests/fuzz/maps_sum \
	tests/fuzz/mountinfo \
	tests/fuzz/mounts \
	tests/fuzz/numa \
	tests/fuzz/opener \
	tests/fuzz/pagemap \
	tests/fuzz/param \
	tests/fuzz/pid_name \
	tests/fuzz/problem \
	tests/fuzz/records \
	tests/fuzz/remote \
	tests/fuzz/size \
	tests/fuzz/smaps \
	tests/fuzz/smaps_rollup \
	tests/fuzz/stat \
	tests/fuzz/statm \
	tests/fuzz/status \
	tests/fuzz/target \
	tests/fuzz/thread_state \
	tests/fuzz/token_file \
	tests/fuzz/tokens \
	tests/fuzz/unknown
EXTRA_DIST += %D%/corpus %D%/dict %D%/fuzz.h %D%/packet.h tests/lib/packet.h
if FUZZING
fuzz_main = $(LIBFUZZER)
EXTRA_PROGRAMS += $(fuzz_programs)
else
fuzz_main = tests/fuzz/libreplay.a
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = %D%/replay.c
check_PROGRAMS += $(fuzz_programs)
TESTS += $(fuzz_programs)
endif

fuzz_client_libs = $(fuzz_main) $(client_libs)
fuzz_opener_libs = $(fuzz_main) daemon/libopener.a daemon/libmeter.a $(GNUTLS_LIBS)
fuzz_source_libs = $(fuzz_main) daemon/libsource.a $(PROC2_LIBS)
fuzz_model_libs = $(fuzz_main) daemon/libmodel.a daemon/libsource.a daemon/libstall.a $(PROC2_LIBS)
fuzz_sampler_libs = $(fuzz_main) daemon/libsampler.a daemon/libmodel.a daemon/libsource.a daemon/libopener.a daemon/libmeter.a \
	daemon/libstall.a $(PROC2_LIBS) $(GNUTLS_LIBS)
fuzz_http_libs = $(fuzz_main) daemon/libhttp.a daemon/libencode.a $(ZLIB_LIBS)

tests_fuzz_accepted_LDADD = $(fuzz_http_libs)
tests_fuzz_address_CPPFLAGS = $(client_cppflags)
tests_fuzz_address_LDADD = $(fuzz_client_libs)
tests_fuzz_answer_CPPFLAGS = $(client_cppflags)
tests_fuzz_answer_LDADD = $(fuzz_client_libs)
tests_fuzz_arguments_CPPFLAGS = $(client_cppflags)
tests_fuzz_arguments_LDADD = $(fuzz_client_libs)
tests_fuzz_authority_LDADD = $(fuzz_http_libs)
tests_fuzz_auxv_LDADD = $(fuzz_source_libs)
tests_fuzz_board_LDADD = $(fuzz_main) daemon/libsampler.a daemon/libencode.a
tests_fuzz_cgroup_LDADD = $(fuzz_source_libs)
tests_fuzz_columns_CPPFLAGS = $(client_cppflags)
tests_fuzz_columns_LDADD = $(fuzz_client_libs)
tests_fuzz_comm_LDADD = $(fuzz_source_libs)
tests_fuzz_config_SOURCES = %D%/config.c daemon/options.c daemon/options.h
tests_fuzz_config_CFLAGS = $(AM_CFLAGS) $(MHD_CFLAGS)
tests_fuzz_config_LDADD = $(fuzz_main) $(VMAD_FLOORS) $(VMAD_LIBS)
tests_fuzz_decimal_CPPFLAGS = $(client_cppflags)
tests_fuzz_decimal_LDADD = $(fuzz_client_libs)
tests_fuzz_device_inode_CPPFLAGS = $(client_cppflags)
tests_fuzz_device_inode_LDADD = $(fuzz_client_libs)
tests_fuzz_filter_CPPFLAGS = $(client_cppflags)
tests_fuzz_filter_LDADD = $(fuzz_client_libs)
tests_fuzz_group_name_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_group_name_LDADD = $(fuzz_sampler_libs) $(JANSSON_LIBS)
tests_fuzz_helper_LDADD = $(fuzz_source_libs)
tests_fuzz_iomem_LDADD = $(fuzz_source_libs)
tests_fuzz_json_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_json_LDADD = $(fuzz_main) daemon/libencode.a $(JANSSON_LIBS)
tests_fuzz_kernel_release_LDADD = $(fuzz_source_libs)
tests_fuzz_kind_LDADD = $(fuzz_model_libs)
tests_fuzz_limits_LDADD = $(fuzz_source_libs)
tests_fuzz_listen_LDADD = $(fuzz_http_libs)
tests_fuzz_maps_LDADD = $(fuzz_source_libs)
tests_fuzz_maps_sum_LDADD = $(fuzz_sampler_libs)
tests_fuzz_mountinfo_LDADD = $(fuzz_source_libs)
tests_fuzz_mounts_LDADD = $(fuzz_opener_libs)
tests_fuzz_numa_LDADD = $(fuzz_source_libs)
tests_fuzz_opener_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_opener_LDADD = $(fuzz_opener_libs)
tests_fuzz_pagemap_LDADD = $(fuzz_source_libs)
tests_fuzz_param_LDADD = $(fuzz_http_libs)
tests_fuzz_pid_name_LDADD = $(fuzz_opener_libs)
tests_fuzz_problem_CPPFLAGS = $(client_cppflags)
tests_fuzz_problem_LDADD = $(fuzz_client_libs)
tests_fuzz_records_LDADD = $(fuzz_model_libs)
tests_fuzz_remote_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_fuzz_remote_LDADD = $(fuzz_opener_libs)
tests_fuzz_size_CPPFLAGS = $(client_cppflags)
tests_fuzz_size_LDADD = $(fuzz_client_libs)
tests_fuzz_smaps_LDADD = $(fuzz_source_libs)
tests_fuzz_smaps_rollup_LDADD = $(fuzz_sampler_libs)
tests_fuzz_stat_LDADD = $(fuzz_source_libs)
tests_fuzz_statm_LDADD = $(fuzz_source_libs)
tests_fuzz_status_LDADD = $(fuzz_source_libs)
tests_fuzz_target_LDADD = $(fuzz_http_libs)
tests_fuzz_thread_state_LDADD = $(fuzz_opener_libs)
tests_fuzz_token_file_CPPFLAGS = $(client_cppflags)
tests_fuzz_token_file_LDADD = $(fuzz_client_libs)
tests_fuzz_tokens_LDADD = $(fuzz_opener_libs)
tests_fuzz_unknown_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_unknown_LDADD = $(fuzz_main) daemon/libencode.a daemon/libsource.a $(PROC2_LIBS) $(JANSSON_LIBS)

# Each from its seeds; what is found on the way stays in tests/fuzz/found, and what crashes as crash-*.
FUZZ_SECONDS = 60
if FUZZING
fuzz: $(fuzz_programs)
	@set -e; for program in $(fuzz_programs); do \
		target=$$(basename $$program); \
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
		$$program -max_total_time=$(FUZZ_SECONDS) -timeout=25 -max_len=65536 -verbosity=0 -print_final_stats=1 \
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
