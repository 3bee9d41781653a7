/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint/root.h"

#include "endpoint/endpoint.h"

bool root_only(struct request *request, const char *why)
{
	struct problem problem;

	if (request->caller->class == VMAD_CALLER_ROOT)
		return true;
	problem_set(&problem, PROBLEM_NOT_ALLOWED, "%s", why);
	problem.mend = "run it as root, or ask an administrator";
	reply_problem(request, &problem);
	return false;
}

const char *why_no_frames(const struct request *request)
{
	const struct endpoint_context *context = request->context;

	if (request->caller->class != VMAD_CALLER_ROOT)
		return "root only, because frame numbers help rowhammer attacks";
	if (opener_uid(context->opener) != 0)
		return "this vmad runs as an ordinary user";
	return "this kernel has no /proc/kpageflags, or does not let root read it";
}

bool root_with_module(struct request *request, uint64_t capabilities, struct module *ret_module)
{
	const struct endpoint_context *context = request->context;
	struct problem problem;

	if (!root_only(request, "what the kernel's own structures say is told to root only"))
		return false;
	module_open(context->opener, request->caller, ret_module);
	if (module_can(ret_module, capabilities))
		return true;
	module_close(ret_module);
	problem_set(&problem, PROBLEM_NOT_AVAILABLE, "%s", ret_module->why);
	problem.mend = ret_module->mend;
	reply_problem(request, &problem);
	return false;
}
