# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += daemon/libhttp.a
daemon_libhttp_a_CFLAGS = $(AM_CFLAGS) $(MHD_CFLAGS) $(GNUTLS_CFLAGS) $(ZLIB_CFLAGS)
daemon_libhttp_a_SOURCES = \
	%D%/accepted.c %D%/accepted.h \
	%D%/acceptor.c %D%/acceptor.h \
	%D%/authority.c %D%/authority.h \
	%D%/blocked.c %D%/blocked.h \
	%D%/connection.c %D%/connection.h %D%/connection_inside.h %D%/connections.c \
	%D%/deliver.c \
	%D%/dispatch.c \
	%D%/exchange.h \
	%D%/flight.c %D%/flight.h \
	%D%/gzip.c %D%/gzip.h \
	%D%/head.c \
	%D%/identify.c \
	%D%/list.c %D%/list.h \
	%D%/listener.c %D%/listener.h \
	%D%/log.c %D%/log.h \
	%D%/params.c %D%/params.h \
	%D%/peer.c %D%/peer.h \
	%D%/problem.c %D%/problem.h \
	%D%/quota.c %D%/quota.h \
	%D%/reply.c %D%/reply.h \
	%D%/request.h \
	%D%/room.c %D%/room.h \
	%D%/route.c %D%/route.h \
	%D%/server.c %D%/server.h \
	%D%/share.c \
	%D%/site.c %D%/site.h \
	%D%/stream.c %D%/stream.h \
	%D%/tcp_address.c %D%/tcp_address.h \
	%D%/text.c %D%/text.h \
	%D%/tls.c %D%/tls.h \
	%D%/turns.c %D%/turns.h \
	%D%/uri.c %D%/uri.h \
	%D%/walks.c %D%/walks.h
