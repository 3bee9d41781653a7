/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/module.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char loading[] = "build it and load it: make -C contrib/kmod, insmod contrib/kmod/vmad.ko (see vmad(8))";
static const char matching[] = "take vmad and its module of the same release: rmmod vmad, then load that one";

/* What an errno of opening it, or of its first question, means. */
static const struct {
	int code;
	const char *why, *mend;
} refusals[] = {
	{ ENOENT, VMADK_DEVICE " is missing: the helper module is not loaded", loading },
	{ ENODEV, VMADK_DEVICE " is there, but no module behind it", loading },
	{ ENXIO, VMADK_DEVICE " is there, but no module behind it", loading },
	{ EOPNOTSUPP, "a captured tree is read: the helper module knows of this kernel only", "ask a vmad that reads a live /proc" },
	{ EACCES, "vmad may not open " VMADK_DEVICE,
	  "start vmad as root, outside of containers, with DeviceAllow=" VMADK_DEVICE " rw where its unit has a DevicePolicy=" },
	{ EPERM, "the kernel does not let vmad open " VMADK_DEVICE,
	  "it takes CAP_SYS_ADMIN in the initial user namespace" },
	{ ENOTTY, "what answers at " VMADK_DEVICE " is not the helper module", matching },
	{ EPROTO, "the helper module answers what makes no sense", matching },
};

static void say(struct module *module, const char *why, const char *mend)
{
	snprintf(module->why, sizeof(module->why), "%s", why);
	module->mend = mend;
}

static void explain(struct module *module, const struct vmad_caller *caller, int code)
{
	if (caller->class != VMAD_CALLER_ROOT) {
		say(module, "what the kernel's own structs say is told to root only", "ask as root");
		return;
	}
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].code == code) {
			say(module, refusals[i].why, refusals[i].mend);
			return;
		}
	}
	module->mend = code == EPROTONOSUPPORT ? matching : NULL;
	if (code == EPROTONOSUPPORT)
		snprintf(module->why, sizeof(module->why),
			 "the helper module speaks version %u of the protocol, this vmad version %u", (unsigned)module->info.abi,
			 (unsigned)VMADK_ABI);
	else
		snprintf(module->why, sizeof(module->why), VMADK_DEVICE ": %s", strerrordesc_np(code));
}

bool module_open(struct opener *opener, const struct vmad_caller *caller, struct module *ret_module)
{
	int fd = opener_open_helper(opener, caller), r;

	*ret_module = (struct module){ 0 };
	r = fd < 0 ? fd : helper_new(fd, &ret_module->info, &ret_module->helper, NULL);
	if (r < 0)
		explain(ret_module, caller, -r);
	return r == 0;
}

void module_close(struct module *module)
{
	helper_free(module->helper);
	module->helper = NULL;
}

/* The module's own reason for the first capability that is missing. */
static void explain_missing(struct module *module, uint64_t missing)
{
	const struct helper_info *info = &module->info;
	const char *reason = "it does not say why";

	for (size_t i = 0; i < info->reason_count; i++) {
		if (info->reasons[i].capability & missing) {
			reason = info->reasons[i].text;
			break;
		}
	}
	snprintf(module->why, sizeof(module->why), "the helper module cannot do it on this kernel: %s", reason);
	module->mend = NULL;
}

bool module_can(struct module *module, uint64_t capabilities)
{
	if (!module->helper)
		return false;
	if (helper_can(module->helper, capabilities))
		return true;
	explain_missing(module, capabilities & ~module->info.capabilities);
	return false;
}
