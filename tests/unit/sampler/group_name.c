/* SPDX-License-Identifier: GPL-2.0-or-later */
/* group_name: rules, then the unit, then the control group, then the name. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "sampler/group_name.h"

static const char *name_of(const struct group_rule *rules, size_t count, const char *cgroup, const char *comm)
{
	static char name[GROUP_NAME_MAX];

	group_name(rules, count, guarded(cgroup, strlen(cgroup)), guarded(comm, strlen(comm)), name);
	return name;
}

static void without_rules(void **state)
{
	static const struct { const char *cgroup, *comm, *name; } rows[] = {
		{ "/system.slice/nginx.service", "nginx", "nginx.service" },
		{ "/user.slice/user-1000.slice/session-3.scope", "bash", "session-*.scope" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-foo-12.scope", "foo", "app-foo-*.scope" },
		{ "/user.slice/user-1000.slice/user@1000.service/init.scope", "systemd", "user@*.service" },
		{ "/init.scope", "systemd", "init.scope" },
		{ "/kubepods/burstable/pod12345678-abcd-12ab-34cd-1234567890ab/0123456789abcdef01", "java",
		  "kubepods-burstable-pod*-*" },
		{ "/docker/0123456789abcdef", "java", "docker-*" },
		{ "/lxc/web/", "init", "lxc-web" },
		{ "/a.slice/a-b.slice", "x", "a-b.slice" },
		{ "/", "/usr/bin/thing", "thing" },
		{ "", "worker-1234", "worker-*" },
		{ "/", "", "unnamed" },
		{ "/", "/", "unnamed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(name_of(NULL, 0, rows[i].cgroup, rows[i].comm), rows[i].name);
}

static void with_rules(void **state)
{
	struct group_rule rules[3];
	const char *what;

	(void)state;
	assert_true(group_rule_parse("unit:app-*=apps", &rules[0], &what));
	assert_true(group_rule_parse("comm:a=b*=odd", &rules[1], &what));
	assert_true(group_rule_parse("cgroup:/kubepods/*=pods", &rules[2], &what));
	assert_string_equal(name_of(rules, 3, "/app.slice/app-x.service", "a=b"), "apps");
	assert_string_equal(name_of(rules, 3, "/system.slice/x.service", "a=bc"), "odd");
	assert_string_equal(name_of(rules, 3, "/kubepods/pod1/2", "x"), "pods");
	assert_string_equal(name_of(rules, 3, "/system.slice/x.service", "x"), "x.service");
	for (int i = 0; i < 3; i++)
		free(rules[i].pattern);
}

static void wrong_rules(void **state)
{
	static const char *const texts[] = {
		"", "comm", "comm:", "comm:x", "comm:=x", "comm:x=", "user:x=y", "comm=x:y", "comm:x=" "0123456789012345678901234567890123456789012345678901234567890123",
	};
	struct group_rule rule;
	const char *what;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		what = NULL;
		assert_false(group_rule_parse(texts[i], &rule, &what));
		assert_non_null(what);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a unit, else a control group, else a name without its path", without_rules),
		CASE("the first rule that matches comes before all that", with_rules),
		CASE("what is no rule is refused, with a reason", wrong_rules),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
