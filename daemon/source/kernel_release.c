/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kernel_release.h"

#include <errno.h>
#include <stddef.h>
#include <sys/utsname.h>

/* At most nine digits. NULL: there is none, or more. */
static const char *take_number(const char *p, unsigned *ret)
{
	const char *begin = p;

	for (*ret = 0; *p >= '0' && *p <= '9' && p - begin < 9; p++)
		*ret = *ret * 10 + (unsigned)(*p - '0');
	return p > begin && !(*p >= '0' && *p <= '9') ? p : NULL;
}

int kernel_release_parse(const char *text, struct kernel_release *ret)
{
	struct kernel_release parsed;
	const char *p = take_number(text, &parsed.major);

	if (!p || *p != '.' || !take_number(p + 1, &parsed.minor))
		return -EINVAL;
	*ret = parsed;
	return 0;
}

bool kernel_release_is_before(unsigned major, unsigned minor)
{
	struct kernel_release running;
	struct utsname uts;

	if (uname(&uts) < 0 || kernel_release_parse(uts.release, &running) < 0)
		return false;
	return running.major < major || (running.major == major && running.minor < minor);
}
