/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stat_parse(): what it takes says the same when it is printed as the kernel does, with nothing but zeros between; and was in the input. */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "source/stat.h"

static void print_again(const struct stat_facts *facts)
{
	struct stat_facts again;
	char text[512];
	int len = snprintf(text, sizeof(text), "%" PRId32 " (", facts->pid);

	memcpy(text + len, facts->comm, facts->comm_len);
	len += (int)facts->comm_len;
	len += snprintf(text + len, sizeof(text) - (size_t)len,
			") %c %" PRId32 " 0 0 0 -1 %" PRIu64 " 0 0 0 0 0 0 0 0 -20 0 %" PRIu64 " 0 %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			facts->state, facts->ppid, facts->flags, facts->threads, facts->start_time_ticks, facts->vm_size_bytes,
			facts->rss_pages);
	MUST(stat_parse(text, (size_t)len, &again) == 0);
	MUST(again.pid == facts->pid && again.ppid == facts->ppid && again.state == facts->state && again.flags == facts->flags);
	MUST(again.comm_len == facts->comm_len && !memcmp(again.comm, facts->comm, facts->comm_len));
	MUST(again.threads == facts->threads && again.start_time_ticks == facts->start_time_ticks);
	MUST(again.vm_size_bytes == facts->vm_size_bytes && again.rss_pages == facts->rss_pages);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct stat_facts facts;

	if (stat_parse((const char *)data, size, &facts) < 0)
		return 0;
	MUST(facts.pid >= 0);
	MUST(facts.comm_len <= sizeof(facts.comm));
	MUST(memmem(data, size, facts.comm, facts.comm_len));
	print_again(&facts);
	return 0;
}
