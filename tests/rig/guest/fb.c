/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The frame buffer: all of the share is there, nothing of the others'. */
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

enum { OWN = 0, TARGET = 1 };

struct stage {
	struct rig *r;
	struct gv_guest_buf *own, *share; /* in system memory; in the frame buffer */
};

/* ---- outside: the CPU's ways -------------------------------------------------------------- */

static void aperture(struct rig *r)
{
	uint64_t bar0 = 0, step, tried = 0, open = 0, first = 0;

	(void)gv_bus_region_bytes(r->bus, GV_REGION_VRAM, &bar0);
	if (bar0 <= r->g->fb_bytes) {
		rig_note("     BAR0 of %llu MiB does not reach past the share",
		         (unsigned long long)(bar0 / GV_MIB));
		return;
	}
	step = GV_MAX((bar0 - r->g->fb_bytes) / 64, (uint64_t)RIG_PAGE) & ~(uint64_t)(RIG_PAGE - 1);
	for (uint64_t at = r->g->fb_bytes; at < bar0; at += step, tried++) {
		uint64_t v = UINT64_MAX, junk = 0x6b6e756a6b6e756aull;

		(void)gv_bus_write(r->bus, GV_REGION_VRAM, at, &junk, sizeof(junk));
		if (gv_bus_read(r->bus, GV_REGION_VRAM, at, &v, sizeof(v)) || v == UINT64_MAX)
			continue;
		first = open++ ? first : at;
	}
	(void)rig_finding(r, !open, "aperture past the share: %llu of %llu places answer%s",
	                  (unsigned long long)open, (unsigned long long)tried,
	                  open ? ", DATA CAME" : ", all ones read");
	if (open)
		rig_note("     first at 0x%llx", (unsigned long long)first);
}

static uint32_t mm_index(struct gv_bus *bus, uint64_t at, const uint32_t *write)
{
	gv_wr32(bus, MM_INDEX_HI__BYTE, (uint32_t)(at >> 31));
	gv_wr32(bus, MM_INDEX__BYTE,
	        GV_PUT(MM_INDEX, MM_APER, 1) | GV_PUT(MM_INDEX, MM_OFFSET, at));
	if (write)
		gv_wr32(bus, MM_DATA__BYTE, *write);
	return gv_rd32(bus, MM_DATA__BYTE);
}

/* A word of ours, seen through MM_INDEX if the VF may use it at all. */
static void mm_control(struct stage *s)
{
	uint32_t word = 0x600d600d, seen;
	struct gv_guest_buf *buf = NULL;

	if (gv_guest_buf_new(s->r->g, NULL, GV_GUEST_VRAM_VISIBLE, RIG_PAGE, &buf, &s->r->err) ||
	    gv_guest_buf_upload(buf, 0, &word, sizeof(word), &s->r->err)) {
		(void)rig_trouble(s->r, "MM_INDEX: memory of our own");
	} else {
		seen = mm_index(s->r->bus, buf->extent[0].off, NULL);
		(void)rig_finding(s->r, seen == word || seen == UINT32_MAX,
		                  "MM_INDEX inside the share: %s",
		                  seen == word ? "our word" : "closed to this VF");
	}
	buf = gv_guest_buf_free(buf);
}

/* ---- outside: the engines' ways ------------------------------------------------------------- */

static bool attack(struct stage *s, const struct rig_way *way, uint64_t fb, bool direct)
{
	uint8_t *own = gv_guest_buf_cpu(s->own);

	for (unsigned write = 0; write < 2; write++) {
		struct rig *r = s->r;
		uint64_t there, here;
		int rc = rig_show(r, OWN, s->own->dma.iova, true);

		if (!rc && !direct)
			rc = rig_show(r, TARGET, fb, false);
		if (rc)
			return rig_trouble(r, "views");
		memset(own, RIG_MARK, RIG_PAGE);
		there = direct ? fb : rig_view(r, way, TARGET);
		here = rig_view(r, way, OWN);
		rig_forget_faults(r);
		rc = way->copy(r, write ? there : here, write ? here : there, way->bytes);
		(void)rig_finding(r, rc && rig_all(own, RIG_PAGE, RIG_MARK),
		                  "%s%s %s frame buffer 0x%llx: %s", way->name,
		                  direct ? " direct" : " by PTE", write ? "writes" : "reads",
		                  (unsigned long long)fb,
		                  rc ? "fault, nothing arrived" : "WENT THROUGH");
		if (!rig_revive(s->r))
			return false;
	}
	return true;
}

/* The same ways reach a page of ours. */
static bool control(struct stage *s, const struct rig_way *way, bool direct)
{
	const struct gv_guest *g = s->r->g;
	uint64_t fb = s->share->extent[0].off + (direct ? g->fb_mc : g->fb_pa);
	uint8_t *own = gv_guest_buf_cpu(s->own);
	int rc = 0;

	for (unsigned i = 0; i < 2 && !rc; i++) {
		uint64_t there, here;

		/* out to the frame buffer, and back in */
		memset(own, i ? RIG_MARK : 0xc3, RIG_PAGE);
		rc = rig_show(s->r, OWN, s->own->dma.iova, true);
		if (!rc)
			rc = rig_show(s->r, TARGET, fb, false);
		there = direct ? fb : rig_view(s->r, way, TARGET);
		here = rig_view(s->r, way, OWN);
		rig_forget_faults(s->r);
		if (!rc)
			rc = way->copy(s->r, i ? here : there, i ? there : here, way->bytes);
	}
	return rig_finding(s->r, !rc && rig_all(own, way->bytes, 0xc3),
	                   "%s%s reaches our own page at 0x%llx%s%s", way->name,
	                   direct ? " direct" : " by PTE", (unsigned long long)fb, rc ? ": " : "",
	                   rc ? s->r->err.text : "");
}

static void attack_all(struct stage *s)
{
	const uint64_t fb = s->r->g->fb_bytes;
	const uint64_t outside[] = {fb,
	                            fb + RIG_PAGE,
	                            fb + 2 * GV_MIB,
	                            2 * fb,
	                            64 * GV_GIB,
	                            1ull << 40,
	                            (1ull << 47) - (1ull << 30)};
	const struct {
		const struct rig_way *way;
		bool direct;
	} how[] = {{&rig_sdma0, true},
	           {&rig_dma_data, true},
	           {&rig_sdma, false},
	           {&rig_dma_data, false},
	           {&rig_shader, false}};
	const uint32_t junk = 0x6b6e756a;
	bool going = true;

	mm_control(s);
	for (size_t i = 0; i < GV_ARRAY_LEN(outside); i++)
		(void)rig_finding(s->r, mm_index(s->r->bus, outside[i], &junk) == UINT32_MAX,
		                  "MM_INDEX at 0x%llx reads all ones",
		                  (unsigned long long)outside[i]);
	for (size_t w = 0; w < GV_ARRAY_LEN(how) && going; w++) {
		going = control(s, how[w].way, how[w].direct);
		for (size_t i = 0; i < GV_ARRAY_LEN(outside) && going; i++)
			if (!how[w].way->stops || i % 3 == 0)
				going = attack(s, how[w].way, outside[i], how[w].direct);
	}
	if (going)
		(void)rig_finding(s->r, !rig_recover(s->r) && control(s, &rig_shader, false),
		                  "usable after recovery (%u were needed on the way)",
		                  s->r->recoveries);
}

int rig_fb_outside(struct rig *r, const char *arg)
{
	struct stage s = {.r = r};

	(void)arg;
	if (gv_guest_buf_new(r->g, NULL, GV_GUEST_SYSTEM, RIG_PAGE, &s.own, &r->err) ||
	    gv_guest_buf_new(r->g, NULL, GV_GUEST_VRAM, RIG_PAGE, &s.share, &r->err)) {
		(void)rig_trouble(r, "memory of our own");
	} else {
		aperture(r);
		attack_all(&s);
	}
	s.share = gv_guest_buf_free(s.share);
	s.own = gv_guest_buf_free(s.own);
	return rig_verdict(r);
}

/* ---- provisioned ---------------------------------------------------------------------------- */

#define PIECES 8u

/* The first and last MiB that the driver leaves free, and six between; offsets in off[]. */
static unsigned take_pieces(struct rig *r, uint64_t *off)
{
	uint64_t fb = r->g->fb_bytes, at = 0;
	unsigned n = 0;

	for (unsigned i = 0; i < PIECES; i++) {
		uint64_t want = i + 1 < PIECES ? fb / (PIECES - 1) * i : fb - RIG_CHUNK;

		at = GV_MAX(at, want & ~(RIG_CHUNK - 1));
		while (at < fb && gv_heap_take_at(&r->g->vram, at, RIG_CHUNK))
			at += RIG_CHUNK;
		if (at < fb)
			off[n++] = at;
	}
	return n;
}

/* Every word says where it is, so that no two places can be one. */
static uint64_t word_at(uint64_t byte)
{
	return (byte + 1) * 0x9e3779b97f4a7c15ull;
}

static int write_piece(struct rig *r, struct rig_scan *s, uint64_t off)
{
	uint64_t *dw = s->mem.dma.cpu;

	for (uint64_t i = 0; i < RIG_CHUNK / 8; i++)
		dw[i] = word_at(off + i * 8);
	return rig_fb_write(r, s, off);
}

static bool verify(const uint64_t *dw, uint64_t off)
{
	for (uint64_t i = 0; i < RIG_CHUNK / 8; i++)
		if (dw[i] != word_at(off + i * 8))
			return false;
	return true;
}

static void check_piece(struct rig *r, struct rig_scan *s, uint64_t off)
{
	unsigned long long mib = off / GV_MIB;
	int rc;

	memset(s->mem.dma.cpu, 0, RIG_CHUNK);
	rc = rig_fb_read(r, s, off);
	(void)rig_finding(r, !rc && verify(s->mem.dma.cpu, off), "MiB %llu by SDMA%s%s", mib,
	                  rc ? ": " : "", rc ? r->err.text : "");
	if (off + RIG_CHUNK > r->g->visible_bytes)
		return;
	memset(s->mem.dma.cpu, 0, RIG_CHUNK);
	rc = gv_vram_read(r->g, off, s->mem.dma.cpu, RIG_CHUNK);
	(void)rig_finding(r, !rc && verify(s->mem.dma.cpu, off), "MiB %llu by the aperture", mib);
}

int rig_fb_provisioned(struct rig *r, const char *arg)
{
	uint64_t off[PIECES];
	struct rig_scan scan = {0};
	unsigned n = take_pieces(r, off);
	int rc = rig_scan_open(r, &scan);

	(void)arg;
	for (unsigned i = 0; i < n && !rc; i++)
		rc = write_piece(r, &scan, off[i]);
	if (rc)
		(void)rig_trouble(r, "writing the frame buffer");
	for (unsigned i = 0; i < n && !rc; i++)
		check_piece(r, &scan, off[i]);
	(void)rig_finding(r, n && off[n - 1] + RIG_CHUNK == r->g->fb_bytes,
	                  "the last MiB is among them");
	rig_note("fb_mib=%llu", (unsigned long long)(r->g->fb_bytes / GV_MIB));
	for (unsigned i = 0; i < n; i++)
		(void)gv_heap_give(&r->g->vram, off[i], RIG_CHUNK);
	rig_scan_close(r, &scan);
	return rig_verdict(r);
}
