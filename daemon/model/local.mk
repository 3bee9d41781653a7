# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libmodel.a
daemon_libmodel_a_SOURCES = \
	%D%/file.c %D%/file.h \
	%D%/file_mappings.c %D%/file_mappings.h \
	%D%/file_pages.c %D%/file_pages.h \
	%D%/frame.c %D%/frame.h \
	%D%/frames.c %D%/frames.h \
	%D%/gaps.c %D%/gaps.h \
	%D%/halves.c %D%/halves.h \
	%D%/host_vmas.c %D%/host_vmas.h \
	%D%/kernel_vmas.c %D%/kernel_vmas.h \
	%D%/kind.c %D%/kind.h \
	%D%/layout.c %D%/layout.h \
	%D%/lookup.c %D%/lookup.h \
	%D%/mapcounts.c %D%/mapcounts.h \
	%D%/mapping_marks.c %D%/mapping_marks.h \
	%D%/mapping_set.c %D%/mapping_set.h \
	%D%/mapping_settle.c \
	%D%/module.c %D%/module.h \
	%D%/placement.c %D%/placement.h \
	%D%/placement_facts.c \
	%D%/page.c %D%/page.h \
	%D%/page_ranges.c %D%/page_ranges.h \
	%D%/page_runs.c %D%/page_runs.h \
	%D%/process_list.c %D%/process_list.h \
	%D%/record_cut.c %D%/record_cut.h \
	%D%/rmap.c %D%/rmap.h \
	%D%/rmap_rows.c %D%/rmap_rows.h \
	%D%/rmap_steps.c %D%/rmap_steps.h \
	%D%/target.c %D%/target.h \
	%D%/usage_sum.c %D%/usage_sum.h \
	%D%/vma.c %D%/vma.h \
	%D%/vma_at.c %D%/vma_at.h \
	%D%/vma_count.c %D%/vma_count.h \
	%D%/vma_list.c %D%/vma_list.h \
	%D%/vma_ops.c %D%/vma_ops.h
