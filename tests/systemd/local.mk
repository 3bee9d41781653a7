# SPDX-License-Identifier: GPL-2.0-or-later
# tests/systemd: the units as systemd takes them, installed and booted: in a container, and in QEMU on the kernels that contrib/ci/kernels
# has fetched. The latter is no part of make check: it takes minutes.
TESTS += %D%/boot.py
units_tests = %D%/kernels.py
dist_check_SCRIPTS += %D%/boot.py $(units_tests)
EXTRA_DIST += %D%/cases.py %D%/guest.py tests/lib/container.py tests/lib/image.py tests/lib/root.py

# make check-units VMAD_UNITS_SERIES="6.1 6.12" does it on both; each takes a minute or two.
.PHONY: check-units
check-units: all
	VMAD_KERNELS='$(VMAD_KERNELS)' VMAD_UNITS_SERIES='$(VMAD_UNITS_SERIES)' \
		$(MAKE) check TESTS='$(units_tests)' check_PROGRAMS= check_LIBRARIES=

VMAD_UNITS_SERIES = 6.12
