/* SPDX-License-Identifier: GPL-2.0 */
/* version: of vmad's release; dkms.conf and configure.ac say the same, and a test that they do. */
#ifndef VMADK_VERSION_H
#define VMADK_VERSION_H

#define VMADK_MODULE_VERSION "0.1.0"

#endif
