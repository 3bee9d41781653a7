// SPDX-License-Identifier: GPL-2.0
/* device: /dev/vmad, who may use it, and the way of a request from the caller's memory to its handler and back. */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "requests.h"
#include "version.h"

union request {
	u32 size;
	struct vmadk_info info;
	struct vmadk_vmas vmas;
	struct vmadk_rmap rmap;
	struct vmadk_filemap filemap;
};

static int run_info(union request *request)
{
	return request_info(&request->info);
}

static int run_vmas(union request *request)
{
	return request_vmas(&request->vmas);
}

static int run_rmap(union request *request)
{
	return request_rmap(&request->rmap);
}

static int run_filemap(union request *request)
{
	return request_filemap(&request->filemap);
}

/* least: the size in version 1 of the protocol; no caller knows a shorter one. */
static const struct command {
	unsigned int number;
	u32 least, size;
	int (*run)(union request *request);
} commands[] = {
	{ VMADK_IOC_INFO, VMADK_INFO_SIZE, sizeof(struct vmadk_info), run_info },
	{ VMADK_IOC_VMAS, VMADK_VMAS_SIZE, sizeof(struct vmadk_vmas), run_vmas },
	{ VMADK_IOC_RMAP, VMADK_RMAP_SIZE, sizeof(struct vmadk_rmap), run_rmap },
	{ VMADK_IOC_FILEMAP, VMADK_FILEMAP_SIZE, sizeof(struct vmadk_filemap), run_filemap },
};

static const struct command *find_command(unsigned int number)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (commands[i].number == number)
			return &commands[i];
	}
	return NULL;
}

static int read_request(const struct command *command, const void __user *from, union request *request)
{
	u32 size;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < command->least)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(request, command->size, from, size);
}

static long vmadk_ioctl(struct file *file, unsigned int number, unsigned long arg)
{
	const struct command *command = find_command(number);
	void __user *caller = (void __user *)arg;
	union request request = {};
	u32 size;
	int r;

	/* The one who opened it, not the one who holds it now: that one may have no capability at all. */
	if (!file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN))
		return -EPERM;
	if (!command)
		return -ENOTTY;
	r = read_request(command, caller, &request);
	if (r)
		return r;
	size = min(request.size, command->size);
	r = command->run(&request);
	if (r)
		return r;
	return copy_to_user(caller, &request, size) ? -EFAULT : 0;
}

static int vmadk_open(struct inode *inode, struct file *file)
{
	return capable(CAP_SYS_ADMIN) ? nonseekable_open(inode, file) : -EPERM;
}

static const struct file_operations vmadk_fops = {
	.owner = THIS_MODULE,
	.open = vmadk_open,
	.unlocked_ioctl = vmadk_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice vmadk_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmad",
	.mode = 0600,
	.fops = &vmadk_fops,
};

static void check_layout(void)
{
	BUILD_BUG_ON(sizeof(struct vmadk_array) != 24);
	BUILD_BUG_ON(sizeof(struct vmadk_string) != VMADK_STRING_WIDTH);
	BUILD_BUG_ON(sizeof(struct vmadk_reason) != VMADK_REASON_WIDTH);
	BUILD_BUG_ON(sizeof(struct vmadk_info) != VMADK_INFO_SIZE);
	BUILD_BUG_ON(sizeof(struct vmadk_vma) != VMADK_VMA_WIDTH);
	BUILD_BUG_ON(sizeof(struct vmadk_table) != VMADK_TABLE_WIDTH);
	BUILD_BUG_ON(sizeof(struct vmadk_member) != VMADK_MEMBER_WIDTH);
	BUILD_BUG_ON(sizeof(struct vmadk_vmas) != VMADK_VMAS_SIZE);
	BUILD_BUG_ON(sizeof(struct vmadk_mapping) != VMADK_MAPPING_WIDTH);
	BUILD_BUG_ON(sizeof(struct vmadk_pid) != VMADK_PID_WIDTH);
	BUILD_BUG_ON(sizeof(struct vmadk_rmap) != VMADK_RMAP_SIZE);
	BUILD_BUG_ON(sizeof(struct vmadk_filemap) != VMADK_FILEMAP_SIZE);
}

static int __init vmadk_init(void)
{
	check_layout();
	return misc_register(&vmadk_device);
}

static void __exit vmadk_exit(void)
{
	misc_deregister(&vmadk_device);
}

module_init(vmadk_init);
module_exit(vmadk_exit);
MODULE_DESCRIPTION("vmad's view of the kernel's memory management, read-only");
MODULE_LICENSE("GPL");
MODULE_VERSION(VMADK_MODULE_VERSION);
