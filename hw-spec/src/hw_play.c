/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include <gv/hw_play.h>
#include <gv/layouts.h>

/* Show another value at another time, whatever is done to them. docs/trace.md shows this table. */
static const enum gv_reg volatile_regs[] = {
        /* count time */
        GV_REG_RLC_GPU_CLOCK_COUNT_LSB,
        GV_REG_RLC_GPU_CLOCK_COUNT_MSB,
        /* how far the engine is at that moment */
        GV_REG_IH_RB_WPTR,
        GV_REG_IH_RB_WPTR_RING1,
        GV_REG_IH_RB_WPTR_RING2,
        GV_REG_CP_HQD_PQ_RPTR,
        GV_REG_SDMA0_GFX_RB_RPTR,
        GV_REG_SDMA1_GFX_RB_RPTR,
        /* who is at work at that moment */
        GV_REG_GRBM_STATUS,
        GV_REG_GRBM_STATUS2,
        GV_REG_SDMA0_STATUS_REG,
        GV_REG_SDMA1_STATUS_REG,
        GV_REG_RLC_GPU_IOV_VM_BUSY_STATUS,
        GV_REG_RLC_GPU_IOV_VF_DOORBELL_STATUS,
        /* count what the engines did until that moment */
        GV_REG_GVX_VF0_INTERRUPTS,
        GV_REG_GVX_VF0_DOORBELLS,
};

static uint32_t ignored(void *arg, uint32_t byte)
{
	int reg = byte % 4 ? -1 : gv_reg_at(byte, NULL);

	(void)arg;
	for (size_t i = 0; reg >= 0 && i < GV_ARRAY_LEN(volatile_regs); i++)
		if ((int)volatile_regs[i] == reg)
			return UINT32_MAX;
	return 0;
}

static void name(void *arg, uint32_t byte, char *buf, size_t bytes)
{
	uint32_t index = 0;
	int reg = gv_reg_at(byte & ~3u, &index);
	char text[64];

	(void)arg;
	if (reg < 0)
		(void)snprintf(text, sizeof(text), "BAR5+0x%x", byte);
	else
		gv_reg_name((enum gv_reg)reg, index, text, sizeof(text));
	if (reg >= 0 && byte % 4)
		(void)snprintf(buf, bytes, "%s byte %u", text, byte % 4);
	else
		(void)snprintf(buf, bytes, "%s", text);
}

static void wrote(void *arg, unsigned function, uint32_t byte, uint32_t val)
{
	struct gv_hw_play_ring *r = &((struct gv_hw_play *)arg)->ring[function];

	if (byte == IH_RB_BASE__BYTE)
		r->base = val;
	else if (byte == IH_RB_BASE_HI__BYTE)
		r->base_hi = val;
	else if (byte == IH_RB_CNTL__BYTE)
		r->cntl = val;
}

/* Bytes of an entry that are its time: dword 1 and the low half of dword 2. */
static bool is_time(uint64_t at)
{
	return at % sizeof(struct gv_ih_iv) >= 4 && at % sizeof(struct gv_ih_iv) < 10;
}

static void mask(void *arg, unsigned function, uint64_t iova, uint8_t *recorded, uint8_t *came,
                 size_t bytes)
{
	const struct gv_hw_play_ring *r = &((struct gv_hw_play *)arg)->ring[function];
	uint64_t base = (uint64_t)r->base << 8 | (uint64_t)r->base_hi << 40;
	uint64_t size = GV_GET(r->cntl, IH_RB_CNTL, RB_SIZE);

	size = base && size < 32 ? 4ull << size : 0;
	for (size_t i = 0; i < bytes; i++)
		if (iova + i >= base && iova + i - base < size && is_time(iova + i - base))
			recorded[i] = came[i] = 0;
}

struct gv_play_rules gv_hw_play_rules(struct gv_hw_play *state)
{
	return (struct gv_play_rules){
	        .arg = state, .ignored = ignored, .wrote = wrote, .mask = mask, .name = name};
}
