# SPDX-License-Identifier: GPL-2.0-or-later
# tests/systemd: the units as systemd takes them, installed and booted in a container
TESTS += %D%/boot.py
dist_check_SCRIPTS += %D%/boot.py
EXTRA_DIST += tests/lib/container.py
