// SPDX-License-Identifier: GPL-2.0
/* info: what this module can do on this kernel, and why not more. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/utsname.h>

#include "array.h"
#include "requests.h"
#include "version.h"

#ifdef VMADK_TREES
#define TREES true
#else
#define TREES false
#endif

/* text: what is missing, where it is. */
static const struct {
	bool there;
	struct vmadk_reason reason;
} capabilities[] = {
	{ true, { VMADK_CAN_VMAS, "" } },
	{ IS_ENABLED(CONFIG_KALLSYMS),
	  { VMADK_CAN_MEMBERS, "the kernel has no table of its symbols (CONFIG_KALLSYMS)" } },
	{ TREES, { VMADK_CAN_RMAP_FILE, "the module was not tried on this kernel: only on 6.1, 6.12 and 7.2, x86-64" } },
	{ TREES, { VMADK_CAN_RMAP_ANON, "the module was not tried on this kernel: only on 6.1, 6.12 and 7.2, x86-64" } },
	{ TREES && IS_ENABLED(CONFIG_HUGETLB_PAGE),
	  { VMADK_CAN_RMAP_HUGETLB, "the kernel has no hugetlb, or the module was not tried on it" } },
	{ TREES, { VMADK_CAN_RMAP_SCAN, "the module was not tried on this kernel: only on 6.1, 6.12 and 7.2, x86-64" } },
	{ TREES, { VMADK_CAN_FILEMAP, "the module was not tried on this kernel: only on 6.1, 6.12 and 7.2, x86-64" } },
};

static int add_reason(struct vmadk_info *info, const struct vmadk_reason *reason)
{
	if (info->reasons.count < info->reasons.room)
		return array_append(&info->reasons, reason, 1);
	info->reasons.count++;
	return 0;
}

int request_info(struct vmadk_info *info)
{
	int r = array_check(&info->reasons, VMADK_REASON_WIDTH);
	size_t i;

	if (info->flags)
		return -EINVAL;
	info->abi = VMADK_ABI;
	info->page_shift = PAGE_SHIFT;
	info->capabilities = 0;
	info->reasons.count = 0;
	for (i = 0; i < ARRAY_SIZE(capabilities) && !r; i++) {
		if (capabilities[i].there)
			info->capabilities |= capabilities[i].reason.capability;
		else
			r = add_reason(info, &capabilities[i].reason);
	}
	memset(info->kernel, 0, sizeof(info->kernel));
	strscpy(info->kernel, init_utsname()->release, sizeof(info->kernel));
	memset(info->module, 0, sizeof(info->module));
	strscpy(info->module, VMADK_MODULE_VERSION, sizeof(info->module));
	return r;
}
