/* SPDX-License-Identifier: GPL-2.0-or-later */
/* authority: which Host names this one, and which Origin names that Host. */
#include "unit.h"

#include "http/authority.h"

static void hosts(void **state)
{
	static const char *const own[] = { "localhost", "LocalHost", "localhost:8623", "localhost:" };
	static const char *const foreign[] = {
		"", "localhos", "localhost.evil.example", "localhost:8623.evil.example", "localhost:evil.example", "localhost:8623:1",
		"localhost:-1", "localhost ", " localhost", "evil.localhost", "localhost/", "127.0.0.1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_true(authority_names(own[i], "localhost"));
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_false(authority_names(foreign[i], "localhost"));
	assert_true(authority_names("[::1]:8623", "[::1]"));
	assert_false(authority_names("[::1", "[::1]"));
	assert_false(authority_names("::1", "[::1]"));
}

static void origins(void **state)
{
	static const char *const own[] = { "http://localhost:8623", "https://localhost:8623", "HTTP://LOCALHOST:8623" };
	static const char *const foreign[] = {
		"", "null", "localhost:8623", "http://localhost", "http://localhost:8624", "http://localhost:8623/", "http://evil@localhost:8623",
		"file://localhost:8623", "evil-http://localhost:8623", "http://evil.example://localhost:8623", "http:///localhost:8623",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_true(authority_is_origin("localhost:8623", own[i]));
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_false(authority_is_origin("localhost:8623", foreign[i]));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a name, with a port or without", hosts),
		CASE("the site of that very Host, by HTTP", origins),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
