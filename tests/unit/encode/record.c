/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record: every record of fields.def becomes JSON that jansson reads the same values out of. Filling and comparing are made from
 * the rows, so that a new row is covered by being there.
 */
#include "unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "encode/record.h"

/* What the members hold. */
enum filling {
	NOTHING,	/* zeros; no MAY member, no other record */
	PLAIN,		/* everything is there */
	LARGEST,	/* everything, as large as it gets; strings that need an escape for each byte */
	BROKEN,		/* strings that are not UTF-8 */
	FILLINGS
};

static bool is_filled(enum filling filling)
{
	return filling != NOTHING;
}

static uint64_t number_of(enum filling filling, uint64_t largest)
{
	static uint64_t next = 1;

	return filling == NOTHING ? 0 : filling == LARGEST ? largest : next++;
}

static struct vmad_str string_of(enum filling filling)
{
	static const struct vmad_str strings[FILLINGS] = {
		VMAD_STR(""), VMAD_STR("/usr/lib/a \"quoted\" gr\xc3\xb6\xc3\x9f" "e"),
		VMAD_STR("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18"),
		VMAD_STR("\xff\\\xfe\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
	};

	return strings[filling];
}

#define FILL_ADDR(m, f) (m) = number_of(f, UINT64_MAX)
#define FILL_HEX(m, f) (m) = number_of(f, UINT64_MAX)
#define FILL_DEC(m, f) (m) = number_of(f, UINT64_MAX)
#define FILL_U64(m, f) (m) = number_of(f, INT64_MAX)	/* what jansson can hold */
#define FILL_PID(m, f) (m) = (int32_t)number_of(f, INT32_MAX)
#define FILL_RATIO(m, f) (m) = (double)number_of(f, 1000000000) / 8
#define FILL_BOOL(m, f) (m) = is_filled(f)
#define FILL_PERMS(m, f) memcpy(m, f == NOTHING ? "---p" : "rwxs", 4)
#define FILL_DEVICE(m, f) (m) = number_of(f, UINT64_MAX)
#define FILL_WORD(m, f) (m) = is_filled(f) ? "a-word" : ""
#define FILL_STR(m, f) (m) = string_of(f)
#define FILL_WORDS(m, f) (m) = is_filled(f) ? VMAD_STR("rd  wr ?? ") : VMAD_STR("")
#define FILL_LINES(m, f) (m) = is_filled(f) ? VMAD_STR("top-down from x\naligned \"so\"\n") : VMAD_STR("")
#define FILL_NUMBERS(m, f) (m) = is_filled(f) ? VMAD_STR("1 4194304") : VMAD_STR("")

#define BIT_MUST(record, member) 0
#define BIT_MAY(record, member) VMAD_HAS(record, member)

#define RECORD(record, help)							\
	static void fill_##record(struct vmad_##record *r, enum filling filling)	\
	{									\
		r->has = 0;
#define FIELD(record, member, type, need, json, help)				\
		if (is_filled(filling))						\
			r->has |= BIT_##need(record, member);			\
		FILL_##type(r->member, filling);
#define SUB(record, member, other, json, help)					\
		static struct vmad_##other member;				\
		fill_##other(&member, filling);					\
		r->member = is_filled(filling) ? &member : NULL;
#define LIST(record, member, other, json, help)					\
		static struct vmad_##other member[2];				\
		for (size_t i = 0; i < 2; i++)					\
			fill_##other(&member[i], filling);			\
		r->member = member;						\
		r->member##_count = is_filled(filling) ? 2 : 0;
#define END(record) }
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

static json_t *member_of(json_t *object, const char *name, size_t *count)
{
	json_t *value = json_object_get(object, name);

	if (!value)
		fail_msg("no member %s", name);
	++*count;
	return value;
}

static void expect_text(json_t *value, const char *expected, size_t len)
{
	assert_true(json_is_string(value));
	assert_int_equal(json_string_length(value), len);
	assert_memory_equal(json_string_value(value), expected, len);
}

static void expect_formatted(json_t *value, const char *format, uint64_t a, uint64_t b)
{
	char expected[64];

	snprintf(expected, sizeof(expected), format, a, b);
	expect_text(value, expected, strlen(expected));
}

static void expect_integer(json_t *value, int64_t expected)
{
	assert_true(json_is_integer(value));
	assert_int_equal(json_integer_value(value), expected);
}

static void expect_bytes(json_t *object, const char *name, json_t *value, struct vmad_str string, size_t *count)
{
	char flag[128];

	snprintf(flag, sizeof(flag), "%s_escaped", name);
	if (memchr(string.p, 0xff, string.len)) {
		json_t *escaped = member_of(object, flag, count);

		assert_true(json_is_true(escaped));
		expect_text(value, "\\xff\\\\\\xfe\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff", 46);
	} else {
		assert_null(json_object_get(object, flag));
		expect_text(value, string.p, string.len);
	}
}

static void expect_words(json_t *value, struct vmad_str words)
{
	assert_true(json_is_array(value));
	assert_int_equal(json_array_size(value), words.len ? 3 : 0);
	for (size_t i = 0; i < json_array_size(value); i++)
		expect_text(json_array_get(value, i), ((const char *[]){ "rd", "wr", "??" })[i], 2);
}

static void expect_lines(json_t *value, struct vmad_str lines)
{
	static const char *const expected[] = { "top-down from x", "aligned \"so\"" };

	assert_true(json_is_array(value));
	assert_int_equal(json_array_size(value), lines.len ? 2 : 0);
	for (size_t i = 0; i < json_array_size(value); i++)
		expect_text(json_array_get(value, i), expected[i], strlen(expected[i]));
}

static void expect_numbers(const json_t *value, struct vmad_str numbers)
{
	assert_true(json_is_array(value));
	assert_int_equal(json_array_size(value), numbers.len ? 2 : 0);
	if (!numbers.len)
		return;
	assert_int_equal(json_integer_value(json_array_get(value, 0)), 1);
	assert_int_equal(json_integer_value(json_array_get(value, 1)), 4194304);
}

#define EXPECT_ADDR(o, n, v, m, c) expect_formatted(v, "0x%" PRIx64, m, 0)
#define EXPECT_HEX(o, n, v, m, c) expect_formatted(v, "0x%" PRIx64, m, 0)
#define EXPECT_DEC(o, n, v, m, c) expect_formatted(v, "%" PRIu64, m, 0)
#define EXPECT_U64(o, n, v, m, c) expect_integer(v, (int64_t)(m))
#define EXPECT_PID(o, n, v, m, c) expect_integer(v, m)
#define EXPECT_RATIO(o, n, v, m, c) assert_true(json_is_real(v) && json_real_value(v) == (m))
#define EXPECT_BOOL(o, n, v, m, c) assert_true(json_is_boolean(v) && json_boolean_value(v) == (m))
#define EXPECT_PERMS(o, n, v, m, c) expect_text(v, m, 4)
#define EXPECT_DEVICE(o, n, v, m, c) expect_formatted(v, "%02" PRIx64 ":%02" PRIx64, (m) >> 32, (m) & UINT32_MAX)
#define EXPECT_WORD(o, n, v, m, c) expect_text(v, m, strlen(m))
#define EXPECT_STR(o, n, v, m, c) expect_bytes(o, n, v, m, c)
#define EXPECT_WORDS(o, n, v, m, c) expect_words(v, m)
#define EXPECT_LINES(o, n, v, m, c) expect_lines(v, m)
#define EXPECT_NUMBERS(o, n, v, m, c) expect_numbers(v, m)

#define IS_MUST 1
#define IS_MAY 0

#define RECORD(record, help)							\
	static void expect_##record(json_t *object, const struct vmad_##record *r)	\
	{									\
		size_t count = 0;
#define FIELD(record, member, type, need, json, help)				\
		if (IS_##need || (r->has & VMAD_HAS(record, member))) {		\
			json_t *value = member_of(object, json, &count);	\
			EXPECT_##type(object, json, value, r->member, &count);	\
		}
#define SUB(record, member, other, json, help)					\
		if (r->member)							\
			expect_##other(member_of(object, json, &count), r->member);
#define LIST(record, member, other, json, help)					\
		{								\
			json_t *list = member_of(object, json, &count);		\
			assert_true(json_is_array(list));			\
			assert_int_equal(json_array_size(list), r->member##_count); \
			for (size_t i = 0; i < r->member##_count; i++)		\
				expect_##other(json_array_get(list, i), &r->member[i]); \
		}
#define END(record)								\
		assert_int_equal(json_object_size(object), count);		\
	}
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

static json_t *parse(const struct buf *buf)
{
	json_error_t error;
	json_t *object = json_loadb(buf->p, buf->len, JSON_REJECT_DUPLICATES, &error);

	if (!object)
		fail_msg("%s in %.*s", error.text, (int)buf->len, buf->p);
	return object;
}

/* `before` bytes stand in the buffer already, so that the room runs out at every place. */
#define RECORD(record, help)							\
	static void check_##record(enum filling filling, size_t before)		\
	{									\
		struct buf buf = { 0 };						\
		struct vmad_##record r;						\
		json_t *object;							\
										\
		memset(&r, 0, sizeof(r));					\
		fill_##record(&r, filling);					\
		while (buf.len < before)					\
			buf_puts(&buf, " ");					\
		buf_puts(&buf, "{");						\
		record_put_##record(&buf, &r);					\
		record_close(&buf);						\
		object = parse(&buf);						\
		expect_##record(object, &r);					\
		json_decref(object);						\
		buf_free(&buf);							\
	}									\
										\
	static void all_of_##record(void **state)				\
	{									\
		(void)state;							\
		for (int filling = 0; filling < FILLINGS; filling++)		\
			for (size_t before = 0; before < 1040; before += 13)	\
				check_##record((enum filling)filling, before);	\
	}
#define FIELD(record, member, type, need, json, help)
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END

/* Each MAY member alone: none hangs on another one's bit. */
static void one_by_one(void **state)
{
	const struct vmad_usage none = { 0 };
	struct vmad_usage usage = { 0 };
	json_t *empty = json_object();

	(void)state;
	expect_usage(empty, &none);
	json_decref(empty);
	for (int bit = 0; bit < VMAD_BITS_usage; bit++) {
		struct buf buf = { 0 };
		json_t *object;

		fill_usage(&usage, PLAIN);
		usage.has = UINT64_C(1) << bit;
		buf_puts(&buf, "{");
		record_put_usage(&buf, &usage);
		record_close(&buf);
		object = parse(&buf);
		assert_int_equal(json_object_size(object), 1);
		expect_usage(object, &usage);
		json_decref(object);
		buf_free(&buf);
	}
}

static void runs(void **state)
{
	struct vmad_gap gap = { .start = 1, .end = 2, .size_bytes = 1 };
	struct vmad_health health = { .status = "ok" };
	struct buf buf = { 0 };

	(void)state;
	buf_puts(&buf, "{");
	record_put_gap(&buf, &gap);
	record_put_health(&buf, &health);
	record_close(&buf);
	buf_put(&buf, "", 1);
	assert_string_equal(buf.p, "{\"start\":\"0x1\",\"end\":\"0x2\",\"size_bytes\":1,\"status\":\"ok\"}");
	buf_free(&buf);
}

static void unknown_keys(void **state)
{
	static const struct {
		const char *key, *value, *expected;
	} rows[] = {
		{ "Rss", "12 kB", "{\"smaps_rss_bytes\":12288}" },		/* a row of fields.def has that name */
		{ "Name", "[anon:x]", "{\"smaps_name\":\"[anon:x]\"}" },	/* Android's */
		{ "Zswapped", "0 kB", "{\"zswapped_bytes\":0}" },
		{ "Zswapped", "7", "{\"zswapped\":7}" },
		{ "Pss_Future", "1 kB", "{\"pss_future_bytes\":1024}" },
		{ "FutureHugePages", "1 kB", "{\"future_huge_pages_bytes\":1024}" },
		{ "MMUFutureSize", "4 kB", "{\"mmu_future_size_bytes\":4096}" },
		{ "KSMx", "1", "{\"ks_mx\":1}" },
		{ "Foo-Bar Baz", "1", "{\"foo_bar_baz\":1}" },
		{ "\xc3\xb6", "1", "{\"__\":1}" },
		{ "Quote\"d", "1", "{\"quote_d\":1}" },
		{ "X2Y", "1", "{\"x2y\":1}" },
		{ "Words", "rd wr", "{\"words\":\"rd wr\"}" },
		{ "Negative", "-1", "{\"negative\":\"-1\"}" },
		{ "Empty", "", "{\"empty\":\"\"}" },
		{ "Blank", "kB", "{\"blank\":\"kB\"}" },
		{ "Megabytes", "1 MB", "{\"megabytes\":\"1 MB\"}" },
		{ "Close", "1 kBx", "{\"close\":\"1 kBx\"}" },
		{ "Utmost", "18446744073709551615", "{\"utmost\":18446744073709551615}" },
		{ "Beyond", "18446744073709551616", "{\"beyond\":\"18446744073709551616\"}" },
		{ "LargestKib", "18014398509481983 kB", "{\"largest_kib_bytes\":18446744073709550592}" },
		{ "BeyondKib", "18014398509481984 kB", "{\"beyond_kib\":\"18014398509481984 kB\"}" },
		{ "Bad", "\xff", "{\"bad\":\"\\\\xff\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf buf = { 0 };

		buf_puts(&buf, "{");
		record_put_unknown(&buf, (struct vmad_str){ rows[i].key, strlen(rows[i].key) },
				   (struct vmad_str){ rows[i].value, strlen(rows[i].value) });
		record_close(&buf);
		buf_put(&buf, "", 1);
		assert_string_equal(buf.p, rows[i].expected);
		buf_free(&buf);
	}
}

static void no_memory(void **state)
{
	struct buf buf = { .failed = true };
	struct vmad_lookup lookup;

	(void)state;
	memset(&lookup, 0, sizeof(lookup));
	fill_lookup(&lookup, LARGEST);
	record_put_lookup(&buf, &lookup);
	record_put_unknown(&buf, VMAD_STR("Key"), VMAD_STR("1"));
	assert_null(buf.p);
	assert_int_equal(buf.len, 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
#define RECORD(record, help) CASE("record " #record, all_of_##record),
#define FIELD(record, member, type, need, json, help)
#define SUB(record, member, other, json, help)
#define END(record)
#include "vmad/fields.def"
#undef RECORD
#undef FIELD
#undef SUB
#undef END
		CASE("each member that may be there, alone", one_by_one),
		CASE("records one behind the other in one object", runs),
		CASE("keys of smaps that vmad does not know", unknown_keys),
		CASE("no memory: nothing is written", no_memory),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
