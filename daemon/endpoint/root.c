/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint/root.h"

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
