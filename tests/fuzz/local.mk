# SPDX-License-Identifier: GPL-2.0-or-later
# A fuzz target is a file here, with a row in each of the two lists and its libraries. make check replays its seeds; make fuzz looks for
# more: configure --enable-fuzzing --enable-sanitizers CC=clang, then make fuzz FUZZ_SECONDS=60.
fuzz_targets = answer auxv helper limits maps mountinfo mounts opener pagemap param smaps stat status target tokens
fuzz_replays = \
	tests/fuzz/replay-answer \
	tests/fuzz/replay-auxv \
	tests/fuzz/replay-helper \
	tests/fuzz/replay-limits \
	tests/fuzz/replay-maps \
	tests/fuzz/replay-mountinfo \
	tests/fuzz/replay-mounts \
	tests/fuzz/replay-opener \
	tests/fuzz/replay-pagemap \
	tests/fuzz/replay-param \
	tests/fuzz/replay-smaps \
	tests/fuzz/replay-stat \
	tests/fuzz/replay-status \
	tests/fuzz/replay-target \
	tests/fuzz/replay-tokens
check_PROGRAMS += $(fuzz_replays)
TESTS += $(fuzz_replays)
EXTRA_DIST += %D%/corpus
fuzz_libs = daemon/libsource.a $(PROC2_LIBS)

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

tests_fuzz_replay_opener_SOURCES = %D%/opener.c %D%/replay.c %D%/fuzz.h
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

FUZZ_SECONDS = 60
if FUZZING
fuzz_programs = \
	tests/fuzz/fuzz-answer \
	tests/fuzz/fuzz-auxv \
	tests/fuzz/fuzz-helper \
	tests/fuzz/fuzz-limits \
	tests/fuzz/fuzz-maps \
	tests/fuzz/fuzz-mountinfo \
	tests/fuzz/fuzz-mounts \
	tests/fuzz/fuzz-opener \
	tests/fuzz/fuzz-pagemap \
	tests/fuzz/fuzz-param \
	tests/fuzz/fuzz-smaps \
	tests/fuzz/fuzz-stat \
	tests/fuzz/fuzz-status \
	tests/fuzz/fuzz-target \
	tests/fuzz/fuzz-tokens
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

tests_fuzz_fuzz_opener_SOURCES = %D%/opener.c %D%/fuzz.h
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
		echo "fuzz: $$target, $(FUZZ_SECONDS) s"; \
		tests/fuzz/fuzz-$$target -max_total_time=$(FUZZ_SECONDS) -timeout=5 -max_len=65536 -verbosity=0 -print_final_stats=1 \
			-artifact_prefix=$$found/ $$found $$seeds $(srcdir)/%D%/corpus/$$target; \
	done
else
fuzz:
	@echo "make fuzz: configure with --enable-fuzzing CC=clang first" >&2; exit 1
endif
.PHONY: fuzz

clean-local: clean-fuzz
clean-fuzz:
	rm -rf tests/fuzz/found tests/fuzz/seeds
.PHONY: clean-fuzz
