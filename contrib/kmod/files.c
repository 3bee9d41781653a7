// SPDX-License-Identifier: GPL-2.0
/* files: file and range -> the VMAs that map it. */
#include <linux/dcache.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kdev_t.h>
#include <linux/minmax.h>

#include "findings.h"
#include "requests.h"
#include "trees.h"

/*
 * What mappings of the file are mappings of: with overlayfs the page cache is that of the real file, else the
 * file's own, which for a block device is not its inode's.
 */
static struct address_space *mapping_of(const struct file *file)
{
	const struct dentry *dentry = file->f_path.dentry;
	struct inode *real = d_real_inode(dentry);

	return real && real != d_inode(dentry) ? real->i_mapping : file->f_mapping;
}

static void walk(struct findings *findings, struct address_space *mapping, pgoff_t first, pgoff_t last)
{
	struct vm_area_struct *vma;

	i_mmap_lock_read(mapping);
	tree_for_each_vma(vma, &mapping->i_mmap, first, last)
		findings_add(findings, vma, tree_address(vma, max(first, vma->vm_pgoff)), VMADK_STATE_UNREAD, 0);
	i_mmap_unlock_read(mapping);
}

static void describe(struct vmadk_filemap *filemap, const struct inode *inode)
{
	filemap->inode = inode->i_ino;
	filemap->device_major = MAJOR(inode->i_sb->s_dev);
	filemap->device_minor = MINOR(inode->i_sb->s_dev);
}

/* Also of one that was opened with O_PATH, but not of a mere path to a socket or a driver without a mapping. */
static int look_up(struct vmadk_filemap *filemap, struct findings *findings)
{
	struct file *file = fget_raw(filemap->fd);
	struct address_space *mapping;

	if (!file)
		return -EBADF;
	mapping = mapping_of(file);
	if (mapping && mapping->host) {
		describe(filemap, mapping->host);
		walk(findings, mapping, filemap->first, filemap->last);
	}
	fput(file);
	return mapping && mapping->host ? 0 : -EINVAL;
}

int request_filemap(struct vmadk_filemap *filemap)
{
	const struct finding_arrays arrays = { &filemap->mappings, &filemap->pids, &filemap->strings };
	struct findings findings = {};
	int r = filemap->flags || filemap->first > filemap->last ? -EINVAL : findings_init(&findings, &arrays);

	if (!r)
		r = look_up(filemap, &findings);
	if (!r)
		r = findings_write(&findings, &arrays, &filemap->result);
	findings_free(&findings);
	return r;
}
