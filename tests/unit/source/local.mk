# SPDX-License-Identifier: GPL-2.0-or-later
# Floor 1: a parser's test links its floor and the opener's interface.
unit_source_libs = daemon/libsource.a daemon/libopener.a $(unit_libs) $(PROC2_LIBS)
unit_programs += \
	tests/unit/source/auxv \
	tests/unit/source/cgroup \
	tests/unit/source/cgroup_line \
	tests/unit/source/facts \
	tests/unit/source/helper \
	tests/unit/source/host \
	tests/unit/source/kpage \
	tests/unit/source/iomem \
	tests/unit/source/kernel_release \
	tests/unit/source/limits \
	tests/unit/source/maps \
	tests/unit/source/mmap_rules \
	tests/unit/source/numa \
	tests/unit/source/pace \
	tests/unit/source/pagemap \
	tests/unit/source/pagemap_scan \
	tests/unit/source/procmap_query \
	tests/unit/source/reader \
	tests/unit/source/smaps \
	tests/unit/source/stat \
	tests/unit/source/statm \
	tests/unit/source/status \
	tests/unit/source/words

tests_unit_source_cgroup_line_SOURCES = %D%/cgroup_line.c
tests_unit_source_cgroup_line_CPPFLAGS = $(unit_cppflags)
tests_unit_source_cgroup_line_LDADD = $(unit_source_libs)

tests_unit_source_facts_SOURCES = %D%/facts.c
tests_unit_source_facts_CPPFLAGS = $(unit_cppflags)
tests_unit_source_facts_LDADD = $(unit_source_libs)

tests_unit_source_helper_SOURCES = %D%/helper.c tests/lib/standin.c tests/lib/standin.h
tests_unit_source_helper_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_unit_source_helper_LDADD = $(unit_source_libs)

tests_unit_source_host_SOURCES = %D%/host.c
tests_unit_source_host_CPPFLAGS = $(unit_cppflags)
tests_unit_source_host_LDADD = $(unit_source_libs)

tests_unit_source_iomem_SOURCES = %D%/iomem.c
tests_unit_source_iomem_CPPFLAGS = $(unit_cppflags)
tests_unit_source_iomem_LDADD = $(unit_source_libs)

tests_unit_source_maps_SOURCES = %D%/maps.c
tests_unit_source_maps_CPPFLAGS = $(unit_cppflags)
tests_unit_source_maps_LDADD = $(unit_source_libs)

tests_unit_source_pace_SOURCES = %D%/pace.c
tests_unit_source_pace_CPPFLAGS = $(unit_cppflags)
tests_unit_source_pace_LDADD = $(unit_source_libs)

tests_unit_source_procmap_query_SOURCES = %D%/procmap_query.c
tests_unit_source_procmap_query_CPPFLAGS = $(unit_cppflags)
tests_unit_source_procmap_query_LDADD = $(unit_source_libs)

tests_unit_source_reader_SOURCES = %D%/reader.c
tests_unit_source_reader_CPPFLAGS = $(unit_cppflags)
tests_unit_source_reader_LDADD = $(unit_source_libs)

tests_unit_source_smaps_SOURCES = %D%/smaps.c
tests_unit_source_smaps_CPPFLAGS = $(unit_cppflags)
tests_unit_source_smaps_LDADD = $(unit_source_libs)

tests_unit_source_stat_SOURCES = %D%/stat.c
tests_unit_source_stat_CPPFLAGS = $(unit_cppflags)
tests_unit_source_stat_LDADD = $(unit_source_libs)

tests_unit_source_auxv_SOURCES = %D%/auxv.c
tests_unit_source_auxv_CPPFLAGS = $(unit_cppflags)
tests_unit_source_auxv_LDADD = $(unit_source_libs)

tests_unit_source_limits_SOURCES = %D%/limits.c
tests_unit_source_limits_CPPFLAGS = $(unit_cppflags)
tests_unit_source_limits_LDADD = $(unit_source_libs)

tests_unit_source_mmap_rules_SOURCES = %D%/mmap_rules.c
tests_unit_source_mmap_rules_CPPFLAGS = $(unit_cppflags)
tests_unit_source_mmap_rules_LDADD = $(unit_source_libs)

tests_unit_source_status_SOURCES = %D%/status.c
tests_unit_source_status_CPPFLAGS = $(unit_cppflags)
tests_unit_source_status_LDADD = $(unit_source_libs)

tests_unit_source_kpage_SOURCES = %D%/kpage.c
tests_unit_source_kpage_CPPFLAGS = $(unit_cppflags)
tests_unit_source_kpage_LDADD = $(unit_source_libs)

tests_unit_source_pagemap_SOURCES = %D%/pagemap.c
tests_unit_source_pagemap_CPPFLAGS = $(unit_cppflags)
tests_unit_source_pagemap_LDADD = $(unit_source_libs)

tests_unit_source_pagemap_scan_SOURCES = %D%/pagemap_scan.c
tests_unit_source_pagemap_scan_CPPFLAGS = $(unit_cppflags)
tests_unit_source_pagemap_scan_LDADD = $(unit_source_libs)

tests_unit_source_words_SOURCES = %D%/words.c
tests_unit_source_words_CPPFLAGS = $(unit_cppflags)
tests_unit_source_words_LDADD = $(unit_source_libs)

tests_unit_source_cgroup_SOURCES = %D%/cgroup.c
tests_unit_source_cgroup_CPPFLAGS = $(unit_cppflags)
tests_unit_source_cgroup_LDADD = $(unit_source_libs)

tests_unit_source_numa_SOURCES = %D%/numa.c
tests_unit_source_numa_CPPFLAGS = $(unit_cppflags)
tests_unit_source_numa_LDADD = $(unit_source_libs)

tests_unit_source_kernel_release_SOURCES = %D%/kernel_release.c
tests_unit_source_kernel_release_CPPFLAGS = $(unit_cppflags)
tests_unit_source_kernel_release_LDADD = $(unit_source_libs)

tests_unit_source_statm_SOURCES = %D%/statm.c
tests_unit_source_statm_CPPFLAGS = $(unit_cppflags)
tests_unit_source_statm_LDADD = $(unit_source_libs)
