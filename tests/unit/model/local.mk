# SPDX-License-Identifier: GPL-2.0-or-later
# Floor 2, on captured trees, on trees made for the test, and on this process.
check_LIBRARIES += tests/unit/model/libmodelunit.a
tests_unit_model_libmodelunit_a_SOURCES = %D%/model.c %D%/model.h
tests_unit_model_libmodelunit_a_CPPFLAGS = $(unit_cppflags)
unit_model_libs = tests/unit/model/libmodelunit.a daemon/libmodel.a daemon/libsource.a daemon/libopener.a $(unit_libs) $(PROC2_LIBS)
unit_programs += \
	tests/unit/model/frame \
	tests/unit/model/chunk_store \
	tests/unit/model/mm_list \
	tests/unit/model/page_index \
	tests/unit/model/frame_count \
	tests/unit/model/frame_scan \
	tests/unit/model/gaps \
	tests/unit/model/halves \
	tests/unit/model/host_vmas \
	tests/unit/model/kernel_vmas \
	tests/unit/model/kind \
	tests/unit/model/lookup \
	tests/unit/model/placement \
	tests/unit/model/page \
	tests/unit/model/page_runs \
	tests/unit/model/page_summary \
	tests/unit/model/mapping_set \
	tests/unit/model/process_list \
	tests/unit/model/record_cut \
	tests/unit/model/sort \
	tests/unit/model/tally \
	tests/unit/model/target \
	tests/unit/model/usage_ahead \
	tests/unit/model/usage_sum \
	tests/unit/model/vma \
	tests/unit/model/vma_count \
	tests/unit/model/vma_list

tests_unit_model_host_vmas_SOURCES = %D%/host_vmas.c
tests_unit_model_host_vmas_CPPFLAGS = $(unit_cppflags)
tests_unit_model_host_vmas_LDADD = $(unit_model_libs)

tests_unit_model_kernel_vmas_SOURCES = %D%/kernel_vmas.c tests/lib/standin.c tests/lib/standin.h
tests_unit_model_kernel_vmas_CPPFLAGS = $(unit_cppflags) -I$(top_srcdir)/tests
tests_unit_model_kernel_vmas_LDADD = $(unit_model_libs)

tests_unit_model_kind_SOURCES = %D%/kind.c
tests_unit_model_kind_CPPFLAGS = $(unit_cppflags)
tests_unit_model_kind_LDADD = $(unit_model_libs)

tests_unit_model_lookup_SOURCES = %D%/lookup.c
tests_unit_model_lookup_CPPFLAGS = $(unit_cppflags)
tests_unit_model_lookup_LDADD = $(unit_model_libs)

tests_unit_model_frame_count_SOURCES = %D%/frame_count.c
tests_unit_model_frame_count_CPPFLAGS = $(unit_cppflags)
tests_unit_model_frame_count_LDADD = $(unit_model_libs)

tests_unit_model_page_summary_SOURCES = %D%/page_summary.c
tests_unit_model_page_summary_CPPFLAGS = $(unit_cppflags)
tests_unit_model_page_summary_LDADD = $(unit_model_libs)

tests_unit_model_sort_SOURCES = %D%/sort.c
tests_unit_model_sort_CPPFLAGS = $(unit_cppflags)
tests_unit_model_sort_LDADD = $(unit_model_libs)

tests_unit_model_tally_SOURCES = %D%/tally.c
tests_unit_model_tally_CPPFLAGS = $(unit_cppflags)
tests_unit_model_tally_LDADD = $(unit_model_libs)

tests_unit_model_frame_scan_SOURCES = %D%/frame_scan.c
tests_unit_model_frame_scan_CPPFLAGS = $(unit_cppflags)
tests_unit_model_frame_scan_LDADD = $(unit_model_libs)

tests_unit_model_mapping_set_SOURCES = %D%/mapping_set.c
tests_unit_model_mapping_set_CPPFLAGS = $(unit_cppflags)
tests_unit_model_mapping_set_LDADD = $(unit_model_libs)

tests_unit_model_process_list_SOURCES = %D%/process_list.c
tests_unit_model_process_list_CPPFLAGS = $(unit_cppflags)
tests_unit_model_process_list_LDADD = $(unit_model_libs)

tests_unit_model_record_cut_SOURCES = %D%/record_cut.c
tests_unit_model_record_cut_CPPFLAGS = $(unit_cppflags)
tests_unit_model_record_cut_LDADD = $(unit_model_libs)

tests_unit_model_target_SOURCES = %D%/target.c
tests_unit_model_target_CPPFLAGS = $(unit_cppflags)
tests_unit_model_target_LDADD = $(unit_model_libs)

tests_unit_model_usage_sum_SOURCES = %D%/usage_sum.c
tests_unit_model_usage_sum_CPPFLAGS = $(unit_cppflags)
tests_unit_model_usage_sum_LDADD = $(unit_model_libs)

tests_unit_model_vma_SOURCES = %D%/vma.c
tests_unit_model_vma_CPPFLAGS = $(unit_cppflags)
tests_unit_model_vma_LDADD = $(unit_model_libs)

tests_unit_model_vma_count_SOURCES = %D%/vma_count.c
tests_unit_model_vma_count_CPPFLAGS = $(unit_cppflags)
tests_unit_model_vma_count_LDADD = $(unit_model_libs)

tests_unit_model_vma_list_SOURCES = %D%/vma_list.c
tests_unit_model_vma_list_CPPFLAGS = $(unit_cppflags)
tests_unit_model_vma_list_LDADD = $(unit_model_libs)

tests_unit_model_gaps_SOURCES = %D%/gaps.c %D%/layouts.h
tests_unit_model_gaps_CPPFLAGS = $(unit_cppflags)
tests_unit_model_gaps_LDADD = $(unit_model_libs)

tests_unit_model_halves_SOURCES = %D%/halves.c
tests_unit_model_halves_CPPFLAGS = $(unit_cppflags)
tests_unit_model_halves_LDADD = $(unit_model_libs)

tests_unit_model_placement_SOURCES = %D%/placement.c %D%/layouts.h
tests_unit_model_placement_CPPFLAGS = $(unit_cppflags)
tests_unit_model_placement_LDADD = $(unit_model_libs)

tests_unit_model_page_runs_SOURCES = %D%/page_runs.c
tests_unit_model_page_runs_CPPFLAGS = $(unit_cppflags)
tests_unit_model_page_runs_LDADD = $(unit_model_libs)

tests_unit_model_frame_SOURCES = %D%/frame.c
tests_unit_model_frame_CPPFLAGS = $(unit_cppflags)
tests_unit_model_frame_LDADD = $(unit_model_libs)

tests_unit_model_page_SOURCES = %D%/page.c
tests_unit_model_page_CPPFLAGS = $(unit_cppflags)
tests_unit_model_page_LDADD = $(unit_model_libs)

tests_unit_model_chunk_store_SOURCES = %D%/chunk_store.c
tests_unit_model_chunk_store_CPPFLAGS = $(unit_cppflags)
tests_unit_model_chunk_store_LDADD = $(unit_model_libs)

tests_unit_model_mm_list_SOURCES = %D%/mm_list.c
tests_unit_model_mm_list_CPPFLAGS = $(unit_cppflags)
tests_unit_model_mm_list_LDADD = $(unit_model_libs)

tests_unit_model_page_index_SOURCES = %D%/page_index.c
tests_unit_model_page_index_CPPFLAGS = $(unit_cppflags)
tests_unit_model_page_index_LDADD = $(unit_model_libs)

tests_unit_model_usage_ahead_SOURCES = %D%/usage_ahead.c
tests_unit_model_usage_ahead_CPPFLAGS = $(unit_cppflags)
tests_unit_model_usage_ahead_LDADD = $(unit_model_libs)
