/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What stays in the frame buffer: fill it with a secret, look for one. */
#include <stdio.h>
#include <string.h>

#include "rig.h"

/* ---- the frame buffer by its own addresses --------------------------------------------- */

int rig_scan_open(struct rig *r, struct rig_scan *s)
{
	int rc = gv_gmem_alloc(r->g, RIG_CHUNK, &s->mem);

	return rc ? gv_fail(&r->err, rc, "no DMA memory of 1 MiB") : 0;
}

void rig_scan_close(struct rig *r, struct rig_scan *s)
{
	gv_gmem_free(r->g, &s->mem);
}

int rig_fb_read(struct rig *r, struct rig_scan *s, uint64_t off)
{
	return rig_sdma0.copy(r, s->mem.mc, r->g->fb_mc + off, RIG_CHUNK);
}

int rig_fb_write(struct rig *r, struct rig_scan *s, uint64_t off)
{
	return rig_sdma0.copy(r, r->g->fb_mc + off, s->mem.mc, RIG_CHUNK);
}

/* ---- fill -------------------------------------------------------------------------------- */

/* All that is free, less what its page tables take. */
static int largest_buffer(struct rig *r, struct gv_guest_buf **buf)
{
	struct gv_guest_info info;
	uint64_t bytes;
	int rc = -ENOMEM;

	gv_guest_get_info(r->g, &info);
	bytes = info.free_bytes & ~(RIG_CHUNK - 1);
	for (unsigned i = 0; i < 32 && rc == -ENOMEM && bytes > RIG_CHUNK; i++) {
		rc = gv_guest_buf_new(r->g, NULL, GV_GUEST_VRAM, bytes, buf, &r->err);
		bytes -= RIG_CHUNK;
	}
	return rc;
}

static int spread(struct rig *r, struct gv_guest_buf *buf, uint64_t pattern)
{
	struct gv_guest_queue *q = gv_guest_sdma(r->g, 0);
	struct gv_guest_buf *source = NULL;
	int rc = gv_guest_buf_new(r->g, NULL, GV_GUEST_SYSTEM, RIG_CHUNK, &source, &r->err);

	for (uint64_t i = 0; i < RIG_CHUNK / 8 && !rc; i++)
		((uint64_t *)gv_guest_buf_cpu(source))[i] = pattern;
	for (uint64_t off = 0; off < gv_guest_buf_bytes(buf) && !rc; off += RIG_CHUNK) {
		uint64_t seq = 0;

		rc = gv_guest_sdma_copy(q, r->g->vm, gv_guest_buf_va(buf) + off,
		                        gv_guest_buf_va(source), RIG_CHUNK, &seq, &r->err);
		if (!rc)
			rc = rig_wait(r, q, seq);
	}
	source = gv_guest_buf_free(source);
	return rc;
}

int rig_fill(struct rig *r, const char *arg)
{
	struct gv_guest_buf *buf = NULL;
	uint64_t pattern, last = 0, bytes;
	int rc = rig_parse_pattern(arg, &pattern);

	if (rc)
		return rig_finding(r, false, "'%s' is no 64-bit hexadecimal pattern", arg) ? 0 : 1;
	rc = largest_buffer(r, &buf);
	if (!rc)
		rc = spread(r, buf, pattern);
	if (!rc) {
		bytes = gv_guest_buf_bytes(buf);
		rc = gv_guest_buf_download(buf, bytes - 8, &last, 8, &r->err);
	}
	if (rc)
		(void)rig_trouble(r, "fill");
	else
		(void)rig_finding(r, last == pattern, "filled_mib=%llu of fb_mib=%llu",
		                  (unsigned long long)(bytes / GV_MIB),
		                  (unsigned long long)(r->g->fb_bytes / GV_MIB));
	buf = gv_guest_buf_free(buf);
	return rig_verdict(r);
}

/* ---- find --------------------------------------------------------------------------------- */

struct search {
	uint64_t secret, canary;
	uint64_t secrets, canaries, bytes, first;
};

static void look(struct search *s, const uint64_t *at, uint64_t bytes, uint64_t off)
{
	for (uint64_t i = 0; i < bytes / 8; i++) {
		s->canaries += at[i] == s->canary;
		if (at[i] != s->secret)
			continue;
		if (!s->secrets++)
			s->first = off + i * 8;
	}
	s->bytes += bytes;
}

static int look_by_sdma(struct rig *r, struct rig_scan *scan, struct search *s)
{
	int rc = 0;

	for (uint64_t off = 0; off < r->g->fb_bytes && !rc; off += RIG_CHUNK) {
		rc = rig_fb_read(r, scan, off);
		if (!rc)
			look(s, scan->mem.dma.cpu, RIG_CHUNK, off);
	}
	return rc;
}

/* An aperture that traps every access is far too slow for all of it: a page of each MiB then. */
static int look_by_aperture(struct rig *r, struct search *s)
{
	const uint64_t bytes = r->g->aperture ? RIG_CHUNK : RIG_PAGE;
	gv_auto_free uint64_t *chunk = malloc(RIG_CHUNK);
	int rc = chunk ? 0 : gv_fail(&r->err, -ENOMEM, "out of memory");

	if (!r->g->aperture)
		rig_note("     the aperture is not mapped: one page of each MiB");
	for (uint64_t off = 0; off < r->g->visible_bytes && !rc; off += RIG_CHUNK) {
		rc = gv_vram_read(r->g, off, chunk, bytes);
		if (rc)
			return gv_fail(&r->err, rc, "reading the aperture at 0x%llx",
			               (unsigned long long)off);
		look(s, chunk, bytes, off);
	}
	return rc;
}

static void report(struct rig *r, const char *how, const struct search *s, int rc)
{
	if (rc)
		(void)rig_trouble(r, how);
	else if (!s->canaries)
		(void)rig_finding(r, false, "%s sees nothing: not even what we wrote now", how);
	else if (s->secrets)
		(void)rig_finding(r, false, "%s: FOUND %llu times, first at 0x%llx", how,
		                  (unsigned long long)s->secrets, (unsigned long long)s->first);
	else
		(void)rig_finding(r, true, "%s: not in %llu MiB", how,
		                  (unsigned long long)(s->bytes / GV_MIB));
}

/* The search must be able to find: a canary, the secret inverted, is written first. */
int rig_find(struct rig *r, const char *arg)
{
	struct search by_sdma = {0}, by_aperture;
	struct gv_guest_buf *buf = NULL;
	struct rig_scan scan = {0};
	int rc = rig_parse_pattern(arg, &by_sdma.secret);

	if (rc)
		return rig_finding(r, false, "'%s' is no 64-bit hexadecimal pattern", arg) ? 0 : 1;
	by_sdma.canary = ~by_sdma.secret;
	by_aperture = by_sdma;
	rc = gv_guest_buf_new(r->g, NULL, GV_GUEST_VRAM_VISIBLE, 2 * RIG_CHUNK, &buf, &r->err);
	if (!rc)
		rc = gv_guest_buf_upload(buf, 0, &by_sdma.canary, 8, &r->err); /* 2 MiB aligned */
	if (!rc)
		rc = rig_scan_open(r, &scan);
	if (rc) {
		(void)rig_trouble(r, "find");
	} else {
		report(r, "SDMA", &by_sdma, look_by_sdma(r, &scan, &by_sdma));
		report(r, "aperture", &by_aperture, look_by_aperture(r, &by_aperture));
	}
	rig_scan_close(r, &scan);
	buf = gv_guest_buf_free(buf);
	return rig_verdict(r);
}
