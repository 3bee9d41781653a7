# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libsource.a
daemon_libsource_a_SOURCES = \
	%D%/auxv.c \
	%D%/auxv.h \
	%D%/cgroup.c \
	%D%/cgroup.h \
	%D%/comm.c \
	%D%/comm.h \
	%D%/facts.c \
	%D%/facts.h \
	%D%/facts_thread.c \
	%D%/facts_thread.h \
	%D%/helper.c \
	%D%/helper.h \
	%D%/helper_mappings.c \
	%D%/helper_mappings.h \
	%D%/helper_vmas.c \
	%D%/helper_vmas.h \
	%D%/host.c \
	%D%/host.h \
	%D%/iomem.c \
	%D%/iomem.h \
	%D%/kpage.c \
	%D%/kpage.h \
	%D%/limits.c \
	%D%/limits.h \
	%D%/maps.c \
	%D%/maps.h \
	%D%/mmap_rules.c \
	%D%/mmap_rules.h \
	%D%/numa.c \
	%D%/numa.h \
	%D%/pace.c \
	%D%/pace.h \
	%D%/paced_file.c \
	%D%/paced_file.h \
	%D%/pagemap.c \
	%D%/pagemap.h \
	%D%/pagemap_scan.c \
	%D%/pagemap_scan.h \
	%D%/procmap_query.c \
	%D%/procmap_query.h \
	%D%/reader.c \
	%D%/reader.h \
	%D%/self.c \
	%D%/self.h \
	%D%/small_file.c \
	%D%/small_file.h \
	%D%/smaps.c \
	%D%/smaps.h \
	%D%/stat.c \
	%D%/stat.h \
	%D%/status.c \
	%D%/status.h \
	%D%/words.c \
	%D%/words.h
daemon_libsource_a_CFLAGS = $(AM_CFLAGS) $(PROC2_CFLAGS)
