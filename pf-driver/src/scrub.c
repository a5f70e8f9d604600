/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Filling slices with zeros, piece by piece, by the PF's SDMA engine; and looking afterwards.
 * Behind the fill of a piece the engine copies 64 bytes from somewhere in each of its 2 MiB to one
 * place, so that a look at all of them is one read. Both ends of a slice are read where they are.
 */
#include <string.h>

#include "pf.h"

#define CHUNK_BYTES (256 * GV_MIB) /* handed to the engine at once */
#define CHUNK_NS    (20 * GV_S)
#define CHUNK_PAGES (CHUNK_BYTES / GV_L2_PAGE)
#define CHUNK_DW                                                                                   \
	((CHUNK_BYTES / SDMA_MAX_COPY_BYTES) * SDMA_CONSTANT_FILL__DW +                            \
	 CHUNK_PAGES * SDMA_COPY_LINEAR__DW)
#define SAMPLE      64u
#define FETCH_BYTES (CHUNK_PAGES * SAMPLE)
/* Odd, so that the places looked at walk through the whole page: Knuth's multiplier. */
#define WALK 2654435761u

_Static_assert(PF_SCRUB_FETCHED + FETCH_BYTES <= PF_TABLES, "room in the PF's window");

int pf_scrub_start(struct gv_pf *pf, int vf, uint64_t device, uint64_t bytes)
{
	if (pf->scrub.active)
		return -EBUSY;
	pf->scrub = (struct pf_scrub){.active = true,
	                              .vf = vf,
	                              .start = device,
	                              .chunk = device,
	                              .next = device,
	                              .end = device + bytes,
	                              .walk = (uint32_t)gv_now_ns(),
	                              .left = PF_SCRUB_NOTHING_LEFT,
	                              .fence = pf->sdma.fence};
	return 0;
}

/* ---- a chunk -------------------------------------------------------------------- */

static uint32_t pages_of(uint64_t bytes)
{
	return (uint32_t)((bytes + GV_L2_PAGE - 1) / GV_L2_PAGE);
}

/* Where the look at page @i of [begin, end) is. */
static uint64_t place(const struct pf_scrub *s, uint64_t begin, uint64_t end, uint32_t i)
{
	uint64_t page = begin + i * GV_L2_PAGE, room = GV_MIN(GV_L2_PAGE, end - page) / SAMPLE;

	return page + ((s->walk + i) * WALK >> 8) % room * SAMPLE;
}

static uint32_t put_fills(uint32_t *dw, uint64_t begin, uint64_t end)
{
	uint32_t n = 0;

	for (uint64_t at = begin; at < end; at += SDMA_MAX_COPY_BYTES) {
		uint32_t bytes = (uint32_t)GV_MIN((uint64_t)SDMA_MAX_COPY_BYTES, end - at);

		dw[n++] = GV_SDMA_HEADER(CONSTANT_FILL);
		dw[n++] = (uint32_t)at;
		dw[n++] = (uint32_t)(at >> 32);
		dw[n++] = 0;
		dw[n++] = GV_PUT(SDMA_CONSTANT_FILL, count, bytes - 1);
	}
	return n;
}

static uint32_t put_fetches(const struct pf_scrub *s, uint32_t *dw, uint64_t begin, uint64_t end)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < pages_of(end - begin); i++) {
		uint64_t from = place(s, begin, end, i), to = PF_SCRUB_FETCHED + i * SAMPLE;

		dw[n++] = GV_SDMA_HEADER(COPY_LINEAR);
		dw[n++] = GV_PUT(SDMA_COPY_LINEAR, count, SAMPLE - 1);
		dw[n++] = 0;
		dw[n++] = (uint32_t)from;
		dw[n++] = (uint32_t)(from >> 32);
		dw[n++] = (uint32_t)to;
		dw[n++] = (uint32_t)(to >> 32);
	}
	return n;
}

static int push_chunk(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_scrub *s = &pf->scrub;
	uint64_t end = GV_MIN(s->end, s->next + CHUNK_BYTES);
	uint32_t dw[CHUNK_DW], n = put_fills(dw, s->next, end);
	uint8_t not_zero[FETCH_BYTES];
	int rc;

	/* Zeros that are found there were fetched, and not left from the last time. */
	memset(not_zero, 0xa5, sizeof(not_zero));
	rc = gv_pf_vram_write(pf, PF_SCRUB_FETCHED, not_zero, pages_of(end - s->next) * SAMPLE);
	n += put_fetches(s, dw + n, s->next, end);
	if (!rc)
		rc = pf_sdma_push(pf, dw, n, &s->fence);
	s->chunk = s->next;
	s->next = end;
	s->deadline_ns = now_ns + CHUNK_NS;
	return rc;
}

/* Remember the first that is not zero. */
static int look_at_chunk(struct gv_pf *pf)
{
	struct pf_scrub *s = &pf->scrub;
	uint32_t pages = pages_of(s->next - s->chunk);
	uint8_t got[FETCH_BYTES];
	int rc = gv_pf_vram_read(pf, PF_SCRUB_FETCHED, got, pages * SAMPLE);

	for (uint32_t i = 0; !rc && s->left == PF_SCRUB_NOTHING_LEFT && i < pages; i++)
		if (!gv_is_zero(got + i * SAMPLE, SAMPLE))
			s->left = place(s, s->chunk, s->next, i);
	return rc;
}

/* ---- all of it ------------------------------------------------------------------ */

static void report(struct gv_pf *pf)
{
	const struct pf_scrub *s = &pf->scrub;

	if (pf->cfg.progress)
		pf->cfg.progress(pf->cfg.arg, "scrub", s->vf,
		                 (uint32_t)((s->next - s->start) / GV_MIB),
		                 (uint32_t)((s->end - s->start) / GV_MIB));
}

int pf_scrub_step(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_scrub *s = &pf->scrub;
	int rc;

	if (!s->active)
		return 0;
	if (s->fence && pf_sdma_reached(pf) != s->fence) {
		if (now_ns < s->deadline_ns)
			return -EINPROGRESS;
		s->active = false;
		rc = gv_bus_status(pf->bus);
		return rc ? rc : -ETIMEDOUT;
	}
	rc = s->next > s->start ? look_at_chunk(pf) : 0;
	if (!rc && s->next > s->start)
		report(pf);
	if (rc || s->next == s->end) {
		s->active = false;
		return rc;
	}
	rc = push_chunk(pf, now_ns);
	if (rc)
		s->active = false;
	return rc ? rc : -EINPROGRESS;
}

static int not_clean(uint64_t device, struct gv_err *err)
{
	return gv_fail(err, -EIO, "VRAM at 0x%llx is not clean after the scrub",
	               (unsigned long long)device);
}

/* Not by the engine that did it. */
static int look_at(struct gv_pf *pf, uint64_t device, struct gv_err *err)
{
	uint8_t got[SAMPLE];
	int rc = gv_pf_vram_read(pf, device, got, sizeof(got));

	if (rc)
		return gv_fail(err, rc, "reading VRAM at 0x%llx: %s", (unsigned long long)device,
		               strerror(-rc));
	return gv_is_zero(got, sizeof(got)) ? 0 : not_clean(device, err);
}

int pf_scrub_verify(struct gv_pf *pf, uint64_t device, uint64_t bytes, struct gv_err *err)
{
	const struct pf_scrub *s = &pf->scrub;
	int rc;

	if (s->active || s->start != device || s->next != device + bytes)
		return gv_fail(err, -EINVAL, "VRAM at 0x%llx was not the last that was scrubbed",
		               (unsigned long long)device);
	if (s->left != PF_SCRUB_NOTHING_LEFT)
		return not_clean(s->left, err);
	rc = look_at(pf, device, err);
	return rc ? rc : look_at(pf, device + bytes - SAMPLE, err);
}

uint32_t pf_scrub_samples(uint64_t bytes, uint32_t *each)
{
	*each = SAMPLE;
	return pages_of(bytes) + 2;
}

int pf_scrub_wait(struct gv_pf *pf, int vf, uint64_t device, uint64_t bytes, struct gv_err *err)
{
	uint64_t begin_ns = gv_now_ns();
	unsigned spins = 0;
	int rc = pf_scrub_start(pf, vf, device, bytes);

	if (!rc)
		rc = -EINPROGRESS;
	while (rc == -EINPROGRESS) {
		rc = pf_scrub_step(pf, gv_now_ns());
		if (rc == -EINPROGRESS)
			gv_poll_pause(&spins);
	}
	pf_trace(pf, GV_PF_TRACE_SCRUB, vf, begin_ns, gv_now_ns(), "%llu MiB",
	         (unsigned long long)(bytes / GV_MIB));
	if (rc)
		return gv_fail(err, rc, "SDMA fill of %llu MiB at 0x%llx: %s",
		               (unsigned long long)(bytes / GV_MIB), (unsigned long long)device,
		               strerror(-rc));
	return pf_scrub_verify(pf, device, bytes, err);
}
