# SPDX-License-Identifier: GPL-2.0-or-later
# tests/api: HTTP over real sockets

api_tests = \
	%D%/bad_input.py \
	%D%/captured.py \
	%D%/growth.py \
	%D%/halves.py \
	%D%/helper.py \
	%D%/lifecycle.py \
	%D%/metrics.py \
	%D%/page.py \
	%D%/log.py \
	%D%/peers.py \
	%D%/processes.py \
	%D%/quotas.py \
	%D%/routes.py \
	%D%/sharing.py \
	%D%/slow_clients.py \
	%D%/tcp.py \
	%D%/tls.py \
	%D%/tokens.py
TESTS += $(api_tests)
dist_check_SCRIPTS += $(api_tests)
EXTRA_DIST += tests/lib/activated.py tests/lib/crowd.py tests/lib/memory.py tests/lib/roles.py tests/lib/wire.py \
	tests/lib/workdir.py

# vmactl against a stand-in for vmad, and against vmad itself
client_api_tests = %D%/vmactl.py %D%/vmactl_completion.py %D%/vmactl_live.py
TESTS += $(client_api_tests)
dist_check_SCRIPTS += $(client_api_tests)
EXTRA_DIST += tests/lib/fake_vmad.py

# A vmad that takes a text for the helper module, and is vmad itself in all else.
check_PROGRAMS += %D%/vmad-standin
tests_api_vmad_standin_SOURCES = tests/lib/standin.c tests/lib/standin.h tests/lib/standin_vmad.c \
	$(daemon_vmad_SOURCES)
tests_api_vmad_standin_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests
tests_api_vmad_standin_CFLAGS = $(daemon_vmad_CFLAGS)
tests_api_vmad_standin_LDADD = $(daemon_vmad_LDADD)
tests_api_vmad_standin_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=ioctl -Wl,--wrap=opener_open_helper
EXTRA_DIST += tests/lib/standin.py
