/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* From a GPU virtual address to host memory: windows kept by a run, and copies across them. */
#include "state.h"

void cu_mem_check_generation(struct gv_cu_run *run)
{
	uint64_t now = 0;

	if (run->d.mem.generation)
		now = __atomic_load_n(run->d.mem.generation, __ATOMIC_ACQUIRE);
	if (now == run->generation)
		return;
	memset(run->window, 0, sizeof(run->window));
	run->generation = now;
	cu_code_forget(run);
}

/* The window of @va, asked for if the run does not hold it. NULL: refused. */
static const struct gv_cu_window *window(struct gv_cu_run *run, uint64_t va, unsigned access)
{
	struct gv_cu_window *w = &run->window[va >> 12 & (CU_WINDOWS - 1)], fresh;

	if (va - w->va_base < w->bytes && (w->access & access) == access)
		return w;
	memset(&fresh, 0, sizeof(fresh));
	if (run->d.mem.translate(run->d.mem.ctx, va, access, &fresh))
		return NULL;
	if (!fresh.host || va - fresh.va_base >= fresh.bytes)
		return NULL;
	fresh.access |= access;
	*w = fresh;
	return w;
}

uint8_t *cu_mem_try(struct cu_wave *w, uint64_t va, uint32_t bytes, unsigned access)
{
	struct gv_cu_run *run = w->run;
	const struct gv_cu_window *win = &run->window[va >> 12 & (CU_WINDOWS - 1)];
	uint64_t at;

	if (run->d.mem.generation)
		cu_mem_check_generation(run);
	at = va - win->va_base;
	if (at >= win->bytes || bytes > win->bytes - at || (win->access & access) != access)
		return NULL;
	return win->host + at;
}

static uint8_t *piece(struct cu_wave *w, uint64_t va, unsigned access, uint32_t *bytes)
{
	const struct gv_cu_window *win;
	uint64_t at;

	if (w->run->d.mem.generation)
		cu_mem_check_generation(w->run);
	win = window(w->run, va, access);
	if (!win) {
		cu_fault(w, NULL, access & GV_CU_X ? GV_CU_FETCH_FAULT : GV_CU_MEMORY_FAULT, va);
		return NULL;
	}
	at = va - win->va_base;
	if (*bytes > win->bytes - at)
		*bytes = (uint32_t)(win->bytes - at);
	return win->host + at;
}

bool cu_mem_read(struct cu_wave *w, uint64_t va, void *to, uint32_t bytes)
{
	return cu_mem_fetch(w, va, to, bytes, GV_CU_R);
}

bool cu_mem_fetch(struct cu_wave *w, uint64_t va, void *to, uint32_t bytes, unsigned access)
{
	uint8_t *out = to;

	while (bytes) {
		uint32_t now = bytes;
		const uint8_t *p = piece(w, va, access, &now);

		if (!p)
			return false;
		cu_guest_copy(out, p, now);
		out += now;
		va += now;
		bytes -= now;
	}
	return true;
}

bool cu_mem_write(struct cu_wave *w, uint64_t va, const void *from, uint32_t bytes)
{
	const uint8_t *in = from;

	while (bytes) {
		uint32_t now = bytes;
		uint8_t *p = piece(w, va, GV_CU_W, &now);

		if (!p)
			return false;
		cu_guest_copy(p, in, now);
		in += now;
		va += now;
		bytes -= now;
	}
	return true;
}

void *cu_mem_atomic(struct cu_wave *w, uint64_t va, uint32_t bytes)
{
	uint32_t now = bytes;
	uint8_t *p;

	if (va & (bytes - 1)) {
		cu_fault(w, NULL, GV_CU_UNALIGNED_ATOMIC, va);
		return NULL;
	}
	p = piece(w, va, GV_CU_R | GV_CU_W, &now);
	if (p && (now < bytes || (uintptr_t)p & (bytes - 1))) {
		cu_fault(w, NULL, GV_CU_UNALIGNED_ATOMIC, va);
		return NULL;
	}
	return p;
}
