# SPDX-License-Identifier: GPL-2.0-or-later
# The floors, from the lowest up. A floor may use those that stand above it here, never those below.
include %D%/meter/local.mk
include %D%/stall/local.mk
include %D%/opener/local.mk
include %D%/source/local.mk
include %D%/model/local.mk
include %D%/sampler/local.mk
include %D%/encode/local.mk
include %D%/http/local.mk
include %D%/endpoint/local.mk
include %D%/web/local.mk

# For whoever links the whole daemon: the highest floor first.
VMAD_FLOORS = \
	%D%/libendpoint.a \
	%D%/libweb.a \
	%D%/libhttp.a \
	%D%/libencode.a \
	%D%/libsampler.a \
	%D%/libmodel.a \
	%D%/libsource.a \
	%D%/libopener.a \
	%D%/libmeter.a \
	%D%/libstall.a
VMAD_LIBS = $(MHD_LIBS) $(JANSSON_LIBS) $(PROC2_LIBS) $(SYSTEMD_LIBS) $(ZLIB_LIBS) $(GNUTLS_LIBS)

sbin_PROGRAMS += %D%/vmad
daemon_vmad_CFLAGS = $(AM_CFLAGS) $(MHD_CFLAGS) $(SYSTEMD_CFLAGS) $(SECCOMP_CFLAGS)
daemon_vmad_SOURCES = \
	%D%/alone.c %D%/alone.h \
	%D%/clock/clock.h \
	%D%/confine.c %D%/confine.h \
	%D%/daemon.h \
	%D%/failures.c %D%/failures.h \
	%D%/family.c %D%/family.h \
	%D%/main.c \
	%D%/meet.c %D%/meet.h \
	%D%/members.c %D%/members.h \
	%D%/options.c %D%/options.h \
	%D%/reload.c %D%/reload.h \
	%D%/role.c %D%/role.h \
	%D%/sockets.c %D%/sockets.h \
	%D%/tls_files.c %D%/tls_files.h \
	%D%/worker.c %D%/worker.h
daemon_vmad_LDADD = $(VMAD_FLOORS) $(VMAD_LIBS) $(SECCOMP_LIBS)
