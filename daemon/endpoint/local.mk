# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libendpoint.a
daemon_libendpoint_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(MHD_CFLAGS)
daemon_libendpoint_a_SOURCES = \
	%D%/capabilities.c \
	%D%/endpoint.h \
	%D%/file_mappings.c \
	%D%/file_pages.c \
	%D%/file_query.c %D%/file_query.h \
	%D%/frames.c \
	%D%/gaps.c \
	%D%/health.c \
	%D%/host_vmas.c \
	%D%/index.c \
	%D%/mappings.c \
	%D%/metrics.c \
	%D%/metrics_own.c %D%/metrics_own.h \
	%D%/openapi.c \
	%D%/ops.c \
	%D%/page.c \
	%D%/page_question.c %D%/page_question.h \
	%D%/page_summary.c \
	%D%/pages.c \
	%D%/processes.c \
	%D%/query.c %D%/query.h \
	%D%/root.c %D%/root.h \
	%D%/sharing.c \
	%D%/table.c \
	%D%/tokens.c \
	%D%/vma.c \
	%D%/vmas.c
