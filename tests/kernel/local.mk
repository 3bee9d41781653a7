# SPDX-License-Identifier: GPL-2.0-or-later
# tests/kernel: the helper module in QEMU, on the kernels that contrib/ci/kernels has fetched. Not part of make check: a boot takes a minute.
EXTRA_PROGRAMS += tests/kernel/guest tests/kernel/init
# The guest has no library: all is static, and nothing is watched by a sanitizer.
kernel_cflags = -std=gnu17 -Wall -Wextra -Wno-missing-field-initializers -O1 -g
tests_kernel_guest_SOURCES = \
	%D%/agree.c \
	%D%/ask.c \
	%D%/ask.h \
	%D%/bench.c \
	%D%/daemon.c \
	%D%/daemon.h \
	%D%/family.c \
	%D%/family.h \
	%D%/files.c \
	%D%/guest.c \
	%D%/guest.h \
	%D%/ioctls.c \
	%D%/locks.c \
	%D%/places.c \
	%D%/places.h \
	%D%/rmap.c \
	%D%/stress.c \
	%D%/unload.c \
	%D%/vmad.c \
	%D%/vmas.c
tests_kernel_guest_CFLAGS = $(kernel_cflags) -pthread
tests_kernel_guest_LDFLAGS = -static -pthread
tests_kernel_init_SOURCES = %D%/init.c
tests_kernel_init_CFLAGS = $(kernel_cflags)
tests_kernel_init_LDFLAGS = -static
CLEANFILES += tests/kernel/guest$(EXEEXT) tests/kernel/init$(EXEEXT)

kernel_tests = %D%/module.py
dist_check_SCRIPTS += $(kernel_tests)
EXTRA_DIST += %D%/kmod.py %D%/qemu.py %D%/report.py

# make check-kernel VMAD_SERIES=6.12 VMAD_GUEST="rmap agree" runs only these programs, on that kernel. VMAD_SERIES=7.2, which
# contrib/ci/newer-kernel fetches, is not among the usual ones.
.PHONY: check-kernel
check-kernel: tests/kernel/guest$(EXEEXT) tests/kernel/init$(EXEEXT) daemon/vmad$(EXEEXT) client/vmactl$(EXEEXT)
	VMAD_KERNELS='$(VMAD_KERNELS)' VMAD_SERIES='$(VMAD_SERIES)' VMAD_GUEST='$(VMAD_GUEST)' \
		$(MAKE) check TESTS='$(kernel_tests)' check_PROGRAMS= check_LIBRARIES=

# What the module's answers cost in the guest, beside the same out of procfs. QEMU emulates: only the ratios mean something.
.PHONY: bench-kernel
bench-kernel: tests/kernel/guest$(EXEEXT) tests/kernel/init$(EXEEXT) daemon/vmad$(EXEEXT) client/vmactl$(EXEEXT)
	TOP_SRCDIR='$(abs_top_srcdir)' TOP_BUILDDIR='$(abs_top_builddir)' VMAD_KERNELS='$(VMAD_KERNELS)' VMAD_SERIES='$(VMAD_SERIES)' \
		VMAD_GUEST=bench /usr/bin/python3 $(srcdir)/%D%/module.py

VMAD_KERNELS = $(abs_top_srcdir)/build/kernels
VMAD_SERIES = 6.1 6.12
VMAD_GUEST = ioctls vmas rmap files agree stress unload vmad

mostlyclean-local: clean-kernel-modules
.PHONY: clean-kernel-modules
clean-kernel-modules:
	rm -rf tests/kernel/module-* tests/kernel/untried-*
