/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cgroup_line: the control group of a process, by /proc/PID/cgroup. Format: "hierarchy:controllers:path" a line, cgroups(7).
 * Of several hierarchies the one that systemd thinks in: cgroup v2, else systemd's own, else the first.
 */
#ifndef SOURCE_CGROUP_LINE_H
#define SOURCE_CGROUP_LINE_H

#include <stddef.h>

#include "vmad/records.h"

/* The path, as the kernel shows it; it points into the bytes. Empty: there is none. */
struct vmad_str cgroup_line_parse(const char *bytes, size_t len);

/*
 * Of one line, without its newline: how well it is liked, and its path. The first of those that are liked best is the one. 0: it is none.
 */
int cgroup_line_rank(const char *line, size_t len, struct vmad_str *ret_path);

#endif
