# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libopener.a
daemon_libopener_a_SOURCES = \
	%D%/cache.c \
	%D%/caller.c \
	%D%/caller.h \
	%D%/channels.c \
	%D%/channels.h \
	%D%/grant.c \
	%D%/grant.h \
	%D%/handles.c \
	%D%/handles.h \
	%D%/host_file.c \
	%D%/identity.c \
	%D%/identity.h \
	%D%/list.c \
	%D%/local_walk.c \
	%D%/local_walk.h \
	%D%/mapped.c \
	%D%/mounts.c \
	%D%/mounts.h \
	%D%/open.c \
	%D%/opener.c \
	%D%/opener.h \
	%D%/own_line.c \
	%D%/own_line.h \
	%D%/path.c \
	%D%/peer.c \
	%D%/procdir.c \
	%D%/procdir.h \
	%D%/procfs.c \
	%D%/procfs.h \
	%D%/queue.c \
	%D%/queue.h \
	%D%/remote.c \
	%D%/remote.h \
	%D%/same_mm.c \
	%D%/serve.c \
	%D%/serve.h \
	%D%/session.c \
	%D%/session.h \
	%D%/target.c \
	%D%/threads.c \
	%D%/threads.h \
	%D%/token.c \
	%D%/token.h \
	%D%/wire.c \
	%D%/wire.h
