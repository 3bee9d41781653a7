# SPDX-License-Identifier: GPL-2.0-or-later
# What stands around the programs: units, completions, the quickstart.

dist_man_MANS += daemon/vmad.8 client/vmactl.1

# completions; bash finds them by the name of the command
nodist_bashcompletion_DATA = %D%/completion/vmactl
dist_zshcompletion_DATA = %D%/completion/_vmactl
EXTRA_DIST += %D%/completion/vmactl.bash
CLEANFILES += %D%/completion/vmactl

%D%/completion/vmactl: %D%/completion/vmactl.bash
	$(AM_V_GEN)$(MKDIR_P) $(@D) && cp $(srcdir)/%D%/completion/vmactl.bash $@

# Prometheus and Grafana
prometheusdir = $(pkgdatadir)/prometheus
dist_prometheus_DATA = \
	%D%/prometheus/alerts.yml \
	%D%/prometheus/fleet.yml \
	%D%/prometheus/host.yml \
	%D%/prometheus/recording.yml
targetsdir = $(prometheusdir)/targets
dist_targets_DATA = %D%/prometheus/targets/example.yml
grafanadir = $(pkgdatadir)/grafana
dist_grafana_DATA = %D%/grafana/vmad.json

# systemd
dist_systemdsystemunit_DATA = \
	%D%/systemd/vmad.socket \
	%D%/systemd/vmad-root.socket \
	%D%/systemd/vmad-tcp.socket \
	%D%/systemd/vmad-worker.socket
nodist_systemdsystemunit_DATA += %D%/systemd/vmad.service %D%/systemd/vmad-opener.service
dist_sysusers_DATA = %D%/systemd/sysusers.d/vmad.conf
dist_tmpfiles_DATA = %D%/systemd/tmpfiles.d/vmad.conf
EXTRA_DIST += %D%/systemd/vmad.service.in %D%/systemd/vmad-opener.service.in
CLEANFILES += %D%/systemd/vmad.service %D%/systemd/vmad-opener.service

%D%/systemd/vmad.service: %D%/systemd/vmad.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's|@sbindir[@]|$(sbindir)|' $(srcdir)/%D%/systemd/vmad.service.in >$@

%D%/systemd/vmad-opener.service: %D%/systemd/vmad-opener.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's|@sbindir[@]|$(sbindir)|' $(srcdir)/%D%/systemd/vmad-opener.service.in >$@

# quickstart and continuous integration
EXTRA_DIST += \
	README.md \
	SECURITY.md \
	.ci/run \
	.clang-tidy \
	%D%/quickstart \
	%D%/ci/bench \
	%D%/ci/check \
	%D%/ci/coverage \
	%D%/ci/debug-kernel \
	%D%/ci/distcheck \
	%D%/ci/fuzz \
	%D%/ci/in-root \
	%D%/ci/kernels \
	%D%/ci/lint \
	%D%/ci/newer-kernel \
	%D%/ci/openapi \
	%D%/ci/packages.sh \
	%D%/ci/run-steps \
	%D%/ci/valgrind \
	%D%/ci/web \
	%D%/pictures/map.png \
	%D%/pictures/who-maps-this-page.png

include %D%/kmod/local.mk
