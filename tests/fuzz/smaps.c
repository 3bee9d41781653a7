/* SPDX-License-Identifier: GPL-2.0-or-later */
/* smaps: the input is cut into records, and the keys of each are parsed; of keys that are taken each is held against its last line. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "source/smaps.h"

#define KIB(text, member) { text ":", 1024, offsetof(struct vmad_usage, member), VMAD_HAS(usage, member) }

static const struct {
	const char *key;
	uint64_t unit;
	size_t offset;
	uint64_t has;
} numbers[] = {
	KIB("KernelPageSize", kernel_page_size_bytes), KIB("MMUPageSize", mmu_page_size_bytes), KIB("Rss", rss_bytes), KIB("Pss", pss_bytes),
	KIB("Pss_Dirty", pss_dirty_bytes), KIB("Shared_Clean", shared_clean_bytes), KIB("Shared_Dirty", shared_dirty_bytes),
	KIB("Private_Clean", private_clean_bytes), KIB("Private_Dirty", private_dirty_bytes), KIB("Referenced", referenced_bytes),
	KIB("Anonymous", anonymous_bytes), KIB("KSM", ksm_bytes), KIB("LazyFree", lazy_free_bytes), KIB("AnonHugePages", anon_huge_pages_bytes),
	KIB("ShmemPmdMapped", shmem_pmd_mapped_bytes), KIB("FilePmdMapped", file_pmd_mapped_bytes), KIB("Shared_Hugetlb", shared_hugetlb_bytes),
	KIB("Private_Hugetlb", private_hugetlb_bytes), KIB("Swap", swap_bytes), KIB("SwapPss", swap_pss_bytes), KIB("Locked", locked_bytes),
	KIB("Pss_Anon", pss_anon_bytes), KIB("Pss_File", pss_file_bytes), KIB("Pss_Shmem", pss_shmem_bytes),
	{ "ProtectionKey:", 1, offsetof(struct vmad_usage, protection_key), VMAD_HAS(usage, protection_key) },
};

struct span {
	const char *begin, *end;
};

static int is_in(const struct span *span, struct vmad_str str)
{
	return str.p >= span->begin && str.p + str.len <= span->end;
}

static void check_unknown(void *arg, struct vmad_str key, struct vmad_str value)
{
	MUST(is_in(arg, key) && is_in(arg, value));
	MUST(key.len > 0);
}

/* What stands behind the key in the last line that begins with it; NULL: there is none. A NUL is no digit. */
static const char *last_line(const char *text, size_t len, const char *key)
{
	const char *found = NULL;

	for (const char *line = text, *newline; line < text + len; line = newline ? newline + 1 : text + len) {
		newline = memchr(line, '\n', (size_t)(text + len - line));
		if (!strncmp(line, key, strlen(key)))
			found = line + strlen(key);
	}
	return found;
}

static void look_again(const char *keys, size_t len, const struct vmad_usage *usage)
{
	char *text = malloc(len + 1);

	MUST(text);
	memcpy(text, keys, len);
	text[len] = '\0';
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const char *digits = last_line(text, len, numbers[i].key);

		MUST(!(usage->has & numbers[i].has) == !digits);
		if (digits)
			MUST(*(const uint64_t *)((const char *)usage + numbers[i].offset) == strtoull(digits, NULL, 10) * numbers[i].unit);
	}
	free(text);
}

static void parse_keys(const char *keys, size_t len)
{
	struct span span = { keys, keys + len };
	struct vmad_usage usage, again;
	int r = smaps_parse_keys(keys, len, &usage, check_unknown, &span);

	MUST((usage.has >> VMAD_BITS_usage) == 0);
	if (r == 0)
		look_again(keys, len, &usage);
	if (usage.has & VMAD_HAS(usage, flags))
		MUST(is_in(&span, usage.flags));
	MUST(smaps_parse_keys(keys, len, &again, NULL, NULL) == r);
	MUST(again.has == usage.has);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	parse_keys(bytes, size);
	while (size) {
		size_t keys, len = smaps_record_length(bytes, size, &keys);

		MUST(len <= size && keys <= (len ? len : size) && keys > 0);
		if (!len)
			len = size;
		parse_keys(bytes + keys, len - keys);
		bytes += len;
		size -= len;
	}
	return 0;
}
