# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libopener.a
daemon_libopener_a_SOURCES = \
	%D%/opener.c \
	%D%/opener.h \
	%D%/target.c \
	%D%/wire.c \
	%D%/wire.h \
	%D%/caller/caller.c \
	%D%/caller/caller.h \
	%D%/caller/grant.c \
	%D%/caller/grant.h \
	%D%/caller/identity.c \
	%D%/caller/identity.h \
	%D%/caller/peer.c \
	%D%/caller/token.c \
	%D%/caller/token.h \
	%D%/file/cache.c \
	%D%/file/host_file.c \
	%D%/file/list.c \
	%D%/file/local_walk.c \
	%D%/file/local_walk.h \
	%D%/file/mapped.c \
	%D%/file/mounts.c \
	%D%/file/mounts.h \
	%D%/file/open.c \
	%D%/file/own_line.c \
	%D%/file/own_line.h \
	%D%/file/path.c \
	%D%/file/procdir.c \
	%D%/file/procdir.h \
	%D%/file/procfs.c \
	%D%/file/procfs.h \
	%D%/file/same_mm.c \
	%D%/process/handles.c \
	%D%/process/handles.h \
	%D%/process/serve.c \
	%D%/process/serve.h \
	%D%/process/session.c \
	%D%/process/session.h \
	%D%/remote/channels.c \
	%D%/remote/channels.h \
	%D%/remote/remote.c \
	%D%/remote/remote.h \
	%D%/thread/queue.c \
	%D%/thread/queue.h \
	%D%/thread/threads.c \
	%D%/thread/threads.h
