# SPDX-License-Identifier: GPL-2.0-or-later
# tests/prometheus: what contrib/prometheus and contrib/grafana promise, held by Debian's own prometheus and promtool.
prometheus_tests = %D%/fleet.py %D%/rules.py
TESTS += $(prometheus_tests)
dist_check_SCRIPTS += $(prometheus_tests)
EXTRA_DIST += %D%/rules.yml
EXTRA_DIST += tests/lib/prometheus.py
