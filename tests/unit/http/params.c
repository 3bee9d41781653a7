/* SPDX-License-Identifier: GPL-2.0-or-later */
/* params: from text to typed values, and what is none. */
#include "unit.h"

#include <errno.h>
#include <string.h>

#include "http/params.h"

struct row {
	enum param_id id;
	const char *text;
	uint64_t number, address;
};

static const struct row good[] = {
	{ PARAM_pid, "1", 1, 0 },
	{ PARAM_pid, "4194304", 4194304, 0 },
	{ PARAM_pid, "0042", 42, 0 },
	{ PARAM_addr, "0", 0, 0 },
	{ PARAM_addr, "0x7fFfF00", 0x7ffff00, 0 },
	{ PARAM_addr, "10", 0x10, 0 },
	{ PARAM_addr, "0XFFFFFFFFFFFFFFFF", UINT64_MAX, 0 },
	{ PARAM_addr, "0000000000000000000001", 1, 0 },
	{ PARAM_max_age_ms, "0", 0, 0 },
	{ PARAM_max_age_ms, "18446744073709551615", UINT64_MAX, 0 },
	{ PARAM_min_size_bytes, "0", 0, 0 },
	{ PARAM_min_size_bytes, "1K", 1024, 0 },
	{ PARAM_min_size_bytes, "3T", UINT64_C(3) << 40, 0 },
	{ PARAM_min_size_bytes, "16777215T", UINT64_C(16777215) << 40, 0 },
	{ PARAM_limit, "1", 1, 0 },
	{ PARAM_deleted, "true", 1, 0 },
	{ PARAM_deleted, "false", 0, 0 },
	{ PARAM_uid, "0", 0, 0 },
	{ PARAM_uid, "4294967294", 4294967294, 0 },
	{ PARAM_comm, "*", 0, 0 },
	{ PARAM_perms, "r-xp", 0, 0 },
	{ PARAM_perms, "....", 0, 0 },
	{ PARAM_kind, "private-anon", 1, 0 },
	{ PARAM_kind, "shared-anon,private-anon,shared-anon", 3, 0 },
	{ PARAM_detail_vmas, "maps", 0, 0 },
	{ PARAM_detail_vmas, "usage", 1, 0 },
	{ PARAM_detail_process, "usage", 0, 0 },
	{ PARAM_cursor, "42", 42, 0 },
	{ PARAM_cursor, "0:7f10a2c28000", 0, 0x7f10a2c28000 },
	{ PARAM_cursor, "4194304:0xffffffffffffffff", 4194304, UINT64_MAX },
};

static const struct row bad[] = {
	{ PARAM_pid, "0", 0, 0 }, { PARAM_pid, "", 0, 0 }, { PARAM_pid, "-1", 0, 0 }, { PARAM_pid, "+1", 0, 0 }, { PARAM_pid, " 1", 0, 0 },
	{ PARAM_pid, "1 ", 0, 0 }, { PARAM_pid, "4194305", 0, 0 }, { PARAM_pid, "99999999999", 0, 0 }, { PARAM_pid, "0x1", 0, 0 },
	{ PARAM_pid, "18446744073709551617", 0, 0 }, { PARAM_pid, "1e3", 0, 0 },
	{ PARAM_addr, "", 0, 0 }, { PARAM_addr, "0x", 0, 0 }, { PARAM_addr, "x1", 0, 0 }, { PARAM_addr, "0x0x1", 0, 0 }, { PARAM_addr, "-1", 0, 0 },
	{ PARAM_addr, "g", 0, 0 }, { PARAM_addr, "0x10000000000000000", 0, 0 }, { PARAM_addr, "1ffffffffffffffff", 0, 0 }, { PARAM_addr, "1 ", 0, 0 },
	{ PARAM_max_age_ms, "18446744073709551616", 0, 0 }, { PARAM_max_age_ms, "99999999999999999999999", 0, 0 },
	{ PARAM_min_size_bytes, "K", 0, 0 }, { PARAM_min_size_bytes, "1k", 0, 0 }, { PARAM_min_size_bytes, "1KK", 0, 0 },
	{ PARAM_min_size_bytes, "16777216T", 0, 0 }, { PARAM_min_size_bytes, "", 0, 0 }, { PARAM_min_size_bytes, "1.5K", 0, 0 },
	{ PARAM_limit, "0", 0, 0 }, { PARAM_deadline_ms, "0", 0, 0 },
	{ PARAM_deleted, "True", 0, 0 }, { PARAM_deleted, "1", 0, 0 }, { PARAM_deleted, "", 0, 0 },
	{ PARAM_uid, "4294967295", 0, 0 }, { PARAM_uid, "root", 0, 0 },
	{ PARAM_comm, "", 0, 0 },
	{ PARAM_perms, "r-x", 0, 0 }, { PARAM_perms, "r-xpp", 0, 0 }, { PARAM_perms, "xr-p", 0, 0 }, { PARAM_perms, "", 0, 0 },
	{ PARAM_kind, "", 0, 0 }, { PARAM_kind, ",", 0, 0 }, { PARAM_kind, "heap,", 0, 0 }, { PARAM_kind, "private-ano", 0, 0 },
	{ PARAM_kind, "private-anonx", 0, 0 }, { PARAM_kind, "Heap", 0, 0 },
	{ PARAM_detail_vmas, "map", 0, 0 }, { PARAM_detail_vmas, "maps,usage", 0, 0 }, { PARAM_detail_vmas, "", 0, 0 }, { PARAM_detail_process, "maps", 0, 0 },
	{ PARAM_cursor, "", 0, 0 }, { PARAM_cursor, ":", 0, 0 }, { PARAM_cursor, "1:", 0, 0 }, { PARAM_cursor, ":1", 0, 0 },
	{ PARAM_cursor, "1:1:1", 0, 0 }, { PARAM_cursor, "4194305", 0, 0 },
};

static void values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct param_value value = { 0 };

		if (param_parse(good[i].id, good[i].text, &value) < 0)
			fail_msg("%s=%s is refused", params[good[i].id].name, good[i].text);
		assert_true(value.given);
		assert_int_equal(value.number, good[i].number);
		assert_int_equal(value.address, good[i].address);
		assert_ptr_equal(value.text, good[i].text);
	}
}

static void refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct param_value value = { .number = 77 };

		if (param_parse(bad[i].id, bad[i].text, &value) != -EINVAL)
			fail_msg("%s=%s is taken", params[bad[i].id].name, bad[i].text);
		assert_false(value.given);
		assert_int_equal(value.number, 77);
	}
}

static void every_kind(void **state)
{
	static const char *const names[] = {
#define KIND(id, name, help) name,
#include "vmad/kinds.def"
#undef KIND
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct param_value value = { 0 };

		assert_int_equal(param_parse(PARAM_kind, names[i], &value), 0);
		assert_int_equal(value.number, UINT64_C(1) << i);
	}
}

/* What a problem says of a parameter's type. */
static void words(void **state)
{
	(void)state;
	for (int id = PARAM_none + 1; id < PARAMS; id++) {
		assert_true(strlen(param_type_words(params[id].type)) > 4);
		assert_true(strlen(params[id].name) > 0 && strlen(params[id].help) > 0);
	}
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("texts and their values", values),
		CASE("texts that are none: refused, and nothing is touched", refusals),
		CASE("every kind is a bit, in the order of kinds.def", every_kind),
		CASE("every type has words for what it wants", words),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
