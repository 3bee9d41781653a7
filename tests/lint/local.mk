# SPDX-License-Identifier: GPL-2.0-or-later
# What a machine can see of the house rules.
lint_tests = \
	%D%/docs.py \
	%D%/hardened.py \
	%D%/includes.py \
	%D%/tables.py \
	%D%/spdx.py \
	%D%/units.py \
	%D%/versions.py
TESTS += $(lint_tests)
EXTRA_DIST += $(lint_tests)
