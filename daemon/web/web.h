/* SPDX-License-Identifier: GPL-2.0-or-later */
/* web: the page at /, as it was embedded by the build: what stands in local.mk, by embed. */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include "http/site.h"

extern const struct site_file web_files[];

#endif
