# SPDX-License-Identifier: GPL-2.0-or-later
# What stands around the programs: units, completions, the quickstart.

dist_man_MANS += daemon/vmad.8

# systemd
dist_systemdsystemunit_DATA = \
	%D%/systemd/vmad.socket \
	%D%/systemd/vmad-root.socket \
	%D%/systemd/vmad-tcp.socket
nodist_systemdsystemunit_DATA += %D%/systemd/vmad.service
dist_sysusers_DATA = %D%/systemd/sysusers.d/vmad.conf
dist_tmpfiles_DATA = %D%/systemd/tmpfiles.d/vmad.conf
EXTRA_DIST += %D%/systemd/vmad.service.in
CLEANFILES += %D%/systemd/vmad.service

%D%/systemd/vmad.service: %D%/systemd/vmad.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's|@sbindir[@]|$(sbindir)|' $(srcdir)/%D%/systemd/vmad.service.in >$@

# quickstart and continuous integration
EXTRA_DIST += \
	.ci/run \
	.clang-tidy \
	%D%/quickstart \
	%D%/ci/check \
	%D%/ci/distcheck \
	%D%/ci/fuzz \
	%D%/ci/lint \
	%D%/ci/openapi \
	%D%/ci/packages.sh \
	%D%/ci/run-steps
