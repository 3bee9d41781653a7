# SPDX-License-Identifier: GPL-2.0-or-later
# vmactl: shares nothing with the daemon but include/.
bin_PROGRAMS += client/vmactl
noinst_LIBRARIES += client/libvmactl.a
# its own directory first: the daemon has files of the same names
client_cppflags = -I$(srcdir)/%D% $(AM_CPPFLAGS) -DSBINDIR='"$(sbindir)"' $(CURL_CFLAGS) $(SMARTCOLS_CFLAGS) $(JANSSON_CFLAGS)
client_libs = client/libvmactl.a $(CURL_LIBS) $(SMARTCOLS_LIBS) $(JANSSON_LIBS)

# everything but main: the tests link it too
client_libvmactl_a_CPPFLAGS = $(client_cppflags)
client_libvmactl_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/cell.c %D%/cell.h \
	%D%/colour.c %D%/colour.h \
	%D%/columns.c %D%/columns.h \
	%D%/decimal.c %D%/decimal.h \
	%D%/device_inode.c %D%/device_inode.h \
	%D%/doctor.c \
	%D%/escape.c %D%/escape.h \
	%D%/fetch.c %D%/fetch.h \
	%D%/file.c \
	%D%/filter.c %D%/filter.h \
	%D%/find.c \
	%D%/gaps.c \
	%D%/list.c %D%/list.h \
	%D%/frames.c \
	%D%/local.c %D%/local.h \
	%D%/lookup.c %D%/lookup.h \
	%D%/maps.c \
	%D%/number.c %D%/number.h \
	%D%/ops.c \
	%D%/ops_text.c %D%/ops_text.h \
	%D%/options.c %D%/options.h \
	%D%/output.c %D%/output.h \
	%D%/page_bar.c %D%/page_bar.h \
	%D%/page_text.c %D%/page_text.h \
	%D%/pager.c %D%/pager.h \
	%D%/pages.c \
	%D%/place.c %D%/place.h \
	%D%/problem.c %D%/problem.h \
	%D%/progress.c %D%/progress.h \
	%D%/ps.c \
	%D%/query.c %D%/query.h \
	%D%/rmap.c \
	%D%/reader.c %D%/reader.h \
	%D%/route.c %D%/route.h \
	%D%/session.c %D%/session.h \
	%D%/sharing.c \
	%D%/show.c \
	%D%/signals.c %D%/signals.h \
	%D%/size.c %D%/size.h \
	%D%/split.c %D%/split.h \
	%D%/table.c %D%/table.h \
	%D%/target.c %D%/target.h \
	%D%/text.c %D%/text.h \
	%D%/token_file.c %D%/token_file.h \
	%D%/transport.c %D%/transport.h \
	%D%/trouble.c %D%/trouble.h \
	%D%/verbs.h \
	%D%/verdict.c %D%/verdict.h \
	%D%/watch.c %D%/watch.h \
	%D%/web.c

client_vmactl_CPPFLAGS = $(client_cppflags)
client_vmactl_SOURCES = %D%/main.c
client_vmactl_LDADD = $(client_libs)
