# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libsource.a
daemon_libsource_a_SOURCES = \
	%D%/facts.c \
	%D%/facts.h \
	%D%/facts_thread.c \
	%D%/facts_thread.h \
	%D%/host.c \
	%D%/host.h \
	%D%/iomem.c \
	%D%/iomem.h \
	%D%/kpage.c \
	%D%/kpage.h \
	%D%/maps.c \
	%D%/maps.h \
	%D%/paced_file.c \
	%D%/paced_file.h \
	%D%/pagemap.c \
	%D%/pagemap.h \
	%D%/procmap_query.c \
	%D%/procmap_query.h \
	%D%/reader.c \
	%D%/reader.h \
	%D%/smaps.c \
	%D%/smaps.h \
	%D%/stat.c \
	%D%/stat.h \
	%D%/words.c \
	%D%/words.h
daemon_libsource_a_CFLAGS = $(AM_CFLAGS) $(PROC2_CFLAGS)
