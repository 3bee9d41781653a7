# SPDX-License-Identifier: GPL-2.0-or-later
# tests/faults: what happens when a call fails
# Without sanitizers, which have an allocator of their own.
tests/faults/inject.so: %D%/inject.c
	$(AM_V_CCLD)$(MKDIR_P) $(@D) && $(CC) -std=gnu17 -Wall -Wextra -O1 -g -shared -fPIC -o $@ $<
check_DATA += tests/faults/inject.so
CLEANFILES += tests/faults/inject.so
EXTRA_DIST += %D%/inject.c tests/lib/inject.py

faults_tests = %D%/faults.py %D%/mutated.py %D%/soak.py %D%/stall.py %D%/storm.py
TESTS += $(faults_tests)
dist_check_SCRIPTS += $(faults_tests)

# Without sanitizers, whose start takes longer than its processes live.
check_PROGRAMS += tests/faults/storm
tests_faults_storm_SOURCES = %D%/storm.c
tests_faults_storm_CFLAGS = -std=gnu17 -Wall -Wextra
