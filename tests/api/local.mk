# SPDX-License-Identifier: GPL-2.0-or-later
# tests/api: HTTP over real sockets

api_tests = \
	%D%/bad_input.py \
	%D%/captured.py \
	%D%/growth.py \
	%D%/lifecycle.py \
	%D%/page.py \
	%D%/log.py \
	%D%/peers.py \
	%D%/quotas.py \
	%D%/routes.py \
	%D%/sharing.py \
	%D%/slow_clients.py \
	%D%/tcp.py \
	%D%/tls.py
TESTS += $(api_tests)
dist_check_SCRIPTS += $(api_tests)
EXTRA_DIST += tests/lib/activated.py tests/lib/crowd.py tests/lib/wire.py

# vmactl against a stand-in for vmad, and against vmad itself
client_api_tests = %D%/vmactl.py %D%/vmactl_completion.py %D%/vmactl_live.py
TESTS += $(client_api_tests)
dist_check_SCRIPTS += $(client_api_tests)
EXTRA_DIST += tests/lib/fake_vmad.py
