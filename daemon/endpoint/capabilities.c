/* SPDX-License-Identifier: GPL-2.0-or-later */
/* capabilities: what this kernel and these privileges allow for this caller, and why not. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "encode/record.h"
#include "endpoint/query.h"
#include "model/module.h"
#include "source/host.h"
#include "source/pagemap_scan.h"
#include "source/procmap_query.h"

/* One row: what it is, and how to find out. */
struct check {
	const char *name;
	void (*run)(const struct request *request, struct vmad_capability *ret);
};

#define STR(text) ((struct vmad_str){ text, strlen(text) })

static void answer(struct vmad_capability *to, bool available, const char *why, const char *mend)
{
	to->available = available;
	to->why = STR(why);
	if (mend) {
		to->has |= VMAD_HAS(capability, mend);
		to->mend = STR(mend);
	}
}

static void check_vma_queries(const struct request *request, struct vmad_capability *to)
{
	(void)request;
	if (procmap_query_available())
		answer(to, true, "PROCMAP_QUERY: the VMA of an address in microseconds", NULL);
	else
		answer(to, false, "this kernel has no PROCMAP_QUERY; maps is read up to the address instead",
		       "Linux 6.11 or later");
}

static void check_usage(const struct request *request, struct vmad_capability *to)
{
	const struct endpoint_context *context = request->context;
	struct opener_target self = { .pid = getpid(), .want = OPENER_WANT(OPENER_SMAPS_ROLLUP) };
	struct vmad_error err = { 0 };

	if (opener_is_captured(context->opener)) {
		answer(to, true, "smaps and smaps_rollup of the captured tree", NULL);
		return;
	}
	if (opener_open(context->opener, request->caller, &self, 1, &err) < 0)
		answer(to, false, "it could not be found out: vmad is short of memory or descriptors", "ask again");
	else if (self.fd[OPENER_SMAPS_ROLLUP] == -ENOENT)
		answer(to, false, "this kernel has no smaps_rollup",
		       "Linux 4.14 or later, with CONFIG_PROC_PAGE_MONITOR");
	else
		answer(to, true,
		       "resident, proportional and swapped memory (detail=usage); walks the process's page tables",
		       NULL);
	opener_target_close(&self);
}

static void check_other_users(const struct request *request, struct vmad_capability *to)
{
	const struct endpoint_context *context = request->context;

	if (request->caller->class != VMAD_CALLER_ROOT)
		answer(to, false, "the kernel would not show them to you either", "ask as root");
	else if (opener_uid(context->opener) != 0)
		answer(to, false, "this vmad runs as an ordinary user", "start vmad as root");
	else
		answer(to, true, "root sees all processes", NULL);
}

static void check_all_listed(const struct request *request, struct vmad_capability *to)
{
	static const char *const values[] = { "0", "1", "2", "3", "4" };
	const struct endpoint_context *context = request->context;
	int hidepid = context->mountinfo_fd < 0 ? -ENOENT : host_hidepid(context->mountinfo_fd, context->procfs);

	if (hidepid < 0) {
		answer(to, true, "no procfs mount says otherwise", NULL);
		return;
	}
	if (hidepid < (int)(sizeof(values) / sizeof(values[0]))) {
		to->has |= VMAD_HAS(capability, value);
		to->value = STR(values[hidepid]);
	}
	if (hidepid < 2 || request->caller->class == VMAD_CALLER_ROOT)
		answer(to, true, "all processes are listed", NULL);
	else
		answer(to, false, "procfs is mounted with hidepid: other users' processes are not even listed",
		       "ask as root");
}

static void check_facts(const struct request *request, struct vmad_capability *to)
{
	const struct endpoint_context *context = request->context;
	char path[64];

	if (opener_is_captured(context->opener)) {
		answer(to, false, "a captured tree is read: users, control groups and swap are not known", NULL);
		return;
	}
	snprintf(path, sizeof(path), "%.40s/1", context->procfs);
	if (access(path, F_OK) == 0)
		answer(to, true, "users, units, control groups and swap of processes, by libproc2", NULL);
	else
		answer(to, false,
		       "hidepid hides processes from vmad's worker: "
		       "users, units, control groups and swap are not known",
		       "mount procfs with gid= of a group that vmad's user is in");
}

static void check_vma_limit(const struct request *request, struct vmad_capability *to)
{
	static _Thread_local char text[24];
	uint64_t limit = query_vma_limit(request->context);

	if (!limit) {
		answer(to, false, "vm.max_map_count cannot be read, so no shares of it are given", NULL);
		return;
	}
	snprintf(text, sizeof(text), "%llu", (unsigned long long)limit);
	to->has |= VMAD_HAS(capability, value);
	to->value = STR(text);
	answer(to, true, "vm.max_map_count: VMAs that a process may have", NULL);
}

/*
 * Some file is asked about, one that the worker's filter lets it open: only whether the kernel knows the question matters, and
 * not whether it answers.
 */
static void check_page_cache(const struct request *request, struct vmad_capability *to)
{
	const struct endpoint_context *context = request->context;
	struct opener_cache cache;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC), r;

	if (fd < 0) {
		answer(to, false, "vmad cannot open a file of its own to find out", NULL);
		return;
	}
	r = opener_cache(context->opener, request->caller, fd, OPENER_CACHESTAT, 0, 0, &cache, NULL);
	close(fd);
	to->has |= VMAD_HAS(capability, value);
	to->value = r == -ENOSYS ? VMAD_STR("mincore") : VMAD_STR("cachestat");
	if (r == -ENOSYS)
		answer(to, true,
		       "what of a file is cached; this kernel does not tell what is dirty, in writeback or evicted",
		       "Linux 6.5 or later");
	else
		answer(to, true,
		       "what of a file is cached, dirty, in writeback, evicted; for who owns it or may write to it",
		       NULL);
}

static void check_page_scan(const struct request *request, struct vmad_capability *to)
{
	const struct endpoint_context *context = request->context;

	if (opener_is_captured(context->opener))
		answer(to, false, "a captured tree has no page tables", "ask a vmad that reads a live /proc");
	else if (pagemap_scan_categories())
		answer(to, true, "PAGEMAP_SCAN: the pages of sparse memory without reading over what is not there", NULL);
	else
		answer(to, false, "this kernel has no PAGEMAP_SCAN; pagemap is read from end to end, and does not tell huge pages "
		       "and PFN mappings", "Linux 6.7 or later");
}

static void check_frames(const struct request *request, struct vmad_capability *to)
{
	const struct endpoint_context *context = request->context;
	int fd = opener_open_frames(context->opener, request->caller, OPENER_HOST_KPAGEFLAGS);

	if (fd >= 0) {
		close(fd);
		answer(to, true, "numbers and flags of page frames", NULL);
	} else if (request->caller->class != VMAD_CALLER_ROOT) {
		answer(to, false, "frame numbers help rowhammer attacks, so the kernel shows them to root only", "ask as root");
	} else if (opener_uid(context->opener) != 0) {
		answer(to, false, "this vmad runs as an ordinary user", "start vmad as root");
	} else {
		answer(to, false, "there is no /proc/kpageflags here, or root may not read it", "CONFIG_PROC_PAGE_MONITOR, and no lockdown");
	}
}

/* With its version, or why it cannot be had. */
static void check_helper(const struct request *request, struct vmad_capability *to)
{
	static _Thread_local struct module module;
	const struct endpoint_context *context = request->context;

	if (!module_open(context->opener, request->caller, &module)) {
		answer(to, false, module.why, module.mend);
		return;
	}
	to->has |= VMAD_HAS(capability, value);
	to->value = STR(module.info.module);
	answer(to, true, "the helper module: what the kernel's own structures say", NULL);
	module_close(&module);
}

/* What the module can do on this kernel; where it is not there, that was said once. */
static void check_helper_can(const struct request *request, uint64_t capabilities, const char *what,
			     struct vmad_capability *to)
{
	static _Thread_local struct module module;
	const struct endpoint_context *context = request->context;

	module_open(context->opener, request->caller, &module);
	if (module_can(&module, capabilities))
		answer(to, true, what, NULL);
	else
		answer(to, false, module.helper ? module.why : "the helper module adds it", NULL);
	module_close(&module);
}

static void check_helper_vmas(const struct request *request, struct vmad_capability *to)
{
	check_helper_can(request, VMADK_CAN_VMAS | VMADK_CAN_MEMBERS,
			 "raw vm_flags and vm_pgoff, and by symbol what the kernel calls for a VMA", to);
}

/* For some kinds of pages it may, for others not: vmad looks for those by itself. */
static void check_helper_rmap(const struct request *request, struct vmad_capability *to)
{
	static const struct {
		uint64_t capability;
		const char *without;
	} kinds[] = {
		{ VMADK_CAN_RMAP_ANON, "who maps a page, from the kernel's own reverse map; not of anonymous memory" },
		{ VMADK_CAN_RMAP_HUGETLB, "who maps a page, from the kernel's own reverse map; not of hugetlb" },
		{ VMADK_CAN_RMAP_SCAN, "who maps a page, from the kernel's own reverse map; not of KSM and special mappings" },
	};

	check_helper_can(request, VMADK_CAN_RMAP_FILE, "who maps a page, from the kernel's own reverse map", to);
	for (size_t i = 0; to->available && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		check_helper_can(request, VMADK_CAN_RMAP_FILE | kinds[i].capability, to->why.p, to);
		if (!to->available) {
			answer(to, true, kinds[i].without, NULL);
			return;
		}
	}
}

static void check_helper_files(const struct request *request, struct vmad_capability *to)
{
	check_helper_can(request, VMADK_CAN_FILEMAP, "who maps a file, from the kernel's own tree of it", to);
}

static const struct check checks[] = {
	{ "vma-queries", check_vma_queries },
	{ "usage", check_usage },
	{ "page-scan", check_page_scan },
	{ "frames", check_frames },
	{ "other-users-processes", check_other_users },
	{ "hidepid", check_all_listed },
	{ "process-facts", check_facts },
	{ "vma-limit", check_vma_limit },
	{ "page-cache", check_page_cache },
	{ "helper", check_helper },
	{ "helper-vmas", check_helper_vmas },
	{ "helper-rmap", check_helper_rmap },
	{ "helper-files", check_helper_files },
};

#define CHECKS (sizeof(checks) / sizeof(checks[0]))

struct capabilities_list {
	const struct request *request;
	size_t next;
};

static const char *class_name(enum vmad_caller_class class)
{
	switch (class) {
	case VMAD_CALLER_ROOT:
		return "root";
	case VMAD_CALLER_USER:
		return "user";
	case VMAD_CALLER_ANONYMOUS:
		break;
	}
	return "anonymous";
}

static void put_head(void *arg, struct buf *to)
{
	const struct capabilities_list *list = arg;
	const struct endpoint_context *context = list->request->context;
	const struct vmad_caller *caller = list->request->caller;
	struct utsname uts;

	uname(&uts);
	record_put_environment(to, &(struct vmad_environment){
		.kernel = STR(uts.release),
		.machine = STR(uts.machine),
		.page_size_bytes = (uint64_t)sysconf(_SC_PAGESIZE),
		.procfs = STR(context->procfs),
		.daemon_uid = opener_uid(context->opener),
		.caller_uid = caller->uid,
		.caller_gid = caller->gid,
		.caller_class = class_name(caller->class),
		.listener = list->request->listener,
	});
}

static int put_next(void *arg, struct buf *to, struct vmad_error *err)
{
	struct capabilities_list *list = arg;
	struct vmad_capability capability = { 0 };

	(void)err;
	if (list->next == CHECKS)
		return 0;
	capability.capability = checks[list->next].name;
	checks[list->next++].run(list->request, &capability);
	record_put_capability(to, &capability);
	return 1;
}

static void put_tail(void *list, struct buf *to, struct vmad_verdict *verdict)
{
	(void)list;
	(void)to;
	(void)verdict;
}

static const struct list_ops capabilities_ops = {
	.record = "capability", .head = put_head, .next = put_next, .tail = put_tail, .free = free,
};

void endpoint_capabilities(struct request *request)
{
	struct capabilities_list *list = calloc(1, sizeof(*list));

	if (!list) {
		reply_error(request, &(struct vmad_error){ .code = ENOMEM, .operation = "allocate" });
		return;
	}
	list->request = request;
	reply_list(request, &capabilities_ops, list);
}
