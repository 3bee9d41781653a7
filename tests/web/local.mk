# SPDX-License-Identifier: GPL-2.0-or-later
# The page in a browser (npm's playwright-core and axe-core, Debian's Chromium): contrib/ci/web runs it.
EXTRA_DIST += \
	%D%/browser.mjs \
	%D%/check.mjs \
	%D%/package.json \
	%D%/package-lock.json \
	%D%/victim.py
