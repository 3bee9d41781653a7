/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_vmas: what the module says is joined to what maps has said; they are of different moments. */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/standin.h"
#include "model/kernel_vmas.h"

static struct module module;
static struct target target;

static struct kernel_vmas *list_of(const char *text)
{
	struct kernel_vmas *vmas;

	standin_text(text);
	assert_int_equal(helper_new_with(open("/dev/null", O_RDONLY | O_CLOEXEC), standin_ioctl, &module.info,
					 &module.helper, NULL), 0);
	assert_int_equal(kernel_vmas_new(&module, &target, 0, 0, &vmas, NULL), 0);
	return vmas;
}

static void end(struct kernel_vmas *vmas)
{
	kernel_vmas_free(vmas);
	module_close(&module);
}

static int set_up(void **state)
{
	(void)state;
	target.files.pid = 7;
	target.files.fd[OPENER_STAT] = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	return target.files.fd[OPENER_STAT] < 0;
}

static int tear_down(void **state)
{
	(void)state;
	return close(target.files.fd[OPENER_STAT]);
}

static const char some[] = "info 1 0x7f\n"
	"table shmem_vm_ops - fault=shmem_fault\n"
	"vma 7 0x1000 0x3000 0xfb 0 shmem_vm_ops shmem_file_operations shmem_aops 0x5\n"
	"vma 7 0x3000 0x4000 0x73 0x3 - - - 0x2\n"
	"vma 7 0x9000 0xa000 0x75 0x7 ? - - 0\n";

static void joined(void **state)
{
	struct kernel_vmas *vmas = list_of(some);
	const struct vmad_kernel *kernel = kernel_vmas_at(vmas, 0x1000, 0x3000);

	(void)state;
	assert_non_null(kernel);
	assert_int_equal(kernel->vm_flags, 0xfb);
	assert_true(kernel->has & VMAD_HAS(kernel, vm_ops) && kernel->has & VMAD_HAS(kernel, file_inode));
	assert_false(kernel->has & VMAD_HAS(kernel, vm_ops_module));
	assert_true(kernel->has_vm_ops && kernel->has_private_data && !kernel->has_anon_vma);
	assert_string_equal(kernel->vm_ops, "shmem_vm_ops");
	assert_string_equal(kernel->a_ops, "shmem_aops");
	kernel = kernel_vmas_at(vmas, 0x3000, 0x4000);
	assert_non_null(kernel);
	assert_false(kernel->has_vm_ops || kernel->has & VMAD_HAS(kernel, vm_ops));
	assert_false(kernel->has & VMAD_HAS(kernel, file_inode));
	/* One without a symbol is there all the same. */
	kernel = kernel_vmas_at(vmas, 0x9000, 0xa000);
	assert_non_null(kernel);
	assert_true(kernel->has_vm_ops && !(kernel->has & VMAD_HAS(kernel, vm_ops)));
	assert_null(kernel_vmas_at(vmas, 0xffffffffff600000, 0xffffffffff601000));
	assert_int_equal(kernel_vmas_error(vmas), 0);
	end(vmas);
}

static void changed_meanwhile(void **state)
{
	struct kernel_vmas *vmas = list_of(some);

	(void)state;
	assert_null(kernel_vmas_at(vmas, 0x1000, 0x2000));
	assert_null(kernel_vmas_at(vmas, 0x2000, 0x3000));
	assert_non_null(kernel_vmas_at(vmas, 0x3000, 0x4000));
	assert_null(kernel_vmas_at(vmas, 0x5000, 0x6000));
	assert_non_null(kernel_vmas_at(vmas, 0x9000, 0xa000));
	end(vmas);
}

static void the_module_fails(void **state)
{
	struct kernel_vmas *vmas = list_of("generation 2\ninfo 1 0x7f\nfail VMAS 71 1\n");

	(void)state;
	assert_null(kernel_vmas_at(vmas, 0x1000, 0x3000));
	assert_null(kernel_vmas_at(vmas, 0x3000, 0x4000));
	assert_int_equal(kernel_vmas_error(vmas), -EPROTO);
	end(vmas);
	/* A process that is gone is what maps tells by itself. */
	vmas = list_of("info 1 0x7f\n");
	assert_null(kernel_vmas_at(vmas, 0x1000, 0x3000));
	assert_int_equal(kernel_vmas_error(vmas), 0);
	end(vmas);
}

/* The pid may be another process's by now: nothing that the module says of it is told. */
static void the_pid_is_anothers(void **state)
{
	int own = target.files.fd[OPENER_STAT];
	char path[32];
	pid_t child = fork();
	struct kernel_vmas *vmas;

	(void)state;
	if (child == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
	target.files.fd[OPENER_STAT] = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	vmas = list_of(some);
	assert_null(kernel_vmas_at(vmas, 0x1000, 0x3000));
	assert_null(kernel_vmas_at(vmas, 0x3000, 0x4000));
	end(vmas);
	close(target.files.fd[OPENER_STAT]);
	target.files.fd[OPENER_STAT] = own;
}

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE("what belongs to the same VMA is joined", joined),
		CASE("what changed meanwhile is left out, and the rest is not", changed_meanwhile),
		CASE("a module that fails", the_module_fails),
		CASE("a pid that was given to another process", the_pid_is_anothers),
	};

	return cmocka_run_group_tests(cases, set_up, tear_down);
}
