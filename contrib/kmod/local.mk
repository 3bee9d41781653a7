# SPDX-License-Identifier: GPL-2.0-or-later
# The helper module: Kbuild makes it, for one kernel at a time. What is installed are its sources, as DKMS wants them.
dkmsdir = $(prefix)/src/vmad-$(VERSION)
dkmsuapidir = $(dkmsdir)/include/vmad
dist_dkms_DATA = \
	%D%/Kbuild \
	%D%/Makefile \
	%D%/array.c \
	%D%/array.h \
	%D%/compat.h \
	%D%/device.c \
	%D%/dkms.conf \
	%D%/files.c \
	%D%/findings.c \
	%D%/findings.h \
	%D%/info.c \
	%D%/mms.c \
	%D%/mms.h \
	%D%/page.c \
	%D%/page.h \
	%D%/pagetable.c \
	%D%/pagetable.h \
	%D%/patience.h \
	%D%/requests.h \
	%D%/rmap.c \
	%D%/scan.c \
	%D%/scan.h \
	%D%/symbols.c \
	%D%/symbols.h \
	%D%/target.c \
	%D%/target.h \
	%D%/trees.h \
	%D%/version.h \
	%D%/vmas.c
dkmsuapi_DATA = include/vmad/uapi.h
