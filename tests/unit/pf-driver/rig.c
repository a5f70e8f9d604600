/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include <unistd.h>

#include "rig.h"

/* ---- the bus that lies --------------------------------------------------------- */

static struct rig_bus *of(struct gv_bus *bus)
{
	return (struct rig_bus *)bus;
}

/* One more write. Has it no effect? */
static bool is_lost(struct rig_bus *b)
{
	b->writes++;
	if (!b->dead && b->die_at && b->writes >= b->die_at) {
		b->dead = true;
		if (b->died)
			b->died(b->died_arg);
	}
	return b->dead;
}

static uint32_t lie_read32(struct gv_bus *bus, uint32_t byte)
{
	uint32_t v = gv_rd32(of(bus)->real, byte);

	if (of(bus)->ones && byte == of(bus)->ones)
		return UINT32_MAX;
	return of(bus)->armed && byte == of(bus)->flip ? ~v : v;
}

static void lie_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	if (is_lost(of(bus)))
		return;
	of(bus)->armed |= of(bus)->flip && byte == of(bus)->flip;
	if (!of(bus)->drop || byte != of(bus)->drop)
		gv_wr32(of(bus)->real, byte, val);
}

static void lie_doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	if (!of(bus)->drop_doorbells && !of(bus)->dead)
		gv_doorbell64(of(bus)->real, byte, val);
}

static int lie_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	uint64_t spoil = of(bus)->vram_spoil;
	int rc = gv_bus_read(of(bus)->real, region, off, buf, n);

	if (!rc && region == GV_REGION_VRAM && spoil && off <= spoil && spoil - off < n)
		((uint8_t *)buf)[spoil - off] ^= 0xff;
	return rc;
}

static int lie_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                     size_t n)
{
	if (is_lost(of(bus)))
		return -ENODEV;
	return gv_bus_write(of(bus)->real, region, off, buf, n);
}

static int lie_region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	return gv_bus_region_bytes(of(bus)->real, region, bytes);
}

static int lie_map(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes,
                   void **cpu)
{
	return gv_bus_map(of(bus)->real, region, off, bytes, cpu);
}

static int lie_dma_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	int rc = of(bus)->fail_dma ? -ENOMEM : gv_dma_alloc(of(bus)->real, bytes, dma);

	of(bus)->dma += !rc;
	if (!rc)
		of(bus)->last_dma = dma->cpu;
	return rc;
}

static void lie_dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	struct gv_dma copy = *dma; /* the real call zeroes it, and so does our caller */

	of(bus)->dma--;
	gv_dma_free(of(bus)->real, &copy);
}

static int lie_irq_enable(struct gv_bus *bus, unsigned vector, int *eventfd)
{
	return of(bus)->fail_irq ? -ENOSPC : gv_bus_irq_enable(of(bus)->real, vector, eventfd);
}

static int lie_reset(struct gv_bus *bus)
{
	return gv_bus_reset(of(bus)->real);
}

static int lie_status(struct gv_bus *bus)
{
	return of(bus)->dead ? -ENODEV : gv_bus_status(of(bus)->real);
}

static int lie_enable_vfs(struct gv_bus *bus, unsigned num_vfs)
{
	if ((of(bus)->fail_enable && num_vfs) || of(bus)->dead)
		return -EIO;
	return gv_bus_enable_vfs(of(bus)->real, num_vfs, NULL);
}

static void lie_close(struct gv_bus *bus)
{
	of(bus)->real = gv_bus_close(of(bus)->real);
}

static const struct gv_bus_ops lie_ops = {
        .read32 = lie_read32,
        .write32 = lie_write32,
        .doorbell64 = lie_doorbell64,
        .read = lie_read,
        .write = lie_write,
        .region_bytes = lie_region_bytes,
        .map = lie_map,
        .dma_alloc = lie_dma_alloc,
        .dma_free = lie_dma_free,
        .irq_enable = lie_irq_enable,
        .reset = lie_reset,
        .status = lie_status,
        .enable_vfs = lie_enable_vfs,
        .close = lie_close,
};

/* ---- the rig ------------------------------------------------------------------------ */

static void on_event(void *arg, const struct gv_pf_event *event)
{
	struct rig *r = arg;

	if (r->num_events < RIG_MAX_EVENTS)
		r->event[r->num_events++] = *event;
}

void rig_up(struct rig *r, const struct gv_mbox_pf_cfg *mailbox)
{
	struct gv_pf_cfg cfg = {.poll_ms = 50};

	if (mailbox)
		cfg.mailbox = *mailbox;
	rig_up_with(r, &cfg);
}

void rig_up_with(struct rig *r, const struct gv_pf_cfg *with)
{
	const struct gv_dev_cfg dev = {.vram_mib = 256, .max_vfs = 4, .engine_threads = 1};
	struct gv_pf_cfg cfg = *with;

	memset(r, 0, sizeof(*r));
	cfg.arg = r;
	cfg.event = on_event;
	CU_ASSERT_EQUAL_FATAL(gv_dev_new(&dev, NULL, &r->dev, &r->err), 0);
	CU_ASSERT_EQUAL_FATAL(gv_dev_bus(r->dev, GV_DEV_PF, &r->lying.real, &r->err), 0);
	r->lying.bus.ops = &lie_ops;
	memcpy(r->lying.bus.name, "test:PF", 8);
	CU_ASSERT_EQUAL_FATAL(gv_pf_new(&r->lying.bus, &cfg, &r->pf, &r->err), 0);
}

void rig_down(struct rig *r)
{
	r->pf = gv_pf_close(r->pf);
	CU_ASSERT_EQUAL(gv_dev_num_vfs(r->dev), 0);
	CU_ASSERT_EQUAL(r->lying.dma, 0);
	(void)gv_bus_close(&r->lying.bus);
	r->dev = gv_dev_free(r->dev);
}

struct gv_pf_plan rig_plan(struct rig *r, uint32_t num_vfs, uint32_t fb_mib)
{
	struct gv_pf_caps caps = gv_pf_caps_default(256, 4);
	struct gv_cfg cfg = {.num_vfs = num_vfs};
	struct gv_pf_plan plan;

	for (uint32_t i = 0; i < num_vfs; i++)
		cfg.vfs[i] = (struct gv_cfg_vf){.fb_mib = fb_mib, .quantum_ms = 6, .weight = 1};
	CU_ASSERT_EQUAL_FATAL(gv_pf_plan(&caps, &cfg, &plan, &r->err), 0);
	return plan;
}

void rig_boot_and_apply(struct rig *r, uint32_t num_vfs, uint32_t fb_mib)
{
	struct gv_pf_plan plan = rig_plan(r, num_vfs, fb_mib);
	int rc = gv_pf_boot(r->pf, &r->err);

	if (!rc)
		rc = gv_pf_apply(r->pf, &plan, 0, &r->err);
	if (rc)
		printf("%s\n", r->err.text);
	CU_ASSERT_EQUAL_FATAL(rc, 0);
}

bool rig_saw(const struct rig *r, enum gv_pf_event_kind kind, int vf, const char *text)
{
	for (unsigned i = 0; i < r->num_events; i++)
		if (r->event[i].kind == kind && r->event[i].vf == vf &&
		    strstr(r->event[i].text, text))
			return true;
	return false;
}

enum gv_mbox_state rig_state(struct rig *r, unsigned vf)
{
	struct gv_pf_vf_status s = {.state = GV_MBOX_OFF};

	(void)gv_pf_get_vf_status(r->pf, vf, &s);
	return s.state;
}

void rig_serve(struct rig *r, unsigned ms)
{
	uint64_t end = gv_now_ns() + ms * GV_MS, next;

	do {
		CU_ASSERT_EQUAL(gv_pf_service(r->pf, &next), 0);
		(void)usleep(200);
	} while (gv_now_ns() < end);
}

bool rig_serve_until(struct rig *r, unsigned vf, enum gv_mbox_state state, unsigned ms)
{
	for (unsigned i = 0; i < ms && rig_state(r, vf) != state; i++)
		rig_serve(r, 1);
	return rig_state(r, vf) == state;
}

int rig_spoil_wptr(struct rig *r, uint32_t val)
{
	if (!r->lying.last_dma)
		return -ENOENT;
	memcpy(r->lying.last_dma, &val, sizeof(val));
	return 0;
}

/* ---- the guest's end -------------------------------------------------------------------- */

struct gv_bus *rig_vf(struct rig *r, unsigned vf)
{
	struct gv_bus *bus = NULL;

	CU_ASSERT_EQUAL_FATAL(gv_dev_bus(r->dev, GV_DEV_VF(vf), &bus, &r->err), 0);
	return bus;
}

bool rig_send(struct rig *r, struct gv_bus *vf, uint32_t code)
{
	const uint8_t ack = (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_ACK, 1);
	bool acked = false;

	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
	gv_wr32(vf, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, code);
	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE,
	       (uint8_t)GV_PUT(BIF_BX_PF0_MAILBOX_CONTROL, TRN_MSG_VALID, 1));
	for (unsigned i = 0; i < 500 && !acked; i++) {
		rig_serve(r, 1);
		acked = gv_rd8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE) & ack;
	}
	gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE, 0);
	return acked;
}

bool rig_hear(struct rig *r, struct gv_bus *vf, uint32_t code, unsigned ms)
{
	for (unsigned i = 0; i < ms; i++) {
		if (gv_rd32(vf, BIF_BX_PF0_MAILBOX_MSGBUF_RCV_DW0__BYTE) == code) {
			gv_wr8(vf, BIF_BX_PF0_MAILBOX_CONTROL__BYTE + 1, 2); /* RCV_ACK */
			return true;
		}
		rig_serve(r, 1);
	}
	return false;
}

void rig_init_guest(struct rig *r, struct gv_bus *vf)
{
	CU_ASSERT_TRUE(rig_send(r, vf, GV_MBOX_REQ_GPU_INIT_DATA));
	CU_ASSERT_TRUE(rig_hear(r, vf, GV_MBOX_GPU_INIT_DATA_READY, 500));
	CU_ASSERT_TRUE(rig_send(r, vf, GV_MBOX_REQ_GPU_INIT_ACCESS));
	CU_ASSERT_TRUE(rig_hear(r, vf, GV_MBOX_READY_TO_ACCESS_GPU, 500));
	CU_ASSERT_TRUE(rig_send(r, vf, GV_MBOX_REL_GPU_INIT_ACCESS));
}
