/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Filling slices with zeros, piece by piece, by the PF's SDMA engine; and looking afterwards. */
#include <string.h>

#include "pf.h"

#define CHUNK_BYTES (128 * GV_MIB) /* handed to the engine at once */
#define CHUNK_NS    (20 * GV_S)
#define CHUNK_DW    ((CHUNK_BYTES / SDMA_MAX_COPY_BYTES) * SDMA_CONSTANT_FILL__DW)
#define SAMPLE      64u
/* Odd, so that the places looked at walk through the whole page: Knuth's multiplier. */
#define WALK 2654435761u

int pf_scrub_start(struct gv_pf *pf, int vf, uint64_t device, uint64_t bytes)
{
	if (pf->scrub.active)
		return -EBUSY;
	pf->scrub = (struct pf_scrub){.active = true,
	                              .vf = vf,
	                              .start = device,
	                              .next = device,
	                              .end = device + bytes,
	                              .fence = pf->sdma.fence};
	return 0;
}

static int push_chunk(struct gv_pf *pf, uint64_t now_ns)
{
	struct pf_scrub *s = &pf->scrub;
	uint64_t end = GV_MIN(s->end, s->next + CHUNK_BYTES);
	uint32_t dw[CHUNK_DW], n = 0;
	int rc;

	for (uint64_t at = s->next; at < end; at += SDMA_MAX_COPY_BYTES) {
		uint32_t bytes = (uint32_t)GV_MIN((uint64_t)SDMA_MAX_COPY_BYTES, end - at);

		dw[n++] = GV_SDMA_HEADER(CONSTANT_FILL);
		dw[n++] = (uint32_t)at;
		dw[n++] = (uint32_t)(at >> 32);
		dw[n++] = 0;
		dw[n++] = GV_PUT(SDMA_CONSTANT_FILL, count, bytes - 1);
	}
	rc = pf_sdma_push(pf, dw, n, &s->fence);
	s->next = end;
	s->deadline_ns = now_ns + CHUNK_NS;
	return rc;
}

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
	if (s->next > s->start)
		report(pf);
	if (s->next == s->end) {
		s->active = false;
		return 0;
	}
	rc = push_chunk(pf, now_ns);
	if (rc)
		s->active = false;
	return rc ? rc : -EINPROGRESS;
}

static int sample(struct gv_pf *pf, uint64_t device, struct gv_err *err)
{
	static const uint8_t zeros[SAMPLE];
	uint8_t got[SAMPLE];
	int rc = gv_pf_vram_read(pf, device, got, sizeof(got));

	if (rc)
		return gv_fail(err, rc, "reading VRAM at 0x%llx: %s", (unsigned long long)device,
		               strerror(-rc));
	if (memcmp(got, zeros, sizeof(got)))
		return gv_fail(err, -EIO, "VRAM at 0x%llx is not clean after the scrub",
		               (unsigned long long)device);
	return 0;
}

int pf_scrub_verify(struct gv_pf *pf, uint64_t device, uint64_t bytes, struct gv_err *err)
{
	uint32_t walk = (uint32_t)gv_now_ns() * 2 + 1;
	int rc = sample(pf, device, err);

	for (uint64_t at = 0; !rc && at < bytes; at += GV_L2_PAGE) {
		walk *= WALK;
		rc = sample(pf, device + at + (walk >> 8) % (GV_L2_PAGE / SAMPLE) * SAMPLE, err);
	}
	return rc ? rc : sample(pf, device + bytes - SAMPLE, err);
}

uint32_t pf_scrub_samples(uint64_t bytes, uint32_t *each)
{
	*each = SAMPLE;
	return (uint32_t)((bytes + GV_L2_PAGE - 1) / GV_L2_PAGE) + 2;
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
