/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a GPU virtual address to host memory: windows kept by a run, and copies across them. */
#include <errno.h>

#include "state.h"

void cu_mem_check_generation(struct gv_cu_run *run)
{
	uint64_t now = __atomic_load_n(run->d.mem.generation, __ATOMIC_ACQUIRE);

	if (now == run->generation)
		return;
	memset(run->window, 0, sizeof(run->window));
	memset(run->big_window, 0, sizeof(run->big_window));
	memset(run->site, 0, sizeof(run->site));
	run->generation = now;
	cu_code_forget(run);
}

/* Windows are kept in sets of CU_WAYS. Buffers often start at 64 KiB borders: pages that far apart
 * are to be in different sets. */
static struct gv_cu_window *window_set(struct gv_cu_run *run, uint64_t va)
{
	return run->window[((va >> 12) + (va >> 16) * 7) % CU_WINDOWS];
}

/* So may several buffers of a power of two. */
static struct gv_cu_window *big_set(struct gv_cu_run *run, uint64_t va)
{
	return run->big_window[((va >> CU_BIG_SHIFT) + (va >> (CU_BIG_SHIFT + 4)) * 5) %
	                       CU_BIG_WINDOWS];
}

static bool serves(const struct gv_cu_window *w, uint64_t va, unsigned access)
{
	return va - w->va_base < w->bytes && (w->access & access) == access;
}

/* The window of @va if the run has it, else NULL. */
static const struct gv_cu_window *kept(struct gv_cu_run *run, uint64_t va, unsigned access)
{
	const struct gv_cu_window *big = big_set(run, va), *w = window_set(run, va);

	for (unsigned n = 0; n < CU_WAYS; n++)
		if (serves(&big[n], va, access))
			return &big[n];
	for (unsigned n = 0; n < CU_WAYS; n++)
		if (serves(&w[n], va, access))
			return &w[n];
	return NULL;
}

/* In front; what was there longest goes. */
static const struct gv_cu_window *keep(struct gv_cu_window *set, const struct gv_cu_window *w)
{
	for (unsigned n = CU_WAYS - 1; n > 0; n--)
		set[n] = set[n - 1];
	set[0] = *w;
	return set;
}

/* The window of @va, asked for if the run does not hold it. 0, -EFAULT, -EAGAIN. */
static int find_window(struct gv_cu_run *run, uint64_t va, unsigned access,
                       const struct gv_cu_window **found)
{
	struct gv_cu_window fresh;
	int rc;

	*found = kept(run, va, access);
	if (*found)
		return 0;
	memset(&fresh, 0, sizeof(fresh));
	rc = run->d.mem.translate(run->d.mem.ctx, va, access, &fresh);
	if (rc)
		return rc;
	if ((!fresh.host && !run->d.mem.copy) || va - fresh.va_base >= fresh.bytes)
		return -EFAULT;
	fresh.access |= access;
	if (fresh.host) {
		*found = keep(fresh.bytes >> CU_BIG_SHIFT ? big_set(run, va) : window_set(run, va),
		              &fresh);
		return 0;
	}
	run->indirect = fresh;
	*found = &run->indirect;
	return 0;
}

uint8_t *cu_mem_search(struct cu_wave *w, const struct cu_inst *i, uint64_t va, uint32_t bytes,
                       unsigned access)
{
	struct gv_cu_run *run = w->run;
	const struct gv_cu_window *win;

	cu_mem_check_generation(run);
	win = kept(run, va, access);
	if (!win || bytes > win->bytes - (va - win->va_base))
		return NULL;
	run->site[i->site] = *win;
	return win->host + (va - win->va_base);
}

static bool refused(struct cu_wave *w, uint64_t va, unsigned access, int rc)
{
	if (rc == -EAGAIN) {
		cu_wait_for_memory(w);
		return false;
	}
	cu_fault(w, NULL, access & GV_CU_X ? GV_CU_FETCH_FAULT : GV_CU_MEMORY_FAULT, va);
	w->run->fault.access = access;
	return false;
}

void cu_mem_in_lane(struct cu_wave *w, unsigned lane)
{
	if (w->run->fault.reason != GV_CU_NO_FAULT)
		w->run->fault.lane = lane;
}

/* The window of @va; *@bytes: cut to what of it lies behind @va. NULL: the wave has faulted. */
static const struct gv_cu_window *piece(struct cu_wave *w, uint64_t va, unsigned access,
                                        uint32_t *bytes)
{
	const struct gv_cu_window *win;
	uint64_t at;
	int rc;

	cu_mem_check_generation(w->run);
	rc = find_window(w->run, va, access, &win);
	if (rc) {
		(void)refused(w, va, access, rc);
		return NULL;
	}
	at = va - win->va_base;
	if (*bytes > win->bytes - at)
		*bytes = (uint32_t)(win->bytes - at);
	return win;
}

/* Between memory and the run, whichever way. */
static bool move(struct cu_wave *w, uint64_t va, uint8_t *buf, uint32_t bytes, unsigned access)
{
	const struct gv_cu_mem *mem = &w->run->d.mem;
	bool write = access == GV_CU_W;

	while (bytes) {
		uint32_t now = bytes;
		const struct gv_cu_window *win = piece(w, va, access, &now);
		uint8_t *host = win && win->host ? win->host + (va - win->va_base) : NULL;
		int rc = 0;

		if (!win)
			return false;
		if (host)
			cu_guest_copy(write ? host : buf, write ? buf : host, now);
		else
			rc = mem->copy(mem->ctx, va, buf, now, write);
		if (rc)
			return refused(w, va, access, rc);
		buf += now;
		va += now;
		bytes -= now;
	}
	return true;
}

bool cu_mem_read(struct cu_wave *w, uint64_t va, void *to, uint32_t bytes)
{
	return move(w, va, to, bytes, GV_CU_R);
}

bool cu_mem_fetch(struct cu_wave *w, uint64_t va, void *to, uint32_t bytes, unsigned access)
{
	return move(w, va, to, bytes, access);
}

bool cu_mem_write(struct cu_wave *w, uint64_t va, const void *from, uint32_t bytes)
{
	return move(w, va, (uint8_t *)(uintptr_t)from, bytes, GV_CU_W);
}

bool cu_mem_check(struct cu_wave *w, uint64_t va, uint32_t bytes, unsigned access)
{
	while (bytes) {
		uint32_t now = bytes;

		if (!piece(w, va, access, &now))
			return false;
		va += now;
		bytes -= now;
	}
	return true;
}

static void *unaligned(struct cu_wave *w, uint64_t va)
{
	cu_fault(w, NULL, GV_CU_UNALIGNED_ATOMIC, va);
	w->run->fault.access = GV_CU_R | GV_CU_W;
	return NULL;
}

void *cu_mem_atomic(struct cu_wave *w, uint64_t va, uint32_t bytes, bool *indirect)
{
	const struct gv_cu_window *win;
	uint32_t now = bytes;
	uint8_t *p;

	*indirect = false;
	if (va & (bytes - 1))
		return unaligned(w, va);
	win = piece(w, va, GV_CU_R | GV_CU_W, &now);
	if (!win)
		return NULL;
	if (now < bytes)
		return unaligned(w, va);
	if (!win->host) {
		*indirect = true;
		return NULL;
	}
	p = win->host + (va - win->va_base);
	return (uintptr_t)p & (bytes - 1) ? unaligned(w, va) : p;
}

/* The memory was there when the instruction asked for it (cu_mem_atomic()). If the guest took it
 * away since, other lanes may be done: the instruction cannot be executed again. */
bool cu_mem_update(struct cu_wave *w, uint64_t va, uint32_t bytes,
                   uint64_t (*next)(const void *arg, uint64_t old), const void *arg, uint64_t *old)
{
	const struct gv_cu_mem *mem = &w->run->d.mem;

	if (mem->update(mem->ctx, va, bytes, next, arg, old))
		return refused(w, va, GV_CU_R | GV_CU_W, -EFAULT);
	return true;
}
