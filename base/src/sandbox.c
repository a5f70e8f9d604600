/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>

#include <gv/sandbox.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WITH_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif

static const char *const modes[] = {[GV_SANDBOX_OFF] = "off",
                                    [GV_SANDBOX_LOG] = "log",
                                    [GV_SANDBOX_ENFORCE] = "enforce",
                                    [GV_SANDBOX_KILL] = "kill"};

int gv_sandbox_parse(const char *text, enum gv_sandbox_mode *mode)
{
	for (size_t i = 0; i < GV_ARRAY_LEN(modes); i++) {
		if (strcmp(text, modes[i]) != 0)
			continue;
		*mode = (enum gv_sandbox_mode)i;
		return 0;
	}
	return -EINVAL;
}

#ifdef GV_WITH_SECCOMP
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define IOCTL_TYPE      0xff00u /* bits of an ioctl number that say whose it is */
#define IOCTL_TYPE_VFIO (';' << 8)

enum gv_sandbox_mode gv_sandbox_default(void)
{
#ifdef WITH_SANITIZER
	return GV_SANDBOX_LOG;
#else
	return GV_SANDBOX_ENFORCE;
#endif
}

/* What serving takes: found by strace under all system tests, then rounded up to whole families, as
 * another C library may take a sibling. Names that an architecture does not have are left out. */
static const char *const allowed[] = {
        /* memory */
        "brk", "munmap", "mremap", "madvise", "mlock", "mlock2", "munlock", "membarrier",
        "memfd_create", "ftruncate", "fallocate",
        /* threads and signals */
        "futex", "set_robust_list", "rseq", "exit", "exit_group", "sched_yield",
        "sched_getaffinity", "getcpu", "gettid", "getpid", "getppid", "tgkill", "rt_sigprocmask",
        "rt_sigaction", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack", "restart_syscall",
        /* time */
        "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
        "timerfd_create", "timerfd_settime", "timerfd_gettime",
        /* descriptors */
        "read", "readv", "write", "writev", "pread64", "pwrite64", "preadv", "pwritev", "lseek",
        "close", "close_range", "fcntl", "dup", "dup2", "dup3", "poll", "ppoll", "select",
        "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
        "eventfd2", "signalfd4", "pipe2", "sendfile",
        /* sockets */
        "bind", "listen", "accept", "accept4", "connect", "getsockname", "getpeername",
        "getsockopt", "setsockopt", "shutdown", "sendto", "sendmsg", "sendmmsg", "recvfrom",
        "recvmsg", "recvmmsg",
        /* files: rights are the user's; modes change only on what is ours */
        "open", "openat", "openat2", "fstat", "stat", "lstat", "newfstatat", "statx", "statfs",
        "fstatfs", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64",
        "getcwd", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "mkdir",
        "mkdirat", "symlinkat", "fchmod", "fchmodat", "umask", "flock", "fsync", "fdatasync",
        "fadvise64", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
        /* about ourselves and the machine */
        "getuid", "geteuid", "getgid", "getegid", "getgroups", "getrandom", "getrlimit",
        "getrusage", "uname", "sysinfo", "times"};

struct filter {
	scmp_filter_ctx ctx;
	int rc;
};

static int number(const char *name)
{
	return seccomp_syscall_resolve_name(name);
}

static void allow(struct filter *f, const char *name)
{
	int nr = number(name);

	if (!f->rc && nr != __NR_SCMP_ERROR)
		f->rc = seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, nr, 0);
}

/* Only where argument @arg is @value in the bits of @mask. */
static void allow_if(struct filter *f, const char *name, unsigned arg, uint64_t mask,
                     uint64_t value)
{
	int nr = number(name);

	if (!f->rc && nr != __NR_SCMP_ERROR)
		f->rc = seccomp_rule_add(f->ctx, SCMP_ACT_ALLOW, nr, 1,
		                         SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, mask, value));
}

/* Memory is written or executed; what is executed comes from a file (libraries of libvirt). */
static void allow_memory(struct filter *f)
{
	const uint64_t both = PROT_WRITE | PROT_EXEC;

	allow_if(f, "mmap", 2, both, 0);
	allow_if(f, "mmap", 2, both, PROT_WRITE);
	allow_if(f, "mmap", 2, both, PROT_EXEC);
	allow_if(f, "mprotect", 2, PROT_EXEC, 0);
}

/* New threads, no new processes. The flags of clone3() are out of a filter's reach: where it is not
 * implemented, the C library takes clone(). */
static void allow_threads(struct filter *f)
{
	if (!f->rc)
		f->rc = seccomp_rule_add(f->ctx, SCMP_ACT_ERRNO(ENOSYS), number("clone3"), 0);
	allow_if(f, "clone", 0, CLONE_THREAD, CLONE_THREAD);
	allow_if(f, "prctl", 0, UINT32_MAX, PR_SET_NAME);
	allow_if(f, "prctl", 0, UINT32_MAX, PR_GET_NAME);
	allow_if(f, "prctl", 0, UINT32_MAX, PR_SET_VMA);
	allow_if(f, "prlimit64", 2, UINT64_MAX, 0); /* asks, sets nothing */
	allow_if(f, "sched_getattr", 0, UINT32_MAX, 0);
	allow_if(f, "sched_setattr", 0, UINT32_MAX,
	         0); /* of its own: the kernel knows its limits */
}

static void allow_sockets(struct filter *f, bool inet)
{
	allow_if(f, "socket", 0, UINT32_MAX, AF_UNIX);
	allow_if(f, "socketpair", 0, UINT32_MAX, AF_UNIX);
	if (inet)
		allow_if(f, "socket", 0, UINT32_MAX, AF_INET);
}

static void allow_ioctls(struct filter *f, bool vfio)
{
	allow_if(f, "ioctl", 1, UINT32_MAX, FIONREAD);
	allow_if(f, "ioctl", 1, UINT32_MAX, FIONBIO);
	allow_if(f, "ioctl", 1, UINT32_MAX, TCGETS); /* isatty() */
	if (vfio)
		allow_if(f, "ioctl", 1, IOCTL_TYPE, IOCTL_TYPE_VFIO);
}

static uint32_t otherwise(enum gv_sandbox_mode mode)
{
	if (mode == GV_SANDBOX_LOG)
		return SCMP_ACT_LOG;
	return mode == GV_SANDBOX_KILL ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM);
}

int gv_sandbox_enter(enum gv_sandbox_mode mode, unsigned needs, struct gv_err *err)
{
	struct filter f = {.rc = 0};

	if (mode == GV_SANDBOX_OFF)
		return 0;
	f.ctx = seccomp_init(otherwise(mode));
	if (!f.ctx)
		return gv_fail(err, -ENOMEM, "no memory for the system call filter");
	for (size_t i = 0; i < GV_ARRAY_LEN(allowed); i++)
		allow(&f, allowed[i]);
	allow_memory(&f);
	allow_threads(&f);
	allow_sockets(&f, needs & GV_SANDBOX_INET);
	allow_ioctls(&f, needs & GV_SANDBOX_VFIO);
	if (!f.rc)
		f.rc = seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!f.rc)
		f.rc = seccomp_load(f.ctx);
	seccomp_release(f.ctx);
	return f.rc ? gv_fail(err, f.rc, "system call filter: %s (--seccomp off does without)",
	                      strerror(-f.rc))
	            : 0;
}

#else

enum gv_sandbox_mode gv_sandbox_default(void)
{
	return GV_SANDBOX_OFF;
}

int gv_sandbox_enter(enum gv_sandbox_mode mode, unsigned needs, struct gv_err *err)
{
	(void)needs;
	return mode == GV_SANDBOX_OFF
	               ? 0
	               : gv_fail(err, -ENOTSUP, "--seccomp %s: this build has no libseccomp",
	                         modes[mode]);
}

#endif
