# SPDX-License-Identifier: GPL-2.0-or-later
# The OpenAPI document, held by programs of others (npm): contrib/ci/openapi runs it.
EXTRA_DIST += \
	%D%/check.mjs \
	%D%/package.json \
	%D%/package-lock.json
