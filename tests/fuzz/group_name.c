/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * group_rule_parse(), group_name() and fold_name(): the first line is a rule, the second a control group, the rest what a process calls itself.
 * A name is one that a label of Prometheus may hold: it ends, and is UTF-8 (as jansson sees it) without control characters.
 */
#include "fuzz.h"

#include <jansson.h>
#include <string.h>

#include "sampler/fold.h"
#include "sampler/group_name.h"

static struct vmad_str take_line(struct vmad_str *text)
{
	const char *newline = text->len ? memchr(text->p, '\n', text->len) : NULL;
	struct vmad_str line = { text->p, newline ? (size_t)(newline - text->p) : text->len };

	text->p += line.len + (newline != NULL);
	text->len -= line.len + (newline != NULL);
	return line;
}

static void check(const char *name)
{
	size_t len = strnlen(name, GROUP_NAME_MAX);
	json_t *string = json_stringn(name, len);

	MUST(len < GROUP_NAME_MAX && string);
	json_decref(string);
	MUST(!strstr(name, "**"));
	for (const char *p = name; *p; p++) {
		MUST((unsigned char)*p >= ' ' && *p != 0x7f);
		MUST((unsigned char)p[0] != 0xc2 || (unsigned char)p[1] >= 0xa0);
	}
}

static void parse_rule(struct vmad_str text, struct group_rule *rule)
{
	char *copy = vmad_str_copy(text);
	const char *what = NULL;

	MUST(copy);
	rule->pattern = NULL;
	if (group_rule_parse(copy, rule, &what)) {
		MUST(rule->of <= RULE_CGROUP && strlen(rule->name) > 0 && strlen(rule->name) < GROUP_NAME_MAX);
		MUST(strlen(rule->pattern) > 0 && strstr(copy, rule->pattern));
	} else {
		MUST(!rule->pattern && what);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmad_str text = { (const char *)data, size }, rule_text = take_line(&text), cgroup = take_line(&text);
	char name[GROUP_NAME_MAX], with_rule[GROUP_NAME_MAX];
	struct group_rule rule;

	fold_name(text, name);
	check(name);
	group_name(NULL, 0, cgroup, text, name);
	check(name);
	MUST(*name);
	parse_rule(rule_text, &rule);
	group_name(&rule, rule.pattern != NULL, cgroup, text, with_rule);
	MUST(!strcmp(with_rule, name) || (rule.pattern && !strcmp(with_rule, rule.name)));
	free(rule.pattern);
	return 0;
}
