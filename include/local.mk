# SPDX-License-Identifier: GPL-2.0-or-later
noinst_HEADERS = \
	%D%/vmad/caller.h \
	%D%/vmad/error.h \
	%D%/vmad/fields.def \
	%D%/vmad/kinds.def \
	%D%/vmad/kpageflags.def \
	%D%/vmad/metrics.def \
	%D%/vmad/pageflags.def \
	%D%/vmad/pagestates.def \
	%D%/vmad/params.def \
	%D%/vmad/problems.def \
	%D%/vmad/records.h \
	%D%/vmad/routes.def \
	%D%/vmad/uapi.h \
	%D%/vmad/vmflags.def \
	%D%/vmad/vmops.def
