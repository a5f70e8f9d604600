/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Memory that a client gave us is a file that the client can shorten at any time; touching what
 * is gone raises SIGBUS in whichever thread did. The handler puts zeros there,
 * to the end of the window as the file ends before, and counts: that client's data is lost, by
 * its own doing, and nobody else notices. Page by page would let a client split one window into
 * more than the kernel grants the whole process.
 *
 * The list is global because signal handlers are. It is guarded by a spin lock that no one holds
 * while touching client memory, and only faults (never a sent signal) make the handler take it,
 * so it cannot meet itself.
 */
#include <signal.h>
#include <string.h>
#include <sched.h>
#include <sys/mman.h>

#include "server_priv.h"

static atomic_flag list_busy = ATOMIC_FLAG_INIT;
static struct vfus_window *list;
static _Atomic uint64_t zero_pages;
static struct sigaction before;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int install_rc;

static void lock_list(void)
{
	while (atomic_flag_test_and_set_explicit(&list_busy, memory_order_acquire))
		(void)sched_yield();
}

static void unlock_list(void)
{
	atomic_flag_clear_explicit(&list_busy, memory_order_release);
}

/* A huge page cannot be replaced in part: then the whole window becomes zeros. */
static bool put_zeros(struct vfus_window *w, uintptr_t at)
{
	const int prot = PROT_READ | PROT_WRITE,
	          flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	uint8_t *page = (uint8_t *)(at & ~(uintptr_t)(GV_VFU_PAGE - 1));
	size_t rest = w->bytes - (size_t)(page - w->cpu);

	atomic_store(&w->damaged, true);
	return mmap(page, rest, prot, flags, -1, 0) != MAP_FAILED ||
	       mmap(w->cpu, w->bytes, prot, flags, -1, 0) != MAP_FAILED;
}

static bool repair(uintptr_t at)
{
	bool ok = false;

	lock_list();
	for (struct vfus_window *w = list; w && !ok; w = w->next_guarded)
		if (at >= (uintptr_t)w->cpu && at - (uintptr_t)w->cpu < w->bytes)
			ok = put_zeros(w, at);
	unlock_list();
	return ok;
}

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	int saved = errno;

	if (info->si_code > 0 && repair((uintptr_t)info->si_addr)) {
		atomic_fetch_add(&zero_pages, 1);
	} else if (before.sa_flags & SA_SIGINFO) {
		before.sa_sigaction(sig, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(sig);
	} else { /* the access repeats and ends the process as it would have without us */
		(void)signal(sig, SIG_DFL);
		if (info->si_code <= 0)
			(void)raise(sig);
	}
	errno = saved;
}

static void install(void)
{
	struct sigaction sa = {.sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_RESTART};

	(void)sigemptyset(&sa.sa_mask);
	install_rc = sigaction(SIGBUS, &sa, &before) ? -errno : 0;
}

int vfus_guard_install(void)
{
	(void)pthread_once(&once, install);
	return install_rc;
}

void vfus_guard_add(struct vfus_window *window)
{
	lock_list();
	window->next_guarded = list;
	list = window;
	unlock_list();
}

void vfus_guard_remove(struct vfus_window *window)
{
	lock_list();
	for (struct vfus_window **at = &list; *at; at = &(*at)->next_guarded)
		if (*at == window) {
			*at = window->next_guarded;
			break;
		}
	unlock_list();
}

uint64_t vfus_guard_zero_pages(void)
{
	return atomic_load(&zero_pages);
}
