/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* System memory that nobody gave to the device. Every way is tried on memory of ours first: what
 * does not work there proves nothing elsewhere. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include <gv/packets.h>

#include "rig.h"

enum { OWN = 0, TARGET = 1 };

#define IH_RING_BYTES (256 * GV_KIB) /* of the driver's ring, whose size stays */
#define WALK_ENTRY    511u           /* of the root: 1 GiB at WALK_VA */
#define WALK_VA       ((uint64_t)WALK_ENTRY << 30)

struct stage {
	struct rig *r;
	struct gv_guest_buf *own; /* what a read would fill, what a write would bring */
	uint64_t freed;           /* bus address of a buffer that is no more */
	bool physical;            /* no IOMMU in the guest: its RAM is its own */
};

struct place {
	char name[48];
	uint64_t iova;
	bool always; /* with every way */
};

/* ---- where -------------------------------------------------------------------------------- */

static bool covers(const struct gv_dma *d, uint64_t at)
{
	return d->cpu && at >= d->iova && at - d->iova < d->bytes;
}

static bool is_ours(const struct gv_guest *g, uint64_t at)
{
	bool ours = covers(&g->wb.dma, at) || covers(&g->ih_mem.dma, at) ||
	            covers(&g->kiq.ring.dma, at) || covers(&g->kiq.eop.dma, at);

	for (unsigned i = 0; i < GV_MAX_COMPUTE; i++)
		ours |= covers(&g->compute[i].ring.dma, at) || covers(&g->compute[i].eop.dma, at);
	for (unsigned i = 0; i < GV_NUM_SDMA; i++)
		ours |= covers(&g->sdma[i].ring.dma, at);
	for (const struct gv_guest_buf *b = g->bufs; b; b = b->next)
		ours |= b->where == GV_GUEST_SYSTEM && covers(&b->dma, at);
	return ours;
}

/* Without an IOMMU in the guest, bus addresses are its physical ones. */
static bool no_iommu(const char *uri)
{
	char path[128], name[32] = "";
	gv_auto_fd int fd = -1;

	if (strncmp(uri, "vfio:", 5) != 0)
		return false;
	(void)snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/iommu_group/name", uri + 5);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, name, sizeof(name) - 1) > 0 && strstr(name, "noiommu");
}

static unsigned list_places(const struct stage *s, struct place *place)
{
	static const struct place fixed[] = {
	        {"4 KiB", 0x1000, false},
	        {"1 MiB", GV_MIB, true},
	        {"256 MiB", 256 * GV_MIB, false},
	        {"1 GiB", GV_GIB, false},
	        {"4 GiB less a page", 4 * GV_GIB - RIG_PAGE, false},
	        {"64 GiB and a page", 64 * GV_GIB + RIG_PAGE, true},
	        {"1 TiB", 1024 * GV_GIB, false},
	};
	uint64_t past = s->own->dma.iova + s->own->dma.bytes;
	unsigned n = 0;

	while (is_ours(s->r->g, past))
		past += RIG_PAGE;
	if (!s->physical) {
		place[n++] = (struct place){"past our memory", past, true};
		if (!is_ours(s->r->g, s->freed))
			place[n++] = (struct place){"freed memory", s->freed, true};
	}
	for (size_t i = 0; i < GV_ARRAY_LEN(fixed); i++)
		if (!is_ours(s->r->g, fixed[i].iova) &&
		    (!s->physical || fixed[i].iova >= 64 * GV_GIB))
			place[n++] = fixed[i];
	return n;
}

/* ---- one access ------------------------------------------------------------------------------ */

static int reach(struct stage *s, const struct rig_way *way, uint64_t iova, bool write)
{
	unsigned to = write ? TARGET : OWN, from = write ? OWN : TARGET;
	int rc = rig_show(s->r, OWN, s->own->dma.iova, true);

	if (!rc)
		rc = rig_show(s->r, TARGET, iova, true);
	if (rc)
		return rc;
	rig_forget_faults(s->r);
	return way->copy(s->r, rig_view(s->r, way, to), rig_view(s->r, way, from), way->bytes);
}

/* On memory of ours both directions must arrive. */
static bool control(struct stage *s, const struct rig_way *way)
{
	uint8_t *own = gv_guest_buf_cpu(s->own), *other = own + RIG_PAGE;
	int rd, wr;

	memset(own, RIG_MARK, RIG_PAGE);
	memset(other, 0xc3, RIG_PAGE);
	rd = reach(s, way, s->own->dma.iova + RIG_PAGE, false);
	if (rd || !rig_all(own, way->bytes, 0xc3))
		return rig_finding(s->r, false, "%s does not even read our own memory: %s",
		                   way->name, rd ? s->r->err.text : "nothing came");
	memset(own, 0x3c, RIG_PAGE);
	wr = reach(s, way, s->own->dma.iova + RIG_PAGE, true);
	if (wr || !rig_all(other, way->bytes, 0x3c))
		return rig_finding(s->r, false, "%s does not even write our own memory: %s",
		                   way->name, wr ? s->r->err.text : "nothing went");
	return rig_finding(s->r, true, "%s reads and writes our own memory", way->name);
}

/* A read must bring nothing; of a write only the fault can be seen from here. */
static void judge(struct stage *s, const struct rig_way *way, const struct place *p, bool write,
                  int rc)
{
	bool untouched = rig_all(gv_guest_buf_cpu(s->own), RIG_PAGE, RIG_MARK);
	struct gv_guest_fault f;
	char how[GV_ARRAY_LEN(s->r->err.text)] = "WENT THROUGH";

	gv_guest_get_fault(s->r->g, &f);
	if (rc && f.valid)
		(void)snprintf(how, sizeof(how), "page fault (%s of 0x%llx)",
		               f.write ? "write" : "read", (unsigned long long)f.gpu_va);
	else if (rc)
		(void)snprintf(how, sizeof(how), "NO FAULT, but %.300s", s->r->err.text);
	(void)rig_finding(s->r, rc && f.valid && untouched, "%s %s %s (0x%llx): %s, %s", way->name,
	                  write ? "writes" : "reads", p->name, (unsigned long long)p->iova, how,
	                  untouched ? "nothing arrived" : "DATA ARRIVED");
}

static bool attack(struct stage *s, const struct rig_way *way, const struct place *p)
{
	for (unsigned write = 0; write < 2; write++) {
		int rc;

		memset(gv_guest_buf_cpu(s->own), RIG_MARK, RIG_PAGE);
		rc = reach(s, way, p->iova, write);
		judge(s, way, p, write, rc);
		if (!rig_revive(s->r))
			return false;
	}
	return true;
}

/* ---- page tables in system memory ----------------------------------------------------------- */

static int set_directory(struct stage *s, uint64_t entry)
{
	struct gv_guest *g = s->r->g;
	uint64_t root = (gv_pt_root(g->vm->pt) & GV_PDE_ADDR_MASK) - g->fb_pa;
	int rc = gv_vram_write(g, root + WALK_ENTRY * sizeof(entry), &entry, sizeof(entry));

	gv_hdp_flush(g);
	return rc ? rc : gv_tlb_flush(g, g->vm->vmid, &s->r->err);
}

static int walk(struct stage *s, uint64_t table_iova)
{
	int rc = set_directory(s, table_iova | GV_PTE_VALID | GV_PTE_SYSTEM | GV_PTE_SNOOPED);

	if (!rc)
		rc = rig_show(s->r, OWN, s->own->dma.iova, true);
	rig_forget_faults(s->r);
	if (!rc)
		rc = rig_sdma.copy(s->r, rig_view(s->r, &rig_sdma, OWN), WALK_VA, RIG_PAGE);
	return rc;
}

/* Our own table, one huge leaf: shows the page that holds it. */
static bool walk_control(struct stage *s)
{
	uint64_t *table = (uint64_t *)(void *)((uint8_t *)gv_guest_buf_cpu(s->own) + RIG_PAGE);
	uint64_t iova = s->own->dma.iova + RIG_PAGE, huge = 1ull << GV_GPU_HUGE_SHIFT;
	int rc;

	memset(table, 0, RIG_PAGE);
	table[0] = (iova & ~(huge - 1)) | GV_PTE_VALID | GV_PDE_PTE | GV_PTE_SYSTEM |
	           GV_PTE_SNOOPED | GV_PTE_READABLE;
	memset(gv_guest_buf_cpu(s->own), RIG_MARK, RIG_PAGE);
	rc = set_directory(s, iova | GV_PTE_VALID | GV_PTE_SYSTEM | GV_PTE_SNOOPED);
	if (!rc)
		rc = rig_show(s->r, OWN, s->own->dma.iova, true);
	rig_forget_faults(s->r);
	if (!rc)
		rc = rig_sdma.copy(s->r, rig_view(s->r, &rig_sdma, OWN),
		                   WALK_VA + (iova & (huge - 1)), RIG_PAGE);
	return rig_finding(s->r, !rc && !memcmp(gv_guest_buf_cpu(s->own), table, RIG_PAGE),
	                   "a page table in our own memory is used%s%s", rc ? ": " : "",
	                   rc ? s->r->err.text : "");
}

static bool attack_walk(struct stage *s, const struct place *p)
{
	static const struct rig_way way = {.name = "page-table walk"};
	int rc;

	memset(gv_guest_buf_cpu(s->own), RIG_MARK, RIG_PAGE);
	rc = walk(s, p->iova);
	judge(s, &way, p, false, rc);
	(void)set_directory(s, 0);
	return rig_revive(s->r);
}

/* ---- the interrupt ring --------------------------------------------------------------------- */

static int move_ih(struct stage *s, uint64_t iova)
{
	int rc = gv_guest_wreg(s->r->g, IH_RB_BASE__BYTE, (uint32_t)(iova >> 8), &s->r->err);

	return rc ? rc
	          : gv_guest_wreg(s->r->g, IH_RB_BASE_HI__BYTE, (uint32_t)(iova >> 40), &s->r->err);
}

/* Something to report; how far the ring's write pointer went, in bytes. Negative errno. While the
 * ring is elsewhere, what the driver's own ring holds is old: nothing may look into it. */
static int provoke(struct stage *s)
{
	struct gv_guest_queue *q = gv_guest_sdma(s->r->g, 0);
	uint32_t nop = GV_SDMA_HEADER(NOP), before, mask = IH_RING_BYTES - 1;
	uint64_t seq = 0, deadline = gv_now_ns() + s->r->wait_ns, settled;
	unsigned spins = 0;
	int rc;

	before = gv_rd32(s->r->bus, IH_RB_WPTR__BYTE);
	rc = gv_guest_submit(q, &nop, 1, &seq, &s->r->err);
	while (!rc && !gv_ring_done(q, seq)) {
		if (gv_now_ns() > deadline)
			rc = gv_fail(&s->r->err, -ETIMEDOUT, "the fence did not come");
		gv_poll_pause(&spins);
	}
	/* the entry follows the fence */
	settled = gv_now_ns() + 100 * GV_MS;
	while (!rc && gv_rd32(s->r->bus, IH_RB_WPTR__BYTE) == before && gv_now_ns() < settled)
		gv_poll_pause(&spins);
	return rc ? rc : (int)((gv_rd32(s->r->bus, IH_RB_WPTR__BYTE) - before) & mask);
}

static bool ih_control(struct stage *s)
{
	struct gv_dma ring = {0};
	int moved, rc = gv_dma_alloc(s->r->bus, IH_RING_BYTES, &ring);
	bool good;

	if (rc)
		return rig_finding(s->r, false, "no DMA memory for another interrupt ring");
	rc = move_ih(s, ring.iova);
	moved = rc ? rc : provoke(s);
	good = rig_finding(s->r, moved > 0 && !rig_all(ring.cpu, IH_RING_BYTES, 0),
	                   "interrupt ring moved to our own memory: %s",
	                   moved < 0    ? s->r->err.text
	                   : moved == 0 ? "NOTHING CAME"
	                                : "its pointer moves, entries are there");
	(void)move_ih(s, s->r->g->ih_mem.dma.iova);
	gv_dma_free(s->r->bus, &ring);
	return good;
}

static bool attack_ih(struct stage *s, const struct place *p)
{
	int rc = move_ih(s, p->iova), moved = rc ? rc : provoke(s);

	(void)rig_finding(s->r, moved == 0, "interrupt ring at %s (0x%llx): %s", p->name,
	                  (unsigned long long)p->iova,
	                  moved < 0 ? s->r->err.text
	                  : moved   ? "ENTRIES WERE WRITTEN"
	                            : "no entry was written, the fence came all the same");
	(void)move_ih(s, s->r->g->ih_mem.dma.iova);
	return rig_revive(s->r);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool attack_all(struct stage *s)
{
	static const struct rig_way *const ways[] = {&rig_sdma, &rig_sdma0, &rig_dma_data,
	                                             &rig_copy_data, &rig_shader};
	struct place place[16];
	unsigned n = list_places(s, place);
	bool going = true;

	for (size_t w = 0; w < GV_ARRAY_LEN(ways) && going; w++) {
		going = control(s, ways[w]);
		for (unsigned i = 0; i < n && going; i++)
			if (!ways[w]->stops || place[i].always)
				going = attack(s, ways[w], &place[i]);
	}
	going = going && walk_control(s);
	for (unsigned i = 0; i < n && going; i++)
		going = attack_walk(s, &place[i]);
	going = going && ih_control(s);
	for (unsigned i = 0; i < n && going; i++)
		going = attack_ih(s, &place[i]);
	return going;
}

/* Then the VF must be good for honest work: after a reset, and for who opens it next. */
static void usable_again(struct stage *s)
{
	struct rig *r = s->r;

	rig_note("     %u recoveries were needed on the way", r->recoveries);
	if (rig_recover(r))
		(void)rig_trouble(r, "recovery");
	else
		(void)rig_finding(r, control(s, &rig_sdma) && control(s, &rig_shader),
		                  "usable after recovery");
	s->own = gv_guest_buf_free(s->own);
	rig_close(r);
	if (rig_open(r))
		(void)rig_trouble(r, "opening it again");
	else
		(void)rig_finding(r, rig_alive(r, r->wait_ns), "usable after being opened again");
}

int rig_dma_outside(struct rig *r, const char *arg)
{
	struct stage s = {.r = r, .physical = no_iommu(r->uri)};
	struct gv_guest_buf *brief = NULL;

	(void)arg;
	if (s.physical)
		rig_note("     no IOMMU in this guest: its RAM is its own, trying above 64 GiB "
		         "only");
	if (gv_guest_buf_new(r->g, NULL, GV_GUEST_SYSTEM, 2 * RIG_PAGE, &s.own, &r->err) ||
	    gv_guest_buf_new(r->g, NULL, GV_GUEST_SYSTEM, 2 * GV_MIB, &brief, &r->err)) {
		(void)rig_trouble(r, "memory of our own");
		s.own = gv_guest_buf_free(s.own);
		return rig_verdict(r);
	}
	s.freed = brief->dma.iova;
	brief = gv_guest_buf_free(brief);
	(void)attack_all(&s);
	usable_again(&s);
	return rig_verdict(r);
}
