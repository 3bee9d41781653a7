/* SPDX-License-Identifier: GPL-2.0-or-later */
/* accepted: what is asked for by name, and what is refused by its weight. */
#include "unit.h"

#include "http/accepted.h"

static void codings(void **state)
{
	static const char *const yes[] = {
		"gzip", "GZIP", " gzip", "gzip ", "deflate, gzip", "br,gzip;q=0.1", "gzip;q=1.0, identity", "gzip ; q=0.001", "identity;q=0, gzip", ",,gzip",
		"gzip;level=0", "gzip;q=1;level=0",
	};
	static const char *const no[] = {
		NULL, "", "identity", "xgzip", "gzipx", "gzip;q=0", "gzip; q=0.000", "deflate;q=1", "*", "x-gzip", "br, gzip;q=0", "gzip;level=1;Q=0 , br",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(accepted_names(yes[i], "gzip"));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(accepted_names(no[i], "gzip"));
}

static void media_types(void **state)
{
	static const char *const yes[] = {
		"application/x-ndjson", "Application/X-NDJSON", "application/json;q=0.5, application/x-ndjson", "application/x-ndjson;charset=utf-8, */*;q=0.1",
	};
	static const char *const no[] = {
		"*/*", "application/*", "application/json", "application/x-ndjson;q=0", "application/x-ndjson; charset=utf-8; q=0.0", "application/x-ndjsonx",
		"text/application/x-ndjson",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
		assert_true(accepted_names(yes[i], "application/x-ndjson"));
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		assert_false(accepted_names(no[i], "application/x-ndjson"));
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("Accept-Encoding values that ask for gzip, and those that do not", codings),
		CASE("Accept values that ask for NDJSON, and those that do not", media_types),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
