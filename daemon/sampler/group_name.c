/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sampler/group_name.h"

#include <stdio.h>

#include "model/process_list.h"
#include "model/vma.h"
#include "sampler/fold.h"

#define CGROUP_MAX 4096

static const char *const rule_words[] = { [RULE_COMM] = "comm", [RULE_UNIT] = "unit", [RULE_CGROUP] = "cgroup" };

static bool parse_rule_of(const char *text, size_t len, enum group_rule_of *ret_of)
{
	for (size_t i = 0; i < sizeof(rule_words) / sizeof(rule_words[0]); i++) {
		if (strlen(rule_words[i]) == len && !memcmp(rule_words[i], text, len)) {
			*ret_of = (enum group_rule_of)i;
			return true;
		}
	}
	return false;
}

/* A pattern may hold "=", a name does not. */
bool group_rule_parse(const char *text, struct group_rule *rule, const char **ret_what)
{
	const char *colon = strchr(text, ':'), *equals = strrchr(text, '=');

	*ret_what = "is not comm:PATTERN=NAME, unit:PATTERN=NAME or cgroup:PATTERN=NAME";
	if (!colon || !equals || equals <= colon + 1 || !parse_rule_of(text, (size_t)(colon - text), &rule->of))
		return false;
	*ret_what = "has a name that is too long, or none";
	if (!equals[1] || strlen(equals + 1) >= GROUP_NAME_MAX)
		return false;
	*ret_what = "does not fit into memory";
	snprintf(rule->name, sizeof(rule->name), "%s", equals + 1);
	rule->pattern = vmad_str_copy((struct vmad_str){ colon + 1, (size_t)(equals - colon - 1) });
	return rule->pattern != NULL;
}

/* A user's own systemd has units of the names of the host's: init.scope stands for the unit around it there. */
static struct vmad_str unit_of(struct vmad_str cgroup)
{
	struct vmad_str unit = unit_of_cgroup(cgroup), above;

	if (unit.len != 10 || memcmp(unit.p, "init.scope", 10))
		return unit;
	above = unit_of_cgroup((struct vmad_str){ cgroup.p, (size_t)(unit.p - cgroup.p) });
	return above.len ? above : unit;
}

/*
 * A control group that is no unit: its components with dashes between them, as slices are named; a slice has the names
 * of those around it in its own already.
 */
static struct vmad_str join(struct vmad_str cgroup, char to[static CGROUP_MAX])
{
	static const char slice[] = ".slice";
	size_t len = 0;

	for (size_t i = 0; i < cgroup.len && len < CGROUP_MAX; i++) {
		bool after_slice = len >= sizeof(slice) - 1 && !memcmp(to + len - (sizeof(slice) - 1), slice, sizeof(slice) - 1);

		if (cgroup.p[i] != '/')
			to[len++] = cgroup.p[i];
		else if (after_slice && i + 1 < cgroup.len)
			len = 0;
		else if (len)
			to[len++] = '-';
	}
	while (len && to[len - 1] == '-')
		len--;
	return (struct vmad_str){ to, len };
}

/* A process may call itself anything, a path too. */
static struct vmad_str last_component(struct vmad_str comm)
{
	const char *slash = comm.len ? memrchr(comm.p, '/', comm.len) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - comm.p) : 0;

	return (struct vmad_str){ comm.p + skip, comm.len - skip };
}

static const struct group_rule *find_rule(const struct group_rule *rules, size_t count, struct vmad_str cgroup,
					  struct vmad_str unit, struct vmad_str comm)
{
	for (size_t i = 0; i < count; i++) {
		struct vmad_str text = rules[i].of == RULE_COMM ? comm : rules[i].of == RULE_UNIT ? unit : cgroup;

		if (text.len && glob_matches(rules[i].pattern, text))
			return &rules[i];
	}
	return NULL;
}

void group_name(const struct group_rule *rules, size_t rule_count, struct vmad_str cgroup, struct vmad_str comm,
		char to[static GROUP_NAME_MAX])
{
	struct vmad_str unit = unit_of(cgroup), name = unit;
	const struct group_rule *rule = find_rule(rules, rule_count, cgroup, unit, comm);
	char joined[CGROUP_MAX];

	if (rule) {
		memcpy(to, rule->name, GROUP_NAME_MAX);
		return;
	}
	if (!name.len)
		name = join(cgroup, joined);
	if (!name.len)
		name = last_component(comm);
	fold_name(name, to);
	if (!*to)
		memcpy(to, "unnamed", sizeof("unnamed"));
}
