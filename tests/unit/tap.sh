#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs a cmocka program. Its TAP calls a skipped case "not ok", and says no reason: see skip_because() in unit.h.
exec 4>&1
status=$({ { "$@" || echo $? >&3; } | awk '
	/^# because: / { why = substr($0, 12); next }
	/^not ok [0-9]+ # SKIP/ { sub(/^not /, ""); $0 = $0 ": " why }
	{ print; fflush() }' >&4; } 3>&1)
exit "${status:-0}"
