/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smaps: keys of this kernel, of old ones and of ones to come. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "source/smaps.h"

#define HAS(usage, member) (((usage).has & VMAD_HAS(usage, member)) != 0)

/* Unknown keys as they come, one string: "key=value;". */
struct unknown {
	char text[256];
};

static void note_unknown(void *arg, struct vmad_str key, struct vmad_str value)
{
	struct unknown *unknown = arg;
	size_t len = strlen(unknown->text);

	snprintf(unknown->text + len, sizeof(unknown->text) - len, "%.*s=%.*s;", (int)key.len, key.p, (int)value.len, value.p);
}

static struct vmad_usage parse(struct vmad_str text, struct unknown *unknown)
{
	struct vmad_usage usage;

	if (unknown)
		*unknown = (struct unknown){ 0 };
	assert_int_equal(smaps_parse_keys(text.p, text.len, &usage, unknown ? note_unknown : NULL, unknown), 0);
	return usage;
}

static struct vmad_usage parse_text(const char *text, struct unknown *unknown)
{
	return parse(guarded(text, strlen(text)), unknown);
}

/* The keys of record number n of a smaps file. */
static struct vmad_str record_keys(const char *path, size_t n)
{
	struct vmad_str text = fixture(path);
	size_t keys, len;

	for (; (len = smaps_record_length(text.p, text.len, &keys)) && n > 0; n--) {
		text.p += len;
		text.len -= len;
	}
	assert_int_equal(n, 0);
	return (struct vmad_str){ text.p + keys, (len ? len : text.len) - keys };
}

static void this_kernel(void **state)
{
	struct unknown unknown;
	struct vmad_usage usage = parse(record_keys("linux-6.18/4242/smaps", 0), &unknown);

	(void)state;
	assert_int_equal(usage.kernel_page_size_bytes, 4096);
	assert_int_equal(usage.rss_bytes, 8192);
	assert_int_equal(usage.pss_bytes, 2048);
	assert_int_equal(usage.shared_clean_bytes, 8192);
	assert_true(HAS(usage, pss_dirty_bytes) && HAS(usage, ksm_bytes) && HAS(usage, locked_bytes));
	assert_true(HAS(usage, thp_eligible));
	assert_false(usage.thp_eligible);
	assert_false(HAS(usage, protection_key));
	assert_str(usage.flags, "rd mr mw me");
	assert_string_equal(unknown.text, "");
}

static void linux_3_8(void **state)
{
	struct unknown unknown;
	struct vmad_usage usage = parse(record_keys("linux-3.8/700/smaps", 0), &unknown);

	(void)state;
	assert_int_equal(usage.rss_bytes, 4096);
	assert_true(HAS(usage, anonymous_bytes));
	assert_false(HAS(usage, pss_dirty_bytes) || HAS(usage, ksm_bytes) || HAS(usage, thp_eligible) ||
		     HAS(usage, protection_key) || HAS(usage, swap_pss_bytes) || HAS(usage, lazy_free_bytes));
	assert_str(usage.flags, "rd ex mr mw me dw");
	assert_string_equal(unknown.text, "");
}

static void linux_2_6(void **state)
{
	struct vmad_usage usage = parse(record_keys("linux-2.6/600/smaps", 4), NULL);

	(void)state;
	assert_true(HAS(usage, rss_bytes) && HAS(usage, mmu_page_size_bytes));
	assert_false(HAS(usage, anonymous_bytes) || HAS(usage, flags));
}

static void keys_to_come(void **state)
{
	struct unknown unknown;
	struct vmad_usage usage = parse(record_keys("odd/100/smaps", 0), &unknown);

	(void)state;
	assert_string_equal(unknown.text, "Future_Pages=12 kB;Future_Count=7;Future_Words=ab cd;");
	assert_true(HAS(usage, anonymous_bytes) && HAS(usage, ksm_bytes));
	assert_str(usage.flags, "rd mr ?? zz sl");
	assert_int_equal(parse(record_keys("odd/100/smaps", 0), NULL).rss_bytes, 4096);
}

static void empty_flags(void **state)
{
	struct vmad_usage usage = parse(record_keys("odd/100/smaps", 1), NULL);

	(void)state;
	assert_true(HAS(usage, flags));
	assert_int_equal(usage.flags.len, 0);
	usage = parse_text("VmFlags:\n", NULL);
	assert_true(HAS(usage, flags));
	assert_int_equal(usage.flags.len, 0);
}

static void hugetlb(void **state)
{
	struct vmad_usage usage = parse(record_keys("odd/102/smaps", 1), NULL);

	(void)state;
	assert_int_equal(usage.rss_bytes, 0);
	assert_int_equal(usage.shared_hugetlb_bytes, 2 << 20);
	assert_int_equal(usage.private_hugetlb_bytes, 2 << 20);
	assert_int_equal(usage.kernel_page_size_bytes, 2 << 20);
}

static void rollup(void **state)
{
	struct vmad_str text = fixture("linux-6.18/4242/smaps_rollup");
	struct unknown unknown;
	struct vmad_usage usage;
	size_t keys;

	(void)state;
	assert_int_equal(smaps_record_length(text.p, text.len, &keys), 0);
	usage = parse((struct vmad_str){ text.p + keys, text.len - keys }, &unknown);
	assert_true(HAS(usage, pss_anon_bytes) && HAS(usage, pss_file_bytes) && HAS(usage, pss_shmem_bytes));
	assert_int_equal(usage.pss_anon_bytes + usage.pss_file_bytes + usage.pss_shmem_bytes, usage.pss_bytes);
	assert_false(HAS(usage, flags) || HAS(usage, kernel_page_size_bytes) || HAS(usage, thp_eligible));
	assert_string_equal(unknown.text, "");
}

static void any_order(void **state)
{
	struct vmad_usage usage = parse_text("VmFlags: rd\nSwapPss: 3 kB\nSwap: 2 kB\nRss: 1 kB\nProtectionKey: 15\nTHPeligible: 1", NULL);

	(void)state;
	assert_str(usage.flags, "rd");
	assert_int_equal(usage.swap_pss_bytes, 3072);
	assert_int_equal(usage.swap_bytes, 2048);
	assert_int_equal(usage.rss_bytes, 1024);
	assert_int_equal(usage.protection_key, 15);
	assert_true(usage.thp_eligible);
	assert_int_equal(usage.has, VMAD_HAS(usage, flags) | VMAD_HAS(usage, swap_pss_bytes) | VMAD_HAS(usage, swap_bytes) |
			 VMAD_HAS(usage, rss_bytes) | VMAD_HAS(usage, protection_key) | VMAD_HAS(usage, thp_eligible));
}

static void alike_names(void **state)
{
	struct unknown unknown;
	struct vmad_usage usage = parse_text("Rss_Foo: 9 kB\nPs: 9 kB\nSwapP: 9 kB\nRssFoo: 9\n", &unknown);

	(void)state;
	assert_int_equal(usage.has, 0);
	assert_string_equal(unknown.text, "Rss_Foo=9 kB;Ps=9 kB;SwapP=9 kB;RssFoo=9;");
}

static void bad_values(void **state)
{
	static const char *const texts[] = {
		"Rss: x kB\n", "Rss: 1\n", "Rss: 1 MB\n", "Rss:\n", "Rss: kB\n", "Rss: -1 kB\n", "Rss: 1 kBx\n", "Rss",
		"Rss: 18014398509481984 kB\n", "Rss: 99999999999999999999 kB\n", "THPeligible: yes\n", "ProtectionKey: 1 kB\n",
		"Pss: 4 kB\nno colon here\n", ": 1 kB\n", "\n",
	};
	struct vmad_usage usage;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct vmad_str text = guarded(texts[i], strlen(texts[i]));

		if (smaps_parse_keys(text.p, text.len, &usage, NULL, NULL) != -EINVAL)
			fail_msg("accepted: %s", texts[i]);
	}
	assert_int_equal(usage.has, 0);
}

static void largest_value(void **state)
{
	(void)state;
	assert_int_equal(parse_text("Rss: 18014398509481983 kB\n", NULL).rss_bytes, UINT64_MAX - 1023);
}

/* Whatever of a record is there: the next one's first byte decides, not a guess. */
static void needs_the_next_record(void **state)
{
	struct vmad_str text = fixture("odd/100/smaps");
	size_t keys, len = smaps_record_length(text.p, text.len, &keys);

	(void)state;
	assert_int_equal(keys, strlen("7f0000000000-7f0000001000 r--p 00000000 fe:00 77                         /lib/future.so\n"));
	assert_memory_equal(text.p + len, "7f0000001000-", 13);
	for (size_t cut = 0; cut <= len; cut++) {
		struct vmad_str part = guarded(text.p, cut);

		assert_int_equal(smaps_record_length(part.p, part.len, &keys), 0);
	}
	assert_int_equal(smaps_record_length(text.p, len + 1, &keys), len);
}

static size_t count_records(const char *path)
{
	struct vmad_str text = fixture(path);
	size_t count = 0, keys, len;

	for (; text.len; count++) {
		len = smaps_record_length(text.p, text.len, &keys);
		if (!len)
			len = text.len;
		parse((struct vmad_str){ text.p + keys, len - keys }, NULL);
		text.p += len;
		text.len -= len;
	}
	return count;
}

static void every_tree(void **state)
{
	(void)state;
	assert_int_equal(count_records("linux-6.18/4242/smaps"), 37);
	assert_int_equal(count_records("linux-3.8/700/smaps"), 6);
	assert_int_equal(count_records("linux-2.6/600/smaps"), 5);
	assert_int_equal(count_records("odd/101/smaps"), 7);
	assert_int_equal(count_records("odd/102/smaps"), 15);
	assert_int_equal(count_records("odd/109/smaps"), 1);
	assert_int_equal(count_records("odd/2/smaps"), 0);
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("a record of Linux 6.18", this_kernel),
		CASE("Linux 3.8: what it does not print is absent", linux_3_8),
		CASE("Linux 2.6: no VmFlags", linux_2_6),
		CASE("unknown keys and flags pass through", keys_to_come),
		CASE("an empty VmFlags line is there, and empty", empty_flags),
		CASE("hugetlb is outside Rss", hugetlb),
		CASE("smaps_rollup has keys of its own", rollup),
		CASE("keys in any order, and no newline at the end", any_order),
		CASE("a key that begins like a known one is another", alike_names),
		CASE("values that are none are refused", bad_values),
		CASE("the largest value that fits", largest_value),
		CASE("a record is whole when the next one begins", needs_the_next_record),
		CASE("every record of the captured trees", every_tree),
	};

	return cmocka_run_group_tests(cases, NULL, NULL);
}
