/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each SDMA packet does. Those that move memory are in sdma_moves.c. */
#include "sdma.h"

#define WAIT_MIN_NS (1 * GV_US)
#define WAIT_MAX_NS (256 * GV_US)

#define OP(q, pkt, field) GV_GET((q)->op.dw[SDMA_##pkt##__##field##__DW], SDMA_##pkt, field)
#define ADDR_LO(pkt)      SDMA_##pkt##__addr_31_0__DW

enum { POLL_FOREVER = (1 << SDMA_POLL_REGMEM__retry_count__BITS) - 1 };

/* ---- helpers -------------------------------------------------------------- */

/* Not satisfied: this queue waits, longer each time; the others go on. */
static enum gv_sdma_step wait_more(struct gv_sdma_queue *q)
{
	struct gv_sdma_op *op = &q->op;

	op->tries += op->tries != UINT32_MAX;
	op->wait_ns = op->wait_ns ? GV_MIN(op->wait_ns * 2, WAIT_MAX_NS) : WAIT_MIN_NS;
	op->next_ns = gv_now_ns() + op->wait_ns;
	return SDMA_WAIT;
}

static void post(struct gv_sdma_queue *q, enum gv_ih_src src, uint32_t data)
{
	/* ring ids: 0 the driver's ring, 2 a user queue (sdma_v4_0.c) */
	struct gv_ih_iv iv = gv_ih_iv(gv_sdma_engine_regs[q->engine].client, src,
	                              q->id == SDMA_GFX ? 0 : 2, gv_sdma_mem(q)->vmid, GV_HUB_MM);

	iv.dw[4] = data;
	gv_ih_post(q->sdma->fn, &iv);
}

/* Registers and physical addresses are for kernels: a ring and an IB of VMID 0. */
static bool privileged(struct gv_sdma_queue *q)
{
	return q->ring_mem.vmid == 0 && gv_sdma_mem(q)->vmid == 0;
}

static enum gv_sdma_step refuse(struct gv_sdma_queue *q)
{
	gv_guest_error(q->sdma->fn, "SDMA%u queue %u: VMID %u may not use packet 0x%x", q->engine,
	               q->id, gv_sdma_mem(q)->vmid, q->op.dw[0]);
	post(q, GV_IH_SRC_SDMA_SRBM_WRITE, q->op.dw[1]);
	return SDMA_IRQ;
}

static enum gv_sdma_step unknown(struct gv_sdma_queue *q)
{
	gv_unimplemented(q->sdma->fn, "SDMA packet op %u sub_op %u", q->op.dw[0] & 0xff,
	                 (q->op.dw[0] >> 8) & 0xff);
	return SDMA_DONE;
}

/* ---- flow ----------------------------------------------------------------- */

static enum gv_sdma_step nop(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)q, (void)reg;
	return SDMA_DONE;
}

static enum gv_sdma_step indirect(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	unsigned vmid = OP(q, INDIRECT, vmid);

	(void)reg;
	if (q->in_ib) {
		gv_guest_error(q->sdma->fn, "SDMA%u queue %u: IB inside an IB", q->engine, q->id);
		return SDMA_HALT;
	}
	if (q->ring_mem.vmid != 0) /* a user queue stays in its own address space */
		vmid = q->ring_mem.vmid;
	if (q->ib_mem.vmid != vmid)
		gv_mem_init(&q->ib_mem, q->sdma->fn, GV_HUB_MM, (uint8_t)vmid, q->ib_mem.client);
	q->ib_va = gv_sdma_va(q, SDMA_INDIRECT__ib_base_31_0__DW) & ~0x1full;
	q->ib_dw = OP(q, INDIRECT, ib_size);
	q->ib_pos = 0;
	q->in_ib = true;
	return SDMA_DONE;
}

static enum gv_sdma_step cond_exe(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	uint32_t val = 0;

	(void)reg;
	if (gv_mem_read32(gv_sdma_mem(q), gv_sdma_va(q, ADDR_LO(COND_EXE)), &val) ||
	    val != OP(q, COND_EXE, reference))
		q->skip_dw = OP(q, COND_EXE, exec_count);
	return SDMA_DONE;
}

/* One device: the first bit of the selection. */
static enum gv_sdma_step pre_exe(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)reg;
	if (!(OP(q, PRE_EXE, dev_sel) & 1))
		q->skip_dw = OP(q, PRE_EXE, exec_count);
	return SDMA_DONE;
}

/* ---- signals -------------------------------------------------------------- */

static enum gv_sdma_step fence(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)reg;
	(void)gv_mem_write32(gv_sdma_mem(q), gv_sdma_va(q, ADDR_LO(FENCE)) & ~3ull,
	                     OP(q, FENCE, data));
	return SDMA_DONE;
}

static enum gv_sdma_step trap(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	uint32_t cntl = gv_reg_get(q->sdma->fn, gv_sdma_engine_regs[q->engine].cntl, 0);

	(void)reg;
	if (!GV_GET(cntl, SDMA0_CNTL, TRAP_ENABLE))
		return SDMA_DONE;
	post(q, GV_IH_SRC_SDMA_TRAP, OP(q, TRAP, int_context));
	return SDMA_IRQ;
}

/* A 64-bit counter in memory: signal adds one (or writes it), wait takes one away. */
static enum gv_sdma_step semaphore(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	struct gv_mem *m = gv_sdma_mem(q);
	uint64_t va = gv_sdma_va(q, ADDR_LO(SEMAPHORE)) & ~7ull, old = 0, now = 0;

	(void)reg;
	if (OP(q, SEMAPHORE, mailbox))
		return unknown(q);
	if (OP(q, SEMAPHORE, signal)) {
		(void)gv_mem_atomic(
		        m, va, OP(q, SEMAPHORE, write_one) ? GV_TC_SWAP_RTN_64 : GV_TC_ADD_RTN_64,
		        1, 0, &old);
		return SDMA_DONE;
	}
	if (gv_mem_read64(m, va, &now))
		return SDMA_DONE;
	if (now == 0)
		return wait_more(q);
	if (gv_mem_atomic(m, va, GV_TC_CMPSWAP_RTN_64, now - 1, now, &old))
		return SDMA_DONE;
	return old == now ? SDMA_DONE : SDMA_MORE; /* MORE: somebody was faster */
}

static enum gv_sdma_step atomic(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	unsigned op = OP(q, ATOMIC, atomic_op);
	uint64_t cmp = gv_sdma_va(q, SDMA_ATOMIC__cmp_data_31_0__DW), old = 0;
	int rc = gv_mem_atomic(gv_sdma_mem(q), gv_sdma_va(q, ADDR_LO(ATOMIC)), op,
	                       gv_sdma_va(q, SDMA_ATOMIC__src_data_31_0__DW), cmp, &old);

	(void)reg;
	if (rc == -EOPNOTSUPP)
		gv_unimplemented(q->sdma->fn, "SDMA atomic operation %u", op);
	else if (rc == -EINVAL)
		gv_guest_error(q->sdma->fn, "SDMA%u: unaligned atomic", q->engine);
	if (rc || !OP(q, ATOMIC, loop))
		return SDMA_DONE;
	/* loop: until the compare succeeds */
	if ((op == GV_TC_CMPSWAP_RTN_32 && old != (uint32_t)cmp) ||
	    (op == GV_TC_CMPSWAP_RTN_64 && old != cmp))
		return wait_more(q);
	return SDMA_DONE;
}

/* ---- time ----------------------------------------------------------------- */

static enum gv_sdma_step timestamp_set(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)reg;
	atomic_store(&q->sdma->clock_base,
	             gv_sdma_va(q, SDMA_TIMESTAMP_SET__init_data_31_0__DW) - gv_dev_clock());
	return SDMA_DONE;
}

static enum gv_sdma_step timestamp_get(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)reg;
	(void)gv_mem_write64(gv_sdma_mem(q),
	                     gv_sdma_va(q, SDMA_TIMESTAMP_GET__write_addr_31_3__DW) & ~7ull,
	                     gv_dev_clock() + atomic_load(&q->sdma->clock_base));
	return SDMA_DONE;
}

static enum gv_sdma_step timestamp_get_global(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)reg;
	(void)gv_mem_write64(gv_sdma_mem(q),
	                     gv_sdma_va(q, SDMA_TIMESTAMP_GET_GLOBAL__write_addr_31_3__DW) & ~7ull,
	                     gv_dev_clock());
	return SDMA_DONE;
}

/* ---- registers ------------------------------------------------------------ */

static uint32_t reg_byte(uint32_t addr)
{
	return addr & gv_mask(2, SDMA_SRBM_WRITE__addr__BITS);
}

static enum gv_sdma_step srbm_write(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	uint32_t en = OP(q, SRBM_WRITE, byte_en);

	if (!privileged(q))
		return refuse(q);
	reg->byte = reg_byte(OP(q, SRBM_WRITE, addr) << 2);
	reg->val = OP(q, SRBM_WRITE, data);
	reg->enable = 0;
	for (unsigned i = 0; i < 4; i++)
		if (en & (1u << i))
			reg->enable |= gv_mask(8 * i, 8);
	return en ? SDMA_REG_WRITE : SDMA_DONE;
}

static enum gv_sdma_step judge(struct gv_sdma_queue *q, uint32_t val)
{
	uint32_t retry = OP(q, POLL_REGMEM, retry_count), mask = OP(q, POLL_REGMEM, mask);

	if (gv_packet_compare(OP(q, POLL_REGMEM, func), val & mask, OP(q, POLL_REGMEM, value)))
		return SDMA_DONE;
	if (retry != POLL_FOREVER && q->op.tries >= retry) {
		post(q, GV_IH_SRC_SDMA_POLL_TIMEOUT, OP(q, POLL_REGMEM, addr_31_0));
		return SDMA_IRQ;
	}
	return wait_more(q);
}

/* HDP flush form: the first address is DONE, the second REQ, which gets the reference first. */
static enum gv_sdma_step poll_regmem(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	uint32_t val = 0;

	if (OP(q, POLL_REGMEM, mem_poll)) {
		if (gv_mem_read32(gv_sdma_mem(q), gv_sdma_va(q, ADDR_LO(POLL_REGMEM)) & ~3ull,
		                  &val))
			return SDMA_DONE;
		return judge(q, val);
	}
	/* a user queue's HDP flush (ROCr, for microcode from 0x1a5 on): no register is looked at */
	if (OP(q, POLL_REGMEM, func) == 0 && !OP(q, POLL_REGMEM, hdp_flush))
		return SDMA_DONE;
	if (!privileged(q))
		return refuse(q);
	if (OP(q, POLL_REGMEM, hdp_flush) && !q->op.wrote) {
		reg->byte = reg_byte(OP(q, POLL_REGMEM, addr_63_32));
		reg->val = OP(q, POLL_REGMEM, value);
		reg->enable = UINT32_MAX;
		return SDMA_REG_WRITE;
	}
	reg->byte = reg_byte(OP(q, POLL_REGMEM, addr_31_0));
	return SDMA_REG_READ;
}

static enum gv_sdma_step poll_regmem_val(struct gv_sdma_queue *q, uint32_t val)
{
	if (OP(q, POLL_REGMEM, hdp_flush) && !q->op.wrote) {
		q->op.wrote = true;
		return SDMA_MORE;
	}
	return judge(q, val);
}

static enum gv_sdma_step poll_reg_write_mem(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	if (!privileged(q))
		return refuse(q);
	reg->byte = reg_byte(q->op.dw[SDMA_POLL_REG_WRITE_MEM__addr_31_2__DW]);
	return SDMA_REG_READ;
}

static enum gv_sdma_step poll_reg_write_mem_val(struct gv_sdma_queue *q, uint32_t val)
{
	(void)gv_mem_write32(gv_sdma_mem(q), gv_sdma_va(q, ADDR_LO(POLL_REG_WRITE_MEM)) & ~3ull,
	                     val);
	return SDMA_DONE;
}

static enum gv_sdma_step done_with(struct gv_sdma_queue *q, uint32_t val)
{
	(void)q, (void)val;
	return SDMA_DONE;
}

/* ---- dispatch ------------------------------------------------------------- */

#define MOVE(name)                                                                                 \
	static enum gv_sdma_step do_##name(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)       \
	{                                                                                          \
		(void)reg;                                                                         \
		return gv_sdma_##name(q);                                                          \
	}
MOVE(copy)
MOVE(copy_subwin)
MOVE(write)
MOVE(write_incr)
MOVE(ptepde_copy)
MOVE(ptepde_rmw)
MOVE(fill)
MOVE(fill_multi)
MOVE(dirty_bits)

static enum gv_sdma_step copy_physical(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)reg;
	return privileged(q) ? gv_sdma_copy_physical(q) : refuse(q);
}

static enum gv_sdma_step not_modelled(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	(void)reg;
	return unknown(q);
}

struct packet {
	uint8_t op, sub_op, dw;
	enum gv_sdma_step (*step)(struct gv_sdma_queue *q, struct gv_sdma_reg *reg);
	enum gv_sdma_step (*step_reg)(struct gv_sdma_queue *q, uint32_t val);
};

#define P(name, step, reg)                                                                         \
	{                                                                                          \
		SDMA_##name##__OP, SDMA_##name##__SUB_OP, SDMA_##name##__DW, step, reg             \
	}
static const struct packet packets[] = {
        P(NOP, nop, NULL),
        P(COPY_LINEAR, do_copy, NULL),
        P(COPY_PHYSICAL_LINEAR, copy_physical, NULL),
        P(COPY_DIRTY_PAGE, copy_physical, NULL),
        P(COPY_LINEAR_SUBWIN, do_copy_subwin, NULL),
        P(COPY_TILED, not_modelled, NULL),
        P(COPY_STRUCT, not_modelled, NULL),
        P(COPY_TILED_SUBWIN, not_modelled, NULL),
        P(COPY_T2T, not_modelled, NULL),
        P(WRITE_UNTILED, do_write, NULL),
        P(WRITE_TILED, not_modelled, NULL),
        P(INDIRECT, indirect, NULL),
        P(FENCE, fence, NULL),
        P(TRAP, trap, NULL),
        P(DUMMY_TRAP, trap, NULL),
        P(SEMAPHORE, semaphore, NULL),
        P(POLL_REGMEM, poll_regmem, poll_regmem_val),
        P(POLL_REG_WRITE_MEM, poll_reg_write_mem, poll_reg_write_mem_val),
        P(POLL_DBIT_WRITE_MEM, do_dirty_bits, NULL),
        P(POLL_MEM_VERIFY, not_modelled, NULL),
        P(COND_EXE, cond_exe, NULL),
        P(ATOMIC, atomic, NULL),
        P(CONSTANT_FILL, do_fill, NULL),
        P(DATA_FILL_MULTI, do_fill_multi, NULL),
        P(WRITE_INCR, do_write_incr, NULL),
        P(PTEPDE_COPY, do_ptepde_copy, NULL),
        P(PTEPDE_RMW, do_ptepde_rmw, NULL),
        P(PTEPDE_COPY_BACKWARDS, not_modelled, NULL),
        P(TIMESTAMP_SET, timestamp_set, NULL),
        P(TIMESTAMP_GET, timestamp_get, NULL),
        P(TIMESTAMP_GET_GLOBAL, timestamp_get_global, NULL),
        P(SRBM_WRITE, srbm_write, done_with),
        P(PRE_EXE, pre_exe, NULL),
};
#undef P

static const struct packet *find(uint32_t header)
{
	unsigned op = GV_GET(header, SDMA_NOP, op), sub = GV_GET(header, SDMA_NOP, sub_op);

	for (size_t i = 0; i < GV_ARRAY_LEN(packets); i++)
		if (packets[i].op == op && packets[i].sub_op == sub)
			return &packets[i];
	return NULL;
}

/* Packets that end with data: how many dwords; 0: not enough of the packet is here to tell. */
static uint64_t with_data(unsigned fixed, const uint32_t *dw, unsigned have, unsigned count_at)
{
	if (have <= count_at)
		return 0;
	return fixed + (uint64_t)GV_GET(dw[count_at], SDMA_WRITE_UNTILED, count) + 1;
}

int gv_sdma_packet_dw(const uint32_t *dw, unsigned have, uint64_t *total)
{
	const struct packet *p = find(dw[0]);

	if (!p)
		return -ENOENT;
	if (p->step == nop)
		*total = 1ull + GV_GET(dw[0], SDMA_NOP, count);
	else if (p->step == do_write)
		*total = with_data(p->dw, dw, have, SDMA_WRITE_UNTILED__count__DW);
	else if (p->op == SDMA_WRITE_TILED__OP && p->sub_op == SDMA_WRITE_TILED__SUB_OP)
		*total = with_data(p->dw, dw, have, SDMA_WRITE_TILED__count__DW);
	else if (p->op == SDMA_COPY_TILED__OP && p->sub_op == SDMA_COPY_TILED__SUB_OP)
		*total = p->dw + 3ull * GV_GET(dw[0], SDMA_COPY_TILED, broadcast);
	else if (p->step == do_copy && GV_GET(dw[0], SDMA_COPY_LINEAR, broadcast))
		*total = SDMA_COPY_BROADCAST_LINEAR__DW;
	else
		*total = p->dw;
	return 0;
}

enum gv_sdma_step gv_sdma_step(struct gv_sdma_queue *q, struct gv_sdma_reg *reg)
{
	const struct packet *p = find(q->op.dw[0]);

	return p ? p->step(q, reg) : SDMA_HALT;
}

enum gv_sdma_step gv_sdma_step_reg(struct gv_sdma_queue *q, uint32_t val)
{
	const struct packet *p = find(q->op.dw[0]);

	return p && p->step_reg ? p->step_reg(q, val) : SDMA_HALT;
}
