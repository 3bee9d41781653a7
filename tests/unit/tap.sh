#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a cmocka program. Its TAP calls a skipped case "not ok", and says no reason: see skip_because() in unit.h. What it says goes through a
# file, because a pipe would stay open as long as some child that a failed case left behind.
said=$(mktemp)
trap 'rm -f "$said"' EXIT
"$@" >"$said" 2>&1
status=$?
awk '
	/^# because: / { why = substr($0, 12); next }
	/^not ok [0-9]+ # SKIP/ { sub(/^not /, ""); $0 = $0 ": " why }
	{ print }' "$said"
exit "$status"
