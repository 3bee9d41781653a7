/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * group_name: the group that a process belongs to: what a rule says; else its systemd unit; else its control group; else
 * the name that it gave itself.
 */
#ifndef SAMPLER_GROUP_NAME_H
#define SAMPLER_GROUP_NAME_H

#include <stddef.h>

#include "sampler/snapshot.h"
#include "vmad/records.h"

/* Processes whose comm, unit or control group matches the pattern (fnmatch(3)) are in the group with this name. */
struct group_rule {
	enum group_rule_of { RULE_COMM, RULE_UNIT, RULE_CGROUP } of;
	char *pattern;
	char name[GROUP_NAME_MAX];
};

#define GROUP_RULES_MAX 64

/*
 * Parses "comm:PATTERN=NAME", "unit:..." or "cgroup:..."; the pattern is allocated, for ever. False: it is none, and
 * *ret_what says why.
 */
bool group_rule_parse(const char *text, struct group_rule *ret_rule, const char **ret_what);

/* Strings may be empty. The first rule that matches counts. */
void group_name(const struct group_rule *rules, size_t rule_count, struct vmad_str cgroup, struct vmad_str comm,
		char to[static GROUP_NAME_MAX]);

#endif
