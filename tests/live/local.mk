# SPDX-License-Identifier: GPL-2.0-or-later
# tests/live: a running vmad against what /proc says of the same processes. tests/lib is for every test in Python.
check_PROGRAMS += tests/live/victim tests/live/racer tests/live/mover tests/live/sharer tests/live/paged
tests_live_victim_SOURCES = %D%/victim.c
tests_live_racer_SOURCES = %D%/racer.c
tests_live_mover_SOURCES = %D%/mover.c
tests_live_sharer_SOURCES = \
	%D%/sharers/anon.c \
	%D%/sharers/child.c \
	%D%/sharers/churn.c \
	%D%/sharers/everybodys.c \
	%D%/sharers/file.c \
	%D%/sharers/huge.c \
	%D%/sharers/mm.c \
	%D%/sharers/page.c \
	%D%/sharers/sharer.c \
	%D%/sharers/sharer.h
# Without sanitizers: their shadow memory is no part of the layout that these programs promise.
tests_live_victim_CFLAGS = -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers -pthread
tests_live_paged_SOURCES = %D%/paged.c
tests_live_paged_CFLAGS = -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers
tests_live_racer_CFLAGS = -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers
tests_live_mover_CFLAGS = -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers
tests_live_sharer_CFLAGS = -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers -pthread

# A process begins differently with each: what exec maps first is what tells mmap_base.
check_PROGRAMS += tests/live/mapper tests/live/mapper-static tests/live/mapper-static-pie
mapper_cflags = -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers
tests_live_mapper_SOURCES = %D%/mapper.c
tests_live_mapper_CFLAGS = $(mapper_cflags)
tests_live_mapper_static_SOURCES = %D%/mapper.c
tests_live_mapper_static_CFLAGS = $(mapper_cflags)
tests_live_mapper_static_LDFLAGS = -static
tests_live_mapper_static_pie_SOURCES = %D%/mapper.c
tests_live_mapper_static_pie_CFLAGS = $(mapper_cflags) -fPIE
tests_live_mapper_static_pie_LDFLAGS = -static-pie

# Loaded with vmad: without sanitizers, under which there is no filter either.
tests/live/intruder.so: %D%/intruder.c
	$(AM_V_CCLD)$(MKDIR_P) $(@D) && $(CC) -std=gnu17 -Wall -Wextra -O1 -g -shared -fPIC -o $@ $<
check_DATA += tests/live/intruder.so
CLEANFILES += tests/live/intruder.so
EXTRA_DIST += %D%/intruder.c

live_tests = \
	%D%/confined.py \
	%D%/files.py \
	%D%/frames.py \
	%D%/gaps.py \
	%D%/identity.py \
	%D%/lists.py \
	%D%/matrix.py \
	%D%/older_kernel.py \
	%D%/metrics.py \
	%D%/moving.py \
	%D%/page.py \
	%D%/pages.py \
	%D%/races.py \
	%D%/rmap.py \
	%D%/sharing.py \
	%D%/vmas.py
dist_check_SCRIPTS += $(live_tests)
TESTS += $(live_tests)
EXTRA_DIST += \
	tests/lib/caller.py \
	tests/lib/metrics.py \
	tests/lib/paged.py \
	tests/lib/procfs.py \
	tests/lib/sharer.py \
	tests/lib/tap.py \
	tests/lib/targets.py \
	tests/lib/victim.py \
	tests/lib/vmad.py \
	tests/lib/without.py
