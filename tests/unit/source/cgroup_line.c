/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup_line: of several hierarchies, the one that systemd thinks in. */
#include "unit.h"

#include <string.h>

#include "source/cgroup_line.h"

static struct vmad_str parse(const char *text)
{
	struct vmad_str bytes = guarded(text, strlen(text));

	return cgroup_line_parse(bytes.p, bytes.len);
}

static void unified(void **state)
{
	(void)state;
	assert_str(parse("0::/system.slice/nginx.service\n"), "/system.slice/nginx.service");
	assert_str(parse("0::/"), "/");
	assert_str(parse("4:memory:/m\n1:name=systemd:/s\n0::/u\n"), "/u");
}

static void older(void **state)
{
	(void)state;
	assert_str(parse("4:memory:/m\n1:name=systemd:/s:with:colons\n"), "/s:with:colons");
	assert_str(parse("4:memory,cpu:/m\n2:cpuset:/\n"), "/m");
}

static void none(void **state)
{
	static const char *const texts[] = { "", "\n", "0", "0:", "0::", "0::\n", "0::relative\n", "nothing at all\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(parse(texts[i]).len, 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("version 2 wins", unified),
		CASE("else systemd's own, else the first", older),
		CASE("what is no such line gives no path", none),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
