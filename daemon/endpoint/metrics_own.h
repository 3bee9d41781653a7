/* SPDX-License-Identifier: GPL-2.0-or-later */
/* metrics_own: what vmad counts of itself, and what the kernel says of it, as metrics. */
#ifndef ENDPOINT_METRICS_OWN_H
#define ENDPOINT_METRICS_OWN_H

#include "encode/buf.h"

void metrics_own_put(struct buf *to);

#endif
